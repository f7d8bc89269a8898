"""What each fairness check compares: which rates, and how its headline is made of them."""

from __future__ import annotations

import dataclasses
from typing import Literal

How = Literal["smallest", "largest", "gap", "ratio"]
Beside = Literal["difference", "ratio", "difference_to_overall", "ratio_to_overall"]

EVERY: tuple[Beside, ...] = ("difference", "ratio", "difference_to_overall", "ratio_to_overall")


@dataclasses.dataclass(frozen=True)
class Spec:
    """How a slice's headline is made of its groups' rates."""

    how: How
    """`smallest` or `largest` rate of a group, `gap` or `ratio` of two groups."""
    kinds: tuple[str, ...]
    """Rates of `_group_rates.Slice.kinds`."""
    beside: tuple[Beside, ...] = ()
    """Comparisons of the same rate that the check measures beside its headline."""


SPECS: dict[str, Spec] = {
    "fairness.selection_rate": Spec("smallest", ("selection_rate",), EVERY),
    "fairness.true_positive_rate": Spec("smallest", ("true_positive_rate",), EVERY),
    "fairness.false_positive_rate": Spec("largest", ("false_positive_rate",), EVERY),
    "fairness.true_negative_rate": Spec("smallest", ("true_negative_rate",), EVERY),
    "fairness.false_negative_rate": Spec("largest", ("false_negative_rate",), EVERY),
    "fairness.precision": Spec("smallest", ("precision",), EVERY),
    "fairness.accuracy": Spec("smallest", ("accuracy",), EVERY),
    "fairness.demographic_parity_difference": Spec("gap", ("selection_rate",)),
    "fairness.demographic_parity_ratio": Spec("ratio", ("selection_rate",)),
    "fairness.equalized_odds_difference": Spec("gap", ("true_positive_rate", "false_positive_rate")),
    "fairness.equalized_odds_ratio": Spec("ratio", ("true_positive_rate", "false_positive_rate")),
    "fairness.equal_opportunity_difference": Spec("gap", ("true_positive_rate",)),
    "fairness.predictive_parity_difference": Spec("gap", ("precision",)),
    "fairness.accuracy_difference": Spec("gap", ("accuracy",)),
    "fairness.calibration_error": Spec("largest", ("calibration_error",)),
    "fairness.calibration_difference": Spec("gap", ("calibration_gap",), ("difference_to_overall",)),
    "fairness.error_difference": Spec("gap", ("error",), ("ratio", "difference_to_overall", "ratio_to_overall")),
    "fairness.bias_difference": Spec("gap", ("bias",), ("difference_to_overall",)),
}

NAMES = {"error": "mean_absolute_error", "bias": "mean_signed_error", "calibration_gap": "predicted_less_observed"}
"""Rates whose name in records says more than their key."""
