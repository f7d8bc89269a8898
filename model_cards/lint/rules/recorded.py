"""Values, outcomes and sizes said right beside their name, against the very record of that name.

In evidence with thousands of numbers any value stands somewhere. Here a value counts only where it was measured.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from model_cards.lint import lexicon, matching, mentions, recorded, words
from model_cards.lint.evidence import Entry, Evidence
from model_cards.lint.mentions import Mention
from model_cards.lint.model import Confidence, Document, Finding, Sentence
from model_cards.lint.pool import Pool
from model_cards.lint.rules import numbers, saying, tokens
from model_cards.lint.rules.catalogue import RULES

_LINK = re.compile(
    r"\s*\)?\s*(?:\((?:[A-Z][\w-]{1,9})\)\s*)?(?:(?:on|for|over|between|across|by|of) (?:[\w-]+ ){1,5}|overall )?"
    r"(?:is|was|of|=|:|equals?|reache[sd]|stands at|stood at|came to|comes to|amounts? to|at|attains?|:? about)?\s*",
    re.IGNORECASE,
)
_OTHER = re.compile(
    r"(?<!\w)(?:baseline|always|noise|missing|attack\w*|adversarial|perturb\w*|clean|unchanged|change\w*|"
    r"drop\w*|fell|fall\w*|"
    r"rose|mitigat\w*|reweigh\w*|worst|best|before|after|validation|training|calibrat\w+ (?:set|part|rows)|target|goal|"
    r"subset|would|if|must|should|has to|have to|need\w*|require\w*|at least|at most|threshold\w*|"
    r"limit\w*|criteri\w+|minimum|"
    r"maximum|lowest|highest|largest|smallest|range\w*|per|each|bound\w*|published|literature|paper|"
    r"previous\w*|earlier|"
    r"shift\w*|slice\w*|out[- ]of[- ]range|unseen categor\w*|stuck|rounding|temperature|human|"
    r"competitor\w*|expected to|"
    r"differ\w*|certified|interval method|simulat\w+|×|macro|micro|weighted|class \w+)(?!\w)",
    re.IGNORECASE,
)
"""Words that make a value another one than the overall value on the test rows."""
_SETTINGS = frozenset(
    {"threshold", "learning_rate", "parameters", "latency", "energy", "missing_share", "coverage", "positive_rate"}
)
"""Names of settings, costs and shares of the data: they are many things at once."""
_SAYS = re.compile(
    r"(?P<no>(?:was |is |has |did )?(?:not|never) (?:been )?)?(?:(?P<pass>pass(?:ed|es)?|met(?! by)|"
    r"meets|fulfil(?:s|led)|"
    r"satisfie[sd])|(?P<fail>fail(?:ed|s)?|missed its (?:threshold|target))|(?P<open>inconclusive|undecided))(?!\w)",
    re.IGNORECASE,
)
_BETWEEN = re.compile(
    r"\s*(?:check|test|criterion|gate)?\s*[:,–-]?\s*(?:(?:was|is|has|have|also|clearly|been)\s+){0,3}", re.IGNORECASE
)
_ROLE = re.compile(
    r"(?<!\w)(?P<verb>trained|fitted|fit|validated|tuned|tested|evaluated)(?:\s+\w+)?\s+(?:on|with|using|over)\s+"
    r"(?:the |a total of |all |just |only )?$",
    re.IGNORECASE,
)
_VERBS = {"trained": "train", "fitted": "train", "fit": "train", "validated": "validation", "tuned": "validation"}
_THERE = re.compile(
    r"(?:there (?:are|were)|consists? of|comprised?s?|contains?|holds?|has|have|had)\s+$", re.IGNORECASE
)
"""Without such words `500 test rows` may be any 500 of them."""
_OF_SOME = re.compile(
    r"(?<!\w)(?:no|each|every|one|any|slices?|groups?|class(?:es)?|subgroups?)(?!\w)[^.;]*$", re.IGNORECASE
)
"""Who has these rows is a group or a slice, or nobody."""
_AFTER_COUNT = re.compile(
    r"\s+(?:(?P<a>training|validation|test)\s+(?:rows?|records?|samples?|applications?|examples?|cases?|observations?)|"
    r"(?:rows?|records?|samples?|applications?|examples?|cases?|observations?|patients?)\s+(?:(?:were|"
    r"was|are) (?:used|kept) )?"
    r"for (?:the )?(?P<b>training|validation|testing))(?!\w)",
    re.IGNORECASE,
)
_HOLDS = re.compile(
    r"(?<!\w)(?P<part>training|train|validation|test(?:ing)?)\s+(?:set|part|split|data ?set|data)\s+"
    r"(?:has|had|have|holds?|held|contains?|contained|comprise[sd]?|consist(?:s|ed)? of|is made of|counts?|counted)\s+"
    r"(?:a total of |exactly )?$",
    re.IGNORECASE,
)
_ROWS_AFTER = re.compile(
    r"\s+(?:\w+\s+)?(?:rows?|records?|samples?|applications?|examples?|cases?|observations?|patients?|stays?)(?!\w)",
    re.IGNORECASE,
)
_MORE_OR_LESS = re.compile(
    r"\s?(?:points? )?(?:lower|higher|less|more|better|worse|smaller|larger|below|above)(?!\w)", re.IGNORECASE
)
_MANY_NEEDED = re.compile(
    r"(?<!\w)(?:at least|at most|more|needed|would|fewer|attack\w*|worst|first|only|"
    r"against|shadow|\w*members?|membership|each|of which|(?:that|which) (?:are|is|have|has|were)|labelled)(?!\w)",
    re.IGNORECASE,
)


def check(document: Document, evidence: Evidence) -> Iterator[Finding]:
    """What a document says beside the name of a measure, a check or a part of the data, and its record does not."""
    records = recorded.checks(evidence)
    for sentence in document.sentences:
        if sentence.kind != "prose":
            continue
        found = mentions.find(sentence)
        if evidence.rich:
            yield from _values(sentence, found, records, evidence)
        yield from _outcomes(sentence, records)
        yield from _parts(sentence, found, evidence)


_WHOLE = re.compile(
    r"(?<!\w)(?:outcome|the gate says|decision of the gate)\W{1,6}(?P<said>pass(?:ed)?|fail(?:ed)?|inconclusive)(?!\w)",
    re.IGNORECASE,
)


def outcome(document: Document, evidence: Evidence) -> Iterator[Finding]:
    """`Outcome: pass`, where the one outcome that the evidence states is another."""
    held = [e for e in evidence.texts if e.key == "outcome" and len(e.path) == 1 and not e.derived]
    if len({str(e.value) for e in held}) != 1:
        return
    for sentence in document.sentences:
        match = _WHOLE.search(sentence.text) if sentence.kind != "code" else None
        if match is not None and not str(held[0].value).startswith(match["said"].lower().removesuffix("ed")):
            yield _finding(
                "outcome-differs",
                sentence,
                match.span(),
                held[0],
                f"The outcome is said to be “{match['said']}”; the evidence has {held[0].value}.",
                "Take the outcome of the record.",
            )


def _values(
    sentence: Sentence, found: Sequence[Mention], records: Sequence[recorded.Record], evidence: Evidence
) -> Iterator[Finding]:
    text = tokens.of(sentence.text)
    for mention in found:
        if _MORE_OR_LESS.match(sentence.text, mention.end):
            continue  # a difference, not a value
        if mention.whole or mention.unit not in {"", "%"} or mention.hedge in {"less", "more"} or mention.ratio_of:
            continue
        if _OTHER.search(_own_words(sentence.text, mention)) or not saying.asserted(
            sentence, mention.begin, mention.end
        ):
            continue
        concept = _named(text, mention)
        if concept is None or concept in _SETTINGS:
            continue
        accepted = _of_checks(concept, text, records) or recorded.by_key(evidence).get(concept, ())
        if not accepted or matching.true_of(mention, Pool(accepted)):
            continue
        if _of_something_named(sentence, mention, concept, evidence) or numbers.named_otherwise(
            sentence, text, mention, evidence
        ):
            continue
        if len({e.value for e in accepted}) > 1 and matching.opposite(mention, Pool(accepted), sentence.text):
            continue
        shown, close = sentence.text[mention.begin : mention.end], accepted[0]
        name = concept.replace("_", " ")
        yield _finding(
            "number-differs",
            sentence,
            (mention.begin, mention.end),
            close,
            f"{shown} is given as {name}, the record of this measure has {float(close.value or 0):.4g}.",
            f"Take the value of the record, or add the evidence of {shown}.",
        )


def _of_something_named(sentence: Sentence, mention: Mention, concept: str, evidence: Evidence) -> bool:
    """Does the evidence hold the number as this measure of something that the sentence names: a site, a season?"""
    if evidence.rich:
        return False
    said = tokens.of(sentence.text).canonical
    return any(
        said & {w for step in entry.steps[:-1] for w in words.words(step)} - set(lexicon.parts())
        for entry in matching.every(mention, Pool(evidence.by_measure.get(concept, ())))
    )


def _own_words(text: str, mention: Mention) -> str:
    """The clause of the number, without names of measures that hold such words themselves."""
    low, high = saying.clause(text, mention.begin, mention.end)
    return re.sub(
        r"(?:expected |debiased )?calibration error|demographic parity difference|[\w-]+ difference", "", text[low:high]
    )


def _named(text: tokens.Tokens, mention: Mention) -> str | None:
    """The measure whose name stands right before the number, or right behind it."""
    before = [s for s in text.measures if s.end <= mention.begin]
    if before and re.search(r"(?<!\w)at an?\s+$", text.text[: before[-1].begin], re.IGNORECASE):
        return None  # `at a false-positive rate of 0.01` is a condition
    if before and _LINK.fullmatch(text.text[before[-1].end : mention.begin]):
        # `accuracy and AUC of 0.8` speaks of both.
        joined = len(before) > 1 and re.fullmatch(r"\s*(?:and|or|,|/)\s*", text.text[before[-2].end : before[-1].begin])
        return None if joined else before[-1].concept
    return None


def _of_checks(concept: str, text: tokens.Tokens, records: Sequence[recorded.Record]) -> tuple[Entry, ...]:
    """Values of the measure: of the slices that the sentence names, else overall, else of any slice."""
    by_slice: dict[str, list[Entry]] = {}
    for record in records:
        if record.measure == concept:
            for name, fields in record.own():
                by_slice.setdefault(name, []).extend(fields[key] for key in ("value",) if key in fields)
    names = lexicon.canonical()
    # Values of single groups are no measures of their own in a record: the sentence that names one is left alone.
    if set(text.row) & set(names):
        return ()
    said = set(text.row)
    exact = [n for n in by_slice if n != "overall" and said & set(words.words(n))]
    chosen = exact or (["overall"] if "overall" in by_slice else list(by_slice))
    return tuple(entry for name in chosen for entry in by_slice[name])


def _outcomes(sentence: Sentence, records: Sequence[recorded.Record]) -> Iterator[Finding]:
    text = sentence.text
    if text.rstrip().endswith("?") or re.search(
        r"(?<!\w)(?:if|whether|would|must|should|will|unless)(?!\w)", text, re.IGNORECASE
    ):
        return
    folded = text.casefold()
    titles = {r.title for r in records if r.title.casefold() in folded} - {""}
    for title in titles:
        match = re.search(rf"(?<!\w){re.escape(title)}(?!\w)", text, re.IGNORECASE)
        if match is None or any(title != o and title in o and o.lower() in text.lower() for o in titles):
            continue
        if re.search(r"(?<!\w)(?:balanced|debiased)\s+$", text[: match.start()], re.IGNORECASE):
            continue
        link = _BETWEEN.match(text, match.end())
        said = _SAYS.match(text, link.end()) if link else None
        if said is None:
            continue
        ids = {r.name for r in records if r.title == title}
        held = [r.status for r in records if r.name in ids and r.status is not None]
        kinds = {str(e.value) for e in held}
        if not kinds & {"pass", "fail", "inconclusive"}:
            continue
        if said["no"]:
            agrees = bool(kinds - {"pass"}) if said["pass"] else bool(kinds - {"fail"})
        else:
            agrees = ("pass" if said["pass"] else "fail" if said["fail"] else "inconclusive") in kinds
        if not agrees:
            what = " or ".join(sorted(kinds))
            yield _finding(
                "outcome-differs",
                sentence,
                (match.start(), said.end()),
                held[0],
                f"“{title}” is said to have another outcome than the evidence holds: {what}.",
                "Take the outcome of the record.",
            )


def _parts(sentence: Sentence, found: Sequence[Mention], evidence: Evidence) -> Iterator[Finding]:
    if _MANY_NEEDED.search(sentence.text):
        return
    for mention in found:
        if not mention.whole or mention.hedge != "exact" or mention.value < 2:
            continue
        part = _part(sentence.text, mention)
        held = recorded.of_part(evidence, part) if part else ()
        if not held or matching.true_of(mention, Pool(held)) or _together(mention, evidence):
            continue
        shown, size = sentence.text[mention.begin : mention.end], float(held[0].value or 0)
        yield _finding(
            "count-differs",
            sentence,
            (mention.begin, mention.end),
            held[0],
            f"{shown} is given as a number of rows of the {part} part; the evidence has {size:,.10g}.",
            "Take the count of the evidence, or name the evidence of this one.",
        )


_ASKED_FOR = frozenset({"policy", "training", "settings", "config", "parameters"})
"""Names above what was asked for, and not found."""


def _there(before: str) -> bool:
    """Do these words speak of all rows of a part?"""
    return bool(_THERE.search(before)) and not _OF_SOME.search(before)


def _together(mention: Mention, evidence: Evidence) -> bool:
    """Is it the whole data set? People say `trained on` of all parts together, too.

    Settings of the plan have numbers of rows as well, round ones above all: they are of no data.
    """
    whole = [e for e in evidence.numbers if e.key == "rows" and not e.derived and _ASKED_FOR.isdisjoint(e.path)]
    return any(e.value == mention.value for e in whole)


def _part(text: str, mention: Mention) -> str | None:
    behind = _AFTER_COUNT.match(text, mention.end)
    if behind and (behind["b"] or _there(text[: mention.begin])):
        return {"training": "train", "testing": "test"}.get(said := (behind["a"] or behind["b"]).lower(), said)
    if (holder := _HOLDS.search(text[: mention.begin])) and _ROWS_AFTER.match(text, mention.end):
        return {"training": "train", "testing": "test"}.get(said := holder["part"].lower(), said)
    if (before := _ROLE.search(text[: mention.begin])) and not re.match(
        r"[\s-]*(?:%|epochs?|steps?|trees?|features?|GPUs?|CPUs?|"
        r"cores?|seeds?|batch\w*|folds?|columns?|inputs?|slices?|groups?|times|classes|images per)",
        text[mention.end :],
        re.IGNORECASE,
    ):
        return _VERBS.get(before["verb"].lower(), "test")
    return None


def _finding(rule: str, sentence: Sentence, span: tuple[int, int], close: Entry, message: str, remedy: str) -> Finding:
    confidence: Confidence = "high"
    return Finding(RULES[rule], sentence, confidence, message, remedy, span, close.proof)
