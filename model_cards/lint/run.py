"""Linting documents against evidence: read, apply each rule, put the findings in order."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from configs import errors
from model_cards.lint import evidence as evidences
from model_cards.lint import readers
from model_cards.lint.evidence import Evidence
from model_cards.lint.model import CONFIDENCES, Confidence, Document, Finding, at_least
from model_cards.lint.rules import (
    aligned,
    alternatives,
    as_written,
    assurances,
    choices,
    claims,
    consistency,
    coverage,
    days,
    deadlines,
    decided,
    declarations,
    equality,
    features,
    frequencies,
    identifiers,
    intervals,
    law,
    misnamed,
    names,
    numbers,
    persons,
    placeholders,
    recorded,
    rows,
    siblings,
    stated,
    tables,
)

Check = Callable[[Document, Evidence], Iterable[Finding]]
WITHOUT_EVIDENCE: tuple[Check, ...] = (placeholders.check, law.check, deadlines.check, intervals.check)
AGAINST_EVIDENCE: tuple[Check, ...] = (
    as_written.check,
    recorded.check,
    recorded.outcome,
    rows.check,
    aligned.check,
    numbers.check,
    coverage.check,
    siblings.check,
    misnamed.check,
    names.check,
    days.check,
    frequencies.check,
    identifiers.check,
    features.check,
    features.used,
    features.taken,
    decided.check,
    declarations.check,
    declarations.counted,
    declarations.all_but,
    claims.check,
    assurances.check,
    stated.check,
    tables.check,
    equality.check,
    alternatives.check,
    persons.check,
    choices.check,
)


_OF_CELLS = frozenset({"number", "count", "model", "version"})
"""What is no question of a cell that the record of its row carries."""
_NAMES_OF_GROUPS = frozenset({"unspecified", "unknown", "not stated", "not specified", "none"})
"""Of these a group of the evidence may be called, too."""


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What a linting found."""

    documents: tuple[Document, ...]
    evidence: tuple[str, ...]
    """Files that were read as evidence. Without any, numbers and claims are not checked."""
    findings: tuple[Finding, ...]
    """In the order of the documents and of their text."""
    hidden: int = 0
    """Findings of less confidence than was asked for."""
    unreadable: tuple[str, ...] = ()
    """One sentence for each document that could not be read."""

    @property
    def exit_code(self) -> int:
        """0 nothing found, 1 findings, 3 a document could not be read."""
        if self.unreadable:
            return errors.EXIT_MISSING
        return errors.EXIT_FAIL if self.findings else errors.EXIT_PASS


def files(
    documents: Sequence[Path],
    evidence: Sequence[Path],
    least: Confidence,
    told: Callable[[str], object] = lambda _: None,
) -> Outcome:
    """Lint files.

    Args:
        documents: Markdown, HTML, DOCX or PDF.
        evidence: JSON, YAML or CSV files, folders with such files, or bundles.
        least: The lowest confidence to report.
        told: Called with what is being done, for a person who waits.

    Raises:
        UnreadableError: A file of the evidence cannot be read; nothing could be concluded then. A document that cannot
            be read is named in the outcome, and the others are checked.
    """
    told("reading the evidence")
    index = evidences.load(tuple(evidence)) if evidence else Evidence(())
    read: list[Document] = []
    unreadable: list[str] = []
    for path in documents:
        told(f"reading {path}")
        try:
            read.append(readers.read(path))
        except errors.UnreadableError as error:
            unreadable.append(str(error))
    told("comparing")
    found = lint(read, index)
    shown = tuple(finding for finding in found if at_least(finding.confidence, least))
    return Outcome(tuple(read), index.files, shown, len(found) - len(shown), tuple(unreadable))


def lint(documents: Sequence[Document], evidence: Evidence) -> tuple[Finding, ...]:
    """All findings of all confidences, in the order of documents and of their text.

    One sentence is reported once per kind of defect and words. What is a placeholder is nothing else, and what is
    declared beside failed criteria is no further claim.
    """
    order = {id(s): (d, n) for d, document in enumerate(documents) for n, s in enumerate(document.sentences)}
    found = list(_all(documents, evidence))
    found.sort(key=lambda f: (*order[id(f.sentence)], f.span, CONFIDENCES.index(f.confidence), f.rule.id))
    return tuple(_once(found))


def _all(documents: Sequence[Document], evidence: Evidence) -> Iterator[Finding]:
    checks = WITHOUT_EVIDENCE + (AGAINST_EVIDENCE if evidence.entries else ())
    for document in documents:
        carried = aligned.agreeing(document, evidence)
        for check in checks:
            yield from (f for f in check(document, evidence) if not _settled(f, carried))
    yield from consistency.check(documents, evidence)


def _settled(finding: Finding, carried: frozenset[int]) -> bool:
    """Is it on a cell that the record of its row carries, or that names a row as its record does?"""
    named = finding.rule.group == "placeholder" and finding.quoted.casefold() in _NAMES_OF_GROUPS
    return id(finding.sentence) in carried and (named or finding.rule.group in _OF_CELLS)


def _once(found: Sequence[Finding]) -> Iterator[Finding]:
    seen: set[tuple[int, tuple[int, int], str]] = set()
    declared = {id(f.sentence) for f in found if f.rule.group == "declaration"}
    for finding in found:
        key = (id(finding.sentence), finding.span, finding.rule.group)
        if key in seen or (finding.rule.id == "claim-unsupported" and id(finding.sentence) in declared):
            continue
        seen.add(key)
        yield finding
