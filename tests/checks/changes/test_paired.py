"""Intervals of differences on the same rows: coverage, symmetry, agreement with plain formulas."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from scipy import stats
from sklearn import metrics

from checks import intervals, scoring
from checks.changes import paired
from evidence import arrays

NAMES = ("roc_auc", "brier", "log_loss", "f1", "accuracy", "balanced_accuracy")
ERRORS = ("mae", "rmse", "r2", "bias")


def scores(logits: np.ndarray) -> scoring.Scores:
    shares = 1 / (1 + np.exp(-logits))
    both = np.stack([1 - shares, shares], axis=1)
    return scoring.Scores(labels=(shares >= 0.5).astype(np.int64), probabilities=both)


def classified(rows: int, rng: np.random.Generator, positive: float = 0.3) -> paired.SameRows:
    """Two classifiers that share most of what they know, the second one with more noise."""
    y = (rng.random(rows) < positive).astype(np.int64)
    known = 1.2 * y + rng.normal(size=rows)
    found = [scores(known + spread * rng.normal(size=rows) - 0.6) for spread in (0.5, 0.9)]
    groups = {"sex": arrays.Groups(rng.integers(0, 2, rows).astype(np.int16), ("f", "m"))}
    return paired.SameRows(y, *found, 2, groups, intervals.Sampling(replicates=200))


def regressed(rows: int, rng: np.random.Generator) -> paired.SameRows:
    y = rng.normal(size=rows) * 3
    known = 0.8 * y + rng.normal(size=rows)
    found = [scoring.Scores(predictions=known + spread * rng.normal(size=rows)) for spread in (0.3, 0.8)]
    return paired.SameRows(y, *found, 0, {}, intervals.Sampling(replicates=200))


@pytest.mark.slow
@pytest.mark.parametrize(("make", "names"), [(classified, NAMES), (regressed, ERRORS)])
def test_the_true_difference_is_covered_at_its_level(make, names: tuple[str, ...]) -> None:
    """Over 1,000 draws of 200 rows the difference that many rows have lies inside in 93 to 97 % (of 95 %)."""
    rng = np.random.default_rng(11)
    many = make(200_000, rng)
    true = {name: paired.change(many, f"performance.{name}", "overall")[0].value for name in names}
    inside = dict.fromkeys(names, 0)
    for _ in range(1000):
        rows = make(200, rng)
        for name in names:
            found = paired.change(rows, f"performance.{name}", "overall")[0]
            inside[name] += found.low <= true[name] <= found.high
    assert {name: count for name, count in inside.items() if not 925 <= count <= 975} == {}


@pytest.mark.slow
def test_the_average_precision_is_covered_near_its_level() -> None:
    """The spread of replicates of whole rows: 92 to 98 % over 250 draws (of 95 %)."""
    rng = np.random.default_rng(5)
    true = np.mean([paired.change(classified(2000, rng), "performance.pr_auc", "overall")[0].value for _ in range(20)])
    inside = 0
    for _ in range(250):
        found = paired.change(classified(150, rng), "performance.pr_auc", "overall")[0]
        inside += found.low <= true <= found.high
    assert 230 <= inside <= 245


@pytest.mark.slow
def test_a_gap_that_does_not_change_is_covered() -> None:
    """Two answers of the same quality: the gap in selection rate differs by 0, and 0 lies inside in 93 % or more."""
    rng = np.random.default_rng(6)
    inside = 0
    for _ in range(300):
        rows = classified(300, rng)
        known = rng.normal(size=300)
        ends = [scores(known + 0.5 * rng.normal(size=300)) for _ in range(2)]
        rows = dataclasses.replace(rows, before=ends[0], after=ends[1])
        found = paired.change(rows, "fairness.demographic_parity_difference", "sex")[0]
        inside += found.low <= 0 <= found.high
    assert inside >= 279


def test_values_are_those_of_scikit_learn() -> None:
    """The difference of each metric is the one that an independent library computes."""
    rows = classified(400, np.random.default_rng(1))
    shares = [s.probabilities[:, 1] for s in (rows.before, rows.after)]
    labels = [s.labels for s in (rows.before, rows.after)]
    for name, of, given in (
        ("roc_auc", metrics.roc_auc_score, shares),
        ("pr_auc", metrics.average_precision_score, shares),
        ("brier", metrics.brier_score_loss, shares),
        ("log_loss", metrics.log_loss, shares),
        ("f1", metrics.f1_score, labels),
        ("accuracy", metrics.accuracy_score, labels),
        ("balanced_accuracy", metrics.balanced_accuracy_score, labels),
    ):
        expected = of(rows.y, given[1]) - of(rows.y, given[0])
        assert paired.change(rows, f"performance.{name}", "overall")[0].value == pytest.approx(expected, abs=1e-9), name


def test_the_mean_error_is_the_paired_t_interval() -> None:
    """For a mean the influence gives what every textbook gives."""
    rows = regressed(60, np.random.default_rng(2))
    apart = np.abs(rows.after.predictions - rows.y) - np.abs(rows.before.predictions - rows.y)
    low, high = stats.t.interval(0.95, 59, apart.mean(), stats.sem(apart))
    found = paired.change(rows, "performance.mae", "overall")[0]
    assert (found.low, found.high) == pytest.approx((low, high))


def test_pairs_know_more_than_two_intervals() -> None:
    """Where both versions err on the same rows, pairs give a narrower interval than the numbers alone."""
    rows = classified(400, np.random.default_rng(4))
    found = paired.change(rows, "performance.brier", "overall")[0]
    alone = [np.square(s.probabilities[:, 1] - rows.y) for s in (rows.before, rows.after)]
    unpaired = 1.96 * np.sqrt(sum(v.var(ddof=1) / 400 for v in alone))
    assert found.high - found.value < 0.7 * unpaired


@pytest.mark.parametrize(
    ("check", "part"),
    [
        *((f"performance.{name}", "overall") for name in (*NAMES, "pr_auc")),
        *((check, "sex") for check in paired.GAPS),
        ("fairness.true_positive_rate", "sex=f"),
    ],
)
def test_the_other_way_round_has_turned_signs(check: str, part: str) -> None:
    """Replicates included: after less before is the negative of before less after."""
    rows = classified(150, np.random.default_rng(7))
    back = dataclasses.replace(rows, before=rows.after, after=rows.before)
    there, again = paired.change(rows, check, part), paired.change(back, check, part)
    assert there is not None
    assert again is not None
    turned = (-again[0].value, -again[0].high, -again[0].low)
    assert (there[0].value, there[0].low, there[0].high) == pytest.approx(turned, abs=1e-12)


def test_entities_widen_the_interval() -> None:
    """Rows repeated four times under one entity know no more than one of each."""
    rows = regressed(50, np.random.default_rng(8))
    entities = np.repeat(np.arange(50), 4)
    repeated = paired.SameRows(
        np.repeat(rows.y, 4),
        scoring.Scores(predictions=np.repeat(rows.before.predictions, 4)),
        scoring.Scores(predictions=np.repeat(rows.after.predictions, 4)),
        0,
        {},
        intervals.Sampling(entities=entities),
    )
    one, four = (paired.change(r, "performance.mae", "overall") for r in (rows, repeated))
    assert four[0].high - four[0].low == pytest.approx(one[0].high - one[0].low)
    assert "over entities" in four[1]


@pytest.mark.parametrize("check", ["performance.ece", "robustness.noise", "fairness.demographic_parity_ratio"])
def test_what_is_not_compared_row_by_row_is_left_to_the_intervals(check: str) -> None:
    """No pretence of pairs where there is no method for them."""
    rows = classified(100, np.random.default_rng(9))
    assert paired.change(rows, check, "overall" if "performance" in check else "sex") is None


def test_a_class_without_rows_is_not_compared() -> None:
    """An area under a curve needs both classes."""
    rows = classified(100, np.random.default_rng(10))
    empty = dataclasses.replace(rows, y=np.zeros(100, np.int64))
    assert paired.change(empty, "performance.roc_auc", "overall") is None
    assert paired.change(empty, "performance.balanced_accuracy", "overall") is None
