"""Faults of single features against closed forms on linear models, and graphs that have no answer to them."""

import dataclasses

import numpy as np
import pytest
from onnx import helper
from sklearn import metrics

from configs import errors, load
from tests.checks import model_builders
from tests.checks.test_robustness import curve, subject

REGRESSOR = np.array([[2.0], [0.5], [0.0]])


def data(rows=1200):
    return np.random.default_rng(0).normal(size=(rows, 3)).astype(np.float32) * [1, 1, 100] + [3, 0, 0]


def regressor(place, **other):
    return subject(place, task="regression", x=data(), coefficients=REGRESSOR, **other)


def r2(made, x):
    return metrics.r2_score(made.part.y, (x.astype(np.float64) @ REGRESSOR)[:, 0])


def test_a_rescaled_feature_costs_what_the_formula_says(tmp_path):
    """In every row the headline is the R² of the linear model with that feature times the factor."""
    from checks import robustness

    made = regressor(tmp_path, units={"factors": [10.0, 0.5], "shares": [0.5, 1.0]})
    result = robustness.rescaled(made)
    assert result.measures[0].value == pytest.approx(r2(made, made.part.x * np.array([10, 1, 1])), rel=1e-4)
    assert result.details["worst"] == "f0 times 10"
    assert result.details["features"]["f1"] == pytest.approx(r2(made, made.part.x * np.array([1, 10, 1])), rel=1e-4)
    assert result.details["features"]["f2"] == pytest.approx(result.details["clean"])
    half, whole = curve(result)
    clean = result.details["clean"]
    # Squared errors are a mixture of those of the two kinds of rows.
    assert clean - half[1] == pytest.approx(0.5 * (clean - whole[1]), rel=0.1)


def test_factors_follow_the_unit(tmp_path):
    """The plan's word on a unit goes before the usual units, and these before the default."""
    from checks import _one_feature

    x = data(50)
    specs = model_builders.features(x, unit={0: "cm", 1: "years", 2: "furlong"})
    made = subject(tmp_path, x=x, specs=specs, units={"by_unit": {"years": [2.0]}, "factors": [7.0]})
    assert _one_feature.factors(made, 0) == (10.0, 0.01, 1 / 2.54)
    assert _one_feature.factors(made, 1) == (2.0,)
    assert _one_feature.factors(made, 2) == (7.0,)


def test_only_columns_of_one_unit_are_exchanged(tmp_path):
    """The pair of the same unit is exchanged, pure numbers are not; the value is that of the formula."""
    from checks import robustness

    specs = model_builders.features(data(), unit={0: "mm", 1: "1", 2: "mm"})
    made = regressor(tmp_path, specs=specs)
    result = robustness.exchanged(made)
    assert list(result.details["features"]) == ["f0 ↔ f2"]
    assert result.measures[0].value == pytest.approx(r2(made, made.part.x[:, [2, 1, 0]]), rel=1e-4)
    none = robustness.exchanged(regressor(tmp_path / "b", specs=model_builders.features(data(), unit={0: "1", 1: "1"})))
    assert none.status == "not_applicable"
    assert "same unit of measure" in none.reason


def test_an_unseen_category_is_told_from_a_missing_one(tmp_path):
    """The graph is fed one code beyond the categories; rows that it answers otherwise than missing are counted."""
    from checks import robustness

    x = np.stack([np.arange(600) % 3, np.random.default_rng(0).normal(size=600), np.arange(600) % 2], axis=1)
    specs = model_builders.features(
        x, kind={0: "categorical", 2: "categorical"}, categories={0: ("a", "b", "c"), 2: "uv"}
    )
    made = subject(tmp_path, x=x.astype(np.float32), specs=specs, coefficients=np.array([[-1.0, 1], [-1, 1], [0, 0]]))
    result = robustness.unseen_category(made)
    fed = made.part.x.copy()
    fed[:, 0] = 3
    assert result.measures[0].value == np.mean(made.scorer(fed).labels == made.part.y)
    assert result.details["unlike_missing"] == {"f0": 600, "f2": 0}
    assert "f0 of an unseen category" in result.measures[0].note


def test_a_stuck_feature_carries_no_information(tmp_path):
    """Frozen at the median in every row, the answers are those of the other features alone."""
    from checks import _one_feature, robustness

    made = regressor(tmp_path, stuck=[1.0])
    result = robustness.stuck(made)
    values = {
        what: r2(made, np.concatenate([np.full((1200, 1), value), made.part.x[:, 1:]], axis=1))
        for what, value in _one_feature._readings(made, 0, np.arange(1200))
        if what != "last value"
    }
    assert set(values) == {"training median", "training minimum", "training maximum"}
    assert result.details["features"]["f0"] <= min(values.values()) + 1e-4
    assert result.details["features"]["f2"] == pytest.approx(result.details["clean"])
    assert result.details["worst"].startswith("f0 frozen at its training m")


