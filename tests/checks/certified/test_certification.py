from __future__ import annotations

import dataclasses
import hashlib

import numpy as np
import pytest

from evidence import records
from tests.checks import model_builders
from tests.checks.certified import networks


def subject(place, task="multiclass", *, seed=0, spoil=None, changes=None, missing=False, files=None, **policy):
    """A random network with 80 rows of its own labels, some of them turned, as a subject of evaluation."""
    from checks import _parts, _subject, intervals, scoring, source
    from evidence import arrays

    rng, rows = np.random.default_rng(seed), 80
    classes = {"binary": 2, "multiclass": 3, "regression": 1}[task]
    x = rng.normal(size=(rows, 4)).astype(np.float32)
    x[:, 3] = np.round(2 * x[:, 3])
    if missing:
        x[::5, 1] = np.nan
    weights = networks.classifier(
        place / "model/model.onnx", rng, 4, classes, threshold=float(rng.uniform(0.3, 0.7)), spoil=spoil
    )
    specs = model_builders.features(x, integer={3: True}, **(changes or {}))
    plan = model_builders.plan(task, robustness={"attack": {"epsilon": 0.2, "steps": 8}, **policy})
    case = model_builders.case(place, plan, x, np.zeros(rows), {}, specs=specs)
    scorer = scoring.open_model(place / "model/model.onnx", case.encoded)
    scores = scorer(x)
    if task == "regression":
        y = scores.predictions + 0.1 * rng.normal(size=rows)
    else:
        y = np.where(rng.random(rows) < 0.1, (scores.labels + 1) % classes, scores.labels)
    case = model_builders.case(place, plan, x, y, {}, specs=specs)
    part = arrays.load(case.folder, case.encoded, "test")
    return _subject.Subject(
        plan, case.encoded, part, scorer, scores, intervals.Sampling(replicates=100),
        _parts.Parts(case.folder, case.encoded, scorer),
        source=source.Source(gradient=networks.gradient(weights), base=files),
        graph=place / "model/model.onnx",
    )  # fmt: skip


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
@pytest.mark.parametrize("seed", range(3))
def test_clean_is_at_least_attacked_is_at_least_certified(tmp_path, task, seed):
    """On random networks, at every epsilon, the order holds, and what is certified is more than nothing."""
    from checks import certification, evasion

    made = subject(tmp_path, task, seed=seed, missing=seed == 1)
    attacked, _ = evasion.measure(made)
    certified, _ = certification.measure(made)
    for low, high in zip(certified.details["levels"], attacked.details["curve"][1:], strict=True):
        assert low["severity"] == high["severity"]
        assert low["value"] <= high["value"] + 1e-9
        assert high["value"] <= attacked.details["clean"] + 1e-9
    assert certified.details["clean"] == attacked.details["clean"]
    values = [level["value"] for level in certified.details["levels"]]
    assert values == sorted(values, reverse=True)
    assert values[0] > 0.3
    assert certified.measures[0].value == values[-1]
    if task != "regression":
        assert certified.measures[0].interval.low <= values[-1] <= certified.measures[0].interval.high
        for level in certified.details["levels"]:
            assert sum(level[k] for k in ("certified", "falsified", "unknown", "wrong")) == 80
        # Small ReLU networks are decided: the exact solver leaves next to nothing open.
        assert certified.details["levels"][-1]["unknown"] <= 8


def test_no_input_of_a_certified_row_has_another_label(tmp_path):
    """Hundreds of admissible inputs around every certified row keep its label, whole numbers included."""
    from checks import certification, evasion
    from checks.certified import graph, rows

    made = subject(tmp_path, "binary", seed=7)
    x, labels = made.part.x, made.scores.labels
    box = certification._box(made, x, 1.0)
    question = rows.Question(graph.read(made.graph), x, labels, lambda fed: made.scorer(fed).labels)
    proofs = rows.prove(question, box, np.zeros(len(x), bool), 16, np.inf)
    assert 20 < proofs.proven.sum() < len(x)
    assert proofs.falsified.any()
    budget, rng = evasion.budget(made.encoded.features, x.astype(np.float64), 0.2), np.random.default_rng(0)
    for _ in range(300):
        share = np.where(rng.random(x.shape) < 0.5, rng.random(x.shape), rng.integers(0, 2, x.shape))
        fed = budget.finish(budget.low + share * (budget.high - budget.low))
        changed = made.scorer(fed).labels != labels
        assert not (changed & proofs.proven).any()


