"""The decoder as it ships: token ids, mask, positions and a key-value cache in; logits and the longer cache out.

One signature for the torch module, for the ONNX graph made of it, and for the generation that drives both. Padding is
on the left: the mask is 0 there, and the caller counts positions from the first real token.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import torch
from torch import nn


class Past:
    """Keys and values of each layer, as transformers' attention asks for them."""

    is_compileable = False

    def __init__(self, pairs: Iterable[tuple[torch.Tensor, torch.Tensor]]) -> None:
        self.pairs = list(pairs)

    def update(
        self, key: torch.Tensor, value: torch.Tensor, layer: int, *_: Any, **__: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Append to a layer; (batch, heads, past, width) becomes (batch, heads, past + sequence, width)."""
        earlier = self.pairs[layer]
        self.pairs[layer] = (torch.cat([earlier[0], key], dim=2), torch.cat([earlier[1], value], dim=2))
        return self.pairs[layer]

    def get_seq_length(self, layer: int = 0) -> int:
        """Tokens in the cache."""
        return self.pairs[layer][0].shape[2]


class Decoder(nn.Module):
    """A Llama model behind the graph's signature."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(
        self,
        input_ids: torch.Tensor,
        attention_mask: torch.Tensor,
        position_ids: torch.Tensor,
        past: Sequence[torch.Tensor],
    ) -> tuple[torch.Tensor, ...]:
        """Logits, then key and value of each layer.

        Args:
            input_ids: int64 (batch, sequence).
            attention_mask: int64 (batch, past + sequence); 0 is padding.
            position_ids: int64 (batch, sequence).
            past: Key and value of each layer in turn, (batch, heads, past, width).

        Returns:
            (batch, sequence, vocabulary), then (batch, heads, past + sequence, width) twice for each layer.
        """
        total, new = attention_mask.shape[1], input_ids.shape[1]
        query = torch.arange(new, device=input_ids.device)[:, None] + (total - new)
        key = torch.arange(total, device=input_ids.device)[None, :]
        seen = (key <= query)[None, None] & (attention_mask[:, None, None, :] > 0)
        # Finite, so that a row of padding alone gives no NaN.
        mask = torch.where(seen, 0.0, torch.finfo(torch.float32).min)
        cache = Past(zip(past[0::2], past[1::2], strict=True))
        made = self.network(
            input_ids=input_ids, attention_mask=mask, position_ids=position_ids, cache=cache, use_cache=False
        )
        return made.logits, *(tensor for pair in cache.pairs for tensor in pair)


def empty(architecture: dict[str, Any], batch: int, device: torch.device | None = None) -> list[torch.Tensor]:
    """A cache without tokens, for a batch of so many prompts."""
    heads, width, layers = shape(architecture)
    return [torch.zeros(batch, heads, 0, width, device=device) for _ in range(2 * layers)]


def shape(architecture: dict[str, Any]) -> tuple[int, int, int]:
    """Heads of keys and values, width of each, and layers."""
    heads = architecture["num_attention_heads"]
    width = architecture.get("head_dim") or architecture["hidden_size"] // heads
    return architecture.get("num_key_value_heads") or heads, width, architecture["num_hidden_layers"]
