"""Compute against thresholds, and the class that follows from figures and answers, at every boundary."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.general_purpose import account as accounts
from checks.general_purpose import compute, thresholds
from checks.general_purpose.compute import Range
from configs.language.plan import LanguagePlan
from configs.law import general_purpose
from evidence.language_records import AccountRecord, LanguageTrainingRecord
from tests.checks.general_purpose.language_training import quantity, training
from tests.configs.language_plans import plan_of
from tests.model_cards.gpai.builders import tokenised

BASE = {
    "name": "Great Words 7B", "sha256": "0f" * 32, "config_sha256": "0f" * 32, "parameters": 7_000_000_000,
    "licence": "apache-2.0", "compute_flop": 9e22, "compute_source": "its card",
}  # fmt: skip
ANSWERED = {"significant_generality": "yes", "designated": "no", "placed_on_market": "yes"}
OPEN_SOURCE = {
    "licence_allows_access_use_modification_distribution": "yes", "monetised": "no", "weights_public": "yes",
    "architecture_public": "yes", "usage_information_public": "yes",
}  # fmt: skip


def account(plan: LanguagePlan, trained: LanguageTrainingRecord) -> AccountRecord:
    return accounts.account(plan, tokenised(plan), trained)


def plan(changes: dict[str, Any] | None = None, **general: Any) -> LanguagePlan:
    return plan_of({"general_purpose": general} | (changes or {}))


def tuned(flop: float, base_flop: float | None, systemic: str, **general: Any) -> AccountRecord:
    """The account of a fine-tuning."""
    base = {"path": "base", "name": "Great Words 7B", "systemic_risk": systemic, "compute_flop": base_flop}
    made = training(flop, method="full fine-tuning", base=BASE | {"compute_flop": base_flop})
    return account(plan({"model": {"base": base}}, **{**ANSWERED, **general}), made)


def sides(record: AccountRecord) -> dict[str, str]:
    return {c.threshold: c.verdict for c in record.comparisons}


@pytest.mark.parametrize(
    ("low", "high", "side"),
    [
        (0.5, 0.69, "below"), (0.5, 0.7, "within"), (0.71, 0.71, "within"), (1.0, 1.0, "within"), (1.3, 1.3, "within"),
        (1.31, 1.31, "above"), (1.2, 5.0, "within"), (0.1, 9.0, "within"), (1.4, 9.0, "above"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("threshold", ["gpai", "systemic", "modifier-gpai", "modifier-systemic"])
def test_sides_of_each_threshold_at_the_band(threshold: str, low: float, high: float, side: str) -> None:
    """Below ends at 30 % under the threshold, above begins at 30 % over it, and the band's ends are within."""
    flop = general_purpose.load().flop(threshold)
    assert thresholds.verdict(Range(low * flop, high * flop), flop) == side


def test_what_is_not_known_is_never_below() -> None:
    """Without an estimate, or with an item of unknown compute, the side is unknown; above stays above."""
    assert thresholds.verdict(Range(None, None), 1e23) == "unknown"
    assert thresholds.verdict(Range(None, 1e20), 1e23) == "unknown"
    assert thresholds.verdict(Range(1.0, 2.0), 1e23, complete=False) == "unknown"
    assert thresholds.verdict(Range(2e23, 3e23), 1e23, complete=False) == "above"


ORDER = {"below": 0, "within": 1, "unknown": 1, "above": 2}


@given(st.floats(1, 1e27), st.floats(1, 1e27), st.floats(1, 100))
def test_more_compute_is_never_less(low: float, more: float, spread: float) -> None:
    """Sides are monotone in the compute, whatever the spread."""
    first, second = (Range(flop, flop * spread) for flop in (low, low + more))
    for threshold in ("gpai", "systemic"):
        flop = general_purpose.load().flop(threshold)
        assert ORDER[thresholds.verdict(first, flop)] <= ORDER[thresholds.verdict(second, flop)]


def test_estimates_stand_side_by_side_and_an_upper_bound_is_none() -> None:
    """Counted, 6·P·D and N·L·H·U are listed; low and high are those of the estimates alone."""
    made = training(2e15, flops_otherwise=[quantity(9e15, method="upper bound: N x L x H")])
    record = account(plan(), made)
    formula = 6.0 * made.parameters * made.tokens
    assert [q.value for q in record.estimates] == [2e15, formula, 9e15]
    assert (record.low, record.high) == (formula, 2e15)
    assert record.spread == pytest.approx(2e15 / formula)


