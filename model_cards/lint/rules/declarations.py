"""A declaration of conformity, a CE marking or the fulfilment of criteria beside criteria that failed."""

from __future__ import annotations

import dataclasses
import functools
import itertools
import re
from collections.abc import Iterator

from model_cards.lint import concepts, decision, mentions, words
from model_cards.lint.evidence import Entry, Evidence
from model_cards.lint.model import Document, Finding, Sentence
from model_cards.lint.rules import decided, praise, saying
from model_cards.lint.rules.catalogue import RULES

_DECLARES = re.compile(
    r"(?:conformity(?: [^.;]{0,90}?)? (?:is|was|has been|are) (?:hereby |herewith |thus |therefore "
    r")?(?:declared|established|"
    r"confirmed|shown|given|ensured)|(?:declaration of conformity|ce[- ]mark(?:ing)?) (?:can|may|could) "
    r"(?:\w+ )?be (?:signed|"
    r"issued|affixed|made|placed|put)|(?:declaration of conformity|(?:ce|eu) declaration) (?:is|was|has been) (?:\w+ "
    r")?(?:signed|issued|made)|(?:(?:hereby|herewith|we|i|undersigned|provider|manufacturer|company|gmbh|"
    r"ag|ltd|inc|s\.?l\.?|"
    r"oy|s\.?a\.?)\s+(?:\w+\s+){0,4}?declares?(?!\w)|declares?\s+(?:under\s+)?(?:\w+\s+){0,5}?(?:that|"
    r"conformity)|(?:is|are|be)\s+(?:hereby\s+)?in\s+(?:full\s+)?conformity|conforms?\s+(?:fully\s+)?(?:to|"
    r"with)\s+(?:the\s+)?(?:\w+\s+){0,3}?(?:act|regulation|requirements|directive)"
    r"|\bce[- ]mark(?:ing|ed)?\s+(?:\w+\s+){0,3}?(?:is|was|has been|have been)\s+(?:\w+\s+)?(?:affixed|"
    r"applied|attached|placed|put)|(?:bears?|carries|carry)\s+(?:the|a)\s+ce[- ]mark|\bis\s+ce[- ]marked"
    r"|erklär(?:en|t)\s+(?:\w+\s+){0,8}?(?:konform|übereinstimm|konformität)|ce-kennzeichnung\s+(?:wurde|"
    r"ist)\s+(?:\w+\s+)?angebracht))",
    re.IGNORECASE,
)
_ALL = re.compile(
    r"(?<!\w)(?:all|every|each|everything|both|entire|entirely|whole|fully|completely|full set|alle|"
    r"sämtliche|toutes?|tous|"
    r"without (?:exception|reservation|restriction)|in full)(?!\w)",
    re.IGNORECASE,
)
_NONE = re.compile(r"(?<!\w)(?:no|none|not one|not a single|nothing)(?!\w)", re.IGNORECASE)
_THINGS = re.compile(
    r"(?<!\w)(?:criteri(?:a|on)|gates?|thresholds?|requirements?|checks?|tests?|targets?|limits?|conditions?|points?|"
    r"endpoints?|goals?|objectives?|items?|specifications?|controls?|measures|safeguards?|obligations?|hurdles?|bars?|"
    r"marks?|audits?|assessments?|reviews?|acceptance|checklist|kriterien|anforderungen)(?!\w)",
    re.IGNORECASE,
)
_MET = re.compile(
    r"(?<!\w)(?:met|meets?|pass(?:ed|es)?|fulfil(?:s|led)?|fulfill(?:s|ed)?|satisf(?:y|ies|ied)|reache[sd]|reach|"
    r"achieve[sd]?|"
    r"clear(?:s|ed)|successful(?:ly)?|green|kept|keeps?|observed|complied with|in place|effective|"
    r"implemented|closed|in order|done|completed?|finished|"
    r"hold(?=\s*[.;,]|$)|exceed(?:s|ed)?|positive|erfüllt|bestanden|(?:stays?|stayed|lies?|lay|are|is) within)(?!\w)",
    re.IGNORECASE,
)
_MISSED = re.compile(
    r"(?<!\w)(?:failed|fails|missed|violated|open|left open|outstanding|breached|stands? (?:in the way|against)|"
    r"speaks? against|objections?)(?!\w)",
    re.IGNORECASE,
)
_PIECES = re.compile(
    r"[;:](?=\s)|,\s+(?:which|who|so|and|but|therefore|hence)\s|(?<!\w)(?:but|because|although|though|while|"
    r"whereas)(?!\w)|"
    r"\s(?=and (?:the |its |our |it |we |they )?(?:\w+ ){0,3}(?:can|may|was|were|is|are|has|have|will)(?!\w))"
)
_SOME = re.compile(
    r"(?<!\w)(?:(?:that|which) (?:is|are|was|were) named for|named (?:here|above|below))(?!\w)", re.IGNORECASE
)
NEAR = 90
"""Characters within which the words of a declaration stand."""


