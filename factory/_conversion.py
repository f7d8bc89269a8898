"""From values as read to values of the declared kind. What does not convert is an error, never a silent gap.

The same rules hold for text and for typed values, so that one table gives the same values whether it comes from CSV,
Parquet, Excel or a database:

- text is stripped; a text that means missing (`data.missing_values`, `column.missing_values`) is missing, and where it
  reads as a number the equal number is missing too; None and NaN are missing
- `numeric` → float64: numbers in decimal or scientific notation; −0 becomes 0; infinite is an error
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
from factory._raw import RawTable, Values

_NUMBER = re.compile(r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
_INFINITE = re.compile(r"[-+]?inf(?:inity)?", re.IGNORECASE)
_DECIMAL_COMMA = re.compile(r"[-+]?[0-9]+,[0-9]+")
_MAX_DIGITS = 20
_INT64 = range(-(2**63), 2**63)


class _Unfit(Exception):  # noqa: N818 - a signal within this module, never seen outside
    """A value that is not of the declared kind."""


class _Infinite(_Unfit):
    """A number without bound."""


def frame(raw: RawTable, declared: data.Data) -> pd.DataFrame:
    """The declared columns of a raw table, in the order of the plan, each of its declared kind.

    Raises:
        DataError: Values of a column do not convert.
    """
    position = {name: i for i, name in enumerate(raw.names)}
    columns = {c.name: _column(raw.columns[position[c.name]], c, declared, raw.name) for c in declared.columns}
    return pd.DataFrame(columns, copy=False)


def number(value: Any) -> float:
    """A finite number from text or from a typed value; see the module's rules."""
    if isinstance(value, str):
        if _INFINITE.fullmatch(value):
            raise _Infinite
        if not _NUMBER.fullmatch(value):
            raise _Unfit
        value = float(value)
    if isinstance(value, (bool, np.bool_, int, float, np.integer, np.floating, decimal.Decimal)):
        try:
            result = float(value) + 0.0
        except OverflowError:
            raise _Infinite from None
        if math.isinf(result):
            raise _Infinite
        return result
    raise _Unfit


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
        raise _Unfit
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
    raise _Unfit


_CONVERTERS = {"numeric": number, "integer": integer, "categorical": text}


def _column(values: Values, column: data.Column, declared: data.Data, name: str) -> pd.Series:
    codes, uniques = _distinct(values, f"data file {name} column '{column.name}'")
    missing = {t.strip() for t in (*declared.missing_values, *column.missing_values)}
    converted: list[Any] = [None] * len(uniques)
    unfit: dict[int, type[_Unfit]] = {}
    for i, value in enumerate(uniques):
        try:
            converted[i] = _convert(value, column.kind, missing)
        except _Unfit as problem:
            unfit[i] = type(problem)
    if unfit:
        raise _unfit_error(codes, uniques, unfit, column, name)
    return _series(codes, converted, column.kind)


def _convert(value: Any, kind: str, missing: set[str]) -> Any:
    if value is None:
        return None
    if isinstance(value, str):
        value = value.strip()
        if value in missing:
            return None
    elif isinstance(value, (float, np.floating, decimal.Decimal)) and math.isnan(value):
        return None
    result = _CONVERTERS[kind](value)
    if kind == "categorical":
        return None if result in missing else result
    return None if result in _numbers(frozenset(missing)) else result


def _numbers(missing: frozenset[str]) -> set[float]:
    return {float(t) for t in missing if _NUMBER.fullmatch(t)}


def _distinct(values: Values, where: str) -> tuple[npt.NDArray[np.int64], list[Any]]:
    """Codes (rows,) into the distinct values, −1 for None. Values of different types stay apart."""
    if isinstance(values, pa.ChunkedArray):
        try:
            return _distinct_arrow(values, where)
        except (OverflowError, ValueError):
            raise errors.DataError(
                f"{where}: expected values that can be read, got dates beyond the years 1 to 9999, or text that is not "
                f"UTF-8 (stored as {values.type}). Correct the column."
            ) from None
    return _distinct_objects(values, where)


def _distinct_arrow(values: pa.ChunkedArray, where: str) -> tuple[npt.NDArray[np.int64], list[Any]]:
    try:
        encoded = values.combine_chunks().dictionary_encode()
    except pa.ArrowNotImplementedError:  # rare types; nested ones are refused below
        return _distinct_objects(values.to_pylist(), where)
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.combine_chunks()
    return encoded.indices.fill_null(-1).to_numpy().astype(np.int64), encoded.dictionary.to_pylist()


def _distinct_objects(values: Sequence[Any], where: str) -> tuple[npt.NDArray[np.int64], list[Any]]:
    seen: dict[Any, int] = {}
    codes = np.empty(len(values), dtype=np.int64)
    try:
        for i, value in enumerate(values):
            missing = value is None or value is pd.NA or value is pd.NaT
            codes[i] = -1 if missing else seen.setdefault((type(value), value), len(seen))
    except TypeError:
        raise errors.DataError(
            f"{where}: expected one value in each row, got nested ones. Flatten the column."
        ) from None
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


def _unfit_error(
    codes: npt.NDArray[np.int64],
    uniques: list[Any],
    unfit: dict[int, type[_Unfit]],
    column: data.Column,
    name: str,
) -> errors.DataError:
    infinite = [i for i, problem in unfit.items() if problem is _Infinite]
    shown = infinite or list(unfit)
    rows = np.flatnonzero(np.isin(codes, shown))
    what = "infinite values" if infinite else "values of another kind"
    expected = "finite numbers" if infinite else {"integer": "whole numbers", "numeric": "numbers"}.get(column.kind)
    commas = not infinite and all(isinstance(uniques[i], str) and _DECIMAL_COMMA.fullmatch(uniques[i]) for i in shown)
    remedy = (
        "Write decimals with a point."
        if commas
        else "Correct them, declare the text that means missing in missing_values, or declare another kind."
    )
    return errors.DataError(
        f"data file {name} column '{column.name}'{' (target)' if column.role == 'target' else ''}: expected "
        f"{expected or 'text or numbers'} (kind {column.kind}), got {what} in {len(rows)} of {len(codes)} rows, "
        f"first in row {rows[0] + 1}. {remedy}"
    )
