"""Linear maps one after the other as one map, where that makes the program shorter and no step dearer."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
from scipy import sparse

from checks.certified.program import Linear, Map, Matrix, Select, Step


def joined(step: Linear, steps: Sequence[Step]) -> Linear:
    """The step with the linear step before it put in, as long as there is one that fits.

    The rounding errors add up: |M₁| (|M₀| |x| + |b₀|) + |b₁| bounds what either of the two computes.
    """
    while len(step.terms) == 1:
        source, second, size = step.terms[0]
        before = steps[source - 1] if source else None
        if not isinstance(before, Linear) or len(before.terms) > 1:
            return step
        if not before.terms:
            return _constant(step, before)
        inner, first, first_size = before.terms[0]
        both, both_size = _product(second, first), _product(size, first_size)
        if both is None or both_size is None:
            return step
        step = Linear(
            terms=((inner, both, both_size),),
            bias=second.forward(before.bias) + step.bias,
            size=size.forward(before.size) + step.size,
            roundings=step.roundings + before.roundings,
        )
    return step


def _constant(step: Linear, before: Linear) -> Linear:
    _, linear, size = step.terms[0]
    return dataclasses.replace(
        step,
        terms=(),
        bias=linear.forward(before.bias) + step.bias,
        size=size.forward(before.size) + step.size,
        roundings=step.roundings + before.roundings,
    )


def _product(second: Map, first: Map) -> Map | None:
    if isinstance(second, Select) and isinstance(first, Select):
        kept = second.index >= 0
        index = np.where(kept, first.index[second.index], -1)
        return Select(index, second.scale * first.scale[:, second.index] * kept, first.width)
    if isinstance(second, Matrix) and isinstance(first, Select) and len(first.scale) == 1:
        if sparse.issparse(second.weights):
            return Matrix((second.weights @ _matrix(first)).tocsr())
        spread = np.zeros((second.height, first.width))
        used = first.index >= 0
        np.add.at(spread.T, first.index[used], (second.weights * first.scale)[:, used].T)
        return Matrix(spread)
    if isinstance(second, Select) and isinstance(first, Matrix) and len(second.scale) == 1:
        if sparse.issparse(first.weights):
            return Matrix((_matrix(second) @ first.weights).tocsr())
        return Matrix(first.weights[second.index] * second.scale.T)
    return None


def _matrix(select: Select) -> sparse.csr_array:
    used = np.flatnonzero(select.index >= 0)
    entries = (select.scale[0, used], (used, select.index[used]))
    return sparse.csr_array(entries, shape=(select.height, select.width))
