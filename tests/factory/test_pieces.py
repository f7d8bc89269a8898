"""Ingest, split and encoding read some rows at a time: what they leave does not depend on how many."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from configs import errors, load
from configs.plan import Plan
from evidence import arrays, records, storage
from evidence.folder import RunFolder
from factory import _raw, _scattered, _stored, encoding, given, ingest, sources, splitting
from tests.factory import tables
from tests.flows import prediction_plans

COLUMNS: list[dict[str, Any]] = [
    {"name": "person", "kind": "categorical", "role": "entity"},
    {"name": "age", "kind": "integer", "max_missing": 1.0},
    {"name": "dose", "kind": "numeric", "max_missing": 1.0},
    {"name": "ward", "kind": "categorical", "max_missing": 1.0, "unseen": "as_missing"},
    {"name": "sex", "kind": "categorical", "role": "protected"},
    {"name": "day", "kind": "categorical", "role": "ignored"},
    {"name": "outcome", "kind": "categorical", "role": "target"},
]
GROUPS: dict[str, Any] = {
    "protected": [
        {"name": "sex", "column": "sex", "use_in_model": False},
        {"name": "age_group", "column": "age", "bins": [30, 50], "use_in_model": True},
    ],
    "intersections": [["sex", "age_group"]],
}
SHIFT = {"slices": [{"column": "ward"}, {"column": "day", "period": "month"}, {"column": "dose", "quantiles": 3}]}


def table(rows: int = 240) -> pd.DataFrame:
    """Persons with several rows, missing values in every feature, and some rows twice."""
    random = np.random.default_rng(5)
    frame = pd.DataFrame(
        {
            "person": [f"p{n}" for n in random.integers(0, rows // 3, rows)],
            "age": pd.array(random.integers(18, 90, rows), dtype="Int64"),
            "dose": random.normal(size=rows).round(3),
            "ward": pd.array(random.choice(["Ä", "B", "C"], rows), dtype="string"),
            "sex": random.choice(["f", "m"], rows),
            "day": [f"2026-0{n}-11" for n in random.integers(1, 5, rows)],
            "outcome": random.choice(["yes", "no"], rows),
        }
    )
    for column in ("age", "dose", "ward"):
        frame.loc[random.random(rows) < 0.1, column] = pd.NA if column != "dose" else np.nan
    return pd.concat([frame, frame.head(9)], ignore_index=True)


def plan(source: dict[str, Any], **more: Any) -> Plan:
    """A plan with persons, groups and slices, whose training streams."""
    made = tables.plan(source, columns=COLUMNS, **GROUPS).model_dump(mode="json", exclude_unset=True)
    made["training"] = {"loader": "stream"}
    made["policy"]["robustness"] = {"shift": SHIFT}
    return Plan.model_validate(made | more)


def written(base: Path, kind: str) -> dict[str, Any]:
    """The table in one of the forms in which it can come."""
    frame = table()
    if kind in ("csv", "latin"):
        encoding = "utf-8" if kind == "csv" else "latin-1"
        frame.to_csv(base / "t.csv", index=False, encoding=encoding)
        return {"kind": "file", "path": ["t.csv"], "encoding": encoding}
    if kind == "excel":
        frame.to_excel(base / "t.xlsx", index=False)
        return {"kind": "file", "path": ["t.xlsx"]}
    if kind == "sql":
        with sqlite3.connect(base / "t.sqlite") as database:
            frame.to_sql("t", database, index=False)
        database.close()
        return {"kind": "sql", "url": "sqlite:///t.sqlite", "query": "SELECT * FROM t"}
    names = {"parquet": ["a.parquet"], "parquets": ["a.parquet", "b.parquet"]}[kind]
    for name, part in zip(names, np.array_split(np.arange(len(frame)), len(names)), strict=True):
        frame.iloc[part].to_parquet(base / name, row_group_size=70)
    return {"kind": "file", "path": names}


def small_pieces(monkeypatch: pytest.MonkeyPatch, rows: int) -> None:
    """Read a few rows at a time, and put a few in order at a time."""
    monkeypatch.setattr(_raw, "CELLS", 1)
    monkeypatch.setattr(_raw, "FEWEST", rows)
    monkeypatch.setattr(_scattered, "REGION", 4 * 3 * rows)
    monkeypatch.setattr(arrays, "PIECE", rows)


Stages = tuple[records.DatasetRef, records.SplitManifest, records.EncodedData]


def stages(place: Path, whole: Plan, base: Path) -> Stages:
    """The three stages one after the other."""
    folder = RunFolder(place)
    dataset = ingest.ingest(folder, whole, base)
    split = splitting.split(folder, whole, dataset)
    return dataset, split, encoding.encode(folder, whole, dataset, split)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["csv", "latin", "excel", "sql", "parquet", "parquets"])
def test_records_and_files_do_not_depend_on_the_pieces(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """With pieces of 1, 7 or 100 rows the records, and so the digests of all files, are those of one piece."""
    whole = plan(written(tmp_path, kind))
    expected = stages(tmp_path / "whole", whole, tmp_path)
    assert expected[0].rows == 249
    assert expected[0].duplicate_rows == 9
    assert expected[2].parts["train"].shards
    for rows in (1, 100) if kind == "parquet" else (7,):
        small_pieces(monkeypatch, rows)
        assert stages(tmp_path / str(rows), whole, tmp_path) == expected


def test_row_groups_do_not_depend_on_the_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stored table of several row groups is the same file, whatever came at a time."""
    monkeypatch.setattr(_stored, "GROUP_CELLS", 8 * 64)
    whole = plan(written(tmp_path, "parquet"))
    expected = ingest.ingest(RunFolder(tmp_path / "whole"), whole, tmp_path)
    small_pieces(monkeypatch, 7)
    assert ingest.ingest(RunFolder(tmp_path / "small"), whole, tmp_path) == expected


