"""The training compute of a language model: estimates by several methods, and what counts and does not, item by item.

Refs: Commission guidelines on general-purpose models, C(2025) 5045, annex and paragraphs 22 to 24.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

from configs.language.plan import LanguagePlan
from configs.law import general_purpose
from evidence.language_records import ComputeItem, LanguageTrainingRecord
from evidence.record_base import Quantity

BOUND = "upper bound"
"""Words of a method that tells only the most that the hardware could have done."""
FORMULA = "formula"
DIAGNOSTICS = (
    "the estimates include the validation during the training, which errs on the high side; the evaluation afterwards "
    "is in none"
)
LOST = "steps lost between a snapshot and a kill are in the estimates, which errs on the high side"


@dataclasses.dataclass(frozen=True)
class Range:
    """Lowest and highest estimate, FLOP; None where there is none."""

    low: float | None
    high: float | None

    @property
    def spread(self) -> float | None:
        """Highest divided by lowest."""
        return self.high / self.low if self.low and self.high is not None else None

    def plus(self, more: float) -> Range:
        """The range with something added at both ends."""
        low, high = (None if end is None else end + more for end in (self.low, self.high))
        return Range(low, high)


def estimates(training: LanguageTrainingRecord) -> tuple[Quantity, ...]:
    """Counted operations, 6·P·D, and N·L·H·U, in this order."""
    others = training.flops_otherwise
    formula = [q for q in others if q.method.startswith(FORMULA)] or [_formula(training)]
    return (training.flops, *formula, *(q for q in others if not q.method.startswith(FORMULA)))


def _formula(training: LanguageTrainingRecord) -> Quantity:
    return Quantity(
        value=6.0 * training.parameters * training.tokens,
        unit="FLOP",
        method="formula: 6 operations for each parameter and training token (6·P·D), epochs included",
        boundary="all training tokens of the run",
    )


def is_bound(quantity: Quantity) -> bool:
    """Is it the most that can have been, rather than an estimate?"""
    return BOUND in quantity.method


def range_of(found: Iterable[Quantity]) -> Range:
    """Lowest and highest of the estimates; an upper bound is none, and stands in only for a missing high end."""
    found = tuple(found)
    values = [q.value for q in found if q.value is not None and not is_bound(q)]
    bounds = [q.value for q in found if q.value is not None and is_bound(q)]
    if not values:
        return Range(None, min(bounds, default=None))
    return Range(min(values), max(values))


@dataclasses.dataclass(frozen=True)
class _Known:
    """What is known of an item."""

    flop: float | None
    method: str
    note: str | None = None


def items(plan: LanguagePlan, training: LanguageTrainingRecord, run: Range) -> tuple[ComputeItem, ...]:
    """Every item of the register with its compute and how it is known.

    Args:
        plan: The plan of the run.
        training: What was trained.
        run: Estimates of this run's training.
    """
    all_declared = "all compute that is declared for synthetic data is counted"
    made = {
        "pretraining": _of_this_run(training, run, pretraining=True),
        "fine-tuning": _of_this_run(training, run, pretraining=False),
        "earlier-runs": _earlier(plan),
        "synthetic-data": _synthetic(plan),
        "merging": _merging(plan, training),
        "public-synthetic": _Known(None, "not declared apart", all_declared),
        "diagnostics": _Known(None, "not measured apart", DIAGNOSTICS),
        "failed-runs": _lost(training),
        "teacher": _Known(0.0, "the trainer of this run has no teacher model"),
        "auxiliary": _Known(0.0, "the trainer of this run has no reward or value model"),
        "recomputation": _Known(None, "not counted", "operations are counted on one pass"),
        "base-model": _base(training),
    }
    return tuple(
        ComputeItem(
            item=item.id,
            title=item.text,
            counts=item.counts,
            flop=made[item.id].flop,
            method=made[item.id].method,
            note=made[item.id].note,
        )
        for item in general_purpose.load().compute_items
    )


def _of_this_run(training: LanguageTrainingRecord, run: Range, *, pretraining: bool) -> _Known:
    """This run stands under pre-training or under fine-tuning, as it began from random weights or from a base."""
    if (training.method == "pretraining") != pretraining:
        return _Known(0.0, f"this run is no such training, but {training.method}")
    if run.high is None:
        return _Known(None, "not measured")
    note = None
    if training.resumed:
        note = f"resumed {'once' if training.resumed == 1 else f'{training.resumed} times'}; {LOST}"
    return _Known(run.high, "highest of the estimates of this run", note)


def _earlier(plan: LanguagePlan) -> _Known:
    said = plan.general_purpose
    if said.earlier_compute_source is None and said.earlier_compute_flop == 0:
        return _Known(0.0, "the plan states none", "nobody has stated where this is recorded")
    return _Known(said.earlier_compute_flop, "as stated in the plan", said.earlier_compute_source)


def _synthetic(plan: LanguagePlan) -> _Known:
    made = [c for c in plan.corpora if c.provenance.origin == "synthetic"]
    if not made:
        return _Known(0.0, "no corpus of the plan is synthetic")
    flops = {c.id: c.provenance.synthetic.compute_flop if c.provenance.synthetic else None for c in made}
    if unknown := [name for name, flop in flops.items() if flop is None]:
        return _Known(None, "not stated", f"compute that made the corpus {', '.join(unknown)}")
    return _Known(sum(f for f in flops.values() if f is not None), "as stated in the plan, corpus by corpus")


def _merging(plan: LanguagePlan, training: LanguageTrainingRecord) -> _Known:
    if training.method != "lora":
        return _Known(0.0, "weights were neither merged nor averaged; random initialisation costs no products")
    rank = plan.model.lora.rank
    return _Known(2.0 * rank * training.parameters, "at most twice the rank of the adapters for each parameter")


def _lost(training: LanguageTrainingRecord) -> _Known:
    attempts = len(training.job.attempts) if training.job else 1
    if training.resumed == 0 and attempts <= 1:
        return _Known(0.0, "the training was not interrupted")
    return _Known(None, "not measured apart", LOST)


def _base(training: LanguageTrainingRecord) -> _Known:
    if training.base is None:
        return _Known(0.0, "training began with random weights")
    if training.base.compute_flop is None:
        return _Known(None, "its provider's figure is not stated")
    return _Known(training.base.compute_flop, "as stated in the plan", training.base.compute_source)


def cumulative(run: Range, found: Iterable[ComputeItem]) -> tuple[Range, bool]:
    """What counts in all, and whether everything that counts is known.

    Args:
        run: Estimates of this run's training.
        found: Every item.
    """
    besides = [i for i in found if i.counts and i.item not in ("pretraining", "fine-tuning")]
    known = sum(i.flop for i in besides if i.flop is not None)
    return run.plus(known), run.low is not None and all(i.flop is not None for i in besides)


def quantity(total: Range, *, complete: bool) -> Quantity:
    """What counts towards the thresholds, by its highest estimate."""
    rest = "" if complete else "; not everything that counts is known, so this is no upper end"
    return Quantity(
        value=total.high,
        unit="FLOP",
        method=f"highest estimate of this run, with earlier runs, synthetic data and merging{rest}",
        boundary="everything that counts by the guidelines",
    )
