"""Every number that a document states, against what the evidence carries: by unit, and by the words around both.

It goes by coverage, not by names: whatever a number is said of, some value of the evidence has to stand for it, or it
has to follow from some. And where another value is named better than every one that equals it, that one is meant.
"""

from __future__ import annotations

import dataclasses
import functools
import re
from collections.abc import Iterator, Sequence

from model_cards.lint import concepts, lexicon, linking, matching, mentions, tally, units, words
from model_cards.lint.evidence import Evidence
from model_cards.lint.linking import Context, Source, Sources
from model_cards.lint.mentions import Mention
from model_cards.lint.model import Document, Finding, Sentence
from model_cards.lint.rules import following, nameplate, saying, tokens, told
from model_cards.lint.rules.catalogue import RULES

_REFERENCE = re.compile(
    r"^\s*(?:references?|sources?|citations?|literature|bibliography|quelle|literatur|source)\s*$", re.IGNORECASE
)
_NO_CLAIM = re.compile(
    r"(?<!\w)(?:is|are) (?:planned|foreseen|scheduled|intended|envisaged) (?:for|with|to|in|at|from|by)(?!\w)|"
    r"(?<!\w)(?:for example|for instance|e\.g\.|such as|if it were|suppose|par exemple|beispielsweise|z\. "
    r"?b\.|will (?:be|"
    r"include|comprise))(?!\w)",
    re.IGNORECASE,
)
_ASKS = re.compile(
    r"(?<!\w)(?:had to|have to|has to|must|should|asked for|required|requires?|limits?|targets?|demanded|had been set|"
    r"allowed|prescribed|acceptance|criteri\w+|minimum|maximum|threshold|goal|at least|at most|(?:is|are) "
    r"to)(?!\w)[^;]{0,40}$",
    re.IGNORECASE,
)
_PERCENT = re.compile(r"%|percent|prozent", re.IGNORECASE)
_QUANTILE = re.compile(r"\(\s*(?:50|90|95|99) ?%\s*\)")
_BY = re.compile(r"\d\s?[x×*]\s?\d|\d\s+by\s+\d")
_COUNTED_BY_LAW = re.compile(
    r"\s+\w+ (?:of|in|under) (?:the )?(?:annex|article|act|regulation|directive)(?!\w)|\s?[×x] ", re.I
)
_PRODUCT = re.compile(r"(?<!\w)[A-Z][a-z]+[A-Z]\w*\s*$")
_TO_ONE = re.compile(r"(?<!\w)\w+ to one(?!\w)|(?<!\w)one to \w+", re.IGNORECASE)
_MORE = re.compile(r"\s+(?:more|additional) \w+", re.IGNORECASE)
_LAW = re.compile(r"(?<!\w)(?:art(?:icle)?s?\.?|annex|regulation|directive|act|law|gdpr)(?= )", re.IGNORECASE)
_ASKED_BY_LAW = 100
"""Numbers below it are of the law where a sentence cites it."""
_FEW = 4
"""Numbers in letters up to which they count what nobody records: two classes, three steps."""
_EXACT = 2
"""Decimals from which on `more than 0.42` states a value."""
_HEADINGS = 2
"""Headings above a sentence that say what it is about."""
_BEFORE = 2
"""Sentences before one that may name what it goes on to speak of."""


def check(document: Document, evidence: Evidence) -> Iterator[Finding]:
    """Every number of a document that the evidence does not carry."""
    if evidence.rich:
        return
    sources = linking.of(evidence)
    totals, rows = tally.totals(document), tally.row_counts(document)
    before: list[str] = []
    for sentence in document.sentences:
        if sentence.kind not in {"prose", "cell"} or _REFERENCE.search(sentence.column or sentence.row):
            before = [] if sentence.kind == "heading" else before
            continue
        if sentence.kind == "prose" and saying.unreal(sentence.text):
            before = [*before[1 - _BEFORE :], sentence.text]
            continue
        found = stated(sentence)
        for mention in found:
            if mention.whole and (
                int(abs(mention.value)) in totals or _counts_rows(sentence, mention, rows.get(int(abs(mention.value))))
            ):
                continue
            if finding := _one(sentence, mention, found, before, sources, evidence):
                yield finding
        if sentence.kind == "prose":
            before = [*before[1 - _BEFORE :], sentence.text]


