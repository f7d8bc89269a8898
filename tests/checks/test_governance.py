from __future__ import annotations

import dataclasses
import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from checks import _governance_proxies as proxies
from checks import _governance_ranking as ranking
from checks import _governance_shift as shift
from checks import _governance_statistics as statistics
from checks import governance
from configs.errors import IntegrityError
from evidence import records
from tests.checks import data_builders

AT = statistics.levels(0.95, 1)
BINARY = {"task": "binary", "positive": ["yes"], "negative": ["no"]}
COLUMNS: list[dict[str, Any]] = [
    {"name": "a", "kind": "numeric"},
    {"name": "c", "kind": "categorical"},
    {"name": "sex", "kind": "categorical", "role": "protected"},
    {"name": "age", "kind": "categorical", "role": "protected"},
    {"name": "y", "kind": "categorical", "role": "target"},
]
PROTECTED: list[dict[str, Any]] = [{"name": "sex", "column": "sex", "use_in_model": False}]


@dataclasses.dataclass
class Case:
    """Arrays over all rows; tests change one thing and govern."""

    rows: int = 3000
    seed: int = 0
    classes: tuple[str, ...] = ("no", "yes")
    entities: np.ndarray | None = None
    unseen: dict[str, int] | None = None
    target: dict[str, Any] = dataclasses.field(default_factory=lambda: dict(BINARY))
    protected: list[dict[str, Any]] = dataclasses.field(default_factory=lambda: [dict(PROTECTED[0])])
    intersections: list[list[str]] = dataclasses.field(default_factory=list)
    columns: list[dict[str, Any]] = dataclasses.field(default_factory=lambda: [dict(c) for c in COLUMNS])

    def __post_init__(self) -> None:
        rng = np.random.default_rng(self.seed)
        self.x = np.column_stack([rng.normal(size=self.rows), rng.integers(0, 5, self.rows)])
        self.y = rng.integers(0, 2, self.rows)
        self.sex = rng.integers(0, 2, self.rows)
        self.roles = rng.choice(np.array(data_builders.ROLES, dtype=object), self.rows, p=[0.6, 0.2, 0.2])
        self.sexes: tuple[str, ...] = ("f", "m")
        self.groups: dict[str, tuple[np.ndarray, tuple[str, ...]]] = {}

    def govern(self, tmp_path: Path) -> dict[str, records.CheckResult]:
        """Results by check and slice; each has a reason and survives a round trip through JSON."""
        folder = data_builders.run_folder(tmp_path)
        made = data_builders.plan(self.columns, self.target, protected=self.protected, intersections=self.intersections)
        frame = pd.DataFrame(
            {
                "a": self.x[:, 0],
                "c": self.x[:, 1].astype(int).astype(str),
                "sex": [self.sexes[s] if s >= 0 else None for s in self.sex],
                "age": "x",
                "y": self.y if self.target["task"] == "regression" else [str(v) for v in self.y],
            }
        )
        dataset = data_builders.ingest(folder, made, frame)
        split = data_builders.split(folder, dataset, self.roles)
        groups = {"sex": (self.sex, self.sexes), **self.groups} if self.protected else {}
        encoded = data_builders.encode(
            folder, made, dataset, self.roles, x=self.x, y=self.y, groups=groups, unseen=self.unseen,
            classes=() if self.target["task"] == "regression" else self.classes, entities=self.entities,
            features=(
                records.FeatureSpec(name="a", kind="numeric"),
                records.FeatureSpec(name="c", kind="categorical", categories=tuple("01234")),
            ),
        )  # fmt: skip
        found = governance.govern(folder, made, dataset, split, encoded)
        for result in found.results:
            assert result.reason
            records.CheckResult.model_validate_json(result.model_dump_json())
        return {_key(r): r for r in found.results}


def _key(result: records.CheckResult) -> str:
    where = result.threshold.slice if result.threshold else result.details.get("slice", "overall")
    return result.check_id.removeprefix("data.") + ("" if where == "overall" else f" {where}")


# The statistics


def test_wilson_agrees_with_its_textbook_form() -> None:
    """The interval solves (p − π)² = z² π(1 − π)/n, and 0 and 1 stay where they are."""
    low, high = statistics.wilson(0.3, 40, 0.95)
    for bound in (low, high):
        assert (0.3 - bound) ** 2 == pytest.approx(1.959963984540054**2 * bound * (1 - bound) / 40)
    assert low < 0.3 < high
    assert statistics.wilson(0.0, 10, 0.95)[0] == 0.0
    assert statistics.wilson(1.0, 10, 0.95)[1] == 1.0
    assert statistics.wilson(0.5, 0, 0.95) == (0.0, 1.0)