def fulfilled(text: str) -> tuple[int, int] | None:
    """Where a text says that all criteria are met, or that none was missed, in whatever order; else None."""
    cuts = [0, *(m.start() for m in _PIECES.finditer(text)), len(text)]
    for begin, end in itertools.pairwise(cuts):
        for universal, outcome in ((_ALL, _MET), (_NONE, _MISSED)):
            parts = [pattern.search(text, begin, end) for pattern in (universal, _THINGS, outcome)]
            if universal is _NONE and parts[0] and parts[2] and not parts[1] and parts[0][0].lower() == "nothing":
                parts[1] = parts[0]
            if parts[1] is parts[0] and parts[2] and not re.match(r"stand|speak|objection", parts[2][0], re.IGNORECASE):
                continue  # `nothing was missed` is no declaration
            if all(parts) and _apart(text, parts):
                continue  # `for each risk, with the control in place`
            if all(parts) and not _SOME.search(text, begin, end):
                low = min(m.start() for m in parts if m)
                high = max(m.end() for m in parts if m)
                if high - low <= NEAR and not _OF_LAW.match(text, high):
                    return low, high
    return None


def _apart(text: str, parts: list[re.Match[str] | None]) -> bool:
    """Does a comma part the word for all from what is counted?"""
    universal, thing, _ = parts
    if universal is None or thing is None:
        return False
    return "," in text[universal.end() : thing.start()]


_OF_LAW = re.compile(
    r"\s+(?:of|under|in|set by)\s+(?:the\s+)?(?:eu\s+)?(?:gdpr|ai|mdr|law|regulation|directive|act|machinery)(?!\w)",
    re.I,
)
_OWN_WORDS = re.compile(
    r"(?<!\w)(?:requirements?|required|no|none|not one|not a single|nothing|without|can(?= (?:\w+ )?be "
    r"(?:signed|issued|affixed|"
    r"declared|made))|may(?= (?:\w+ )?be (?:signed|issued|affixed|declared|made))|failed|missed|open)(?!\w)",
    re.IGNORECASE,
)
_RESULT_KEYS = frozenset(
    {
        "outcome",
        "status",
        "result",
        "decision",
        "verdict",
        "passed",
        "met",
        "state",
        "gate",
        "conclusion",
        "assessment",
        "ok",
        "success",
        "fulfilled",
        "in_place",
        "implemented",
        "done",
        "performed",
        "pass",
    }
)
_FAILED = re.compile(
    (
        r"(?:fail(?:ed|s|ure)?|not[ _-]met|not[ _-]passed|violated|rejected|refused|no|red|nicht erfüllt|"
        r"nicht bestanden|below|missed|breach(?:ed)?)"
    ),
    re.IGNORECASE,
)
_OPEN = re.compile(
    r"(?:amber|yellow|offen|ausstehend|teilweise|ouvert|partiel\w*|en cours|"
    r"inconclusive|open|undecided|not[ _-](?:measured|tested|done|run|begun|started|performed|carried[ _-]out)|pending|"
    r"unknown|"
    r"partial(?:ly)?|missing)",
    re.IGNORECASE,
)
_PASSED = re.compile(
    r"(?:pass(?:ed|es)?|met|ok|green|yes|true|fulfilled|green|success(?:ful)?|approved|erfüllt|bestanden)",
    re.IGNORECASE,
)


_PLAINLY = re.compile(
    r"(?:pass(?:ed)?|fail(?:ed)?|met|not met|missed|fulfilled|not fulfilled|not passed|violated|red|amber|green)",
    re.IGNORECASE,
)
"""Outcomes that are none but of a criterion, under whatever key."""


