"""Claims that something was done or holds, against what the evidence says of it."""

from __future__ import annotations

import dataclasses
import functools
import re
from collections.abc import Iterator
from pathlib import Path

from configs import strict_yaml
from configs.base import Section
from model_cards.lint import words
from model_cards.lint.evidence import Entry, Evidence
from model_cards.lint.model import Document, Finding, Sentence
from model_cards.lint.rules import equality, saying
from model_cards.lint.rules.catalogue import RULES

PLACE = Path(__file__).parents[1] / "claims.yaml"
_GAP = r"(?:[^\s]+\s+){0,6}?"
SHORT = 3
"""Words of a piece of a sentence that stand in many texts; more can be a person's statement that is quoted."""
_NEGATIVE = re.compile(
    r"(?:false|no|none|null|nil|n/?a|not (?:measured|applicable|applied|done|tested|available|"
    r"performed|evaluated|a feature|run|started)|not_\w+|absent|missing|"
    r"never(?: \w+)?|not \w+|removed|retired|outstanding|fail(?:ed|ure)?|pending|planned|open|todo|tbd|unknown|"
    r"skipped|disabled|off|inactive|refused|"
    r"rejected|withdrawn|expired|unmeasured|in preparation|in progress|under way|ongoing|drafted|draft|ordered|"
    r"requested|scheduled|awaited|not (?:executed|begun|issued|given|met|yet)|0)\b",
    re.IGNORECASE,
)
_IMAGINED = re.compile(
    r"(?<!\w)(?:must|may|shall|should|would|could|never|if|planned|forbidden|prohibited|misuse|not)(?!\w)",
    re.IGNORECASE,
)
_DOUBLY = re.compile(r"(?<!\w)(?:no|never|none|nothing|nobody)(?!\w)[^.;]*(?<!\w)without(?!\w)", re.IGNORECASE)
_IF = re.compile(r"(?<!\w)(?:if|unless|provided that|whether|wenn|sofern|si)(?!\w)", re.IGNORECASE)
_OWN_DENIAL = re.compile(r"(?<!\w)(?:no|without|free of)(?!\w)", re.IGNORECASE)
_FOUND_NONE = re.compile(
    (
        r"(?<!\w)(?:(?:and|but|which) failed|failed(?=\s+to\s+(?:break|get|gain|fool|mislead|find)))(?!\w)|"
        r"(?<!\w)(?:could not|cannot|can not|unable)(?=\s+(?:to )?(?:get|break|hack|enter|penetrat|fool|mislead|be))|"
        r"(?<!\w)(?:not|nobody is)(?=\s+(?:disadvantaged|biased|discriminated|treated worse))|"
        r"(?<!\w)(?:no|without|free of|none)(?=\s+(?:\w+\s+){0,3}?(?:weakness|vulnerabilit|issue|"
        r"problem|finding|flaw|bias|difference|discriminat|disparit|defect|risk))"
    ),
    re.IGNORECASE,
)
OUTCOMES = frozenset({"outcome", "status", "result", "verdict", "decision", "conclusion", "state", "answer", "finding"})
"""Keys of what came of a check."""
_NOT_PASSED = re.compile(
    r"(?:fail\w*|inconclusive|open|pending|planned|outstanding|none|no|never|missing|not[ _-]\w+|skipped|undecided|"
    r"violated|refused|rejected|missed)\b",
    re.IGNORECASE,
)
_NEGATIVE_WORDS = (
    ("not", "measured"),
    ("not", "applicable"),
    ("not", "measure"),
    ("skipped",),
    ("planned",),
    ("disabled",),
)


class Claim(Section):
    """One kind of claim."""

    id: str
    title: str
    says: tuple[str, ...]
    unless: str | None = None
    about: str
    strict: bool = False
    """Does only a value that says so support it?"""
    strict_pass: bool = False
    """Does only a criterion that passed support it?"""
    denied_too: bool = False
    """Does the claim itself speak of nothing having been found, so that `no` in it denies nothing?"""
    reverse: bool = False
    """Does it say that something is not so, so that evidence of it contradicts, and none is asked for?"""
    advice: str


class Claims(Section):
    """The file."""

    version: int
    claims: tuple[Claim, ...]


@dataclasses.dataclass(frozen=True)
class _Compiled:
    claim: Claim
    says: tuple[re.Pattern[str], ...]
    unless: re.Pattern[str] | None


