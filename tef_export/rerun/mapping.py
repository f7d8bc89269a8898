"""The facility's table as the checks take it, by the contract that the bundle declares.

Columns are found by their names in the plan; a name may carry its unit in brackets (`bmi [kg/m2]`), which must then be
the declared one. What cannot be read is an error that names the column; what is read but strange is a warning.
"""

from __future__ import annotations

import dataclasses
import difflib
import re
from collections.abc import Callable, Iterable

import numpy as np
import numpy.typing as npt

from configs import errors
from configs.plan import Plan
from evidence import arrays
from tef_export import manifest, recipe, rows
from tef_export.rerun.table import Table

Floats = npt.NDArray[np.float64]
FAR = 10.0
"""So many standard deviations from the training median a value counts as far outside, where extremes do not travel."""
LEAST_ROWS = 20
_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,4})?")
_WITH_UNIT = re.compile(r"(.*\S)\s*+\[([^\[\]]{0,60})\]")
_FLOAT32_MAX = float(np.finfo(np.float32).max)


@dataclasses.dataclass(frozen=True)
class Mapped:
    """Rows ready to be measured."""

    part: arrays.Part
    warnings: tuple[str, ...]
    absent: dict[str, str]
    """Attribute or column to slice by to the reason why it could not be made."""


def part(table: Table, plan: Plan, asked: recipe.Recipe, contract: manifest.ModelContract) -> Mapped:
    """Inputs, targets, groups, slices and entities of a table.

    Raises:
        DataError: A column is missing, a value is none that the contract allows, or there are too few rows.
    """
    found = _Reader(_named(table, plan), plan, asked)
    needed = [*(f.name for f in contract.features), contract.target]
    missing = [name for name in needed if name not in found.columns]
    if missing:
        raise errors.DataError(
            f"data file {table.name}: expected the columns {_some(needed)}, got none for {_some(missing)}"
            f"{_near(missing[0], found.columns)}. Name them as the contract does (data/bundle.json)."
        )
    if table.rows < LEAST_ROWS:
        raise errors.DataError(
            f"data file {table.name}: expected at least {LEAST_ROWS} rows, got {table.rows}: no interval of so few "
            "says anything. Use more rows."
        )
    statistics = {s.name: s for s in asked.statistics}
    x = np.column_stack(
        [
            found.categories(f.name, f.categories)
            if f.kind == "categorical"
            else found.inputs(f, statistics.get(f.name))
            for f in contract.features
        ]
    )
    y = found.target(contract)
    groups, slices = found.groups(), found.slices()
    entities = found.entities()
    used = {*needed, *(a.column for a in asked.attributes), *(s.column for s in asked.slices), plan.data.entity}
    if others := [name for name in found.columns if name not in used]:
        found.warnings.append(f"{len(others)} columns that the contract does not name are ignored: {_some(others)}")
    made = arrays.Part(
        role="test",
        x=np.ascontiguousarray(x, dtype=np.float32),
        y=y,
        row_digests=np.empty(0, "S64"),
        groups=groups,
        entities=entities,
        digests_sha256="0" * 64,
        slices=slices,
    )
    return Mapped(made, tuple(found.warnings), found.absent)


def _named(table: Table, plan: Plan) -> Table:
    """Names without their unit, which must be the declared one."""
    declared = {column.name: column for column in plan.data.columns}
    columns: dict[str, list[str | None]] = {}
    for name, cells in table.columns.items():
        unit = None if name in declared else _WITH_UNIT.fullmatch(name)
        plain = name
        if unit and unit[1] in declared:
            plain, expected = unit[1], declared[unit[1]].unit
            if _plain(unit[2]) != _plain(expected or ""):
                raise errors.DataError(
                    f"data file {table.name}, column '{plain}': expected the unit {expected or 'none'}, got "
                    f"{unit[2]}. Convert the values."
                )
        if plain in columns:
            raise errors.DataError(f"data file {table.name}: expected '{plain}' once, got it twice. Remove one.")
        columns[plain] = cells
    return Table(table.name, columns, table.rows)


def _plain(unit: str) -> str:
    return unit.replace("²", "2").replace("³", "3").replace("^", "").replace("µ", "u").replace(" ", "").lower()


