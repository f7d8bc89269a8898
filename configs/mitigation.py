"""What is done about unequal treatment of groups, inside the model that ships. Fitted on train and validation only."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from configs.base import Section, Slug
from configs.data import Data
from configs.modelling import Training

Constraint = Literal["demographic_parity", "equalized_odds", "true_positive_rate_parity", "false_positive_rate_parity"]

RATES: dict[str, str] = {
    "demographic_parity": "selection rate",
    "equalized_odds": "true and false positive rate",
    "true_positive_rate_parity": "true positive rate",
    "false_positive_rate_parity": "false positive rate",
}
"""Constraint to the rates that it wants equal in all groups."""


class Mitigation(Section):
    """The method, the groups it treats, and what it wants equal in them. One binary target, one protected attribute."""

    method: Literal["none", "reweighing", "exponentiated_gradient", "threshold_optimizer"] = "none"
    """`reweighing`: weights on training rows that make label and group independent (Kamiran and Calders 2012).
    `exponentiated_gradient`: a weighted combination of networks trained under a constraint (Agarwal et al. 2018).
    `threshold_optimizer`: a decision threshold for each group (Hardt et al. 2016)."""
    attribute: Slug | None = None
    """The protected attribute whose groups are treated."""
    constraint: Constraint = "demographic_parity"
    """What should be equal in the groups. Reweighing knows demographic parity only."""
    difference_bound: float = Field(default=0.01, gt=0, lt=1)
    """Exponentiated gradient: largest difference between the rate of a group and that of all, on the training rows."""
    max_iterations: int = Field(default=10, ge=1, le=50)
    """Exponentiated gradient: rounds, each of which trains one network or a few."""
    attribute_in_operation: bool = False
    """May the attribute decide over the label in operation? Thresholds per group need it."""

    @model_validator(mode="after")
    def _coherent(self) -> Self:
        if self.method == "none":
            if self.attribute is not None:
                raise ValueError(f"attribute '{self.attribute}' is stated, but method is none. Choose a method")
            return self
        if self.attribute is None:
            raise ValueError(f"method {self.method}: expected attribute to name a protected attribute, got none")
        if self.method == "reweighing" and self.constraint != "demographic_parity":
            raise ValueError(
                f"method reweighing: expected constraint demographic_parity, got {self.constraint}: weights make label "
                "and group independent and nothing else. Choose another method or constraint"
            )
        return self

    @property
    def words(self) -> str:
        """What will be done, for people."""
        groups, rates = f"the groups of {self.attribute}", RATES[self.constraint]
        return {
            "none": "no mitigation",
            "reweighing": f"training rows are weighted so that the label does not depend on {groups}",
            "exponentiated_gradient": (
                f"up to {self.max_iterations} rounds of networks are trained and combined with weights, so that the "
                f"{rates} differs by at most {self.difference_bound:g} from that of all rows in {groups}; the graph "
                "holds the weighted combination, not a random choice"
            ),
            "threshold_optimizer": (
                f"each of {groups} gets a decision threshold of its own for an equal {rates}, inside the graph; the "
                "attribute decides over the label in operation"
            ),
        }[self.method]


def check(mitigation: Mitigation, data: Data, training: Training) -> None:
    """Hold the section against the data and the training it is about.

    Raises:
        ValueError: The attribute is unknown, the target is not binary, thresholds per group are not allowed or cannot
            be computed inside the graph, or the training asks for what the method decides itself.
    """
    if mitigation.method == "none":
        return
    where = f"mitigation {mitigation.method}"
    declared = {attribute.name: attribute for attribute in data.protected}
    if mitigation.attribute not in declared:
        known = ", ".join(declared) or "none"
        raise ValueError(f"{where}: attribute '{mitigation.attribute}' is no protected attribute; known are {known}")
    if data.target.task != "binary":
        raise ValueError(f"{where}: expected a binary target, got {data.target.task}. Leave mitigation out")
    if mitigation.method == "threshold_optimizer":
        _check_thresholds(where, mitigation, data)
    if mitigation.method != "reweighing":
        _check_training(where, mitigation, training)


def _check_thresholds(where: str, mitigation: Mitigation, data: Data) -> None:
    attribute = next(a for a in data.protected if a.name == mitigation.attribute)
    if not mitigation.attribute_in_operation:
        raise ValueError(
            f"{where}: expected attribute_in_operation: true, got false: a threshold per group of {attribute.name} "
            "uses the attribute for each decision. Set it if that is lawful here, or choose another method"
        )
    column = data.column(attribute.column)
    if column is None or column.role != "feature":
        raise ValueError(
            f"{where}: expected column '{attribute.column}' among the features, since the graph must know the group of "
            f"a row, got the role {column.role if column else 'none'}. Set use_in_model: true and role: feature, or "
            "choose another method"
        )


def _check_training(where: str, mitigation: Mitigation, training: Training) -> None:
    threshold = training.threshold
    if mitigation.method == "threshold_optimizer" and threshold not in (0.5, "balanced_accuracy"):
        raise ValueError(
            f"{where}: expected training.threshold 0.5 (most right labels) or balanced_accuracy, got {threshold}: the "
            "thresholds are searched for one of these aims. Change it, or choose another method"
        )
    if threshold == "f1":
        raise ValueError(
            f"{where}: expected training.threshold to be a number or balanced_accuracy, which say what an error costs, "
            "got f1. Change it, or choose another method"
        )
    if mitigation.method == "exponentiated_gradient" and training.class_weights != "none":
        raise ValueError(
            f"{where}: expected training.class_weights none, got {training.class_weights}: the method weighs the rows "
            "itself. Say what errors cost with training.threshold"
        )
