import json
import shutil
import warnings

import numpy as np
import onnx
import pytest
import torch

from configs import errors
from evidence.folder import RunFolder
from factory.language import decoder, generation, model, tokenizer, train
from tef_export import export as tables
from tef_export import golden, golden_check, golden_child, onnx_rules
from tef_export.language import export, graph, parity
from tests.conftest import ROOT
from tests.factory.language import builders

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", autouse=True)
def _one_thread():
    """A model this small is slower on several threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A model with grouped heads and an output layer of its own, trained for a moment, and its export."""
    folder = RunFolder(tmp_path_factory.mktemp("export") / "run")
    plan = builders.plan(
        model={"heads": 4, "key_value_heads": 2, "tie_embeddings": False}, training={"steps": 30, "learning_rate": 1e-2}
    )
    tokens = builders.tokenised(folder, plan)
    record = train.train(folder, plan, tokens, builders.NO_BASE)
    return folder, plan, tokens, record, export.export(folder, plan, tokens, record)


@pytest.fixture(scope="module")
def runner(made):
    folder, _, _, record, found = made
    return graph.Runner(golden.session(folder.checked(found.onnx).read_bytes()), record.architecture)


def test_the_graph_keeps_the_contract(made):
    """Names, types and sizes are those that runtimes for decoders expect; the file passes the reader's own rules."""
    folder, _, tokens, _, found = made
    assert [spec.name for spec in found.inputs[:5]] == [
        "input_ids", "attention_mask", "position_ids", "past_key_values.0.key", "past_key_values.0.value",
    ]  # fmt: skip
    shapes = {spec.name: (spec.dtype, spec.shape) for spec in (*found.inputs, *found.outputs)}
    assert shapes["attention_mask"] == ("int64", ("batch", "past + sequence"))
    assert shapes["past_key_values.1.key"] == ("float32", ("batch", 2, "past", 8))
    assert shapes["present.1.value"] == ("float32", ("batch", 2, "past + sequence", 8))
    assert shapes["logits"] == ("float32", ("batch", "sequence", tokens.vocabulary))
    proto = onnx_rules.parsed(folder.checked(found.onnx).read_bytes())
    onnx_rules.check(proto)
    onnx_rules.check_with_onnx(proto)
    assert (proto.ir_version, found.opset) == (8, 18)


def test_probabilities_and_generation_are_those_of_the_source(made):
    """Parity is measured on validation text and holds; every prompt's greedy text is equal token by token."""
    _, _, _, _, found = made
    assert found.parity.max_abs_difference < 1e-5
    assert found.parity.max_batch_difference < 1e-5
    assert (found.parity.label_agreement, found.parity.split) == (1.0, "validation")
    assert found.generation.equal == found.generation.prompts == 7
    assert found.generation.first_difference is None