def test_a_share_over_entities_covers_the_truth_where_rows_alone_do_not() -> None:
    """With ten equal rows per entity the interval holds the true share at its level; counting rows misses far more."""
    rng = np.random.default_rng(1)
    clusters = np.repeat(np.arange(80), 10)
    by_entity = by_row = 0
    for _ in range(400):
        member = np.repeat(rng.random(80) < 0.3, 10)
        good, naive = statistics.share(member, clusters, AT), statistics.share(member, None, AT)
        by_entity += good.low <= 0.3 <= good.high
        by_row += naive.low <= 0.3 <= naive.high
    assert 0.92 <= by_entity / 400 <= 0.985
    assert by_row / 400 < 0.7


def test_differences_cover_the_truth() -> None:
    """Newcombe's interval of a difference of two shares, and that of two means, hold at their level."""
    rng = np.random.default_rng(2)
    shares = means = 0
    for _ in range(500):
        a, b = rng.random(60) < 0.15, rng.random(45) < 0.4
        d = statistics.difference(statistics.share(a, None, AT), statistics.share(b, None, AT))
        shares += d.low <= -0.25 <= d.high
        u, v = rng.exponential(size=50), rng.exponential(size=40) + 0.5
        m = statistics.difference(statistics.mean(u, None, AT), statistics.mean(v, None, AT))
        means += m.low <= -0.5 <= m.high
    assert 0.92 <= shares / 500 <= 0.985
    assert 0.92 <= means / 500 <= 0.985


def test_newcombe_agrees_with_a_published_example() -> None:
    """56/70 against 48/80: 0.0524 to 0.3339 (Newcombe 1998, Table II, method 10)."""
    a = statistics.share(np.arange(70) < 56, None, AT)
    b = statistics.share(np.arange(80) < 48, None, AT)
    d = statistics.difference(a, b)
    assert (round(d.low, 4), round(d.high, 4)) == (0.0524, 0.3339)


def test_the_largest_of_equal_shares_covers_the_truth() -> None:
    """Picking the most extreme of twenty groups picks luck; its interval still holds the true value."""
    rng = np.random.default_rng(3)
    at = statistics.levels(0.95, 20)
    held = luck = 0
    for _ in range(400):
        groups = [statistics.share(rng.random(50) < 0.3, None, at) for _ in range(20)]
        top = statistics.largest(groups)
        held += top.low <= 0.3 <= top.high
        luck += max(groups, key=lambda e: e.value).low <= 0.3
    assert held / 400 >= 0.94
    assert luck / 400 < 0.9


def test_roc_auc_agrees_with_scikit_learn() -> None:
    """Area under the ROC curve with ties equals scikit-learn's."""
    from sklearn.metrics import roc_auc_score

    rng = np.random.default_rng(4)
    positive = rng.random(500) < 0.3
    score = rng.integers(0, 12, 500) + 3 * positive
    curve = ranking.roc_auc(score, positive)
    assert curve.value == pytest.approx(roc_auc_score(positive, score), abs=1e-12)
    assert curve.influence.sum() == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize("per_entity", [1, 5])
def test_auc_intervals_cover_the_truth(per_entity: int) -> None:
    """The interval holds the true area at its level, with independent rows and with repeated ones."""
    rng = np.random.default_rng(5)
    truth = 0.5 * math.erfc(-0.8 / 2)  # Φ(0.8 / √2): normal scores 0.8 apart
    held = 0
    clusters = np.repeat(np.arange(150), per_entity)
    for _ in range(300):
        positive = np.repeat(np.arange(150) < 50, per_entity)
        score = np.repeat(rng.normal(size=150), per_entity) + 0.8 * positive
        levels = np.unique(score, return_inverse=True)[1]
        estimate = ranking.auc_estimate(ranking.roc_auc(levels, positive), clusters, AT)
        held += estimate.low <= truth <= estimate.high
    assert 0.92 <= held / 300 <= 0.985


def test_a_perfect_separation_of_few_rows_is_not_certain() -> None:
    """Five against five rows, perfectly told apart: the interval is wide."""
    levels = np.arange(10)
    estimate = ranking.auc_estimate(ranking.roc_auc(levels, levels >= 5), None, AT)
    assert estimate.value == 1.0
    assert estimate.low < 0.7


