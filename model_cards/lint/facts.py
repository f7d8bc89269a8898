"""What the evidence says that is so, and what not: its values as facts about the names of their keys.

`backup_test: null`, `night_images: 0`, `{criterion: External audit, status: not done}` say of something that it is not
so; `drift_alarm: true` says that it is; `double_checked_share: 0.12` that it is so of a part.
"""

from __future__ import annotations

import dataclasses
import functools
import itertools
import re
from typing import Literal

from model_cards.lint import concepts, lexicon, words
from model_cards.lint.evidence import IDENTITY, Entry, Evidence

Kind = Literal["undone", "failed", "holds", "partly"]
ASSURING = frozenset(
    [
        "approve",
        "certify",
        "encrypt",
        "audit",
        "validate",
        "monitor",
        "anonymise",
        "pseudonymise",
        "calibrate",
        "mitigate",
        "retrain",
        "explain",
        "backup",
        "insurance",
        "consent",
        "uncertainty",
        "oversight",
        "override",
        "appeal",
        "ethics",
        "impact",
        "penetration",
        "adversarial",
        "log",
        "rollback",
    ]
)
"""Concepts that are a topic by themselves."""
MOST = 600
SHORTEST = 15
"""Characters of a sentence that says something of a fact."""
OUTCOMES = frozenset({"outcome", "status", "result", "verdict", "decision", "conclusion", "state", "answer", "finding"})
"""Keys of what came of a check."""
_NAMING = (
    *("topic", "criterion", "check", "control", "text", "name", "title", "rule", "description", "item", "test"),
    *("requirement", "measure", "safeguard", "metric", "id"),
)
"""Fields that name what their neighbours speak of, the surest first."""
_BARE = OUTCOMES | {
    *("done", "passed", "met", "performed", "active", "enabled", "completed", "value", "ok", "valid", "present"),
    *(
        "available",
        "implemented",
        "signed",
        "measured",
        "executed",
        "fulfilled",
        "used",
        "applied",
        "exists",
        "required",
    ),
    *("in_place", "on", "success", "successful", "pass", "tested", "carried_out", "conducted", "kept", "running", "by"),
}
"""Keys that say nothing of what their value is of."""
_NEGATIVE = re.compile(
    r"(?:red|amber|yellow|false|no|none|null|nil|n/?a|off|never|absent|missing|removed|retired|outstanding|fail(?:ed|ure|s)?|pending|planned|"
    r"open|todo|tbd|unknown|skipped|disabled|inactive|refused|rejected|withdrawn|excluded|not included|"
    r"expired|unmeasured|drafted|draft|ordered|"
    r"requested|scheduled|awaited|violated|missed|undecided|inconclusive|below|in preparation|in progress|"
    r"under way|ongoing|"
    r"nicht .*|not[ _-]\w.*|never \w.*|no \w+ yet)",
    re.IGNORECASE,
)
_FAILED = re.compile(
    r"(?:red$|rot$|not (?:recommended|suitable|intended|advised)|unsuitable|fail\w*|not[ _-](?:met|passed|"
    r"fulfilled|reached|satisfied)|violated|missed|below|inconclusive|undecided)",
    re.IGNORECASE,
)
_HOLDS = re.compile(
    r"(?:true|yes|active|done|completed?|enabled|on|in place|available|pass(?:ed)?|met|fulfilled|ok|signed)",
    re.IGNORECASE,
)
_ID = re.compile(r"[a-z]{1,2}\d{1,3}")
"""Numbers of criteria and controls: `R4`."""
_CRITERIA = frozenset(words.words("criteria acceptance endpoints gates checks tests audit"))
"""Where what is false was looked at and not passed."""
_UNSETTLED = frozenset(words.words("open unresolved outstanding failed unsettled remaining"))
"""Words of keys that count what is left."""
_PARTLY = frozenset(words.words("share rate fraction proportion percentage percent ratio part"))
_LOOSE = concepts.fold(
    tuple(
        words.words(
            "test check review report plan done measure assess evaluate evaluation validate audit study analysis "
            "assessment "
            "use used apply applied approve log record result release training user signed performed start run work "
            "written published patient case file image picture record document customer client item entry row "
            "sample opinion "
            "scenario vote statement committee commission board"
        )
    ),
    "wider",
)
"""Concepts of what one does about something: told by another verb as well."""
_EMPTY = concepts.fold(
    tuple(
        words.words(
            "the a an of in on at to for by with and or not no is are was be has have status outcome value date "
            "name id note "
            "comment until from above below over under per all any who when where last first next by only "
            "can may must should does do it its this that system model tool software data than as number n count yes "
            "true false percent days months hours"
        )
    ),
    "wider",
)


