"""Likelihood, generation and memorisation on an exported Llama, against transformers' own loss."""

import numpy as np
import pytest
import torch

from checks import intervals
from checks.language import generate, likelihood, memorisation, texts, weights
from checks.language._subject import Subject, Training
from checks.language.graph import Graph
from factory.language import model
from tef_export import export
from tef_export.language import graph as translation
from tests.checks.language import builders

pytestmark = pytest.mark.slow
CONTEXT, SIZE = 32, 300
ARCHITECTURE = {
    "vocab_size": SIZE, "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4,
    "num_key_value_heads": 2, "max_position_embeddings": CONTEXT, "tie_word_embeddings": True, "eos_token_id": 0,
    "bos_token_id": None, "pad_token_id": None, "architectures": ["LlamaForCausalLM"],
}  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def _one_thread():
    """A model this small is slower on several threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def learnt():
    """Documents of random tokens, and a network that was trained on them until it knows them by heart."""
    rng = np.random.default_rng(0)
    documents = [rng.integers(1, SIZE, 40) for _ in range(4)]
    stream = np.concatenate([np.append(d, 0) for d in documents])
    starts = np.arange(0, len(stream) - CONTEXT)
    rows = torch.from_numpy(np.stack([stream[s : s + CONTEXT] for s in starts]))
    torch.manual_seed(0)
    network = model.build(ARCHITECTURE, attention="eager").train()
    optimiser = torch.optim.AdamW(network.parameters(), lr=5e-3, weight_decay=0.0)
    for _ in range(250):
        batch = rows[torch.randint(0, len(rows), (24,))]
        loss = network(input_ids=batch, labels=batch).loss
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return documents, network.eval()


@pytest.fixture(scope="module")
def graph(learnt, tmp_path_factory):
    proto = translation.translate(learnt[1], ARCHITECTURE)
    place = tmp_path_factory.mktemp("llama") / "model.onnx"
    place.write_bytes(export.finish(proto, "llama"))
    return Graph(place, SIZE), place


def reference(network, ids):
    """Transformers' own negative log-likelihood of every token behind the first."""
    with torch.no_grad():
        logits = network(input_ids=torch.from_numpy(ids)[None]).logits[0, :-1]
    losses = torch.nn.functional.cross_entropy(logits, torch.from_numpy(ids[1:]), reduction="none")
    return losses.numpy()


def test_perplexity_is_that_of_transformers(learnt, graph):
    """Token by token, for sequences up to the context, in batches with padding; the mean is the model's own loss."""
    documents, network = learnt
    rng = np.random.default_rng(1)
    sequences = [rng.integers(0, SIZE, n) for n in (2, 9, 17, 32)] + [d[:CONTEXT] for d in documents]
    found = list(likelihood.score(graph[0], ((ids, 1) for ids in sequences), CONTEXT))
    for ids, one in zip(sequences, found, strict=True):
        np.testing.assert_allclose(one.nats, reference(network, ids), rtol=2e-3, atol=2e-4)
    with torch.no_grad():
        batch = torch.from_numpy(sequences[3])[None]
        assert np.mean(found[3].nats) == pytest.approx(float(network(input_ids=batch, labels=batch).loss), rel=1e-4)


def test_long_documents_are_scored_in_windows_with_half_a_context(learnt, graph):
    """Each token has the likelihood that transformers gives it in the window that it is scored in."""
    documents, network = learnt
    ids = np.concatenate([documents[0], documents[1], documents[2][:7]])
    (found,) = likelihood.score(graph[0], [(ids, 1)], CONTEXT)
    for window in likelihood._windows(0, ids, 1, CONTEXT):
        own = np.append(window.inputs, window.targets[-1])
        expected = reference(network, own)[-len(window.targets) :]
        place = slice(window.at, window.at + len(window.targets))
        np.testing.assert_allclose(found.nats[place], expected, rtol=2e-3, atol=2e-4)


def test_generation_with_the_cache_is_that_of_whole_passes(learnt, graph):
    """Token by token the same as asking for the whole sequence anew each time."""
    documents, network = learnt
    for prompt in (documents[0][:5], documents[3][10:20], np.array([0])):
        ids = prompt
        for _ in range(12):
            with torch.no_grad():
                following = network(input_ids=torch.from_numpy(ids)[None]).logits[0, -1].argmax()
            ids = np.append(ids, int(following))
        assert generate.greedy(graph[0], prompt, 12).tolist() == ids[len(prompt) :].tolist()


class Numbers:
    """A tokenizer of texts that are numbers."""

    vocabulary = SIZE

    def ids(self, text):
        """Tokens."""
        return np.array(text.split(), np.int64)

    def many(self, found):
        """Tokens of several."""
        return [self.ids(text) for text in found]


def test_what_training_made_it_remember_is_extracted(learnt, graph):
    """Its training documents come back word for word, other ones do not."""
    documents, _ = learnt
    rng = np.random.default_rng(9)

    def listed(parts):
        return texts.of_list(texts.Document(str(i), "en", "d", " ".join(map(str, p))) for i, p in enumerate(parts))

    stream = np.concatenate([np.append(d, 0) for d in documents])
    subject = Subject(
        plan=builders.plan(memorisation={"prefixes": [8, 16], "continuation": 12, "samples": 12}),
        graph=graph[0],
        tokenizer=Numbers(),
        context=CONTEXT,
        end_of_text=0,
        held_out=listed([rng.integers(1, SIZE, 40) for _ in range(4)]),
        documents=4,
        expected={},
        sampling=intervals.Sampling(),
        training=Training(listed(documents), lambda: [stream], None),
    )
    measures = {m.name: m for m in memorisation.measure(subject)[0].measures}
    assert measures["language.extraction"].value >= 0.75
    assert measures["language.extraction.held_out_prefix_16"].value == 0.0


def test_weights_are_counted_on_the_graph(learnt, graph):
    """All parameters but the scales of the norms are in matrix products; the tied output layer counts once."""
    _, network = learnt
    found = weights.of_graph(graph[1])
    norms = (2 * ARCHITECTURE["num_hidden_layers"] + 1) * ARCHITECTURE["hidden_size"]
    assert found.multiplied == sum(p.numel() for p in network.parameters()) - norms
    assert graph[0].shape.cache_bytes == 2 * 2 * 2 * 8 * 4
