"""The facility's own table: read by the declared contract, or refused with a sentence that names the cell."""

from __future__ import annotations

import csv
import dataclasses
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from configs import errors
from tef_export import manifest, payload, recipe
from tef_export.rerun import mapping, table
from tests.tef_export import making

Rows = list[dict[str, str]]


@dataclasses.dataclass(frozen=True)
class Declared:
    """What a bundle says about its columns."""

    plan: object
    asked: recipe.Recipe
    contract: manifest.ModelContract

    def part(self, place: Path, rows: Rows) -> mapping.Mapped:
        """The rows, written as CSV and mapped."""
        with place.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.DictWriter(stream, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
        return mapping.part(table.read(place), self.plan, self.asked, self.contract)


@pytest.fixture(scope="module")
def declared(made: making.Made) -> Declared:
    files = making.unpacked(made.path)[1]
    return Declared(
        made.dossier.plan, recipe.Recipe.model_validate_json(files[recipe.PLACE]), payload.contract(made.dossier)
    )


@pytest.fixture
def rows(declared: Declared) -> Rows:
    """Forty rows as they stand in a raw table."""
    random = np.random.default_rng(0)
    found = []
    for _ in range(40):
        row = {}
        for column in declared.plan.data.columns:
            low, high = column.minimum or 1.0, column.maximum or 100.0
            value = random.uniform(low, high)
            row[column.name] = (
                str(random.choice(column.allowed))
                if column.kind == "categorical"
                else str(round(value))
                if column.kind == "integer"
                else f"{value:.3f}"
            )
        found.append(row)
    return found


def numeric(declared: Declared) -> str:
    return next(f.name for f in declared.contract.features if f.kind == "numeric" and not f.integer)


def test_values_arrive_as_they_are(declared: Declared, rows: Rows, tmp_path: Path) -> None:
    """Numbers as float32, categories as codes, missing as NaN, groups by the declared edges and values."""
    name = numeric(declared)
    rows[3][name] = ""
    found = declared.part(tmp_path / "t.csv", rows)
    place = [f.name for f in declared.contract.features].index(name)
    assert np.isnan(found.part.x[3, place])
    assert found.part.x[0, place] == np.float32(rows[0][name])
    assert set(found.part.groups) == {
        *(a.name for a in declared.asked.attributes), *(i.name for i in declared.asked.intersections)
    }  # fmt: skip
    above = declared.asked.target.above
    assert found.part.y.tolist() == [int(float(r[declared.contract.target]) > above) for r in rows]


@pytest.mark.slow
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(order=st.permutations(range(12)), shuffled=st.randoms(use_true_random=False))
def test_neither_the_order_of_columns_nor_of_rows_matters(
    declared: Declared, rows: Rows, tmp_path: Path, order: list[int], shuffled
) -> None:
    """A row's inputs, target and groups depend on its cells and their names alone."""
    straight = declared.part(tmp_path / "a.csv", rows)
    names = [n for i in order for n in list(rows[0])[i : i + 1]]
    names += [n for n in rows[0] if n not in names]
    places = list(range(len(rows)))
    shuffled.shuffle(places)
    moved = declared.part(tmp_path / "b.csv", [{n: rows[p][n] for n in names} for p in places])
    assert np.array_equal(moved.part.x, straight.part.x[places], equal_nan=True)
    assert np.array_equal(moved.part.y, straight.part.y[places])
    for name, group in straight.part.groups.items():
        codes = moved.part.groups[name]
        assert [codes.names[c] for c in codes.codes] == [group.names[c] for c in group.codes[places]]


@pytest.mark.slow
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cell=st.text(max_size=30))
def test_any_text_is_a_number_missing_or_refused(declared: Declared, rows: Rows, tmp_path: Path, cell: str) -> None:
    """No cell makes anything but a finite float32, NaN for the declared missing texts, or one of our errors."""
    name = numeric(declared)
    rows = [dict(row) for row in rows]
    rows[0][name] = cell
    try:
        found = declared.part(tmp_path / "t.csv", rows)
    except errors.DataError:
        return
    value = found.part.x[0, [f.name for f in declared.contract.features].index(name)]
    assert np.isnan(value) == (cell.strip() in declared.asked.missing_values)
    assert np.isnan(value) or value == np.float32(float(cell))


@pytest.mark.parametrize("cell", ["inf", "-Infinity", "1e999", "1_000", "0x10", "=1+1", "1,5", "٣", "1 000", "nan1"])
def test_what_only_looks_like_a_number_is_refused(declared: Declared, rows: Rows, tmp_path: Path, cell: str) -> None:
    """Infinite, grouped, hexadecimal, formulas, decimal commas, digits of other scripts: the row is named."""
    rows[7][numeric(declared)] = cell
    with pytest.raises(errors.DataError, match=r"column '.*': expected .*row 8"):
        declared.part(tmp_path / "t.csv", rows)


