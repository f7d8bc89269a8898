"""`data/test/rows.csv`: the test rows as the model takes them, written and read with the standard library and numpy.

Numbers are written with nine significant digits, which give each float32 back exactly. Categories are codes, a missing
value is an empty cell. What a row belongs to stands in columns whose names begin with `_row_`, which no declared
column may do.
"""

from __future__ import annotations

import csv
import io
import math

import numpy as np
import numpy.typing as npt

from configs import errors
from evidence import arrays
from tef_export import manifest, recipe

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""How a cell begins that a spreadsheet takes for a formula. Numbers are harmless; a name of a column is not."""
GROUP, SLICE, ENTITY = "_row_group.", "_row_slice.", "_row_entity"


def write(part: arrays.Part, features: list[str], target: str, belongs: dict[str, npt.NDArray[np.integer]]) -> bytes:
    """The table of a part, rows in its order.

    Args:
        part: The encoded part.
        features: Names of the model's inputs, in order.
        target: Name of the target's column.
        belongs: Column name to codes (rows,).
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*features, target, *belongs])
    codes = [column.tolist() for column in belongs.values()]
    for number, (inputs, y) in enumerate(zip(part.x.tolist(), part.y.tolist(), strict=True)):
        writer.writerow([*map(_cell, inputs), _cell(y), *(column[number] for column in codes)])
    return text.getvalue().encode("utf-8")


def formulas(header: list[str]) -> list[str]:
    """Names of columns that a spreadsheet would run when the table is opened."""
    return [name for name in header if name.startswith(FORMULA)]


