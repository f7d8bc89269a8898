"""A declaration of conformity, a CE marking or the fulfilment of criteria beside criteria that failed."""

from __future__ import annotations

import dataclasses
import functools
import re
from collections.abc import Iterator

from model_cards.lint.evidence import Entry, Evidence
from model_cards.lint.model import Document, Finding, Sentence
from model_cards.lint.rules import saying
from model_cards.lint.rules.catalogue import RULES

_DECLARES = re.compile(
    r"(?:(?:hereby|herewith|we|i|undersigned|provider|manufacturer|company|gmbh|ag|ltd|inc|s\.?l\.?|"
    r"oy|s\.?a\.?)\s+(?:\w+\s+){0,4}?declares?(?!\w)|declares?\s+(?:under\s+)?(?:\w+\s+){0,5}?(?:that|"
    r"conformity)|(?:is|are|be)\s+(?:hereby\s+)?in\s+(?:full\s+)?conformity|conforms?\s+(?:fully\s+)?(?:to|"
    r"with)\s+(?:the\s+)?(?:\w+\s+){0,3}?(?:act|regulation|requirements|directive)"
    r"|\bce[- ]mark(?:ing|ed)?\s+(?:\w+\s+){0,3}?(?:is|was|has been|have been)\s+(?:\w+\s+)?(?:affixed|"
    r"applied|attached|placed|put)|(?:bears?|carries|carry)\s+(?:the|a)\s+ce[- ]mark|\bis\s+ce[- ]marked"
    r"|erklär(?:en|t)\s+(?:\w+\s+){0,8}?(?:konform|übereinstimm|konformität)|ce-kennzeichnung\s+(?:wurde|"
    r"ist)\s+(?:\w+\s+)?angebracht)",
    re.IGNORECASE,
)
_THINGS = (
    r"(?:criteri(?:a|on)|gates?|thresholds?|requirements?|checks?|tests?|targets?|limits?|conditions?|"
    r"points?|endpoints?|"
    r"goals?|objectives?|items?|specifications?|controls?|measures|safeguards?|kriterien|anforderungen)"
)
_ALL = (
    r"(?:all|every|each|every one|each one|both|the full set|the whole set|alle|sämtliche|toutes?|tous)"
    r"(?:\s+(?:of|single|one))*"
)
_MET = (
    r"(?:(?:was|were|is|are|has been|have been|had been)\s+(?:\w+\s+)?(?:met|passed|fulfilled|satisfied|"
    r"reached|achieved|"
    r"successful|green|kept|observed|complied with|in place|effective|implemented|closed|in order)|pass(?:ed)?\b|"
    r"hold\b|"
    r"(?:met|meet|reached|achieved|exceeded|kept|keep|stay within|stayed within)\s+(?:their|the|its)\s+(?:\w+\s+){0,2}?"
    r"(?:goals?|targets?|criteri\w+|thresholds?|limits?|requirements?|minimums?)|erfüllt|bestanden)"
)
_MEETS = (
    r"(?:meets?|met|passe[sd]|fulfils?|fulfills?|fulfilled|satisfie[sd]|"
    r"clear(?:s|ed)|reache[sd]|achieve[sd]|keeps|kept)"
)
_FULFILLED = re.compile(
    rf"(?:{_ALL}\s+(?:[\w-]+\s+){{0,4}}?{_THINGS}\s+(?:\w+\s+){{0,3}}?{_MET}"
    rf"|{_MEETS}\s+(?:on\s+)?{_ALL}\s+(?:\w+\s+){{0,4}}?{_THINGS}(?!\w)(?!\s+(?:of|under|in|set "
    rf"by)\s+(?:the\s+)?(?:eu\s+)?"
    r"(?:gdpr|ai|mdr|law|regulation|directive|act|machinery)(?!\w))"
    rf"|(?:passed|cleared|successful|positive)\s+(?:on|in|at)\s+{_ALL}\s+(?:\w+\s+){{0,3}}?{_THINGS}"
    r"|(?:audit|assessment|review|acceptance|test)\s+(?:was|has been|is)\s+(?:fully|completely|entirely)\s+(?:passed|"
    r"successful|positive)"
    r"|no\s+(?:criterion|gate|check|test|threshold|endpoint|requirement)\s+(?:\w+\s+)?(?:failed|was missed|"
    r"was violated|"
    r"is open|remains open|was left open)"
    r"|(?:none|not one)\s+of\s+(?:the\s+|its\s+)?(?:\w+\s+){0,3}?(?:criteria|gates|checks|tests|thresholds|"
    r"endpoints)\s+"
    r"(?:\w+\s+)?(?:failed|was missed|were missed)"
    r"|(?:wurden?|sind)\s+(?:\w+\s+)?alle\s+(?:\w+\s+)?(?:kriterien|anforderungen)\s+(?:\w+\s+)?erfüllt)",
    re.IGNORECASE,
)
_OWN_WORDS = re.compile(
    r"(?<!\w)(?:requirements?|no|none|not one)(?=\s+(?:of|for|to|criterion|gate|check|test|threshold|"
    r"endpoint|requirement)\b)",
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
    r"(?:inconclusive|open|undecided|not[ _-]measured|not[ _-]tested|pending|unknown|partial(?:ly)?|missing)",
    re.IGNORECASE,
)
_PASSED = re.compile(
    r"(?:pass(?:ed|es)?|met|ok|yes|true|fulfilled|green|success(?:ful)?|approved|erfüllt|bestanden)", re.IGNORECASE
)