def test_rounding_is_to_the_grid_and_to_digits(tmp_path):
    """A grid of half a standard deviation, and significant digits as Python writes them; categories stay."""
    from checks import robustness

    specs = model_builders.features(data(), kind={1: "categorical"}, categories={1: ("a",)})
    made = regressor(tmp_path, specs=specs, rounding=[0.5])
    x, step = made.part.x, 0.5 * specs[0].std
    (grid,) = robustness._on_grid(made, 0.5)
    np.testing.assert_allclose(grid[:, 0], np.round(x[:, 0].astype(np.float64) / step) * step, rtol=1e-6)
    np.testing.assert_array_equal(grid[:, 1], x[:, 1])
    written = np.array([float(f"{v:.1e}") for v in x[:, 2].astype(np.float64)])
    (digits,) = robustness._with_digits(made, 2)
    np.testing.assert_allclose(digits[:, 2], written, rtol=1e-5)
    result = robustness.rounding(made)
    assert result.measures[0].value == pytest.approx(r2(made, grid), rel=1e-4)
    assert [row["digits"] for row in result.details["significant_digits"]] == [3, 2, 1]


def test_shares_grow_on_the_same_rows(tmp_path):
    """Rows struck at a small share are struck at a larger one; at share one all are."""
    from checks import _degradation

    made = regressor(tmp_path)
    whole = _degradation.answers(made, [made.part.x * 0])
    order = np.random.default_rng(0).random(1200)
    mixed = [_degradation.mixed(made, whole, order < s).scores.predictions for s in (0.2, 0.6, 1.0)]
    struck = [found != made.scores.predictions for found in mixed]
    assert [s.mean() for s in struck] == pytest.approx([0.2, 0.6, 1.0], abs=0.05)
    assert (struck[0] <= struck[1]).all()
    np.testing.assert_array_equal(mixed[2], whole.scores.predictions)


@pytest.mark.parametrize("task", ["binary", "regression"])
def test_a_graph_without_an_answer_is_wrong_not_an_abort(tmp_path, task):
    """Inputs that overflow give NaN; the check ends in a value that counts these rows as wrong and says how many."""
    from checks import robustness

    coefficients = REGRESSOR if task == "regression" else np.array([[-2.0, 2.0], [-0.5, 0.5], [0.0, 0.0]])
    made = subject(tmp_path, task=task, x=data(), coefficients=coefficients,
                   units={"factors": [1e80], "shares": [0.5, 1.0]})  # fmt: skip
    result = robustness.rescaled(made)
    rows = int(np.isfinite(made.part.x).all(axis=1).sum())
    assert result.details["invalid_rows"] == rows
    assert f"no valid output for {rows:,} rows, which count as wrong" in result.measures[0].note
    assert result.details["curve"][0]["invalid"] < rows
    assert result.measures[0].value == 0 if task == "binary" else result.measures[0].value < -1
    assert robustness.noise(made).details["invalid_rows"] == 0


def test_a_runtime_that_fails_is_wrong_only_where_it_fails(tmp_path):
    """A graph that looks a category up in a table fails on an unseen one: the rows of failing pieces count as wrong."""
    from checks import robustness, scoring

    nodes = [
        helper.make_node("Split", ["features"], ["codes", "rest"], axis=1, num_outputs=2),
        helper.make_node("Cast", ["codes"], ["index"], to=7),
        helper.make_node("Squeeze", ["index", "axis"], ["flat"]),
        helper.make_node("Gather", ["table", "flat"], ["found"], axis=0),
        helper.make_node("Unsqueeze", ["found", "axis"], ["column"]),
        helper.make_node("Add", ["column", "rest"], ["prediction"]),
    ]
    output = [helper.make_tensor_value_info("prediction", 1, ["batch", 1])]
    model_builders.save(
        tmp_path / "model/model.onnx", nodes, 2, output, {"axis": np.array([1]), "table": np.arange(3.0)}
    )
    x = np.stack([np.arange(300) % 3, np.random.default_rng(0).normal(size=300)], axis=1).astype(np.float32)
    specs = model_builders.features(x, kind={0: "categorical"}, categories={0: ("a", "b", "c")})
    case = model_builders.case(tmp_path, model_builders.plan("regression"), x, x.sum(axis=1), {}, specs=specs)
    scorer = scoring.open_model(case.folder.at("model/model.onnx"), case.encoded)
    spoiled = x.copy()
    spoiled[200, 0] = 7
    with pytest.raises(errors.VerificationError):
        scorer(spoiled)
    attempt = scorer.attempt(spoiled)
    assert (~attempt.valid).sum() == scoring.PIECE
    assert not attempt.valid[200]
    np.testing.assert_allclose(attempt.scores.predictions[attempt.valid], x.sum(axis=1)[attempt.valid], rtol=1e-5)
    made = subject(tmp_path / "b")
    replaced = dataclasses.replace(
        made, encoded=case.encoded, scorer=scorer, scores=scorer(x), plan=case.plan,
        part=dataclasses.replace(made.part, x=x, y=x.sum(axis=1)),
    )  # fmt: skip
    assert robustness.unseen_category(replaced).details["invalid_rows"] == 300


