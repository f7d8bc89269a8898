"""The whole evaluation of a run folder: every check once, the policy on it, and what is refused."""

import numpy as np
import pytest

from checks import catalogue, gate, leakage
from checks.language import evaluate
from configs import errors
from evidence import canonical, records
from tests.checks.language import builders, graphs, runs

GATES = [
    {"check": "language.bits_per_byte", "at_most": 4.0},
    {"check": "language.bits_per_byte", "at_most": 3.2, "confidence": 0.99},
    {"check": "language.bits_per_byte", "at_most": 4.0, "slice": "language", "minimum_group_size": 50},
    {"check": "language.extraction", "at_most": 0.3},
    {"check": "language.canaries", "at_most": 6.0, "required": False},
]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    plan = builders.plan(GATES[:1] + GATES[2:], replicates=200)
    return runs.make(tmp_path_factory.mktemp("runs") / "run", plan)


def measured(made, **other):
    return evaluate.evaluate(
        made.folder, made.plan, made.commitment, made.manifest, other.pop("tokenised", made.tokenised),
        other.pop("model", made.model), training=made.training, **other,
    )  # fmt: skip


@pytest.fixture(scope="module")
def record(made):
    return measured(made)


def test_every_check_of_the_catalogue_answers_once(made, record):
    """In its order, then parity and the leakage audit; each with a reason, and the record says what was measured."""
    wanted = [m.id for m in catalogue.of_family("language")]
    assert [r.check_id for r in record.results] == [*wanted, "data.contamination", "export.parity", "data.leakage"]
    assert all(r.reason and r.title for r in record.results)
    assert record.onnx_sha256 == made.model.onnx.sha256
    assert record.commitment_sha256 == canonical.sha256(made.commitment)
    assert record.runtime.startswith("onnxruntime ")
    assert records.EvaluationRecord.model_validate_json(record.model_dump_json()) == record


def test_the_policy_is_laid_on_the_results(made, record):
    """Gates decide with three answers; a gate with its own group size has measures of its own."""
    by_id = {r.check_id: r for r in record.results}
    assert by_id["language.extraction"].status == "pass"
    assert by_id["language.canaries"].status == "fail"
    assert by_id["language.perplexity"].status == "not_applicable"
    decision = gate.decide(made.plan, record.results)
    reasons = {(r.check_id, r.slice): r for r in decision.reasons}
    assert reasons["language.bits_per_byte", "overall"].status == "pass"
    assert reasons["language.bits_per_byte", "language"].status == "inconclusive"
    assert "“en” has fewer than 50 documents" in reasons["language.bits_per_byte", "language"].text
    assert decision.outcome == "inconclusive"
    assert by_id["data.leakage"].status == "pass"


@pytest.mark.slow
def test_a_gate_with_its_own_level_is_judged_on_it(tmp_path):
    """A threshold that the 95 % interval clears can lie inside the one of 99 %."""
    made = runs.make(tmp_path / "run", builders.plan(replicates=200))
    (plain,) = [m for m in measured(made).results[0].measures if m.slice == "overall" and m.name.endswith("byte")]
    limit = plain.interval.high + 0.01
    plan = builders.plan([{"check": "language.bits_per_byte", "at_most": limit, "confidence": 0.999}], replicates=200)
    result = measured(runs.dataclasses.replace(made, plan=plan)).results[0]
    own = [m for m in result.measures if m.name == "language.bits_per_byte.confidence_99_9" and m.slice == "overall"]
    assert own[0].value == plain.value
    assert own[0].interval.high > limit
    assert result.status == "inconclusive"


@pytest.mark.slow
def test_the_same_run_gives_the_same_numbers(made, record):
    """All but seconds."""
    again = measured(made)
    for first, second in zip(record.results, again.results, strict=True):
        if first.check_id != "language.cost":
            assert first == second


@pytest.mark.slow
def test_progress_names_what_is_measured(made):
    """Every family is told before it is measured, and long ones within."""
    told = []
    measured(made, progress=lambda what, done, of: told.append((what, done, of)))
    assert {"quality", "calibration", "robustness", "memorisation", "cost"} <= {what for what, _, _ in told}
    assert all(0 <= done <= of for _, done, of in told)