def test_a_missing_column_is_named(declared: Declared, rows: Rows, tmp_path: Path) -> None:
    """The first error of everybody: a column is called otherwise."""
    name = numeric(declared)
    with pytest.raises(errors.DataError, match=rf"got none for {name} \(is '{name}x' meant\?\)"):
        declared.part(tmp_path / "t.csv", [{(f"{k}x" if k == name else k): v for k, v in r.items()} for r in rows])


def test_an_unknown_category_is_named(declared: Declared, rows: Rows, tmp_path: Path) -> None:
    """With the categories that the contract has."""
    name = next(f.name for f in declared.contract.features if f.kind == "categorical")
    rows[0][name] = "something else"
    with pytest.raises(errors.DataError, match=rf"'{name}': expected one of .*, got 'something else' in row 1"):
        declared.part(tmp_path / "t.csv", rows)


def test_a_row_without_its_true_answer_is_refused(declared: Declared, rows: Rows, tmp_path: Path) -> None:
    """It cannot be measured, and dropping it silently would flatter."""
    rows[5][declared.contract.target] = "NA"
    with pytest.raises(errors.DataError, match="expected the true answer in every row"):
        declared.part(tmp_path / "t.csv", rows)


def test_too_few_rows_are_refused(declared: Declared, rows: Rows, tmp_path: Path) -> None:
    """No interval of three rows says anything."""
    with pytest.raises(errors.DataError, match="expected at least 20 rows, got 3"):
        declared.part(tmp_path / "t.csv", rows[:3])


def test_units_in_the_header_are_compared(declared: Declared, rows: Rows, tmp_path: Path) -> None:
    """`age [years]` is the column in the declared unit; `age [months]` is refused."""
    column = next(c for c in declared.plan.data.features if c.unit and c.kind != "categorical")
    for unit, good in ((column.unit, True), ("furlongs", False)):
        renamed = [{(f"{k} [{unit}]" if k == column.name else k): v for k, v in r.items()} for r in rows]
        if good:
            declared.part(tmp_path / "t.csv", renamed)
            continue
        with pytest.raises(errors.DataError, match=rf"expected the unit .*, got {unit}"):
            declared.part(tmp_path / "t.csv", renamed)


def test_values_far_off_are_a_warning(declared: Declared, rows: Rows, tmp_path: Path) -> None:
    """They are measured all the same: the facility may want just that."""
    name = numeric(declared)
    for row in rows:
        row[name] = "9e7"
    found = declared.part(tmp_path / "t.csv", rows)
    assert any(text.startswith(f"column '{name}': 40 of 40 values") for text in found.warnings)


def test_an_absent_group_column_is_a_warning_and_a_reason(declared: Declared, rows: Rows, tmp_path: Path) -> None:
    """What needs it is not repeated, and says why."""
    first, *others = declared.asked.attributes
    asked = declared.asked.model_copy(
        update={"attributes": (first.model_copy(update={"column": "elsewhere"}), *others)}
    )
    found = dataclasses.replace(declared, asked=asked).part(tmp_path / "t.csv", rows)
    assert first.name not in found.part.groups
    assert "elsewhere" in found.absent[first.name]
    assert found.absent[first.name] in found.warnings


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"", "expected a table, got nothing"),
        (b"a,b\n1\n", "expected 2 cells in every line, got 1 in line 2"),
        (b"a,a\n1,2\n", "'a' twice"),
        (b"a,b\n1,\"2\n", "plain CSV"),
        (b"a\n" + b"x" * 20_000, "cells of at most 10,000 characters"),
        (b",".join(b"c%d" % i for i in range(20_000)) + b"\n", "at most 10,000 columns"),
        (b"," * 5_000_000, "first line of at most"),
        (b"a,b\n\xff\xfe,1\n", "expected UTF-8 text, got other bytes at 4"),
        ("a,b\n1,2\n".encode("utf-16"), "expected UTF-8 text"),
        (b"a,b\n\0,1\n", "zero bytes"),
        (b"PK\x03\x04rest", "an Excel file"),
        (b"PAR1 not parquet", "a Parquet table"),
    ],
)  # fmt: skip
def test_what_is_no_table_is_refused(tmp_path: Path, content: bytes, text: str) -> None:
    """Ragged, doubled, unclosed, too long, too wide, in another encoding, of another kind: one sentence each."""
    place = tmp_path / "t.csv"
    place.write_bytes(content)
    with pytest.raises(errors.DataError, match=text):
        table.read(place)


def test_parquet_gives_the_same_cells(tmp_path: Path) -> None:
    """A column of whole floats with a gap reads as the integers that it stands for."""
    pa = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    parquet.write_table(pa.table({"a": [1.0, None, 2.5], "b": ["x", "y", None]}), tmp_path / "t.parquet")
    found = table.read(tmp_path / "t.parquet")
    assert found.columns == {"a": ["1", None, "2.5"], "b": ["x", "y", None]}
