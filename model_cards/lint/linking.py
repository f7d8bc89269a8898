"""Which value of the evidence a number of a text stands for: one that equals it and is named no worse than any other.

A number is carried by the values that it may be a rounding of. Where another value of its kind is named by every word
that names these, and by more, that one is meant, and the number belongs to something else.
"""

from __future__ import annotations

import bisect
import dataclasses
import functools
import itertools
import re
from collections.abc import Iterable, Iterator, Sequence

from model_cards.lint import concepts, lexicon, quantities, words
from model_cards.lint.evidence import LENGTH, Entry, Evidence
from model_cards.lint.mentions import Mention

EMPTY = frozenset(
    word
    for word in concepts.fold(
        tuple(
            words.words(
                "the a an of in on at to is are was were and or for by with yes true not all any as it its from than "
                "that this "
                "these those which who whom be been has have had do does did we our they their them he she i you your "
                "there here then so also only just into over under after between within during about each every "
                "both if when while but how what one two more most less another same such can could may will "
                "would "
                "value n count number total data system result report metric name id type kind version file code field "
                "row index key model level figure info config param parameter item entry list set summary stats "
                "statistic "
                "month week day hour minute second year monthly weekly daily yearly hourly mm cm m km kg g t s ms "
                "min kw kwh wh mb gb kb eur euro usd percent pct l ml bar v hz de und der die das "
                "class case score rate share size use used us well still yet very come give take make get go run plus"
            )
        )
    )
)
"""Concepts that name nothing by themselves."""
RESTRICTING = concepts.fold(
    tuple(
        words.words(
            "maximum minimum limit planned baseline naive before previous initial nominal train no without other "
            "low lower upper "
            "high ci std sd"
        )
    )
)
"""Concepts of values that are none of what is plainly said: a limit, a plan, another model, the data that it learnt."""
_BOUND_WORDS = concepts.fold(("low", "lower", "upper", "high", "ci", "std", "sd"))
LIMITS = concepts.fold(("maximum", "limit", "minimum"))
_QUANTILES = frozenset({"median", "average", "p90", "p95", "p99"})
_TELLING = RESTRICTING.union(lexicon.load().parts, lexicon.canonical().values(), _QUANTILES)
"""Concepts of a part, a group, a quantile or a limit: what they name is not meant where they are not said."""
MOST_MATCHES = 12
"""Equal values, beyond which nothing is said of which one is meant."""
OTHER_SIZE = 1_000
"""Ratio beyond which two values are of different kinds."""


@dataclasses.dataclass(frozen=True)
class Source:
    """A value of the evidence as a text may speak of it."""

    entry: Entry
    value: float
    names: frozenset[str]
    """Concepts of its keys and of what its neighbours say that it is."""
    own: frozenset[str]
    """Concepts of its own key."""
    seconds: float | None
    """Of its unit of time, where a key tells it."""
    percent: bool
    """Does a key say that it is in percent?"""

    @property
    def follows(self) -> bool:
        """Is it no value that stands in a file, but a sum, a time between two dates, a number of rows?"""
        return self.entry.derived not in {None, LENGTH, "in its text", "in its name"}

    @property
    def kind(self) -> str:
        """The first word of how it follows: `sum`, `time`."""
        return (self.entry.derived or "").partition(" ")[0]

    @property
    def whole(self) -> bool:
        """Does it count?"""
        return self.value.is_integer()


@dataclasses.dataclass(frozen=True)
class Context:
    """The words around a number."""

    near: frozenset[str]
    """Concepts that stand with this very number: its part of the sentence; its row and column."""
    sentence: frozenset[str]
    """Those of the sentence and the headings, without those that stand with another number."""
    around: frozenset[str]
    """Those of the whole sentence, of the headings and of the sentences before it."""
    labels: frozenset[str] = frozenset()
    """Numbers of the sentence that are part of names, such as ages."""
    follows: frozenset[str] = frozenset()
    """Which kinds of values that follow the sentence speaks of by itself: `in total`, `it took`."""
    percent: bool = False
    """Do row, column or caption speak of percent?"""


_WINDOW = re.compile(r"(?<=_)\d+(?=(?:d|w|m|y|h|min|days|weeks|months|years)?(?:_|$))")
LONGEST_NAME = 60


