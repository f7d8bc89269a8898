"""What a training cost: arithmetic counted operator by operator, energy where a counter was read."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from evidence import records

ROWS = 32
"""Rows on which the operators are counted; the count per row does not depend on them."""


def training_flops(
    network: nn.Module,
    loss_of: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
    x: torch.Tensor,
    y: torch.Tensor,
    passes: tuple[int, int],
) -> records.Quantity:
    """Floating-point operations of a whole training.

    Counts one small batch, forward alone and with backward, and scales by rows. The network's gradients are cleared.

    Args:
        network: The network, on the device of `x`.
        loss_of: Loss of an output and its targets.
        x: Some training rows `(B, F)`.
        y: Their targets `(B,)`.
        passes: Rows passed forward and backward in all, and rows passed forward only.
    """
    x, y = x[:ROWS], y[:ROWS]
    network.eval()
    with FlopCounterMode(display=False) as forward, torch.no_grad():
        network(x)
    with FlopCounterMode(display=False) as both:
        loss_of(network(x), y).backward()
    network.zero_grad(set_to_none=True)
    total = (both.get_total_flops() * passes[0] + forward.get_total_flops() * passes[1]) / len(x)
    return records.Quantity(
        value=float(round(total)),
        unit="FLOP",
        method=(
            "matrix products counted by torch.utils.flop_counter on one batch, times the rows trained on and "
            "validated on; element-wise operations and the optimizer are not counted"
        ),
        boundary="all epochs of the training, on the device",
    )


def energy(device: torch.device) -> records.Quantity:
    """Energy of a training: unmeasured, with the reason."""
    what = "GPU" if device.type == "cuda" else "processor"
    return records.Quantity(
        value=None,
        unit="J",
        method=f"unmeasured: no energy counter of the {what} was read",
        boundary="process",
    )