@pytest.mark.parametrize("categories", [3, 400])
def test_a_category_that_says_nothing_scores_one_half(categories: int) -> None:
    """Out-of-fold scores carry no optimism, even with more categories than rows can fill."""
    rng = np.random.default_rng(6)
    values = [
        proxies._by_category(
            rng.integers(0, categories, 800), rng.random(800) < 0.3, rng.permutation(800) % proxies.FOLDS, None, AT
        ).value
        for _ in range(100)
    ]
    assert abs(np.mean(values) - 0.5) < 0.01


def test_the_interval_of_a_telling_category_covers_the_truth() -> None:
    """Where a decision can hang on it, near the limit, the out-of-fold area holds at its level."""
    rng = np.random.default_rng(14)
    inside = np.array([0.05, 0.2, 0.9])  # share of the group in three equally frequent categories
    a, b = inside / inside.sum(), (1 - inside) / (1 - inside).sum()
    truth = float(np.sum(a * (np.cumsum(b) - 0.5 * b)))
    held = 0
    for _ in range(200):
        cells = rng.integers(0, 3, 600)
        found = proxies._by_category(cells, rng.random(600) < inside[cells], rng.permutation(600) % 5, None, AT)
        held += found.low <= truth <= found.high
    assert truth > 0.85
    assert 0.9 <= held / 200 <= 0.99


def test_the_stability_index_of_equal_distributions_has_its_expectation() -> None:
    """Two samples of one population differ by (cells − 1)(1/n + 1/m) on average."""
    rng = np.random.default_rng(7)
    p = np.array([0.05, 0.15, 0.3, 0.3, 0.15, 0.05])
    found = [shift.shift(rng.multinomial(900, p), rng.multinomial(300, p), (1, 1), AT) for _ in range(800)]
    assert found[0].by_chance == pytest.approx(5 * (1 / 900 + 1 / 300))
    assert np.mean([f.index for f in found]) == pytest.approx(found[0].by_chance, rel=0.08)
    assert np.mean([f.estimate.low <= 0.0 <= f.estimate.high for f in found]) >= 0.94


@pytest.mark.parametrize(("n", "m", "tilt"), [(600, 200, 0.5), (6000, 2000, 0.3), (600, 200, 1.0), (60000, 20000, 1.5)])
def test_stability_intervals_cover_the_truth(n: int, m: int, tilt: float) -> None:
    """The interval holds the index of the populations at its level, in small and in large samples."""
    rng = np.random.default_rng(8)
    p = np.full(10, 0.1)
    q = p * np.exp(tilt * np.linspace(-1, 1, 10))
    q /= q.sum()
    truth = float(np.sum((p - q) * np.log(p / q)))
    found = [shift.shift(rng.multinomial(n, p), rng.multinomial(m, q), (1, 1), AT).estimate for _ in range(300)]
    assert 0.90 <= np.mean([e.low <= truth <= e.high for e in found]) <= 0.99
    assert np.mean([e.value for e in found]) == pytest.approx(truth, rel=0.12)


def test_the_design_effect_of_copies_is_their_number() -> None:
    """Rows of an entity that all say the same count once; independent rows count fully."""
    rng = np.random.default_rng(9)
    cells = rng.integers(0, 4, 2000)
    clusters = np.arange(2000)
    assert shift.design_effect(cells, clusters, 4) == pytest.approx(1.0)
    assert shift.design_effect(np.repeat(cells, 6), np.repeat(clusters, 6), 4) == pytest.approx(6.0)
    shuffled = [shift.design_effect(rng.integers(0, 4, 3000), np.repeat(np.arange(500), 6), 4) for _ in range(20)]
    assert np.mean(shuffled) == pytest.approx(1.0, abs=0.1)


def test_a_verdict_is_inconclusive_exactly_when_the_limit_lies_inside() -> None:
    """Three answers, limits inclusive."""
    assert statistics.verdict(0.1, 0.2, at_most=0.2) == "pass"
    assert statistics.verdict(0.1, 0.3, at_most=0.2) == "inconclusive"
    assert statistics.verdict(0.21, 0.3, at_most=0.2) == "fail"
    assert statistics.verdict(0.2, 0.3, at_least=0.2) == "pass"
    assert statistics.verdict(0.1, 0.3, at_least=0.2) == "inconclusive"
    assert statistics.verdict(0.1, 0.19, at_least=0.2) == "fail"


