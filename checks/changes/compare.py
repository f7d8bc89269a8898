"""The whole comparison of two versions as one record."""

from __future__ import annotations

import collections
import typing

from checks.changes import found, gates, limits, measures, rows, verdicts
from checks.changes.side import Side
from configs import errors
from evidence import diff_records
from evidence.diff_records import Change, ComparedSide, DiffRecord, MeasureDifference

_SUBJECTS: tuple[str, ...] = typing.get_args(diff_records.Subject)
_VERDICTS = ("outside", "none_declared", "cannot_tell", "within", "follows")


def compare(before: Side, after: Side, *, anyway: bool = False) -> DiffRecord:
    """Compare two versions of a system.

    The declarations of `before` count: a change is determined beforehand by the version that it starts from.

    Args:
        before: The earlier version, the one that was assessed.
        after: The later one.
        anyway: Compare two systems, or two tasks; measures of different tasks are left out.

    Raises:
        PlanError: They are different systems, or answer different questions, and `anyway` is false.
        IntegrityError: A record or an array was altered.
    """
    comparable = _require_comparable(before, after, anyway=anyway)
    level = before.plan.policy.confidence
    of_rows = rows.compare(before, after, level)
    compared = measures.compare(before, after, level) if comparable else ()
    raw = list(found.everything(before, after, of_rows))
    seen = limits.Seen(before, after, of_rows, compared)
    stated = verdicts.declared(before.plan.predetermined_changes, seen)
    under = verdicts.chosen((one for one in raw if one.cause not in verdicts.CONSEQUENCES), stated)
    under = under or verdicts.chosen(raw, stated)
    listed = [verdicts.of(one, stated, under) for one in raw]
    moved, judged = _moved(compared, under, stated, level)
    listed = sorted([*listed, *moved], key=_order)
    return DiffRecord(
        before=_side(before),
        after=_side(after),
        outcome=_outcome(listed, compared),
        declared=tuple(verdicts.as_records(stated, {d.change.id for d in under})),
        changes=tuple(listed),
        rows=of_rows,
        measures=compared,
        gates=gates.compare(before, after, compared),
        only_before=measures.missing(before, after) if comparable else (),
        only_after=measures.missing(after, before) if comparable else (),
        verdicts=dict(collections.Counter(change.verdict for change in listed)),
        methods=dict(collections.Counter(m.method for m in compared)),
        equal=sum(m.shown == "equal" for m in compared),
        judged=judged,
        level=level,
        notes=tuple(_notes(before, after, comparable=comparable)),
    )


def _require_comparable(before: Side, after: Side, *, anyway: bool) -> bool:
    """Do both answer the same question?"""
    names = [side.plan.system.id for side in (before, after)]
    if names[0] != names[1] and not anyway:
        raise errors.PlanError(
            f"diff: expected two versions of one system, got {names[0]} and {names[1]}. "
            "Name two runs of the same system, or add --anyway."
        )
    targets = [side.plan.data.target for side in (before, after)]
    asked = [(target.task, _classes(side)) for target, side in zip(targets, (before, after), strict=True)]
    if asked[0] == asked[1]:
        return True
    if not anyway:
        words = [task + (f" ({', '.join(classes)})" if classes else "") for task, classes in asked]
        raise errors.PlanError(
            f"diff: expected the same task and classes, got {words[0]} and {words[1]}: their measures do not mean the "
            "same. Add --anyway to compare everything but the measures."
        )
    return False


def _classes(side: Side) -> tuple[str, ...]:
    target = side.plan.data.target
    if target.task == "binary":
        return target.negative_label, target.positive_label
    return tuple(target.classes) if target.task == "multiclass" else ()


def _moved(
    compared: tuple[MeasureDifference, ...],
    used: tuple[verdicts.Declared, ...],
    stated: tuple[verdicts.Declared, ...],
    level: float,
) -> tuple[list[Change], int]:
    """The measures that moved, with their verdicts, and over how many the level was shared out."""
    named = verdicts.limited(used)
    free = [m for m in compared if m.judged and (m.name, m.slice) not in named]
    made = [
        change
        for m in compared
        if ((m.name, m.slice) in named and m.headline and m.shown != "equal")
        or (m in free and measures.holds_among(m, len(free), level))
        if (change := verdicts.of_measure(m, used or stated, level=level, judged=len(free))) is not None
    ]
    return made, len(free)


def _order(change: Change) -> tuple[int, int, bool]:
    """By subject, the gravest first, what the plan says before what came of it; else as they were found."""
    written = change.place.startswith("plan: ")
    return _SUBJECTS.index(change.subject), _VERDICTS.index(change.verdict), not written


def _outcome(listed: list[Change], compared: tuple[MeasureDifference, ...]) -> diff_records.Outcome:
    given = {change.verdict for change in listed}
    if not listed and not any(m.value for m in compared):
        return "identical"
    if given & {"outside", "none_declared"}:
        return "outside"
    return "cannot_tell" if "cannot_tell" in given else "within"


def _side(side: Side) -> ComparedSide:
    return ComparedSide(
        kind=side.kind,
        run_id=side.close.run_id,
        system_id=side.plan.system.id,
        system_name=side.plan.system.name,
        system_version=side.plan.system.version,
        plan_sha256=side.plan_sha256,
        run_sha256=side.run_sha256,
        started_at=side.close.started_at,
        finished_at=side.close.finished_at,
        outcome=side.gate.outcome,
        test_rows=side.split.parts["test"].rows,
        key_fingerprint=side.key_fingerprint,
        demonstration=side.demonstration,
    )


def _notes(before: Side, after: Side, *, comparable: bool) -> list[str]:
    notes = []
    if after.close.started_at < before.close.started_at:
        notes.append("The second version is older than the first; what the first one declares was taken all the same.")
    if not comparable:
        notes.append("The two answer different questions: no measure was compared.")
    if "bundle" in (before.kind, after.kind):
        notes.append(
            "Of a bundle only the records are read, no rows: nothing was compared row by row, and intervals take the "
            "two as independent."
        )
    if any(side.demonstration for side in (before, after)):
        notes.append("At least one of the two is a demonstration, which nobody approved.")
    return notes
