"""Real run folders for tests of the checks on data: a table, its split and its arrays, from a data frame and a plan."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from configs.plan import Plan
from evidence import arrays, canonical, records
from evidence.folder import RunFolder

ROLES: tuple[records.Role, ...] = ("train", "validation", "test")
ARROW = {"numeric": pa.float64(), "integer": pa.int64(), "categorical": pa.string()}


def plan(
    columns: list[dict[str, Any]],
    target: dict[str, Any],
    *,
    rules: list[dict[str, Any]] | None = None,
    protected: list[dict[str, Any]] | None = None,
    intersections: list[list[str]] | None = None,
    policy: dict[str, Any] | None = None,
    engine: str = "pandas",
) -> Plan:
    """A whole plan around the columns."""
    return Plan.model_validate(
        {
            "version": 1,
            "system": {
                "id": "test-system",
                "name": "Test",
                "version": "1.0.0",
                "provider": {"name": "Example"},
                "intended_purpose": "Trying the checks.",
            },
            "classification": {},
            "data": {
                "source": {"kind": "sklearn", "name": "diabetes"},
                "provenance": {"title": "Test data"},
                "target": target,
                "columns": columns,
                "engine": engine,
                "rules": rules or [],
                "protected": protected or [],
                "intersections": intersections or [],
            },
            "policy": {"gates": [{"check": "performance.roc_auc", "at_least": 0.5}], **(policy or {})},
        }
    )


def ingest(folder: RunFolder, made: Plan, frame: pd.DataFrame) -> records.DatasetRef:
    """Write `data/rows.parquet` and describe it."""
    names = [c.name for c in made.data.columns]
    table = pa.table({c.name: pa.array(frame[c.name], ARROW[c.kind], from_pandas=True) for c in made.data.columns})
    rows = ["\x1f".join(str(v) for v in row) for row in zip(*(table.column(n).to_pylist() for n in names), strict=True)]
    digests = [hashlib.sha256(row.encode()).hexdigest() for row in rows]
    with folder.replacing("data/rows.parquet") as temporary:
        pq.write_table(table.append_column("_row", pa.array(digests)), temporary)
    return records.DatasetRef(
        title=made.data.provenance.title,
        sources=(),
        table=folder.reference("data/rows.parquet"),
        rows=len(frame),
        columns=tuple(
            records.ColumnSchema(
                name=c.name,
                kind=c.kind,
                role=c.role,
                missing=int(frame[c.name].isna().sum()),
                distinct=int(frame[c.name].nunique()),
            )
            for c in made.data.columns
        ),
        schema_sha256="0" * 64,
        rows_sha256=canonical.sha256_bytes("".join(d + "\n" for d in sorted(digests)).encode()),
        duplicate_rows=len(digests) - len(set(digests)),
    )


def split(
    folder: RunFolder, dataset: records.DatasetRef, roles: np.ndarray, entities: np.ndarray | None = None
) -> records.SplitManifest:
    """Name the rows of each part; `roles` (rows,) holds the part of each row."""
    digests = np.array(pq.read_table(folder.at(dataset.table.path), columns=["_row"]).column(0).to_pylist(), "S64")
    parts = {}
    for role in ROLES:
        inside = roles == role
        lines = arrays.lines_of_rows(digests[inside])
        parts[role] = records.SplitPart(
            rows=int(inside.sum()),
            digests=folder.write_bytes(f"data/split/{role}.txt", lines),
            entities=None if entities is None else len(np.unique(entities[inside])),
        )
    with folder.replacing("data/split/assignment.parquet") as temporary:
        pq.write_table(pa.table({"_row": digests.astype(str), "_role": roles.astype(str)}), temporary)
    return records.SplitManifest(
        seed=0, method="test", parts=parts, assignment=folder.reference("data/split/assignment.parquet")
    )


def encode(
    folder: RunFolder,
    made: Plan,
    dataset: records.DatasetRef,
    roles: np.ndarray,
    *,
    x: np.ndarray,
    y: np.ndarray,
    features: tuple[records.FeatureSpec, ...],
    classes: tuple[str, ...] = (),
    groups: dict[str, tuple[np.ndarray, tuple[str, ...]]] | None = None,
    entities: np.ndarray | None = None,
    unseen: dict[str, int] | None = None,
) -> records.EncodedData:
    """Write the arrays of each part. All arrays are given over all rows, in the order of the table."""
    digests = np.array(pq.read_table(folder.at(dataset.table.path), columns=["_row"]).column(0).to_pylist(), "S64")

    def part(role: records.Role) -> records.EncodedPart:
        inside = roles == role

        def put(name: str, array: np.ndarray) -> records.ArtifactRef:
            return arrays.save(folder, f"data/arrays/{role}/{name}.npy", array[inside])

        return records.EncodedPart(
            rows=int(inside.sum()),
            x=put("x", x.astype(np.float32)),
            y=put("y", y.astype(np.int64 if classes else np.float32)),
            row_digests=put("rows", digests),
            groups={
                name: records.GroupColumn(codes=put(f"group{i}", codes.astype(np.int16)), names=names)
                for i, (name, (codes, names)) in enumerate((groups or {}).items())
            },
            entities=None if entities is None else put("entities", entities.astype(np.int64)),
            unseen=(unseen or {}) if role != "train" else {},
        )

    task = made.data.target.task
    return records.EncodedData(
        task=task,
        features=features,
        classes=classes,
        target=made.data.target_column.name,
        parts={role: part(role) for role in ROLES},
    )


def run_folder(tmp_path: Path) -> RunFolder:
    """An empty run folder."""
    place = tmp_path / "run-1"
    place.mkdir(parents=True)
    return RunFolder(place)
