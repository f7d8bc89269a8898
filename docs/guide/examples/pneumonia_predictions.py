"""Predictions of a model that stays where it is: PneumoniaMNIST (MedMNIST, CC BY 4.0), a logistic regression on pixels.

    python docs/guide/examples/pneumonia_predictions.py pneumoniamnist.npz predictions.csv

Writes one row for each test image: its number, what is true, the predicted label and probability, and how bright the
image is. Brightness is no attribute of a person; the file holds none. Its thirds are cut on the training images.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression

THIRDS = ("dark", "medium", "bright")


def predictions(images: Path) -> pd.DataFrame:
    """Train on the training images of the archive, and say what the model says of its test images."""
    with np.load(images, allow_pickle=False) as archive:
        pixels = {part: archive[f"{part}_images"].reshape(-1, 28 * 28) / 255.0 for part in ("train", "test")}
        truth = {part: archive[f"{part}_labels"].ravel() for part in ("train", "test")}
    model = LogisticRegression(C=0.01, max_iter=200).fit(pixels["train"], truth["train"])
    probability = model.predict_proba(pixels["test"])[:, 1]
    edges = np.quantile(pixels["train"].mean(axis=1), [1 / 3, 2 / 3])
    return pd.DataFrame(
        {
            "image": np.arange(len(probability)),
            "truth": truth["test"],
            "predicted": (probability >= 0.5).astype(int),
            "p_pneumonia": probability,
            "brightness": np.array(THIRDS)[np.searchsorted(edges, pixels["test"].mean(axis=1))],
        }
    )


if __name__ == "__main__":
    predictions(Path(sys.argv[1])).to_csv(sys.argv[2], index=False)
