"""The record of a comparison of two versions: what differs, by how much, and what of it was declared beforehand.

It never says whether a change is a substantial modification (AI Act Art. 3(23)): that is for a named person.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from evidence.records import Record, Role, Sha256, Status, UtcTime

Verdict = Literal["within", "outside", "cannot_tell", "none_declared", "follows"]
"""`within`: a declared change covers it, and its limits hold. `outside`: none covers it, or a limit is broken.
`cannot_tell`: one covers it, and an interval straddles a limit or something needed is missing. `none_declared`: the
earlier version declares no change at all. `follows`: it is a consequence or a label of other changes, judged there."""
Subject = Literal[
    "purpose", "classification", "declarations", "identity", "features", "data", "split", "model", "mitigation",
    "policy", "gate", "measure", "software", "documents", "other",
]  # fmt: skip
"""What a change is about, in the order in which changes are listed."""
Answer = Literal["within", "outside", "cannot_tell"]
Outcome = Literal["identical", "within", "outside", "cannot_tell"]
Shown = Literal["worse", "better", "moved", "no_difference", "unknown", "equal"]
"""What an interval of a difference shows at its own level; `moved` for a measure without a direction."""


class ComparedSide(Record):
    """One of the two versions."""

    kind: Literal["run", "bundle"]
    run_id: str
    system_id: str
    system_name: str
    system_version: str
    plan_sha256: Sha256
    run_sha256: Sha256
    """Of the closed run's record."""
    started_at: UtcTime
    finished_at: UtcTime
    outcome: Literal["pass", "fail", "inconclusive"]
    """Of the gate."""
    test_rows: int = Field(ge=0)
    key_fingerprint: Sha256 | None = None
    """Of the key that the receiver pinned; None for a run folder."""
    demonstration: bool = False


class LimitAnswer(Record):
    """One limit of a declared change, laid on what was found."""

    limit: str
    """What is asked, in words."""
    answer: Answer
    found: str
    """What was found, in words."""
    check: str | None = None
    slice: str | None = None
    bound: float | None = None
    kind: Literal["at_least", "at_most", "worse_by_at_most", "data", "features"] = "data"


class DeclaredChange(Record):
    """A change that the earlier version determined beforehand."""

    id: str
    title: str
    rationale: str
    clause: str
    covers: tuple[str, ...]
    used: bool
    """Does something that changed fall under it? Of several that cover a change, it falls under the one that answers
    best."""
    limits: tuple[LimitAnswer, ...]


class Change(Record):
    """One difference between the two versions."""

    subject: Subject
    place: str
    """Path in the plan, or `<record>: <what>`."""
    title: str
    before: str | None
    """As text; None where there is nothing."""
    after: str | None
    removed: tuple[str, ...] = ()
    """Of longer texts: the words that are gone."""
    added: tuple[str, ...] = ()
    verdict: Verdict
    declared: tuple[str, ...] = ()
    """Ids of the declared changes that cover it."""
    reason: str
    clause: str


class MeasureDifference(Record):
    """A measure that both versions have: after less before."""

    check: str
    title: str
    name: str
    slice: str
    split: Role | None
    unit: str
    better: Literal["higher", "lower", "none"]
    headline: bool
    """Is it the check's own number, not a part or a comparison value?"""
    before: float | None
    after: float | None
    value: float | None
    """None where one of the two is undefined."""
    low: float | None = None
    high: float | None = None
    level: float | None = None
    method: str
    """How the interval was made, or why there is none."""
    paired: bool = False
    """Was it made from the same rows, pair by pair?"""
    judged: bool
    """Does it count where it moved without a limit: a headline with a direction, and no count of rows?"""
    shown: Shown
    n_before: int | None = None
    n_after: int | None = None


class GateCompared(Record):
    """A gate that both plans have, or one of them."""

    check: str
    title: str
    slice: str
    before: Status | None
    """Its answer; None where the version has no such gate."""
    after: Status | None
    asked_before: str | None
    """The threshold in words."""
    asked_after: str | None
    measure: int | None
    """Index of what it is laid on in `measures`."""


class GroupShare(Record):
    """Share of the rows that a group has, among rows whose group is known."""

    attribute: str
    group: str
    before: float
    after: float
    value: float
    """After less before: exact for these rows."""


class FeatureDrift(Record):
    """How far the two test parts lie apart in one feature: the population stability index less what chance adds."""

    feature: str
    value: float
    low: float
    high: float
    """The intervals of all features hold together."""
    n: int


class RowsCompared(Record):
    """The rows of the two versions."""

    before: int
    after: int
    content_equal: bool
    """Are they the same rows, whatever their order?"""
    same_test_rows: bool
    matched_by: str | None = None
    """Column whose values tell the test rows apart, where given predictions differ and with them the digests."""
    shared: int | None = None
    """Rows of the earlier data that the later ones hold; None where the rows are not at hand."""
    shared_test: int | None = None
    """Rows that both test parts hold."""
    level: float | None = None
    groups: tuple[GroupShare, ...] = ()
    drift: tuple[FeatureDrift, ...] = ()


class DiffRecord(Record):
    """The whole comparison."""

    version: Literal[1] = 1
    before: ComparedSide
    after: ComparedSide
    outcome: Outcome
    """Of the verdicts; `outside` where something changed and nothing was declared."""
    declared: tuple[DeclaredChange, ...]
    """Of the earlier version."""
    changes: tuple[Change, ...]
    """In the order of their subjects; what concerns the intended purpose first."""
    rows: RowsCompared
    measures: tuple[MeasureDifference, ...]
    """The largest differences first, measured by their intervals."""
    gates: tuple[GateCompared, ...] = ()
    """Gates of the plans, in their order."""
    only_before: tuple[str, ...] = ()
    """Measures that the later version lacks."""
    only_after: tuple[str, ...] = ()
    verdicts: dict[Verdict, int] = {}
    """How many changes have each verdict."""
    methods: dict[str, int] = {}
    """How the intervals of the differences were made, and of how many measures."""
    equal: int = 0
    """Of `measures`, how many are the same in both."""
    judged: int = 0
    """Headlines with a direction and no limit, over which the level of `worse` was shared out."""
    level: float
    """Level of the intervals of the differences."""
    notes: tuple[str, ...] = ()
