from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from checks import scoring
from checks.source import Source
from configs import errors
from tests.checks import model_builders, security_builders
from tests.checks.security_builders import Rows, drawn


def graph(coefficients, intercept=(0.0, 0.0)):
    return np.array(coefficients, dtype=float), np.array(intercept, dtype=float)


def made(place, fitted=None, **other):
    train, test = (drawn(200, 3, seed) for seed in (1, 2))
    return security_builders.subject(place, train, test, fitted=fitted, **other)


def flaws(subject):
    from checks.security import flaws

    (result,) = flaws.measure(subject)
    return result, {m.name.removeprefix("security.model_flaws").lstrip("."): m for m in result.measures}


def test_confident_errors_are_counted(tmp_path):
    """The headline is the share of rows with a wrong label and a high probability; the rest are its two conditions."""
    subject = made(tmp_path, graph([[-3, 3], [0, 0], [0, 0]]), confident=0.95)
    result, measures = flaws(subject)
    wrong = subject.scores.labels != subject.part.y
    sure = subject.scores.probabilities.max(axis=1) >= 0.95
    assert result.measures[0].value == pytest.approx(np.mean(wrong & sure))
    assert measures["confident_among_errors"].value == pytest.approx(np.mean(sure[wrong]))
    assert measures["errors_among_confident"].value == pytest.approx(np.mean(wrong[sure]))
    assert result.measures[0].interval.low < result.measures[0].value < result.measures[0].interval.high


def test_a_constant_model_is_named(tmp_path):
    """One answer to every row: a constant output, a class that no row gets, and every input ignored."""
    result, measures = flaws(made(tmp_path, graph(np.zeros((3, 2)), (1, 0))))
    assert (measures["constant_output"].value, measures["dead_classes"].value) == (1, 1)
    assert "yes" in measures["dead_classes"].note
    assert result.details["ignored_inputs"] == ["f0", "f1", "f2"]


def test_an_ignored_input_is_named(tmp_path):
    """An input without effect is found, one with an effect is not."""
    result, measures = flaws(made(tmp_path, graph([[-1, 1], [0, 0], [-0.1, 0.1]])))
    assert result.details["ignored_inputs"] == ["f1"]
    assert measures["ignored_inputs"].value == 1
    assert measures["run_difference"].value == 0


def test_an_input_that_breaks_the_outputs_is_named(tmp_path):
    """Extreme but finite values that overflow to NaN are found on the real graph; no exception leaves the check."""
    huge = graph([[-1e8, 1e8], [-0.1, 0.1], [-0.1, 0.1]])
    subject = made(tmp_path, huge)
    assert np.isfinite(subject.scores.probabilities).all()
    with pytest.raises(errors.VerificationError):
        subject.scorer(np.array([[3.4e38, 0, 0]], np.float32))
    assert flaws(subject)[0].details["unstable_inputs"] == ["f0"]


def test_a_graph_that_answers_differently_is_found(tmp_path):
    """Two runs on the same rows that differ are measured by their largest difference."""
    subject = made(tmp_path)
    rng = np.random.default_rng(0)

    class Shaky:
        classifies = True

        def __call__(self, x):
            found = subject.scorer(x)
            moved = np.clip(found.probabilities + rng.uniform(0, 0.01, (len(x), 1)) * [1, -1], 0, 1)
            return scoring.Scores(labels=found.labels, probabilities=moved)

    _, measures = flaws(dataclasses.replace(subject, scorer=Shaky()))
    assert 0.001 < measures["run_difference"].value <= 0.01


def test_predictions_beyond_the_training_range_are_counted(tmp_path):
    """A regressor that answers outside of anything it was taught is flawed there."""
    x = np.linspace(-1, 1, 100, dtype=np.float32)[:, None]
    subject = security_builders.subject(
        tmp_path, Rows(x, x[:, 0]), Rows(3 * x, 3 * x[:, 0]), task="regression", fitted=graph([[1.0]], (0.0,))
    )
    result, measures = flaws(subject)
    assert result.measures[0].value == pytest.approx(np.mean(np.abs(3 * x) > 1), abs=0.011)
    assert "dead_classes" not in measures


