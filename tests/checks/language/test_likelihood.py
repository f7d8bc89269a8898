"""Scoring tokens on graphs whose probabilities are known exactly."""

import numpy as np
import pytest

from checks.language import likelihood
from checks.language.graph import Graph
from configs import errors
from tests.checks.language import graphs

SIZE = 11


@pytest.fixture(scope="module")
def table():
    return np.random.default_rng(0).normal(size=(SIZE, SIZE))


@pytest.fixture(scope="module")
def graph(table, tmp_path_factory):
    return Graph(graphs.bigram(tmp_path_factory.mktemp("graph") / "model.onnx", table), SIZE)


def truth(table, ids, start):
    shares = table - np.log(np.exp(table).sum(axis=1, keepdims=True))
    return -shares[ids[:-1], ids[1:]][start - 1 :]


@pytest.mark.parametrize(
    ("length", "start"), [(n, s) for n in (2, 3, 8, 9, 10, 13, 40, 41) for s in (1, 2, 7) if s < n]
)
def test_every_token_is_scored_once_with_its_probability(graph, table, length, start):
    """Whatever the length against the context of 8, likelihoods are those of the table, none left out or doubled."""
    ids = np.random.default_rng(length).integers(0, SIZE, length)
    (found,) = likelihood.score(graph, [(ids, start)], context=8)
    np.testing.assert_allclose(found.nats, truth(table, ids, start), rtol=1e-5)
    best = table[ids[start - 1 : -1]].argmax(axis=1)
    assert (found.greedy == (best == ids[start:])).all()
    shares = np.exp(table) / np.exp(table).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(found.confidence, shares.max(axis=1)[ids[start - 1 : -1]], rtol=1e-5)


def test_results_come_in_the_order_of_the_sequences(graph, table, monkeypatch):
    """Sequences of every length, in several buffers and batches, keep their order."""
    monkeypatch.setattr(likelihood, "BUFFER", 50)
    monkeypatch.setattr(likelihood, "BATCH_TOKENS", 20)
    rng = np.random.default_rng(1)
    sequences = [rng.integers(0, SIZE, n) for n in rng.integers(2, 30, 60)]
    found = list(likelihood.score(graph, ((ids, 1) for ids in sequences), context=8))
    assert len(found) == 60
    for ids, one in zip(sequences, found, strict=True):
        np.testing.assert_allclose(one.nats, truth(table, ids, 1), rtol=1e-5)


def test_a_sequence_without_a_token_to_score_gives_nothing(graph):
    """An empty document is one: the given token alone."""
    first, second = likelihood.score(graph, [(np.array([3]), 1), (np.array([3, 4]), 1)], context=8)
    assert (len(first.nats), len(second.nats)) == (0, 1)


@pytest.mark.parametrize("context", [4, 7, 8])
def test_tokens_behind_the_first_window_see_half_a_context(context):
    """The least context before a scored token is half of the model's, and no window is longer than the context."""
    ids = np.arange(50)
    windows = likelihood._windows(0, ids, 1, context)
    assert [w.at for w in windows] == np.cumsum([0, *(len(w.targets) for w in windows[:-1])]).tolist()
    assert np.concatenate([w.targets for w in windows]).tolist() == list(range(1, 50))
    for window in windows:
        assert len(window.inputs) <= context
        assert window.inputs[-1] + 1 == window.targets[-1]
        seen = window.targets[0] - window.inputs[0]
        assert seen >= min(window.targets[0], context // 2)


def test_a_graph_that_breaks_the_contract_is_refused(tmp_path, table):
    """Too few logits, other inputs, and no graph at all are one sentence each."""
    place = graphs.bigram(tmp_path / "model.onnx", table)
    with pytest.raises(errors.VerificationError, match="expected logits for the 12 tokens of the tokenizer, got 11"):
        Graph(place, SIZE + 1)
    import onnx

    model = onnx.load(place)
    for node in (*model.graph.input, *model.graph.node):
        if getattr(node, "name", "") == "input_ids":
            node.name = "tokens"
        if hasattr(node, "input"):
            node.input[:] = ["tokens" if name == "input_ids" else name for name in node.input]
    onnx.save(model, tmp_path / "other.onnx")
    with pytest.raises(errors.VerificationError, match="expected inputs input_ids, attention_mask"):
        Graph(tmp_path / "other.onnx", SIZE)
    (tmp_path / "none.onnx").write_bytes(b"no graph")
    with pytest.raises(errors.VerificationError, match="expected a graph that ONNX Runtime opens"):
        Graph(tmp_path / "none.onnx", SIZE)


def test_a_tokenizer_whose_tokens_leave_gaps_needs_a_graph_for_the_largest(tmp_path):
    """Counting tokens would let one through that has no probability."""
    import json

    from tests.checks.language import runs

    made = runs.tokenizer(tmp_path / "tokenizer.json", ["some text"], 300)
    content = json.loads((tmp_path / "tokenizer.json").read_text())
    content["model"]["vocab"]["a"] = 5000
    (tmp_path / "tokenizer.json").write_text(json.dumps(content))
    from checks.language import texts

    assert texts.Tokenizer(tmp_path / "tokenizer.json").vocabulary == 5001 > made.vocabulary
    (tmp_path / "tokenizer.json").write_text('{"model": 3}')
    with pytest.raises(errors.VerificationError, match=r"expected a tokenizer\.json"):
        texts.Tokenizer(tmp_path / "tokenizer.json")
