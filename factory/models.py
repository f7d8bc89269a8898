"""The model for tables, and the form in which it ships: everything from raw columns to label inside one module.

`build` makes the network from its record alone. It takes float32 `(B, F)` in the plan's feature order (categories as
integer codes, missing as NaN) and returns logits `(B, K)`, also for two classes (K = 2), or predictions `(B, 1)` in
the unit of the target. `ShippedModel` turns logits into the outputs of the exported graph. Knows nothing of files.

The network is the residual MLP of Gorishniy et al., "Revisiting Deep Learning Models for Tabular Data" (NeurIPS
2021), with layer instead of batch normalisation, so that a row's output never depends on its batch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import nn

from configs.modelling import Model
from evidence import records
from factory import user_module

LIMIT = 100.0
"""Standardised values are cut at ± this many standard deviations, so that no finite input overflows."""
MOST_EMBEDDING = 16
"""Largest width of an embedding."""


class TableInput(nn.Module):
    """Raw columns to a dense row: impute, standardise, flag and embed.

    Numeric: NaN and ±inf count as missing; they become the training median, and a flag says so. Values are
    standardised by the training mean and standard deviation. Categorical: code c in 0…C−1 uses row c + 1 of its
    embedding table; NaN and every other value use row 0, missing.
    """

    def __init__(self, features: Sequence[records.FeatureSpec], embedding: int) -> None:
        super().__init__()
        numeric = [(i, f) for i, f in enumerate(features) if f.kind == "numeric"]
        categorical = [(i, f) for i, f in enumerate(features) if f.kind == "categorical"]
        self.flags = len(numeric)
        self.width = 2 * len(numeric) + embedding * len(categorical)
        self._keep("numeric", torch.tensor([i for i, _ in numeric], dtype=torch.int64))
        self._keep("median", _column(f.median or 0.0 for _, f in numeric))
        self._keep("mean", _column(f.mean or 0.0 for _, f in numeric))
        self._keep("std", _column(f.std or 1.0 for _, f in numeric))
        sizes = torch.tensor([len(f.categories) for _, f in categorical], dtype=torch.int64)
        self._keep("categorical", torch.tensor([i for i, _ in categorical], dtype=torch.int64))
        self._keep("sizes", sizes.to(torch.float32))
        self._keep("offsets", torch.cumsum(sizes + 1, 0) - (sizes + 1))
        self.embedding = nn.Embedding(int((sizes + 1).sum()), embedding) if categorical else None
        if self.embedding is not None:
            with torch.no_grad():
                # Neutral where training never sees a missing value.
                self.embedding.weight[self.offsets] = 0.0

    def _keep(self, name: str, value: torch.Tensor) -> None:
        self.register_buffer(name, value)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Raw `(B, F)` to dense `(B, width)`: standardised numbers, missing flags, embeddings."""
        parts = []
        if self.flags:
            parts += self._numbers(features.index_select(1, self.numeric))
        if self.embedding is not None:
            codes = features.index_select(1, self.categorical)
            parts.append(self.embedding(self._rows(codes)).flatten(1))
        return torch.cat(parts, 1)

    def _numbers(self, values: torch.Tensor) -> list[torch.Tensor]:
        present = torch.isfinite(values)
        filled = torch.where(present, values, self.median)
        scaled = ((filled - self.mean) / self.std).clamp(-LIMIT, LIMIT)
        return [scaled, torch.logical_not(present).to(values.dtype)]

    def _rows(self, codes: torch.Tensor) -> torch.Tensor:
        known = (codes >= 0) & (codes < self.sizes) & (codes == torch.floor(codes))
        return torch.where(known, codes + 1.0, torch.zeros_like(codes)).to(torch.int64) + self.offsets


class Block(nn.Module):
    """Pre-normalised residual block: `h + W2 dropout(relu(W1 norm(h)))`, shape `(B, width)` kept."""

    def __init__(self, width: int, dropout: float, normalisation: str) -> None:
        super().__init__()
        self.change = nn.Sequential(
            _norm(normalisation, width),
            nn.Linear(width, width),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(width, width),
        )

    def forward(self, h: torch.Tensor) -> torch.Tensor:
        """One block."""
        return h + self.change(h)