# The checks


def test_unrelated_data_pass_every_check_that_has_a_limit(tmp_path: Path) -> None:
    """Nothing is found where there is nothing to find, and nothing is skipped without a word."""
    case = Case()
    case.protected[0]["reference"] = {"shares": {"f": 0.5, "m": 0.5}, "source": "Statistical office, 2024"}
    found = case.govern(tmp_path)
    assert {name: r.status for name, r in found.items()} == dict.fromkeys(
        [
            "representativeness sex", "group_sizes sex", "class_balance", "duplicates_across_splits", "proxies sex",
            "label_balance sex", "drift", "unseen_categories",
        ],
        "pass",
    )  # fmt: skip


def test_without_protected_attributes_the_group_checks_do_not_apply(tmp_path: Path) -> None:
    """They stand in the record with their reason."""
    case = Case(protected=[])
    found = case.govern(tmp_path)
    for name in ("representativeness", "group_sizes", "proxies", "label_balance"):
        result = found[name]
        assert (result.status, result.reason) == ("not_applicable", "the plan declares no protected attribute")


def test_without_a_reference_population_representativeness_is_not_measured(tmp_path: Path) -> None:
    """No population, no comparison, and the reason says so."""
    result = Case().govern(tmp_path)["representativeness sex"]
    assert (result.status, result.measures) == ("not_measured", ())
    assert "no reference population" in result.reason


@pytest.mark.parametrize(
    ("rows", "female", "status"), [(3000, 0.5, "fail"), (3000, 0.3, "pass"), (120, 0.4, "inconclusive")]
)
def test_representativeness_is_judged_on_the_interval(tmp_path: Path, rows: int, female: float, status: str) -> None:
    """A gap of 0.2 fails, one of 0 passes, and one of 0.1 in 120 rows cannot be told from the limit of 0.1."""
    case = Case(rows=rows)
    case.sex = (np.arange(rows) % 100 >= 100 * female).astype(int)
    case.protected[0]["reference"] = {"shares": {"f": 0.3, "m": 0.7}, "source": "Registry, 2023"}
    result = case.govern(tmp_path)["representativeness sex"]
    assert result.status == status
    assert result.threshold.slice == "sex"
    assert result.measures[0].value == pytest.approx(abs(np.mean(case.sex == 0) - 0.3))


def test_a_group_of_the_population_that_is_absent_counts_as_zero(tmp_path: Path) -> None:
    """Nobody of a group that makes up a third of the population: the gap is a third."""
    case = Case()
    case.protected[0]["reference"] = {"shares": {"f": 0.35, "m": 0.35, "x": 0.3}, "source": "Registry, 2023"}
    result = case.govern(tmp_path)["representativeness sex"]
    assert result.status == "fail"
    assert result.measures[0].value == pytest.approx(0.3)
    assert result.measures[0].note == "largest for x"


def test_a_group_of_one_person_is_listed_and_leaves_nothing_conclusive(tmp_path: Path) -> None:
    """Its name and size are said; what depends on it is inconclusive, not passed and not crashed."""
    case = Case()
    case.sexes = ("f", "m", "x")
    case.sex[np.flatnonzero(case.roles == "test")[0]] = 2
    found = case.govern(tmp_path)
    sizes = found["group_sizes sex"]
    assert sizes.status == "inconclusive"
    assert sizes.details["small"] == ["x (1)"]
    assert sizes.measures[0].value == 1
    for name in ("label_balance sex", "proxies sex"):
        result = found[name]
        assert result.status == "inconclusive"
        assert "x (1)" in result.reason


def test_many_rows_without_a_group_are_counted_and_inconclusive(tmp_path: Path) -> None:
    """Most persons not stating the attribute is no pass, and the number of rows is said."""
    case = Case()
    case.sex = np.where(np.arange(case.rows) % 10 < 8, -1, case.sex)
    sizes = case.govern(tmp_path)["group_sizes sex"]
    test = case.roles == "test"
    assert sizes.status == "inconclusive"
    assert f"{(case.sex[test] < 0).sum()} of {test.sum()} test rows have no group, limit 5 %" in sizes.reason


