"""One network over several ranks: copied (DDP) or in shards (FSDP2), compiled or not, its state whole for a checkpoint.

For any trainer that was started by `torch.distributed.run` and joined by `factory.ranks`:

    spread = parallel.spread(network, "auto", device, compiled=True)
    optimizer = torch.optim.AdamW(spread.network.parameters(), ...)     # only now: shards are other parameters
    loss_of(spread.passes(x)).backward()                                # gradients are averaged over the ranks
    with spread.unsynchronised(): ...                                   # all micro-batches of a step but the last
    with spread.evaluating(): spread.network(x)
    with spread.guarded(): ...                                          # around all passes
    kept.save(step, parallel.state_of(spread.network, optimizer), meta) # kept: factory.snapshots, on every rank
    parallel.take_up(spread.network, optimizer, kept.newest().tensors)  # before the first pass, on any number of ranks

DDP keeps a copy of the network on every rank. FSDP2 (`torch.distributed.fsdp.fully_shard`) keeps a part of weights,
gradients and moments on each, and collects the weights of one block at a time: for networks that do not fit. Blocks are
the elements of every `nn.ModuleList`; where there are none, the network is one block. Every rank then has to make the
same number of passes, because each of them collects weights. Both average gradients over the ranks; the results agree
within float32.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Literal

import torch
from torch import nn

from factory import compiling, ranks

Asked = Literal["auto", "ddp", "fsdp"]
Tensors = dict[str, torch.Tensor]
BYTES_PER_WEIGHT = 16
"""A weight, its gradient and two moments, each in float32."""
SHARE = 0.6
"""Of a GPU's memory that these may take before a network counts as one that does not fit; the rest is activations."""


@dataclasses.dataclass(frozen=True)
class Spread:
    """A network as it is trained here."""

    network: nn.Module
    """Has the parameters; validation calls it."""
    passes: nn.Module
    """Training passes call this one."""
    kind: Literal["none", "ddp", "fsdp"]
    why: str
    """Why this kind, in words."""
    compiler: compiling.Compiler | None = None
    """Where it is compiled."""

    def unsynchronised(self) -> contextlib.AbstractContextManager[None]:
        """Around a forward and backward pass whose gradients are kept until a later pass averages them."""
        if self.kind == "ddp":
            return self.passes.no_sync()  # type: ignore[no-any-return, operator]
        if self.kind == "fsdp":
            return _gradients_at_home(self.network)
        return contextlib.nullcontext()

    @contextlib.contextmanager
    def evaluating(self) -> Iterator[None]:
        """Around passes without gradients. Every rank makes them where the network is in shards."""
        # Weights that are collected in inference mode could not be trained on afterwards.
        with torch.no_grad() if self.kind == "fsdp" else torch.inference_mode():
            yield

    def guarded(self) -> contextlib.AbstractContextManager[None]:
        """Around all passes: what torch.compile cannot do is said (MissingError)."""
        return self.compiler.guarded() if self.compiler else contextlib.nullcontext()


def spread(
    network: nn.Module, asked: Asked, device: torch.device, *, unused: bool = False, compiled: bool = False
) -> Spread:
    """Spread a network over the ranks that were joined; changes it in place.

    Args:
        network: On its device, the same on every rank.
        asked: `auto` is DDP where weights, gradients and moments fit into the memory of a GPU, FSDP2 otherwise.
        device: Of this rank.
        unused: May a pass leave parameters unused? Looking for them costs DDP time.
        compiled: Compile the network, or each block of one in shards.
    """
    kind, why = choose(network, asked, device)
    compiler = compiling.Compiler() if compiled else None
    if compiler:
        # Block by block, and before, where it goes into shards: weights are collected between blocks.
        for block in (blocks(network) or [network]) if kind == "fsdp" else [network]:
            compiler.compile(block)
    passes = network
    if kind == "ddp":
        passes = nn.parallel.DistributedDataParallel(network, find_unused_parameters=unused)
    elif kind == "fsdp":
        from torch.distributed.fsdp import fully_shard  # noqa: PLC0415 - half a second that most trainings save

        for block in blocks(network):
            fully_shard(block)
        fully_shard(network)
    return Spread(network, passes, kind, why, compiler)