class ResidualMLP(nn.Module):
    """Residual MLP for tables: raw `(B, F)` to `(B, outputs)`."""

    def __init__(
        self,
        features: Sequence[records.FeatureSpec],
        outputs: int,
        *,
        width: int,
        blocks: int,
        dropout: float,
        embedding: int,
        normalisation: str = "layer",
    ) -> None:
        super().__init__()
        self.input = TableInput(features, embedding)
        self.first = nn.Linear(self.input.width, width)
        self.blocks = nn.Sequential(*(Block(width, dropout, normalisation) for _ in range(blocks)))
        self.head = nn.Sequential(_norm(normalisation, width), nn.ReLU(), nn.Linear(width, outputs))
        with torch.no_grad():
            # A flag that is never raised in training gets no gradient: it must then mean nothing.
            self.first.weight[:, self.input.flags : 2 * self.input.flags] = 0.0

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Logits or standardised predictions `(B, outputs)`."""
        return self.head(self.blocks(self.first(self.input(features))))


class InTargetUnits(nn.Module):
    """Wraps a regression network that predicts the standardised target; returns predictions in the target's unit."""

    def __init__(self, network: nn.Module, mean: float, std: float) -> None:
        super().__init__()
        self.network = network
        self.register_buffer("mean", torch.tensor(mean, dtype=torch.float32))
        self.register_buffer("std", torch.tensor(std, dtype=torch.float32))

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Predictions `(B, 1)`."""
        return self.network(features) * self.std + self.mean


class WeightedMean(nn.Module):
    """Several classifiers as one: p = Σ wᵢ pᵢ, returned as log p, so that a softmax gives p back.

    This is the deterministic form of a classifier that draws a member by its weight. Logits of the members are moved
    by a constant first (see `factory.reduction`), and constants may stand among the members.
    """

    def __init__(
        self, members: Sequence[nn.Module], weights: Sequence[float], constants: Sequence[float], shift: float
    ) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)
        self._keep("log_weights", torch.tensor(weights).log())
        # Weight of the constant classifiers by class; the floor stands for log 0.
        self._keep("log_constants", torch.tensor(constants).log().clamp(min=-LIMIT)[None, None, :])
        self._keep("shift", torch.tensor([0.0, shift]))
        self.constants = any(constants)

    def _keep(self, name: str, value: torch.Tensor) -> None:
        # Not in the state: the record holds the weights.
        self.register_buffer(name, value.to(torch.float32), persistent=False)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Log probabilities `(B, 2)`."""
        logs = [torch.log_softmax(member(features).to(torch.float32) + self.shift, 1) for member in self.members]
        terms = torch.stack(logs) + self.log_weights[:, None, None]
        if self.constants:
            terms = torch.cat([terms, self.log_constants.expand(1, terms.shape[1], 2)])
        return torch.logsumexp(terms, 0)


class Tempered(nn.Module):
    """Logits divided by a temperature (Guo et al., ICML 2017)."""

    def __init__(self, network: nn.Module, temperature: float) -> None:
        super().__init__()
        self.network = network
        self.register_buffer("temperature", torch.tensor(temperature, dtype=torch.float32), persistent=False)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Logits `(B, K)`."""
        return self.network(features).to(torch.float32) / self.temperature


class ShippedModel(nn.Module):
    """The output contract around a network.

    Classification returns `label` int64 `(B,)` and `probabilities` float32 `(B, K)`. With two classes the label is 1
    where `probabilities[:, 1]` is at least the threshold, which is part of the graph; with more it is the most
    probable class. `cuts` gives each row a threshold of its own. Regression returns `prediction` float32 `(B, 1)`.
    """

    def __init__(
        self, network: nn.Module, task: str, threshold: float | None = None, cuts: nn.Module | None = None
    ) -> None:
        super().__init__()
        self.network = network
        self.task = task
        self.cuts = cuts
        self.register_buffer("threshold", torch.tensor(0.5 if threshold is None else threshold, dtype=torch.float32))

    def forward(self, features: torch.Tensor) -> torch.Tensor | tuple[torch.Tensor, torch.Tensor]:
        """The outputs of the graph for raw features `(B, F)`."""
        output = self.network(features).to(torch.float32)
        if self.task == "regression":
            return output
        probabilities = torch.softmax(output, 1)
        if self.task == "binary":
            threshold = self.threshold if self.cuts is None else self.cuts(features)
            return (probabilities[:, 1] >= threshold).to(torch.int64), probabilities
        return torch.argmax(probabilities, 1), probabilities


def outputs_of(encoded: records.EncodedData) -> int:
    """Width of the network's output: K for K classes, 1 for regression."""
    return 1 if encoded.task == "regression" else len(encoded.classes)