def _counts_rows(sentence: Sentence, mention: Mention, headers: str | None) -> bool:
    """Does it count the rows of a table of the document, whose header has the name of what is counted?"""
    if headers is None:
        return False
    after = _after(sentence, mention)
    return (
        not after
        or mention.value >= _MANY_ROWS
        or bool(after & _fold(headers))
        or not sentence.text[mention.begin].isalpha()
    )


_MANY_ROWS = 20


def stated(sentence: Sentence) -> list[Mention]:
    """The numbers of a sentence in digits and in letters, in reading order."""
    shares = mentions.shares_in_letters(sentence.text) if sentence.kind == "prose" else []
    taken = [(m.begin, m.end) for m in shares]
    digits = mentions.find(sentence)
    spelled = [m for m in mentions.in_letters(sentence.text) if not any(b <= m.begin < e for b, e in taken)]
    found = sorted((*digits, *shares, *spelled), key=lambda m: m.begin)
    listed = False
    for at in range(len(found) - 2, -1, -1):
        one, other = found[at], found[at + 1]
        between = sentence.text[one.end : other.begin]
        joined = _LISTED.fullmatch(between)
        if joined and not one.unit and other.unit and one.value > 1 and ("," not in joined[0] or listed):
            listed = True
            found[at] = dataclasses.replace(one, unit=other.unit, factor=other.factor)  # `71, 64 and 58 %`
        if one.unit == other.unit == "time" and one.factor > other.factor and not between.strip():
            value = round(one.value * one.factor / other.factor + other.value, 9)  # `4 h 16 min`
            found[at : at + 2] = [dataclasses.replace(other, begin=one.begin, readings=((value, 0),), hedge=one.hedge)]
    point: Mention | None = None
    for at, mention in enumerate(found):
        like = point is not None and point.unit == "%" and (mention.readings[0][1] > 0) == (point.readings[0][1] > 0)
        if like and not mention.unit and 1 < mention.value <= 100 and in_interval(sentence, mention):
            found[at] = dataclasses.replace(mention, unit="%")  # `88.5 % (86.7 to 90.0)`
        elif mention.unit in {"", "%"}:
            point = mention
    return found


def in_interval(sentence: Sentence, mention: Mention) -> bool:
    """May the number be an end of an interval: in brackets, in a range, or where the words before it speak of one?"""
    text, before = sentence.text, sentence.text[: mention.begin]
    if sentence.kind == "cell":
        return bool(_RANGE.search(text) or _SPEAKS_OF_BOUNDS.search(f"{text} {sentence.context}"))
    return bool(
        (
            before.count("(") + before.count("[") > before.count(")") + before.count("]")
            and _RANGE.search(text, before.rfind("("))
        )
        or _SPEAKS_OF_BOUNDS.search(before[-60:])
        or _RANGE.search(text[max(0, mention.begin - 12) : mention.end + 12])
    )


_SPEAKS_OF_BOUNDS = re.compile(
    r"(?<!\w)(?:intervals?|bounds?|ci|±|lower|upper|konfidenz\w*|untere\w*|obere\w*|borne\w*|intervalle|"
    r"standard deviation|sd)(?!\w)",
    re.IGNORECASE,
)
_RANGE = re.compile(r"(?<![A-Za-z])\d\s*%?\s*(?:to|bis|à|and|–|-|→|,\s|;)\s*\d")
_BOUNDS = concepts.fold(("low", "lower", "upper", "high", "ci", "std", "sd"))


_LISTED = re.compile(r"\s*(?:,|/|-|–|→|,?\s*(?:and|or|to|und|oder|bis|et|à))\s*")


