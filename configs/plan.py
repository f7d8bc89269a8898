"""The plan: one typed YAML file per use case, whole in itself."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import model_validator

from configs import changes, shift
from configs import mitigation as mitigations
from configs import predictions as given
from configs.base import Section
from configs.bundle import Bundle
from configs.data import Data
from configs.mitigation import Mitigation
from configs.modelling import Factory, Model, Split, Training
from configs.policy import Documents, Policy
from configs.predictions import Predictions
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
    predictions: Predictions | None = None
    """Only where predictions are evaluated without their model."""
    split: Split = Split()
    model: Model = Model()
    training: Training = Training()
    mitigation: Mitigation = Mitigation()
    policy: Policy
    factory: Factory = Factory()
    documents: Documents = Documents()
    bundle: Bundle = Bundle()
    predetermined_changes: tuple[changes.PredeterminedChange, ...] = ()
    """What may differ in later versions, within which limits (AI Act Annex IV(2)(f)). Absent: nothing is declared."""

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
        changes.check(self.predetermined_changes)
        given.check(self.predictions, self.data)
        for section in ("split", "model", "training", "factory") if self.predictions else ():
            if section in self.model_fields_set:
                raise ValueError(f"expected predictions or {section}, got both: a plan with predictions trains nothing")
        shift.check(self.policy.robustness.shift, self.data)
        for gate in self.policy.gates:
            known = ("overall", *(self.shift_columns if gate.check in BY_COLUMN else self.slices))
            if gate.slice not in known:
                hint = "; declare columns in policy.robustness.shift.slices" if gate.check in BY_COLUMN else ""
                raise ValueError(
                    f"policy gate {gate.check}: slice '{gate.slice}' is unknown; known are {', '.join(known)}{hint}"
                )
        asked = [(gate.check, gate.slice) for gate in self.policy.gates]
        for check, part in asked:
            if asked.count((check, part)) > 1:
                # A waiver names check and slice: it could not say which of the two it accepts.
                raise ValueError(f"policy gate {check}: slice '{part}' is gated twice; keep one threshold")
        if self.data.target.task != "binary" and self.training.threshold != 0.5:
            raise ValueError("training.threshold belongs to binary targets")
        if self.data.target.task == "regression" and self.training.calibration != "none":
            raise ValueError("training.calibration belongs to targets with classes, whose probabilities it corrects")
        if self.training.loader == "stream" and self.mitigation.method != "none":
            raise ValueError(
                f"mitigation {self.mitigation.method} weighs or reads all training rows at once; with training.loader: "
                "stream, expected mitigation none"
            )
        mitigations.check(self.mitigation, self.data, self.training)
        if self.bundle.include_test_data and self.data.provenance.special_categories:
            raise ValueError(
                "bundle.include_test_data: expected false, as data.provenance.special_categories names special "
                "categories of personal data among the columns; the facility measures on rows of its own"
            )
        if problem := self.policy.robustness.attack.problem(self.data.features):
            raise ValueError(problem)
        return self
