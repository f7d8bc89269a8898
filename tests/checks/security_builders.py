"""A model of closed form that can be trained anew in a millisecond, in a run folder with a training and a test part."""

from __future__ import annotations

import dataclasses
import hashlib
from pathlib import Path

import numpy as np

from checks import _parts, _subject, intervals, scoring
from checks.source import Source
from evidence import arrays, records
from tests.checks import model_builders

RIDGE = 0.05


def discriminant(x: np.ndarray, y: np.ndarray, classes: int, ridge: float = RIDGE) -> tuple[np.ndarray, np.ndarray]:
    """Coefficients (features, classes) and intercepts of a linear discriminant; overfits where features are many."""
    means = np.stack([x[y == k].mean(axis=0) if (y == k).any() else np.full(x.shape[1], 1e3) for k in range(classes)])
    centred = x - means[y]
    inverse = np.linalg.inv(centred.T @ centred / max(len(x) - classes, 1) + ridge * np.eye(x.shape[1]))
    shares = np.log(np.maximum(np.bincount(y, minlength=classes), 0.5) / len(y))
    return inverse @ means.T, shares - 0.5 * np.einsum("kf,fg,kg->k", means, inverse, means)


def least_squares(x: np.ndarray, y: np.ndarray, ridge: float = RIDGE) -> tuple[np.ndarray, np.ndarray]:
    """Coefficients (features, 1) and intercept of ridge regression."""
    centre = x.mean(axis=0)
    fitted = np.linalg.solve(
        (x - centre).T @ (x - centre) + ridge * np.eye(x.shape[1]), (x - centre).T @ (y - y.mean())
    )
    return fitted[:, None], np.array([y.mean() - centre @ fitted])


def fit(x: np.ndarray, y: np.ndarray, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Whichever belongs to the task; 0 classes is regression."""
    x = x.astype(np.float64)
    return discriminant(x, y, classes) if classes else least_squares(x, y.astype(np.float64))


def retrain(classes: int):
    """What the flow hands over for a source model, here the closed form; deterministic, the seed has no say."""

    def train(x, y, *, seed):
        coefficients, intercept = fit(x, y, classes)

        def predict(inputs):
            found = inputs.astype(np.float64) @ coefficients + intercept
            if not classes:
                return found
            found = np.exp(found - found.max(axis=1, keepdims=True))
            return found / found.sum(axis=1, keepdims=True)

        return predict

    return train


@dataclasses.dataclass(frozen=True)
class Rows:
    """A part before it is written."""

    x: np.ndarray
    y: np.ndarray
    entities: np.ndarray | None = None


def subject(
    place: Path,
    train: Rows,
    test: Rows,
    *,
    task: str = "binary",
    fitted: tuple[np.ndarray, np.ndarray] | None = None,
    source: Source | None = None,
    specs: tuple[records.FeatureSpec, ...] | None = None,
    **security: object,
) -> _subject.Subject:
    """A linear ONNX graph, fitted to the training part unless given, with both parts in a run folder."""
    classes = {"binary": 2, "multiclass": 3, "regression": 0}[task]
    model_builders.linear_graph(place / "model/model.onnx", *(fitted or fit(train.x, train.y, classes)))
    plan = model_builders.plan(task, replicates=200, security=security)
    specs = specs or model_builders.features(train.x)
    made = model_builders.case(place, plan, test.x, test.y, {}, specs=specs, entities=test.entities)
    parts = {**made.encoded.parts, "train": _part(made, train, task)}
    encoded = made.encoded.model_copy(update={"parts": parts})
    part = arrays.load(made.folder, encoded, "test")
    scorer = scoring.open_model(made.folder.checked(made.model.onnx), encoded)
    return _subject.Subject(
        plan=plan,
        encoded=encoded,
        part=part,
        scorer=scorer,
        scores=scorer(part.x),
        sampling=intervals.Sampling(replicates=200, entities=part.entities),
        parts=_parts.Parts(made.folder, encoded, scorer),
        source=Source(retrain=retrain(classes)) if source is None else source,
    )


def _part(made: model_builders.Case, rows: Rows, task: str) -> records.EncodedPart:
    digests = [hashlib.sha256(f"train {i}".encode()).hexdigest().encode() for i in range(len(rows.y))]
    kind = np.float32 if task == "regression" else np.int64
    return records.EncodedPart(
        rows=len(rows.y),
        x=arrays.save(made.folder, "data/train/x.npy", rows.x.astype(np.float32)),
        y=arrays.save(made.folder, "data/train/y.npy", rows.y.astype(kind)),
        row_digests=arrays.save(made.folder, "data/train/rows.npy", np.array(digests, dtype="S64")),
        groups={},
        entities=None
        if rows.entities is None
        else arrays.save(made.folder, "data/train/entities.npy", rows.entities.astype(np.int64)),
    )


def drawn(rows: int, features: int, seed: int, *, classes: int = 2, apart: float = 1.0) -> Rows:
    """Rows of classes whose means lie `apart` in each feature, with unit variance."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, classes, rows)
    means = np.random.default_rng(99).normal(size=(classes, features)) * apart
    return Rows((means[y] + rng.normal(size=(rows, features))).astype(np.float32), y)
