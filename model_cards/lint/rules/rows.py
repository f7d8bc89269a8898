"""Rows of tables that name a check: its value and outcome as recorded, and the value inside its own interval."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence

from model_cards.lint import matching, mentions, recorded
from model_cards.lint.evidence import Entry, Evidence
from model_cards.lint.model import Document, Finding, Sentence
from model_cards.lint.pool import Pool
from model_cards.lint.rules.catalogue import RULES

_MEASURED = re.compile(r"measured|value|estimate|result|score|gemessen|wert|mesuré|valeur", re.IGNORECASE)
_INTERVALS = re.compile(r"interval|(?<!\w)CI(?!\w)|confidence|intervall|intervalle", re.IGNORECASE)
_SLICES = re.compile(r"slice|group|subset|gruppe|teil|groupe|sous-ensemble", re.IGNORECASE)
_OUTCOMES = re.compile(r"outcome|status|verdict|passed|ergebnis|résultat", re.IGNORECASE)
_ENDS = re.compile(r"^[\s\[(]*([-−]?\d*[.,]?\d+)\s*%?\s*(?:,|;|to|–|—|bis|à)\s*([-−]?\d*[.,]?\d+)\s*%?[\s\])]*$", re.I)
_SAID = {
    "pass": "pass", "passed": "pass", "fail": "fail", "failed": "fail", "inconclusive": "inconclusive",
    "undecided": "inconclusive",
}  # fmt: skip


def outside(document: Document, _: Evidence) -> Iterator[Finding]:
    """A row whose value lies outside the interval in the cell beside it. Needs no evidence."""
    for row in _rows(document):
        value, interval = _cell(row, _MEASURED), _cell(row, _INTERVALS)
        ends = _ENDS.match(interval.text) if interval is not None else None
        said = mentions.find(value) if value is not None else []
        if value is None or ends is None or len(said) != 1 or said[0].hedge != "exact":
            continue
        low, high = sorted(float(end.replace(",", ".").replace("−", "-")) for end in ends.groups())
        step = 0.5 * 10.0 ** -said[0].readings[0][1]
        scale = 100 if said[0].unit == "%" and high <= 1 else 1
        step /= scale
        if said[0].unit not in {"", "%"} or any(
            low - step <= number / scale <= high + step for number, _ in said[0].readings
        ):
            continue
        yield Finding(
            RULES["point-outside"],
            value,
            "high",
            f"{value.text} lies outside the interval in its row, {interval.text if interval else ''}.",
            "Take the value and the interval of one measurement.",
            (said[0].begin, said[0].end),
        )


def check(document: Document, evidence: Evidence) -> Iterator[Finding]:
    """A row that has a check's title, and another value or outcome than the check's record."""
    by_title: dict[str, list[recorded.Record]] = {}
    for record in recorded.checks(evidence):
        if record.title:
            by_title.setdefault(record.title.casefold(), []).append(record)
    for row in _rows(document) if by_title else ():
        records = by_title.get(row[0].row.replace("\\", "").casefold(), [])
        if records:
            yield from _value(row, records)
            yield from _outcome(row, records)


def _value(row: Sequence[Sentence], records: Sequence[recorded.Record]) -> Iterator[Finding]:
    cell, part = _cell(row, _MEASURED), _cell(row, _SLICES)
    said = mentions.find(cell) if cell is not None else []
    if cell is None or part is None or len(said) != 1 or said[0].unit not in {"", "%"}:
        return
    named = part.text.replace("\\", "").strip()
    held: list[Entry] = [f["value"] for r in records for slice_, f in r.own() if slice_ == named]
    if not held or matching.true_of(said[0], Pool(tuple(held))):
        return
    yield Finding(
        RULES["number-differs"],
        cell,
        "high",
        (
            f"{cell.text} is given for “{row[0].row}”, {named}; "
            f"the record of this check has {float(held[0].value or 0):.4g}."
        ),
        "Take the value of the record, or add the evidence of this one.",
        (said[0].begin, said[0].end),
        held[0].proof,
    )


def _outcome(row: Sequence[Sentence], records: Sequence[recorded.Record]) -> Iterator[Finding]:
    cell = _cell(row, _OUTCOMES)
    said = _SAID.get(cell.text.strip(" *_.").casefold()) if cell is not None else None
    held = [r.status for r in records if r.status is not None]
    if cell is None or said is None or not held or said in {str(e.value) for e in held}:
        return
    yield Finding(
        RULES["outcome-differs"],
        cell,
        "high",
        f"“{row[0].row}” is said to have another outcome than the evidence holds: {held[0].value}.",
        "Take the outcome of the record.",
        (0, len(cell.text)),
        held[0].proof,
    )


def _rows(document: Document) -> Iterator[list[Sentence]]:
    """Cells that stand in one row, without the first, which names it."""
    cells = (s for s in document.sentences if s.kind == "cell" and s.place.cell is not None and s.row)
    for _, group in itertools.groupby(cells, key=lambda s: (s.place.cell[0] if s.place.cell else 0, s.row)):
        if row := [s for s in group if s.text != s.row]:
            yield row


def _cell(row: Sequence[Sentence], column: re.Pattern[str]) -> Sentence | None:
    """The one cell under such a head."""
    found = [s for s in row if column.search(s.column)]
    return found[0] if len(found) == 1 else None