def test_every_item_of_the_register_is_accounted_for() -> None:
    """What counts and what does not, each with how it is known."""
    record = account(plan(), training())
    assert [i.item for i in record.items] == [i.id for i in general_purpose.load().compute_items]
    assert {i.item: i.flop for i in record.items}["pretraining"] == record.high


def test_earlier_runs_and_synthetic_data_add_up() -> None:
    """Cumulative: this run, what the plan states of earlier ones, and what made synthetic corpora."""
    text = {"kind": "files", "path": ["a.txt"]}
    made = {"title": "Made", "origin": "synthetic", "synthetic": {"generators": ["X"], "compute_flop": 3e15}}
    corpora = [{"id": "made", "source": text, "provenance": made}]
    record = account(
        plan({"corpora": corpora}, earlier_compute_flop=1e15, earlier_compute_source="log of 2025"),
        training(),
    )
    assert record.cumulative.value == pytest.approx(2e15 + 1e15 + 3e15)
    assert sides(record)["gpai"] == "below"


def test_synthetic_data_of_unknown_compute_leave_every_side_open() -> None:
    """What counts and is not known makes no threshold `below`."""
    text = {"kind": "files", "path": ["a.txt"]}
    made = {"title": "Made", "origin": "synthetic", "synthetic": {"generators": ["X"]}}
    record = account(plan({"corpora": [{"id": "made", "source": text, "provenance": made}]}), training())
    assert set(sides(record).values()) == {"unknown"}
    assert "not everything that counts is known" in record.cumulative.method


def test_work_done_again_after_a_kill_is_told_and_not_counted() -> None:
    """Steps that a kill lost are in the estimates, and said to be; they stand among what does not count, unmeasured."""
    lost = {i.item: i for i in account(plan(), training(resumed=2)).items}
    assert lost["failed-runs"].flop is None
    assert "resumed 2 times" in str(lost["pretraining"].note)
    assert {i.item: i.flop for i in account(plan(), training()).items}["failed-runs"] == 0


def test_energy_and_time_in_the_units_of_the_form() -> None:
    """7.2 MJ are 0.002 MWh; a day on four ranks is four device-days."""
    record = account(plan(), training(parallel="ddp, 4 ranks"))
    assert record.energy.value == pytest.approx(0.002)
    assert record.energy.unit == "MWh"
    assert record.wall_time.value == 1
    assert record.hardware_time.value == 4
    assert account(plan(), training(energy=quantity(None, "J", "unmeasured"))).energy.value is None


@pytest.mark.parametrize(
    ("flop", "answer", "state"),
    [
        (1e20, "unknown", "open"), (1e20, "yes", "yes"), (1e20, "no", "no"), (0.69e23, "no", "no"),
        (0.7e23, "no", "open"),
        (1.31e23, "no", "open"), (1.31e23, "unknown", "open"), (1.31e23, "yes", "yes"),
    ],
)  # fmt: skip
def test_generality_is_answered_never_inferred(flop: float, answer: str, state: str) -> None:
    """A person's answer decides; compute that speaks against a `no` leaves it open."""
    assert account(plan(significant_generality=answer), training(flop)).classes["general_purpose"] == state


def test_research_alone_is_no_general_purpose_model() -> None:
    """As long as it is not placed on the market; where that is unknown, it is open; placed, research is no way out."""
    for placed, state in (("no", "no"), ("unknown", "open"), ("yes", "open")):
        record = account(plan(research_only="yes", placed_on_market=placed), training())
        assert record.classes["general_purpose"] == state


@pytest.mark.parametrize(
    ("flop", "designated", "state", "notify"),
    [
        (1e24, "no", "no", False), (1e24, "unknown", "open", False), (1e24, "yes", "yes", False),
        (0.69e25, "no", "no", False), (0.7e25, "no", "open", False), (1.3e25, "no", "open", False),
        (1.31e25, "no", "yes", True), (1.31e25, "unknown", "yes", True),
    ],
)  # fmt: skip
def test_systemic_risk_and_the_duty_to_notify(
    flop: float,
    designated: str,
    state: str,
    notify: bool,  # noqa: FBT001
) -> None:
    """Presumed above 1e25 FLOP, then the Commission is notified within two weeks; by designation it knows already."""
    record = account(plan(**{**ANSWERED, "designated": designated}), training(flop))
    assert record.classes["systemic_risk"] == state
    assert (record.notify_by is not None) == notify
    assert ("GP-52.1" in record.duties) == (state != "no")


