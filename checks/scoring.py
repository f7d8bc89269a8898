"""Scoring rows with the ONNX graph that ships. What every check measures comes from here."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from checks import _runtime
from checks._runtime import CPU
from configs import errors
from evidence import records

BATCH = 8192
PIECE = 64
"""Rows of a piece into which a batch is cut where the runtime fails on the whole."""
SUM_TOLERANCE = 1e-4
"""Largest distance of a row's summed float32 probabilities from 1."""


@dataclasses.dataclass(frozen=True)
class Scores:
    """What the graph says of some rows. A classifier gives labels and probabilities, a regressor predictions."""

    labels: npt.NDArray[np.int64] | None = None
    """(rows,)"""
    probabilities: npt.NDArray[np.float64] | None = None
    """(rows, classes)"""
    predictions: npt.NDArray[np.float64] | None = None
    """(rows,)"""


@dataclasses.dataclass(frozen=True)
class Attempt:
    """What the graph says of rows that it may not be able to answer."""

    scores: Scores
    """Of rows without a valid answer: label 0, even probabilities, prediction 0."""
    valid: npt.NDArray[np.bool_]
    """(rows,): is the answer one that the contract allows?"""


class Scorer:
    """An ONNX Runtime session behind the model contract."""

    def __init__(
        self, path: Path, task: str, features: int, classes: int = 0, *, providers: Sequence[str] = CPU
    ) -> None:
        """Open the graph.

        Args:
            path: The `.onnx` file.
            task: `binary`, `multiclass` or `regression`.
            features: Width of the input.
            classes: Number of classes K; 0 for regression.
            providers: ONNX Runtime execution providers in order of preference.

        Raises:
            VerificationError: The file is no graph that the runtime opens, or its inputs and outputs are not those of
                the contract.
        """
        self._name, self._features, self._classes = path.name, features, classes
        self._outputs = ["prediction"] if task == "regression" else ["label", "probabilities"]
        self._session = _runtime.opened(path, providers)
        self._check_signature()

    @property
    def runtime(self) -> str:
        """ONNX Runtime version and the execution provider in use."""
        return _runtime.named(self._session)

    @property
    def classifies(self) -> bool:
        """Does the graph give labels and probabilities?"""
        return self._outputs != ["prediction"]

    def __call__(self, x: npt.NDArray[np.float32]) -> Scores:
        """Score rows in batches.

        Args:
            x: float32, shape (rows, features), missing as NaN.

        Raises:
            VerificationError: The graph fails, or its output breaks the contract.
        """
        pieces = [self._run(x[start : start + BATCH]) for start in range(0, max(len(x), 1), BATCH)]
        outputs = [np.concatenate(parts) for parts in zip(*pieces, strict=True)]
        if self.classifies:
            return self._checked_classes(outputs[0], outputs[1], len(x))
        return Scores(predictions=self._checked_predictions(outputs[0], len(x)))

    def attempt(self, x: npt.NDArray[np.float32]) -> Attempt:
        """Score rows that may be beyond what the graph can answer, such as those with a fault put into them.

        A row has no valid answer where the output is not finite, or no probability, or no class; so has every row of a
        piece on which the runtime fails or whose outputs have another shape.

        Args:
            x: float32, shape (rows, features), missing as NaN.
        """
        try:
            return Attempt(self(x), np.ones(len(x), bool))
        except errors.VerificationError:
            pieces = [self._pieces(x[start : start + BATCH]) for start in range(0, len(x), BATCH)]
        labels, shares, predictions, valid = (
            np.concatenate(parts) for parts in zip(*(p for group in pieces for p in group), strict=True)
        )
        scores = Scores(labels, shares) if self.classifies else Scores(predictions=predictions)
        return Attempt(scores, valid)

    def _pieces(self, x: npt.NDArray[np.float32]) -> list[tuple[npt.NDArray[np.generic], ...]]:
        """Labels, probabilities, predictions and validity; in small pieces where the runtime fails on the batch."""
        found = self._raw(x)
        if found is not None or len(x) <= PIECE:
            return [self._answered(found, len(x))]
        return [
            self._answered(self._raw(x[start : start + PIECE]), len(x[start : start + PIECE]))
            for start in range(0, len(x), PIECE)
        ]

    def _raw(self, x: npt.NDArray[np.float32]) -> list[npt.NDArray[np.generic]] | None:
        """The outputs in the contract's shapes, or None."""
        try:
            found = self._run(x)
        except errors.VerificationError:
            return None
        shapes = [output.shape for output in found]
        if self.classifies:
            return found if shapes == [(len(x),), (len(x), self._classes)] else None
        return found if shapes[0] in ((len(x), 1), (len(x),)) else None

    def _answered(self, found: list[npt.NDArray[np.generic]] | None, rows: int) -> tuple[npt.NDArray[np.generic], ...]:
        labels, shares = np.zeros(rows, np.int64), np.full((rows, self._classes), 1 / max(self._classes, 1))
        predictions, valid = np.zeros(rows), np.zeros(rows, bool)
        if found is not None and self.classifies:
            codes, given = found[0].astype(np.int64), found[1].astype(np.float64)
            valid = ~np.any([bad for _, bad in self._broken_rows(codes, given)], axis=0)
            labels, shares = np.where(valid, codes, 0), np.where(valid[:, None], np.minimum(given, 1.0), shares)
        elif found is not None:
            given = found[0].reshape(rows).astype(np.float64)
            valid = np.isfinite(given)
            predictions = np.where(valid, given, 0.0)
        return labels, shares, predictions, valid

    def _run(self, x: npt.NDArray[np.float32]) -> list[npt.NDArray[np.generic]]:
        try:
            found: list[npt.NDArray[np.generic]] = self._session.run(
                self._outputs, {"features": np.ascontiguousarray(x, dtype=np.float32)}
            )
        except _runtime.FAILURES as error:
            raise errors.VerificationError(
                f"model {self._name}: expected outputs for a batch of shape {x.shape}, got: "
                f"{_runtime.first_line(error)}. Export the model again with a dynamic batch."
            ) from None
        return found

    def _check_signature(self) -> None:
        inputs = {i.name: i for i in self._session.get_inputs()}
        found = inputs.get("features")
        width = found.shape[-1] if found is not None and len(found.shape) == 2 else None
        if len(inputs) != 1 or found is None or found.type != "tensor(float)" or width != self._features:
            got = ", ".join(f"{i.name} {i.type} {i.shape}" for i in inputs.values())
            raise self._broken(f"one input features, float32 [batch, {self._features}]", got)
        names = [o.name for o in self._session.get_outputs()]
        if missing := [n for n in self._outputs if n not in names]:
            raise self._broken(f"outputs {' and '.join(self._outputs)}", f"{', '.join(names)} without {missing[0]}")

    def _checked_predictions(self, found: npt.NDArray[np.generic], rows: int) -> npt.NDArray[np.float64]:
        if found.shape not in ((rows, 1), (rows,)):
            raise self._broken(f"prediction of shape ({rows}, 1)", str(found.shape))
        values = found.reshape(rows).astype(np.float64)
        if bad := int(np.sum(~np.isfinite(values))):
            raise self._broken("finite predictions", f"{bad} of {rows} rows that are not")
        return values

    def _checked_classes(
        self, labels: npt.NDArray[np.generic], probabilities: npt.NDArray[np.generic], rows: int
    ) -> Scores:
        if probabilities.shape != (rows, self._classes) or labels.shape != (rows,):
            raise self._broken(
                f"label ({rows},) and probabilities ({rows}, {self._classes})", f"{labels.shape}, {probabilities.shape}"
            )
        shares, codes = probabilities.astype(np.float64), labels.astype(np.int64)
        for what, bad in () if _sound(shares, codes) else self._broken_rows(codes, shares):
            if count := int(np.sum(bad)):
                raise self._broken(what, f"{count} of {rows} rows that are not")
        return Scores(labels=codes, probabilities=np.minimum(shares, 1.0))

    def _broken_rows(
        self, codes: npt.NDArray[np.int64], shares: npt.NDArray[np.float64]
    ) -> tuple[tuple[str, npt.NDArray[np.bool_]], ...]:
        """What the contract asks of each row of a classifier's answer, and which rows (rows,) break it."""
        return (
            ("finite probabilities", ~np.isfinite(shares).all(axis=1)),
            ("probabilities between 0 and 1", (shares < 0).any(axis=1) | (shares > 1 + SUM_TOLERANCE).any(axis=1)),
            ("probabilities that sum to 1", np.abs(shares.sum(axis=1) - 1) > SUM_TOLERANCE),
            (f"labels from 0 to {self._classes - 1}", (codes < 0) | (codes >= self._classes)),
        )

    def _broken(self, expected: str, got: str) -> errors.VerificationError:
        return errors.VerificationError(
            f"model {self._name}: expected {expected}, got {got}. Export the model again under the model contract."
        )


def open_model(path: Path, encoded: records.EncodedData, *, providers: Sequence[str] = CPU) -> Scorer:
    """The scorer for a graph and the data it was made for. See `Scorer`."""
    return Scorer(path, encoded.task, len(encoded.features), len(encoded.classes), providers=providers)


def _sound(shares: npt.NDArray[np.float64], codes: npt.NDArray[np.int64]) -> bool:
    """Do all rows hold probabilities that sum to one, and a label among the classes? Three passes, whatever is wrong.

    A number that is not finite leaves no sum near one; without negative ones none can be above one.
    """
    if len(codes) == 0:
        return True
    with np.errstate(invalid="ignore"):
        far = np.abs(shares @ np.ones(shares.shape[1]) - 1)
    within = bool((far <= SUM_TOLERANCE).all()) and bool(shares.min() >= 0)
    return within and bool(codes.min() >= 0) and bool(codes.max() < shares.shape[1])
