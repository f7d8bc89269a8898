"""Greedy generation with any decoder that keeps the graph's signature: the torch module, or the graph in a runtime."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch

from factory.language import decoder

Decode = Callable[[torch.Tensor, torch.Tensor, torch.Tensor, Sequence[torch.Tensor]], Sequence[torch.Tensor]]
"""See `decoder.Decoder.forward`."""


@torch.inference_mode()
def greedy(
    decode: Decode,
    architecture: dict[str, Any],
    prompts: Sequence[Sequence[int]],
    new: int,
    *,
    cache: bool = True,
    device: torch.device | None = None,
) -> tuple[list[list[int]], torch.Tensor]:
    """Continue prompts by the likeliest token, step by step; the first of equally likely ones is taken.

    The end-of-text token ends nothing here: every prompt gets the same number of tokens.

    Args:
        decode: The decoder.
        architecture: Content of `config.json`.
        prompts: Token ids, at least one each; shorter ones are padded on the left.
        new: Tokens to add.
        cache: Keep keys and values; without, every step reads the whole text again.
        device: Of the decoder.

    Returns:
        The new tokens of each prompt; and how much likelier each was than the next, (prompts, new), in logits.
    """
    width = max(len(prompt) for prompt in prompts)
    ids = torch.zeros(len(prompts), width, dtype=torch.int64, device=device)
    mask = torch.zeros_like(ids)
    for row, prompt in enumerate(prompts):
        ids[row, width - len(prompt) :] = torch.tensor(prompt)
        mask[row, width - len(prompt) :] = 1
    past = decoder.empty(architecture, len(prompts), device)
    given, gaps = ids, []
    for _ in range(new):
        positions = (mask.cumsum(1) - 1).clamp(min=0)[:, -given.shape[1] :]
        logits, *longer = decode(given, mask, positions, past)
        last = logits[:, -1].float()
        two = last.topk(2).values
        gaps.append(two[:, 0] - two[:, 1])
        chosen = last.argmax(dim=1, keepdim=True)
        ids = torch.cat([ids, chosen], dim=1)
        mask = torch.cat([mask, torch.ones_like(chosen)], dim=1)
        given, past = (chosen, longer) if cache else (ids, past)
    return ids[:, width:].tolist(), torch.stack(gaps, dim=1).cpu()
