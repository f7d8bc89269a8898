import dataclasses

import numpy as np
import pytest

from configs import errors
from tests.checks import model_builders


def gradient_of(coefficients):
    """Exact gradient of the cross-entropy of a linear classifier, 0 for missing cells."""

    def gradient(x, y):
        logits = np.nan_to_num(x) @ coefficients
        shares = np.exp(logits - logits.max(axis=1, keepdims=True))
        shares /= shares.sum(axis=1, keepdims=True)
        shares[np.arange(len(y)), y.astype(int)] -= 1
        return shares @ coefficients.T

    return gradient


@dataclasses.dataclass
class Made:
    """A model, its gradient, and what the graph was given."""

    subject: object
    gradient: object
    fed: list
    coefficients: np.ndarray


def make(place, *, changes=None, x=None, task="binary", **attack):
    """A linear model under attack; `fed` collects what the graph is given."""
    from checks import _parts, _subject, intervals, scoring
    from evidence import arrays

    made_x, coefficients, y = model_builders.simulated(800, 4, 0)
    x = made_x if x is None else x
    if task == "regression":
        coefficients = coefficients[:, :1]
        y = (np.nan_to_num(x) @ coefficients)[:, 0]
    model_builders.linear_graph(place / "model/model.onnx", coefficients, np.zeros(coefficients.shape[1]))
    plan = model_builders.plan(task, robustness={"attack": {"auto_steps": 5, "queries": 10, **attack}})
    case = model_builders.case(place, plan, x, y, {}, specs=model_builders.features(x, **(changes or {})))
    part = arrays.load(case.folder, case.encoded, "test")
    scorer = scoring.open_model(case.folder.checked(case.model.onnx), case.encoded)
    parts = _parts.Parts(case.folder, case.encoded, scorer)
    sampling = intervals.Sampling(replicates=200)
    fed = []
    spy = type(
        "Spy",
        (),
        {
            "__call__": lambda _, batch: fed.append(batch.copy()) or scorer(batch),
            "classifies": scorer.classifies,
        },
    )()
    made = _subject.Subject(plan, case.encoded, part, spy, scorer(part.x), sampling, parts)
    return Made(made, gradient_of(coefficients), fed, coefficients)


def attacked(made):
    from checks import evasion, source

    given = source.Source(gradient=made.gradient)
    return evasion.measure(dataclasses.replace(made.subject, source=given))[0]


def test_the_attack_finds_what_can_be_found(tmp_path):
    """For a linear model the attack reaches exactly the rows that the closed form says can be reached."""
    made = make(tmp_path, epsilon=0.3, steps=10, rows=2000)
    result = attacked(made)
    part, features = made.subject.part, made.subject.encoded.features
    std = np.array([f.std for f in features])
    slope = made.coefficients[:, 1] - made.coefficients[:, 0]
    direction = np.where(part.y[:, None] == 1, -np.sign(slope), np.sign(slope))
    low, high = np.array([f.minimum for f in features]), np.array([f.maximum for f in features])
    reached = np.clip(part.x + 0.3 * std * direction, low, high)
    margin = reached @ slope * np.where(part.y == 1, 1, -1)
    assert result.measures[0].value == pytest.approx(np.mean(margin > 0), abs=2 / 800)


def test_accuracy_under_attack_is_never_above_clean(tmp_path):
    """The curve falls from the clean accuracy of the same rows, and its first point is that accuracy."""
    made = make(tmp_path, rows=150, epsilon=0.4)
    result = attacked(made)
    values = [p["value"] for p in result.details["curve"]]
    assert values == sorted(values, reverse=True)
    assert values[0] == result.details["clean"]
    clean = next(m for m in result.measures if m.name == "robustness.evasion.clean")
    assert (clean.value, clean.n) == (values[0], result.details["attacked_rows"])
    assert clean.interval.low < clean.value < clean.interval.high
    assert result.measures[0].n == 150