def _one(
    sentence: Sentence,
    mention: Mention,
    found: Sequence[Mention],
    before: Sequence[str],
    sources: Sources,
    evidence: Evidence,
) -> Finding | None:
    shown = sentence.text[mention.begin : mention.end].rstrip(" %")
    if sentence.kind == "cell" and _is_label(sentence, sources):
        return None
    if sentence.kind == "cell" and _QUANTILE.search(sentence.text) and mention.value in following.QUANTILES:
        return None  # `Reaction time (99 %)`
    if _trivial(mention) or following.part_of_ratio(mention, found) or shown in sources.in_keys:
        return None
    if _PRODUCT.search(sentence.text[: mention.begin]) and mention.readings[0][1]:
        return None  # the version of a product
    if _TO_ONE.search(sentence.text, max(0, mention.begin - 14), mention.end + 14):
        return None  # `eight to one to one`
    if _COUNTED_BY_LAW.match(sentence.text, mention.end) or _in_name(sentence.text, mention, evidence):
        return None
    context = context_of(sentence, mention, found, before, sources.labels)
    if (said := _converted(sentence, mention, found)) is not None:
        return said
    if mention.unit == "time" and context.around & sources.in_names.get(f"{mention.value:.0f}", frozenset()):
        return None
    sized = _BY.search(sentence.text, max(0, mention.begin - 9), mention.end + 9)  # `320 x 320 pixels`
    equals = units.fitting(sentence.text, mention, linking.carriers(mention, context, sources))
    asked = bool(_ASKS.search(sentence.text[: mention.begin]))
    after = _after(sentence, mention)
    if (
        mention.hedge == "exact"
        and not sized
        and mention.whole
        and not _RATE.match(sentence.text, mention.end)
        and (held := linking.counted(after, sources))
        and not any(linking.stands_for(mention, s) for s in held)
        and not any(s.names & context.near for s in equals)
        and not _ANOTHER.search(sentence.text[: mention.begin])
        and not following.follows(sentence, mention, found, before, context, sources)
        and saying.asserted(
            dataclasses.replace(sentence, text=sentence.text[: mention.end]), mention.begin, mention.end
        )
    ):
        return _finding("count-differs", sentence, mention, held[0])
    if (
        not equals
        and sentence.text[mention.begin].isalpha()
        and (asked or (mention.whole and not mention.unit and mention.value <= _FEW))
    ):
        return None
    if _met_anywhere(mention) and all(s.entry.measures and not s.names & context.around for s in equals):
        equals = []  # only values of measures that nothing names
    if _few_of(sentence, mention) and not any(_told(s, sentence, context) for s in equals):
        equals = []
    if linking.coarse(mention) and linking.measured(context):
        # A value of a measure that nothing names: digits so few are met anywhere.
        equals = [s for s in equals if s.names & context.around or s.follows]
    plain = [s for s in equals if not _derived(s)]
    named = [s for s in linking.named_best(context, sources) if not any(linking.stands_for(m, s) for m in found)]
    if linking.coarse(mention) and named and not any(s.names & context.around for s in equals):
        equals = [] if not any(s.whole for s in named) else equals
    if asked and equals and not any(_told(s, sentence, context) for s in equals):
        limits = [s for s in named if s.names & linking.LIMITS]
        if limits and mention.hedge == "exact" and mention.readings[0][1]:
            return _finding("number-differs", sentence, mention, limits[0])
    if equals and (asked or not plain):
        return None
    if mention.hedge in {"less", "more"} and any(s.names & linking.LIMITS for s in equals):
        return None  # `≤ 0.25` is the limit itself
    if (overall := _of_no_group(sentence, mention, found, equals, context, sources)) is not None:
        return _finding("number-of-another", sentence, mention, overall, equals[0])
    if equals:
        meant = linking.meant_instead(mention, equals, context, found, sources)
        if meant is not None and after and mention.whole and not mention.unit and not meant.names & after:
            return None  # `the recruiters see 20 candidates`, which is no number of recruiters
        if meant is None or following.follows(sentence, mention, found, before, context, sources):
            return None
        return _finding("number-of-another", sentence, mention, meant, equals[0])
    if following.follows(sentence, mention, found, before, context, sources) or _no_statement(
        sentence, mention, context, evidence
    ):
        return None
    if mention.hedge in {"less", "more"} and mention.unit != "points":
        if not named and _ALARM.search(sentence.text):
            of_limits = dataclasses.replace(context, near=context.near | _ALARM_LIMITS)
            named = [s for s in linking.named_best(of_limits, sources) if s.names & _ALARM_LIMITS]
        unknown = mention.whole and mention.value >= _TEN and not asked and _unknown(after, evidence)
        if _true_of(sentence, mention, named) or (not named and mention.readings[0][1] < _EXACT and not unknown):
            return None
        return _finding("number-differs", sentence, mention, named[0] if named else None)
    like = [s for s in named if s.whole == mention.whole]
    counts = mention.whole and not mention.unit and (like or after & _rows())
    rule = "count-differs" if counts else "number-differs" if like else "number-unsupported"
    return _finding(rule, sentence, mention, like[0] if like else None)


