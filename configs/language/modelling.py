"""Tokenizer, architecture and training of a language model."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from configs.base import Section, Text
from configs.data import Sha256
from configs.modelling import require_whole

LEAST_SPLIT = 10
"""Documents of a language from which on it has held-out text."""


class TextSplit(Section):
    """Shares of the three parts, by document and within each language and domain."""

    train: float = Field(default=0.9, gt=0, lt=1)
    validation: float = Field(default=0.05, gt=0, lt=1)
    test: float = Field(default=0.05, gt=0, lt=1)
    seed: int = Field(default=0, ge=0)

    def counts(self, documents: int) -> tuple[int, int, int]:
        """How many documents of a language go to train, validation and test.

        Shares are rounded to the nearest; from `LEAST_SPLIT` documents on validation and test have one at least.
        """
        least = int(documents >= LEAST_SPLIT)
        validation, test = (max(least, int(share * documents + 0.5)) for share in (self.validation, self.test))
        train = documents - validation - test
        return (train, validation, test) if train > 0 else (documents, 0, 0)

    @model_validator(mode="after")
    def _sums_to_one(self) -> Self:
        require_whole(self.train, self.validation, self.test)
        return self


class Tokenizer(Section):
    """Byte-level byte-pair encoding, trained on the training part. With a base model, its own tokenizer is used."""

    vocabulary: int = Field(default=4096, ge=300, le=1_000_000)
    """Size, the 256 bytes and the special tokens included."""
    minimum_frequency: int = Field(default=2, ge=1)


class BaseModel(Section):
    """The model that training starts from: a local folder with `config.json`, safetensors and `tokenizer.json`."""

    path: Text
    """Folder, relative to `PROOFLINE_DATA` or the plan's folder. A pickle in it is refused."""
    sha256: Sha256 | None = None
    """Expected digest of `model.safetensors`. Checked when given."""
    name: Text
    """Name and version as its provider gives them."""
    provider: Text | None = None
    licence: Text | None = None
    url: Text | None = None
    summary_url: Text | None = None
    """Its public summary of training content."""
    compute_flop: float | None = Field(default=None, gt=0)
    """Its training compute, FLOP, as its provider states it; what is not known is replaced by the thresholds of the
    Commission's guidelines (paragraphs 63, 64)."""
    compute_source: Text | None = None
    systemic_risk: Literal["yes", "no", "unknown"] = "unknown"


class Lora(Section):
    """Low-rank adaptation (Hu et al. 2021). The adapted weights are merged before export."""

    rank: int = Field(default=8, ge=1, le=512)
    alpha: float = Field(default=16.0, gt=0)
    dropout: float = Field(default=0.0, ge=0, lt=1)
    targets: tuple[Text, ...] = ("q_proj", "k_proj", "v_proj", "o_proj")


class Architecture(Section):
    """A decoder of the Llama type. With a base model its own `config.json` decides, and the sizes here are refused."""

    layers: int = Field(default=4, ge=1, le=256)
    width: int = Field(default=128, ge=16, le=65_536)
    heads: int = Field(default=4, ge=1, le=512)
    key_value_heads: int | None = Field(default=None, ge=1)
    """Heads of keys and values (grouped-query attention); by default as many as `heads`."""
    feed_forward: int | None = Field(default=None, ge=16)
    """Width of the feed-forward layers; by default 8/3 of `width`, rounded up to a multiple of 16."""
    context: int = Field(default=256, ge=8, le=1_048_576)
    """Longest sequence, tokens."""
    tie_embeddings: bool = True
    rope_theta: float = Field(default=10_000.0, gt=0)
    base: BaseModel | None = None
    method: Literal["full", "lora"] = "full"
    """Which weights are trained."""
    lora: Lora = Lora()

    @model_validator(mode="after")
    def _coherent(self) -> Self:
        if self.width % self.heads or (self.width // self.heads) % 2:
            raise ValueError(f"width: expected an even multiple of heads ({self.heads}), got {self.width}")
        if self.heads % (self.key_value_heads or self.heads):
            raise ValueError(f"key_value_heads: expected a divisor of heads ({self.heads}), got {self.key_value_heads}")
        if self.method == "lora" and self.base is None:
            raise ValueError("method: expected a base model with lora, got none")
        fixed = {"layers", "width", "heads", "key_value_heads", "feed_forward", "tie_embeddings", "rope_theta"}
        if self.base is not None and (given := sorted(fixed & self.model_fields_set)):
            raise ValueError(f"{given[0]}: expected no size beside a base model, whose own config.json decides")
        return self


class LanguageTraining(Section):
    """How the model is trained: AdamW on packed sequences, linear warm-up, cosine schedule."""

    steps: int | None = Field(default=None, ge=1)
    """Optimiser steps; exactly one of `steps` and `epochs`."""
    epochs: float | None = Field(default=None, gt=0, le=1000)
    """Passes over the training tokens."""
    batch_sequences: int = Field(default=16, ge=1)
    """Sequences of the model's context in a step, over all ranks."""
    micro_batches: int = Field(default=1, ge=1, le=4096)
    """Into how many passes a step is cut, gradients summed up: less memory, the same step."""
    learning_rate: float = Field(default=1e-3, gt=0)
    minimum_learning_rate: float = Field(default=1e-4, ge=0)
    warmup: float = Field(default=0.05, ge=0, lt=1)
    """Share of the steps."""
    weight_decay: float = Field(default=0.1, ge=0)
    betas: tuple[float, float] = (0.9, 0.95)
    clip: float = Field(default=1.0, gt=0)
    """Largest norm of the gradient."""
    evaluate_every: int | None = Field(default=None, ge=1)
    """Steps between two evaluations on the validation part; by default ten in a training."""
    checkpoint_every: int | None = Field(default=None, ge=1)
    """Steps between two checkpoints; by default with each evaluation, and when five minutes have passed."""
    checkpoints: int = Field(default=3, ge=1, le=100)
    """How many are kept."""
    prompts: tuple[Text, ...] = ()
    """Beginnings that the model continues at each evaluation; by default the beginning of a validation document."""
    seed: int = Field(default=0, ge=0)
    device: Literal["auto", "cpu", "cuda"] = "auto"
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    """`auto` is bf16 on a GPU that has it, otherwise fp32."""
    compile: bool = False
    """Compile the model with `torch.compile`."""
    parallel: Literal["auto", "ddp", "fsdp"] = "auto"
    """On several ranks: copies of the model (DDP), or shards of it (FSDP2) where it does not fit; `auto` is DDP."""

    @model_validator(mode="after")
    def _coherent(self) -> Self:
        if (self.steps is None) == (self.epochs is None):
            raise ValueError("expected exactly one of steps and epochs")
        if self.minimum_learning_rate > self.learning_rate:
            raise ValueError(f"minimum_learning_rate: expected at most {self.learning_rate:g}, the learning_rate")
        if self.batch_sequences % self.micro_batches:
            raise ValueError(
                f"micro_batches: expected a divisor of batch_sequences ({self.batch_sequences}), got "
                f"{self.micro_batches}"
            )
        return self