def test_the_crossing_stands_in_details_and_at_the_gate(tmp_path):
    """With a gate the curve says where it falls below the threshold, and so does the reason of the decision."""
    from checks import gate, robustness

    made = subject(tmp_path, noise=[0.5, 1.0, 2.0])
    plan = made.plan.model_copy(
        update={
            "policy": model_builders.plan(gates=[{"check": "robustness.noise", "at_least": 0.8}]).policy.model_copy(
                update={"robustness": made.plan.policy.robustness}
            )
        }
    )
    result = robustness.noise(dataclasses.replace(made, plan=plan))
    (crossing,) = result.details["crossing"]
    assert crossing["threshold"] == 0.8
    assert 0 < crossing["low"] < crossing["at"] < crossing["high"] < 2
    (judged,) = gate.apply(plan, [result])
    assert judged.reason.endswith(f"; {crossing['words']}")
    assert gate.decide(plan, [result]).reasons[0].text.endswith(crossing["words"])
    assert "worst feature: f0, which alone gives" in judged.reason


@pytest.mark.slow
def test_the_worst_of_equal_faults_is_not_taken_for_worse(tmp_path):
    """Of 20 equally harmless faults the smallest accuracy is luck: the corrected interval still holds the truth."""
    from checks import _degradation, scoring

    rng, made, rows = np.random.default_rng(0), subject(tmp_path), 300
    plain = corrected = 0
    for _ in range(200):
        hits = rng.random((20, rows)) < 0.8
        worst = hits[np.argmin(hits.mean(axis=1))]
        y = np.zeros(rows, np.int64)
        answers = _degradation.Answers(scoring.Scores(labels=np.where(worst, 0, 1)), np.zeros(rows, bool))
        one = dataclasses.replace(made, part=dataclasses.replace(made.part, y=y), scores=answers.scores)
        ends = [_degradation.levels(one, [answers], "t", n)[1][0].interval for n in (1, 20)]
        plain += ends[0].low <= 0.8 <= ends[0].high
        corrected += ends[1].low <= 0.8 <= ends[1].high
    assert plain / 200 < 0.9
    assert corrected / 200 >= 0.93


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("stuck: [0]", "policy.robustness.stuck[0]: expected greater than 0, got 0. Correct the value."),
        ("noise: [-0.1]", "policy.robustness.noise[0]: expected greater than 0, got -0.1. Correct the value."),
        ("rounding: [0]", "policy.robustness.rounding[0]: expected greater than 0, got 0. Correct the value."),
        ("unseen_category: [1.5]", "unseen_category[0]: expected less than or equal to 1, got 1.5. Correct the value."),
        ("units: {factors: [1]}", "policy.robustness.units.factors[0]: a factor of 1 changes nothing; leave it out."),
        ("units: {by_unit: {mm: [-2]}}", "by_unit.mm[0]: expected greater than 0, got -2. Correct the value."),
        ("significant_digits: [0]", "significant_digits[0]: expected greater than or equal to 1, got 0."),
    ],
)
def test_impossible_severities_are_refused_in_one_sentence(line, words):
    """A severity of zero or less, a share above one and a factor that changes nothing are errors of the plan."""
    text = load.plan_path("dry_bean").read_text(encoding="utf-8")
    spoiled = text.replace("  governance:\n", f"  robustness: {{{line}}}\n  governance:\n")
    with pytest.raises(errors.PlanError) as caught:
        load.parse(spoiled, "plan")
    assert words in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1
