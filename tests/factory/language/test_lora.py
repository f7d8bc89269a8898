import pytest
import torch

from configs import errors
from configs.language.modelling import Lora
from factory.language import lora, model
from tests.factory.language.test_base import ARCHITECTURE

LLAMA = {k: v for k, v in ARCHITECTURE.items() if k != "torch_dtype"}


def adapted(**settings):
    torch.manual_seed(0)
    network = model.build(LLAMA).eval()
    before = {name: p.detach().clone() for name, p in network.named_parameters()}
    lora.adapt(network, Lora(**settings))
    return network, before


def trained(network):
    """One large step on the adapters."""
    ids = torch.arange(24).reshape(2, 12)
    network.train()
    network(input_ids=ids, labels=ids).loss.backward()
    with torch.no_grad():
        for parameter in network.parameters():
            if parameter.requires_grad:
                parameter.sub_(3.0 * parameter.grad + 0.01)
    return network.eval()


def logits(network):
    with torch.no_grad():
        return network(input_ids=torch.arange(30)[None]).logits


def test_adapters_begin_at_the_base_model():
    """Before training an adapted model says exactly what its base says, and only adapters are trained."""
    torch.manual_seed(0)
    plain = logits(model.build(LLAMA).eval())
    network, _ = adapted(rank=4)
    assert torch.equal(logits(network), plain)
    names = {name.rpartition(".")[2] for name, p in network.named_parameters() if p.requires_grad}
    assert names == {"a", "b"}


def test_training_leaves_the_base_weights_alone():
    """After training every base weight is the same bit by bit, while the model says something else."""
    network, before = adapted(rank=4, targets=("q_proj", "down_proj"))
    first = logits(network)
    trained(network)
    frozen = {name: p for name, p in network.named_parameters() if not p.requires_grad}
    kept = {name.replace(".linear.weight", ".weight"): p for name, p in frozen.items()}
    assert kept.keys() == before.keys()
    assert all(torch.equal(p, before[name]) for name, p in kept.items())
    assert not torch.allclose(logits(network), first)


def test_merged_is_the_product_and_nothing_of_the_adapter_is_left():
    """Merging adds (alpha / rank) B A to the weight, rounded once, and gives back the plain architecture."""
    network, before = adapted(rank=4, alpha=8.0)
    layer = trained(network).model.layers[1].self_attn.v_proj
    expected = before["model.layers.1.self_attn.v_proj.weight"].double() + 2.0 * layer.b.double() @ layer.a.double()
    wanted = logits(network)
    lora.merge(network)
    merged = dict(network.named_parameters())
    assert merged.keys() == before.keys()
    assert torch.equal(merged["model.layers.1.self_attn.v_proj.weight"], expected.float())
    assert torch.allclose(logits(network), wanted, atol=1e-5)


@pytest.mark.parametrize("target", ["query", "lm_head", "linear"])
def test_a_name_that_fits_no_layer_is_refused(target):
    """The message names the layers that there are."""
    with pytest.raises(errors.PlanError, match=rf"lora.targets: expected names among .*q_proj.*, got {target}"):
        adapted(targets=("q_proj", target))
