"""How the inputs of a model were distributed, as the reference of post-market monitoring. Counts, never rows."""

from __future__ import annotations

import hashlib
import math
from typing import Literal

import numpy as np
import numpy.typing as npt
import onnx
from onnx import numpy_helper

from configs.plan import Plan
from evidence import arrays, records
from evidence.folder import RunFolder
from evidence.reference import Example, Label, LeftOut, ReferenceRecord, Spread

LEAST = 10
"""Fewest rows of a cell: the strictest of the usual threshold rules, 3 to 10, for tables about persons.

Refs: Hundepool et al., Statistical Disclosure Control, Wiley 2012, ch. 5.
"""
NOISE = 0.25
"""Largest part of the trigger that chance may be expected to fill in a window without any change."""
TENTHS = np.arange(1, 10) / 10
DIGITS = 6
"""Decimals of a share, and significant digits of an edge."""
SPECIAL = "special category of personal data (GDPR Art. 9)"
UNSTATED = "not stated whether it is a special category of personal data (GDPR Art. 9)"
NAN = np.frombuffer(b"\x00\x00\xc0\x7f", "<f4")[0]
"""The one NaN that a digest of an input knows."""


def reference(
    folder: RunFolder,
    plan: Plan,
    encoded: records.EncodedData,
    evaluation: records.EvaluationRecord,
    model: records.ModelRef | None,
    role: Literal["train", "test"] | None = None,
) -> ReferenceRecord:
    """Distributions of the inputs in the training part, and the first golden vector as the example of a call.

    Args:
        folder: The run folder.
        plan: The plan, for the columns that are special categories.
        encoded: The encoded data.
        evaluation: What was measured, for the labels that the test rows got.
        model: The model as it ships; None where predictions were given.
        role: The part; by default `train` where a model was trained, and the one part there is, `test`, where not.

    Raises:
        IntegrityError: An array or a golden vector was altered.
    """
    role = role or ("test" if model is None else "train")
    part = arrays.load(folder, encoded, role)
    special = {p.column: SPECIAL if p.special_category else UNSTATED for p in plan.data.protected if p.may_be_special}
    told = [(i, spec) for i, spec in enumerate(encoded.features) if spec.name not in special]
    least = max(LEAST, plan.policy.minimum_group_size)
    return ReferenceRecord(
        part=role,
        rows=part.rows,
        least=least,
        inputs=tuple(_watched(distribution(spec, part.x[:, i], least), plan) for i, spec in told),
        left_out=tuple(LeftOut(feature=s.name, reason=special[s.name]) for s in encoded.features if s.name in special),
        labels=_labels(evaluation, least),
        example=None if model is None else _example(folder, encoded.task, model),
    )


def window(cells: int, rows: int, trigger: float) -> int | None:
    """Rows of a window of use from which an unchanged input fills at most a quarter of the trigger by chance.

    Two samples of one population have a stability index of about (cells − 1)(1/n + 1/m).

    Args:
        cells: Cells of the index.
        rows: Rows of the reference, m.
        trigger: Index that triggers.

    Returns:
        The number of rows n, at least 1; None where the reference is too small, or there is one cell only.

    Refs: Yurdakul and Naranjo, J. Risk Model Validation 14 (2020) 89.
    """
    if cells < 2:
        return None
    room = NOISE * trigger / (cells - 1) - 1.0 / rows
    return max(1, math.ceil(1.0 / room)) if room > 0 else None


def cells(told: Spread) -> int:
    """Cells of the index: those with a share, the rest of the categories, and the missing values."""
    return len(told.shares) + bool(told.others) + bool(told.missing)


def _watched(told: Spread, plan: Plan) -> Spread:
    return told.model_copy(update={"window": window(cells(told), told.rows, plan.policy.governance.drift)})


def _labels(evaluation: records.EvaluationRecord, least: int) -> tuple[Label, ...]:
    """Columns of the confusion matrix with enough rows."""
    matrix = next((r for r in evaluation.results if r.check_id == "performance.confusion_matrix"), None)
    counts = matrix.details.get("matrix") if matrix is not None else None
    if matrix is None or not counts:
        return ()
    total, sums = sum(map(sum, counts)), [sum(column) for column in zip(*counts, strict=True)]
    return tuple(
        Label(label=str(label), rows=count, share=_share(count, total))
        for label, count in zip(matrix.details["labels"], sums, strict=True)
        if count >= least
    )


def distribution(spec: records.FeatureSpec, values: npt.NDArray[np.float32], least: int) -> Spread:
    """Shares of the cells of one input, none on fewer than `least` rows.

    Args:
        spec: What the input is.
        values: (rows,), missing as NaN; categories as codes.
        least: Fewest rows of a cell.
    """
    cells = _categories if spec.kind == "categorical" else _numbers
    return cells(spec, values.astype(np.float64), least)


