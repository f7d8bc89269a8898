"""What two values of the evidence say together: a part below its whole, a value beyond its limit, rows not all done.

Each is a fact about the names of both, told by no single value.
"""

from __future__ import annotations

import collections
import dataclasses
import functools
import re
from collections.abc import Iterator, Sequence
from typing import Any, Literal

from model_cards.lint import words
from model_cards.lint.evidence import Entry, Evidence

_WHOLES = frozenset(
    words.words(
        "total all of planned identified received overall n number count checked attempts attempted invited required "
        "found offered expected reported raised issued"
    )
)
"""Words of keys that count a whole."""
_REACHED = frozenset(words.words("value measured actual result observed achieved reached score estimate mean current"))
"""Keys of what was reached."""
_BOUNDS = {
    "least": words.words("min minimum least floor lower target goal required requirement above ge gte"),
    "most": words.words("max maximum most ceiling upper limit allowed permitted tolerated budget below le lte"),
    "open": words.words("threshold criterion bound acceptance tolerance range alert"),
}
"""Words of keys that hold a limit, by its side; `open` says nothing of it."""
_SIDE = {word: side for side, row in _BOUNDS.items() for word in row}
_LOWER_IS_BETTER = frozenset(
    words.words(
        "error mae rmse mse mape brier ece loss latency psi fpr fnr wer drift time energy cost alarm alarms difference "
        "gap missing p50 p95 p99 ms seconds disparity delay duplicates variance rate_of_error decay override"
    )
)
_IN_TEXT = re.compile(
    r"(?P<least>>=|≥|>|at least|min(?:imum)?(?: of)?|not (?:below|less than|under)|"
    r"mindestens)\s*(?P<a>\d+(?:\.\d+)?)\s*(?P<p>%)?|"
    r"(?P<most><=|≤|<|at most|max(?:imum)?(?: of)?|not (?:above|more than|over)|below|under|up to|höchstens)\s*"
    r"(?P<b>\d+(?:\.\d+)?)\s*(?P<q>%)?",
    re.IGNORECASE,
)
_NO = re.compile(
    r"(?:no|not .*|none|never|false|open|pending|fail\w*|missing|planned|outstanding|partial\w*|red|amber|nein|"
    r"offen|geplant|"
    r"nicht .*)",
    re.IGNORECASE,
)
_YES = re.compile(
    r"(?:yes|true|done|pass\w*|ok|met|complete\w*|closed|verified|approved|green|fulfilled|in place|implemented|"
    r"effective|ja|"
    r"erledigt|bestanden|erteilt)",
    re.IGNORECASE,
)
_RANGE = frozenset(words.words("tolerance range bounds limits band corridor"))
"""Words of keys that hold two ends."""
_NOTHING = re.compile(r"(?:no|not|without|kein\w*|ohne|sans|pas de)\s+(?=\w+)", re.IGNORECASE)
"""`no images from greenhouses` among the limits of a set."""
_LONGEST = 60
"""Characters of such a text."""
_LEFT_OUT = frozenset(
    words.words(
        "contraindicated contraindication contraindications prohibited forbidden unsuitable untested unsupported "
        "uncovered "
        "unassessed unverified undocumented"
    )
)
"""Words of keys of lists of what is not meant, tested or covered."""
MOST_SIBLINGS = 40
"""Values under one name, beyond which they are a table of their own."""
_FEW = 4
"""Values with an outcome among them, up to which that outcome says whether a limit was kept."""


@dataclasses.dataclass(frozen=True)
class Shortfall:
    """Something that is so only of a part, or missed its limit."""

    entry: Entry
    kind: Literal["partly", "failed", "undone"]
    row: tuple[str, ...]
    """Words of what it is of."""
    above: tuple[str, ...]
    """Words of what it stands under."""


def of(evidence: Evidence) -> Iterator[Shortfall]:
    """All of some evidence."""
    groups: dict[tuple[Any, ...], list[Entry]] = collections.defaultdict(list)
    for entry in evidence.entries:
        if not entry.derived and entry.path and isinstance(entry.path[-1], str):
            groups[entry.file, entry.path[:-1]].append(entry)
    for siblings in groups.values():
        if len(siblings) <= MOST_SIBLINGS:
            yield from _parts(siblings)
            yield from _limits(siblings)
    yield from _columns(evidence)
    yield from _ranges(evidence, groups)
    yield from _left_out(evidence)