@functools.cache
def _rows() -> frozenset[str]:
    """Concepts of nouns that count rows."""
    return concepts.fold(tuple(lexicon.row_nouns()))


def _in_name(text: str, mention: Mention, evidence: Evidence) -> bool:
    """`Genesis in Six Languages`: does the evidence call something so?"""
    low = text.lower()
    places = ((low.find(name, max(0, mention.begin - len(name))), len(name)) for name in evidence.names)
    return any(0 <= begin <= mention.begin < begin + length for begin, length in places)


def _met_anywhere(mention: Mention) -> bool:
    """Is it a share in whole percent, which some value equals by chance?"""
    exact = mention.unit == "%" and mention.factor == 1 and mention.hedge == "exact"
    return exact and mention.readings[0][1] == 0 and linking.digits(mention) < linking.COARSE


_TEN = 10
_ALARM = re.compile(r"(?<!\w)(?:alarms?|alerts?|warnings?|warns?|triggers?|triggered)(?!\w)", re.IGNORECASE)
"""Where one is given, `above 2.5` is its threshold."""
_ALARM_LIMITS = linking.LIMITS | concepts.fold(("threshold",))


def _unknown(after: frozenset[str], evidence: Evidence) -> bool:
    """Is what a number counts nowhere in the evidence: `more than 40 newsrooms`?"""
    return bool(after) and not after & _vocabulary(evidence) and not after & _rows()


@functools.lru_cache(maxsize=4)
def _vocabulary(evidence: Evidence) -> frozenset[str]:
    """Concepts of all keys and texts of the evidence."""
    texts = [*(step for e in evidence.entries for step in e.steps), *(str(e.value)[:200] for e in evidence.texts)]
    return frozenset().union(*(concepts.fold(tuple(words.words(text))) for text in dict.fromkeys(texts)))


def _few_of(sentence: Sentence, mention: Mention) -> bool:
    """Does it count so few that some value equals it by chance? Up to six, nobody records what is counted."""
    if sentence.kind != "prose" or mention.unit or mention.hedge != "exact" or len(mention.readings) > 1:
        return False
    return mention.whole and (_SIX if sentence.text[mention.begin].isalpha() else 1) < mention.value < _HUNDRED


_SIX = 6
_COUNTS = frozenset(words.words("n count support number total size"))
_HUNDRED = 100


def _told(source: Source, sentence: Sentence, context: Context) -> bool:
    """Does a word of the sentence name the value, or does it count something by itself?"""
    if source.names & context.around or source.entry.derived not in {None, "in its text"}:
        return True
    if source.entry.path and isinstance(source.entry.path[-1], int):
        return True  # of a list of numbers
    key = words.words(source.entry.called or source.entry.key)
    return bool(_COUNTS & set(key)) or bool(concepts.fold(tuple(key)) & _fold(sentence.text))


def _is_label(sentence: Sentence, sources: Sources) -> bool:
    """Is a cell the name of a group, as the evidence has it: `30 to 54`?"""
    numbers = re.findall(r"\d+", sentence.text)
    first = sentence.place.cell is not None and sentence.place.cell[1] == 1
    return first and bool(numbers) and set(numbers) <= sources.labels


def _derived(source: Source) -> bool:
    return source.entry.derived is not None


