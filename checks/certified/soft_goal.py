"""Properties about probabilities as questions about differences of logits."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from checks.certified.branch import Goal
from checks.certified.head import SOFT
from checks.certified.program import Floats, Rows
from checks.certified.vnnlib import Constraint


@dataclasses.dataclass(frozen=True)
class SoftGoal(Goal):
    """A goal on p = softmax(z): Q = K (K − 1) differences z_a − z_b, from which bounds of each p follow.

    A constraint p_i ≤ p_j is about the sign of one difference. Any other linear one is bounded by the interval of each
    probability, p_i = 1 / (1 + Σ_k exp(z_k − z_i)).
    """

    pairs: tuple[tuple[int, int], ...] = ()
    classes: int = 0
    cases: tuple[tuple[Constraint, ...], ...] = ()

    @property
    def clauses(self) -> int:
        """Number of disjuncts."""
        return len(self.cases)

    def judge(self, values: Floats) -> Floats:
        """(B, Q) lower bounds of the differences to (B, D)."""
        least, most = self._probabilities(values)
        found = np.full((len(values), len(self.cases)), -np.inf)
        for number, constraints in enumerate(self.cases):
            for constraint in constraints:
                found[:, number] = np.maximum(found[:, number], self._refuted(constraint, values, least, most))
        return found

    def critical(self, values: Floats, nearest: Rows) -> Rows:
        """(B,) the least certain difference between probabilities that the disjunct names."""
        found = np.zeros(len(values), np.intp)
        for number, constraints in enumerate(self.cases):
            named = {index for constraint in constraints for index, _ in constraint.outputs}
            usable = np.array([a in named or b in named for a, b in self.pairs])
            of = nearest == number
            found[of] = np.where(usable, -np.abs(values[of]), -np.inf).argmax(1)
        return found

    def _probabilities(self, values: Floats) -> tuple[Floats, Floats]:
        with np.errstate(over="ignore", divide="ignore"):
            powers = np.exp(values)
            least, most = np.ones((len(values), self.classes)), np.ones((len(values), self.classes))
            for column, (a, b) in enumerate(self.pairs):
                # z_a − z_b ≥ value: it keeps p_b down, and the others of p_a.
                most[:, b] += powers[:, column]
                least[:, a] += 1 / powers[:, column]
        return (1 - SOFT) / least, (1 + SOFT) / most

    def _refuted(self, constraint: Constraint, values: Floats, least: Floats, most: Floats) -> Floats:
        outputs = constraint.outputs
        if len(outputs) == 2 and not constraint.shift and outputs[0][1] == -outputs[1][1]:
            greater, smaller = (o[0] for o in (outputs if outputs[0][1] > 0 else outputs[::-1]))
            return values[:, self.pairs.index((greater, smaller))] - SOFT
        total = np.full(len(values), constraint.shift)
        for index, factor in outputs:
            total = total + factor * (least if factor > 0 else most)[:, index]
        return total - SOFT * sum(abs(f) for _, f in outputs)


def soft_goal(cases: Sequence[Sequence[Constraint]], classes: int) -> SoftGoal:
    """The goal for the constraints of each case on `classes` probabilities."""
    pairs = tuple((a, b) for a in range(classes) for b in range(classes) if a != b)
    coefficients = np.zeros((1, len(pairs), classes))
    for question, (a, b) in enumerate(pairs):
        coefficients[0, question, [a, b]] = 1.0, -1.0
    return SoftGoal(
        coefficients=coefficients,
        offset=np.zeros((1, len(pairs))),
        clause=np.zeros(len(pairs), np.intp),
        pairs=pairs,
        classes=classes,
        cases=tuple(tuple(case) for case in cases),
    )
