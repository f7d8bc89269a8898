"""From values as read to values of the declared kind. What does not convert is an error, never a silent gap.

The same rules hold for text and for typed values, so that one table gives the same values whether it comes from CSV,
Parquet, Excel or a database:

- text is stripped; a text that means missing (`data.missing_values`, `column.missing_values`) is missing, and where it
  reads as a number the equal number is missing too; None and NaN are missing
- `numeric` → float64: numbers in decimal or scientific notation; −0 becomes 0; infinite is an error
- a number as text has its decimals after a point, or after a comma where `data.source.decimal` says so: then a point is
  no part of it
- `integer` → Int64: whole numbers, also when written `3.0`
- `categorical` → string: whole numbers without a decimal point (`1.0` becomes `1`), dates in ISO 8601
"""

from __future__ import annotations

import datetime
import decimal
import math
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from configs import data, errors
from factory import _numbers
from factory._raw import Piece, Values

_INFINITE = re.compile(r"[-+]?inf(?:inity)?", re.IGNORECASE)
_COMMA_NUMBER = re.compile(r"[-+]?(?:[0-9]+,?[0-9]*|,[0-9]+)(?:[eE][-+]?[0-9]+)?")
_MAX_DIGITS = 20
_INT64 = range(-(2**63), 2**63)


class Unfit(Exception):  # noqa: N818 - a signal within the reader, never seen outside
    """A value that is not of the declared kind."""


class _Infinite(Unfit):
    """A number without bound."""


class Unreadable(Exception):  # noqa: N818 - the same
    """A column whose values cannot be told apart; the text is the rest of a sentence about it."""


class Conversion:
    """The pieces of one raw table as frames; what does not convert is told when all rows have been seen."""

    def __init__(self, name: str, names: Sequence[str], declared: data.Data) -> None:
        """`name` is the table's in messages; `names` are those of its columns."""
        self._name, self._declared = name, declared
        self._comma = isinstance(declared.source, data.FileSource) and declared.source.decimal == ","
        self._position = {n: i for i, n in enumerate(names)}
        self._rows = 0
        self._unfit: dict[str, _UnfitValues] = {}
        self._unreadable: dict[str, str] = {}

    def frame(self, piece: Piece) -> pd.DataFrame | None:
        """The declared columns of a piece, in the order of the plan, each of its declared kind.

        None as soon as some value did not convert: such a table is only counted to its end.
        """
        found = {c.name: self._column(piece[self._position[c.name]], c) for c in self._declared.columns}
        self._rows += max((len(values) for values in piece), default=0)
        return None if self._unfit or self._unreadable else pd.DataFrame(found, copy=False)

    def require_fit(self) -> None:
        """Call after the last piece.

        Raises:
            DataError: Values of a column did not convert; of several such columns the first in the plan.
        """
        for column in self._declared.columns:
            if column.name in self._unreadable:
                raise errors.DataError(self._unreadable[column.name])
            if column.name in self._unfit:
                raise self._unfit[column.name].error(column, self._name, self._rows, comma=self._comma)

    def _column(self, values: Values, column: data.Column) -> pd.Series | None:
        if column.name in self._unreadable:
            return None
        missing = meaning_missing(*self._declared.missing_values, *column.missing_values)
        plain = _numbers.converted(values, column.kind, _numbers.equal_to(missing))
        if plain is not None:
            return plain
        try:
            codes, uniques = distinct(values)
        except Unreadable as problem:
            self._unreadable[column.name] = f"data file {self._name} column '{column.name}': {problem}"
            return None
        converted: list[Any] = [None] * len(uniques)
        unfit: dict[int, type[Unfit]] = {}
        for i, value in enumerate(uniques):
            try:
                converted[i] = _convert(value, column.kind, missing, comma=self._comma)
            except Unfit as problem:
                unfit[i] = type(problem)
        if unfit:
            self._unfit.setdefault(column.name, _UnfitValues()).add(codes, uniques, unfit, self._rows)
            return None
        return _series(codes, converted, column.kind)


