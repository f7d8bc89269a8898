"""The plan: one typed YAML file per use case, whole in itself."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import model_validator

from configs.base import Section
from configs.data import Data
from configs.modelling import Factory, Model, Split, Training
from configs.policy import Bundle, Documents, Policy
from configs.system import Classification, System


class Plan(Section):
    """Everything that is decided before a run."""

    version: Literal[1]
    """Version of the plan format."""
    system: System
    classification: Classification
    data: Data
    split: Split = Split()
    model: Model = Model()
    training: Training = Training()
    policy: Policy
    factory: Factory = Factory()
    documents: Documents = Documents()
    bundle: Bundle = Bundle()

    @property
    def slices(self) -> tuple[str, ...]:
        """Names by which gates can address slices: protected attributes, then intersections `a × b`."""
        single = tuple(p.name for p in self.data.protected)
        return single + tuple(" × ".join(combination) for combination in self.data.intersections)

    @model_validator(mode="after")
    def _coherent(self) -> Self:
        known = ("overall", *self.slices)
        for gate in self.policy.gates:
            if gate.slice not in known:
                raise ValueError(
                    f"policy gate {gate.check}: slice '{gate.slice}' is unknown; known are {', '.join(known)}"
                )
        if self.data.target.task != "binary" and self.training.threshold != 0.5:
            raise ValueError("training.threshold belongs to binary targets")
        if problem := self.policy.robustness.attack.problem(self.data.features):
            raise ValueError(problem)
        return self