def choose(network: nn.Module, asked: Asked, device: torch.device) -> tuple[Literal["none", "ddp", "fsdp"], str]:
    """The kind, and why in words."""
    if ranks.count() == 1:
        return "none", "one rank"
    if asked != "auto":
        return asked, "as the plan says"
    if device.type != "cuda":
        return "ddp", "auto: on processors"
    needed = BYTES_PER_WEIGHT * sum(p.numel() for p in network.parameters())
    held = torch.cuda.get_device_properties(device).total_memory
    words = f"{needed / 2**30:.2f} GiB of weights, gradients and moments on GPUs of {held / 2**30:.0f} GiB"
    return ("fsdp" if needed > SHARE * held else "ddp"), f"auto: {words}"


def blocks(network: nn.Module) -> list[nn.Module]:
    """What is put into shards by itself: the elements of module lists that share no weight with anything outside."""
    used = Counter(id(p) for module in network.modules() for p in module.parameters(recurse=False))
    found: list[nn.Module] = []
    inside: set[int] = set()
    for module in network.modules():
        if not isinstance(module, nn.ModuleList) or id(module) in inside:
            continue
        for element in module:
            inside.update(id(m) for m in element.modules())
            own = Counter(id(p) for m in element.modules() for p in m.parameters(recurse=False))
            if own and all(used[p] == times for p, times in own.items()):
                found.append(element)
    return found


def full(tensor: torch.Tensor) -> torch.Tensor:
    """The whole of a tensor that is in shards, on every rank; another one as it is. Every rank calls this."""
    whole: torch.Tensor = tensor.full_tensor() if hasattr(tensor, "full_tensor") else tensor
    return whole


def gathered(tensors: Mapping[str, torch.Tensor], into: Tensors | None = None) -> Tensors:
    """Whole copies on the CPU of every rank, one after the other; they share no memory. Every rank calls this.

    Args:
        tensors: Whole or in shards.
        into: Earlier copies of the same tensors, whose memory is used again where it fits.
    """
    into = into or {}
    found: Tensors = {}
    for name, tensor in tensors.items():
        source, place = full(tensor.detach()), into.get(name)
        if place is None or place.shape != source.shape or place.dtype != source.dtype:
            place = torch.empty(source.shape, dtype=source.dtype)
        found[name] = place.copy_(source)
    return found


def state_of(network: nn.Module, optimizer: torch.optim.Optimizer) -> Tensors:
    """Weights, buffers and moments as they are, in shards or not: `weights/NAME` and `optimizer/INDEX/NAME`."""
    tensors = {f"weights/{name}": tensor for name, tensor in network.state_dict().items()}
    for index, moments in optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer/{index}/{name}": tensor for name, tensor in moments.items()}
    return tensors


def take_up(network: nn.Module, optimizer: torch.optim.Optimizer, tensors: Mapping[str, torch.Tensor]) -> None:
    """Give a network and its optimizer a state of `state_of`, whole; other names are left out. No rank waits.

    Args:
        network: Spread over any number of ranks.
        optimizer: Of its parameters, in the same order as when the state was taken; its settings are kept.
        tensors: Whole, on the CPU.
    """
    now = network.state_dict()
    weights = {name.removeprefix("weights/"): t for name, t in tensors.items() if name.startswith("weights/")}
    network.load_state_dict({name: like(t, now[name]) if name in now else t for name, t in weights.items()})
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    moments: dict[int, Tensors] = {}
    for name, tensor in tensors.items():
        if name.startswith("optimizer/"):
            index, key = name.removeprefix("optimizer/").split("/", 1)
            moments.setdefault(int(index), {})[key] = like(tensor, parameters[int(index)])
    optimizer.load_state_dict({"state": moments, "param_groups": optimizer.state_dict()["param_groups"]})


def like(tensor: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
    """In shards as `other` is, where it has the same shape."""
    if not hasattr(other, "full_tensor") or tensor.shape != other.shape:
        return tensor
    from torch.distributed.tensor import distribute_tensor  # noqa: PLC0415 - there already where shards are

    found: torch.Tensor = distribute_tensor(
        tensor.to(other.device), other.device_mesh, other.placements, src_data_rank=None
    )
    return found


@contextlib.contextmanager
def _gradients_at_home(network: Any) -> Iterator[None]:
    """Gradients stay on the rank that computed them."""
    network.set_requires_gradient_sync(requires_gradient_sync=False)
    try:
        yield
    finally:
        network.set_requires_gradient_sync(requires_gradient_sync=True)
