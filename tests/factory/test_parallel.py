from __future__ import annotations

import json

import pytest
import safetensors.torch
import torch
from torch import nn

from configs import errors
from factory import parallel
from tests.factory import launched, spread_training

COMPILER = pytest.mark.filterwarnings("ignore:`torch.jit.script_method` is deprecated:DeprecationWarning")
"""torch's compiler loads modules that use what torch itself has deprecated."""
SCRIPT = "tests.factory.spread_training"


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Folder of trainings of 1 rank and of 2, whole and taken up on another number of ranks."""
    out = tmp_path_factory.mktemp("spread")
    launched.run(1, SCRIPT, out, "one=auto:1:6", "chain=auto:1:2")
    jobs = ["ddp=ddp:1:6", "ddp_micro=ddp:4:6", "fsdp=fsdp:1:6", "fsdp_micro=fsdp:4:6", "chain=fsdp+c:2:4"]
    launched.run(2, SCRIPT, out, *jobs)
    launched.run(1, SCRIPT, out, "chain=auto:3:6")
    return out


def found(out, name):
    return safetensors.torch.load_file(out / f"{name}.safetensors"), json.loads((out / f"{name}.json").read_text())


@pytest.mark.slow
@pytest.mark.parametrize("name", ["ddp", "ddp_micro", "fsdp", "fsdp_micro", "chain"])
def test_ranks_shards_and_micro_batches_change_nothing(trained, name):
    """1 rank, 2 by DDP or FSDP2, accumulated or not, taken up in between on another number and compiled: one result.

    Losses of every step and the weights after the last agree within float32.
    """
    weights, losses = found(trained, "one")
    others, curve = found(trained, name)
    assert len(curve) == 6
    torch.testing.assert_close(torch.tensor(curve), torch.tensor(losses), rtol=1e-5, atol=1e-6)
    assert others.keys() == weights.keys()
    for key, tensor in weights.items():
        torch.testing.assert_close(others[key], tensor, rtol=1e-4, atol=1e-5, msg=key)


@pytest.mark.slow
def test_a_snapshot_of_shards_is_whole(trained):
    """What two ranks in shards write is one file with the shapes of the whole network, moments included."""
    place = trained / "fsdp" / "training" / "checkpoints"
    newest = safetensors.torch.load_file(place / f"{6:012d}.safetensors")
    shapes = {name: tensor.shape for name, tensor in spread_training.Small().state_dict().items()}
    assert {
        name.removeprefix("weights/"): t.shape for name, t in newest.items() if name.startswith("weights/")
    } == shapes
    moments = [t for name, t in newest.items() if name.endswith("exp_avg")]
    assert sorted(t.numel() for t in moments) == sorted(p.numel() for p in spread_training.Small().parameters())


def test_blocks_are_the_elements_of_module_lists():
    """Weights that are used elsewhere too stay with the whole network, and lists inside blocks are not cut again."""
    network = spread_training.Small()
    assert parallel.blocks(network) == list(network.layers)
    network.layers[1][3].weight = network.layers[0][3].weight
    assert parallel.blocks(network) == []
    assert parallel.blocks(nn.Linear(2, 2)) == []
    nested = nn.ModuleList([nn.ModuleDict({"inner": nn.ModuleList([nn.Linear(2, 2)])})])
    assert parallel.blocks(nested) == [nested[0]]


def test_one_rank_is_left_alone():
    """Alone, whatever the plan says, the network is used as it is."""
    network = nn.Linear(2, 2)
    for asked in ("auto", "ddp", "fsdp"):
        spread = parallel.spread(network, asked, torch.device("cpu"))
        assert (spread.passes, spread.kind, spread.why, spread.compiler) == (network, "none", "one rank", None)


def test_a_state_of_another_optimizer_comes_back():
    """Weights, moments and counts are those that were taken; the settings of the optimizer stay its own."""

    def make(rate):
        torch.manual_seed(0)
        network = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2))
        return network, torch.optim.AdamW(network.parameters(), lr=rate)

    network, optimizer = make(0.1)
    for _ in range(3):
        network(torch.ones(5, 3)).sum().backward()
        optimizer.step()
    taken = parallel.gathered(parallel.state_of(network, optimizer))
    other, its = make(0.2)
    parallel.take_up(other, its, taken)
    again = parallel.state_of(other, its)
    assert again.keys() == taken.keys()
    assert all(torch.equal(again[name], taken[name]) for name in taken)
    assert its.param_groups[0]["lr"] == 0.2


@COMPILER
@pytest.mark.slow
def test_a_compiled_network_is_the_same_network():
    """Compiled passes give the same gradients; graphs are counted; the names of the state do not change."""
    torch.manual_seed(0)
    plain, network = (nn.Sequential(nn.Linear(3, 8), nn.GELU(), nn.Linear(8, 2)) for _ in range(2))
    network.load_state_dict(plain.state_dict())
    spread = parallel.spread(network, "auto", torch.device("cpu"), compiled=True)
    x = torch.rand(4, 3)
    with spread.guarded():
        spread.passes(x).square().sum().backward()
    plain(x).square().sum().backward()
    for (name, one), (other, two) in zip(network.named_parameters(), plain.named_parameters(), strict=True):
        assert name == other
        torch.testing.assert_close(one.grad, two.grad)
    assert (spread.compiler.graphs, spread.compiler.breaks) == (1, 0)


class _Broken(nn.Module):
    def forward(self, x):
        """Asks a compiler for what it does not have."""
        return torch.cond(x.sum() > 0, lambda v: v, lambda v: v[:1], (x,))


@pytest.mark.slow
@COMPILER
def test_what_cannot_be_compiled_is_said():
    """Nothing falls back silently: a network that torch.compile cannot compile ends in a sentence."""
    spread = parallel.spread(_Broken(), "auto", torch.device("cpu"), compiled=True)
    with (
        pytest.raises(
            errors.MissingError, match=r"plan training\.compile: expected a network .* Set training\.compile"
        ),
        spread.guarded(),
    ):
        spread.passes(torch.ones(3))


def test_nothing_compiled_is_said():
    """A network that was asked to be compiled and was not, because it was never called, is no success."""
    spread = parallel.spread(nn.Linear(2, 2), "auto", torch.device("cpu"), compiled=True)
    with pytest.raises(errors.MissingError, match="got one of which nothing was compiled"), spread.guarded():
        pass