@functools.lru_cache(maxsize=4096)
def _row(entry: Entry) -> tuple[str, ...]:
    """The words of the key of an entry."""
    return tuple(words.words(entry.key))


def _above(entry: Entry) -> tuple[str, ...]:
    """The words of what an entry stands under."""
    return tuple(w for step in entry.steps[:-1][-1:] for w in words.words(step))


def _counts(siblings: Sequence[Entry]) -> list[Entry]:
    return [e for e in siblings if isinstance(e.value, int) and not isinstance(e.value, bool)]


def _parts(siblings: Sequence[Entry]) -> Iterator[Shortfall]:
    """`operators_trained: 7` beside `operators_total: 12`, `high_fixed: 0` beside `high: 1`."""
    counts = _counts(siblings)
    for part in counts:
        own = set(_row(part))
        if "per" in own:
            continue  # `labels_per_session` is no part of the sessions
        for whole in counts:
            base = set(_row(whole)) - _WHOLES
            extra = own - base - _WHOLES
            if whole is part or not extra or not base <= own or not int(part.value or 0) < int(whole.value or 0):
                continue
            if not base and not set(_row(whole)) & _WHOLES:
                continue
            row = (*(w for w in _row(part) if w not in _WHOLES), *_above(part))
            yield Shortfall(part, "partly", row, _above(part))
            break


def _limits(siblings: Sequence[Entry]) -> Iterator[Shortfall]:
    """Values beyond the limit that stands beside them, where neighbours do not say themselves what came of it."""
    if any(isinstance(e.value, bool) for e in siblings) and len(siblings) < _FEW:
        return
    numbers = [e for e in siblings if isinstance(e.value, int | float) and not isinstance(e.value, bool)]
    limits = [e for e in numbers if set(_row(e)) & _SIDE.keys()]
    values = [e for e in numbers if e not in limits]
    for limit in limits:
        about = tuple(w for w in _row(limit) if w not in _SIDE)
        meant = [e for e in values if about and set(about) <= set(_row(e))] if about else values
        if len(meant) != 1:
            meant = [e for e in values if set(_row(e)) & _REACHED] if not about else []
        if len(meant) == 1 and _beyond(meant[0], float(limit.value or 0), _side(limit)):
            yield Shortfall(meant[0], "failed", _told(meant[0], siblings), _above(meant[0]))
    reached = [e for e in numbers if set(_row(e)) & _REACHED]
    for entry in siblings:
        if isinstance(entry.value, str) and len(reached) == 1 and (match := _IN_TEXT.search(entry.value)):
            bound = float(match["a"] or match["b"]) / (100 if match["p"] or match["q"] else 1)
            if _beyond(reached[0], bound, "least" if match["least"] else "most"):
                row = tuple(words.words(entry.value[: match.start()]))
                yield Shortfall(reached[0], "failed", row, ())


def _told(value: Entry, siblings: Sequence[Entry]) -> tuple[str, ...]:
    """Words of what a value is of: its key, what it stands under, a name beside it."""
    names = [
        w
        for e in siblings
        if isinstance(e.value, str) and e.key.lower() in {"name", "metric", "criterion", "check", "test", "measure"}
        for w in words.words(e.value)
    ]
    own = [w for w in _row(value) if w not in _REACHED]
    return tuple(dict.fromkeys((*names, *own) or _above(value)))


def _side(limit: Entry) -> str:
    """Which side a limit bounds, by its key: `least`, `most`, or `open`."""
    return next((_SIDE[w] for w in _row(limit) if _SIDE.get(w, "open") != "open"), "open")


def _beyond(value: Entry, limit: float, side: str) -> bool:
    """Is a value on the wrong side of a limit? Which side is wrong follows from its key, else from what it measures."""
    reached = float(value.value or 0)
    low = bool(_LOWER_IS_BETTER & (value.word_set | set(_row(value))))
    if side == "open" or (side == "least" and low):
        side = "most" if low else "least"
    return reached > limit if side == "most" else reached < limit