def test_an_operator_that_is_not_known_is_named(tmp_path):
    """Erf in front of the last layer: not measured, unknown with the operator's name, and no exception."""
    from checks import certification

    result, _ = certification.measure(subject(tmp_path, spoil="Erf"))
    assert (result.status, result.measures) == ("not_measured", ())
    assert "unknown: operator Erf" in result.reason


def test_what_is_fixed_may_be_computed_by_anything(tmp_path):
    """Categories stand still in every row: with all but one feature fixed almost everything is certified."""
    from checks import certification

    changes = {"kind": {0: "categorical", 1: "categorical"}, "immutable": {3: True}}
    few, _ = certification.measure(subject(tmp_path / "a", changes=changes))
    all_, _ = certification.measure(subject(tmp_path / "b"))
    assert few.measures[0].value > all_.measures[0].value
    none = {"kind": {0: "categorical", 1: "categorical", 2: "categorical"}, "immutable": {3: True}}
    result, _ = certification.measure(subject(tmp_path / "c", changes=none))
    assert result.status == "not_applicable"


def test_a_contradiction_withdraws_both_results(tmp_path):
    """A certified value above the attacked one: neither is believed, and it is called a defect."""
    from checks import certification, evasion

    made = subject(tmp_path)
    (attacked, _), (certified, other) = evasion.measure(made), certification.measure(made)
    assert certification.consistent((attacked, certified, other)) == (attacked, certified, other)
    raised = [{**level, "value": 1.0} for level in certified.details["levels"]]
    wrong = certified.model_copy(update={"details": {**certified.details, "levels": raised}})
    found = certification.consistent((attacked, wrong, other))
    assert [r.status for r in found[:2]] == ["not_measured", "not_measured"]
    assert "defect" in found[0].reason
    assert found[2] == other


def test_a_proof_that_the_graph_denies_is_noticed(tmp_path):
    """If every row were called proven, the corners of the boxes would tell."""
    from checks import certification
    from checks.certified import graph, rows

    made = subject(tmp_path, "binary", seed=2)
    x = made.part.x
    box = certification._box(made, x, 10.0)
    question = rows.Question(graph.read(made.graph), x, made.scores.labels, lambda fed: made.scorer(fed).labels)
    every, none = np.ones(len(x), bool), np.zeros(len(x), bool)
    rng = np.random.default_rng(0)
    for proven, denied in ((every, True), (none, False)):
        proofs = rows.Proofs(2.0, proven, none, exhausted=False, solved=none)
        assert rows.contradicted(question, box, proofs, None, rng, 8) == denied


def test_the_same_run_gives_the_same_result(tmp_path):
    """Nothing is drawn anew: two evaluations of one subject are equal."""
    from checks import certification

    made = subject(tmp_path, "binary")
    assert certification.measure(made) == certification.measure(made)


def declared(place, name, text, seconds=10.0):
    (place / name).write_text(text)
    return {"file": name, "sha256": hashlib.sha256(text.encode()).hexdigest(), "seconds": seconds}


BOX = "".join(f"(declare-const X_{i} Real)(assert (<= X_{i} 1))(assert (>= X_{i} 0))" for i in range(4))
OUT = "".join(f"(declare-const Y_{i} Real)" for i in range(2))


def test_declared_properties_are_about_inputs_and_probabilities(tmp_path):
    """One that holds, one that is violated by an input that is shown: the check fails and says so."""
    from checks import certification

    texts = (BOX + OUT + "(assert (>= Y_1 1.001))", BOX + OUT + "(assert (>= Y_1 0.0001))")
    files = [declared(tmp_path, f"{i}.vnnlib", text) for i, text in enumerate(texts)]
    made = subject(tmp_path, "binary", properties=files, files=tmp_path)
    result = certification.measure(made)[1]
    assert (result.status, result.measures[0].value) == ("fail", 0.5)
    first, second = result.details["properties"]
    assert (first["answer"], second["answer"]) == ("holds", "violated")
    fed = np.array([[second["inputs"][f"f{i}"] for i in range(4)]], dtype=np.float32)
    np.testing.assert_array_equal(made.scorer(fed).probabilities[0], second["outputs"])
    assert result.reason == "of 2 declared properties 1 hold, 1 violated, 0 unknown; 1.vnnlib is violated"


