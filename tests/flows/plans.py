"""Small real plans and tables for the tests of the command line: diabetes data as a CSV that a test may spoil."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import yaml
from sklearn.datasets import load_diabetes

ALTERED = dict[str, Any]


def table() -> pd.DataFrame:
    """The 442 patients with a textual column `site` beside the measurements."""
    frame = load_diabetes(as_frame=True, scaled=False).frame
    frame["site"] = ["north" if i % 3 else "south" for i in range(len(frame))]
    frame["progressed"] = frame.pop("target").gt(140).map({True: "yes", False: "no"})
    return frame[["age", "sex", "bmi", "bp", "s5", "site", "progressed"]]


def plan() -> ALTERED:
    """A quick plan for `table()`: three epochs, every section present."""
    return {
        "version": 1,
        "system": {
            "id": "quick-plan",
            "name": "Quick plan",
            "version": "1.0.0",
            "provider": {"name": "Example"},
            "intended_purpose": "To try the command line on real measurements.",
        },
        "classification": {},
        "data": {
            "source": {"kind": "file", "path": ["patients.csv"]},
            "provenance": {"title": "Diabetes progression"},
            "target": {"task": "binary", "positive": ["yes"], "negative": ["no"]},
            "columns": [
                {"name": "age", "role": "protected", "kind": "numeric", "unit": "years"},
                {"name": "sex", "role": "protected", "kind": "categorical"},
                {"name": "bmi", "kind": "numeric"},
                {"name": "bp", "kind": "numeric", "max_missing": 0.1},
                {"name": "s5", "kind": "numeric"},
                {"name": "site", "kind": "categorical"},
                {"name": "progressed", "role": "target", "kind": "categorical"},
            ],
            "protected": [
                {"name": "sex", "column": "sex", "use_in_model": False, "special_category": False},
                {
                    "name": "age_group",
                    "column": "age",
                    "bins": [40.0],
                    "use_in_model": False,
                    "special_category": False,
                },
            ],
        },
        "training": {"epochs": 3, "batch_size": 64},
        "policy": {
            "replicates": 200,
            "gates": [
                {"check": "performance.roc_auc", "at_least": 0.6},
                {"check": "fairness.demographic_parity_difference", "slice": "sex", "at_most": 0.9},
            ],
            "robustness": {"noise": [0.1], "missing": [0.1], "attack": {"steps": 2, "rows": 20}},
        },
    }


def write(folder: Path, content: ALTERED | None = None, frame: pd.DataFrame | None = None) -> Path:
    """Write plan and table into a folder; the plan's path."""
    (table() if frame is None else frame).to_csv(folder / "patients.csv", index=False)
    path = folder / "plan.yaml"
    path.write_text(yaml.safe_dump(content or plan(), sort_keys=False), encoding="utf-8")
    return path