@pytest.mark.parametrize(("batch", "new", "past"), [(1, 1, 0), (3, 4, 0), (2, 1, 9), (1, 6, 2), (4, 3, 5)])
def test_every_size_gives_what_the_source_gives(made, runner, batch, new, past):
    """Logits and cache agree for any batch, any number of tokens and any past, padding on the left included."""
    folder, _, tokens, record, _ = made
    source = decoder.Decoder(model.restore(folder, record))
    generator = torch.Generator().manual_seed(batch * 100 + new)
    ids = torch.randint(0, tokens.vocabulary, (batch, new), generator=generator)
    mask = torch.ones(batch, past + new, dtype=torch.int64)
    mask[0, : (past + new) // 2] = 0
    positions = (mask.cumsum(1) - 1).clamp(min=0)[:, -new:]
    cache = [torch.randn(batch, 2, past, 8, generator=generator) for _ in range(4)]
    with torch.no_grad():
        expected = source(ids, mask, positions, cache)
    for a, b in zip(expected, runner(ids, mask, positions, cache), strict=True):
        assert a.shape == b.shape
        assert torch.allclose(a, b, atol=1e-4)


def test_padding_changes_nothing(made, runner):
    """A prompt's text is the same alone and padded in a batch with longer ones."""
    _, _, _, record, _ = made
    prompts = [[5], [7, 8, 9, 10, 11, 12], [3, 4]]
    together, _ = generation.greedy(runner, record.architecture, prompts, 12)
    alone = [generation.greedy(runner, record.architecture, [p], 12)[0][0] for p in prompts]
    assert together == alone


def test_golden_vectors_are_reproduced_by_the_limited_process(made, tmp_path):
    """What a receiver runs passes: rules, checker, and the recorded outputs for each of the inputs."""
    folder, _, _, _, found = made
    shutil.copytree(folder.path / "model", tmp_path / "model")
    opened = golden_check.run(tmp_path / "model")
    assert opened.failed is None
    assert list(opened.passed) == list(golden_check.CHECKS)
    assert len(found.golden_inputs) == len(found.inputs) == 7
    assert found.golden_input == found.golden_inputs[0]
    given = onnx.numpy_helper.to_array(onnx.load_tensor(folder.checked(found.golden_inputs[1])))
    assert given.tolist()[1][0] == 0


def test_golden_logits_near_zero_are_judged_by_the_size_of_the_others():
    """Rounding of a logit that happens to be near zero is no other model; in outputs of two dimensions it is."""
    want = np.array([[[3.0, -4.0, 1e-7, 2.0]]], np.float32)
    rounded = want + np.array([0, 0, 1e-4, 0], np.float32)
    assert golden_child._near(rounded, want)
    assert not golden_child._near(rounded[0], want[0])
    assert not golden_child._near(want + np.float32(1e-3), want)
    assert not golden_child._near(np.full_like(want, np.nan), want)


def test_the_guide_s_lines_write_a_text(made, capsys, monkeypatch):
    """What the guide shows works as it stands there, and writes what the source would."""
    folder, _, tokens, record, _ = made
    page = (ROOT / "docs" / "guide" / "language.md").read_text(encoding="utf-8")
    lines = page.partition("```python\n")[2].partition("```")[0]
    monkeypatch.chdir(folder.path / "model")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        exec(compile(lines, "language.md", "exec"), {})  # noqa: S102 - our own page
    words = tokenizer.load(folder.at(tokens.tokenizer.path))
    ids = words.encode("The simple form").ids
    made_here, _ = generation.greedy(decoder.Decoder(model.restore(folder, record)), record.architecture, [ids], 12)
    assert capsys.readouterr().out == words.decode([*ids, *made_here[0]]) + "\n"


def test_the_same_weights_give_the_same_bytes(made):
    """A second export is the same file; tokenizer and configuration lie beside it."""
    folder, plan, tokens, record, found = made
    again = export.export(folder, plan, tokens, record)
    assert again == found
    assert json.loads(folder.checked(found.config).read_text()) == record.architecture
    assert found.tokenizer.sha256 == tokens.tokenizer.sha256


def test_a_graph_that_says_something_else_is_refused(made, runner):
    """Weights that differ from the source's are found by the probabilities and by the generated text."""
    folder, _, tokens, record, _ = made
    network = model.restore(folder, record)
    with torch.no_grad():
        network.lm_head.weight.copy_(network.lm_head.weight.roll(1, dims=0))
    other = decoder.Decoder(network)
    rows = export._validation(folder, tokens)
    with pytest.raises(errors.VerificationError, match="expected the probabilities of its source"):
        parity.of_probabilities(other, runner, record.architecture, rows)
    with pytest.raises(errors.VerificationError, match="expected the tokens of its source, got another at prompt"):
        parity.of_generation(other, runner, record.architecture, [[5, 6, 7], [8]], 12)


def test_a_model_too_large_for_one_file_is_refused(made, monkeypatch):
    """The message says how many parameters fit."""
    folder, plan, tokens, record, _ = made
    monkeypatch.setattr(tables, "LARGEST", 4000)
    with pytest.raises(errors.PlanError, match="expected at most 1000 parameters"):
        export.export(folder, plan, tokens, record)


def test_golden_inputs_are_nobody_s_text(made):
    """Ids are drawn over the whole vocabulary, keys and values from a normal distribution."""
    _, _, tokens, record, _ = made
    given = graph.synthetic(record.architecture, 0)
    assert given["input_ids"].shape == (2, 5)
    assert given["input_ids"].max() < tokens.vocabulary
    assert np.std(given["past_key_values.0.key"]) == pytest.approx(1, abs=0.3)
