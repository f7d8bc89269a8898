"""The policy: which checks run, against which thresholds, decided before anything is measured."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from configs import legal_thresholds
from configs.base import Fraction, Section, Text
from configs.explanation import Explanation
from configs.robustness import Robustness
from configs.security import Security


class Gate(Section):
    """One threshold on one measure."""

    check: Annotated[str, StringConstraints(pattern=r"^[a-z_]+\.[a-z0-9_]+$")]
    """Identifier in the catalogue, for example `performance.roc_auc`."""
    slice: Text = "overall"
    """`overall`, or for fairness checks a protected attribute or an intersection such as `sex × age_group`."""
    at_least: float | None = None
    at_most: float | None = None
    confidence: float | None = Field(default=None, gt=0.5, lt=1)
    """Level of the interval that this gate is judged on; by default that of the policy."""
    minimum_group_size: int | None = Field(default=None, ge=1)
    """Fewest test rows that a rate may rest on at this gate; by default that of the policy. Fairness only."""
    rule: legal_thresholds.Rule | None = None
    """A threshold that a law states, by its id in `configs/law/thresholds.yaml`, instead of a number."""
    rationale: Text | None = None
    """Why this threshold (AI Act Annex IV(3), (4))."""
    owner: Text | None = None
    """Who answers for this threshold."""
    required: bool = True
    """A required gate decides the outcome; another one is reported only."""
    inconclusive: Literal["blocks", "reports"] = "blocks"
    """What it means when a required gate is inconclusive. `blocks`: the outcome is inconclusive. `reports`: it is
    listed and leaves the outcome to the other gates. A failure, and a check that did not run, count in either case."""

    @model_validator(mode="before")
    @classmethod
    def _number_of_the_rule(cls, content: Any) -> Any:
        """The number of a named rule; one that is written beside it must be the same."""
        rule = content.get("rule") if isinstance(content, dict) else None
        known = legal_thresholds.register().get(str(rule))
        if known is None:
            return content
        stated = content.get("at_least", known.at_least), content.get("at_most")
        if stated[0] not in (None, known.at_least) or stated[1] is not None:
            raise ValueError(f"expected no number beside rule {known.id}, which is at least {known.at_least:g}")
        return {**content, "at_least": known.at_least}

    @model_validator(mode="after")
    def _one_direction(self) -> Self:
        if (self.at_least is None) == (self.at_most is None):
            raise ValueError("expected exactly one of at_least and at_most, or a rule")
        return self


class Governance(Section):
    """Limits of the data-governance checks (AI Act Art. 10(2)(f) to (h), (3))."""

    representativeness_gap: Fraction = 0.1
    """Largest difference between a group's share in the data and in the reference population."""
    missing_group: Fraction = 0.05
    """Largest share of test rows without a group of a protected attribute: above it, comparisons are inconclusive."""
    minority_class: Fraction = 0.05
    """Smallest share of the rarest class."""
    proxy_auc: float = Field(default=0.9, ge=0.5, le=1.0)
    """A feature whose area under the ROC curve for a protected group is above this counts as a proxy."""
    label_gap: Fraction = 0.2
    """Largest difference in the positive share (or standardised mean) of the target between groups."""
    drift: float = Field(default=0.2, gt=0)
    """Largest population stability index between two splits."""


class Settings(Section):
    """What a gate may have its own of."""

    confidence: float = Field(default=0.95, gt=0.5, lt=1)
    """Level of every interval."""
    minimum_group_size: int = Field(default=20, ge=1)
    """A group with fewer test rows is listed, and what depends on it is inconclusive."""

    def variant(self, gate: Gate) -> str:
        """How the names of measures end that were made with a gate's own level or group size: `.confidence_99`.

        Empty where the gate has the settings of the policy.
        """
        own = []
        if gate.confidence not in (None, self.confidence):
            own.append(f"confidence_{100 * gate.confidence:.6g}".replace(".", "_"))
        if gate.minimum_group_size not in (None, self.minimum_group_size):
            own.append(f"groups_of_{gate.minimum_group_size}")
        return "." + "_".join(own) if own else ""

    def at(self, gate: Gate) -> Self:
        """The policy with the level and group size of one gate."""
        return self.model_copy(
            update={
                "confidence": gate.confidence or self.confidence,
                "minimum_group_size": gate.minimum_group_size or self.minimum_group_size,
            }
        )


class Policy(Settings):
    """What is measured, with which confidence, and what is asked of it."""

    replicates: int = Field(default=1000, ge=100, le=100_000)
    """Bootstrap replicates of every interval."""
    seed: int = Field(default=0, ge=0)
    gates: tuple[Gate, ...] = Field(min_length=1)
    robustness: Robustness = Robustness()
    security: Security = Security()
    explanation: Explanation = Explanation()
    governance: Governance = Governance()


class Documents(Section):
    """What the documents need beyond the evidence."""

    languages: tuple[Literal["en", "de", "fr"], ...] = Field(default=("en",), min_length=1)
    """Languages in which the legal documents are written; what has no catalogue yet is written in English."""
    licence: Text | None = None
    """Licence of the model, as an SPDX identifier."""

    @model_validator(mode="before")
    @classmethod
    def _of_earlier_plans(cls, content: object) -> object:
        """Earlier versions wrote `language: en`, the only one they had."""
        if isinstance(content, dict) and content.get("language") == "en":
            return {key: value for key, value in content.items() if key != "language"}
        return content