def input_digest(row: npt.NDArray[np.float32]) -> str:
    """SHA-256 of one row as a log names it: little-endian float32, every NaN the same."""
    whole = np.where(np.isnan(row), NAN, row).astype("<f4")
    return hashlib.sha256(whole.tobytes()).hexdigest()


def _numbers(spec: records.FeatureSpec, values: npt.NDArray[np.float64], least: int) -> Spread:
    known = values[np.isfinite(values)]
    missing = len(values) - len(known)
    edges = _edges(known)
    counts = _counted(known, edges)
    while len(edges) and counts.min() < least:
        at = int(counts.argmin())
        left, right = (counts[at - 1] if at > 0 else None), (counts[at + 1] if at < len(edges) else None)
        drop = at - 1 if right is None or (left is not None and left <= right) else at
        edges = np.delete(edges, drop)
        counts = _counted(known, edges)
    if len(known) < least:
        counts, edges, missing = counts[:0], edges[:0], len(values)
    missing = _folded(counts, missing, least)
    tenths = np.quantile(known, TENTHS) if len(known) >= least * (len(TENTHS) + 1) else np.empty(0)
    return Spread(
        feature=spec.name, kind="numeric", integer=spec.integer, unit=spec.unit, rows=len(values),
        edges=tuple(map(float, edges)), tenths=tuple(map(_digits, tenths)),
        shares=_shares(counts, len(values)), missing=_share(missing, len(values)),
    )  # fmt: skip


def _categories(spec: records.FeatureSpec, values: npt.NDArray[np.float64], least: int) -> Spread:
    size = len(spec.categories)
    valid = np.isfinite(values) & (values >= 0) & (values < size)
    counts = np.bincount(values[valid].astype(np.int64), minlength=size)
    missing = len(values) - int(valid.sum())
    order = list(np.argsort(-counts, kind="stable"))
    named = [code for code in order if counts[code] >= least]
    rest = int(valid.sum() - counts[named].sum())
    while 0 < rest < least and named:
        rest += int(counts[named.pop()])  # else what is left could be told from the total
    if 0 < rest < least:
        missing, rest = missing + rest, 0
    held = counts[named]
    if rest and missing < least:
        rest, missing = rest + missing, 0
    missing = _folded(held, missing, least)
    return Spread(
        feature=spec.name, kind="categorical", rows=len(values), unit=spec.unit,
        categories=tuple(spec.categories[code] for code in named), shares=_shares(held, len(values)),
        others=_share(rest, len(values)), missing=_share(missing, len(values)),
    )  # fmt: skip


def _edges(known: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    if not len(known):
        return np.empty(0)
    edges = np.unique([_digits(edge) for edge in np.quantile(known, TENTHS)])
    return edges[edges > known.min()]


def _digits(value: float) -> float:
    return float(f"{value:.{DIGITS}g}")


def _counted(known: npt.NDArray[np.float64], edges: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """Rows of each cell; a value on an edge belongs to the cell above."""
    return np.bincount(np.searchsorted(edges, known, side="right"), minlength=len(edges) + 1)


def _folded(counts: npt.NDArray[np.int64], missing: int, least: int) -> int:
    """Too few missing values to be told count to the largest cell; returns the missing ones that are told."""
    if 0 < missing < least and len(counts):
        counts[counts.argmax()] += missing
        return 0
    return missing


def _shares(counts: npt.NDArray[np.int64], rows: int) -> tuple[float, ...]:
    return tuple(_share(int(count), rows) for count in counts)


def _share(count: int, rows: int) -> float:
    return round(count / rows, DIGITS) if rows else 0.0


def _example(folder: RunFolder, task: str, model: records.ModelRef) -> Example:
    row = _tensor(folder, model.golden_input)[0]
    outputs = [_tensor(folder, reference)[0] for reference in model.golden_outputs]
    inputs = tuple(None if np.isnan(value) else float(value) for value in row)
    digest = input_digest(row.astype(np.float32))
    if task == "regression":
        return Example(inputs=inputs, inputs_sha256=digest, prediction=float(np.ravel(outputs[0])[0]))
    return Example(
        inputs=inputs,
        inputs_sha256=digest,
        label=int(outputs[0]),
        probabilities=tuple(map(float, outputs[1])),
    )


def _tensor(folder: RunFolder, reference: records.ArtifactRef) -> npt.NDArray[np.generic]:
    tensor = onnx.TensorProto()
    tensor.ParseFromString(folder.checked(reference).read_bytes())
    return numpy_helper.to_array(tensor)