def test_only_admissible_inputs_are_fed(tmp_path):
    """Immutable and categorical features stay, integers stay integers, all within budget and training range."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(800, 4)).astype(np.float32)
    x[:, 1], x[:, 2], x[:, 3] = np.round(x[:, 1] * 5), np.round(x[:, 2]), np.abs(np.round(x[:, 3]))
    x[::7, 0] = np.nan
    changes = {"integer": {1: True}, "immutable": {2: True}, "kind": {3: "categorical"}}
    made = make(tmp_path, x=x, changes=changes, epsilon=0.5, steps=8, restarts=2)
    result = attacked(made)
    assert result.measures[0].value < result.details["clean"]
    assert result.details["attacked_features"] == ["f0", "f1"]
    features = made.subject.encoded.features
    whole = [fed for fed in made.fed if len(fed) == len(x)]
    assert len(whole) >= 4
    for fed in whole:
        np.testing.assert_array_equal(fed[:, 2:], x[:, 2:])
        np.testing.assert_array_equal(np.isnan(fed), np.isnan(x))
        assert (fed[:, 1] == np.round(fed[:, 1])).all()
        for j in (0, 1):
            moved, spec = np.abs(fed[:, j] - x[:, j]), features[j]
            assert np.nanmax(moved) <= 0.5 * spec.std + 1e-5
            assert np.nanmin(fed[:, j]) >= spec.minimum - 1e-6
            assert np.nanmax(fed[:, j]) <= spec.maximum + 1e-6
    assert any((fed[:, 1] != x[:, 1]).any() for fed in whole)


def test_values_outside_the_training_range_move_only_towards_it(tmp_path):
    """A test value beyond the training range may stay or come back, never go further out."""
    x, _, _ = model_builders.simulated(800, 4, 0)
    made = make(tmp_path, changes={"maximum": dict.fromkeys(range(4), 0.5)}, epsilon=0.3, steps=5)
    attacked(made)
    whole = [fed for fed in made.fed if len(fed) == len(x)]
    assert (whole[-1] != x).any()
    for fed in whole:
        assert (fed <= np.maximum(x, 0.5) + 1e-6).all()


def test_every_success_is_confirmed_on_the_graph(tmp_path):
    """The headline is the accuracy that the graph itself has on the inputs that were found and written down."""
    import onnxruntime

    from evidence.folder import RunFolder

    made = make(tmp_path, epsilon=0.3, steps=5)
    kept = dataclasses.replace(made, subject=dataclasses.replace(made.subject, folder=RunFolder(tmp_path)))
    result = attacked(kept)
    found = np.load(tmp_path / "evaluation/attacked.npy", allow_pickle=False)
    assert (found.dtype, found.shape) == (np.float32, made.subject.part.x.shape)
    session = onnxruntime.InferenceSession(str(tmp_path / "model/model.onnx"), providers=["CPUExecutionProvider"])
    (labels,) = session.run(["label"], {"features": found})
    assert result.measures[0].value == np.mean(labels == made.subject.part.y)
    assert [a.path for a in result.artifacts] == ["evaluation/attacked.npy"]


def test_no_more_rows_are_attacked_than_declared(tmp_path):
    """The policy's largest number of rows is kept, and the clean value is that of the same rows."""
    made = make(tmp_path, rows=60)
    result = attacked(made)
    assert max(len(fed) for fed in made.fed) == 60
    assert (result.measures[0].n, result.details["attacked_rows"]) == (60, 60)
    assert result.measures[0].value <= result.details["clean"]


def test_the_attacked_rows_are_drawn_by_a_seeded_hash(tmp_path):
    """The same seed attacks the same rows whatever their order; another seed others."""
    from checks import _chosen

    part = make(tmp_path).subject.part
    rows = _chosen.chosen(part, 50, 0)
    assert len(set(rows.tolist())) == 50
    turned = dataclasses.replace(part, row_digests=part.row_digests[::-1])
    assert set(part.row_digests[rows].tolist()) == set(turned.row_digests[_chosen.chosen(turned, 50, 0)].tolist())
    assert set(rows.tolist()) != set(_chosen.chosen(part, 50, 1).tolist())


def test_without_a_gradient_only_the_graph_is_asked(tmp_path):
    """No gradient from the source model: the worst case is not measured, with the reason; the query-only attack is."""
    from checks import evasion

    result, queries = evasion.measure(make(tmp_path, epsilon=0.4).subject)
    assert (result.check_id, result.status, result.measures) == ("robustness.evasion", "not_measured", ())
    assert "gradient" in result.reason
    assert queries.check_id == "robustness.query_attack"
    assert queries.measures[0].value < queries.details["clean"]
    assert [p["severity"] for p in queries.details["curve"]] == [0, 0.1, 0.2, 0.4]