def test_the_stored_table_is_what_was_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Counts of missing, different and repeated values are those of the table, read by other means."""
    small_pieces(monkeypatch, 7)
    frame, folder = table(), RunFolder(tmp_path / "r")
    dataset = ingest.ingest(folder, plan(written(tmp_path, "parquet")), tmp_path)
    kept = tables.stored(folder, dataset)
    assert dataset.duplicate_rows == int(frame.duplicated().sum())
    for column in dataset.columns:
        values = frame[column.name]
        assert (column.missing, column.distinct) == (values.isna().sum(), values.nunique()), column.name
        assert kept[column.name].astype(object).where(kept[column.name].notna(), None).tolist() == (
            values.astype(object).where(values.notna(), None).tolist()
        )


def test_the_embedded_table_is_read_split_and_encoded_as_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Digests of rows, parts and inputs are those of the version that held the whole table in memory."""
    small_pieces(monkeypatch, 50)
    whole = load.load(load.plan_path("diabetes_progression"))
    dataset, split, encoded = stages(tmp_path / "r", whole, tmp_path)
    expected = json.loads((Path(__file__).parent / "data/diabetes_progression.json").read_text(encoding="utf-8"))
    assert dataset.rows_sha256 == expected["rows"]
    assert {role: part.digests.sha256 for role, part in split.parts.items()} == expected["parts"]
    assert {role: part.x.sha256 for role, part in encoded.parts.items()} == expected["x"]
    assert {role: part.row_digests.sha256 for role, part in encoded.parts.items()} == expected["row_digests"]


BAD: dict[str, dict[str, dict[int, Any]]] = {
    "text among numbers": {"dose": {3: "a lot", 100: "a little", 200: "none"}},
    "an infinite one is told first": {"dose": {3: "a lot", 100: "inf", 200: "-inf"}},
    "decimal commas": {"dose": {3: "1,5", 200: "2,5"}},
    "a comma and a text": {"dose": {3: "1,5", 200: "x"}},
    "fractions": {"age": {100: "2.5"}, "dose": {3: "x"}},
    "a missing target": {"outcome": {100: None, 200: None}},
    "an unknown class": {"outcome": {3: "maybe", 200: "maybe"}},
    "a missing person": {"person": {200: None}},
    "an empty column": {"ward": dict.fromkeys(range(249))},
}


@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_sentences_count_over_all_pieces(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bad: str, ending: str
) -> None:
    """What is wrong is counted over the whole table, and told as if it had been read at once."""
    frame = table().astype(object)
    for column, values in BAD[bad].items():
        for row, value in values.items():
            frame.loc[row, column] = value
        if ending == "parquet":
            frame[column] = frame[column].map(str, na_action="ignore")
    getattr(frame, f"to_{ending}")(tmp_path / f"t.{ending}", index=False)
    whole = plan({"kind": "file", "path": [f"t.{ending}"]})
    said = []
    for rows in (1000, 7):
        small_pieces(monkeypatch, rows)
        with pytest.raises(errors.DataError) as caught:
            ingest.ingest(RunFolder(tmp_path / str(rows)), whole, tmp_path)
        said.append(str(caught.value))
        assert not list((tmp_path / str(rows)).rglob("*.parquet"))
    assert said[0] == said[1]
    first = min(min(values) for column, values in BAD[bad].items() if f"'{column}'" in said[0]) + 1
    if bad == "an infinite one is told first":
        assert "in 2 of 249 rows, first in row 101" in said[0]
    elif bad == "an empty column":
        assert "all 249 rows are missing" in said[0]
    else:
        assert f"of 249 rows, first in row {first}." in said[0]