@dataclasses.dataclass(frozen=True)
class Fact:
    """Something of which the evidence says whether it is so."""

    whole: frozenset[str]
    """All concepts of its name."""
    names: frozenset[str]
    """Those that tell it."""
    loose: frozenset[str]
    """Concepts of its name for what is done about it: test, review, report."""
    above: frozenset[str]
    """Concepts of what it stands under."""
    kind: Kind
    entry: Entry

    @property
    def title(self) -> str:
        """Its name in few words."""
        return " ".join(sorted(self.names | self.loose))


@functools.cache
def _limits() -> frozenset[str]:
    """Names of measures and of limits, which tell less than what they are of."""
    names = (concepts.fold(tuple(words.words(n)), "wider") for n in itertools.chain(*lexicon.load().measures.values()))
    return frozenset({"minimum", "maximum", "limit"}).union(*(name for name in names if len(name) == 1)) - {"dropout"}


@functools.lru_cache(maxsize=4)
def of(evidence: Evidence) -> tuple[Fact, ...]:
    """All facts of some evidence."""
    names = {(e.file, e.path[:-1], e.key.lower()): e for e in evidence.texts if e.path and not e.derived}
    found: dict[tuple[frozenset[str], frozenset[str], str], Fact] = {}
    for entry in evidence.entries:
        if entry.derived or not entry.path or not isinstance(entry.path[-1], str) or (kind := _kind(entry)) is None:
            continue
        if entry.rows and (entry.value is None or entry.key.lower() in IDENTITY):
            continue
        row, above = _named(entry, names)
        if kind == "partly":
            row = [word for word in row if word not in _PARTLY | _UNSETTLED]
        row = [word for word in row if not _ID.fullmatch(word)] or row
        if entry.rows and entry.value == 0:
            row = [*row, *(word for word in entry.named if word not in row)]
        looked_at = len(above) == 1 and above[0] in _CRITERIA
        own = concepts.fold(tuple(row), "wider") - _EMPTY
        telling = frozenset(word for word in own - _LOOSE if len(word) > 1 and not word.isdigit())
        telling = (telling - _limits() if looked_at or kind == "failed" else telling) or telling or own
        if not telling and len(own) < 2 and not above:
            continue
        if entry.value is False and looked_at:
            kind = "failed"
        whole = concepts.fold(tuple(row), "wider")
        fact = Fact(whole, telling, own & _LOOSE - telling, concepts.fold(tuple(above), "wider") - _EMPTY, kind, entry)
        found.setdefault((telling, fact.loose | fact.above, kind), fact)
    return tuple(found.values())[:MOST]


def _named(entry: Entry, names: dict[tuple[str, tuple[str | int, ...], str], Entry]) -> tuple[list[str], list[str]]:
    """The words that name what an entry is about, and those of what it stands under."""
    key = entry.key.lower()
    above = [w for step in entry.steps[:-1][-1:] for w in words.words(step)]
    if key not in _BARE and words.words(key)[-1:] != ["passed"]:
        return words.words(entry.key), above
    for field in _NAMING:
        named = names.get((entry.file, entry.path[:-1], field))
        if named is not None and named is not entry:
            return words.words(str(named.value)), []
    return above, [w for step in entry.steps[:-2][-1:] for w in words.words(step)]


def _kind(entry: Entry) -> Kind | None:
    value = entry.value
    if " " in entry.key and value is None:
        return None  # a slip of YAML: `{method: linear, else the last one}`
    if value is None or value is False or value in ("", "[]"):
        return "undone"
    if value is True:
        return "holds"
    if isinstance(value, str):
        text = value.strip()
        if len(text) < 60 and _NEGATIVE.fullmatch(text):
            return "failed" if _FAILED.match(text) else "undone"
        return "holds"
    key = set(words.words(entry.key))
    if isinstance(value, int) and value == 0 and (len(key) > 1 or entry.rows or entry.key.lower() in _BARE):
        return "undone"
    if isinstance(value, int) and key & _UNSETTLED and len(key) > 1:
        return "partly"
    if 0 < value < 1 and _PARTLY & set(words.words(entry.key)):
        return "partly"
    return None


def affirmed(entry: Entry) -> bool:
    """Does a value say nothing but that it is so?"""
    return entry.value is True or (isinstance(entry.value, str) and bool(_HOLDS.fullmatch(entry.value.strip())))
