"""Rows of tables, and those of them that name a check: its value and outcome as recorded."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence

from model_cards.lint import matching, mentions, recorded
from model_cards.lint.evidence import Entry, Evidence
from model_cards.lint.model import Document, Finding, Sentence
from model_cards.lint.pool import Pool
from model_cards.lint.rules.catalogue import RULES

MEASURED = re.compile(r"measured|value|estimate|result|score|gemessen|wert|mesuré|valeur", re.IGNORECASE)
"""Heads of columns of measured values."""
_SLICES = re.compile(r"slice|group|subset|gruppe|teil|groupe|sous-ensemble", re.IGNORECASE)
_OUTCOMES = re.compile(r"outcome|status|verdict|passed|ergebnis|résultat", re.IGNORECASE)
_SAID = {
    "pass": "pass",
    "passed": "pass",
    "fail": "fail",
    "failed": "fail",
    "inconclusive": "inconclusive",
    "undecided": "inconclusive",
}
"""Word of a cell to the outcome that it says."""


def check(document: Document, evidence: Evidence) -> Iterator[Finding]:
    """A row that has a check's title, and another value or outcome than the check's record."""
    titles = {record.name: record.title.casefold() for record in recorded.checks(evidence) if record.title}
    by_title: dict[str, list[recorded.Record]] = {}
    for record in recorded.checks(evidence):
        if record.name in titles:  # what a gate says of a check has its name alone
            by_title.setdefault(titles[record.name], []).append(record)
    for row in of(document) if by_title else ():
        records = by_title.get(row[0].row.replace("\\", "").casefold(), [])
        if records:
            yield from _value(row, records)
            yield from _outcome(row, records)


def _value(row: Sequence[Sentence], records: Sequence[recorded.Record]) -> Iterator[Finding]:
    """The measured value of a row, against the values of that check in the slice that the row names."""
    measured, part = cell(row, MEASURED), cell(row, _SLICES)
    said = mentions.find(measured) if measured is not None else []
    if measured is None or part is None or len(said) != 1 or said[0].unit not in {"", "%"}:
        return
    named = _slice(part)
    held: list[Entry] = [f["value"] for r in records for slice_, f in r.own() if slice_ == named]
    if not held or matching.true_of(said[0], Pool(tuple(held))):
        return
    yield Finding(
        RULES["number-differs"],
        measured,
        "high",
        (
            f"{measured.text} is given for “{row[0].row}”, {named}; "
            f"the record of this check has {float(held[0].value or 0):.4g}."
        ),
        "Take the value of the record, or add the evidence of this one.",
        (said[0].begin, said[0].end),
        held[0].proof,
    )


def _outcome(row: Sequence[Sentence], records: Sequence[recorded.Record]) -> Iterator[Finding]:
    """The outcome of a row, against the outcomes that the records of its check hold."""
    told = cell(row, _OUTCOMES)
    said = _SAID.get(told.text.strip(" *_.").casefold()) if told is not None else None
    part = cell(row, _SLICES)
    of_slice = [r for r in records if part is not None and r.slice == _slice(part)]
    held = [r.status for r in of_slice or records if r.status is not None]
    if told is None or said is None or not held or said in {str(e.value) for e in held}:
        return
    yield Finding(
        RULES["outcome-differs"],
        told,
        "high",
        f"“{row[0].row}” is said to have another outcome than the evidence holds: {held[0].value}.",
        "Take the outcome of the record.",
        (0, len(told.text)),
        held[0].proof,
    )


def _slice(part: Sentence) -> str:
    """The name of a slice as records have it."""
    return part.text.replace("\\", "").strip()


def of(document: Document) -> Iterator[list[Sentence]]:
    """Cells that stand in one row, without the first, which names it."""
    cells = (s for s in document.sentences if s.kind == "cell" and s.place.cell is not None and s.row)
    for _, group in itertools.groupby(cells, key=lambda s: (s.place.cell[0] if s.place.cell else 0, s.row)):
        if row := [s for s in group if s.text != s.row]:
            yield row


def cell(row: Sequence[Sentence], column: re.Pattern[str]) -> Sentence | None:
    """The one cell under such a head."""
    found = [s for s in row if column.search(s.column)]
    return found[0] if len(found) == 1 else None