def number(value: Any) -> float:
    """A finite number from text or from a typed value; see the module's rules."""
    if isinstance(value, str):
        if _INFINITE.fullmatch(value):
            raise _Infinite
        if not _numbers.NUMBER.fullmatch(value):
            raise Unfit
        value = float(value)
    if isinstance(value, (bool, np.bool_, int, float, np.integer, np.floating, decimal.Decimal)):
        try:
            result = float(value) + 0.0
        except OverflowError:
            raise _Infinite from None
        if math.isinf(result):
            raise _Infinite
        return result
    raise Unfit


def integer(value: Any) -> int:
    """A whole number that fits 64 bits."""
    if isinstance(value, str) and re.fullmatch(r"[-+]?[0-9]+", value):
        # Python refuses to read thousands of digits, leading zeros among them; a 64-bit number has at most 19.
        digits = value.lstrip("+-0") or "0"
        sign = -1 if value[0] == "-" else 1
        result = sign * int(digits) if len(digits) < _MAX_DIGITS else None
    elif isinstance(value, (bool, np.bool_, int, np.integer)):
        result = int(value)
    else:
        real = number(value)
        result = int(real) if real.is_integer() and abs(real) <= 2**53 else None
    if result is None or result not in _INT64:
        raise Unfit
    return result


def text(value: Any) -> str:
    """The text of a category."""
    if isinstance(value, str):
        return value
    if isinstance(value, (bool, np.bool_)):
        return str(bool(value))
    if isinstance(value, (int, np.integer)):
        return str(int(value))
    if isinstance(value, (float, np.floating, decimal.Decimal)):
        real = number(value)
        return str(int(real)) if real.is_integer() else repr(real)
    if isinstance(value, (datetime.date, datetime.time)):
        return value.isoformat()
    raise Unfit


_CONVERTERS = {"numeric": number, "integer": integer, "categorical": text}


def meaning_missing(*texts: str) -> frozenset[str]:
    """Texts that mean missing, as values are held against them."""
    return frozenset(t.strip() for t in texts)


def with_point(value: str) -> str:
    """A number written with a decimal comma as one with a point.

    Raises:
        Unfit: It is none.
    """
    if not _COMMA_NUMBER.fullmatch(value):
        raise Unfit
    return value.replace(",", ".")


def present(value: Any, missing: frozenset[str]) -> Any:
    """A value, a text of it stripped; None where it is missing, as far as its kind does not matter."""
    if isinstance(value, str):
        value = value.strip()
        return None if value in missing else value
    if isinstance(value, (float, np.floating, decimal.Decimal)) and math.isnan(value):
        return None
    return value


def _convert(value: Any, kind: str, missing: frozenset[str], *, comma: bool) -> Any:
    value = present(value, missing)
    if value is None:
        return None
    if comma and kind != "categorical" and isinstance(value, str) and not _INFINITE.fullmatch(value):
        value = with_point(value)
    result = _CONVERTERS[kind](value)
    if kind == "categorical":
        return None if result in missing else result
    return None if result in _numbers.equal_to(missing) else result


def distinct(values: Values) -> tuple[npt.NDArray[np.int64], list[Any]]:
    """Codes (rows,) into the distinct values, −1 for None. Values of different types stay apart."""
    if isinstance(values, pa.ChunkedArray):
        try:
            return _distinct_arrow(values)
        except (OverflowError, ValueError):
            raise Unreadable(
                "expected values that can be read, got dates beyond the years 1 to 9999, or text that is not UTF-8 "
                f"(stored as {values.type}). Correct the column."
            ) from None
    return _distinct_objects(values)


