"""What a text says of the gates of a run, all passed or two of three failed, against the decision of the gate."""

from __future__ import annotations

import collections
import dataclasses
import re
from collections.abc import Iterator

from model_cards.lint import decision, mentions
from model_cards.lint.decision import Decision, Line
from model_cards.lint.evidence import Evidence
from model_cards.lint.model import Document, Finding, Sentence
from model_cards.lint.rules import saying
from model_cards.lint.rules.catalogue import RULES

_COUNT = rf"\d{{1,3}}|{'|'.join(sorted(mentions.SPELLED, key=len, reverse=True))}"
_GATES = re.compile(
    rf"(?<![\w.,-])(?P<part>{_COUNT}|all|every|each|both|no|none|not one)"
    rf"(?:\s+(?:out\s+)?of)?(?:\s+(?:the|its|our))?(?:\s+(?P<whole>{_COUNT}))?(?:\s+(?P<required>required))?"
    r"\s+(?P<noun>gates?|checks?)(?:\s+of the plan)?\s+(?:(?:has|have|had|was|were|is|are|could|did)\s+)?(?:all\s+)?"
    r"(?:been\s+|be\s+)?(?P<how>pass(?:ed|es)?|met|green|fail(?:ed|s)?|missed|inconclusive|undecided|open|"
    r"not (?:be )?decided|not (?:have )?passed|not (?:been )?(?:passed|met))(?!\w)",
    re.IGNORECASE,
)
_STATUS = {"pass": "pass", "met": "pass", "gree": "pass", "fail": "fail", "miss": "fail"}
"""First letters of an outcome to its status; what is neither is open."""
_OWN_WORDS = re.compile(r"(?<!\w)(?:no|none|not|fail\w*|open|required)(?!\w)", re.IGNORECASE)
_EACH = frozenset({"all", "every", "each", "both"})
OPEN = frozenset({"inconclusive", "not_measured"})


def check(document: Document, evidence: Evidence) -> Iterator[Finding]:
    """Every sentence that counts gates otherwise than the decision of the run does."""
    found = decision.of(evidence)
    if found is None:
        return
    for sentence in document.sentences:
        for match in _GATES.finditer(sentence.text) if sentence.kind in {"prose", "cell"} else ():
            if not _holds(match, found) and _said(sentence, match):
                yield Finding(
                    RULES["declaration-failed"],
                    sentence,
                    "high",
                    f"This is said of the gates; of {_told(match, found)}.",
                    "Say which gates passed, failed or are open, as the decision of the run does.",
                    match.span(),
                    _first(match, found).entry.proof,
                )


def speaks_of_gates(sentence: Sentence, evidence: Evidence) -> bool:
    """Does a sentence count gates, beside the decision of a run?"""
    return decision.of(evidence) is not None and _GATES.search(sentence.text) is not None


def _said(sentence: Sentence, match: re.Match[str]) -> bool:
    """Is it claimed? Its own words for none, for a failure and for what is required deny and ask nothing."""
    begin, end = match.span()
    plain = _OWN_WORDS.sub(lambda m: "x" * len(m[0]), match[0])
    text = sentence.text[:begin] + plain + sentence.text[end:]
    return saying.asserted(dataclasses.replace(sentence, text=text), begin, end)


def _bases(match: re.Match[str], found: Decision) -> list[tuple[Line, ...]]:
    """The sets of lines that may be meant: gates of the plan, all lines, those required alone."""
    gates = found.of_plan or found.lines
    sets = [gates] if match["noun"].lower().startswith("gate") else [found.lines]
    sets += [tuple(line for line in lines if line.required) for lines in (gates, found.lines)]
    return sets[1:] if match["required"] else sets


def _holds(match: re.Match[str], found: Decision) -> bool:
    """Is it so of one of the sets that may be meant?"""
    part, whole, how = match["part"].lower(), match["whole"], match["how"].lower()
    bases = _bases(match, found)
    if whole is not None:
        bases = [lines for lines in bases if len(lines) == mentions.counting(whole)]
    return any(
        sum(_is(line, how) for line in lines) == (len(lines) if part in _EACH else mentions.counting(part) or 0)
        for lines in bases
    )


def _is(line: Line, how: str) -> bool:
    if how.startswith("not") and not how.endswith("decided"):
        return line.status != "pass"
    status = _STATUS.get(how[:4].strip())
    return line.status == status if status else line.status in OPEN


def _told(match: re.Match[str], found: Decision) -> str:
    """`11 gates of the plan 1 passed and 10 are inconclusive`."""
    lines = found.of_plan or found.lines
    counts = collections.Counter(line.status.replace("_", " ") for line in lines)
    listed = ", ".join(f"{count} {status}" for status, count in counts.most_common())
    named = "gates of the plan" if found.of_plan else "lines of the decision"
    return f"{len(lines)} {named} the decision has {listed}"


def _first(match: re.Match[str], found: Decision) -> Line:
    """A line that shows it: one that did not pass, where passing is claimed, or else the first."""
    lines = found.of_plan or found.lines
    return next((line for line in lines if line.status != "pass"), lines[0])