def test_nothing_to_attack_does_not_apply(tmp_path):
    """When every feature is immutable or categorical the check does not apply."""
    changes = {"immutable": {0: True, 1: True}, "kind": {2: "categorical", 3: "categorical"}}
    result = attacked(make(tmp_path, changes=changes))
    assert result.status == "not_applicable"


def test_a_gradient_of_another_shape_is_refused(tmp_path):
    """A gradient that does not fit the inputs is one readable sentence."""
    made = dataclasses.replace(make(tmp_path), gradient=lambda x, y: np.zeros((len(x), 2)))
    with pytest.raises(errors.VerificationError, match=r"expected shape \(\d+, 4\), got \(\d+, 2\)"):
        attacked(made)


def test_a_regressor_loses_r2(tmp_path):
    """For regression the attack raises the absolute error of each row, and the headline is R²."""
    made = make(tmp_path, task="regression", epsilon=0.5)
    slope = made.coefficients[:, 0]

    def gradient(x, y):
        return np.where(x @ slope >= y, 1, -1)[:, None] * slope

    result = attacked(dataclasses.replace(made, gradient=gradient))
    assert result.details["metric"] == "r2"
    assert result.details["clean"] == pytest.approx(1, abs=1e-6)
    assert result.measures[0].value < 0.9


def test_the_worst_case_is_taken_row_by_row(tmp_path):
    """A row counts as right only where no attack fooled the graph; no single attack is below the worst case."""
    from checks import evasion, source

    made = make(tmp_path, epsilon=0.3)
    subject = dataclasses.replace(made.subject, source=source.Source(gradient=made.gradient))
    result = evasion.measure(subject)[0]
    singles = [m.value for m in result.measures if m.name in ("robustness.evasion.pgd", "robustness.evasion.square")]
    assert len(singles) == 2
    assert result.measures[0].value <= min(singles)
    found = evasion.worst_rows(subject)
    assert found.right.shape == (3, len(found.rows))
    assert result.measures[0].value == np.mean(found.right[-1])
    assert (found.right[0] >= found.right[1]).all()
    assert (found.right[1] >= found.right[2]).all()
    each = [np.mean(f[-1].damage < 2) for f in found.found.values()]
    assert each == singles


def test_rows_are_attacked_once(tmp_path):
    """Whoever asks for the attacked rows after the check gets what it found, without another attack."""
    from checks import evasion, source

    made = make(tmp_path)
    subject = dataclasses.replace(made.subject, source=source.Source(gradient=made.gradient))
    evasion.measure(subject)
    before = len(made.fed)
    assert evasion.worst_rows(subject) is evasion.worst_rows(subject)
    assert len(made.fed) == before


def test_a_masked_gradient_is_flagged(tmp_path):
    """A gradient that leads nowhere loses against questions alone: the report says so, and the worst case stands."""
    made = make(tmp_path, epsilon=0.4, queries=50)
    sound = attacked(made)
    masked = attacked(dataclasses.replace(made, gradient=lambda x, y: -made.gradient(x, y)))

    def answer(result):
        (entry,) = [e for e in result.details["validity"] if "gradient" in e["asked"]]
        return entry["sound"], entry["found"]["rows that only questions fooled"]

    assert answer(sound) == (True, 0)
    assert answer(masked)[0] is False
    assert answer(masked)[1] > 100
    assert masked.measures[0].value == pytest.approx(sound.measures[0].value, abs=0.02)


def test_budgets_in_the_units_of_features(tmp_path):
    """A feature with a budget of its own moves by that much and no more; a budget of zero leaves it alone."""
    made = make(tmp_path, budget={"f0": 0, "f1": 0.05}, epsilon=0.4)
    result = attacked(made)
    x, features = made.subject.part.x, made.subject.encoded.features
    moved = np.abs(np.concatenate([fed for fed in made.fed if len(fed) == len(x)]).reshape(-1, *x.shape) - x)
    assert moved[:, :, 0].max() == 0
    assert 0.04 < moved[:, :, 1].max() <= 0.05 + 1e-6
    assert 0.3 * features[2].std < moved[:, :, 2].max() <= 0.4 * features[2].std + 1e-6
    assert result.details["x"] == "share of the budget of each feature"
    assert [p["severity"] for p in result.details["curve"]] == [0, 0.25, 0.5, 1]
    assert result.details["warnings"] == ["f0: the budget is zero, so it stays as it is"]
    assert "2 features with a budget of their own" in result.measures[0].note