@pytest.mark.parametrize(
    ("flop", "base", "systemic", "state"),
    [
        (0.69 * 3e22, 9e22, "no", "no"), (3e22, 9e22, "no", "open"), (1.31 * 3e22, 9e22, "no", "yes"),
        (0.69 * 1e23 / 3, None, "no", "no"), (1e23 / 3, None, "no", "open"), (1.31 * 1e23 / 3, None, "no", "yes"),
        (1e24, None, "yes", "no"), (1e25 / 3, None, "yes", "open"), (1.31 * 1e25 / 3, None, "yes", "yes"),
        (1e20, None, "unknown", "no"), (1e24, None, "unknown", "open"), (1e25, None, "unknown", "yes"),
    ],
)  # fmt: skip
def test_modifier_becomes_provider_above_a_third(flop: float, base: float | None, systemic: str, state: str) -> None:
    """A third of the original's compute; where unknown, of 1e25 for one with systemic risk, of 1e23 otherwise."""
    record = tuned(flop, base, systemic)
    assert record.classes["modifier_is_provider"] == state
    if state == "no":
        assert record.duties == ("GP-51",)


def test_modifier_of_a_model_with_systemic_risk_is_bound_in_full() -> None:
    """Systemic risk passes to whoever becomes provider of the modification, with the notification."""
    record = tuned(4e24, 9e24, "yes")
    assert record.classes["systemic_risk"] == "yes"
    assert record.notify_by is not None
    assert tuned(1e20, 9e24, "yes").classes["systemic_risk"] == "no"


@pytest.mark.parametrize("name", list(OPEN_SOURCE))
def test_each_condition_of_the_exemption_decides(name: str) -> None:
    """All fulfilled: exempt. One not fulfilled: no. One unanswered: open."""
    opposite = {"yes": "no", "no": "yes"}[OPEN_SOURCE[name]]
    for answer, state in ((OPEN_SOURCE[name], "yes"), (opposite, "no"), ("unknown", "open")):
        stated = {**ANSWERED, "open_source": {**OPEN_SOURCE, name: answer}}
        assert account(plan(**stated), training()).classes["open_source_exemption"] == state


def test_exemption_is_lost_with_systemic_risk() -> None:
    """Whatever the licence; with systemic risk open, the exemption is open too."""
    stated = {**ANSWERED, "open_source": OPEN_SOURCE}
    assert account(plan(**stated), training(2e25)).classes["open_source_exemption"] == "no"
    assert account(plan(**stated), training(1e25)).classes["open_source_exemption"] == "open"
    exempt = account(plan(**stated), training()).duties
    assert {"GP-53.1.c", "GP-53.1.d"} <= set(exempt)
    assert not {"GP-53.1.a", "GP-53.1.b"} & set(exempt)


def test_every_class_has_its_reasons() -> None:
    """The path names every answer and figure, each with its basis; steps are named once."""
    record = account(plan(**ANSWERED), training())
    names = [step.id for step in record.path]
    assert len(names) == len(set(names))
    assert {"language", "compute-general", "generality", "base", "compute-systemic", "designated", "market"} <= set(
        names
    )
    assert all(step.basis and step.follows and step.answer for step in record.path)


def test_merging_of_adapters_is_bounded() -> None:
    """LoRA: at most two operations for each rank and parameter; otherwise nothing."""
    base = {"path": "base", "name": "Great Words 7B"}
    made = training(method="lora", base=BASE)
    record = account(plan({"model": {"base": base, "method": "lora"}}), made)
    assert {i.item: i.flop for i in record.items}["merging"] == 2 * 8 * made.parameters


def test_bound_stands_in_only_for_a_missing_high_end() -> None:
    """With an upper bound alone the low end is unknown."""
    found = compute.range_of([training(None).flops, training(4e15).flops_otherwise[1]])
    assert (found.low, found.high) == (None, 1.6e16)
