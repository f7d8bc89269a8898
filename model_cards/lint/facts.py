"""What the evidence says that is so, and what not: its values as facts about the names of their keys.

`backup_test: null`, `night_images: 0`, `{criterion: External audit, status: not done}` say of something that it is not
so; `drift_alarm: true` says that it is; `double_checked_share: 0.12` that it is so of a part.
"""

from __future__ import annotations

import dataclasses
import functools
import itertools
import re
from collections.abc import Iterator, Sequence
from typing import Literal

from model_cards.lint import concepts, lexicon, shortfalls, words
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
        "dpia",
        "fria",
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
    *(
        "verified",
        "reviewed",
        "effective",
        "exercised",
        "rehearsed",
        "ergebnis",
        "stand",
        "erledigt",
        "resultat",
        "statut",
    ),
}
"""Keys that say nothing of what their value is of."""
_ACTS = frozenset({"tested", "signed", "exercised", "rehearsed", "fixed", "verified", "reviewed"})
"""Of these, those that say what was done about it."""
_PASSES = frozenset({"passed", "met", "ok", "fulfilled", "pass", "satisfied", "reached"})
"""Keys of what a criterion came to."""
_TOPICS = ("topic", "criterion", "check", "control", "text", "title", "rule", "description", "requirement")
"""Fields that name it even where it stands under a key of its own."""
_LONG_NAME = 100
_NEGATIVE = re.compile(
    r"(?:red|amber|yellow|false|no|none|null|nil|n/?a|off|never|absent|missing|removed|retired|outstanding|"
    r"fail(?:ed|ure|s)?|pending|planned|"
    r"open|todo|tbd|unknown|skipped|disabled|inactive|refused|rejected|withdrawn|excluded|not included|"
    r"expired|unmeasured|drafted|draft|ordered|"
    r"requested|scheduled|awaited|violated|missed|undecided|inconclusive|below|in preparation|in progress|"
    r"under way|ongoing|recruiting|enrolling|begun|started|submitted|under review|in review|on hold|paused|deferred|"
    r"postponed|"
    r"cancelled|suspended|incomplete|insufficient|refused|declined|void|lapsed|overdue|blocked|"
    r"\d+ (?:\w+ )?(?:issues?|findings?|points?|items?|defects?) (?:open|outstanding|left|remaining)|"
    r"offen|ausstehend|geplant|fehlt|fehlend|keine?r?|nein|abgelehnt|durchgefallen|"
    r"non|aucune?|ouvert|en cours|prévue?|échouée?|refusée?|manquante?|"
    r"nicht .*|not[ _-]\w.*|never \w.*|no \w+ yet|un(?:tested|verified|reviewed|signed|resolved|finished|available))",
    re.IGNORECASE,
)
_FAILED = re.compile(
    r"(?:red$|rot$|not (?:recommended|suitable|intended|advised)|unsuitable|fail\w*|not[ _-](?:met|passed|"
    r"fulfilled|reached|satisfied)|violated|missed|below|inconclusive|undecided|nicht bestanden|durchgefallen|"
    r"échoué|insufficient)",
    re.IGNORECASE,
)
_IN_PART = re.compile(
    r"(?:partly|partially|in parts?|mostly|largely|to some extent|some(?:times)?|not all|not every\w*|most|"
    r"teilweise|zum teil|"
    r"en partie|partiellement)",
    re.IGNORECASE,
)
_HOLDS = re.compile(
    r"(?:true|yes|active|done|completed?|enabled|on|in place|available|pass(?:ed)?|met|fulfilled|ok|signed|"
    r"ja|erledigt|bestanden|erteilt|vorhanden|oui|fait|réussie?)",
    re.IGNORECASE,
)
_ID = re.compile(r"[a-z]{1,2}\d{1,3}")
"""Numbers of criteria and controls: `R4`."""
_CRITERIA = frozenset(words.words("criteria acceptance endpoints gates checks tests audit"))
"""Where what is false was looked at and not passed."""
_UNSETTLED = frozenset(
    words.words(
        "open unresolved outstanding failed unsettled remaining wrong incorrect violated breached successful missed "
        "hallucinated"
    )
)
"""Words of keys that count what is left."""
_SHARES = frozenset(words.words("share fraction proportion percentage percent part coverage"))
_PARTLY = frozenset(words.words("share rate fraction proportion percentage percent ratio part"))
_LOOSE = concepts.fold(
    tuple(
        words.words(
            "test check review report plan done measure assess evaluate evaluation validate audit study analysis "
            "assessment "
            "use used apply applied approve log record result release training user signed performed start run work "
            "written published patient case file image picture record document customer client item entry row "
            "sample opinion "
            "scenario vote statement committee commission board transfer agreement agreed complete finish conclude "
            "accept "
            "survey"
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
            "true false percent days months hours pass passed met failed "
            "every each right high medium low critical major severe "
            "der die das des dem den ein eine und oder auf nach von zu bei mit fur im in am ist sind nicht durch "
            "le la les un une et ou de du des au aux par pour dans est sont"
        )
    ),
    "wider",
)