def _trivial(mention: Mention) -> bool:
    if mention.unit == "time":
        return mention.value == 0
    values = {value for value, _ in mention.readings}
    return bool(values & {0.0, 1.0}) or (mention.unit == "%" and 100.0 in values) or abs(mention.value) > 1e15


_NOWHERE = re.compile(r"(?<!\w)(?:nowhere|never|no|none|not|nobody|at no)(?!\w)[^.;]*$", re.IGNORECASE)


_THAT_IS = re.compile(
    r"[\s,(]*(?:which is|that is|i\.e\.|or|equal to|=)[\s,]*(?:about |roughly |just |more than |over |less "
    r"than |almost |nearly )?",
    re.IGNORECASE,
)
_OFF = 0.15
"""By how much a time that is told again in another unit may be rounded."""


def _converted(sentence: Sentence, mention: Mention, found: Sequence[Mention]) -> Finding | None:
    """`175.5 h, which is more than nine days`: is it so?"""
    at = next(n for n, m in enumerate(found) if m is mention)
    first = found[at - 1] if at else None
    if first is None or {first.unit, mention.unit} != {"time"} or first.factor == mention.factor:
        return None
    if not _THAT_IS.fullmatch(sentence.text, first.end, mention.begin):
        return None
    ratio = first.value * first.factor / (mention.value * mention.factor)
    wrong = {"more": ratio < 1 - SLACK, "less": ratio > 1 + SLACK}.get(mention.hedge, abs(ratio - 1) > _OFF)
    if not wrong:
        return None
    return Finding(
        RULES["number-differs"],
        sentence,
        "high",
        f"{sentence.text[first.begin : first.end]} are {first.value * first.factor / mention.factor:.3g} of these.",
        "Convert it anew.",
        (mention.begin, mention.end),
    )


SLACK = 1e-6
"""For comparing what was reckoned."""


def _of_no_group(
    sentence: Sentence,
    mention: Mention,
    found: Sequence[Mention],
    equals: Sequence[Source],
    context: Context,
    sources: Sources,
) -> Source | None:
    """The overall value of a measure, where a number is that of groups alone of which the text names none."""
    of_rows = [s for s in equals if len(s.entry.path) > 1 and isinstance(s.entry.path[-2], int)]
    measure = context.near & lexicon.load().measures.keys()
    exact = mention.hedge == "exact" and mention.readings[0][1] >= _EXACT
    if sentence.kind != "prose" or not exact or len(measure) != 1 or not of_rows or len(of_rows) < len(equals):
        return None
    if any((s.names - s.own - measure) & context.around or not measure & s.own for s in of_rows):
        return None
    overall = [
        s
        for s in sources.named(measure)
        if measure <= s.own
        and not any(isinstance(step, int) for step in s.entry.path)
        and not s.entry.derived
        and not (s.names & linking.RESTRICTING) - context.around
    ]
    return overall[0] if len(overall) == 1 and not any(linking.stands_for(m, overall[0]) for m in found) else None


def _true_of(sentence: Sentence, mention: Mention, named: Sequence[Source]) -> bool:
    """Is a bound true of one of the values that it is said of; of all, where it says `never less than`?"""
    if any(s.names & linking.LIMITS for s in named):
        return not named or any(linking.stands_for(mention, s) for s in named)
    if named and _NOWHERE.search(sentence.text[: mention.begin]):
        return not any(_holds(mention, s) for s in named)
    return any(_holds(mention, s) for s in named)


def _holds(mention: Mention, source: Source) -> bool:
    """Is a value less, or more, than is said of it?"""
    likely = dataclasses.replace(mention, readings=mention.readings[:1])
    return any(
        abs(source.value) < value if mention.hedge == "less" else abs(source.value) > value
        for value, _ in matching.readings(likely)
    )