def describe(
    model: Model, encoded: records.EncodedData, target_mean: float = 0.0, target_std: float = 1.0
) -> dict[str, Any]:
    """The architecture as plain data: all that `build` needs beside the feature specifications.

    Args:
        model: Section of the plan.
        encoded: The encoded data.
        target_mean: Mean of the training target (regression).
        target_std: Standard deviation of the training target (regression).
    """
    common: dict[str, Any] = {"version": 1, "task": encoded.task, "outputs": outputs_of(encoded)}
    if encoded.task == "regression":
        common |= {"target_mean": target_mean, "target_std": target_std}
    if model.factory:
        return common | {"factory": model.factory, "options": model.options}
    most = max((len(f.categories) for f in encoded.features), default=0)
    return common | {
        "family": model.family,
        "width": model.width,
        "blocks": model.blocks,
        "dropout": model.dropout,
        "embedding": min(MOST_EMBEDDING, max(2, (most + 1) // 2)),
        "normalisation": model.normalisation,
    }


def build(architecture: Mapping[str, Any], features: Sequence[records.FeatureSpec]) -> nn.Module:
    """The network of an architecture, with fresh weights from torch's current generator.

    Args:
        architecture: What `describe` returned, as it stands in the training record.
        features: The model's inputs in order.

    Returns:
        A module that maps float32 `(B, F)` to logits `(B, K)` or to predictions `(B, 1)` in the target's unit.

    Raises:
        PlanError: When a user's own factory cannot be used.
    """
    if "ensemble" in architecture:
        return _weighted_mean(architecture["ensemble"], features)
    outputs = architecture["outputs"]
    if "factory" in architecture:
        network = user_module.build(architecture["factory"], features, outputs, architecture["options"])
    else:
        sizes = {name: architecture[name] for name in ("width", "blocks", "dropout", "embedding")}
        # Records from before the choice existed have layer normalisation.
        network = ResidualMLP(features, outputs, **sizes, normalisation=architecture.get("normalisation", "layer"))
    if architecture["task"] == "regression":
        return InTargetUnits(network, architecture["target_mean"], architecture["target_std"])
    return network


def ensemble(
    member: Mapping[str, Any], weights: Sequence[float], constants: Sequence[float], shift: float
) -> dict[str, Any]:
    """The architecture of a weighted mean.

    Args:
        member: Architecture of each of its networks.
        weights: Their weights.
        constants: Weight of the classifiers that always give class 0, and of those that always give class 1.
        shift: Added to the members' logits of class 1.
    """
    common = {key: member[key] for key in ("version", "task", "outputs", "factory") if key in member}
    inner = {"of": dict(member), "weights": [*weights], "constants": [*constants], "shift": shift}
    return {**common, "ensemble": inner}


def calibrated(network: nn.Module, architecture: Mapping[str, Any]) -> nn.Module:
    """The network with the temperature of its architecture, where there is one."""
    temperature = architecture.get("temperature")
    return network if temperature is None else Tempered(network, temperature)


def _weighted_mean(described: Mapping[str, Any], features: Sequence[records.FeatureSpec]) -> WeightedMean:
    members = [build(described["of"], features) for _ in described["weights"]]
    return WeightedMean(members, described["weights"], described["constants"], described["shift"])


def _norm(normalisation: str, width: int) -> nn.Module:
    return nn.LayerNorm(width) if normalisation == "layer" else nn.Identity()


def _column(values: Any) -> torch.Tensor:
    return torch.tensor(list(values), dtype=torch.float32)
