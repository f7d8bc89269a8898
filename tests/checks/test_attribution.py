import dataclasses

import numpy as np
import pytest

from tests.checks import explained

SLOPES = np.array([[2.0], [-1.0], [0.5], [0.0]])
BINARY = np.array([[-1.0, 0.5], [0.2, -0.4], [0.0, 0.7]])
THREE = np.random.default_rng(3).normal(size=(4, 3))


def linear(coefficients):
    """Exact gradient of one output of a linear model."""
    return lambda x, index: coefficients.T[index]


def pulled_back(gradient, outputs):
    """Vector-Jacobian product of a model whose gradient of one output is known."""

    def vjp(x):
        each = [gradient(x, np.full(len(x), k)) for k in range(outputs)]
        return np.zeros((len(x), outputs)), lambda given: sum(given[:, [k]] * g for k, g in enumerate(each))

    return vjp


def measured(made):
    from checks import attribution, importance

    return {r.check_id.removeprefix("explanation."): r for r in attribution.measure(made, importance.measure(made))}


def make(place, coefficients=SLOPES, task="regression", *, gradient=None, rows=400, **other):
    from checks.source import Source

    test = explained.drawn(rows, coefficients, 0, task=task)
    source = Source(logits_vjp=pulled_back(gradient or linear(coefficients), coefficients.shape[1]))
    return explained.subject(place, test, coefficients=coefficients, task=task, source=source, **other)


def test_a_linear_model_has_the_attributions_of_the_closed_form(tmp_path):
    """Each feature adds slope times its distance from the training median, in the unit of the target."""
    made = make(tmp_path)
    result = measured(made)["integrated_gradients"]
    median = np.array([f.median for f in made.encoded.features])
    expected = np.abs(SLOPES[:, 0] * (made.part.x - median))
    for row in result.details["features"]:
        j = int(row["feature"][1:])
        assert row["value"] == pytest.approx(expected[:, j].mean(), rel=1e-4)
        assert row["low"] <= row["value"] <= row["high"]
    assert result.measures[0].unit == "mm"
    assert result.measures[0].note == "largest: f0"


@pytest.mark.parametrize(("coefficients", "task"), [(SLOPES, "regression"), (BINARY, "binary"), (THREE, "multiclass")])
def test_attributions_add_up_to_the_change_of_the_graph(tmp_path, coefficients, task):
    """For a linear model the sum of the attributions is the change of the ONNX graph's output, in every task."""
    result = measured(make(tmp_path, coefficients, task))["completeness"]
    assert result.measures[0].value < 1e-5


def test_the_midpoint_rule_converges_on_a_curved_function():
    """For a cubic the attributions approach the closed form with the square of the number of points."""
    from checks import _integrated

    x = np.random.default_rng(0).normal(size=(40, 2)).astype(np.float32)
    zero, index = np.zeros_like(x), np.zeros(40, dtype=np.int64)
    gaps = []
    for steps in (10, 40):
        found = _integrated.integrated(pulled_back(lambda at, _: 3 * at**2, 1), x, zero, index, None, steps)
        gaps.append(np.abs(found - x.astype(float) ** 3).max())
    assert gaps[1] < gaps[0] / 10 < 0.1


def test_a_gradient_of_another_model_shows(tmp_path):
    """Attributions that belong to another model do not add up, and a gate on completeness fails."""
    from checks import gate
    from configs.policy import Gate

    made = make(tmp_path, gradient=linear(SLOPES * 1.2))
    result = measured(made)["completeness"]
    assert result.measures[0].value == pytest.approx(0.2, abs=1e-4)
    policy = made.plan.policy.model_copy(update={"gates": (Gate(check="explanation.completeness", at_most=0.05),)})
    curved = result.model_copy(
        update={"measures": (measured(make(tmp_path / "b", gradient=lambda x, i: x))["completeness"].measures[0],)}
    )
    judged = gate.apply(made.plan.model_copy(update={"policy": policy}), [curved])
    assert judged[0].status == "fail"


def test_categories_and_missing_cells_stay(tmp_path):
    """The line runs along numeric features only; a missing cell is missing all the way, and adds nothing."""
    x, y = explained.drawn(300, SLOPES, 0, task="regression")
    x[:, 3] = np.arange(300) % 3
    x[::4, 1] = np.nan
    fed = []

    def gradient(at, index):
        fed.append(at.copy())
        return np.where(np.isnan(at), 0, SLOPES[:, 0])

    from checks.source import Source

    made = explained.subject(
        tmp_path, (x, y), coefficients=SLOPES, task="regression", source=Source(logits_vjp=pulled_back(gradient, 1)),
        changes={"kind": {3: "categorical"}, "categories": {3: ("a", "b", "c")}},
    )  # fmt: skip
    found = measured(made)
    assert found["completeness"].measures[0].value < 1e-5
    assert found["integrated_gradients"].details["not_attributed"] == ["f3"]
    for at in fed:
        whole = at.reshape(-1, *x.shape)
        assert all((step[:, 3] == x[:, 3]).all() for step in whole)
        assert all(np.array_equal(np.isnan(step[:, 1]), np.isnan(x[:, 1])) for step in whole)


def test_agreement_is_the_rank_correlation(tmp_path):
    """On a linear model with independent features both attributions rank alike."""
    found = measured(make(tmp_path))["attribution_agreement"].measures[0]
    assert found.value == pytest.approx(1.0)
    from scipy import stats

    from checks import attribution, importance

    rng = np.random.default_rng(0)
    a, b = rng.integers(0, 9, 30).astype(float), rng.normal(size=30)
    expected = stats.spearmanr(a, b).statistic
    assert attribution._pearson(importance.rank(a), importance.rank(b)) == pytest.approx(expected)


def test_what_cannot_be_attributed_says_why(tmp_path):
    """No gradient, no numeric feature, a gradient that is not finite, few features: each with its reason."""
    from checks.source import Source

    made = make(tmp_path / "a")
    bare = measured(dataclasses.replace(made, source=Source()))
    assert {r.reason for r in bare.values()} == {"the source model gives no gradient of its outputs"}
    assert {r.status for r in bare.values()} == {"not_measured"}
    odd = measured(make(tmp_path / "b", gradient=lambda x, i: np.full(x.shape, np.nan)))
    assert "is not finite" in odd["integrated_gradients"].reason
    x = (np.arange(60)[:, None] % 3).astype(np.float32)
    categories = {"kind": {0: "categorical"}, "categories": {0: ("a", "b", "c")}}
    only = explained.subject(tmp_path / "c", (x, np.arange(60) % 2), coefficients=np.ones((1, 2)), changes=categories)
    assert {r.status for r in measured(only).values()} == {"not_applicable"}
    one = measured(make(tmp_path / "d", np.array([[1.0]])))
    assert one["attribution_agreement"].status == "not_applicable"
    assert one["completeness"].measures[0].value < 1e-5


def test_a_gradient_of_the_wrong_shape_is_refused(tmp_path):
    """A source model whose gradient has another shape is broken machinery: one sentence."""
    from configs import errors

    with pytest.raises(errors.VerificationError, match="gradient of the source model: expected shape"):
        measured(make(tmp_path, gradient=lambda x, i: x[:, :1]))


def test_a_constant_model_has_nothing_to_complete(tmp_path):
    """An output that never changes: completeness and agreement are undefined, and say so."""
    found = measured(make(tmp_path, np.zeros((3, 1))))
    assert found["completeness"].reason.startswith("undefined: the output is the same")
    assert found["attribution_agreement"].status == "not_measured"
