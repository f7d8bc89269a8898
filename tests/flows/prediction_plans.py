"""Plans and tables of given predictions: real measurements, and what a model says of them without being there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import yaml
from sklearn.datasets import load_diabetes
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict


def table() -> pd.DataFrame:
    """The 442 patients with probabilities that a model gives when it has not seen the row."""
    frame = load_diabetes(as_frame=True).frame
    truth = frame.target.gt(140)
    features = frame[["bmi", "bp", "s5"]]
    probability = cross_val_predict(LogisticRegression(), features, truth, cv=5, method="predict_proba")[:, 1]
    return pd.DataFrame(
        {
            "patient": range(len(frame)),
            "truth": truth.map({True: "yes", False: "no"}),
            "predicted": pd.Series(probability >= 0.5).map({True: "yes", False: "no"}),
            "p_no": 1 - probability,
            "p_yes": probability,
            "sex": frame.sex.gt(0).map({True: "second", False: "first"}),
        }
    )


def plan() -> dict[str, Any]:
    """A plan for `table()`."""
    return {
        "version": 1,
        "system": {
            "id": "given-predictions",
            "name": "Given predictions",
            "version": "1.0.0",
            "provider": {"name": "Example"},
            "intended_purpose": "To evaluate predictions without their model.",
        },
        "classification": {},
        "data": {
            "source": {"kind": "file", "path": ["predictions.csv"]},
            "provenance": {"title": "Diabetes progression, predicted"},
            "target": {"task": "binary", "positive": ["yes"], "negative": ["no"]},
            "columns": [
                {"name": "patient", "role": "ignored", "kind": "integer"},
                {"name": "truth", "role": "target", "kind": "categorical"},
                {"name": "predicted", "role": "prediction", "kind": "categorical"},
                {"name": "p_no", "role": "prediction", "kind": "numeric"},
                {"name": "p_yes", "role": "prediction", "kind": "numeric"},
                {"name": "sex", "role": "protected", "kind": "categorical"},
            ],
            "protected": [{"name": "sex", "column": "sex", "use_in_model": False, "special_category": False}],
        },
        "predictions": {
            "label": "predicted",
            "probabilities": ["p_no", "p_yes"],
            "threshold": 0.5,
            "row_id": "patient",
            "unseen": "Each row was predicted by a model fitted on the other folds.",
        },
        "policy": {
            "replicates": 200,
            "gates": [
                {"check": "performance.roc_auc", "at_least": 0.6},
                {"check": "fairness.equal_opportunity_difference", "slice": "sex", "at_most": 0.9},
            ],
        },
    }


def write(folder: Path, content: dict[str, Any] | None = None, frame: pd.DataFrame | None = None) -> Path:
    """Write plan and table into a folder; the plan's path."""
    (table() if frame is None else frame).to_csv(folder / "predictions.csv", index=False)
    path = folder / "plan.yaml"
    path.write_text(yaml.safe_dump(content or plan(), sort_keys=False), encoding="utf-8")
    return path