@functools.cache
def load() -> tuple[_Compiled, ...]:
    """Read the table of claims that ships with proofline."""
    found = Claims.model_validate(strict_yaml.parse(PLACE.read_text(encoding="utf-8"), "table of claims"))
    return tuple(
        _Compiled(
            claim,
            tuple(re.compile(rf"(?<!\w)(?:{text.replace('~', _GAP)})(?!\w)", re.IGNORECASE) for text in claim.says),
            re.compile(claim.unless, re.IGNORECASE) if claim.unless else None,
        )
        for claim in found.claims
    )


def check(document: Document, evidence: Evidence) -> Iterator[Finding]:
    """Every claim of a document that the evidence contradicts, or holds nothing about."""
    for sentence in document.sentences:
        if sentence.kind in {"code", "meta"} or len(sentence.text) < 12:
            continue
        for claim, match in _said(sentence.text):
            if finding := _claim(sentence, claim, match, evidence):
                yield finding
                break


# The same sentence stands in a document as Markdown and as HTML.
@functools.lru_cache(maxsize=1 << 16)
def _said(text: str) -> tuple[tuple[Claim, re.Match[str]], ...]:
    """The claims whose words stand in a text, and where."""
    found = []
    for compiled in load():
        if compiled.unless and compiled.unless.search(text):
            continue
        if match := next((m for pattern in compiled.says if (m := pattern.search(text))), None):
            found.append((compiled.claim, match))
    return tuple(found)


def _claim(sentence: Sentence, claim: Claim, match: re.Match[str], evidence: Evidence) -> Finding | None:
    if not _is_claim(sentence, match, claim):
        return None
    split = (*re.split(r"[;:](?=\s)", sentence.text), sentence.text)
    pieces = [part for part in split if (len(part) > 30 or len(part.split()) > SHORT) and match[0] in part]
    if any(" ".join(words.words(part)) in evidence.quotes for part in pieces):
        return None  # a person's statement, as the evidence holds it
    supports, contradicts = weigh(evidence, claim.about, strict=claim.strict)
    if claim.reverse:
        contradicts = tuple(entry for entry in supports if entry.value is True or isinstance(entry.value, str))
        supports = ()
        if not contradicts:
            return None
    if claim.strict_pass and not contradicts and re.search(r"\d", sentence.text):
        return None  # it gives its figure, which is held to the evidence by itself
    if claim.strict_pass:
        supports, contradicts = _of_attribute(sentence.text, supports, contradicts)
        supports = tuple(e for e in supports if _passed(e))
    if supports or (claim.strict_pass and not contradicts and equality.borne_out(sentence, evidence)):
        return None
    if contradicts:
        return Finding(
            RULES["claim-contradicted"],
            sentence,
            "high",
            f"The sentence claims {claim.title}; the evidence says otherwise.",
            claim.advice,
            match.span(),
            contradicts[0].proof,
        )
    return Finding(
        RULES["claim-unsupported"],
        sentence,
        "medium",
        f"The sentence claims {claim.title}; no evidence speaks of it.",
        claim.advice,
        match.span(),
    )


_ATTRIBUTES = {
    "age": re.compile(r"(?<!\w)(?:age|ages|aged|young(?:er)?|old(?:er)?|elderly)(?!\w)", re.IGNORECASE),
    "gender": re.compile(r"(?<!\w)(?:gender|sex|sexes|women|men|female|male)(?!\w)", re.IGNORECASE),
}


def _of_attribute(
    text: str, supports: tuple[Entry, ...], contradicts: tuple[Entry, ...]
) -> tuple[tuple[Entry, ...], tuple[Entry, ...]]:
    """Only what speaks of the attribute that the sentence names, where the evidence denies it of that one."""
    for pattern in _ATTRIBUTES.values():
        if pattern.search(text):
            against = tuple(e for e in contradicts if pattern.search(_spoken(e)))
            if against:
                return tuple(e for e in supports if pattern.search(_spoken(e))), against
    return supports, contradicts


