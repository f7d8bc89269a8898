"""What training a language model cost in arithmetic: counted by operators, by 6·P·D, and at most by the hardware.

The methods are those of the Commission's guidelines on general-purpose models, C(2025) 5045, annex.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import torch
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from configs import wording
from configs.language.modelling import Architecture
from evidence import records
from factory import accounting, ranks
from factory.language import lora, model

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
    context: int
    """Tokens of a sequence."""


def of_sequence(asked: Architecture, architecture: Mapping[str, Any], context: int) -> tuple[int, int]:
    """Operations of matrix products on one sequence: forward, and forward with backward.

    Counted by torch on a model without numbers, so that nothing is computed.

    Args:
        asked: The plan's section: with adapters the frozen weights have no gradients.
        architecture: Content of `config.json`.
        context: Tokens.
    """
    with torch.device("meta"):
        network = model.build(architecture)
        if asked.method == "lora":
            lora.adapt(network, asked.lora)
        ids = torch.zeros(1, context, dtype=torch.int64)
        mask = torch.zeros(1, 1, context, context)
    with sdpa_kernel(SDPBackend.MATH):
        with FlopCounterMode(display=False) as forward, torch.no_grad():
            network(input_ids=ids, attention_mask=mask, use_cache=False)
        with FlopCounterMode(display=False) as both:
            logits = network(input_ids=ids, attention_mask=mask, use_cache=False).logits
            nn.functional.cross_entropy(logits.flatten(0, 1), ids.flatten()).backward()
    return forward.get_total_flops(), both.get_total_flops()


def counted(asked: Architecture, architecture: Mapping[str, Any], work: Work) -> records.Quantity:
    """Operations of all sequences, by counting those of one. See `of_sequence`."""
    forward, both = of_sequence(asked, architecture, work.context)
    lost = f", {work.lost} of them lost in a kill and trained again" if work.lost else ""
    return records.Quantity(
        value=float(both * work.trained + forward * work.validated),
        unit="FLOP",
        method=(
            f"matrix products counted by torch.utils.flop_counter on one sequence, times {work.trained} sequences "
            f"trained on{lost} and {work.validated} validated on; attention counted in full, without deduction for the "
            "causal mask; element-wise operations, the optimiser and generated samples are not counted"
        ),
        boundary=BOUNDARY,
    )


def otherwise(
    parameters: int, trained: int, work: Work, seconds: float, device: torch.device, precision: str
) -> tuple[records.Quantity, ...]:
    """The same by formula, and the most that the hardware could have done in that time.

    Args:
        parameters: Of the model while it is trained, embeddings included, tied ones once.
        trained: Of these, the ones that are trained.
        work: How much was computed.
        seconds: Duration of all steps.
        device: On which it ran.
        precision: `fp32` or `bf16`.
    """
    # Gradients of what flows through are computed everywhere, gradients of weights only where they are trained.
    seen, judged = work.trained * work.context, work.validated * work.context
    value = (4 * parameters + 2 * trained) * seen + 2 * parameters * judged
    peak = accounting.measured_peak(device, precision)
    formula = "6·P·D" if trained == parameters else f"4·P·D + 2·P'·D with P' = {trained} trained parameters"
    return (
        records.Quantity(
            value=float(value),
            unit="FLOP",
            method=(
                f"formula {formula}: P = {parameters} parameters, embeddings included and tied ones once; D = {seen} "
                f"tokens trained on; and 2·P for each of {judged} tokens validated on"
            ),
            boundary=BOUNDARY,
        ),
        records.Quantity(
            value=float(f"{ranks.count() * seconds * peak:.4g}"),
            unit="FLOP",
            method=(
                f"upper bound N·L·H·U: {wording.counted(ranks.count(), 'device')} × seconds of all steps × the "
                f"device's measured peak of {peak / 1e9:,.4g} GFLOP/s in {precision} × a utilisation of 1"
            ),
            boundary=BOUNDARY,
        ),
    )
