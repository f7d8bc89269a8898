"""The diabetes table with its groups by sex and age, encoded, and plans that treat them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from configs.plan import Plan
from evidence import arrays, records
from evidence.folder import RunFolder
from tests.factory import builders

EDGE = 45.0
SMALL = {"width": 8, "blocks": 0, "dropout": 0.0}


def plan(mitigation: dict[str, Any], **training: Any) -> Plan:
    """A quick plan over the ten columns of the table."""
    made = builders.plan(training={"epochs": 4, "batch_size": 64, **training}, model=SMALL).model_dump(mode="json")
    names = builders.table("binary")[2]
    columns = [
        {"name": n, "kind": "categorical" if n == "sex" else "numeric", "max_missing": 0.2}
        | ({"allowed": ["1", "2"], "labels": {"1": "first", "2": "second"}} if n == "sex" else {})
        for n in names
    ]
    made["data"]["columns"] = [*columns, {"name": "y", "role": "target", "kind": "categorical"}]
    made["data"]["protected"] = [
        {"name": "sex", "column": "sex", "use_in_model": True, "special_category": False},
        {"name": "age_group", "column": "age", "bins": [EDGE], "use_in_model": True, "special_category": False},
    ]
    made["mitigation"] = mitigation
    return Plan.model_validate(made)


def run_folder(path: Path) -> tuple[RunFolder, records.EncodedData]:
    """A run folder with the encoded table; one cell in twenty is missing, groups with it."""
    folder, encoded = builders.run_folder(path)
    parts = {}
    for role, part in encoded.parts.items():
        x = arrays.load(folder, encoded, role).x
        sex = np.where(np.isnan(x[:, 1]), -1, x[:, 1]).astype(np.int16)
        age = np.where(np.isnan(x[:, 0]), -1, x[:, 0] >= EDGE).astype(np.int16)
        groups = {
            name: records.GroupColumn(codes=arrays.save(folder, f"data/encoded/{role}.{name}.npy", codes), names=names)
            for name, codes, names in (
                ("sex", sex, ("first", "second")),
                ("age_group", age, ("< 45", ">= 45")),
            )
        }
        parts[role] = part.model_copy(update={"groups": groups})
    return folder, encoded.model_copy(update={"parts": parts})