def test_a_property_that_was_read_is_kept_in_the_run_folder(tmp_path):
    """Under its digest, once, whatever the answer; what could not be read is not."""
    from checks import certification

    good = declared(tmp_path, "good.vnnlib", BOX + OUT + "(assert (>= Y_1 1.001))")
    wrong = declared(tmp_path, "wrong.vnnlib", "(")
    absent = {"file": "absent.vnnlib", "sha256": "0" * 64}
    made = subject(tmp_path, "binary", properties=[good, wrong, absent, good], files=tmp_path)
    made = dataclasses.replace(made, folder=made.parts.folder)
    result = certification.measure(made)[1]
    assert [a.path for a in result.artifacts] == [f"properties/{one['sha256']}.vnnlib" for one in (good, wrong)]
    for one, kept in zip((good, wrong), result.artifacts, strict=True):
        assert made.folder.checked(kept).read_bytes() == (tmp_path / one["file"]).read_bytes()


def test_a_property_that_cannot_be_read_leaves_the_others(tmp_path):
    """A changed file, a missing one and one for other inputs are unknown with their sentence; the rest is answered."""
    from checks import certification

    good = declared(tmp_path, "good.vnnlib", BOX + OUT + "(assert (>= Y_1 1.001))")
    changed = declared(tmp_path, "changed.vnnlib", BOX) | {"sha256": "0" * 64}
    absent = {"file": "absent.vnnlib", "sha256": "0" * 64}
    other = declared(tmp_path, "other.vnnlib", "(declare-const X_0 Real)(declare-const Y_0 Real)"
                     "(assert (<= X_0 1))(assert (>= X_0 0))(assert (<= Y_0 0))")  # fmt: skip
    made = subject(tmp_path, "binary", properties=[good, changed, absent, other], files=tmp_path)
    result = certification.measure(made)[1]
    assert result.status == "inconclusive"
    assert [p["answer"] for p in result.details["properties"]] == ["holds", "unknown", "unknown", "unknown"]
    assert "got 1" in result.details["properties"][3]["reason"]


def test_no_property_is_declared(tmp_path):
    """Without one the check does not apply; without the files it is not measured."""
    from checks import certification

    made = subject(tmp_path)
    assert certification.measure(made)[1].status == "not_applicable"
    file = declared(tmp_path, "p.vnnlib", BOX)
    made = dataclasses.replace(subject(tmp_path / "b", properties=[file]), graph=None)
    assert [r.status for r in certification.measure(made)] == ["not_measured", "not_measured"]


def test_declared_properties_count_in_the_gate():
    """A violated property fails the run whatever gates the policy has; one that is not declared blocks nothing."""
    from checks import gate

    def decided(status):
        result = records.CheckResult(check_id="robustness.properties", title="t", status=status, reason="r")
        found = gate.decide(model_builders.plan(), [result])
        return [r.required for r in found.reasons if r.check_id == "robustness.properties"]

    assert decided("fail") == decided("inconclusive") == [True]
    assert decided("not_applicable") == []


@pytest.mark.parametrize("task", ["multiclass", "regression"])
def test_a_network_too_large_for_the_time_is_unknown(tmp_path, task, monkeypatch):
    """Where bounding one row alone would take minutes nothing is claimed, and the time is kept."""
    from checks import certification
    from checks.certified import branch, exact

    monkeypatch.setattr(branch, "MOST_WORK", 10.0)
    monkeypatch.setattr(exact, "MOST_OPEN", -1)
    result, _ = certification.measure(subject(tmp_path, task))
    if task == "regression":
        assert (result.status, "no bound within 20 s" in result.reason) == ("not_measured", True)
    else:
        assert result.measures[0].value == 0
        assert "was used up" in result.measures[0].note
