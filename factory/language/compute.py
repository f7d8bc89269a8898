"""What training a language model cost in arithmetic: counted by operators, by 6·P·D, and at most by the hardware.

The methods are those of the Commission's guidelines on general-purpose models, C(2025) 5045, annex.
"""

from __future__ import annotations

import dataclasses

import torch
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from evidence import records
from factory import accounting, ranks
from factory.language.loop import TokenLoss

BOUNDARY = "all steps of the training, evaluations included, on all ranks"


@dataclasses.dataclass(frozen=True)
class Work:
    """How much was computed."""

    trained: int
    """Sequences passed forward and backward, those that a kill lost included."""
    lost: int
    """Of these, sequences of steps that were lost in a kill and computed again."""
    validated: int
    """Sequences passed forward only."""


def counted(network: nn.Module, row: torch.Tensor, work: Work) -> records.Quantity:
    """Matrix products counted by torch on one sequence, forward alone and with backward, times the sequences.

    Args:
        network: The decoder; its gradients are cleared.
        row: A packed sequence, int64 (1, context + 1), on the network's device.
        work: How much was computed.
    """
    loss = TokenLoss(network.eval())
    with sdpa_kernel(SDPBackend.MATH):
        with FlopCounterMode(display=False) as forward, torch.no_grad():
            loss(row)
        with FlopCounterMode(display=False) as both:
            loss(row).backward()
    network.zero_grad(set_to_none=True)
    total = both.get_total_flops() * work.trained + forward.get_total_flops() * work.validated
    lost = f", {work.lost} of them lost in a kill and trained again" if work.lost else ""
    return records.Quantity(
        value=float(total),
        unit="FLOP",
        method=(
            f"matrix products counted by torch.utils.flop_counter on one sequence, times {work.trained} sequences "
            f"trained on{lost} and {work.validated} validated on; attention counted in full, without deduction for the "
            "causal mask; element-wise operations, the optimiser and generated samples are not counted"
        ),
        boundary=BOUNDARY,
    )


def otherwise(
    network: nn.Module, work: Work, context: int, seconds: float, device: torch.device, precision: str
) -> tuple[records.Quantity, ...]:
    """The same by formula, and the most that the hardware could have done in that time.

    Args:
        network: The decoder as it is trained.
        work: How much was computed.
        context: Tokens of a sequence.
        seconds: Duration of all steps.
        device: On which it ran.
        precision: `fp32` or `bf16`.
    """
    every = sum(p.numel() for p in network.parameters())
    trained = sum(p.numel() for p in network.parameters() if p.requires_grad)
    # Gradients of what flows through are computed everywhere, gradients of weights only where they are trained.
    value = (4 * every + 2 * trained) * work.trained * context + 2 * every * work.validated * context
    peak = accounting.measured_peak(device, precision)
    share = "" if trained == every else f", of which {trained} are trained (4·P·D + 2·P' ·D)"
    return (
        records.Quantity(
            value=float(value),
            unit="FLOP",
            method=(
                f"formula 6·P·D: P = {every} parameters, embeddings included and tied ones once{share}; D = "
                f"{work.trained * context} tokens trained on; and 2·P for each of {work.validated * context} tokens "
                "validated on"
            ),
            boundary=BOUNDARY,
        ),
        records.Quantity(
            value=float(f"{ranks.count() * seconds * peak:.4g}"),
            unit="FLOP",
            method=(
                f"upper bound N·L·H·U: {ranks.count()} devices x seconds of all steps x the device's measured peak of "
                f"{peak:.3g} FLOP/s in {precision} x a utilisation of 1"
            ),
            boundary=BOUNDARY,
        ),
    )
