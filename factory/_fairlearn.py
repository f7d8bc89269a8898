"""The only door to Fairlearn: the reduction of exponentiated gradient, and the optimal randomised thresholds.

Importing Fairlearn takes seconds; import this module where a method needs it.
"""

from __future__ import annotations

import contextlib
import dataclasses
import warnings
from collections.abc import Callable, Iterator
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from fairlearn import postprocessing, reductions
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.dummy import DummyClassifier

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]
Fit = Callable[[Codes, Floats], tuple[str, Codes]]
"""Labels (rows,) and weights (rows,) to the name of the model fitted to them, and its labels of the same rows."""

NEGLIGIBLE = 1e-6
"""A model with less weight than this in a combination is left out."""
MOMENTS = {
    "demographic_parity": reductions.DemographicParity,
    "equalized_odds": reductions.EqualizedOdds,
    "true_positive_rate_parity": reductions.TruePositiveRateParity,
    "false_positive_rate_parity": reductions.FalsePositiveRateParity,
}
CONSTANT = "constant"
"""Begins the name of a model that always gives one class; the class follows."""


@dataclasses.dataclass(frozen=True)
class Reduction:
    """The classifier that draws a model by its weight."""

    weights: dict[str, float]
    """Model to weight; they add up to 1."""
    iterations: int
    gap: float
    converged: bool


def reduce(
    fit: Fit,
    y: Codes,
    groups: Codes,
    constraint: str,
    *,
    difference_bound: float,
    costs: tuple[float, float],
    max_iterations: int,
) -> Reduction:
    """Agarwal et al., "A reductions approach to fair classification" (ICML 2018), with any learner.

    Args:
        fit: Fits the learner; called for one relabelled and reweighed problem after the other.
        y: (rows,) labels, 0 or 1.
        groups: (rows,) group codes, 0 or more.
        constraint: A key of `MOMENTS`.
        difference_bound: Largest difference between the rate of a group and that of all rows.
        costs: Of a false positive and of a false negative.
        max_iterations: Most rounds.
    """
    chosen = reductions.ExponentiatedGradient(
        _Learner(fit),
        MOMENTS[constraint](difference_bound=difference_bound),
        objective=reductions.ErrorRate(costs={"fp": costs[0], "fn": costs[1]}),
        eps=difference_bound,
        max_iter=max_iterations,
    )
    # The learner gets row numbers: the rows themselves hold missing values, and never change.
    with _calm():
        chosen.fit(np.arange(len(y))[:, None], y, sensitive_features=groups)
    found: dict[str, float] = {}
    for index, weight in chosen.weights_.items():
        if weight > NEGLIGIBLE:
            name = _name(chosen.predictors_[index])
            found[name] = found.get(name, 0.0) + float(weight)
    total = sum(found.values())
    return Reduction(
        weights={name: weight / total for name, weight in found.items()},
        iterations=int(chosen.last_iter_) + 1,
        gap=float(chosen.best_gap_),
        converged=bool(chosen.best_gap_ < chosen.nu),
    )


def expected_labels(scores: Floats, y: Codes, groups: Codes, constraint: str, objective: str) -> Floats:
    """The probability of a positive label (rows,) under Fairlearn's threshold optimizer, fitted to these very rows.

    Hardt et al., "Equality of opportunity in supervised learning" (NeurIPS 2016). Its rule draws between two thresholds
    per group, and with equalized odds also a constant, so that rates are met exactly in expectation.

    Args:
        scores: (rows,) probabilities of the positive class.
        y: (rows,) labels; every group holds both classes.
        groups: (rows,) group codes.
        constraint: As in Fairlearn.
        objective: `accuracy_score` or `balanced_accuracy_score`.
    """
    optimizer = postprocessing.ThresholdOptimizer(
        estimator=_Scores(scores), constraints=constraint, objective=objective, prefit=True, predict_method="predict"
    )
    rows = np.arange(len(y))[:, None]
    with _calm():
        optimizer.fit(rows, y, sensitive_features=groups)
        found: Floats = np.asarray(optimizer._pmf_predict(rows, sensitive_features=groups))[:, 1]
    return found


@contextlib.contextmanager
def _calm() -> Iterator[None]:
    """Fairlearn 0.15 uses what pandas 3 deprecates; nobody here can do anything about it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        warnings.simplefilter("ignore", FutureWarning)
        yield


class _Learner(BaseEstimator, ClassifierMixin):  # type: ignore[misc]
    """What Fairlearn trains in each round: a learner of ours behind scikit-learn's interface, over row numbers."""

    def __init__(self, fit: Fit) -> None:
        self._fit = fit

    def __sklearn_clone__(self) -> _Learner:
        return _Learner(self._fit)

    def fit(self, x: Any, y: Any, sample_weight: Any = None) -> Self:
        """Fit the learner to all rows."""
        del x
        self.name, self._labels = self._fit(np.asarray(y).astype(np.int64), np.asarray(sample_weight, dtype=np.float64))
        return self

    def predict(self, x: Any) -> Codes:
        """Labels of rows."""
        return self._labels[np.asarray(x)[:, 0]]


class _Scores(BaseEstimator):  # type: ignore[misc]
    """A fitted estimator whose predictions are given scores."""

    def __init__(self, scores: Floats) -> None:
        self.scores = scores

    def fit(self, x: Any, y: Any) -> Self:
        """Nothing: the scores are there."""
        del x, y
        return self

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def predict(self, x: Any) -> Floats:
        """Scores of rows."""
        return self.scores[np.asarray(x)[:, 0]]


def _name(predictor: Any) -> str:
    """The name of a model; Fairlearn's own stand-in where all rows got one label is a constant."""
    if isinstance(predictor, DummyClassifier):
        return f"{CONSTANT} {int(predictor.constant)}"
    return str(predictor.name)