EXAMINED = concepts.fold(("test", "review", "audit", "validate", "assess", "check", "examine", "inspect"), "wider")
"""Concepts of looking at a thing, which documents and evidence call by any of them."""
CONDITIONS = frozenset(
    (
        *(
            "rain",
            "snow",
            "fog",
            "night",
            "lowlight",
            "heat",
            "cold",
            "dirt",
            "glare",
            "vibration",
            "occlusion",
            "blur",
        ),
        *("accent", "power", "offline", "injection", "ood", "loadtest"),
    )
)
"""Concepts of conditions of use, each of which tells a test by itself."""
GENERIC = concepts.fold(
    tuple(
        words.words(
            "plan policy process procedure concept register programme management study report system scheme "
            "scenario case "
            "measure record file document list table section status info information data details"
        )
    ),
    "wider",
)
"""Concepts of what a fact stands under, that say nothing of it."""


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
    made: bool = False
    """Does it follow from two values, so that only a sentence that praises contradicts it?"""
    rows: tuple[frozenset[str], ...] = ()
    """Concepts of each short text of the row of a table that it stands in."""
    by_row: bool = False
    """Is it named by the texts of its row, none of which is its title?"""
    code: str = ""
    """The number by which it goes: `REQ-01`."""

    @property
    def title(self) -> str:
        """Its name in few words."""
        return " ".join(sorted(self.names | self.loose))


@functools.cache
def _limits() -> frozenset[str]:
    """Names of measures and of limits, which tell less than what they are of."""
    names = (concepts.fold(tuple(words.words(n)), "wider") for n in itertools.chain(*lexicon.load().measures.values()))
    return frozenset({"minimum", "maximum", "limit"}).union(*(name for name in names if len(name) == 1)) - {"dropout"}


@functools.cache
def _measure_words() -> frozenset[str]:
    """All words of names of measures: `macro` of `macro F1`."""
    names = (concepts.fold(tuple(words.words(n)), "wider") for n in itertools.chain(*lexicon.load().measures.values()))
    return frozenset().union(*names)