def _distinct_arrow(values: pa.ChunkedArray) -> tuple[npt.NDArray[np.int64], list[Any]]:
    try:
        encoded = values.combine_chunks().dictionary_encode()
    except pa.ArrowNotImplementedError:  # rare types; nested ones are refused below
        return _distinct_objects(values.to_pylist())
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.combine_chunks()
    return encoded.indices.fill_null(-1).to_numpy().astype(np.int64), encoded.dictionary.to_pylist()


def _distinct_objects(values: Sequence[Any]) -> tuple[npt.NDArray[np.int64], list[Any]]:
    seen: dict[Any, int] = {}
    codes = np.empty(len(values), dtype=np.int64)
    try:
        for i, value in enumerate(values):
            missing = value is None or value is pd.NA or value is pd.NaT
            codes[i] = -1 if missing else seen.setdefault((type(value), value), len(seen))
    except TypeError:
        raise Unreadable("expected one value in each row, got nested ones. Flatten the column.") from None
    return codes, [value for _, value in seen]


def _series(codes: npt.NDArray[np.int64], converted: list[Any], kind: str) -> pd.Series:
    if kind == "numeric":
        table = np.array([math.nan if v is None else v for v in (*converted, None)], dtype=np.float64)
        return pd.Series(table[codes])  # code −1 takes the last, which is missing
    absent = np.array([v is None for v in (*converted, None)])[codes]
    if kind == "integer":
        whole = np.array([0 if v is None else v for v in (*converted, None)], dtype=np.int64)
        return pd.Series(pd.arrays.IntegerArray(whole[codes], absent))
    texts = np.array([*converted, None], dtype=object)
    return pd.Series(pd.array(texts[codes], dtype="string"))


class _UnfitValues:
    """The values of a column that are not of its kind, counted over the pieces of a table."""

    def __init__(self) -> None:
        self._all, self._infinite = _Counted(), _Counted()
        self._texts = self._commas = self._points = True

    def add(self, codes: npt.NDArray[np.int64], uniques: list[Any], unfit: dict[int, type[Unfit]], before: int) -> None:
        """Count those of a piece that begins after so many rows."""
        infinite = [i for i, problem in unfit.items() if problem is _Infinite]
        self._all.add(codes, list(unfit), before)
        self._infinite.add(codes, infinite, before)
        self._texts &= all(isinstance(uniques[i], str) for i in unfit)
        self._commas &= self._texts and all(_COMMA_NUMBER.fullmatch(uniques[i].strip()) for i in unfit)
        self._points &= self._texts and all(_numbers.NUMBER.fullmatch(uniques[i].strip()) for i in unfit)

    def error(self, column: data.Column, name: str, rows: int, *, comma: bool) -> errors.DataError:
        """The sentence about them."""
        infinite = self._infinite.rows > 0
        shown = self._infinite if infinite else self._all
        what = "infinite values" if infinite else "values of another kind"
        expected = "finite numbers" if infinite else {"integer": "whole numbers", "numeric": "numbers"}.get(column.kind)
        remedy = "Correct them, declare the text that means missing in missing_values, or declare another kind."
        if column.kind != "categorical" and not infinite:
            if self._commas and not comma:
                remedy = "Write decimals with a point, or set data.source.decimal: ','."
            elif self._points and comma:
                remedy = "Write decimals with a comma, as data.source.decimal says, and no separator of thousands."
        return errors.DataError(
            f"data file {name} column '{column.name}'{' (target)' if column.role == 'target' else ''}: expected "
            f"{expected or 'text or numbers'} (kind {column.kind}), got {what} in {shown.rows} of {rows} rows, "
            f"first in row {shown.first}. {remedy}"
        )


class _Counted:
    """How many rows, and which is the first, from 1."""

    def __init__(self) -> None:
        self.rows, self.first = 0, 0

    def add(self, codes: npt.NDArray[np.int64], of: list[int], before: int) -> None:
        """Rows of a piece whose code is one of `of`."""
        found = np.flatnonzero(np.isin(codes, of))
        if len(found) and not self.rows:
            self.first = before + int(found[0]) + 1
        self.rows += len(found)