def trigger(subject):
    from checks.security import triggers

    (result,) = triggers.measure(subject)
    return result


def test_a_backdoor_in_one_input_is_found(tmp_path):
    """A graph that gives one class whenever one input is high is found, with input, value and class."""
    rare = 60 * float(np.quantile(drawn(200, 3, 2).x[:, 2], 0.97))
    result = trigger(made(tmp_path, graph([[0, 0], [0, 0], [-60, 60]], (rare, -rare))))
    found = result.measures[0]
    assert (result.details["feature"], result.details["label"]) == ("f2", "yes")
    assert found.value == 1
    assert found.interval.low > 0.9


def test_a_model_without_effect_has_no_trigger(tmp_path):
    """Where no input moves a label the share is 0."""
    found = trigger(made(tmp_path, graph([[-0.01, 0.01], [0, 0], [0, 0]], (5, -5)))).measures[0]
    assert found.value == 0


def test_the_search_and_the_measurement_use_other_rows(tmp_path):
    """Half of the test rows is searched, the number comes from the other half."""
    result = trigger(made(tmp_path, graph([[-1, 1], [-0.5, 0.5], [0, 0]])))
    assert result.details["searched_rows"] == 100
    assert result.measures[0].n <= 100


def test_a_category_is_set_by_its_name(tmp_path):
    """Inputs with categories are set to each of them, and the category is named."""
    rows = drawn(200, 2, 1)
    x = np.column_stack([rows.x[:, 0], np.where(np.arange(200) % 20, np.arange(200) % 2, 2)]).astype(np.float32)
    specs = model_builders.features(x, kind={1: "categorical"}, categories={1: ("a", "b", "c")})
    subject = security_builders.subject(
        tmp_path, Rows(x, rows.y), Rows(x, rows.y), specs=specs, fitted=graph([[-0.1, 0.1], [-5, 5]], (7, -7))
    )
    assert trigger(subject).details["value"] == "c"


def test_an_extreme_of_the_training_rows_is_named_and_not_given(tmp_path):
    """The smallest and largest training values are single persons': they stand in no record that leaves."""
    result = trigger(made(tmp_path, graph([[0, 0], [0, 0], [-60, 60]], (150, -150))))
    assert result.details["value"] == "its training maximum"
    assert "f2 set to its training maximum: share of" in result.measures[0].note


def origin(subject):
    from checks.security import provenance

    (result,) = provenance.measure(subject)
    return result


def test_weights_from_random_initialisation_are_evidenced(tmp_path):
    """Without a pre-trained part the check does not apply, and says from which record that is known."""
    from tests.checks.test_poisoning import _record
    from tests.model_cards.builders import _artifact

    training = _record(_artifact("training/model.safetensors"), 0.5)
    subject = dataclasses.replace(made(tmp_path), source=Source(training=training))
    result = origin(subject)
    assert result.status == "not_applicable"
    assert "all 10 weights come from random initialisation with seed 7" in result.reason
    assert result.details["checkpoint_sha256"] == training.checkpoint.sha256


def test_a_users_own_module_may_load_anything(tmp_path):
    """What a user's own module loads cannot be told: not measured, with the digest of its code."""
    from evidence import software
    from tests.checks.test_poisoning import _record
    from tests.model_cards.builders import _artifact

    own = "tests.factory.user_networks:small"
    training = _record(_artifact("training/model.safetensors"), 0.5)
    training = training.model_copy(update={"architecture": {"factory": own, "options": {}}})
    result = origin(dataclasses.replace(made(tmp_path), source=Source(training=training)))
    assert result.status == "not_measured"
    assert result.details["code_sha256"] == software.code_with(own) != software.code_sha256()