def test_what_a_budget_cannot_do_is_said(tmp_path):
    """A budget beyond the training range, and one below a whole unit, end in a sentence each."""
    x, _, _ = model_builders.simulated(800, 4, 0)
    x[:, 1] = np.round(x[:, 1])
    result = attacked(make(tmp_path, x=x, changes={"integer": {1: True}}, epsilon=0.25, budget={"f0": 1000}))
    assert result.details["warnings"] == [
        "f0: the budget is wider than the training range, so that range is the limit",
        "f1: the budget is less than one whole unit, so it stays as it is",
    ]
    assert result.details["attacked_features"] == ["f0", "f2", "f3"]


def test_budgets_that_allow_nothing_do_not_apply(tmp_path):
    """When every budget is zero nothing is attacked, and both checks say why."""
    from checks import evasion

    made = make(tmp_path, budget={f"f{j}": 0 for j in range(4)})
    results = evasion.measure(made.subject)
    assert [(r.status, r.measures) for r in results] == [("not_applicable", ())] * 2
    assert "f0: the budget is zero" in results[0].reason


def test_how_few_features_suffice(tmp_path):
    """With one feature that decides, one change is enough for every fooled row."""
    made = make(tmp_path, epsilon=0.3)
    everything = attacked(made).details["features_needed"]
    assert sum(e["rows"] for e in everything["by_count"]) == everything["rows"]
    assert sum(e["features"] * e["rows"] for e in everything["by_count"]) == sum(
        e["rows"] for e in everything["by_feature"]
    )
    assert {e["features"] for e in everything["by_count"]} <= {1, 2, 3, 4}
    alone = attacked(make(tmp_path / "b", epsilon=0.3, budget={f"f{j}": 0 for j in (0, 1, 2)}))
    assert alone.details["features_needed"]["by_count"] == [
        {"features": 1, "rows": alone.details["features_needed"]["rows"]}
    ]


@pytest.mark.slow
def test_an_output_that_is_no_number_counts_as_wrong(tmp_path):
    """Inputs that make the graph fail are found, count as wrong, and crash nothing."""
    x, _, _ = model_builders.simulated(800, 4, 0)
    x[:, 0] = np.minimum(x[:, 0], 0.5)
    made = make(tmp_path, x=x, changes={"maximum": {0: 5.0}}, epsilon=0.1)
    whole = made.subject.scorer

    def fragile(fed):
        if (fed[:, 0] > 0.5).any():
            raise errors.VerificationError("model m.onnx: expected finite probabilities, got 1 that is not. Export it.")
        return whole(fed)

    result = attacked(dataclasses.replace(made, subject=dataclasses.replace(made.subject, scorer=fragile)))
    assert result.measures[0].value < attacked(made).measures[0].value - 0.1
    assert "no sound output for" in result.measures[0].note


@pytest.mark.slow
def test_a_prediction_that_is_no_number_leaves_no_score(tmp_path):
    """A regressor driven to infinity has no score and says for how many rows; the record stays sound."""
    from evidence import canonical

    x, _, _ = model_builders.simulated(800, 4, 0)
    x[:, 0] = np.minimum(x[:, 0], 0.5)
    made = make(tmp_path, x=x, task="regression", changes={"maximum": {0: 5.0}}, epsilon=0.1)
    whole, slope = made.subject.scorer, made.coefficients[:, 0]

    def fragile(fed):
        if (fed[:, 0] > 0.5).any():
            raise errors.VerificationError("model m.onnx: expected finite predictions, got 1 that is not. Export it.")
        return whole(fed)

    made = Made(dataclasses.replace(made.subject, scorer=fragile), lambda x, y: np.ones((len(x), 1)) * slope, [], slope)
    result = attacked(made)
    assert result.measures[0].value is None
    assert "rows have no finite prediction" in result.measures[0].note
    assert result.status == "not_measured"
    assert canonical.to_bytes(result)


def test_the_attack_is_the_same_for_the_same_seed(tmp_path):
    """Two attacks with one seed find the same."""
    made = make(tmp_path, epsilon=0.3, restarts=2)
    assert attacked(made) == attacked(made)