def test_text_of_another_split_is_refused(made):
    """Held-out documents that are not those of the split are not measured."""
    parts = {**made.tokenised.parts, "test": made.tokenised.parts["validation"]}
    with pytest.raises(errors.IntegrityError, match="expected the documents of the split"):
        measured(made, tokenised=made.tokenised.model_copy(update={"parts": parts}))


def test_an_altered_graph_is_refused(made):
    """Nothing is opened that is not what was recorded."""
    onnx = made.model.onnx.model_copy(update={"sha256": "0" * 64})
    with pytest.raises(errors.IntegrityError, match="altered after it was recorded"):
        measured(made, model=made.model.model_copy(update={"onnx": onnx}))


def test_a_tokenizer_with_more_tokens_than_the_graph_is_refused(made):
    """Its last tokens would have no probability."""
    graphs.bigram(made.folder.at("model/small.onnx"), np.zeros((20, 20)))
    model = made.model.model_copy(update={"onnx": made.folder.reference("model/small.onnx")})
    with pytest.raises(errors.VerificationError, match="expected logits for the 384 tokens of the tokenizer, got 20"):
        measured(made, model=model)


def test_a_graph_that_fails_while_it_runs_leaves_checks_unmeasured(made, monkeypatch):
    """What one family cannot measure is said, the others stay."""
    from checks.language import robustness

    def broken(subject):
        raise errors.VerificationError("model model.onnx: expected logits, got none. Export the model again.")

    broken.__module__ = robustness.__name__
    families = tuple(broken if f is robustness.measure else f for f in evaluate.FAMILIES)
    monkeypatch.setattr(evaluate, "FAMILIES", families)
    by_id = {r.check_id: r for r in measured(made).results}
    assert by_id["language.robustness_case"].status == "not_measured"
    assert "expected logits" in by_id["language.robustness_case"].reason
    assert by_id["language.perplexity"].measures[0].value > 1


TRAINING = ("torch", "transformers", "mlflow", "prefect", "pandas", "sklearn", "lm_eval")


@pytest.mark.slow
@pytest.mark.parametrize(("module", "absent"), [("evaluate", TRAINING), ("again", (*TRAINING, "pyarrow"))])
def test_no_training_framework_is_loaded(module, absent):
    """The graph is measured under ONNX Runtime alone; whoever repeats it on text needs no Parquet either."""
    import pathlib
    import subprocess
    import sys

    code = f"import sys; from checks.language import {module}; print([m for m in {absent} if m in sys.modules])"
    root = pathlib.Path(__file__).parents[3]
    found = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_documents_left_out_for_held_out_text_are_no_leak_and_unexplained_ones_are(made):
    """The audit takes off what the contamination step left out of training, and nothing else."""
    train = made.tokenised.parts["train"]
    fewer = train.model_copy(update={"documents": train.documents - 1})
    step = made.tokenised.contamination
    after = step.after.model_copy(update={"documents": step.before.documents - 1})
    explained = {"contamination": step.model_copy(update={"after": after})}
    parts = {"parts": {**made.tokenised.parts, "train": fewer}}
    for said, status in ((explained, "pass"), ({}, "fail")):
        tokenised = made.tokenised.model_copy(update={**parts, **said})
        uses = [
            records.DataUse(step=name, role=role, rows=tokenised.parts[role].documents, digests_sha256=digest)
            for name, role, digest in (
                ("fit", "train", train.digests_sha256),
                ("evaluation", "test", tokenised.parts["test"].digests_sha256),
            )
        ]
        assert leakage.audit(made.folder, made.manifest, uses, tokenised).status == status


def test_whoever_measures_the_text_again_finds_the_same_numbers(made, record):
    """Graph, tokenizer and text alone give the values and intervals of the run; the rest needs training text."""
    from checks.language import again, texts

    test = made.tokenised.parts["test"]
    subject = again.subject(
        made.plan,
        made.folder.checked(made.model.onnx),
        made.folder.checked(made.model.tokenizer),
        texts.of_file(made.folder.checked(test.text))(),
        context=made.model.context,
        end_of_text=made.model.end_of_text,
        expected=evaluate.expected(made.plan, made.tokenised),
    )
    found = gate.apply(made.plan, again.measure(subject))
    declared = {r.check_id: r for r in record.results}
    assert len(found) == 8
    assert all(result == declared[result.check_id] for result in found)