def _is_claim(sentence: Sentence, match: re.Match[str], claim: Claim) -> bool:
    if claim.reverse:
        low, high = saying.clause(sentence.text, *match.span())
        if _DOUBLY.search(sentence.text[low:high]):
            return False  # `no rejection goes out without a person`
        if _IF.search(sentence.text[: match.start()]):
            return False  # `a derogation holds if … and no person is profiled`
        part = sentence.text[low : match.start()] + sentence.text[match.end() : high]
        return not sentence.text.rstrip().endswith("?") and not _IMAGINED.search(part)
    if not claim.denied_too:
        return saying.asserted(sentence, *match.span())
    # The claim holds its own `no`: blank it before looking for others.
    begin, end = match.span()
    inside = _OWN_DENIAL.sub(lambda m: " " * len(m[0]), sentence.text[begin:end])
    whole = _FOUND_NONE.sub(lambda m: " " * len(m[0]), sentence.text[:begin] + inside + sentence.text[end:])
    cleared = dataclasses.replace(sentence, text=whole)
    return saying.asserted(cleared, begin, end)


@functools.lru_cache(maxsize=512)
def _relevant(evidence: Evidence, about: str) -> tuple[Entry, ...]:
    pattern = re.compile(rf"(?<!\w)(?:{about})(?!\w)", re.IGNORECASE)
    lines = _lines(evidence)
    hits = {line for line in {line for own in lines for line in own} if pattern.search(line)}
    return tuple(e for e, own in zip(evidence.entries, lines, strict=True) if not hits.isdisjoint(own))


@functools.lru_cache(maxsize=4)
def _lines(evidence: Evidence) -> tuple[tuple[str, ...], ...]:
    """Of each entry its words and those of a short text; many entries share a line, which is looked at once."""
    return tuple(
        (_spoken(e), " ".join(words.words(e.value)))
        if isinstance(e.value, str) and len(e.value) < 300
        else (_spoken(e),)
        for e in evidence.entries
    )


def _spoken(entry: Entry) -> str:
    return " ".join(entry.words)


@functools.lru_cache(maxsize=512)
def weigh(evidence: Evidence, about: str, *, strict: bool) -> tuple[tuple[Entry, ...], tuple[Entry, ...]]:
    """What of the evidence supports, and what contradicts."""
    supports, contradicts = [], []
    for entry in _relevant(evidence, about):
        if negative(entry) or (entry.file, entry.path[:-1]) in _failed_blocks(evidence):
            contradicts.append(entry)
        elif not entry.derived and not (strict and not _says_so(entry, about)):
            supports.append(entry)
    return tuple(supports), tuple(contradicts)


@functools.lru_cache(maxsize=4)
def _failed_blocks(evidence: Evidence) -> frozenset[tuple[str, tuple[str | int, ...]]]:
    """Places whose own outcome is not a pass: `{topic: drift, result: NOT RUN}` says of drift that it was not run."""
    return frozenset(
        (e.file, e.path[:-1])
        for e in evidence.texts
        if e.key.lower() in OUTCOMES and e.path and _NOT_PASSED.match(str(e.value).strip()) and not e.derived
    )


def _says_so(entry: Entry, about: str) -> bool:
    """Does the place itself speak of it, with a value that is no mere number or description?"""
    pattern = re.compile(rf"(?<!\w)(?:{about})(?!\w)", re.IGNORECASE)
    keys = " ".join(" ".join(words.words(str(step))) for step in entry.path if isinstance(step, str))
    if entry.key.lower() in OUTCOMES:
        keys = f"{keys} {' '.join(entry.named)}"
    return bool(pattern.search(keys)) and (entry.value is True or isinstance(entry.value, str))


def negative(entry: Entry) -> bool:
    """Does a value say that something is not so, was not done, or failed?"""
    value = entry.value
    if value is None or value is False or value == "" or value == "[]":
        return True
    if entry.derived == "number of entries" and value == 0:
        return True
    if isinstance(value, str) and _NEGATIVE.match(value.strip()) and len(value) < 60:
        return True
    own = tuple(word for step in entry.path if isinstance(step, str) for word in words.words(step))
    return any(_holds(own, row) for row in _NEGATIVE_WORDS)


def _holds(row: tuple[str, ...], part: tuple[str, ...]) -> bool:
    return any(row[at : at + len(part)] == part for at in range(len(row) - len(part) + 1))


def _passed(entry: Entry) -> bool:
    """Is it of a criterion that passed?"""
    return bool({"pass", "passed"} & entry.word_set) or str(entry.value).lower() in {"pass", "passed"}