def _columns(evidence: Evidence) -> Iterator[Shortfall]:
    """Columns of outcomes of which one is none: what is said of all rows is not so."""
    columns: dict[tuple[Any, ...], list[Entry]] = collections.defaultdict(list)
    named: dict[tuple[Any, ...], str] = {}
    for e in evidence.entries:
        if e.derived or len(e.path) < 2 or not isinstance(e.path[-2], int) or not isinstance(e.path[-1], str):
            continue
        columns[e.file, e.path[:-2], e.path[-1]].append(e)
        if isinstance(e.value, str) and not _outcome(e.value):
            named.setdefault((e.file, e.path[:-2]), e.key)
    for (file, place, key), entries in columns.items():
        outcomes = [e for e in entries if e.value is None or isinstance(e.value, bool) or _outcome(str(e.value))]
        if len(entries) < 2 or len(outcomes) < len(entries):
            continue
        bad = [e for e in entries if not e.value or (isinstance(e.value, str) and _NO.fullmatch(e.value.strip()))]
        if not 0 < len(bad) < len(entries) or all(e.value is None for e in bad):
            continue
        stem = re.sub(r"\.\w+$", "", file.replace("\\", "/").rpartition("/")[2])
        about = (*(str(step) for step in place if isinstance(step, str)), named.get((file, place), ""))
        row = tuple(w for text in (*about, stem if not place else "") for w in words.words(text))
        yield Shortfall(bad[0], "partly", tuple(words.words(key)), row)


def _ranges(evidence: Evidence, groups: dict[tuple[Any, ...], list[Entry]]) -> Iterator[Shortfall]:
    """Numbers held under one name, against a value or a limit that stands beside that name."""
    inside: dict[tuple[Any, ...], list[Entry]] = collections.defaultdict(list)
    for e in evidence.numbers:
        if not e.derived and len(e.path) > 1:
            inside[e.file, e.path[:-1]].append(e)
    for (file, place), held in inside.items():
        if not place or not isinstance(place[-1], str) or len(held) > MOST_SIBLINGS:
            continue
        key = words.words(place[-1])
        siblings = [e for e in groups.get((file, place[:-1]), ()) if isinstance(e.value, int | float)]
        if len(held) == 2 and set(key) & _RANGE and isinstance(held[0].path[-1], int):
            yield from _out_of_range(held, siblings, frozenset(key) - _RANGE)
        elif isinstance(held[0].path[-1], str):
            yield from _over_common_limit(held, siblings, key)


def _out_of_range(ends: Sequence[Entry], siblings: Sequence[Entry], about: frozenset[str]) -> Iterator[Shortfall]:
    """`ratio: 1.19` beside `tolerance: [0.9, 1.1]`."""
    low, high = sorted(float(e.value or 0) for e in ends)
    values = [e for e in siblings if set(_row(e)) & about] if about else siblings
    if len(values) == 1 and not low <= float(values[0].value or 0) <= high:
        yield Shortfall(values[0], "failed", _told(values[0], ()), _above(values[0]))


def _over_common_limit(held: Sequence[Entry], siblings: Sequence[Entry], key: Sequence[str]) -> Iterator[Shortfall]:
    """`psi_max: 0.2` beside `psi: {age: 0.05, income: 0.31}`: the first value beyond the limit of all of them."""
    for limit in siblings:
        of_all = [w for w in _row(limit) if w not in _SIDE]
        if not set(_row(limit)) & _SIDE.keys() or not of_all or of_all != list(key):
            continue
        bad = next((e for e in held if _beyond(e, float(limit.value or 0), _side(limit))), None)
        if bad is not None:
            over = tuple(w for step in bad.steps[:-2][-1:] for w in words.words(step))
            yield Shortfall(bad, "failed", (*key, *over), ())


def _left_out(evidence: Evidence) -> Iterator[Shortfall]:
    """What a list says not to be meant, tested or covered: `contraindicated: [intensive care]`."""
    for e in evidence.texts:
        if e.derived or len(e.path) < 2 or not isinstance(e.path[-1], int) or not isinstance(e.path[-2], str):
            continue
        key = words.words(e.path[-2])
        if (no := _NOTHING.match(str(e.value))) and len(str(e.value)) < _LONGEST:
            yield Shortfall(e, "undone", tuple(words.words(str(e.value)[no.end() :])), ())
            continue
        if set(key) & _LEFT_OUT or (key[:1] == ["not"] and key[1:2] != ["used"]) or key[:3] == ["out", "of", "scope"]:
            yield Shortfall(e, "undone", tuple(words.words(str(e.value))), ())


def _outcome(text: str) -> bool:
    """Is a text an outcome: *yes*, *open*?"""
    return bool(_NO.fullmatch(text.strip()) or _YES.fullmatch(text.strip()))