def check(document: Document, evidence: Evidence) -> Iterator[Finding]:
    """Every declaration of a document that the criteria of the evidence do not bear."""
    for sentence in document.sentences:
        if sentence.kind in {"code", "meta"}:
            continue
        match, strict = _DECLARES.search(sentence.text), True
        if match is None:
            match, strict = _FULFILLED.search(sentence.text), False
        if match is None or not _claims(sentence, match):
            continue
        failed, undecided, passed = results(evidence)
        if failed or undecided:
            bad = (failed or undecided)[0]
            how = f"{len(failed)} failed" if failed else f"{len(undecided)} undecided"
            yield Finding(
                RULES["declaration-failed"],
                sentence,
                "high",
                f"This is declared beside criteria of which {how}.",
                ("Say which criteria failed or are open, and let a named person decide. Declare nothing before."),
                match.span(),
                bad.proof,
            )
        elif not passed or (strict and not _declaration_recorded(evidence)):
            yield Finding(
                RULES["declaration-failed"],
                sentence,
                "medium",
                "This is declared, and no evidence bears it.",
                "Add the record of the criteria, and of who declares it, or take it out.",
                match.span(),
            )


def _claims(sentence: Sentence, match: re.Match[str]) -> bool:
    """`No criterion failed` and `requirements of the Act` deny and ask for nothing."""
    text = _OWN_WORDS.sub(lambda m: " " * len(m[0]), sentence.text)
    return saying.asserted(dataclasses.replace(sentence, text=text), *match.span())


@functools.lru_cache(maxsize=8)
def results(evidence: Evidence) -> tuple[tuple[Entry, ...], tuple[Entry, ...], tuple[Entry, ...]]:
    """Criteria of the evidence that failed, are undecided, passed."""
    failed, undecided, passed = [], [], []
    for entry in evidence.entries:
        if entry.derived:
            continue
        about_result = entry.key.lower() in _RESULT_KEYS or (
            len(entry.path) > 1
            and str(entry.path[-2]).lower() in {"tests", "gates", "checks", "criteria", "acceptance", "endpoints"}
        )
        if not about_result:
            continue
        if entry.value is False or (isinstance(entry.value, str) and _FAILED.fullmatch(entry.value.strip())):
            failed.append(entry)
        elif isinstance(entry.value, str) and _OPEN.fullmatch(entry.value.strip()):
            undecided.append(entry)
        elif entry.value is True or (isinstance(entry.value, str) and _PASSED.fullmatch(entry.value.strip())):
            passed.append(entry)
    return tuple(failed), tuple(undecided), tuple(passed)


def _declaration_recorded(evidence: Evidence) -> bool:
    return any(
        isinstance(e.value, str) and e.value and {"declaration", "declared", "conformity"} & e.word_set
        for e in evidence.entries
    )
