import json
import shutil

import pytest
import safetensors.torch
import torch

from configs import errors
from evidence import canonical
from evidence.folder import RunFolder
from factory.language import base, model, tokenise, tokenizer
from tests.factory.language import builders

ARCHITECTURE = {
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "vocab_size": 400,
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 64,
    "tie_word_embeddings": False,
    "rope_theta": 500000.0,
    "eos_token_id": 0,
    "bos_token_id": None,
    "torch_dtype": "bfloat16",
}


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    """A base model as a hub gives it: bfloat16 weights, configuration, tokenizer."""
    folder = tmp_path_factory.mktemp("base") / "model"
    folder.mkdir()
    torch.manual_seed(1)
    weights = model.weights(model.build({k: v for k, v in ARCHITECTURE.items() if k != "torch_dtype"}))
    safetensors.torch.save_file({n: t.bfloat16() for n, t in weights.items()}, folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps(ARCHITECTURE))
    asked = builders.plan(tokenizer={"vocabulary": 400}).tokenizer
    tokenizer.train(asked, builders.texts(), 100).save(str(folder / "tokenizer.json"))
    return folder


@pytest.fixture
def folder(original, tmp_path):
    """A copy that a test may spoil."""
    shutil.copytree(original, tmp_path / "base")
    return tmp_path / "base"


def asked(**changes):
    return builders.plan(model={"base": {"path": "base", "name": "tiny", **changes}}).model


def test_a_base_model_comes_as_float32_with_its_own_sizes(folder):
    """Its configuration decides; bfloat16 weights become float32 without change; its digests are recorded."""
    found = base.of(asked(), folder.parent)
    assert found.end_of_text == 0
    assert found.sha256 == canonical.sha256_file(folder / "model.safetensors")
    network = model.of_base(found, {**ARCHITECTURE, "torch_dtype": None})
    stored = safetensors.torch.load_file(folder / "model.safetensors")
    for name, parameter in network.named_parameters():
        assert parameter.dtype == torch.float32
        assert torch.equal(parameter, stored[name].float())


def test_its_tokenizer_is_used(folder, tmp_path):
    """With a base model nothing is trained: the tokens are those of its tokenizer, its end-of-text token included."""
    run = RunFolder(tmp_path / "run")
    plan = builders.plan(model={"base": {"path": "base", "name": "tiny"}})
    found = builders.tokenised(run, plan, folder.parent)
    assert run.at(found.tokenizer.path).read_text() == tokenizer.load(folder / "tokenizer.json").to_str()
    assert (found.vocabulary, found.end_of_text, found.kind) == (400, 0, "that of the base model tiny")
    assert found.tokenizer.path == tokenise.TOKENIZER


@pytest.mark.parametrize("name", ["pytorch_model.bin", "consolidated.00.pth", "old/optimizer.PT", "x.ckpt", "a.pkl"])
def test_a_pickle_is_refused(folder, name):
    """A pickle beside the weights ends it before any file is opened."""
    place = folder / name
    place.parent.mkdir(exist_ok=True)
    place.write_bytes(b"cos\nsystem\n")
    (folder / "config.json").write_text("not even looked at")
    with pytest.raises(errors.PlanError, match=r"base model tiny: expected safetensors, got the pickle .* runs code"):
        base.of(asked(), folder.parent)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"model_type": "gpt2", "architectures": ["GPT2LMHeadModel"]}, "expected the architecture LlamaForCausalLM"),
        ({"architectures": ["LlamaForSequenceClassification"]}, "got LlamaForSequenceClassification"),
        ({"auto_map": {"AutoModel": "modeling.Evil"}}, "expected plain weights and no code, got auto_map"),
        ({"quantization_config": {"bits": 4}}, "got quantization_config"),
        ({"rope_scaling": {"type": "dynamic", "factor": 2.0}}, "got dynamic"),
        ({"max_position_embeddings": 16}, r"model.context: expected at most 16, .* got 32"),
        ({"max_position_embeddings": None}, "expected max_position_embeddings"),
    ],
)
def test_another_architecture_is_refused(folder, change, message):
    """What is not a plain Llama decoder of enough context is refused by its configuration alone."""
    (folder / "config.json").write_text(json.dumps(ARCHITECTURE | change))
    for look in (base.of, base.require_fit):
        with pytest.raises(errors.PlanError, match=message):
            look(asked(), folder.parent)


def test_a_base_model_is_looked_at_before_any_text_is_read(folder, capsys):
    """`check` refuses another architecture; that a single document gives no held-out text, it says."""
    from rich.console import Console

    from flows import check_language

    (folder.parent / "one.txt").write_text("One document of some words, and no more than that.")
    place = folder.parent / "plan.yaml"
    place.write_text("")
    plan = builders.plan(
        model={"context": 32, "base": {"path": "base", "name": "tiny"}},
        corpora=[{"id": "one", "source": {"kind": "files", "path": ["one.txt"]},
                  "provenance": {"title": "One", "origin": "other"}}],
    )  # fmt: skip
    check_language.say(plan, place, Console(width=200), data=True)
    assert "documents in all: 1; a language needs 10 to have held-out text" in capsys.readouterr().out
    (folder / "config.json").write_text(json.dumps(ARCHITECTURE | {"model_type": "gpt2"}))
    with pytest.raises(errors.PlanError, match="expected the architecture LlamaForCausalLM"):
        check_language.require_base(plan, place)


def test_absent_files_and_other_digests_are_said(folder):
    """A missing folder or file, broken JSON and another digest are one sentence each."""
    with pytest.raises(errors.PlanError, match=r"expected model.safetensors with sha256 0000"):
        base.of(asked(sha256="0" * 64), folder.parent)
    (folder / "config.json").write_text("{")
    with pytest.raises(errors.PlanError, match=r"expected JSON in config.json"):
        base.of(asked(), folder.parent)
    (folder / "tokenizer.json").unlink()
    with pytest.raises(errors.MissingError, match=r"expected the file tokenizer.json, got none"):
        base.of(asked(), folder.parent)
    with pytest.raises(errors.MissingError, match="expected a folder at base"):
        base.of(asked(), folder)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda t: t.pop("model.norm.weight"), "model.norm.weight in one of the two alone"),
        (lambda t: t.update({"extra.weight": torch.ones(2)}), "extra.weight in one of the two alone"),
        (lambda t: t.update({"model.norm.weight": torch.ones(3)}), r"model.norm.weight of the shape \(3,\)"),
        (lambda t: t["model.norm.weight"].fill_(float("nan")), "not finite"),
    ],
)
def test_weights_of_another_model_are_refused(folder, spoil, message):
    """Weights that do not fit the configuration are never loaded in part."""
    place = folder / "model.safetensors"
    tensors = safetensors.torch.load_file(place)
    spoil(tensors)
    safetensors.torch.save_file(tensors, place)
    with pytest.raises(errors.IntegrityError, match=message):
        model.of_base(base.of(asked(), folder.parent), ARCHITECTURE)