def test_empty_groups_and_empty_intersections_are_listed(tmp_path: Path) -> None:
    """A combination nobody belongs to is named, though the arrays do not know it."""
    case = Case(intersections=[["sex", "age"]])
    case.protected.append({"name": "age", "column": "age", "use_in_model": False})
    age = np.where(case.sex == 1, 1, case.y)  # no young men
    case.groups = {
        "age": (age, ("young", "old", "ancient")),
        "sex × age": (np.select([case.sex == 1, age == 0], [2, 0], 1), ("f × young", "f × old", "m × old")),
    }
    found = case.govern(tmp_path)
    assert found["group_sizes age"].details["empty"] == ["ancient"]
    joint = found["group_sizes sex × age"]
    assert set(joint.details["empty"]) == {"m × young", "f × ancient", "m × ancient"}
    assert joint.status == "inconclusive"


def test_a_rare_class_fails_and_a_missing_one_is_never_a_pass(tmp_path: Path) -> None:
    """One per cent where five are asked is a failure; a class without test rows cannot be evaluated."""
    case = Case()
    case.y = (np.arange(3000) % 100 == 0).astype(int)
    assert case.govern(tmp_path / "a")["class_balance"].status == "fail"
    case = Case()
    case.y[case.roles == "test"] = 0
    result = case.govern(tmp_path / "b")["class_balance"]
    assert result.status == "inconclusive"
    assert "no row of yes in test" in result.reason


def test_repeated_rows_are_found_across_parts(tmp_path: Path) -> None:
    """An identical row in train and test fails; twins in the features are counted with and without the target."""
    case = Case()
    train, test = (np.flatnonzero(case.roles == role) for role in ("train", "test"))
    case.x[test[:3]], case.y[test[:3]], case.sex[test[:3]] = case.x[train[:3]], case.y[train[:3]], case.sex[train[:3]]
    case.x[test[3:7]], case.y[test[3:7]], case.sex[test[3:7]] = (
        case.x[train[3:7]],
        case.y[train[3:7]],
        1 - case.sex[train[3:7]],
    )
    case.x[test[7]], case.y[test[7]] = case.x[train[7]], 1 - case.y[train[7]]
    result = case.govern(tmp_path)["duplicates_across_splits"]
    (pair,) = [row for row in result.details["rows"] if (row["also_in"], row["in"]) == ("train", "test")]
    assert result.status == "fail"
    assert result.measures[0].value == 3
    assert (pair["identical"], pair["features_and_target"], pair["features_not_target"]) == (3, 7, 1)


@pytest.mark.parametrize("column", [0, 1])
def test_a_proxy_is_found_and_named(tmp_path: Path, column: int) -> None:
    """A number or a category that gives the group away fails, by name."""
    case = Case()
    rng = np.random.default_rng(10)
    case.x[:, column] = case.sex * 3 + (rng.normal(size=3000) if column == 0 else rng.integers(0, 2, 3000))
    result = case.govern(tmp_path)["proxies sex"]
    assert result.status == "fail"
    assert result.details["above_limit"] == ["ac"[column]]
    assert result.measures[0].interval.low > 0.9


def test_a_proxy_that_is_not_monotone_is_found(tmp_path: Path) -> None:
    """A number whose middle gives the group away has an area of one half as it stands; its bins do not."""
    case = Case()
    case.x[:, 0] = np.random.default_rng(11).uniform(-1, 1, 3000) + np.where(case.sex == 1, 0, 3 * (-1.0) ** case.y)
    result = case.govern(tmp_path)["proxies sex"]
    assert result.status == "fail"
    assert result.details["above_limit"] == ["a"]


def test_missingness_that_gives_a_group_away_is_a_proxy(tmp_path: Path) -> None:
    """A value that is missing for one group only tells the group."""
    case = Case()
    case.x[case.sex == 1, 0] = np.nan
    result = case.govern(tmp_path)["proxies sex"]
    assert result.details["above_limit"] == ["a"]


def test_the_attributes_own_column_is_named_but_is_no_hidden_proxy(tmp_path: Path) -> None:
    """What the plan declares openly as a feature does not fail the check."""
    case = Case()
    case.columns[1]["name"], case.columns[2]["role"] = "sex", "feature"
    case.columns[1], case.columns[2] = {"name": "c", "kind": "categorical", "role": "ignored"}, case.columns[2]
    case.protected = [{"name": "sex", "column": "c", "use_in_model": False}]
    case.x[:, 1] = case.sex
    result = case.govern(tmp_path)["proxies sex"]
    assert result.status == "pass"
    assert "own column c is given to the model" in result.reason


