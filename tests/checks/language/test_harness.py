"""lm-evaluation-harness on the exported graph: what the interface is told, and a local task where it is installed."""

import importlib.util
import json
import os
from types import SimpleNamespace

import numpy as np
import pytest

from checks.language import generate, harness, harness_model
from tests.checks.language import builders, runs

PARAGRAPHS = runs.topics()
TRAIN = [("en", "docs", t) for t in PARAGRAPHS[20:80]]
HELD = [("en", "docs", t) for t in PARAGRAPHS[:5]]


@pytest.fixture(scope="module")
def subject(tmp_path_factory):
    return runs.subject(tmp_path_factory.mktemp("run"), HELD, TRAIN)


@pytest.fixture(scope="module")
def answers(subject):
    made = harness_model.Answers()
    made.subject = subject
    return made


def ask(*args):
    return SimpleNamespace(args=args)


def logs(subject, ids):
    shares = runs.counted(subject.training.streams(), subject.tokenizer.vocabulary)
    return shares[ids[:-1], ids[1:]]


def test_the_likelihood_of_a_continuation_is_that_of_the_table(subject, answers):
    """Tokens of the continuation alone count; a space at the end of the context belongs to the next word."""
    for context, continuation in (("The value of", " the object"), ("The value of ", "the object"), ("", "An import")):
        whole = np.concatenate([[0], subject.tokenizer.ids(context + continuation)])
        start = len(subject.tokenizer.ids(context.rstrip()))
        ((found, greedy),) = answers.loglikelihood([ask(context, continuation)])
        assert found == pytest.approx(logs(subject, whole)[start:].sum(), rel=1e-5)
        assert isinstance(greedy, bool)
    long = " ".join(PARAGRAPHS[:3])
    ((found, _),) = answers.loglikelihood([ask(long, " the end")])
    ids = subject.tokenizer.ids(long + " the end")
    count = len(ids) - len(subject.tokenizer.ids(long))
    assert found == pytest.approx(logs(subject, ids)[-count:].sum(), rel=1e-5)


def test_greedy_is_told_of_what_greedy_generation_gives(subject, answers):
    """The continuation that the model writes itself is greedy, another one is not."""
    prompt = subject.prompt(subject.tokenizer.ids("The value"))
    made = subject.tokenizer.text(generate.greedy(subject.graph, prompt, 1))
    (_, own), (_, other) = answers.loglikelihood([ask("The value", made), ask("The value", "qqq")])
    assert own
    assert not other


def test_texts_longer_than_the_context_are_scored_whole(subject, answers):
    """Every token once, as with held-out documents."""
    text = " ".join(PARAGRAPHS[:3])
    ids = subject.prompt(subject.tokenizer.ids(text))
    assert len(ids) > runs.CONTEXT
    assert answers.loglikelihood_rolling([ask(text)])[0] == pytest.approx(logs(subject, ids).sum(), rel=1e-5)


def test_generation_ends_at_the_first_stop_text(subject, answers):
    """Up to the stop, without it; at most so many tokens; a context longer than the model's loses its beginning."""
    whole = answers.generate_until([ask("The value", {"until": [], "max_gen_toks": 12})])[0]
    expected = generate.greedy(subject.graph, subject.prompt(subject.tokenizer.ids("The value")), 12, stop=[0])
    assert whole == subject.tokenizer.text([t for t in expected if t != 0])
    stop = whole[4:6]
    cut = answers.generate_until([ask("The value", {"until": [stop], "max_gen_toks": 12})])[0]
    assert cut == whole[: whole.find(stop)]
    long = " ".join(PARAGRAPHS[:3])
    assert answers.generate_until([ask(long, {"until": "\n", "max_gen_toks": 8})])[0] is not None


def test_without_tasks_it_does_not_apply(subject):
    """The plan asks for none."""
    (result,) = harness.measure(subject)
    assert result.status == "not_applicable"


def test_without_the_harness_nothing_is_measured(tmp_path, monkeypatch):
    """The reason says how to get it."""
    monkeypatch.setattr(harness, "PACKAGE", "a_harness_that_nobody_has")
    (result,) = harness.measure(
        runs.subject(tmp_path, HELD, TRAIN, plan=builders.plan(harness={"tasks": ["arc_easy"]}))
    )
    assert (result.status, result.reason) == ("not_measured", harness.MISSING)


def test_a_reason_tells_no_place_of_this_machine():
    """An error of somebody else's module goes into a record, and records leave: paths are cut to their last step."""
    told = harness._reason(
        OSError("no data at '/home/anna/sets/rows.jsonl' for allenai/ai2_arc, see https://x.example/a/b")
    )
    assert told == "OSError: no data at '…/rows.jsonl' for allenai/ai2_arc, see https://x.example/a/b"
    with pytest.raises(FileNotFoundError, match="expected a task file none"):
        harness._read("none.yaml")


def installed():
    """Whether the extra is there; PROOFLINE_HARNESS=1 asks for it, so that a skip cannot go unseen where it counts."""
    return importlib.util.find_spec("lm_eval") is not None or os.environ.get("PROOFLINE_HARNESS") == "1"


@pytest.mark.slow
@pytest.mark.skipif(
    not installed(), reason='needs the extra: pip install ".[harness]"; PROOFLINE_HARNESS=1 makes it fail'
)
def test_a_local_task_is_run_and_a_task_without_data_is_told(tmp_path, monkeypatch):
    """A multiple-choice task in a YAML file beside its data gives the accuracy that the likelihoods have."""
    monkeypatch.setenv("PROOFLINE_DATA", str(tmp_path))
    monkeypatch.setenv("HF_HOME", str(tmp_path / "cache"))
    rows = [
        {"question": PARAGRAPHS[i][:60], "choices": [PARAGRAPHS[i][60:90], PARAGRAPHS[i][60:90][::-1]], "answer": 0}
        for i in range(20, 40)
    ]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    task = {
        "task": "local_choice", "dataset_path": "json",
        "dataset_kwargs": {"data_files": {"test": str(tmp_path / "rows.jsonl")}}, "test_split": "test",
        "output_type": "multiple_choice", "doc_to_text": "{{question}}", "doc_to_choice": "{{choices}}",
        "doc_to_target": "{{answer}}", "target_delimiter": "",
        "metric_list": [{"metric": "acc", "aggregation": "mean", "higher_is_better": True}],
    }  # fmt: skip
    (tmp_path / "task.yaml").write_text(json.dumps(task))
    plan = builders.plan(harness={"tasks": ["task.yaml", "arc_easy"]})
    subject = runs.subject(tmp_path / "run", HELD, TRAIN, plan=plan)
    (result,) = harness.measure(subject)
    by_name = {m.name: m for m in result.measures}
    accuracy = by_name["language.harness.local_choice.acc"]
    made = harness_model.Answers()
    made.subject = subject
    pairs = [[made.loglikelihood([ask(row["question"], c)])[0][0] for c in row["choices"]] for row in rows]
    assert accuracy.value == pytest.approx(np.mean([np.argmax(p) == 0 for p in pairs]))
    assert accuracy.n == 20
    assert result.measures[0].note == "local_choice.acc"
    assert list(result.details["not_measured"]) == ["arc_easy"]
