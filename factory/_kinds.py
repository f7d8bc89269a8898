"""The kinds of columns as their values show them, by the rules by which a run will convert them."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Collection
from typing import Any, Literal

import numpy as np

from configs import data
from factory import _conversion, _numbers
from factory._raw import RawTable, Values

Kind = Literal["numeric", "integer", "categorical"]
_MISSING = _conversion.meaning_missing(*data.Data.model_fields["missing_values"].default)
_THOUSANDS = 3
"""Digits after a comma that may as well separate thousands."""


@dataclasses.dataclass(frozen=True)
class Kinds:
    """What the columns of a table are."""

    rows: int
    decimal: Literal[".", ","]
    """What stands before the decimals of numbers that are written as text."""
    kinds: dict[str, Kind]
    """Column to kind, in the order of the table."""
    notes: dict[str, str]
    """Column to what a person should know of how it is read."""
    unreadable: dict[str, str]
    """Column to why it is of no kind."""


def of(raw: RawTable, wanted: Collection[str]) -> Kinds:
    """Look at every value of some columns.

    Raises:
        DataError: The table is damaged.
    """
    columns = {name: _Column() for name in raw.names if name in wanted}
    position = {name: i for i, name in enumerate(raw.names)}
    rows = 0
    for piece in raw.pieces:
        for name, column in columns.items():
            column.add(piece[position[name]], rows)
        rows += max((len(values) for values in piece), default=0)
    commas = any(column.has_decimal_commas for column in columns.values())
    comma = commas and not any(column.has_points for column in columns.values())
    kinds = {name: kind for name, column in columns.items() if (kind := column.kind(comma=comma))}
    notes = {name: note for name in kinds if (note := columns[name].note(comma=comma, mixed=commas and not comma))}
    unreadable = {name: column.unreadable for name, column in columns.items() if name not in kinds}
    return Kinds(rows, "," if comma else ".", kinds, notes, unreadable)


class _Column:
    """The values of one column, counted by what they could be."""

    def __init__(self) -> None:
        self._rows: Counter[str] = Counter()
        self._first: dict[str, int] = {}
        self._decimals = False
        """Has some number decimals after a comma that cannot be thousands?"""
        self._points = False
        self._told = ""

    def add(self, values: Values, before: int) -> None:
        """Count the values of a piece that begins after so many rows."""
        if self._told or not len(values):
            return
        for kind, label in (("integer", "whole"), ("numeric", "real")):
            plain = _numbers.converted(values, kind, _numbers.equal_to(_MISSING))
            if plain is not None:  # an Arrow column of numbers
                self._rows[label] += int(plain.notna().sum())
                return
        try:
            codes, uniques = _conversion.distinct(values)
        except _conversion.Unreadable as problem:
            self._told = str(problem)
            return
        times = np.bincount(codes[codes >= 0], minlength=len(uniques))
        for code, value in enumerate(uniques):
            label = self._label(value)
            self._rows[label] += int(times[code])
            if label in ("text", "nothing") and label not in self._first:
                self._first[label] = before + int(np.argmax(codes == code)) + 1

    def _label(self, value: Any) -> str:
        """`whole`, `real` or `comma` (a number as text with a comma); `text`, `nothing`, or `missing`."""
        value = _conversion.present(value, _MISSING)
        if value is None:
            return "missing"
        if isinstance(value, (bool, np.bool_)):
            return "text"  # an answer, not a number, though it could be read as one
        if isinstance(value, str) and "," in value:
            return self._with_comma(value)
        for convert, label in ((_conversion.integer, "whole"), (_conversion.number, "real")):
            try:
                convert(value)
            except _conversion.Unfit:
                continue
            self._points |= isinstance(value, str) and "." in value
            return label
        try:
            _conversion.text(value)
        except _conversion.Unfit:
            return "nothing"
        return "text"

    def _with_comma(self, value: str) -> str:
        try:
            _conversion.number(_conversion.with_point(value))
        except _conversion.Unfit:
            return "text"
        self._decimals |= len(value.rpartition(",")[2]) != _THOUSANDS
        return "comma"

    @property
    def _all_numbers(self) -> bool:
        return not self._rows["text"] and not self._rows["nothing"]

    @property
    def has_decimal_commas(self) -> bool:
        """Are its values numbers with decimal commas, and none with a point?"""
        return self._decimals and self._all_numbers and not self._points

    @property
    def has_points(self) -> bool:
        """Are its values numbers written with points?"""
        return self._points and self._all_numbers and not self._rows["comma"]

    def kind(self, *, comma: bool) -> Kind | None:
        """What it is; None where it is of no kind."""
        if self._told or self._rows["nothing"]:
            return None
        numbers = self._all_numbers and not (self._points if comma else self._rows["comma"])
        if not numbers or not self._rows["whole"] + self._rows["real"] + self._rows["comma"]:
            return "categorical"
        return "numeric" if self._rows["real"] or self._rows["comma"] else "integer"

    @property
    def unreadable(self) -> str:
        """Why it is of no kind."""
        row = self._first.get("nothing")
        return self._told or f"expected text or finite numbers, got something else first in row {row}; correct it"

    def note(self, *, comma: bool, mixed: bool) -> str | None:
        """What a person should know of how it is read."""
        numbers = self._rows["whole"] + self._rows["real"]
        others = self._rows["text"]
        if self._rows["comma"] and self._all_numbers and not comma:
            if mixed:
                return "numbers with decimal commas, where other columns have points: write all with points"
            return "numbers with commas that may be decimals or thousands: write them without, decimals with a point"
        if others and numbers > others:
            return (
                f"{others:,} of {numbers + others:,} values are no numbers, first in row {self._first['text']}: if "
                "they mean missing, name them in missing_values and give the column the kind numeric"
            )
        return None