class Sources:
    """All values of the evidence, found by size and by name. Built once, then only read."""

    def __init__(self, evidence: Evidence) -> None:
        names = {str(e.value) for e in evidence.texts if len(str(e.value)) < LONGEST_NAME}
        self.in_names: dict[str, frozenset[str]] = {}
        """Lengths within names of columns, with what these name: `12` in `overdrafts_12m`."""
        for name in names:
            for length in _WINDOW.findall(name):
                told = telling(concepts.fold(tuple(words.words(name))))
                self.in_names[length] = self.in_names.get(length, frozenset()) | {w for w in told if not w[0].isdigit()}
        standing = (e for e in evidence.numbers if not e.of_table)
        self.all = tuple(source_of(entry) for entry in (*standing, *quantities.derived(evidence)))
        self._sorted = sorted(self.all, key=lambda s: abs(s.value))
        self._sizes = [abs(s.value) for s in self._sorted]
        self._named: dict[str, list[Source]] = {}
        for source in self.all:
            if not source.entry.derived or source.entry.derived in {LENGTH, "different values"}:
                for word in source.names:
                    self._named.setdefault(word, []).append(source)

    def between(self, low: float, high: float) -> Sequence[Source]:
        """Those whose size lies between two bounds."""
        return self._sorted[bisect.bisect_left(self._sizes, low) : bisect.bisect_right(self._sizes, high)]

    @functools.cached_property
    def kinds(self) -> dict[str, list[Source]]:
        """Values of one kind: of one measure, or under keys of one name."""
        found: dict[str, list[Source]] = {}
        for source in self.all:
            if source.entry.derived:
                continue
            for name in source.entry.measures or {" ".join(sorted(source.own))} - {""}:
                found.setdefault(name, []).append(source)
        return {name: members for name, members in found.items() if len(members) > 1}

    @functools.cached_property
    def in_keys(self) -> frozenset[str]:
        """Numbers within keys, as they stand there: `0.05` in `noise_sigma_0.05`."""
        steps = {str(step) for s in self.all for step in s.entry.path if isinstance(step, str)}
        return frozenset(m.replace("_", ".") for step in steps for m in re.findall(r"\d+[._]\d+", step))

    @functools.cached_property
    def labels(self) -> frozenset[str]:
        """Numbers within names, such as the ages of a group."""
        return frozenset(word for word in self._named if word.isdigit())

    @functools.cached_property
    def _places(self) -> dict[tuple[object, ...], list[Source]]:
        found: dict[tuple[object, ...], list[Source]] = {}
        for source in self.all:
            if not source.entry.derived:
                found.setdefault((source.entry.file, source.entry.path[:-1]), []).append(source)
        return found

    def beside(self, place: tuple[object, ...]) -> Sequence[Source]:
        """The numbers that stand under one place: its file, and the path to it."""
        return self._places.get(place, ())

    def named(self, said: Iterable[str]) -> list[Source]:
        """Those that one of some concepts names."""
        return list({id(s): s for word in said for s in self._named.get(word, ())}.values())


@functools.lru_cache(maxsize=4)
def of(evidence: Evidence) -> Sources:
    """The values of some evidence."""
    return Sources(evidence)


@functools.lru_cache(maxsize=1 << 14)
def source_of(entry: Entry) -> Source:
    """An entry as a text may speak of it."""
    names = concepts.fold((*(entry.named or entry.words), *words.words(entry.called)))
    if short := lexicon.load().abbreviations.get(entry.called or entry.key):
        names |= {short}
    names |= {word for step in entry.steps for word in _code_names(step)}
    names |= {lexicon.CODES[word] for word in entry.named if word in lexicon.CODES and word not in _ALSO_WORDS}
    steps = [words.words(step) for step in (*entry.steps, entry.called)]
    tails = [row[-1] for row in steps if row]
    # `median_seconds_per_ranking`, `weeks_before_harvest`
    tails += [one for row in steps for one, other in itertools.pairwise(row) if other in _OF_TIME]
    seconds = next((quantities.SECONDS[t] for t in reversed(tails) if t in quantities.SECONDS), None)
    if seconds is None and tails[-1:] == ["min"] and isinstance(entry.value, int) and entry.value >= 1:
        seconds = 60.0  # `resolution_min: 15`; a minimum is no whole number
    percent = bool({"pct", "percent", "percentage"} & {w for row in steps for w in row})
    own = concepts.fold(tuple(words.words(entry.called or entry.key)))
    return Source(
        entry,
        float(entry.value or 0) if not isinstance(entry.value, str) else 0.0,
        telling(names),
        telling(own),
        seconds,
        percent,
    )