def ranks(entities: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Entity codes (rows,) as ranks 0…E−1 among the entities of these rows; a negative code (none) becomes −1."""
    known = entities >= 0
    found = np.full(len(entities), -1, np.int64)
    found[known] = np.unique(entities[known], return_inverse=True)[1]
    return found


def read(content: bytes, asked: recipe.Recipe, contract: manifest.ModelContract) -> arrays.Part:
    """The test rows of a bundle, as the checks take them.

    Args:
        content: `data/test/rows.csv`, whose digest was checked.
        asked: The recipe.
        contract: What goes into the model.

    Raises:
        VerificationError: The table is not the one that the recipe describes.
    """
    declared = asked.test_rows
    if declared is None:
        raise errors.VerificationError(
            f"recipe {recipe.PLACE}: expected test rows in the bundle, got none. Measure on rows of your own "
            "with `--data table.csv`, or ask the provider for a bundle with test rows (`bundle: {include_test_data: "
            "true}` in the plan)."
        )
    _require_known(asked, declared)
    names = [feature.name for feature in contract.features]
    entity = [declared.entity] if declared.entity else []
    header = [*names, contract.target, *declared.groups.values(), *declared.slices.values(), *entity]
    if odd := formulas(header):
        raise _refused("names of columns", f"one that a spreadsheet runs ({odd[0][:40]})")
    table = _table(content, header, declared.rows)
    column = {name: table[:, place] for place, name in enumerate(header)}
    wide = {attribute.name: attribute.groups for attribute in asked.attributes}
    single = {
        name: arrays.Groups(_codes(column[place], len(wide[name]), place), wide[name])
        for name, place in declared.groups.items()
    }
    sliced = {one.column: one.slices for one in asked.slices}
    y: npt.NDArray[np.int64] | npt.NDArray[np.float32]
    if contract.task == "regression":
        y = _finite(column[contract.target], contract.target).astype(np.float32)
    else:
        y = _codes(column[contract.target], len(contract.classes), contract.target, lowest=0).astype(np.int64)
    x = table[:, : len(names)]
    if np.isinf(x).any():
        raise _refused("finite numbers or empty cells as inputs", "an infinite one")
    return arrays.Part(
        role="test",
        x=x.astype(np.float32),
        y=y,
        row_digests=np.empty(0, "S64"),
        groups=single | _joint(asked, single),
        entities=_finite(column[declared.entity], declared.entity).astype(np.int64) if declared.entity else None,
        digests_sha256=declared.split_sha256,
        slices={
            name: arrays.Groups(_codes(column[place], len(sliced[name]), place), sliced[name])
            for name, place in declared.slices.items()
        },
    )


def joint(names: tuple[str, ...], members: list[arrays.Groups], groups: tuple[str, ...]) -> npt.NDArray[np.int16]:
    """Codes (rows,) of joint groups: the place of `a × b` in `groups`, −1 where a member is missing or it is not there.

    Args:
        names: The attributes, for an error.
        members: Groups of each attribute, in the same order.
        groups: Names of the joint groups.

    Raises:
        VerificationError: No attribute is given.
    """
    if not members:
        raise errors.VerificationError(f"intersection {' × '.join(names)}: expected attributes, got none.")
    place = {name: code for code, name in enumerate(groups)}
    missing = np.any([m.codes < 0 for m in members], axis=0)
    different, inverse = np.unique(np.stack([m.codes for m in members], axis=1), axis=0, return_inverse=True)
    found = [
        place.get(" × ".join(m.names[c] for m, c in zip(members, row, strict=True)), -1) if min(row) >= 0 else -1
        for row in different.tolist()
    ]
    codes = np.array(found, np.int16)[inverse.reshape(-1)]
    return np.where(missing, np.int16(-1), codes)


def _require_known(asked: recipe.Recipe, declared: recipe.TestRows) -> None:
    """Codes belong to attributes and slices that the recipe explains."""
    known = {one.name for one in asked.attributes}, {one.column for one in asked.slices}
    for given, names in zip((declared.groups, declared.slices), known, strict=True):
        for name in given:
            if name not in names:
                raise _refused("codes of attributes and slices of the recipe", f"codes of {name[:80]}")


def _joint(asked: recipe.Recipe, single: dict[str, arrays.Groups]) -> dict[str, arrays.Groups]:
    return {
        one.name: arrays.Groups(joint(one.attributes, [single[n] for n in one.attributes], one.groups), one.groups)
        for one in asked.intersections
        if all(name in single for name in one.attributes)
    }


def _cell(value: float) -> str:
    return "" if math.isnan(value) else f"{value:.9g}"


def _table(content: bytes, header: list[str], rows: int) -> npt.NDArray[np.float64]:
    """The cells as numbers (rows, columns), an empty one as NaN."""
    reader = csv.reader(io.StringIO(content.decode("utf-8"), newline=""), strict=True)
    try:
        lines = list(reader)
    except csv.Error as error:
        raise _refused("plain CSV", str(error)) from None
    if not lines or lines[0] != header:
        raise _refused(f"the columns {', '.join(header)[:300]}", ", ".join(lines[0])[:300] if lines else "nothing")
    if len(lines) - 1 != rows:
        raise _refused(f"{rows} rows", str(len(lines) - 1))
    cells = []
    for number, line in enumerate(lines[1:], start=2):
        if len(line) != len(header):
            raise _refused(f"{len(header)} cells in line {number}", str(len(line)))
        try:
            cells.append([float(cell) if cell else np.nan for cell in line])
        except ValueError as error:
            raise _refused(f"numbers in line {number}", str(error)[:100]) from None
    return np.array(cells, np.float64).reshape(rows, len(header))


def _codes(values: npt.NDArray[np.float64], size: int, column: str, *, lowest: int = -1) -> npt.NDArray[np.int16]:
    found = _finite(values, column)
    if len(found) and ((found != np.round(found)).any() or found.min() < lowest or found.max() >= size):
        raise _refused(f"codes from {lowest} to {size - 1} in column {column}", "others")
    return found.astype(np.int16)


def _finite(values: npt.NDArray[np.float64], column: str) -> npt.NDArray[np.float64]:
    if not np.isfinite(values).all():
        raise _refused(f"a finite number in every row of column {column}", "others")
    return values


def _refused(expected: str, got: str) -> errors.VerificationError:
    return errors.VerificationError(f"test rows {recipe.TEST_ROWS}: expected {expected}, got {got}. Do not use them.")
