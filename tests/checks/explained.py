"""A linear model under test with training and validation parts, in real files."""

from __future__ import annotations

import dataclasses
import hashlib
from typing import Any

import numpy as np

from evidence import arrays, records
from evidence.folder import RunFolder
from tests.checks import model_builders

Rows = tuple[np.ndarray, np.ndarray]


def drawn(rows: int, coefficients: np.ndarray, seed: int, *, task: str = "binary", noise: float = 1.0) -> Rows:
    """Inputs and what follows from them under that very model; regression: with normal noise."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, len(coefficients))).astype(np.float32)
    logits = x @ coefficients
    if task == "regression":
        return x, logits[:, 0] + noise * rng.normal(size=rows)
    shares = np.exp(logits - logits.max(axis=1, keepdims=True))
    shares /= shares.sum(axis=1, keepdims=True)
    y = (shares.cumsum(axis=1) < rng.random((rows, 1))).sum(axis=1)
    return x, np.minimum(y, coefficients.shape[1] - 1)


def subject(
    place: Any,
    test: Rows,
    *,
    coefficients: np.ndarray,
    train: Rows | None = None,
    validation: Rows | None = None,
    task: str = "binary",
    entities: np.ndarray | None = None,
    source: Any = None,
    changes: dict[str, Any] | None = None,
    groups: bool = False,
    **explanation: Any,
) -> Any:
    """The subject; `explanation` is the section of the policy."""
    from checks import _parts, _subject, intervals, scoring
    from checks.source import Source

    model_builders.linear_graph(place / "model/model.onnx", coefficients, np.zeros(coefficients.shape[1]))
    plan = model_builders.plan(task, explanation=explanation)
    member = model_builders.membership(len(test[1]), 1) if groups else {}
    specs = model_builders.features((train or test)[0], **(changes or {}))
    case = model_builders.case(place, plan, *test, member, specs=specs, entities=entities)
    encoded = case.encoded
    for role, rows in (("train", train), ("validation", validation)):
        if rows is not None:
            encoded = with_part(case.folder, encoded, role, *rows)
    part = arrays.load(case.folder, encoded, "test")
    scorer = scoring.open_model(case.folder.checked(case.model.onnx), encoded)
    sampling = intervals.Sampling(replicates=300, entities=part.entities)
    parts = _parts.Parts(case.folder, encoded, scorer)
    return _subject.Subject(plan, encoded, part, scorer, scorer(part.x), sampling, parts, source=source or Source())


def with_part(
    folder: RunFolder, encoded: records.EncodedData, role: str, x: np.ndarray, y: np.ndarray
) -> records.EncodedData:
    """The encoded data with another part."""
    kind = np.float32 if encoded.task == "regression" else np.int64
    digests = [hashlib.sha256(f"{role}{i}".encode()).hexdigest().encode() for i in range(len(y))]
    part = records.EncodedPart(
        rows=len(y),
        x=arrays.save(folder, f"data/{role}/x.npy", x.astype(np.float32)),
        y=arrays.save(folder, f"data/{role}/y.npy", y.astype(kind)),
        row_digests=arrays.save(folder, f"data/{role}/rows.npy", np.array(digests, dtype="S64")),
        groups={},
    )
    return encoded.model_copy(update={"parts": {**encoded.parts, role: part}})


def again(made: Any, **scores: np.ndarray) -> Any:
    """The same with other scores of the test rows."""
    from checks import scoring

    return dataclasses.replace(made, scores=scoring.Scores(**scores))
