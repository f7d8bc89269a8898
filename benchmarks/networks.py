"""Networks that the trainer's benchmarks take as a user's own module."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn
from torch.nn import functional

from evidence import records
from factory import models


class _Block(nn.Module):
    """Attention and a feed-forward layer, each after a normalisation and added to its input."""

    def __init__(self, width: int, heads: int, *, causal: bool) -> None:
        super().__init__()
        self.heads, self.causal = heads, causal
        self.before_attention, self.before_feed = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attend = nn.Linear(width, 3 * width, bias=False)
        self.mix = nn.Linear(width, width, bias=False)
        self.up, self.down = nn.Linear(width, 4 * width, bias=False), nn.Linear(4 * width, width, bias=False)

    def forward(self, h: torch.Tensor) -> torch.Tensor:
        """(batch, length, width)."""
        split = self.attend(self.before_attention(h)).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        attended = functional.scaled_dot_product_attention(split[0], split[1], split[2], is_causal=self.causal)
        h = h + self.mix(attended.transpose(1, 2).flatten(2))
        return h + self.down(functional.gelu(self.up(self.before_feed(h))))


class _OverFeatures(nn.Module):
    """Every value of the encoded table is a token."""

    def __init__(self, features: Sequence[records.FeatureSpec], outputs: int, width: int, layers: int) -> None:
        super().__init__()
        self.read = models.TableInput(features, 4)
        self.scale = nn.Parameter(torch.randn(self.read.width, width) * 0.02)
        self.place = nn.Parameter(torch.randn(self.read.width, width) * 0.02)
        self.layers = nn.ModuleList(_Block(width, 4, causal=False) for _ in range(layers))
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, outputs)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(batch, features) to (batch, outputs)."""
        h = self.read(x)[:, :, None] * self.scale + self.place
        for layer in self.layers:
            h = layer(h)
        return self.head(self.norm(h).mean(1))


class _OverWords(nn.Module):
    """Every feature is the number of a word; the last place decides. Shaped like a GPT."""

    def __init__(self, length: int, outputs: int, width: int, layers: int, words: int) -> None:
        super().__init__()
        self.word, self.place = nn.Embedding(words, width), nn.Parameter(torch.randn(length, width) * 0.02)
        self.layers = nn.ModuleList(_Block(width, max(1, width // 64), causal=True) for _ in range(layers))
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, outputs)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(batch, length) to (batch, outputs)."""
        h = self.word(torch.nan_to_num(x).long().clamp(0, self.word.num_embeddings - 1)) + self.place
        for layer in self.layers:
            h = layer(h)
        return self.head(self.norm(h[:, -1]))


def over_features(
    inputs: int, outputs: int, features: Sequence[records.FeatureSpec], width: int = 64, layers: int = 2
) -> nn.Module:
    """A transformer over the features of a table."""
    del inputs
    return _OverFeatures(features, outputs, width, layers)


def over_words(
    inputs: int,
    outputs: int,
    features: Sequence[records.FeatureSpec],
    width: int = 1024,
    layers: int = 24,
    words: int = 50_304,
) -> nn.Module:
    """A decoder whose features are words; by default 354 million parameters, those of the words included."""
    del features
    return _OverWords(inputs, outputs, width, layers, words)
