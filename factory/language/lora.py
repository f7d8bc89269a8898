"""Low-rank adaptation (Hu et al. 2021, arXiv:2106.09685): a frozen matrix W plus a trained product of two thin ones.

    y = W x + (alpha / rank) B A x

A begins at random, B at zero, so that training begins at the base model. After training W + (alpha / rank) B A takes
the place of W, and nothing of the adapter is left.
"""

from __future__ import annotations

import math

import torch
from torch import nn

from configs import errors
from configs.language.modelling import Lora

OUTPUT = "lm_head"
"""The output layer has no adapter: its weights may be those of the embedding."""


class Adapted(nn.Module):
    """A linear layer with its adapter."""

    def __init__(self, linear: nn.Linear, asked: Lora) -> None:
        super().__init__()
        self.linear = linear
        self.scale = asked.alpha / asked.rank
        self.dropout = nn.Dropout(asked.dropout)
        self.a = nn.Parameter(torch.empty(asked.rank, linear.in_features, device=linear.weight.device))
        self.b = nn.Parameter(torch.zeros(linear.out_features, asked.rank, device=linear.weight.device))
        nn.init.kaiming_uniform_(self.a, a=math.sqrt(5))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(…, in) to (…, out)."""
        return self.linear(x) + nn.functional.linear(nn.functional.linear(self.dropout(x), self.a), self.b) * self.scale

    @torch.no_grad()
    def merged(self) -> nn.Linear:
        """The linear layer that does the same. The product is computed in float64: merging rounds once."""
        change = (self.b.double() @ self.a.double()) * self.scale
        self.linear.weight.copy_((self.linear.weight.double() + change).to(self.linear.weight.dtype))
        return self.linear


def adapt(network: nn.Module, asked: Lora) -> None:
    """Freeze the network and put adapters beside the layers that the plan names.

    Raises:
        PlanError: A name fits no linear layer.
    """
    layers = {
        name: module
        for name, module in network.named_modules()
        if isinstance(module, nn.Linear) and name.rpartition(".")[2] != OUTPUT
    }
    kinds = {name.rpartition(".")[2] for name in layers}
    if unknown := sorted(set(asked.targets) - kinds):
        raise errors.PlanError(
            f"plan model.lora.targets: expected names among {', '.join(sorted(kinds))}, got {unknown[0]}. Correct it."
        )
    network.requires_grad_(requires_grad=False)
    for name, module in layers.items():
        if name.rpartition(".")[2] in asked.targets:
            _put(network, name, Adapted(module, asked))


def merge(network: nn.Module) -> None:
    """Put the merged layers in the place of the adapted ones; a network without adapters stays as it is."""
    for name, module in list(network.named_modules()):
        if isinstance(module, Adapted):
            _put(network, name, module.merged())


def _put(network: nn.Module, name: str, module: nn.Module) -> None:
    parent, _, last = name.rpartition(".")
    setattr(network.get_submodule(parent), last, module)
