"""Numbers that follow from others: of the same text, or differences, quotients and rests of the evidence."""

from __future__ import annotations

import dataclasses
import itertools
import re
from collections.abc import Collection, Iterator, Sequence

from model_cards.lint import concepts, matching, mentions, quantities, words
from model_cards.lint.linking import LIMITS, Context, Source, Sources
from model_cards.lint.mentions import Mention
from model_cards.lint.model import Sentence
from model_cards.lint.rules import tokens

_ROUGH = 0.1
QUANTILES = frozenset({50.0, 90.0, 95.0, 99.0, 99.9})
ROUND = frozenset({10.0, 100.0, 1000.0, 10_000.0, 100_000.0, 1_000_000.0})
"""Wholes of shares that nobody counted."""
COUNTED = 100
"""Counts from which on a share of two is none by chance."""
MOST_PAIRED = 60
"""Values of one kind of which differences are formed: beyond it a match would say nothing."""
_WITHIN = re.compile(
    r"\s+[^.;,]{0,40}?(?<!\w)(?:within|below|under|less than|at least|at most|no more than|up to)(?!\w)",
    re.IGNORECASE,
)
_IN_TIME = re.compile(r"(?:\d|\w) ?(?:ms|s|seconds?|minutes?|hours?|milliseconds) (?:in|for) (?:the )?$", re.IGNORECASE)
"""`Within 112 ms in 95 % of them`."""
_AT_LEVEL = re.compile(
    r"(?<!\w)(?:at an? [\w-]+(?: [\w-]+)? of|levels? (?:of|from|between)(?: \d?\.\d+ (?:to|and))?)\s+$", re.IGNORECASE
)
_CHANGES = re.compile(
    r"(?<!\w)(?:differ|gap|drop|fall(?:s|en|ing)?(?!\w)|fell|lower|rise|rose|reduc|increas|decreas|gain|loses?(?!\\w)|cost|worse|better|"
    r"improv|change|more|less|points?|higher|smaller|larger|grew|grow|shrank|shrink|unterschied|differenz)",
    re.IGNORECASE,
)
_OUT_OF = re.compile(r"(?<!\w)(?:out of|of|in|per)(?: the| all| every)?\s*$", re.IGNORECASE)
_SHARE_OF = re.compile(r"\s*(?:of|der|des|von|du|de)\s", re.IGNORECASE)
_CONDITION = re.compile(r"(?<!\w)(?:with|when|at|under|if|to|bei|mit|avec)\s*$", re.IGNORECASE)
_HEDGE = re.compile(r"(?<!\w)(?:more|less|fewer) than(?!\w)", re.IGNORECASE)
_EVERYBODY = re.compile(r"(?<!\w)(?:always|everybody|everyone|nobody|never)(?!\w)", re.IGNORECASE)
"""`Who always says no would be right in 84 %`: the rest to one of a base rate."""
_AND_MORE = re.compile(r"\s(?:more|others?|further|weitere|andere|autres)(?!\w)", re.IGNORECASE)
_EACH_OTHER = re.compile(r"(?<!\w)(?:between|among|differs?|vary|varies|apart|unterschied|zwischen|entre)(?!\w)", re.I)
_RATIO = re.compile(
    r"(?<!\w)(?:ratio|quotient|times|twice|half as|fold|relative|verhältnis|-fach|rapport|impact|compared)",
    re.IGNORECASE,
)


def condition(text: str, mention: Mention, known: Collection[str]) -> bool:
    """`at an IoU of 0.5`, `with 10 % of the values missing`, `95 % of them within 40 ms`: under which it is measured.

    Args:
        text: The sentence.
        mention: The number.
        known: Measures that the evidence holds: what is said of these is a value and no condition.
    """
    if mention.unit == "%" and mention.value in QUANTILES and _WITHIN.match(text, mention.end):
        return True
    if mention.unit == "%" and mention.value in QUANTILES and _IN_TIME.search(text[: mention.begin]):
        return True
    if mention.unit == "%" and _SHARE_OF.match(text, mention.end) and _CONDITION.search(text[: mention.begin]):
        return True
    level = _AT_LEVEL.search(text[: mention.begin]) if mention.unit == "" and mention.value < 1 else None
    return level is not None and not {span.concept for span in tokens.of(level[0]).measures} & set(known)


_OF = re.compile(r"\s*(?:out )?(?:of|in|/|von|sur)(?: the| all| every)?\s*", re.IGNORECASE)


