"""How far an input is from those of training: the distance that a deployer can compute from what ships.

Only means, standard deviations and correlations of the training rows are needed, no single value of a person. Missing
numbers count as the training mean: a missing value is nothing strange by itself.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import numpy.typing as npt

from evidence import records

Floats = npt.NDArray[np.float64]
Inputs = npt.NDArray[np.float32]

MOST = 64
"""With more numeric features than this their correlations are left out, so that the record stays small."""
DIGITS = 6
"""Decimals of the recorded matrix. What is measured is measured with the rounded one."""
PIECE = 1 << 17
"""Rows that are looked at a time."""
SINGULAR = 1e-6
"""Eigenvalues of the correlation matrix below this say nothing: features that follow from others."""


@dataclasses.dataclass(frozen=True)
class Distance:
    """Mahalanobis distance of the standardised numeric features, and categories that the model does not know."""

    numeric: npt.NDArray[np.intp]
    """(d,) columns."""
    mean: Floats
    std: Floats
    precision: Floats
    """(d, d) pseudo-inverse of the training correlations; the unit matrix where there are more than `MOST`."""
    categories: dict[int, int]
    """Column of a categorical feature to its number of codes."""

    def __call__(self, x: Inputs) -> Floats:
        """Distance of each row (rows,) of x (rows, features), 0 or more."""
        found = [self._of_piece(x[begin : begin + PIECE]) for begin in range(0, max(len(x), 1), PIECE)]
        return np.concatenate(found)

    def _of_piece(self, x: Inputs) -> Floats:
        z = _standardised(x[:, self.numeric], self.mean, self.std)
        squares = np.einsum("nd,de,ne->n", z, self.precision, z, optimize=True)
        return np.sqrt(np.maximum(squares, 0.0))

    def unknown(self, x: Inputs) -> npt.NDArray[np.int64]:
        """Categorical inputs of each row (rows,) that are present and no known code."""
        found = np.zeros(len(x), dtype=np.int64)
        for column, codes in self.categories.items():
            values = x[:, column]
            known = (values >= 0) & (values < codes) & (values == np.floor(values))
            found += np.isfinite(values) & ~known
        return found


def fit(features: tuple[records.FeatureSpec, ...], train: Inputs) -> Distance:
    """The distance from training rows (rows, features)."""
    numeric = np.array([j for j, f in enumerate(features) if f.kind == "numeric"], dtype=np.intp)
    mean = np.array([features[j].mean or 0.0 for j in numeric])
    std = np.array([features[j].std or 1.0 for j in numeric])
    return Distance(
        numeric=numeric,
        mean=mean,
        std=std,
        precision=_precision(train, numeric, mean, std),
        categories={j: len(f.categories) for j, f in enumerate(features) if f.kind == "categorical"},
    )


def _standardised(x: Inputs, mean: Floats, std: Floats) -> Floats:
    """Standardised values (rows, d); missing ones are the mean."""
    z = (x.astype(np.float64) - mean) / std
    z[~np.isfinite(z)] = 0.0
    return z


def _precision(train: Inputs, numeric: npt.NDArray[np.intp], mean: Floats, std: Floats) -> Floats:
    """The rounded pseudo-inverse of the correlations of training rows (rows, features), read piece by piece."""
    width = len(numeric)
    if width > MOST or len(train) < 2:
        return np.eye(width)
    products = np.zeros((width, width))
    for begin in range(0, len(train), PIECE):
        filled = _standardised(train[begin : begin + PIECE, numeric], mean, std)
        products += filled.T @ filled
    values, vectors = np.linalg.eigh(products / len(train))
    kept = values > SINGULAR * max(1.0, float(values.max(initial=0.0)))
    inverse = (vectors[:, kept] / values[kept]) @ vectors[:, kept].T
    rounded: Floats = np.round(inverse, DIGITS)
    return rounded
