"""Numbers against rich evidence: of the measure that the sentence names, and of anything at all.

In thousands of numbers any value stands somewhere, and words of keys say little; `coverage` reads smaller evidence.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Iterator, Sequence

from model_cards.lint import lexicon, matching, mentions, tally, words
from model_cards.lint.evidence import LENGTH, Entry, Evidence
from model_cards.lint.mentions import Mention
from model_cards.lint.model import Confidence, Document, Finding, Sentence
from model_cards.lint.pool import Pool
from model_cards.lint.rules import counts, nameplate, tokens, told
from model_cards.lint.rules.catalogue import RULES
from model_cards.lint.rules.tokens import Span, Tokens

BEFORE = 90
"""Characters between the name of a measure and its number."""
AFTER = 45
COMPLEMENTS = {"false_negative_rate": "recall", "error_rate": "accuracy", "false_positive_rate": "specificity"}
"""Measures that are one minus another."""
_GENERIC = frozenset(
    words.words(
        "value score result measure performance fairness robustness overall metric ratio difference gap low high "
        "worst best interval confidence bound level threshold criterion limit largest smallest mean median std share "
        "points the of in on at a and to for check pass name under over between less more most least than from "
        "until with by data"
    )
)
_NO_CLAIM = re.compile(
    (
        r"(?<!\w)(?:for example|for instance|e\.g\.|such as|z\. ?b\.|par exemple|would(?: \w+)? (?:be|have)|if it were|"
        r"suppose|beispielsweise)"
    ),
    re.IGNORECASE,
)
CHANCE = 0.1
"""Share of values in [0, 1], at the decimals shown, that the evidence holds: above it a match says nothing."""
_SHARE_OF = re.compile(r"\s*(?:of|der|des|von|du|de)\s", re.IGNORECASE)
_CONDITION = re.compile(r"(?<!\w)(?:with|when|for|at|under|if|to|bei|mit|avec)\s*$", re.IGNORECASE)
_REFERENCE = re.compile(
    r"^\s*(?:references?|sources?|citations?|literature|bibliography|quelle|literatur|source)\s*$", re.IGNORECASE
)
_OWN_NOUN = re.compile(
    r"(?<!\w)[^\W\d_]+ (?:size|number|rate|depth|length|width|count|dimension|seed|budget|share|grid|window|strength)"
    r" (?:of|is|was|=|:)\s*$",
    re.IGNORECASE,
)
QUANTILES = frozenset({50.0, 90.0, 95.0, 99.0, 99.9})
_PLANNED = re.compile(
    r"(?<!\w)(?:is|are) (?:planned|foreseen|scheduled|intended|envisaged)(?: (?:for|with|to|in|at))(?!\w)|"
    r"(?<!\w)will (?:be|include|"
    r"comprise)(?!\w)",
    re.IGNORECASE,
)
"""What is to come is no measured number."""
_ASKS = re.compile(
    r"(?<!\w)(?:had to|have to|has to|must|should|asked for|required|requires?|limits?|targets?|demanded|had been set|"
    r"allowed|prescribed|acceptance|criteri\w+)(?!\w)[^;]{0,40}$",
    re.IGNORECASE,
)
_QUOTIENT = re.compile(r"(?<!\w)(?:divided by|geteilt durch|divisée? par)(?!\w)", re.IGNORECASE)
_CHANGE_WORDS = frozenset(words.words("drop difference gap change delta reduction increase decrease loss gain shift"))
_WITHIN = re.compile(
    r"\s+(?:of|are|were|lie|take)(?!\w)[^.;,]{0,40}(?<!\w)(?:within|below|under|less than)(?!\w)", re.I
)
_AT_LEVEL = re.compile(
    r"(?<!\w)(?:at an? [\w-]+(?: [\w-]+)? of|levels? (?:of|from|between)(?: \d?\.\d+ (?:to|and))?)\s+$", re.IGNORECASE
)
MANY = 60
"""Numbers of one measure, beyond which a word nearby no longer says which of them is meant."""
SMALL = 100
"""Whole numbers below it state a value only where the evidence knows what they count."""


def check(document: Document, evidence: Evidence) -> Iterator[Finding]:
    """Every number of a document that rich evidence, such as that of a run, does not carry."""
    if not evidence.rich:
        return
    totals, rows = tally.totals(document), tally.row_counts(document)
    for sentence in document.sentences:
        if sentence.kind == "prose" and _PLANNED.search(sentence.text):
            continue
        if sentence.kind == "code" or _REFERENCE.search(sentence.column or sentence.row):
            continue
        if _QUOTIENT.search(sentence.text):
            continue  # it says itself how it is reckoned from figures beside it
        found = mentions.find(sentence)
        if sentence.kind == "prose" and not found:
            yield from _in_letters(sentence, evidence)
        whole = {(m.begin, m.end): _counts_as(m) for m in found if m.whole}
        for finding in _sentence(sentence, found, evidence):
            value = whole.get(finding.span)
            if value in rows or (value in totals and finding.confidence != "high"):
                continue
            if value is not None and _share_of_another(value, whole.values(), evidence):
                continue
            if value is not None and _rest_of_list(sentence.text, finding.span, value, evidence):
                continue
            if finding.rule.id in {"number-unsupported", "number-of-another"} and _follows_from(
                finding.span, [m for m in found if not _bracketed(sentence.text, m)]
            ):
                continue
            yield finding
        yield from counts.spelled(sentence, evidence)


def _in_letters(sentence: Sentence, evidence: Evidence) -> Iterator[Finding]:
    """`Eight in ten failures are announced`: a share told by a verb, against all numbers of its measure."""
    for mention in mentions.shares_in_letters(sentence.text):
        measure = told.measure(sentence.text, mention)
        pool = _pool(evidence, (measure,)) if measure else None
        if measure and pool and len(pool) and not matching.first(mention, pool):
            yield _differs(sentence, mention, measure.replace("_", " "), matching.nearest(mention, pool), "medium")


_AND_MORE = re.compile(r"\s(?:more|others?|further|weitere|andere|autres)(?!\w)", re.IGNORECASE)


def _rest_of_list(text: str, span: tuple[int, int], value: int, evidence: Evidence) -> bool:
    """`11; 110; 112; and 668 more`: with those before it they are the entries of a list of the evidence."""
    if not _AND_MORE.match(text, span[1]):
        return False
    before = [part for part in re.split(r"[;,]", text[: span[0]]) if re.search(r"\w", part)]
    named = sum(not re.fullmatch(r"\s*(?:and|und|et)\s*", part) for part in before)
    return any(e.derived == LENGTH and e.value == value + named for e in evidence.numbers)


def _bracketed(text: str, mention: Mention) -> bool:
    """Is it an end of an interval in brackets, from which nothing is reckoned?"""
    before = text[: mention.begin]
    return before.count("(") + before.count("[") > before.count(")") + before.count("]") and bool(
        _RANGE.search(text[max(0, mention.begin - 12) : mention.end + 12])
    )


def _counts_as(mention: Mention) -> int:
    """The whole number that it may be: `13.382` in German is a count."""
    return next((int(value) for value, decimals in mention.readings if decimals == 0), int(mention.value))


def _follows_from(span: tuple[int, int], found: Sequence[Mention]) -> bool:
    """`off by 119 euros, 14 % of the mean of 846`: difference, sum or quotient of two other numbers of the sentence."""
    own = next((m for m in found if (m.begin, m.end) == span), None)
    if own is None or len(found) > 8:
        return False
    others = [m.value / 100 if m.unit == "%" else m.value for m in found if m is not own and m.value]
    return any(
        matching.equal(own, result)
        for at, a in enumerate(others)
        for b in others[at + 1 :]
        for result in ((abs(a - b), a + b) if (a > 1 and b > 1) or (a <= 1 and b <= 1) else ()) + (a / b, b / a)
        if result not in (0, 1)
    )


def _share_of_another(part: int, others: Iterable[int], evidence: Evidence) -> bool:
    """`Of 20,353 rows 13,382 are labelled rightly`: the evidence holds the share."""
    pool = counts.everything(evidence)
    for size in others:
        if not SMALL <= part < size:
            continue
        step = 0.5 / size * (1 + matching.SLACK)
        for share in (part / size, 1 - part / size):
            if next(pool.between(max(0.0, share - step), share + step), None) is not None:
                return True
    return False


def _sentence(sentence: Sentence, found: Sequence[Mention], evidence: Evidence) -> Iterator[Finding]:
    text = tokens.of(sentence.text)
    skip = False
    for position, mention in enumerate(found):
        if skip:
            skip = False
            continue
        if mention.ratio_of:
            skip = True
            yield from _ratio(sentence, mention, found[position + 1], evidence)
            continue
        if _follows_ratio(mention, found[:position]):
            continue
        yield from _one(sentence, text, mention, found, evidence)


def _follows_ratio(mention: Mention, before: Sequence[Mention]) -> bool:
    """`26 of 47 (55.3 %)`: the share follows from the two counts."""
    if mention.unit != "%" or len(before) < 2 or not before[-2].ratio_of:
        return False
    return matching.equal(mention, before[-2].value / before[-2].ratio_of)


def _one(
    sentence: Sentence, text: Tokens, mention: Mention, found: Sequence[Mention], evidence: Evidence
) -> Iterator[Finding]:
    if _trivial(mention):
        return
    if mention.whole:
        counted = counts.check(sentence, text, mention, evidence)
        if isinstance(counted, Finding):
            yield counted
        if counted is not counts.UNKNOWN:
            return
    if _NO_CLAIM.search(sentence.text) and mention.unit == "%":
        return
    concepts = attached(sentence, text, mention, found)
    if mention.unit == "%" and {"latency", "energy", "parameters"} & set(concepts):
        if mention.value in QUANTILES:
            return
        concepts = []
    pool = _pool(evidence, tuple(concepts))
    # `25 to 60` in brackets behind a rate are no rate.
    is_rate = not (mention.whole and "%" not in sentence.context and pool.largest <= 2)
    if len(pool) and is_rate:
        yield from _of_measure(sentence, text, mention, concepts, pool, evidence)
    else:
        yield from _of_anything(sentence, mention, concepts, evidence)


@functools.lru_cache(maxsize=1024)
def _pool(evidence: Evidence, concepts: tuple[str, ...]) -> Pool:
    """The numbers of some measures, and of those that are one minus them."""
    entries = [e for concept in concepts for e in evidence.by_measure.get(concept, ())]
    for concept in concepts:
        if other := COMPLEMENTS.get(concept):
            entries += [_flipped(e) for e in evidence.by_measure.get(other, ()) if 0 <= float(e.value or 0) <= 1]
    return Pool(entries)


def _flipped(entry: Entry) -> Entry:
    return Entry(
        entry.file,
        entry.path,
        1 - float(entry.value or 0),
        entry.words,
        entry.identity,
        entry.rows,
        derived="one minus it",
    )


def _trivial(mention: Mention) -> bool:
    values = {value for value, _ in mention.readings}
    return bool(values & {0.0, 1.0}) or (mention.unit == "%" and 100.0 in values) or abs(mention.value) > 1e15


def attached(sentence: Sentence, text: Tokens, mention: Mention, found: Sequence[Mention]) -> list[str]:
    """The measures of which a number is said: named before it, right after it, or by its row or column."""
    low, high = text.clause(mention.begin, mention.end)
    if mention.unit == "%" and (verb := told.measure(text.text, mention)):
        return [verb]
    if own := _OWN_NOUN.search(text.text[: mention.begin]):
        # `18,433 parameters, trained at a batch size of 256`: the noun before it says what it is.
        inside = [s for s in text.measures if own.start() < s.end <= mention.begin]
        return [inside[-1].concept] if inside else []
    if (
        mention.unit == "%"
        and _SHARE_OF.match(text.text, mention.end)
        and _CONDITION.search(text.text[: mention.begin])
    ):
        return []
    before = [s for s in text.measures if low <= s.begin and s.end <= mention.begin and mention.begin - s.end <= BEFORE]
    if before and before[-1].concept in _ONCE and any(before[-1].end <= m.begin < mention.begin for m in found):
        before = []
    if before and not _taken(before[-1], mention, found, text):
        last = before[-1]
        group = [last.concept]
        for span in reversed(before[:-1]):
            between = text.text[span.end : last.begin].strip().lower()
            if between not in {"and", ",", "or", "und", "et", "/", "and the", "and that"}:
                break
            group.append(span.concept)
            last = span
        return list(dict.fromkeys(group))
    others = [m.begin for m in found if m.begin > mention.begin]
    limit = min([high, mention.end + AFTER, *others])
    after = next((s for s in text.measures if mention.end <= s.begin and s.end <= limit), None)
    if after and _follows(text.text[mention.end : after.begin], mention):
        return [after.concept]
    if sentence.kind == "cell":
        for name in (sentence.column, sentence.row, sentence.caption):
            if spans := tokens.of(name).measures:
                return list(dict.fromkeys(span.concept for span in spans))
    return [before[-1].concept] if before else []


_ONCE = frozenset({"seed"})
"""Names that hold one number, so that a second one behind them is of something else."""


def _taken(span: Span, mention: Mention, found: Sequence[Mention], text: Tokens) -> bool:
    """`precision 0.901, and 84.7 % are found`: has the name before its own number, and this one a name behind it?"""
    between = [m for m in found if span.end <= m.begin and m.end <= mention.begin]
    if not between:
        return False
    behind = next((s for s in text.measures if s.begin >= mention.end and s.begin - mention.end <= AFTER), None)
    return (
        behind is not None
        and not any(mention.end <= m.begin < behind.begin for m in found)
        and _follows(text.text[mention.end : behind.begin], mention)
    )


def _follows(between: str, mention: Mention) -> bool:
    """`84 % accuracy`, `31 % of the borrowers defaulted`; not `depth 4 and a learning rate`."""
    if re.search(r",|(?<!\w)(?:and|or|und|et)(?!\w)", between):
        return False
    return mention.unit == "%" or len(between.split()) <= 2


def _context(sentence: Sentence, text: Tokens, mention: Mention) -> frozenset[str]:
    """Words that may say of which group, class or part of the data a number is."""
    low, high = text.clause(mention.begin, mention.end)
    found = frozenset(word for word in tokens.of(text.text[low:high]).canonical if not word.isdigit())
    if sentence.kind == "cell":
        found |= tokens.of(sentence.row).canonical | tokens.of(sentence.column).canonical
    return found | frozenset(part for word in found if (part := lexicon.parts().get(word)))


_BOUND_KEYS = frozenset({"low", "high", "lower", "upper", "bound"})
_SPEAKS_OF_BOUNDS = re.compile(
    r"(?<!\w)(?:intervals?|bounds?|between|ranges?|ci|from|at least|at most|±|lowest|highest|lower|upper|"
    r"konfidenz\w*|untere\w*|obere\w*|zwischen|entre|borne\w*|intervalle)(?!\w)",
    re.IGNORECASE,
)
_RANGE = re.compile(r"\d\s*%?\s*(?:to|bis|à|and|–|-|,|;)\s*\d")


def _of_interval(sentence: Sentence, mention: Mention) -> bool:
    """May the number be an end of an interval: in brackets, in a range, or where the words before it speak of one?"""
    text, before = sentence.text, sentence.text[: mention.begin]
    if sentence.kind == "cell":
        return bool(_RANGE.search(text) or _SPEAKS_OF_BOUNDS.search(f"{text} {sentence.context}"))
    if before.count("(") + before.count("[") > before.count(")") + before.count("]"):
        return True
    return bool(
        _SPEAKS_OF_BOUNDS.search(before[-60:]) or _RANGE.search(text[max(0, mention.begin - 12) : mention.end + 12])
    )


@functools.lru_cache(maxsize=1024)
def _without_bounds(pool: Pool) -> Pool | None:
    """The pool without ends of intervals; nothing where only these are left."""
    kept = [e for e in pool.entries if not _BOUND_KEYS & set(words.words(e.key))]
    return Pool(kept) if kept and len(kept) < len(pool) else None


@functools.cache
def _names_of(concept: str) -> frozenset[str]:
    """All words by which a measure is called."""
    return frozenset(word for name in (concept, *lexicon.load().measures[concept]) for word in words.words(name))


def _of_measure(
    sentence: Sentence, text: Tokens, mention: Mention, concepts: Sequence[str], pool: Pool, evidence: Evidence
) -> Iterator[Finding]:
    named = frozenset(word for concept in concepts for word in _names_of(concept))
    if not _of_interval(sentence, mention) and (points := _without_bounds(pool)):
        pool = points
    narrowed = pool.narrowed(_context(sentence, text, mention), named | _GENERIC)
    words_around = f"{sentence.text} {sentence.context}"
    if matching.true_of(mention, narrowed):
        return
    if (
        matching.opposite(mention, narrowed, words_around)
        or matching.difference(mention, pool, words_around)
        or matching.quotient(mention, pool, words_around)
    ):
        return
    if named_otherwise(sentence, text, mention, evidence) or _asked_for(text, mention, evidence):
        return
    name = " or ".join(concept.replace("_", " ") for concept in concepts)
    close = matching.nearest(mention, narrowed)
    shown = sentence.text[mention.begin : mention.end]
    other = matching.first(mention, pool)
    if other is not None:
        # The number is right for another group or part of the data. In prose a name nearby may mean nothing.
        sure = len(pool) <= MANY and (sentence.kind == "cell" or len(narrowed) * 2 <= len(pool))
        yield _finding(
            "number-of-another",
            sentence,
            mention,
            "medium" if sure else "low",
            f"{shown} is the {name} of something else in the evidence.",
            f"Take the value of what the sentence names, or name what it is: here the evidence has {_plain(close)}.",
            other,
        )
        return
    elsewhere = matching.first(mention, counts.everything(evidence)) if mention.hedge != "about" else None
    decimals = max(decimals for _, decimals in mention.readings) + (2 if mention.unit in {"%", "points"} else 0)
    speaks = mention.unit == "points" or matching.speaks_of_change(words_around)
    if speaks and elsewhere is not None and _CHANGE_WORDS & elsewhere.word_set:
        return
    if elsewhere is not None and mention.unit != "points":
        if mention.hedge in {"less", "more"}:
            return
        chance = evidence.share_of_scale[max(0, min(decimals, 6))]
        if mention.unit in {"time", "size"}:
            return
        if chance > CHANCE:
            yield _differs(sentence, mention, name, close, "low")
            return
        yield _finding(
            "number-of-another",
            sentence,
            mention,
            "low" if _only_captioned(sentence) else "medium",
            f"{shown} is no {name} in the evidence; it stands there for something else.",
            f"Check what the number is. The nearest {name} in the evidence is {_plain(close)}.",
            elsewhere,
        )
        return
    if mention.unit == "points" and elsewhere is not None and decimals > 3:
        return  # so exact a value is met by chance hardly ever: a difference under a name of its own
    if mention.unit == "points":
        # `5.069 points` may be the unit of what is predicted.
        if elsewhere is None or "percent" in shown or "pp" in shown:
            yield from _unsupported(sentence, mention, "medium")
        return
    if mention.whole and abs(mention.value) < SMALL and float(close.value or 0) < 1:
        return
    yield _differs(sentence, mention, name, close, "high" if mention.hedge == "exact" else "medium")


def named_otherwise(sentence: Sentence, text: Tokens, mention: Mention, evidence: Evidence) -> bool:
    """`In rain mAP falls to 0.791`: the evidence holds it under `rain`, without the name of the measure."""
    row = set(tokens.of(sentence.row).row) - _GENERIC if sentence.kind == "cell" else set()
    # Its row says what it is, whatever the caption speaks of.
    return len(row) > 1 and any(row <= e.word_set for e in matching.every(mention, counts.everything(evidence)))


def _only_captioned(sentence: Sentence) -> bool:
    """Does only the caption of the table name a measure, which may hold many?"""
    return sentence.kind == "cell" and not (tokens.of(sentence.row).measures or tokens.of(sentence.column).measures)


def _asked_for(text: Tokens, mention: Mention, evidence: Evidence) -> bool:
    """`which had to be at least 0.85`: what was asked for, not what was found; the evidence holds it somewhere."""
    low, _ = text.clause(mention.begin, mention.end)
    return bool(_ASKS.search(text.text[low : mention.begin])) and bool(
        matching.first(mention, counts.everything(evidence))
    )


def _differs(sentence: Sentence, mention: Mention, name: str, close: Entry, confidence: Confidence) -> Finding:
    shown = sentence.text[mention.begin : mention.end]
    return _finding(
        "number-differs",
        sentence,
        mention,
        confidence,
        f"{shown} is given as {name}, the evidence has {_plain(close)}.",
        f"Take the value of the evidence, or add the evidence of {shown}.",
        close,
    )


def _of_anything(
    sentence: Sentence, mention: Mention, concepts: Sequence[str], evidence: Evidence
) -> Iterator[Finding]:
    around = f"{sentence.text} {sentence.context}"
    if mention.hedge in {"less", "more"} and not concepts and not _exact_enough(mention):
        return
    if _NO_CLAIM.search(sentence.text) or mention.value == SMALL:
        return  # an example; or a scale that ends at a hundred
    if _condition(sentence.text, mention):
        return
    pool = counts.everything(evidence)
    if matching.first(mention, pool) or matching.opposite(mention, pool, around) or counts.together(mention, evidence):
        return
    groups = [_pool(evidence, (concept,)) for concept in evidence.by_measure]
    if any(
        matching.difference(mention, group, around) or matching.quotient(mention, group, around) for group in groups
    ):
        return
    if _small(mention, concepts):
        return
    if nameplate.of(sentence.text, mention, evidence):
        return
    yield from _unsupported(sentence, mention, "low" if mention.hedge == "about" and not concepts else "medium")


def _condition(text: str, mention: Mention) -> bool:
    """`at an IoU of 0.5`, `levels from 0.5 to 0.95`, `95 % of them within 40 ms`: under which something is measured."""
    if mention.unit == "%" and mention.value in QUANTILES:
        return bool(_WITHIN.match(text, mention.end))
    return mention.unit == "" and mention.value < 1 and bool(_AT_LEVEL.search(text[: mention.begin]))


def _exact_enough(mention: Mention) -> bool:
    return max(decimals for _, decimals in mention.readings) >= 2


def _small(mention: Mention, concepts: Sequence[str]) -> bool:
    """Too small and round to state a measured value by itself."""
    whole = all(float(value).is_integer() for value, _ in mention.readings)
    if mention.unit == "%":
        return False
    if mention.unit in {"time", "size", "points"} and not concepts:
        return whole
    return whole and abs(mention.value) < SMALL


def _unsupported(sentence: Sentence, mention: Mention, confidence: Confidence) -> Iterator[Finding]:
    shown = sentence.text[mention.begin : mention.end]
    yield _finding(
        "number-unsupported",
        sentence,
        mention,
        confidence,
        f"No evidence carries {shown}.",
        "Name the evidence file that holds it, correct the number, or take it out.",
        None,
    )


def _ratio(sentence: Sentence, part: Mention, whole: Mention, evidence: Evidence) -> Iterator[Finding]:
    """`84 of 100`: a share, or two counts."""
    share, size = part.value / whole.value, whole.value
    pool = counts.everything(evidence)
    step = 0.5 / size * (1 + matching.SLACK)
    if next(pool.between(max(0.0, share - step), share + step), None) or next(
        pool.between(max(0.0, 1 - share - step), 1 - share + step), None
    ):
        return
    for mention in (part, whole):
        if mention.value >= SMALL and not matching.first(mention, pool):
            yield from _unsupported(sentence, mention, "medium")
            return


def _plain(entry: Entry) -> str:
    value = float(entry.value or 0)
    share = f" ({100 * value:.4g} %)" if 0 < abs(value) < 1 and not entry.derived else ""
    return f"{value:.6g}{share}"


def _finding(
    rule: str,
    sentence: Sentence,
    mention: Mention,
    confidence: Confidence,
    message: str,
    advice: str,
    entry: Entry | None,
) -> Finding:
    return Finding(
        RULES[rule],
        sentence,
        confidence,
        message,
        advice,
        (mention.begin, mention.end),
        entry.proof if entry else None,
    )