def check(document: Document, evidence: Evidence) -> Iterator[Finding]:
    """Every declaration of a document that the criteria of the evidence do not bear."""
    for sentence in document.sentences:
        if sentence.kind in {"code", "meta"}:
            continue
        match, strict = _DECLARES.search(sentence.text), True
        span = match.span() if match else None
        if span is None:
            span, strict = fulfilled(sentence.text), False
        if span is None or not _claims(sentence, span):
            continue
        if _REQUIRED.search(sentence.text, *span) and _tells_required(evidence):
            continue  # which of the criteria are asked for is for who knows the record
        run = decision.of(evidence)
        if strict and run and run.all_accepted:
            continue  # who declares it has accepted what did not pass; that all was met stays untrue
        if not strict and decided.speaks_of_gates(sentence, evidence):
            continue  # held to the decision of the run there
        failed, undecided, passed = of_topic(sentence.text[slice(*span)], evidence)
        if failed or undecided:
            bad = (failed or undecided)[0]
            how = f"{len(failed)} failed" if failed else f"{len(undecided)} undecided"
            yield Finding(
                RULES["declaration-failed"],
                sentence,
                "high",
                f"This is declared beside criteria of which {how}.",
                ("Say which criteria failed or are open, and let a named person decide. Declare nothing before."),
                span,
                bad.proof,
            )
        elif not passed or (strict and not _declaration_recorded(evidence)):
            yield Finding(
                RULES["declaration-failed"],
                sentence,
                "medium",
                "This is declared, and no evidence bears it.",
                "Add the record of the criteria, and of who declares it, or take it out.",
                span,
            )


_OF = re.compile(
    r"(?<!\w)(?P<part>\d{1,2}|[a-z]+) (?:out )?of (?:the |its |all |our )?(?P<whole>\d{1,2}|[a-z]+) (?:\w+ "
    r")?(?P<things>criteria|targets?|"
    r"goals?|gates?|checks?|tests?|requirements?|limits?|thresholds?|controls|hazards|measures|items)(?!\w)",
    re.IGNORECASE,
)


_ALL_BUT = re.compile(
    r"(?<!\w)(?:all|every|each)(?: of)?(?: the| our| its)? (?:criteri(?:a|on)|targets?|goals?|gates?|checks?|tests?|"
    r"requirements?|limits?|thresholds?)(?: of the \w+)? (?:but|except(?: for)?|save(?: for)?) "
    r"(?P<less>\d{1,2}|[a-z]+)(?!\w)",
    re.IGNORECASE,
)


Group = tuple[tuple[Entry, ...], tuple[Entry, ...]]
"""Outcomes that stand side by side: those that passed, those that did not."""


def all_but(document: Document, evidence: Evidence) -> Iterator[Finding]:
    """`All checks but one were passed`, where two were not."""
    groups = [pair for pair in _groups(evidence) if len(pair[0]) + len(pair[1]) > 1] if not evidence.rich else []
    for sentence, match, _ in _said(document, _ALL_BUT) if groups else ():
        less = mentions.counting(match["less"])
        if less is None or any(len(bad) == less for _, bad in groups) or not saying.unconditional(sentence):
            continue
        largest = max(groups, key=lambda pair: len(pair[0]) + len(pair[1]))
        whole = len(largest[0]) + len(largest[1])
        told = f"Of {whole} that stand side by side in the evidence, {len(largest[1])} did not."
        yield _miscounted(sentence, match, largest, told)


def counted(document: Document, evidence: Evidence) -> Iterator[Finding]:
    """`Three of four targets reached`, where two of the four did."""
    groups = _groups(evidence) if not evidence.rich else ()
    for sentence, match, met in _said(document, _OF) if groups else ():
        part, whole = (mentions.counting(match[name]) for name in ("part", "whole"))
        like = [(passed, bad) for passed, bad in groups if len(passed) + len(bad) == whole]
        if part is None or whole is None or not like or any(len(passed) == part for passed, _ in like):
            continue
        if saying.unconditional(sentence) and not saying.denied(sentence.text, *met.span()):
            told = f"Of these {whole}, {len(like[0][0])} passed in the evidence."
            yield _miscounted(sentence, match, like[0], told)


def _said(document: Document, pattern: re.Pattern[str]) -> Iterator[tuple[Sentence, re.Match[str], re.Match[str]]]:
    """Sentences that count, with what they count and the word for meeting it near behind."""
    for sentence in document.sentences:
        match = pattern.search(sentence.text) if sentence.kind in {"prose", "heading"} else None
        met = _MET.search(sentence.text, match.end()) if match else None
        if match and met and met.start() - match.end() <= NEAR:
            yield sentence, match, met


def _miscounted(sentence: Sentence, match: re.Match[str], group: Group, told: str) -> Finding:
    passed, bad = group
    return Finding(
        RULES["declaration-failed"],
        sentence,
        "high",
        told,
        "Take the outcome of the evidence.",
        match.span(),
        (bad or passed)[0].proof,
    )