@functools.lru_cache(maxsize=4)
def of(evidence: Evidence) -> tuple[Fact, ...]:
    """All facts of some evidence."""
    names = {(e.file, e.path[:-1], e.key.lower()): e for e in evidence.texts if e.path and not e.derived}
    beside = _beside(evidence)
    outcomes = _outcome_columns(evidence)
    texts: dict[tuple[str, tuple[str | int, ...]], list[Entry]] = {}
    for e in names.values():
        texts.setdefault((e.file, e.path[:-1]), []).append(e)
    found: dict[tuple[frozenset[str], frozenset[str], str], Fact] = {}
    for entry in evidence.entries:
        if entry.derived or not entry.path or not isinstance(entry.path[-1], str) or (kind := _kind(entry)) is None:
            continue
        if kind == "holds" and entry.key.lower() in _NAMING and isinstance(entry.value, str):
            continue  # a title, which says nothing of how it is
        if entry.rows and (entry.value is None or entry.key.lower() in IDENTITY):
            continue
        if entry.rows and isinstance(entry.value, str) and (entry.file, entry.key) not in outcomes:
            continue
        row, above, act, by_row = _named(entry, names)
        if kind == "partly":
            row = [w for w in row if w not in _PARTLY | _UNSETTLED] or [w for w in above if w not in _UNSETTLED]
        if entry.rows and entry.value == 0:
            row = [*row, *(word for word in entry.named if word not in row)]
            telling = [w for w in row if not _ID.fullmatch(w) and not w.isdigit() and w not in words.words(entry.key)]
            if not concepts.fold(tuple(telling), "wider") - _EMPTY:
                continue
        if kind in {"undone", "failed"} and {"every", "all", "each"} & set(words.words(entry.key)):
            kind = "partly"  # `every_summary_reviewed: false`
        if entry.value is False and entry.key.lower() in _PASSES:
            kind = "failed"
        if entry.value is False and len(above) == 1 and above[0] in _CRITERIA:
            kind = "failed"
        looked_at = kind == "failed" or (len(above) == 1 and above[0] in _CRITERIA)
        around = beside.get((entry.file, entry.path[:-1]), ())
        if fact := _fact(entry, kind, (*row, *act), (*above, *around), looked_at=looked_at):
            fact = dataclasses.replace(fact, rows=_texts_of_row(entry, texts), code=_code(entry, names), by_row=by_row)
            found.setdefault((fact.names, fact.loose | fact.above, kind), fact)
    for short in shortfalls.of(evidence):
        if fact := _fact(short.entry, short.kind, short.row, short.above, looked_at=short.kind == "failed"):
            fact = dataclasses.replace(fact, made=short.kind != "undone")
            found.setdefault((fact.names, fact.loose | fact.above, fact.kind), fact)
    return tuple(found.values())[:MOST]


def _fact(entry: Entry, kind: Kind, row: Sequence[str], above: Sequence[str], *, looked_at: bool) -> Fact | None:
    """A fact by its words; nothing where these tell nothing."""
    row = [word for word in row if not _ID.fullmatch(word)] or row
    own = concepts.fold(tuple(row), "wider") - _EMPTY
    telling = frozenset(word for word in own - _LOOSE if len(word) > 1 and not word.isdigit())
    if looked_at:
        telling = telling - _limits() - _measure_words() or telling - _limits() or telling
    over = concepts.fold(tuple(above), "wider") - _EMPTY
    if not telling and (not over or own & ASSURING or kind == "partly"):
        telling = own
    if not telling and len(own) < 2 and not above:
        return None
    if len(telling & CONDITIONS) == 1 and telling & CONDITIONS < telling:
        over, telling = over | (telling - CONDITIONS), telling & CONDITIONS  # `rain_noise_test` is of rain
    return Fact(concepts.fold(tuple(row), "wider"), telling, own & _LOOSE - telling, over, kind, entry)


def _outcome_columns(evidence: Evidence) -> frozenset[tuple[str, str]]:
    """Columns of tables whose texts are outcomes, and not names of which one happens to be `none`."""
    held: dict[tuple[str, str], list[bool]] = {}
    for e in evidence.texts:
        if e.rows and not e.derived:
            text = str(e.value).strip()
            held.setdefault((e.file, e.key), []).append(bool(_NEGATIVE.fullmatch(text) or _HOLDS.fullmatch(text)))
    return frozenset(column for column, told in held.items() if 2 * sum(told) >= len(told))


def _beside(evidence: Evidence) -> dict[tuple[str, tuple[str | int, ...]], tuple[str, ...]]:
    """Proper names that stand beside what is said: `vendor: Nixus` of a test."""
    found: dict[tuple[str, tuple[str | int, ...]], tuple[str, ...]] = {}
    for e in evidence.texts:
        text = str(e.value)
        if not e.derived and not e.rows and len(e.path) > 1 and len(text) < _NAME and re.search(r"[A-Z]", text):
            place = (e.file, e.path[:-1])
            found[place] = (*found.get(place, ()), *words.words(text))
    return found


