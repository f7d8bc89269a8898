"""The plan: one typed YAML file per use case, whole in itself."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import model_validator

from configs import shift
from configs.base import Section
from configs.data import Data
from configs.modelling import Factory, Model, Split, Training
from configs.policy import Bundle, Documents, Policy
from configs.system import Classification, System

BY_COLUMN = ("robustness.shift", "robustness.shift_error")
"""Checks whose gates address a column of `policy.robustness.shift.slices`."""


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

    @property
    def shift_columns(self) -> tuple[str, ...]:
        """Names by which gates on a shift can address the columns that the test rows are sliced by."""
        return tuple(s.column for s in self.policy.robustness.shift.columns)

    @model_validator(mode="after")
    def _coherent(self) -> Self:
        shift.check(self.policy.robustness.shift, self.data)
        for gate in self.policy.gates:
            known = ("overall", *(self.shift_columns if gate.check in BY_COLUMN else self.slices))
            if gate.slice not in known:
                raise ValueError(
                    f"policy gate {gate.check}: slice '{gate.slice}' is unknown; known are {', '.join(known)}"
                )
        if self.data.target.task != "binary" and self.training.threshold != 0.5:
            raise ValueError("training.threshold belongs to binary targets")
        return self