def context_of(
    sentence: Sentence, mention: Mention, found: Sequence[Mention], before: Sequence[str], labels: frozenset[str]
) -> Context:
    """The words that may say what a number is of."""
    headings = " ".join((sentence.place.heading[1:] or sentence.place.heading)[-_HEADINGS:])  # a title says little
    if sentence.kind == "cell":
        named = _fold(sentence.row) | _fold(sentence.column)
        near = named.union(_fold(sentence.text), *(alike for alike in (_DENIALS, linking.LIMITS) if named & alike))
        around = near | _fold(sentence.caption) | _fold(headings)
        percent = bool(_PERCENT.search(f"{sentence.row} {sentence.column} {sentence.caption}"))
        bounds = _BOUNDS if in_interval(sentence, mention) else frozenset()
        return Context(
            linking.telling(near | bounds),
            linking.telling(around | bounds),
            linking.telling(around | bounds),
            percent=percent,
        )
    told_apart = [m for m in found if m is not mention and _label(m, labels)]
    lead = _LEAD.match(sentence.text)
    spans = _near(sentence, [m for m in found if m not in told_apart])
    near = spans[mention.begin] | (_fold(lead[1]) if lead and lead.end() <= mention.begin else frozenset())
    if in_interval(sentence, mention):
        near |= _BOUNDS
    if _CHANGED.search(sentence.text[: mention.begin]) and _TO.match(sentence.text, mention.end):
        near |= _BEFORE_IT  # `goes from 0.756 to 0.781`
    others = frozenset().union(*(words for begin, words in spans.items() if begin != mention.begin))
    whole = _fold(sentence.text) | near
    said = near | (whole - others)
    around = whole.union(_fold(headings), *(_fold(part) | _told_by_verb(part, sentence) for part in before))
    numbers = frozenset(str(int(m.value)) for m in told_apart)
    follows = frozenset(kind for kind, pattern in _FOLLOWS.items() if pattern.search(sentence.text))
    return Context(linking.telling(near), linking.telling(said), linking.telling(around), numbers, follows)


_FOLLOWS = {
    "sum": re.compile(r"(?<!\w)(?:total|altogether|together|in all|overall|combined|sum|makes)(?!\w)", re.IGNORECASE),
    "time": re.compile(r"(?<!\w)(?:took|takes?|lasted|lasts?|ran|runs?|within|duration|over)(?!\w)", re.IGNORECASE),
}


def _told_by_verb(text: str, sentence: Sentence) -> frozenset[str]:
    """Measures that a sentence tells by a verb."""
    found = mentions.find(dataclasses.replace(sentence, text=text, kind="prose"))
    return frozenset(verb for m in found if (verb := told.measure(text, m)))


def _label(mention: Mention, labels: frozenset[str]) -> bool:
    """Is it part of a name, such as the age of a group?"""
    whole = all(decimals == 0 for _, decimals in mention.readings)
    return whole and 10 <= mention.value < 1000 and str(int(mention.value)) in labels


def _near(sentence: Sentence, found: Sequence[Mention]) -> dict[int, frozenset[str]]:
    """For each number of a sentence, by where it begins, the concepts of its part of the sentence."""
    text = tokens.of(sentence.text)
    held: dict[int, frozenset[str]] = {}
    begin = 0
    for at, mention in enumerate(found):
        low = max((m.end() for m in _CUTS.finditer(sentence.text, 0, mention.begin)), default=0)
        high = next((m.start() for m in _CUTS.finditer(sentence.text, mention.end)), len(sentence.text))
        if at + 1 < len(found):
            high = min(high, _passes_on(sentence.text, mention.end, found[at + 1].begin))
        if stop := _STOPS.search(sentence.text, mention.end, high):
            high = stop.start()
        near = {
            concept
            for concept, first, last in concepts.spans(text.row)
            if max(low, begin) <= text.at[first][0]
            and text.at[last - 1][1] <= high
            and not any(m.begin <= text.at[first][0] < m.end for m in found)
        }
        if verb := told.measure(sentence.text, mention):
            near.add(verb)
        held[mention.begin] = frozenset(near)
        begin = high if stop or at + 1 < len(found) else mention.end
    return held


_ANOTHER_THING = re.compile(r"(?<!\w)with an? (?:\w+ ){1,3}(?:of|at)(?: most| least| up to)?\s*$", re.IGNORECASE)