def of_whole(mention: Mention, found: Sequence[Mention], text: str, sources: Sources) -> bool:
    """`84 of 100`, `15 in 100,000`: is it part or whole of a share of the evidence, or a whole that is round?"""
    at = next(i for i, m in enumerate(found) if m is mention)
    said = concepts.fold(tokens.of(text).row)
    for pair in (found[at - 1 : at + 1] if at else found[:0], found[at : at + 2]):
        if len(pair) < 2:
            continue
        part, whole = pair
        if not (part.whole and whole.whole and part.value <= whole.value):
            continue
        if not _OF.fullmatch(text[part.end : whole.begin]):
            continue
        share, step = part.value / whole.value, 0.5 / whole.value * (1 + matching.SLACK)
        sure = part.value >= COUNTED  # a share of counts so large is none by chance, so a value has to be it
        if any(
            not (sure and (s.follows or (one != share and not s.names & said)))
            for one in (share, 1 - share)
            for s in sources.between(max(0.0, one - step), one + step)
        ):
            return True
        if whole.value in ROUND:
            return True
    if mention.value in ROUND and _OUT_OF.search(text[: mention.begin]):
        return True
    before = [m for m in found if m.end <= mention.begin and m.value in ROUND and m.value >= mention.value]
    if mention.whole and before:  # `out of 100 patients without bleeding, 12 were moved up`
        share, step = mention.value / before[-1].value, 0.5 / before[-1].value
        return any(sources.between(max(0.0, s - step), s + step) for s in (share, 1 - share))
    return False


def part_of_ratio(mention: Mention, found: Sequence[Mention]) -> bool:
    """`26 of 47 (55.3 %)`: does it follow from the two counts before it?"""
    before = [m for m in found if m.end <= mention.begin][-2:]
    if mention.unit != "%" or len(before) < 2 or not before[0].ratio_of:
        return False
    return matching.equal(mention, before[0].value / before[0].ratio_of)


def follows(
    sentence: Sentence,
    mention: Mention,
    found: Sequence[Mention],
    before: Sequence[str],
    context: Context,
    sources: Sources,
) -> bool:
    """Does it follow from other numbers of the text, or from values of the evidence that are named with it?"""
    return (
        (mention.readings[0][1] == 0 and _RELATIVE.match(sentence.text, mention.end) is not None)
        or _of_text_before(sentence, mention, found, before, context, sources)
        or _of_sentence(mention, [m for m in found if not _bracketed(sentence.text, m)])
        or of_whole(mention, found, sentence.text, sources)
        or _share_of(sentence.text, mention, found, sources)
        or _of_evidence(sentence, mention, context, sources)
        or _rest_of_list(sentence.text, mention, sources)
        or _rest_of_row(sentence, mention, sources)
        or _to_limit(sentence, mention, context, sources)
        or _between_two(sentence, mention, context, sources)
    )


_APART = re.compile(
    r"(?:\s?[^\s,;]{1,10})?\s+(?:below|above|under|over|beyond|short of|within|away|left|to spare|less|more)(?!\w)",
    re.I,
)
_BY = re.compile(r"(?<!\w)(?:by|(?:margin|headroom|room|reserve|distance) of)(?: only| just)?\s*$", re.IGNORECASE)


def _to_limit(sentence: Sentence, mention: Mention, context: Context, sources: Sources) -> bool:
    """`0.061 below the limit`: the difference of a value and the limit that stands beside it."""
    apart = _APART.match(sentence.text, mention.end) or _BY.search(sentence.text[: mention.begin])
    if not apart or not context.around & (LIMITS | _OF_LIMITS):
        return False
    limits = [s for s in sources.named(LIMITS) if s.own & LIMITS and not s.entry.derived]
    return any(
        _is(mention, abs(limit.value - s.value), in_percent=min(limit.value, s.value) > 1)
        for limit in limits
        for s in sources.beside((limit.entry.file, limit.entry.path[:-1]))
        if s is not limit
    )


_OF_LIMITS = concepts.fold(tuple(words.words("criterion requirement threshold target goal")))
_ONCE_IN = re.compile(r"(?<!\w)(?:once|one|one \w+|every|each)(?: in| every)?(?: about| roughly)?\s*$", re.IGNORECASE)


def _between_two(sentence: Sentence, mention: Mention, context: Context, sources: Sources) -> bool:
    """`About once in four hours`: the time from one to the next, of a rate such as `alarms_per_hour: 0.23`."""
    if mention.unit != "time" or not _ONCE_IN.search(sentence.text[: mention.begin]):
        return False
    rates = ((s, words.words(s.entry.key)) for s in sources.named(context.near) if s.value > 0)
    return any(
        matching.equal(dataclasses.replace(mention, hedge="about"), quantities.SECONDS[row[-1]] / s.value)
        for s, row in rates
        if row[-2:-1] == ["per"] and row[-1] in quantities.SECONDS
    )