_NAME = 40


def _named(
    entry: Entry, names: dict[tuple[str, tuple[str | int, ...], str], Entry]
) -> tuple[list[str], list[str], list[str], bool]:
    """What an entry is about, what it stands under, what is done about it; are the first but the words of its row?"""
    key = entry.key.lower()
    above = [w for step in entry.steps[:-1][-1:] for w in words.words(step)]
    if key not in _BARE and words.words(key)[-1:] != ["passed"]:
        return words.words(entry.key), above, [], False
    listed = len(entry.path) > 1 and isinstance(entry.path[-2], int)
    act = [key] if key in _ACTS and not listed else []
    for field in _NAMING if listed or not above else _TOPICS:
        named = names.get((entry.file, entry.path[:-1], field))
        if named is not None and named is not entry:
            return words.words(str(named.value)), above if not listed else [], act, False
    if listed and (first := next((e for e in _row_of(entry, names)), None)):
        return words.words(str(first.value)), [], act, True
    return above, [w for step in entry.steps[:-2][-1:] for w in words.words(step)], act, False


def _row_of(entry: Entry, names: dict[tuple[str, tuple[str | int, ...], str], Entry]) -> Iterator[Entry]:
    """The short texts of the row of an entry that are no outcomes, in order."""
    for (file, place, _), other in names.items():
        if file == entry.file and place == entry.path[:-1] and other is not entry and _tells(other):
            yield other


def _tells(entry: Entry) -> bool:
    text = str(entry.value).strip()
    return len(text) < _LONG_NAME and len(words.words(text)) > 1 and not _NEGATIVE.fullmatch(text)


def _texts_of_row(
    entry: Entry, texts: dict[tuple[str, tuple[str | int, ...]], list[Entry]]
) -> tuple[frozenset[str], ...]:
    if len(entry.path) < 2 or not isinstance(entry.path[-2], int):
        return ()
    held = texts.get((entry.file, entry.path[:-1]), ())
    return tuple(concepts.fold(tuple(words.words(str(e.value))), "wider") for e in held if e is not entry and _tells(e))


_CODE = re.compile(r"[A-Za-z]{1,6}[-_ .]?\d{1,4}(?:[.-]\d{1,3})?")


def _code(entry: Entry, names: dict[tuple[str, tuple[str | int, ...], str], Entry]) -> str:
    for field in ("id", "code", "ref", "no", "number", "key", "req", "requirement_id", "risk_id", "check_id"):
        named = names.get((entry.file, entry.path[:-1], field))
        if named is not None and _CODE.fullmatch(str(named.value)):
            return str(named.value)
    above = str(entry.path[-2]) if len(entry.path) > 1 else ""
    return above if _CODE.fullmatch(above) else ""


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
        if _IN_PART.fullmatch(text):
            return "partly"
        if len(text) < 60 and _NEGATIVE.fullmatch(text):
            return "failed" if _FAILED.match(text) else "undone"
        return "holds"
    key = set(words.words(entry.key))
    if isinstance(value, int) and value == 0 and (len(key) > 1 or entry.rows or entry.key.lower() in _BARE):
        return "undone"
    if isinstance(value, int) and key & _UNSETTLED and (len(key) > 1 or len(entry.steps) > 1):
        return "partly"
    if 0 < value < 1 and _PARTLY & key and not entry.measures and (_SHARES & key or any(w.endswith("ed") for w in key)):
        return "partly"
    return None


def is_status(text: str) -> bool:
    """Is a text an outcome by itself: `drafted`, `not done`?"""
    return bool(_NEGATIVE.fullmatch(text.strip()))


def affirmed(entry: Entry) -> bool:
    """Does a value say nothing but that it is so?"""
    return entry.value is True or (isinstance(entry.value, str) and bool(_HOLDS.fullmatch(entry.value.strip())))