_OF_TIME = frozenset({"per", "before", "after", "until", "since", "ahead", "from"})
"""Words behind a unit of time in a key."""
_ALSO_WORDS = frozenset({"it", "da", "el", "uk"})


def _code_names(step: str) -> tuple[str, ...]:
    """`de` as a key is German, or Germany."""
    low = step.lower()
    return tuple(concepts.root(name[low]) for name in (lexicon.CODES, lexicon.COUNTRIES) if low in name)


def telling(names: frozenset[str]) -> frozenset[str]:
    """Without what names nothing by itself."""
    return frozenset(name for name in names - EMPTY if len(name) > 1 or name.isalpha())


def equal(mention: Mention, sources: Sources, *, percent: bool) -> list[Source]:
    """The values for which a mention may stand, as rounded, in its unit."""
    found: dict[int, Source] = {}
    for low, high, accepts in _windows(mention, percent=percent):
        for source in sources.between(low, high):
            if accepts(source):
                found.setdefault(id(source), source)
    return list(found.values())


def carriers(mention: Mention, context: Context, sources: Sources) -> list[Source]:
    """Those that may carry it: what only follows from values that stand there has to be named, too."""
    few = digits(mention) < COARSE
    found = [
        s
        for s in equal(mention, sources, percent=context.percent)
        if not s.follows
        or digits(mention) > COARSE
        or s.kind in context.follows
        or (_words(s.names) & context.around and not (few and "sum" in str(s.entry.derived) and s.value > SURE))
    ]
    shares = mention.unit == "%" or bool(context.around & _SHARES)
    found = [s for s in found if s.kind not in _PART_OF or shares]
    if not context.around & LIMITS:
        found = [s for s in found if s.entry.derived != "in its name" or not s.names & LIMITS]
    if mention.unit == "time":
        found = [
            s
            for s in found
            if (s.seconds or s.kind == "time" or s.entry.derived != "in its text" or _TIMES & s.entry.word_set)
            and (
                s.seconds
                or s.kind == "time"
                or (not s.follows and (_words(_told(s)) & context.around or s.value >= quantities.LONG))
            )
        ]
    return found


_SHARES = concepts.fold(("share", "fraction", "proportion", "ratio", "part", "weight"))
_PART_OF = frozenset({"of", "share"})
"""How a share of two counts follows, which nobody gives as another number."""
_TIMES = frozenset(quantities.SECONDS) | frozenset(words.words("seconds minutes hours days weeks months years"))
"""Words without which a number within a text is no time."""


def _told(source: Source) -> frozenset[str]:
    """Its names, and of a number within a text the words of that text."""
    inside = source.entry.derived == "in its text"
    return source.names | (telling(concepts.fold(source.entry.words)) if inside else frozenset())


def _words(names: frozenset[str]) -> frozenset[str]:
    """Without numbers, which stand in every sentence that states them."""
    return frozenset(name for name in names if not name.isdigit())


def coarse(mention: Mention) -> bool:
    """Is it a fraction with so few digits that some value equals it by chance?"""
    return mention.readings[0][1] > 0 and digits(mention) < COARSE


def digits(mention: Mention) -> int:
    """How many digits it tells."""
    value, decimals = mention.readings[0]
    shown = f"{abs(value):.{max(decimals, 0)}f}".replace(".", "").lstrip("0")
    return len(shown) + min(decimals, 0)


COARSE = 3
"""Digits from which on it is no chance that a value equals a number."""
SURE = 1_000
"""Sums above it are said with more digits, or not at all."""


def stands_for(mention: Mention, source: Source, *, percent: bool = False) -> bool:
    """Does a mention stand for this value?"""
    return any(
        low <= abs(source.value) <= high and accepts(source)
        for low, high, accepts in _windows(mention, percent=percent)
    )


def _windows(mention: Mention, *, percent: bool) -> Iterator[tuple[float, float, quantities.Accepts]]:
    for value, half, accepts in quantities.readings(mention, percent=percent):
        size = abs(value)
        tolerance = half * (1 + 1e-6) + 1e-12 * size
        if mention.hedge == "about":
            tolerance = max(2 * tolerance, (quantities.ROUGHLY if mention.rough else quantities.ABOUT) * size)
        tolerance = min(tolerance, max(quantities.COARSEST * size, 1e-12))
        yield size - tolerance, size + tolerance, accepts