def test_label_balance_fails_on_a_clear_gap_only(tmp_path: Path) -> None:
    """Positive shares of 0.2 and 0.7 fail a limit of 0.2, and the difference is the one that was planted."""
    case = Case()
    case.y = (np.random.default_rng(12).random(3000) < np.where(case.sex == 1, 0.7, 0.2)).astype(int)
    result = case.govern(tmp_path)["label_balance sex"]
    planted = case.y[case.sex == 1].mean() - case.y[case.sex == 0].mean()
    assert result.status == "fail"
    assert result.measures[0].value == pytest.approx(planted)
    assert result.measures[0].note == "largest for yes: f against m"
    assert result.reason.endswith("largest for yes: f against m; n counts the rows of these two")


def test_label_balance_of_a_number_is_in_standard_deviations(tmp_path: Path) -> None:
    """Regression: groups whose means lie one unit apart differ by one over the standard deviation."""
    case = Case(target={"task": "regression"})
    case.columns[-1]["kind"] = "numeric"
    case.y = np.random.default_rng(13).normal(size=3000) + case.sex
    found = case.govern(tmp_path)
    result = found["label_balance sex"]
    gap = (case.y[case.sex == 1].mean() - case.y[case.sex == 0].mean()) / case.y.std()
    assert (result.status, result.measures[0].unit) == ("fail", "standard deviations")
    assert result.measures[0].value == pytest.approx(gap, rel=1e-4)
    assert found["class_balance"].status == "not_applicable"


def test_drift_is_found_and_small_samples_are_inconclusive(tmp_path: Path) -> None:
    """A shifted test part fails by name; equal parts of few rows cannot be judged, and the caution is said."""
    case = Case()
    case.x[case.roles == "test", 0] += 1.5
    result = case.govern(tmp_path / "a")["drift"]
    assert (result.status, result.measures[0].note) == ("fail", "less what chance adds; largest for a in test")
    result = Case(rows=150).govern(tmp_path / "b")["drift"]
    assert result.status == "inconclusive"
    assert "caution" in result.reason


def test_a_column_of_one_value_has_no_drift_to_measure(tmp_path: Path) -> None:
    """It is listed as not measured, without an index; the other columns are judged."""
    case = Case()
    case.x[:, 0] = 3.0
    result = case.govern(tmp_path)["drift"]
    assert result.status == "pass"
    assert [(r["feature"], r["split"]) for r in result.details["not_measured"]] == [("a", "validation"), ("a", "test")]
    assert all("index" not in r and "value" not in r for r in result.details["rows"] if r["feature"] == "a")
    assert "not measured, one value in both parts: a in validation, a in test" in result.reason


def test_drift_of_a_column_that_is_mostly_zero_is_seen(tmp_path: Path) -> None:
    """Where nine in ten values are 0, the 0 is a bin of its own and the rest another: a shift between them is found."""
    case = Case()
    rng = np.random.default_rng(7)
    share = np.where(case.roles == "test", 0.35, 0.08)
    case.x[:, 0] = np.where(rng.random(case.rows) < share, rng.integers(1, 9999, case.rows), 0)
    result = case.govern(tmp_path)["drift"]
    assert result.details["not_measured"] == []
    assert (result.status, result.measures[0].note) == ("fail", "less what chance adds; largest for a in test")


def test_repeated_rows_of_entities_widen_intervals(tmp_path: Path) -> None:
    """Ten copies of each row are worth one: intervals over entities are wider, and say what they count."""

    def widths(place: Path, entities: np.ndarray | None) -> dict[str, float]:
        case = Case(entities=entities)
        for name in ("x", "y", "sex", "roles"):
            setattr(case, name, np.repeat(getattr(case, name)[:300], 10, axis=0))
        case.protected[0]["reference"] = {"shares": {"f": 0.5, "m": 0.5}, "source": "Registry, 2023"}
        found = case.govern(place)
        chosen = [r.measures[0] for r in found.values() if r.measures and r.measures[0].interval]
        assert all(("entity" in m.interval.method) == (entities is not None) for m in chosen)
        return {m.name: m.interval.high - m.interval.low for m in chosen}

    wide, narrow = widths(tmp_path / "a", np.repeat(np.arange(300), 10)), widths(tmp_path / "b", None)
    assert set(wide) == {
        f"data.{n}" for n in ("representativeness", "class_balance", "proxies", "label_balance", "drift")
    }
    for name in wide:
        assert wide[name] > 1.5 * narrow[name], name


