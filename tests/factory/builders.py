"""Small real run folders for tests: tables that ship inside scikit-learn, encoded as the factory does it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from configs import plan as plans
from evidence import arrays, records
from evidence.folder import RunFolder
from factory import _inputs

Task = Literal["binary", "multiclass", "regression"]
ROLES: tuple[records.Role, ...] = ("train", "validation", "test")


def plan(task: Task = "binary", **sections: Mapping[str, Any]) -> plans.Plan:
    """A plan for one of the tables; `model={...}` and so on replace whole sections, `training={...}` adds to it."""
    target: dict[str, Any] = {"task": task}
    kind = "categorical"
    if task == "binary":
        target |= {"positive": ["1"], "negative": ["0"]}
    elif task == "multiclass":
        target |= {"classes": ["class_0", "class_1", "class_2"]}
    else:
        kind = "numeric"
    content: dict[str, Any] = {
        "version": 1,
        "system": {
            "id": "test_system",
            "name": "Test system",
            "version": "0.1.0",
            "provider": {"name": "Test GmbH"},
            "intended_purpose": "Tests.",
        },
        "classification": {},
        "data": {
            "source": {"kind": "sklearn", "name": "diabetes"},
            "provenance": {"title": "Test table"},
            "target": target,
            "columns": [{"name": "y", "role": "target", "kind": kind}, {"name": "x0", "kind": "numeric"}],
        },
        "policy": {"gates": [{"check": "performance.accuracy", "at_least": 0.5}]},
    }
    training = {"epochs": 5, "batch_size": 64, "device": "cpu"} | dict(sections.pop("training", {}))
    return plans.Plan.model_validate(content | {"training": training} | sections)


def table(task: Task) -> tuple[npt.NDArray[np.float32], npt.NDArray[Any], list[str], int | None]:
    """A real table: features, target, names, and the position of a categorical feature.

    Binary is the diabetes table with progression above 140, sex as a category; multi-class is wine; regression is
    the diabetes table as it is.
    """
    from sklearn import datasets

    if task == "multiclass":
        wine = datasets.load_wine()
        return wine.data.astype(np.float32), wine.target.astype(np.int64), list(wine.feature_names), None
    loaded = datasets.load_diabetes(scaled=False)
    x = loaded.data.astype(np.float32)
    x[:, 1] -= 1
    y = (loaded.target > 140).astype(np.int64) if task == "binary" else loaded.target.astype(np.float32)
    return x, y, list(loaded.feature_names), 1


def encode(
    folder: RunFolder,
    task: Task,
    x: npt.NDArray[np.float32],
    y: npt.NDArray[Any],
    names: Sequence[str],
    categorical: Mapping[int, tuple[str, ...]],
) -> records.EncodedData:
    """Split 60/20/20 in row order of a seeded shuffle, and save the arrays."""
    order = np.random.default_rng(0).permutation(len(x))
    cuts = np.split(order, [int(0.6 * len(x)), int(0.8 * len(x))])
    parts = {role: _part(folder, role, x[rows], y[rows], rows) for role, rows in zip(ROLES, cuts, strict=True)}
    classes: tuple[str, ...] = ()
    if task != "regression":
        classes = ("negative", "positive") if task == "binary" else tuple(f"class_{k}" for k in range(3))
    return records.EncodedData(
        task=task,
        features=tuple(_feature(names[i], x[cuts[0], i], categorical.get(i)) for i in range(x.shape[1])),
        classes=classes,
        target="y",
        parts=parts,
    )


def encoded(folder: RunFolder, task: Task = "binary", missing: float = 0.05) -> records.EncodedData:
    """A real table as encoded data, with a share of the cells made missing."""
    x, y, names, categorical = table(task)
    x[np.random.default_rng(1).random(x.shape) < missing] = np.nan
    return encode(folder, task, x, y, names, {categorical: ("1", "2")} if categorical is not None else {})


def run_folder(path: Path, task: Task = "binary") -> tuple[RunFolder, records.EncodedData]:
    """A run folder with encoded data."""
    folder = RunFolder(path)
    return folder, encoded(folder, task)


def with_shards(folder: RunFolder, plan: plans.Plan, data: records.EncodedData) -> records.EncodedData:
    """The same with the training part in shards too, as encoding writes it where the plan streams."""
    part = arrays.load(folder, data, "train")
    held = [part.x], part.y, part.digests_sha256
    shards = _inputs.sharded(folder, "data/encoded/train/shards", plan, data.features, held)
    train = data.parts["train"].model_copy(update={"shards": shards})
    return data.model_copy(update={"parts": {**data.parts, "train": train}})


def _part(
    folder: RunFolder, role: records.Role, x: npt.NDArray[Any], y: npt.NDArray[Any], rows: npt.NDArray[Any]
) -> records.EncodedPart:
    digests = np.array([hashlib.sha256(str(r).encode()).hexdigest().encode() for r in rows], dtype="S64")
    at = f"data/encoded/{role}"
    return records.EncodedPart(
        rows=len(y),
        x=arrays.save(folder, f"{at}.x.npy", np.ascontiguousarray(x)),
        y=arrays.save(folder, f"{at}.y.npy", y),
        row_digests=arrays.save(folder, f"{at}.rows.npy", digests),
        groups={},
    )


def _feature(name: str, values: npt.NDArray[np.float32], categories: tuple[str, ...] | None) -> records.FeatureSpec:
    if categories:
        return records.FeatureSpec(name=name, kind="categorical", categories=categories)
    present = values[np.isfinite(values)].astype(np.float64)
    return records.FeatureSpec(
        name=name,
        kind="numeric",
        minimum=float(present.min()),
        maximum=float(present.max()),
        mean=float(present.mean()),
        std=float(present.std()) or 1.0,
        median=float(np.median(present)),
    )