class _Reader:
    """Reads columns of one table, and keeps what it warns of."""

    def __init__(self, table: Table, plan: Plan, asked: recipe.Recipe) -> None:
        self.name, self.columns, self.rows = table.name, table.columns, table.rows
        self.plan, self.asked = plan, asked
        self.warnings: list[str] = []
        self.absent: dict[str, str] = {}

    def _texts(self, column: str) -> list[str | None]:
        """Cells without blanks around them; None is missing."""
        missing = {*self.asked.missing_values, *self.asked.missing_in.get(column, ())}
        stripped = (None if cell is None else cell.strip() for cell in self.columns[column])
        return [None if cell is None or cell in missing else cell for cell in stripped]

    def _wrong(self, column: str, expected: str, bad: list[tuple[int, str]], remedy: str) -> errors.DataError:
        number, value = bad[0]
        shown = "".join(c if c.isprintable() else "?" for c in value[:40])
        others = f" and others in {len(bad)} of {self.rows} rows" if len(bad) > 1 else ""
        return errors.DataError(
            f"data file {self.name}, column '{column}': expected {expected}, got '{shown}' in row "
            f"{number + 1}{others}. {remedy}"
        )

    def _coded(self, column: str, codes: dict[str, int]) -> tuple[npt.NDArray[np.int64], list[tuple[int, str]]]:
        """Codes (rows,), −1 for a missing or unknown value; the unknown ones with their rows."""
        cells = self._texts(column)
        unknown = [(i, cell) for i, cell in enumerate(cells) if cell is not None and cell not in codes]
        return np.array([-1 if c is None else codes.get(c, -1) for c in cells], np.int64), unknown

    def numbers(self, column: str) -> Floats:
        """Numbers (rows,), missing as NaN.

        Raises:
            DataError: A cell is no plain, finite number.
        """
        cells = self._texts(column)
        bad = [(i, cell) for i, cell in enumerate(cells) if cell is not None and not _NUMBER.fullmatch(cell)]
        if bad:
            comma = " Write decimals with a point." if "," in bad[0][1] else ""
            raise self._wrong(column, "a number or a text that means missing", bad, f"Correct it.{comma}")
        values = np.array([np.nan if cell is None else float(cell) for cell in cells], np.float64)
        large = np.flatnonzero(np.abs(values) > _FLOAT32_MAX)
        if len(large):
            bad = [(int(i), str(cells[i])) for i in large]
            raise self._wrong(column, f"numbers within ±{_FLOAT32_MAX:.3g}", bad, "Correct it.")
        return values

    def categories(self, column: str, known: tuple[str, ...]) -> Floats:
        """Codes of a categorical input (rows,), missing as NaN.

        Raises:
            DataError: A value is none of the categories, and the plan does not read such a one as missing.
        """
        codes, unknown = self._coded(column, {value: code for code, value in enumerate(known)})
        if unknown:
            declared = self.plan.data.column(column)
            if declared is None or declared.unseen == "refuse":
                near = _near(unknown[0][1], known)
                raise self._wrong(column, f"one of {_some(known)}", unknown, f"Map it to a category{near}.")
            self.warnings.append(f"column '{column}': {len(unknown)} values outside its categories count as missing")
        return np.where(codes < 0, np.nan, codes.astype(np.float64))

    def inputs(self, feature: manifest.InputFeature, known: recipe.FeatureStatistics | None) -> Floats:
        """A numeric input (rows,); values far outside the training range are a warning.

        Raises:
            DataError: A cell is no number, or a fraction where integers are declared.
        """
        values = self.numbers(feature.name)
        broken = np.flatnonzero(np.isfinite(values) & (values != np.round(values)))
        if feature.integer and len(broken):
            bad = [(int(i), f"{values[i]:g}") for i in broken]
            raise self._wrong(feature.name, "whole numbers", bad, "Correct it.")
        self._warn_far(feature, known, values)
        return values

    def _warn_far(self, feature: manifest.InputFeature, known: recipe.FeatureStatistics | None, values: Floats) -> None:
        present = values[np.isfinite(values)]
        if not len(present):
            self.warnings.append(f"column '{feature.name}': every value is missing")
            return
        low, high = feature.minimum, feature.maximum
        what = "outside the range that the plan allows"
        if known is not None and known.minimum is not None and known.maximum is not None:
            reach = known.maximum - known.minimum
            low, high, what = known.minimum - reach, known.maximum + reach, "far outside the training range"
        elif low is None and high is None and known is not None and known.median is not None:
            low, high, what = (
                known.median - FAR * known.std,
                known.median + FAR * known.std,
                "far from the training data",
            )
        least, most = -np.inf if low is None else low, np.inf if high is None else high
        outside = int(((present < least) | (present > most)).sum())
        if outside:
            unit = f" Is it in {feature.unit}?" if feature.unit not in (None, "1") else ""
            self.warnings.append(f"column '{feature.name}': {outside} of {len(present)} values are {what}.{unit}")

    def target(self, contract: manifest.ModelContract) -> npt.NDArray[np.int64] | npt.NDArray[np.float32]:
        """Class codes or numbers (rows,).

        Raises:
            DataError: A value is missing or no value of the target.
        """
        column, asked = contract.target, self.asked.target
        cells = self._texts(column)
        absent = [(i, "") for i, cell in enumerate(cells) if cell is None]
        if absent:
            raise self._wrong(column, "the true answer in every row", absent, "Leave rows without it out.")
        if contract.task == "regression" or asked.above is not None:
            values = self.numbers(column)
            return values.astype(np.float32) if asked.above is None else (values > asked.above).astype(np.int64)
        codes, unknown = self._coded(column, asked.codes)
        if unknown:
            raise self._wrong(column, f"one of {_some(asked.codes)}", unknown, "Map it to a value of the target.")
        return codes

    def groups(self) -> dict[str, arrays.Groups]:
        """Groups of the attributes, and of those that are compared jointly."""
        made = (
            (a.name, a.column, lambda a=a: self._members(a.name, a.column, a.groups, a.edges, a.values))
            for a in self.asked.attributes
        )
        single = self._where_there(made, "no column '{}' in the table: its groups cannot be compared")
        joint = {}
        for one in self.asked.intersections:
            if all(name in single for name in one.attributes):
                members = [single[name] for name in one.attributes]
                names = _with_new(one.groups, members)
                joint[one.name] = arrays.Groups(rows.joint(one.attributes, members, names), names)
        return single | joint

    def slices(self) -> dict[str, arrays.Groups]:
        """Slices of the columns by which performance is compared, as far as the recipe says how they are cut."""
        told = [s for s in self.asked.slices if s.edges or s.values]
        for one in self.asked.slices:
            if one not in told:
                self.absent[one.column] = f"the recipe does not say how '{one.column}' is cut"
        made = (
            (s.column, s.column, lambda s=s: self._members(s.column, s.column, s.slices, s.edges, s.values))
            for s in told
        )
        return self._where_there(made, "no column '{}' in the table: its slices cannot be compared")

    def _where_there(
        self, made: Iterable[tuple[str, str, Callable[[], arrays.Groups]]], absent: str
    ) -> dict[str, arrays.Groups]:
        found = {}
        for name, column, make in made:
            if column in self.columns:
                found[name] = make()
            else:
                self.absent[name] = absent.format(column)
                self.warnings.append(self.absent[name])
        return found

    def _members(
        self, what: str, column: str, names: tuple[str, ...], edges: tuple[float, ...], values: dict[str, str]
    ) -> arrays.Groups:
        if edges:
            numbers = self.numbers(column)
            codes = np.searchsorted(np.array(edges), numbers, side="right")
            return arrays.Groups(np.where(np.isnan(numbers), -1, codes).astype(np.int16), names)
        place = {value: names.index(name) for value, name in values.items() if name in names}
        codes, unknown = self._coded(column, place)
        if unknown:
            self.warnings.append(
                f"{what}: {len(unknown)} rows hold a value that no group lists ('{unknown[0][1][:40]}'); they count as "
                "without a group"
            )
        return arrays.Groups(codes.astype(np.int16), names)

    def entities(self) -> npt.NDArray[np.int64] | None:
        """Codes of what each row belongs to (rows,); None where the plan names no entity or the table has none."""
        entity = self.plan.data.entity
        if entity is None:
            return None
        if entity not in self.columns:
            self.warnings.append(f"no column '{entity}' in the table: its rows count as independent")
            return None
        cells = self._texts(entity)
        place = {value: code for code, value in enumerate(dict.fromkeys(c for c in cells if c is not None))}
        return np.array([-1 if c is None else place[c] for c in cells], np.int64)


def _with_new(names: tuple[str, ...], members: list[arrays.Groups]) -> tuple[str, ...]:
    """The joint groups of the recipe, then those that only these rows hold."""
    known = np.all([m.codes >= 0 for m in members], axis=0)
    different = np.unique(np.stack([m.codes[known] for m in members], axis=1), axis=0)
    seen = [" × ".join(m.names[c] for m, c in zip(members, row, strict=True)) for row in different.tolist()]
    return (*names, *(name for name in seen if name not in names))


def _near(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name[:100], list(known)[:1000], n=1)
    return f" (is '{near[0][:60]}' meant?)" if near else ""


def _some(names: Iterable[str]) -> str:
    listed = list(names)
    more = f" and {len(listed) - 8} more" if len(listed) > 8 else ""
    return ", ".join(name[:60] for name in listed[:8]) + more