def test_a_ragged_row_behind_many_others_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The row is counted through the blocks in which the text is read."""
    from factory import _text_tables

    monkeypatch.setattr(_text_tables, "_BLOCK", 256)
    lines = table().to_csv(index=False).splitlines()
    lines[201] += ",more"
    whole = plan(tables.csv(tmp_path, "\n".join(lines) + "\n"))
    with pytest.raises(errors.DataError, match="row 201: expected 7 columns, got 8"):
        ingest.ingest(RunFolder(tmp_path / "r"), whole, tmp_path)


@pytest.mark.parametrize("encoding_", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_text_that_is_cut_within_a_character(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, encoding_: str) -> None:
    """Bytes are read in pieces that end anywhere; the text is that of the whole, and so is the place of an error."""
    from factory import _files

    content = table().replace({"ward": "B"}, "Ωß" if encoding_ != "cp1252" else "ß").to_csv(index=False)
    (tmp_path / "rows.csv").write_bytes(content.encode(encoding_))
    whole = plan({"kind": "file", "path": ["rows.csv"], "encoding": encoding_})
    expected = ingest.ingest(RunFolder(tmp_path / "whole"), whole, tmp_path)
    monkeypatch.setattr(_files, "CHUNK", 7)
    assert ingest.ingest(RunFolder(tmp_path / "cut"), whole, tmp_path) == expected
    spoilt = (content[:5000]).encode("utf-8") + b"\xff" + content[5000:].encode("utf-8")
    (tmp_path / "rows.csv").write_bytes(spoilt)
    whole = plan({"kind": "file", "path": ["rows.csv"]})
    with pytest.raises(errors.PlanError, match=f"at byte {spoilt.index(0xFF)}\\."):
        ingest.ingest(RunFolder(tmp_path / "spoilt"), whole, tmp_path)


def test_a_file_that_changes_while_it_is_read_is_refused(tmp_path: Path) -> None:
    """The digest of a file is that of what was read, or there is none."""
    whole = plan(written(tmp_path, "parquet"))
    opened = sources.read(whole.data.source, whole.data, tmp_path)
    rows = opened.frames()
    next(rows)
    os.utime(tmp_path / "a.parquet", ns=(1, 1))
    with pytest.raises(errors.DataError, match="has changed since"):
        list(rows)


@pytest.mark.slow
def test_given_predictions_do_not_depend_on_the_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are stored in the order of the encoded rows, all of them, however many are read at a time."""
    content = prediction_plans.plan()
    prediction_plans.table().to_csv(tmp_path / "rows.csv", index=False)
    content["data"]["source"] = {"kind": "file", "path": ["rows.csv"]}
    whole = Plan.model_validate(content)
    found = []
    for rows in (1000, 7):
        small_pieces(monkeypatch, rows)
        folder = RunFolder(tmp_path / str(rows))
        dataset = ingest.ingest(folder, whole, tmp_path)
        encoded = encoding.encode(folder, whole, dataset, splitting.split(folder, whole, dataset))
        found.append((dataset, encoded, given.store(folder, whole, dataset, encoded)))
    assert found[0] == found[1]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no device that is always full")
@pytest.mark.parametrize("kind", ["table", "inputs"])
def test_a_full_disk_is_told_in_one_sentence(kind: str) -> None:
    """Whatever of the stages writes: the sentence is that of a full disk."""
    rows = np.random.default_rng(0).random((100_000, 3), np.float32)

    def table() -> None:
        columns = pa.table({"a": rows[:, 0]})
        with _stored.Writer(Path("/dev/full"), columns.schema) as writer:
            writer.write(columns)

    def inputs() -> None:
        with _scattered.Scattered(Path("/dev/full"), rows.shape) as file:
            file.add(rows, np.arange(len(rows)))

    with pytest.raises(errors.StorageError, match="got a full disk"), storage.explained("stage"):
        {"table": table, "inputs": inputs}[kind]()


KILLED = """
import os, signal, sys
from pathlib import Path
from factory import _raw, _row_digests, _scattered
from tests.factory import test_pieces as t

_raw.CELLS, _raw.FEWEST = 1, 7
module, name = {"ingest": (_row_digests, "strings"), "encode": (_scattered.Scattered, "put_in_order")}[sys.argv[3]]
went = getattr(module, name)
calls = []

def kill(*given):
    calls.append(1)
    if len(calls) == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return went(*given)

setattr(module, name, kill)
base = Path(sys.argv[1])
t.stages(Path(sys.argv[2]), t.plan({"kind": "file", "path": ["a.parquet"]}), base)
"""


@pytest.mark.slow
@pytest.mark.parametrize("stage", ["ingest", "encode"])
def test_a_killed_stage_can_be_run_again(tmp_path: Path, stage: str) -> None:
    """Killed while it writes, a stage begins anew and leaves the same records, and nothing of the attempt before."""
    whole = plan(written(tmp_path, "parquet"))
    expected = stages(tmp_path / "whole", whole, tmp_path)
    again = tmp_path / "again"
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, str(tmp_path), str(again), stage], cwd=Path(__file__).parents[2], check=False
    )
    assert killed.returncode == -9
    assert [p for p in again.rglob(".*") if p.is_file()]
    assert stages(again, whole, tmp_path) == expected
    files = [sorted(str(p.relative_to(f)) for p in f.rglob("*")) for f in (tmp_path / "whole", again)]
    assert files[0] == files[1]