def meant_instead(
    mention: Mention, equals: Sequence[Source], context: Context, said: Sequence[Mention], sources: Sources
) -> Source | None:
    """The value that is named better than all that equal the mention; nothing where one of them is named as well."""
    if not equals or len(equals) > MOST_MATCHES or mention.unit == "size":
        return None
    candidates = [
        s
        for s in sources.named(context.near)
        if _alike(s, equals[0])
        and (mention.unit != "time" or s.seconds)
        and not s.entry.derived
        and (mention.unit != "%" or s.percent or s.value <= 1)
        and not any(stands_for(m, s, percent=context.percent) for m in said)
    ]
    best: Source | None = None
    for match in equals:
        better = max(
            (c for c in candidates if _better(c, match, context, few=digits(mention) < COARSE)),
            key=lambda c: (len(c.names & context.near), -len(c.names - context.around)),
            default=None,
        )
        if better is None:
            return None
        best = best or better
    return best


def _alike(one: Source, other: Source) -> bool:
    """Are they values of one kind: both whole or both not, and of a like size?"""
    a, b = abs(one.value), abs(other.value)
    return one.whole == other.whole and max(a, b) <= OTHER_SIZE * max(min(a, b), 1e-3)


def _beside(one: Entry, other: Entry) -> bool:
    """Do they stand under one name, so that their own keys tell them apart?"""
    return len(one.steps) > 1 and (one.file, one.steps[:-1]) == (other.file, other.steps[:-1])


def _better(other: Source, match: Source, context: Context, *, few: bool) -> bool:
    """Is another value named by every word that names the match, and by more?"""
    if not match.names & context.sentence <= other.names:
        return False
    if len(match.own) > 1 and match.own <= context.near and not other.own <= context.near:
        return False  # its key is named in full, and the other one's is not
    whole = other.names - match.names <= context.sentence
    if not whole and not match.names & context.around <= other.names:
        return False  # the sentence before may have named it
    extra = (other.names - match.names) & context.near
    lacking = other.names - match.names - context.around
    if extra:
        if extra <= _BOUND_WORDS and match.entry.path and isinstance(match.entry.path[-1], int):
            return False  # an end of an interval, and `low` is of something else
        if extra <= context.labels and match.names & context.labels:
            return False  # `under 30` and `over 60` are not `30 to 60`
        told = bool(match.names & context.around) or len(extra) > 1 or bool(extra & (_measures() | _QUANTILES))
        unnamed = not match.names & context.around and few
        told = told or (unnamed and bool(extra & other.own)) or _beside(other.entry, match.entry)
        if match.names and match.names <= context.near:
            lacking = other.names - match.names - context.sentence  # it is named in full, so the other has to be, too
        telling_ = _measures() | _TELLING | context.labels
        sure = len(lacking) < len(extra) or bool(extra & telling_ and len(lacking) <= len(extra))
        return told and sure and not lacking & (_TELLING - {"test"})
    limits = (match.names & RESTRICTING) - context.around
    return (
        bool(limits)
        and bool(match.own & other.own & context.around or match.names & other.own & context.near)
        and not (other.names & RESTRICTING) - context.around
        and len(lacking) <= 1
        and len((match.names - limits) ^ other.names) <= 2
    )


@functools.cache
def _measures() -> frozenset[str]:
    return frozenset(lexicon.load().measures)


def counted(after: frozenset[str], sources: Sources) -> list[Source]:
    """What counts the very thing that stands behind a number: a key of its name, or a list."""
    return [
        s
        for s in sources.named(after)
        if s.whole
        and _words(s.own)
        and (_words(s.own) <= after or (lengths(s) and 2 * len(s.own & after) >= len(s.own)))
        and not s.names & RESTRICTING
    ]


def measured(context: Context) -> bool:
    """Does a name of a measure stand with the number?"""
    return bool(context.near & _measures())


def named_best(context: Context, sources: Sources, least: int = 2) -> list[Source]:
    """The values that most words around a number name, at least so many of them."""
    held = [
        (
            len(s.names & context.near)
            + bool(s.names & context.near & _measures())
            + (len(s.own) > 0 and s.own <= context.near),
            s,
        )
        for s in sources.named(context.near)
    ]
    most = max((hits for hits, _ in held), default=0)
    return [s for hits, s in held if hits == most] if most >= least else []


def lengths(source: Source) -> bool:
    """Is it a number of entries?"""
    return source.entry.derived == LENGTH
