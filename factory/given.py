"""Given predictions as arrays for the evaluation, in the order of the encoded test part."""

from __future__ import annotations

import numpy as np

from configs import errors
from configs.data import Data
from configs.plan import Plan
from configs.predictions import Predictions
from evidence import arrays, canonical, records
from evidence.folder import RunFolder
from evidence.given import GivenPredictions
from factory import _given_columns, _row_digests, ingest

FOLDER = "predictions"


def store(folder: RunFolder, plan: Plan, dataset: records.DatasetRef, encoded: records.EncodedData) -> GivenPredictions:
    """Write the predictions of the test rows below `predictions/`, in the row order of the encoded test part.

    Raises:
        DataError: As `_given_columns.read`.
        IntegrityError: The table, or the encoded part, was altered, or holds other rows.
    """
    given = _given_columns.section(plan)
    table = ingest.stored_table(folder, dataset)
    digests = ingest.digests_of(table)
    order = np.argsort(digests, kind="stable")
    _require_rows(folder, encoded, digests[order])
    said = _given_columns.read(
        lambda name: table.column(name).iloc[order].reset_index(drop=True), plan, "ingested table"
    )
    values = {"labels": said.labels, "probabilities": said.probabilities, "predictions": said.values}
    stored = {
        name: arrays.save(folder, f"{FOLDER}/{name}.npy", array) for name, array in values.items() if array is not None
    }
    both = said.labels is not None and said.expected is not None and given.label is not None
    return GivenPredictions(
        rows=table.rows,
        columns=_held(given, encoded.classes),
        labels_from=_labels_from(given, plan.data),
        threshold=_given_columns.threshold_of(plan),
        disagreeing=int(np.sum(said.labels != said.expected)) if both else None,
        largest_sum_error=said.largest_sum_error,
        **stored,
    )


def _labels_from(given: Predictions, data: Data) -> str | None:
    if data.target.task == "regression":
        return None
    if given.label is not None:
        return "given"
    return "threshold" if data.target.task == "binary" else "largest"


def _held(given: Predictions, classes: tuple[str, ...]) -> dict[str, str]:
    """Column to what it holds, in words."""
    found = {given.label: "predicted label"} if given.label else {}
    found |= {given.value: "predicted value"} if given.value else {}
    named = classes[1:] if len(given.probabilities) == 1 else classes
    return found | {c: f"probability of {name}" for c, name in zip(given.probabilities, named, strict=False)}


def _require_rows(folder: RunFolder, encoded: records.EncodedData, digests: _row_digests.Digests) -> None:
    part = arrays.load(folder, encoded, "test")
    if canonical.sha256_pieces(_row_digests.lines(digests)) != part.digests_sha256:
        raise errors.IntegrityError(
            "given predictions: expected those of the encoded test rows, got those of others. "
            "Run again into a new folder."
        )
