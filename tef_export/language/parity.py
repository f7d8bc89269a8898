"""Does the graph say what its source says? Probabilities of the next token, and whole texts written greedily.

Compared on validation text, in other batches, with padding on the left, with the cache and without it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from configs import errors
from evidence import language_records, records
from factory.language import decoder, generation
from tef_export import coherence
from tef_export.language.graph import Runner

TOLERANCE = coherence.TOLERANCE
TOKENS = 2048
"""About how many validation tokens are compared."""
NEW = 32
"""Tokens that each prompt is continued by, where the context has room."""
LENGTHS = (1, 2, 5, 9, 16, 24)
"""Tokens of the prompts."""


def of_probabilities(
    source: decoder.Decoder, runner: Runner, architecture: dict[str, Any], rows: torch.Tensor
) -> records.Parity:
    """Compare the probabilities of the next token at every position.

    Args:
        source: The model in torch.
        runner: The graph.
        architecture: Content of `config.json`.
        rows: Validation sequences, int64 (sequences, tokens).

    Raises:
        VerificationError: They differ by more than the tolerance, or an answer depends on the batch.
    """
    with torch.inference_mode():
        expected = _probabilities(source, architecture, rows)
    found = _probabilities(runner, architecture, rows)
    difference = float((expected - found).abs().max())
    best = expected.max(dim=-1).values
    taken = expected.gather(-1, found.argmax(dim=-1, keepdim=True)).squeeze(-1)
    # Of tokens that are as likely as each other within the tolerance, either is right.
    agreement = float((taken >= best - TOLERANCE).double().mean())
    batch = _between_batches(runner, architecture, rows, found)
    if not (difference <= TOLERANCE and 1.0 - agreement <= TOLERANCE and batch <= TOLERANCE):
        raise errors.VerificationError(
            f"exported graph on {rows.numel()} validation tokens: expected the probabilities of its source within "
            f"{TOLERANCE:g}, in every batch, got a difference of {difference:g}, of {batch:g} between batches, and "
            f"{agreement:.2%} equal choices. This is a fault of the exporter."
        )
    return records.Parity(
        rows=rows.numel(),
        split="validation",
        max_abs_difference=difference,
        label_agreement=agreement,
        tolerance=TOLERANCE,
        max_batch_difference=batch,
    )


def _probabilities(decode: generation.Decode, architecture: dict[str, Any], rows: torch.Tensor) -> torch.Tensor:
    """Of the next token at each position, (sequences, tokens, vocabulary), from an empty cache."""
    positions = torch.arange(rows.shape[1]).expand(rows.shape)
    logits = decode(rows, torch.ones_like(rows), positions, decoder.empty(architecture, len(rows)))[0]
    return logits.softmax(dim=-1)


def _between_batches(runner: Runner, architecture: dict[str, Any], rows: torch.Tensor, whole: torch.Tensor) -> float:
    """Largest difference of a sequence's probabilities alone, and padded beside another, from those in the batch."""
    alone = _probabilities(runner, architecture, rows[:1])
    largest = float((alone[0] - whole[0]).abs().max())
    half = max(1, rows.shape[1] // 2)
    pad = rows.shape[1] - half
    short = torch.cat([torch.zeros_like(rows[:1, :pad]), rows[:1, :half]], dim=1)
    both = torch.cat([short, rows[:1]])
    mask = torch.ones_like(both)
    mask[0, :pad] = 0
    positions = (mask.cumsum(1) - 1).clamp(min=0)
    logits = runner(both, mask, positions, decoder.empty(architecture, 2))[0]
    padded = logits[0, pad:].softmax(dim=-1)
    return max(largest, float((padded - whole[0, :half]).abs().max()))


def of_generation(
    source: decoder.Decoder, runner: Runner, architecture: dict[str, Any], prompts: Sequence[Sequence[int]], new: int
) -> language_records.GenerationParity:
    """Continue prompts greedily by both, token by token.

    The source reads each prompt alone and without a cache. The graph reads all of them in one batch, padded on the
    left, with the cache; the same without it; and each alone with it.

    Raises:
        VerificationError: A token differs where the source's choice is no tie within the tolerance.
    """
    wanted, gaps = zip(*(generation.greedy(source, architecture, [p], new, cache=False) for p in prompts), strict=True)
    ways = [
        generation.greedy(runner, architecture, prompts, new)[0],
        generation.greedy(runner, architecture, prompts, new, cache=False)[0],
        [generation.greedy(runner, architecture, [p], new)[0][0] for p in prompts],
    ]
    equal, first = 0, None
    for number, (texts, gap) in enumerate(zip(wanted, gaps, strict=True)):
        places = [_differs(texts[0], way[number]) for way in ways]
        found = [place for place in places if place is not None]
        if not found:
            equal += 1
            continue
        place = min(found)
        margin = float(gap[0, place])
        told = f"prompt {number + 1}, token {place + 1}, where the source's two likeliest are {margin:.2g} apart"
        if margin > TOLERANCE:
            raise errors.VerificationError(
                f"greedy generation of the exported graph: expected the tokens of its source, got another at {told} in "
                "logits. This is a fault of the exporter."
            )
        first = first or told
    return language_records.GenerationParity(
        prompts=len(prompts), tokens=len(prompts) * new, equal=equal, first_difference=first
    )


def _differs(expected: Sequence[int], found: Sequence[int]) -> int | None:
    return next((i for i, (a, b) in enumerate(zip(expected, found, strict=True)) if a != b), None)
