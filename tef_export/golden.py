"""Golden vectors: synthetic inputs and the outputs of ONNX Runtime on them, in ONNX's backend-test layout.

A receiver who gets the same outputs holds the same model in a runtime that computes it. No row is a person's: values
are drawn at random within the training range of each feature.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime

from evidence import records
from evidence.folder import RunFolder

PLACE = "model/test_data_set_0"
INPUT = "features"
MISSING = 0.15
"""Share of missing values."""
EXACT = 2.0**53
"""From here on every number that float64 holds is whole anyway."""


def inputs(features: Sequence[records.FeatureSpec], rows: int, seed: int) -> npt.NDArray[np.float32]:
    """Synthetic rows, float32 `(rows, F)`.

    Numbers are uniform over the training range (whole where the feature is), categories are uniform over the codes.
    About one value in seven is missing. With three rows or more, the first has no missing value and the last has
    nothing else.

    Args:
        features: The model's inputs in order.
        rows: Number of rows.
        seed: Seed; the same seed gives the same rows.
    """
    random = np.random.default_rng(seed)
    x = np.stack([_draw(feature, rows, random) for feature in features], axis=1)
    gone = random.random(x.shape) < MISSING
    if rows >= 3:
        gone[0], gone[-1] = False, True
    x[gone] = np.nan
    return x


def session(model: bytes) -> onnxruntime.InferenceSession:
    """The model in ONNX Runtime on the CPU."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def write(
    folder: RunFolder, opened: onnxruntime.InferenceSession, given: Mapping[str, npt.NDArray[Any]]
) -> tuple[tuple[records.ArtifactRef, ...], tuple[records.ArtifactRef, ...]]:
    """Run the model and write `input_<i>.pb` and `output_<i>.pb`, numbered as in the graph; their references.

    Args:
        folder: Run folder.
        opened: The model.
        given: Every input by name.
    """
    inputs = [value.name for value in opened.get_inputs()]
    outputs = [value.name for value in opened.get_outputs()]
    made = opened.run(outputs, dict(given))
    return (
        tuple(_write(folder, f"{PLACE}/input_{i}.pb", given[name], name) for i, name in enumerate(inputs)),
        tuple(
            _write(folder, f"{PLACE}/output_{i}.pb", array, name)
            for i, (name, array) in enumerate(zip(outputs, made, strict=True))
        ),
    )


def _draw(feature: records.FeatureSpec, rows: int, random: np.random.Generator) -> npt.NDArray[np.float32]:
    if feature.kind == "categorical":
        return random.integers(0, len(feature.categories), rows).astype(np.float32)
    low, high = feature.minimum, feature.maximum
    if low is None or high is None:
        return np.full(rows, np.nan, np.float32)
    if feature.integer and max(abs(low), abs(high)) < EXACT:
        return random.integers(round(low), round(high), rows, endpoint=True).astype(np.float32)
    # Weighted ends instead of low + width · u: the width of a range may overflow where its ends do not.
    if math.isfinite(high - low):
        drawn = random.uniform(low, high, rows)
    else:
        share = random.random(rows)
        drawn = low * (1.0 - share) + high * share
    limit = float(np.finfo(np.float32).max)
    return np.clip(np.clip(drawn, low, high), -limit, limit).astype(np.float32)


def _write(folder: RunFolder, relative: str, array: npt.NDArray[np.generic], name: str) -> records.ArtifactRef:
    tensor = onnx.numpy_helper.from_array(np.ascontiguousarray(array), name)
    return folder.write_bytes(relative, tensor.SerializeToString(deterministic=True))
