"""What goes to the facility, and where the facility is asked to test."""

from __future__ import annotations

import datetime as dt
from typing import Literal, Self

from pydantic import Field, model_validator

from configs.base import Section, Text


class RealWorldTest(Section):
    """The papers of a test in real-world conditions (AI Act Art. 60(4), Annex IX)."""

    plan_id: Text
    """Identifier of the real-world testing plan as it was submitted (Art. 60(4)(a))."""
    approval: Text
    """Approval of plan and test: authority and reference, or that it was given tacitly (Art. 60(4)(b))."""
    approved_on: dt.date
    """Day of the approval."""
    registration: Text
    """Union-wide unique single identification number under which the test is registered (Art. 60(4)(c), Annex IX)."""
    consent: Text
    """Where the form of the informed consent is kept (Art. 60(4)(i), Art. 61)."""


ReceiverId = Literal["aisc", "edge", "triton", "open_inference", "aiod", "data_space"]


class Bundle(Section):
    """What goes to the facility."""

    include_test_data: bool = False
    """May the test rows leave: the model's inputs and the target of each? A special category of personal data never
    does, and no training row (AI Act Art. 4a(1)(d))."""
    include_groups: bool = False
    """May each test row carry what it belongs to, as codes: its groups, slices and the rank of its entity? Without them
    fairness can be measured again only on the facility's own data. Codes of a special category never leave."""
    golden_rows: int = Field(default=8, ge=1, le=256)
    """Rows of the golden vectors. They are synthetic: drawn within the training range, no real person's."""
    test_environment: Literal["lab", "simulated", "sandbox", "real_world"] = "lab"
    """Where the facility is asked to test. A high-risk system in the real world needs `real_world`, or no release."""
    real_world: RealWorldTest | None = None
    receivers: tuple[ReceiverId, ...] = ("aisc", "edge", "triton", "open_inference", "aiod", "data_space")
    """Receivers for whose tools the bundle holds a layout (`configs/receivers/`)."""

    @model_validator(mode="after")
    def _coherent(self) -> Self:
        if self.include_groups and not self.include_test_data:
            raise ValueError("include_groups: expected include_test_data: true with it: groups belong to test rows")
        if self.real_world is not None and self.test_environment != "real_world":
            raise ValueError(f"real_world: expected test_environment: real_world with it, got {self.test_environment}")
        return self