_REST = re.compile(
    r"(?<!\w)(?:un\w+ed|missed|not|rest|remain\w*|left|leaves?|leaving|others?|without|lack\w*|overlooked|fail\w*|escaped|still)(?!\w)",
    re.I,
)


def _rest_of_row(sentence: Sentence, mention: Mention, sources: Sources) -> bool:
    """`In the north five were not found`: the difference of two counts of the row that the sentence names."""
    if not mention.whole or not _REST.search(sentence.text):
        return False
    said = concepts.fold(tokens.of(sentence.text).row)
    rows: dict[tuple[object, ...], list[Source]] = {}
    for s in sources.named(said):
        if s.whole and not s.entry.derived and len(s.entry.path) > 1 and (s.names - s.own) & said:
            rows.setdefault((s.entry.file, s.entry.path[:-1]), []).append(s)
    return any(
        abs(a.value - b.value) == mention.value
        for held in rows.values()
        for a, b in itertools.combinations(held[:12], 2)
    )


def _of_sentence(mention: Mention, found: Sequence[Mention]) -> bool:
    """`off by 119 euros, 14 % of the mean of 846`: difference, sum or quotient of two other numbers of the sentence."""
    if len(found) > 8:
        return False
    others = [m.value / 100 if m.unit == "%" else m.value for m in found if m is not mention and m.value]
    said = mention.value / 100 if mention.unit == "%" else mention.value
    if mention.hedge == "about" and any(abs(said - other) <= _ROUGH * said for other in others):
        return True  # `roughly one in five (21.4 %)`
    return any(
        matching.equal(mention, result)
        for a, b in itertools.combinations(others, 2)
        for result in ((abs(a - b), a + b) if (a > 1 and b > 1) or (a <= 1 and b <= 1) else ())
        + (a / b, b / a, abs(a - b) / a, abs(a - b) / b)
        if result not in (0, 1)
    )


_RELATIVE = re.compile(r"\s+(?:later|earlier|ago|after|before)(?!\w)", re.IGNORECASE)


_THUS = re.compile(r"(?<!\w)(?:thus|so|therefore|hence|consequently|accordingly|that is|which is)(?!\w)", re.IGNORECASE)
_PAIR = 2


def _of_text_before(
    sentence: Sentence,
    mention: Mention,
    found: Sequence[Mention],
    before: Sequence[str],
    context: Context,
    sources: Sources,
) -> bool:
    """`That is a gain of 23.4 points`, `it missed its goal of 97 % by 0.8 points`: against a number before it."""
    if mention.whole and _REST.search(sentence.text):
        whole = [m.value for text in before for m in mentions.find(Sentence(text, sentence.place)) if m.whole]
        return any(abs(a - b) == mention.value for a, b in itertools.combinations(whole, 2))  # `in the other 23 cases`
    if mention.unit not in {"points", "%"} or not _CHANGES.search(sentence.text):
        return False
    if _THUS.search(sentence.text) and before:
        last = [m for m in mentions.find(Sentence(before[-1], sentence.place)) if m.unit == "%" or 0 < m.value < 1]
        if len(last) == _PAIR and len(found) == 1:
            one, other = (m.value / 100 if m.unit == "%" else m.value for m in last)
            return matching.equal(mention, abs(one - other)) or matching.equal(
                mention, abs(one - other) / max(one, other)
            )
    earlier = [m for text in before for m in mentions.find(Sentence(text, sentence.place))]
    said = [m.value / 100 if m.unit == "%" else m.value for m in (*earlier, *(m for m in found if m is not mention))]
    held = [s.value for s in sources.named(context.around) if not s.follows]
    pairs = itertools.chain(itertools.combinations(said, 2), itertools.product(said, held))
    return any(matching.equal(mention, abs(a - b)) for a, b in pairs if 0 < a <= 1 and 0 < b <= 1)


def _bracketed(text: str, mention: Mention) -> bool:
    """Is it an end of an interval in brackets, from which nothing is reckoned?"""
    before = text[: mention.begin]
    return before.count("(") + before.count("[") > before.count(")") + before.count("]") and bool(
        re.search(r"\d\s*%?\s*(?:to|bis|à|and|–|-|,|;)\s*\d", text[max(0, mention.begin - 12) : mention.end + 12])
    )


def _share_of(text: str, mention: Mention, found: Sequence[Mention], sources: Sources) -> bool:
    """`Of 20,353 rows 13,382 are labelled rightly`: the evidence holds the share."""
    if not mention.whole or mention.value < COUNTED:
        return False
    said = concepts.fold(tokens.of(text).row)
    for other in found:
        if other is mention or not other.whole or other.value <= mention.value:
            continue
        step = 0.5 / other.value * (1 + matching.SLACK)
        for share in (mention.value / other.value, 1 - mention.value / other.value):
            held = (s for s in sources.between(max(0.0, share - step), share + step) if not s.follows)
            if any(share == mention.value / other.value or s.names & said for s in held):
                return True
    return False


