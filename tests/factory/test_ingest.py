from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from configs import errors, load
from evidence.folder import RunFolder
from tests.factory import tables

pytest.importorskip("pyarrow")
ROWS = {
    "adult_income": 48_842,
    "german_credit": 1_000,
    "steel_plates": 1_941,
    "dry_bean": 13_611,
    "hospital_readmission": 101_766,
}


def digests(base: Path, source: dict, **plan) -> list[str]:
    from factory import ingest

    folder = RunFolder(base / "runs" / "r")
    dataset = ingest.ingest(folder, tables.plan(source, **plan), base)
    return tables.stored(folder, dataset)["_row"].tolist()


def test_the_digest_is_the_documented_one(tmp_path: Path):
    """A row's digest can be worked out by hand from the documented canonical text."""
    found = digests(tmp_path, tables.csv(tmp_path))
    for row, text in (
        (0, "age=34\x1fdose=1.5\x1foutcome=yes\x1fward=A"),
        (3, "age=29\x1fdose=0.25\x1foutcome=yes\x1fward"),
    ):
        assert found[row] == hashlib.sha256(text.encode()).hexdigest()


def test_digests_do_not_depend_on_form_or_order(tmp_path: Path):
    """CSV, Parquet and Excel, other column and row orders, blanks and notations give the same digests."""
    import pandas as pd

    expected = digests(tmp_path, tables.csv(tmp_path))
    frame = pd.read_csv(tmp_path / "rows.csv")
    frame[["outcome", "ward", "age", "dose"]].to_parquet(tmp_path / "t.parquet")
    frame.to_excel(tmp_path / "t.xlsx", index=False)
    assert digests(tmp_path, {"kind": "file", "path": ["t.parquet"]}) == expected
    assert digests(tmp_path, {"kind": "file", "path": ["t.xlsx"]}) == expected
    written = tables.csv(tmp_path, tables.ROWS.replace("1.5,A", " 15e-1 , A").replace("51,2,", "51.0,2.0,"))
    assert digests(tmp_path, written) == expected
    head, *rows = tables.ROWS.splitlines(keepends=True)
    assert digests(tmp_path, tables.csv(tmp_path, head + "".join(reversed(rows)))) == expected[::-1]
    assert digests(tmp_path, tables.csv(tmp_path), columns=tables.COLUMNS[::-1]) == expected


def test_different_rows_never_share_a_text(tmp_path: Path):
    """Separators, equals signs and markers inside values do not let two different rows meet."""
    import pandas as pd

    from factory import _row_digests

    def one(**row: str | None) -> bytes:
        return _row_digests.of(pd.DataFrame({k: pd.array([v], dtype="string") for k, v in row.items()}))

    rows = [
        one(a="x\x1fb=y", b="z"),
        one(a="x", b="y\x1fb=z"),
        one(a="x\\u b=y", b="z"),
        one(a=None, b="z"),
        one(a="", b="z"),
        one(a="b=z", b=None),
        one(**{"a=": "z", "b": None}),
        one(a="=z", b=None),
    ]
    assert len(set(rows)) == len(rows)


def test_what_is_recorded(tmp_path: Path):
    """The record counts rows, repeats, missing and distinct values, and its digest ignores the row order."""
    from factory import ingest

    plan = tables.plan(tables.csv(tmp_path, tables.ROWS + "34,1.5,A,yes\n"))
    first = ingest.ingest(RunFolder(tmp_path / "a"), plan, tmp_path)
    head, *rows = (tables.ROWS + "34,1.5,A,yes\n").splitlines(keepends=True)
    tables.csv(tmp_path, head + "".join(rows[::-1]))
    second = ingest.ingest(RunFolder(tmp_path / "b"), plan, tmp_path)
    assert (first.rows, first.duplicate_rows) == (5, 1)
    assert {c.name: (c.missing, c.distinct) for c in first.columns}["dose"] == (1, 3)
    assert first.rows_sha256 == second.rows_sha256
    assert first.schema_sha256 == second.schema_sha256
    assert first.sources[0].sha256 != second.sources[0].sha256


def test_only_declared_columns_are_stored(tmp_path: Path):
    """The Parquet file holds the declared columns in the plan's order and `_row` last, in their kinds."""
    import pyarrow.parquet as pq

    from factory import ingest

    text = "name," + "x,".join(tables.ROWS.splitlines(keepends=True))
    text = text.replace("\n34", "\nx,34", 1) if "\nx,34" not in text else text
    folder = RunFolder(tmp_path / "r")
    dataset = ingest.ingest(folder, tables.plan(tables.csv(tmp_path, text)), tmp_path)
    assert dataset.undeclared == ("name",)
    schema = pq.read_schema(folder.checked(dataset.table))
    assert schema.names == ["age", "dose", "ward", "outcome", "_row"]
    assert [str(t).removeprefix("large_") for t in schema.types] == ["int64", "double", "string", "string", "string"]


def test_an_altered_table_is_noticed(tmp_path: Path):
    """Stages open the table only while it has the recorded digest."""
    from factory import ingest

    folder = RunFolder(tmp_path / "r")
    dataset = ingest.ingest(folder, tables.plan(tables.csv(tmp_path)), tmp_path)
    with folder.at(dataset.table.path).open("ab") as stream:
        stream.write(b"x")
    with pytest.raises(errors.IntegrityError, match="altered"):
        ingest.stored_table(folder, dataset)


@pytest.mark.parametrize(
    "name",
    [pytest.param(n, marks=[pytest.mark.slow] if n in ("dry_bean", "hospital_readmission") else []) for n in ROWS],
)
def test_real_files(real_data: Path, tmp_path: Path, name: str):
    """Every use case reads, splits and encodes its real files: published size, all rows placed, nothing lost."""
    from evidence import arrays
    from factory import encoding, ingest, splitting

    plan = load.load(load.plan_path(name))
    folder = RunFolder(tmp_path / name)
    dataset = ingest.ingest(folder, plan, real_data)
    assert dataset.rows == ROWS[name]
    assert {s.sha256 for s in dataset.sources} == set(plan.data.source.sha256)
    split = splitting.split(folder, plan, dataset)
    encoded = encoding.encode(folder, plan, dataset, split)
    parts = [arrays.load(folder, encoded, role) for role in splitting.ROLES]
    assert sum(p.rows for p in parts) == dataset.rows
    assert all(p.x.shape == (p.rows, len(plan.data.features)) for p in parts)
    assert all(p.digests_sha256 == split.parts[p.role].digests.sha256 for p in parts)
    assert all(set(p.groups) == set(plan.slices) for p in parts)
    if plan.data.entity:
        found = [set(p.entities.tolist()) for p in parts]
        assert sum(len(s) for s in found) == len(set().union(*found))
