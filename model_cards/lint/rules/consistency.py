"""What documents say differently in two places, where no evidence settles it."""

from __future__ import annotations

import collections
import dataclasses
from collections.abc import Iterator, Sequence

from model_cards.lint import lexicon, matching, mentions
from model_cards.lint.evidence import Evidence
from model_cards.lint.model import Document, Finding, Sentence
from model_cards.lint.rules import counts, days, names, tokens
from model_cards.lint.rules.catalogue import RULES

SMALL = 100


@dataclasses.dataclass(frozen=True)
class Statement:
    """One thing that a sentence says."""

    rule: str
    subject: str
    value: str
    sentence: Sentence
    span: tuple[int, int]


def check(documents: Sequence[Document], evidence: Evidence) -> Iterator[Finding]:
    """Every statement that differs from an earlier or more frequent one on the same subject."""
    said: dict[tuple[str, str], list[Statement]] = collections.defaultdict(list)
    for document in documents:
        for sentence in document.sentences:
            if sentence.kind not in {"code", "meta"}:
                for statement in _statements(sentence, evidence):
                    said[statement.rule, statement.subject].append(statement)
    for statements in said.values():
        yield from _conflicts(statements)


def _statements(sentence: Sentence, evidence: Evidence) -> Iterator[Statement]:
    yield from _counts(sentence, evidence)
    if not names.recorded_families(evidence):
        for span in names.stated_families(sentence):
            yield Statement("model-conflict", "the model", span.concept, sentence, (span.begin, span.end))
    if not evidence.versions:
        for value, begin, end in names.stated_versions(sentence, ()):
            yield Statement("version-conflict", "the system", value, sentence, (begin, end))
    for event, date in days.stated_dates(sentence):
        known = any(date.agrees(d) for d, _ in evidence.dates)
        if date.day and event in {"trained", "evaluated", "approved"} and not known and not evidence.dates:
            yield Statement("date-conflict", f"when it was {event}", date.iso, sentence, (date.begin, date.end))


def _counts(sentence: Sentence, evidence: Evidence) -> Iterator[Statement]:
    """Counts of all rows, or of a part, that no evidence carries. What the evidence carries is compared elsewhere."""
    text = tokens.of(sentence.text)
    found = [m for m in mentions.find(sentence) if m.whole and m.hedge == "exact" and m.value >= SMALL]
    for mention in found:
        part = counts.part_of(sentence, text, mention)
        noun = counts.counted(sentence, text, mention, evidence)
        if (
            part
            and noun
            and noun[1]
            and len(found) == 1
            and not matching.first(mention, counts.everything(evidence))
            and not evidence.counts
        ):
            yield Statement(
                "count-conflict", f"rows ({part})", f"{mention.value:,.0f}", sentence, (mention.begin, mention.end)
            )


def _conflicts(statements: Sequence[Statement]) -> Iterator[Finding]:
    frequent = collections.Counter(s.value for s in statements)
    if len(frequent) < 2:
        return
    first = {s.value: s for s in reversed(statements)}
    best = max(frequent, key=lambda value: (frequent[value], -statements.index(first[value])))
    for statement in statements:
        if statement.value == best or _compatible(statement, best):
            continue
        other = first[best].sentence.place
        yield Finding(
            RULES[statement.rule],
            statement.sentence,
            "medium",
            f"{statement.value} stands here for {statement.subject}; {best} stands in {other.file}, {other.short}.",
            "Make both places say the same, and name the evidence.",
            statement.span,
            None,
            other,
        )


def _compatible(statement: Statement, best: str) -> bool:
    return statement.rule == "model-conflict" and (
        names.agree(statement.value, best)
        or lexicon.load().families[statement.value].parent == lexicon.load().families[best].parent == "neural"
    )