def _passes_on(text: str, end: int, begin: int) -> int:
    """Where, between two numbers, the words of the second begin: `600 trees with a depth of at most 9`."""
    match = _ANOTHER_THING.search(text, end, begin)
    return match.start() if match else begin


_DENIALS = concepts.fold(("no", "none", "without"))
"""`Without glasses` is the row that the evidence calls `glasses: no`; so are limits called by any of their words."""
_CHANGED = re.compile(r"(?<!\w)from\s+(?:about |only )?$", re.IGNORECASE)
_TO = re.compile(r"\s*%?\s*to\s+(?:about |only )?\d", re.IGNORECASE)
_BEFORE_IT = concepts.fold(("previous", "before", "initial", "baseline"))
_LEAD = re.compile(r"([^:.,;0-9]{3,40}):\s")
"""`Rain: 60 flights, 3 false alerts` is all of rain."""
_CUTS = re.compile(r";|(?<!\w)(?:but|while|whereas|although|however|aber|während|mais|tandis)(?!\w)")
_STOPS = re.compile(r"[,;(]|(?<!\w)(?:and|or|but|while|against)(?!\w)")


def _fold(text: str) -> frozenset[str]:
    return concepts.fold(tokens.of(text).row)


def _no_statement(sentence: Sentence, mention: Mention, context: Context, evidence: Evidence) -> bool:
    """Is it an example, a plan, a size of a machine, a quantile, or part of a name?"""
    return bool(
        _NO_CLAIM.search(sentence.text)
        or _MORE.match(sentence.text, mention.end)
        or (
            _LAW.search(sentence.text) and (mention.unit == "time" or (mention.whole and mention.value < _ASKED_BY_LAW))
        )
        or following.condition(sentence.text, mention, evidence.by_measure)
        or nameplate.of(sentence.text, mention, evidence)
        or sentence.text.rstrip().endswith("?")
    )


def _after(sentence: Sentence, mention: Mention) -> frozenset[str]:
    """The concepts of the few words behind a number, which say what it counts."""
    if sentence.kind != "prose":
        return frozenset()
    run = _RUN.match(sentence.text[mention.end :])
    return linking.telling(_fold(run[0])) if run else frozenset()


_RUN = re.compile(r"(?:[\s-]+[^\W\d_]+){1,3}")
_RATE = re.compile(r"\s+\w+ (?:a|an|per|every|each) ", re.IGNORECASE)
_ANOTHER = re.compile(
    r"(?<!\w)(?:between|any|other|another|further|more|these|those|first|last|next|of the|of its|of our|only|same)\s*$",
    re.IGNORECASE,
)


def _finding(
    rule: str, sentence: Sentence, mention: Mention, meant: Source | None, stands: Source | None = None
) -> Finding:
    shown = sentence.text[mention.begin : mention.end]
    sure = mention.hedge == "exact" and meant is not None and stands is None and not _derived(meant)
    if meant is None:
        message, advice = (
            f"No evidence carries {shown}.",
            "Name the evidence that holds it, correct it, or take it out.",
        )
    elif stands is None:
        message = f"{shown} is given as {_title(meant)}, the evidence has {_value(meant)}."
        advice = f"Take the value of the evidence, or add the evidence of {shown}."
    else:
        message = f"{shown} stands in the evidence for something else; {_title(meant)} has {_value(meant)}."
        advice = f"Take the value of the evidence, or name what {shown} is."
    return Finding(
        RULES[rule],
        sentence,
        "high" if sure and rule == "number-differs" else "medium",
        message,
        advice,
        (mention.begin, units.end(sentence.text, mention)),
        meant.entry.proof if meant else None,
    )


def _title(source: Source) -> str:
    """What a value is called: the measure that it is of, or its key."""
    measures = sorted(source.own & lexicon.load().measures.keys()) or sorted(source.entry.measures)
    return measures[0].replace("_", " ") if measures else " ".join(words.words(source.entry.called or source.entry.key))


def _value(source: Source) -> str:
    value = source.value
    share = f" ({100 * value:.4g} %)" if 0 < abs(value) < 1 and not source.entry.derived else ""
    return f"{value:.7g}{share}"
