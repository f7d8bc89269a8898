"""What a training cost in arithmetic: counted operator by operator, by formula, and at most by the hardware."""

from __future__ import annotations

import time
from collections.abc import Callable

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from configs.wording import counted
from evidence import records
from factory import ranks

PEAK_TRIES = 8
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


def other_flops(
    network: nn.Module, passes: tuple[int, int], seconds: float, device: torch.device, precision: str
) -> tuple[records.Quantity, ...]:
    """The same by a formula, and the most that the hardware could have done in that time.

    The methods are those of the Commission's guidelines on general-purpose models, C(2025) 5045, annex: 2 operations
    for each weight and row forward, 4 backward; and N devices x L seconds x H peak x U utilisation.

    Args:
        network: The network.
        passes: Rows passed forward and backward in all, and rows passed forward only.
        seconds: Duration of all epochs.
        device: On which it ran.
        precision: `fp32` or `bf16`.
    """
    weights = sum(p.numel() for p in network.parameters() if p.requires_grad)
    peak = measured_peak(device, precision)
    return (
        records.Quantity(
            value=float(6 * weights * passes[0] + 2 * weights * passes[1]),
            unit="FLOP",
            method="formula: 6 operations for each weight and row trained on, 2 for each row validated on",
            boundary="all epochs of the training, on the device",
        ),
        records.Quantity(
            value=float(f"{ranks.count() * seconds * peak:.4g}"),
            unit="FLOP",
            method=(
                f"upper bound: {counted(ranks.count(), 'device')} × seconds of all epochs × the device's measured peak "
                f"of {peak / 1e9:,.4g} GFLOP/s in {precision} × a utilisation of 1"
            ),
            boundary="all epochs of the training, on the device",
        ),
    )


def measured_peak(device: torch.device, precision: str) -> float:
    """Most operations per second that a square matrix product reached here, FLOP/s."""
    size = 4096 if device.type == "cuda" else 512
    kind = torch.bfloat16 if precision == "bf16" else torch.float32
    a = torch.ones(size, size, device=device, dtype=kind)
    best = 0.0
    for _ in range(PEAK_TRIES):
        began = time.perf_counter()
        product = a @ a
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        best = max(best, 2 * size**3 / (time.perf_counter() - began))
        del product
    return best