def _rest_of_list(text: str, mention: Mention, sources: Sources) -> bool:
    """`11; 110; 112; and 668 more`: with those before it they are the entries of a list of the evidence."""
    if not mention.whole or not _AND_MORE.match(text, mention.end):
        return False
    before = [part for part in re.split(r"[;,]", text[: mention.begin]) if re.search(r"\w", part)]
    named = sum(not re.fullmatch(r"\s*(?:and|und|et)\s*", part) for part in before)
    return bool(sources.between(mention.value + named, mention.value + named))


def _of_evidence(sentence: Sentence, mention: Mention, context: Context, sources: Sources) -> bool:
    text = _HEDGE.sub(" ", f"{sentence.text} {sentence.context}")
    changes = mention.unit == "points" or bool(_CHANGES.search(text))
    ratios = bool(_RATIO.search(text))
    exact = mention.unit == "%" or mention.readings[0][1] > 1
    if (
        exact
        and (matching.opposite_of(mention, text) or _EVERYBODY.search(text))
        and any(
            0 <= s.value <= 1 and _is(mention, 1 - s.value, in_percent=s.percent)
            for s in (sources.all if _EVERYBODY.search(text) else sources.named(_with_opposites(context.around)))
        )
    ):
        return True
    if not (changes or ratios) or (mention.whole and mention.value < COUNTED):
        return False
    if mention.unit == "time" and not any(s.seconds for s in sources.named(context.near)):
        return False
    return any(
        _is(mention, result, in_percent=min(one.value, other.value) > 1)
        for one, other in _pairs(sentence, mention, context, sources)
        if (one.value <= 1) == (other.value <= 1) or one.own == other.own
        for result in _results(one.value, other.value, changes=changes, ratios=ratios)
    )


def _is(mention: Mention, result: float, *, in_percent: bool) -> bool:
    """Does a number stand for what was reckoned, in its own scale: `0.71 %` for 0.0071, `7.1 points` for 0.071?

    Args:
        mention: The number.
        result: Difference, quotient or rest.
        in_percent: May what it was reckoned from be in percent itself?
    """
    if not matching.equal(mention, result):
        return False
    value = mention.readings[0][0]
    if mention.unit == "%" and not in_percent:
        return abs(value / 100 - abs(result)) <= 0.01 * _within(mention)
    if not mention.unit and 0 < value < 1:
        return abs(value - abs(result)) <= _within(mention)
    return True


def _within(mention: Mention) -> float:
    """By how much a number may differ from what it is a rounding of."""
    value, decimals = mention.readings[0]
    half = 0.5 * 10.0**-decimals * (1 + matching.SLACK)
    return max(2 * half, matching.ABOUT * abs(value)) if mention.hedge == "about" else half


def _with_opposites(names: frozenset[str]) -> frozenset[str]:
    """`Missed` is told of the false negative rate, which is the rest of recall."""
    return names | {other for name, other in OPPOSITES.items() if name in names}


OPPOSITES = {"false_negative_rate": "recall", "error_rate": "accuracy", "false_positive_rate": "specificity"}
"""Measures that are one minus another."""


def _results(a: float, b: float, *, changes: bool, ratios: bool) -> Iterator[float]:
    if changes and a != b:
        yield abs(a - b)
    if a and b and a != b:
        if changes:
            yield abs(a - b) / abs(a)
            yield abs(a - b) / abs(b)
        if ratios:
            yield a / b
            yield b / a


def _pairs(sentence: Sentence, mention: Mention, context: Context, sources: Sources) -> Iterator[tuple[Source, Source]]:
    """Values of one kind, of what the sentence names where it names any of them."""
    said = context.near | concepts.fold(tokens.of(sentence.text).row)
    each_other = _EACH_OTHER.search(sentence.text)
    measures = {
        name for name in said & sources.kinds.keys() if any(s.names & said - {name} for s in sources.kinds[name])
    }
    for kind, members in sources.kinds.items():
        if measures and kind not in measures:
            continue
        common = frozenset.intersection(*(s.names for s in members))
        named = [s for s in members if (s.names - common) & said]
        if not named and not common & (context.around if mention.unit == "points" else said):
            continue
        if len(named) > 1 and each_other:
            yield from itertools.combinations(named[:MOST_PAIRED], 2)
        elif named:
            yield from ((one, s) for one in named[:MOST_PAIRED] for s in members[:MOST_PAIRED] if s is not one)
        else:
            yield from itertools.combinations(members[:MOST_PAIRED], 2)