@functools.lru_cache(maxsize=8)
def _groups(evidence: Evidence) -> tuple[Group, ...]:
    """Outcomes under keys of one name."""
    failed, undecided, passed = results(evidence)
    found: dict[tuple[str, tuple[str | int, ...], str], tuple[list[Entry], list[Entry]]] = {}
    for entries, place in ((passed, 0), (failed, 1), (undecided, 1)):
        for e in entries:
            deep = e.path[:-2] if len(e.path) > 1 and e.key.lower() in _RESULT_KEYS else e.path[:-1]
            key = e.key.lower() if deep == e.path[:-2] else ""
            found.setdefault((e.file, deep, key), ([], []))[place].append(e)
    return tuple((tuple(good), tuple(bad)) for good, bad in found.values())


def _claims(sentence: Sentence, span: tuple[int, int]) -> bool:
    """`No criterion failed`, `requirements of the Act` and `can be signed` deny and ask for nothing."""
    begin, end = span
    text = sentence.text
    own = _OWN_WORDS.sub(lambda m: "x" * len(m[0]), text[begin:end])
    pieces = [m.start() for m in _PIECES.finditer(text)]
    low = max((p for p in pieces if p <= begin), default=0)
    high = min((p for p in pieces if p >= end), default=len(text))
    text = praise.unharmed(text)
    cleared = dataclasses.replace(sentence, text=text[low:begin] + own + text[end:high])
    return not text.rstrip().endswith("?") and saying.asserted(cleared, begin - low, end - low)


_REQUIRED = re.compile(r"(?<!\w)(?:required|mandatory|binding)(?!\w)", re.IGNORECASE)


@functools.lru_cache(maxsize=8)
def _tells_required(evidence: Evidence) -> bool:
    """Does the evidence tell which criteria are required, so that others may fail?"""
    return any(e.key.lower() in {"required", "mandatory"} for e in evidence.entries)


_SUPPOSED = frozenset({"rows_needed"})
"""Places of what would be found with other data, and was not."""


@functools.lru_cache(maxsize=8)
def results(evidence: Evidence) -> tuple[tuple[Entry, ...], tuple[Entry, ...], tuple[Entry, ...]]:
    """Criteria of the evidence that failed, are undecided, passed."""
    failed, undecided, passed = [], [], []
    for entry in evidence.entries:
        if entry.derived or _SUPPOSED.intersection(map(str, entry.path)):
            continue
        about_result = entry.key.lower() in _RESULT_KEYS or (
            len(entry.path) > 1
            and str(entry.path[-2]).lower() in {"tests", "gates", "checks", "criteria", "acceptance", "endpoints"}
        )
        if not about_result and not (isinstance(entry.value, str) and _PLAINLY.fullmatch(entry.value.strip())):
            continue
        if entry.value is False or (isinstance(entry.value, str) and _FAILED.fullmatch(entry.value.strip())):
            failed.append(entry)
        elif isinstance(entry.value, str) and _OPEN.fullmatch(entry.value.strip()):
            undecided.append(entry)
        elif entry.value is True or (isinstance(entry.value, str) and _PASSED.fullmatch(entry.value.strip())):
            passed.append(entry)
    return tuple(failed), tuple(undecided), tuple(passed)


Results = tuple[tuple[Entry, ...], tuple[Entry, ...], tuple[Entry, ...]]


def of_topic(text: str, evidence: Evidence) -> Results:
    """The criteria that a declaration is of: all, or those under the name of what it is of (`both climate tests`)."""
    universal, thing = _ALL.search(text), _THINGS.search(text)
    between = text[universal.end() : thing.start()] if universal and thing and universal.end() < thing.start() else ""
    topic = concepts.fold(tuple(words.words(between))) - _NO_TOPIC
    found = results(evidence)
    own = [tuple(e for e in entries if topic <= _concepts(e)) for entries in found]
    return (own[0], own[1], own[2]) if topic and any(own) else found


_NO_TOPIC = concepts.fold(
    tuple(
        words.words("the of these those our its their acceptance criteria all two three four five six seven eight nine")
    )
)


@functools.lru_cache(maxsize=4096)
def _concepts(entry: Entry) -> frozenset[str]:
    return concepts.fold(entry.words)


def _declaration_recorded(evidence: Evidence) -> bool:
    return any(
        isinstance(e.value, str) and e.value and {"declaration", "declared", "conformity"} & e.word_set
        for e in evidence.entries
    )