def test_unseen_categories_fail_only_where_the_plan_refuses_them(tmp_path: Path) -> None:
    """Read as missing, they are counted without a limit."""
    refused = Case(unseen={"c": 4}).govern(tmp_path / "a")["unseen_categories"]
    assert (refused.status, refused.measures[0].value) == ("fail", 8)
    case = Case(unseen={"c": 4})
    case.columns[1]["unseen"] = "as_missing"
    counted = case.govern(tmp_path / "b")["unseen_categories"]
    assert counted.status == "not_applicable"
    assert counted.reason.startswith("measured; the policy sets no threshold: 8 rows")


def test_the_same_data_give_the_same_record(tmp_path: Path) -> None:
    """Deterministic, byte for byte."""
    first, second = (
        {name: r.model_dump_json() for name, r in Case(rows=500).govern(tmp_path / place).items()} for place in "ab"
    )
    assert first == second


def test_arrays_of_another_split_are_refused(tmp_path: Path) -> None:
    """Arrays and split must belong together."""
    case = Case(rows=300)
    folder = data_builders.run_folder(tmp_path)
    made = data_builders.plan(case.columns, case.target)
    frame = pd.DataFrame({"a": case.x[:, 0], "c": "0", "sex": "f", "age": "x", "y": case.y.astype(str)})
    dataset = data_builders.ingest(folder, made, frame)
    encoded = data_builders.encode(
        folder, made, dataset, case.roles, x=case.x[:, :1], y=case.y, classes=case.classes,
        features=(records.FeatureSpec(name="a", kind="numeric"),),
    )  # fmt: skip
    other = data_builders.split(folder, dataset, np.roll(np.sort(case.roles), 7))
    shifted = other.model_copy(
        update={"parts": {**other.parts, "test": other.parts["test"].model_copy(update={"rows": 1})}}
    )
    with pytest.raises(IntegrityError, match="arrays of test: expected the 1 rows of the split"):
        governance.govern(folder, made, dataset, shifted, encoded)


def test_an_attribute_that_nobody_states_is_inconclusive(tmp_path: Path) -> None:
    """All groups missing, and a feature without a value: nothing crashes and nothing passes."""
    case = Case(rows=400)
    case.sex[:] = -1
    case.x[:, 0] = np.nan
    case.protected[0]["reference"] = {"shares": {"f": 0.5, "m": 0.5}, "source": "Registry, 2023"}
    found = case.govern(tmp_path)
    for name in ("representativeness sex", "group_sizes sex", "proxies sex", "label_balance sex"):
        assert found[name].status == "inconclusive", name
    assert found["group_sizes sex"].details["missing"]["train"] == int((case.roles == "train").sum())


@pytest.mark.slow
def test_the_hospital_data_are_governed_by_patient(tmp_path: Path, real_data: Path) -> None:
    """On 101,766 real stays every check answers, intervals count patients, and nothing has leaked."""
    from checks import leakage
    from configs import load
    from factory import encoding, ingest, splitting

    folder = data_builders.run_folder(tmp_path)
    made = load.load(load.plan_path("hospital_readmission"))
    dataset = ingest.ingest(folder, made, real_data)
    split = splitting.split(folder, made, dataset)
    encoded = encoding.encode(folder, made, dataset, split)
    found = governance.govern(folder, made, dataset, split, encoded).results
    assert {r.check_id for r in found} >= {f"data.{n}" for n in ("group_sizes", "proxies", "label_balance", "drift")}
    spans = [m.interval.method for r in found for m in r.measures if m.interval]
    assert spans
    assert all("by entity" in method for method in spans)
    part = split.parts["train"]
    fit = records.DataUse(step="fit", role="train", rows=part.rows, digests_sha256=part.digests.sha256)
    assert leakage.audit(folder, split, [fit], encoded).status == "pass"


def test_results_do_not_depend_on_what_is_read_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """One column and 50 rows at a time give the results of all at once."""
    from checks import _governance_inputs
    from evidence import arrays

    case = Case(rows=700)
    expected = case.govern(tmp_path / "whole")
    monkeypatch.setattr(_governance_inputs, "BLOCK", 1)
    monkeypatch.setattr(arrays, "PIECE", 50)
    assert case.govern(tmp_path / "pieces") == expected
