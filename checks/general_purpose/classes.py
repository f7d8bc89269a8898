"""The class of a model that follows from a person's answers and the figures, step by step, with the reasons.

Tri-state: what nobody has answered, or lies within the band of a threshold, stays open; nothing is inferred.
Refs: AI Act Arts 3(63), 51 to 53; guidelines C(2025) 5045.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Literal

from configs.language.plan import LanguagePlan
from configs.law import general_purpose
from evidence.language_records import BaseModelRef, ComputeComparison, ReasonedStep

State = Literal["yes", "no", "open"]
OPEN = "open: a person decides or answers"
SIDE = "open: a person decides on which side it stands"


@dataclasses.dataclass(frozen=True)
class Found:
    """The class of a model with its path of reasons."""

    classes: dict[str, State]
    path: tuple[ReasonedStep, ...]
    presumed: bool
    """Does systemic risk follow from compute, or from the original model, so that the Commission is to be notified?"""


def classify(plan: LanguagePlan, base: BaseModelRef | None, compared: Iterable[ComputeComparison]) -> Found:
    """The class, and every step that led to it.

    Args:
        plan: Holds the answers of a person (`general_purpose`).
        base: The model that training started from, as it was read.
        compared: The compute against the thresholds.
    """
    reader = _Reader(plan, base, {c.threshold: c for c in compared})
    general = reader.general_purpose()
    modifier = reader.modifier()
    systemic, presumed = reader.systemic(general, modifier)
    exempt = reader.exemption(systemic)
    reader.market()
    classes: dict[str, State] = {
        "general_purpose": general,
        "systemic_risk": systemic,
        "modifier_is_provider": modifier,
        "open_source_exemption": exempt,
        "compute_decided": reader.decided(),
    }
    return Found(classes, tuple(reader.path), presumed)


def _stated(answer: str) -> State:
    """An answer as a state: unknown is open, never no."""
    return {"yes": "yes", "no": "no"}.get(answer, "open")  # type: ignore[return-value]


def _side(verdict: str) -> State:
    """A side of a threshold as a state: within and unknown are open."""
    return {"above": "yes", "below": "no"}.get(verdict, "open")  # type: ignore[return-value]


def _follows(state: State) -> str:
    return OPEN if state == "open" else state


class _Reader:
    """Reads answers and verdicts and writes down each step."""

    def __init__(self, plan: LanguagePlan, base: BaseModelRef | None, compared: dict[str, ComputeComparison]) -> None:
        self._said, self._base, self._compared = plan.general_purpose, base, compared
        self._stated_base = plan.model.base
        self.path: list[ReasonedStep] = []

    def general_purpose(self) -> State:
        if self._said.research_only == "yes" and self._said.placed_on_market != "yes":
            return self._research()
        self._step(
            "language",
            "Does it generate language, or images or video from text?",
            "yes, text",
            "Guidelines, paragraphs 17 and 20",
            "the indicative criterion depends on the compute",
        )
        side = self._verdict("gpai")
        met = {"below": "the indicative criterion is not met", "above": "the criterion is met; it can be rebutted"}
        self._step(
            "compute-general",
            "On which side of the indicative criterion is the training compute?",
            side,
            self._basis("gpai"),
            met.get(side, SIDE),
        )
        answer = self._said.significant_generality
        state, follows = _stated(answer), _follows(_stated(answer))
        if answer == "no" and side != "below":
            state, follows = "open", "open: the compute does not support the answer; a person states the reasons"
        self._step(
            "generality",
            "Does it show significant generality?",
            answer,
            "Art. 3(63)",
            f"general-purpose model: {follows}",
        )
        return state

    def _research(self) -> State:
        state: State = "no" if self._said.placed_on_market == "no" else "open"
        follows = {
            "no": "no general-purpose model in the sense of the Act as long as it is not placed on the market",
            "open": "open, until it is answered whether it is placed on the market",
        }[state]
        question = "Is it used for research, development or prototyping only, before placing on the market?"
        self._step("research", question, "yes", "Art. 3(63)", follows)
        return state

    def modifier(self) -> State:
        if self._base is None:
            self._step(
                "base",
                "Is it the modification of another provider's model?",
                "no: training began with random weights",
                "Guidelines, paragraphs 62 to 64",
                "whoever trained it is its provider",
            )
            return "no"
        side, basis = self._modification()
        state = _side(side)
        follows = {
            "yes": "the modifier is the provider of the modification",
            "no": "the modifier is not the provider of a general-purpose model",
            "open": SIDE,
        }[state]
        question = "Does the modification take more than a third of the original's training compute?"
        self._step("modification", question, side, basis, follows)
        return state

    def _modification(self) -> tuple[str, str]:
        """Side and basis: the original's own compute, otherwise the threshold that stands for it."""
        if "modifier-base" in self._compared:
            return self._verdict("modifier-base"), self._basis("modifier-base")
        systemic = self._stated_base.systemic_risk if self._stated_base else "unknown"
        if systemic == "unknown":
            low, high = self._verdict("modifier-gpai"), self._verdict("modifier-systemic")
            side = "below" if low == "below" else "above" if high == "above" else "unknown"
            return side, f"{self._basis('modifier-gpai')}; compute and systemic risk of the original are not stated"
        name = "modifier-systemic" if systemic == "yes" else "modifier-gpai"
        return self._verdict(name), f"{self._basis(name)}; the compute of the original is not stated"

    def systemic(self, general: State, modifier: State) -> tuple[State, bool]:
        """The state, and whether it is presumed from compute or from the original."""
        if general == "no":
            question = "Is it a general-purpose model at all?"
            self._step("systemic-none", question, "no", "Art. 51(1)", "no systemic risk to be tested")
            return "no", False
        side = self._verdict("systemic")
        presumption = {"below": "no presumption of systemic risk", "above": "systemic risk is presumed"}
        self._step(
            "compute-systemic",
            "On which side of the presumption of systemic risk is the cumulative compute?",
            side,
            self._basis("systemic"),
            presumption.get(side, SIDE),
        )
        designated = _stated(self._said.designated)
        self._step(
            "designated",
            "Has the Commission designated it as a model with systemic risk?",
            self._said.designated,
            "Art. 51(1)(b), Art. 52(4)",
            f"systemic risk by designation: {_follows(designated)}",
        )
        inherited = self._inherited(modifier)
        states = {inherited, designated, _side(side)}
        state: State = "yes" if "yes" in states else "open" if "open" in states else "no"
        return state, side == "above" or inherited == "yes"

    def _inherited(self, modifier: State) -> State:
        """Systemic risk of the original passes to a modifier who is its provider."""
        if self._stated_base is None or modifier == "no":
            return "no"
        original = _stated(self._stated_base.systemic_risk)
        state: State = "open" if original == "yes" and modifier == "open" else original
        self._step(
            "original-systemic",
            "Has the original model systemic risk?",
            self._stated_base.systemic_risk,
            "Guidelines, paragraphs 68 to 71",
            f"systemic risk of the modified model: {_follows(state)}",
        )
        return state

    def exemption(self, systemic: State) -> State:
        states: list[State] = []
        for condition in general_purpose.load().open_source:
            for name, question in condition.answers.items():
                answer = getattr(self._said.open_source, name)
                state: State = "open" if answer == "unknown" else "yes" if answer == condition.wanted else "no"
                states.append(state)
                follows = {"yes": "fulfilled", "no": "not fulfilled"}.get(state, OPEN)
                self._step(f"open-source-{name.replace('_', '-')}", question, answer, condition.place, follows)
        without: dict[State, State] = {"yes": "no", "no": "yes", "open": "open"}
        states.append(without[systemic])
        found: State = "no" if "no" in states else "open" if "open" in states else "yes"
        self._step(
            "open-source",
            "Do all conditions hold, and is there no systemic risk?",
            found,
            "Art. 53(2)",
            f"open-source exemption: {_follows(found)}; copyright policy and public summary are due in any case",
        )
        return found

    def decided(self) -> State:
        """Do the figures tell on which side of every threshold the model stands?"""
        told = all(c.verdict in ("below", "above") for c in self._compared.values())
        return "yes" if told else "open"

    def market(self) -> None:
        placed = self._said.placed_on_market
        follows = {
            "yes": "the duties are due",
            "no": "the duties become due with the placing on the market",
            "unknown": OPEN,
        }[placed]
        self._step("market", "Is it placed on the Union market, or to be?", placed, "Guidelines, paragraph 53", follows)

    def _verdict(self, threshold: str) -> str:
        return self._compared[threshold].verdict

    def _basis(self, threshold: str) -> str:
        return self._compared[threshold].basis

    def _step(self, name: str, question: str, answer: str, basis: str, follows: str) -> None:
        self.path.append(ReasonedStep(id=name, question=question, answer=answer, basis=basis, follows=follows))
