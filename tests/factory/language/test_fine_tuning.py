import json

import pytest
import safetensors.torch
import torch

from configs import errors
from evidence import canonical
from evidence.folder import RunFolder
from factory.language import compute, train
from tests.factory.language import builders

pytestmark = pytest.mark.slow
TRAINING = {"steps": 8, "evaluate_every": 4, "learning_rate": 1e-2, "minimum_learning_rate": 1e-3}


@pytest.fixture(autouse=True)
def _one_thread():
    """Models this small are slower on several threads, and other tests want the cores."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    """A model that was trained here, put into a folder as a hub would give it."""
    torch.set_num_threads(1)
    folder = RunFolder(tmp_path_factory.mktemp("base") / "run")
    plan = builders.plan(model={"context": 64}, training={"steps": 60, "learning_rate": 1e-2})
    tokens = builders.tokenised(folder, plan)
    record = train.train(folder, plan, tokens, builders.NO_BASE)
    place = tmp_path_factory.mktemp("hub")
    (place / "tiny").mkdir()
    (place / "tiny" / "model.safetensors").write_bytes(folder.checked(record.checkpoint).read_bytes())
    (place / "tiny" / "config.json").write_text(json.dumps(record.architecture))
    (place / "tiny" / "tokenizer.json").write_bytes(folder.checked(tokens.tokenizer).read_bytes())
    return place, record


def tuned(base, folder, **model):
    """Fine-tune the base model; tokens by its own tokenizer."""
    plan = builders.plan(
        model={"base": {"path": "tiny", "name": "tiny 1", "licence": "Apache-2.0", "compute_flop": 1e9}, **model},
        training=TRAINING,
    )
    tokens = builders.tokenised(folder, plan, base)
    return plan, tokens, train.train(folder, plan, tokens, base)


def test_full_fine_tuning_begins_at_the_base_model(base, tmp_path):
    """Its digest, licence and compute are recorded; every weight is trained; the loss begins where the base's ended."""
    place, original = base
    _, _, record = tuned(place, RunFolder(tmp_path / "run"))
    assert record.method == "full fine-tuning"
    assert record.base is not None
    assert record.base.sha256 == canonical.sha256_file(place / "tiny" / "model.safetensors")
    assert (record.base.licence, record.base.compute_flop) == ("Apache-2.0", 1e9)
    assert record.base.parameters == record.parameters == record.trained_parameters == original.parameters
    assert record.curve[0].train_loss < original.curve[1].train_loss


def test_lora_changes_the_named_layers_alone(base, tmp_path):
    """Merged, the shipped weights differ from the base's in the named layers and nowhere else, and it cost less."""
    place, _ = base
    folder = RunFolder(tmp_path / "run")
    plan, tokens, record = tuned(place, folder, method="lora", lora={"rank": 2, "targets": ["q_proj", "v_proj"]})
    before = safetensors.torch.load_file(place / "tiny" / "model.safetensors")
    after = safetensors.torch.load_file(folder.checked(record.checkpoint))
    assert before.keys() == after.keys()
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed == {name for name in before if "q_proj" in name or "v_proj" in name}
    assert record.method == "lora"
    # Two layers, two adapters each of rank 2 between 32 and 32.
    assert record.trained_parameters == 2 * 2 * 2 * (32 + 32)
    assert "4·P·D" in record.flops_otherwise[0].method
    whole = compute.of_sequence(plan.model.model_copy(update={"method": "full"}), record.architecture, tokens.context)
    assert compute.of_sequence(plan.model, record.architecture, tokens.context)[1] < whole[1]
    # Snapshots hold the adapters, not the frozen base.
    newest = max((folder.path / "training/checkpoints").glob("*.safetensors"))
    assert newest.stat().st_size < folder.at(record.checkpoint.path).stat().st_size


def test_a_base_model_that_changed_since_is_refused(base, tmp_path):
    """A training that was begun from one base model is not taken up from another."""
    place, _ = base
    folder = RunFolder(tmp_path / "run")
    plan, tokens, _ = tuned(place, folder)
    other = tmp_path / "hub"
    (other / "tiny").mkdir(parents=True)
    for file in (place / "tiny").iterdir():
        (other / "tiny" / file.name).write_bytes(file.read_bytes())
    weights = safetensors.torch.load_file(other / "tiny" / "model.safetensors")
    weights["model.norm.weight"][0] += 1
    safetensors.torch.save_file(weights, other / "tiny" / "model.safetensors")
    with pytest.raises(errors.IntegrityError, match="expected one of this plan and these data"):
        train.train(folder, plan, tokens, other)


def test_operations_are_counted_without_computing(base):
    """The count on a model without numbers is that of the formula for its matrix products."""
    _, record = base
    forward, both = compute.of_sequence(builders.plan().model, record.architecture, 32)
    width, inner, vocabulary, layers, tokens = 32, 96, 512, 2, 32
    per_layer = 2 * tokens * (4 * width * width + 3 * width * inner) + 2 * 2 * tokens * tokens * width
    assert forward == layers * per_layer + 2 * tokens * width * vocabulary
    assert both == 3 * forward
