"""How the data are split, which model is trained, how, and where."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from configs.base import Section, Text


class Split(Section):
    """Shares of the three parts. Rows are assigned by a seeded hash of their content."""

    train: float = Field(default=0.6, gt=0, lt=1)
    validation: float = Field(default=0.2, gt=0, lt=1)
    test: float = Field(default=0.2, gt=0, lt=1)
    seed: int = Field(default=0, ge=0)
    stratify: bool = True
    """Keep the shares of the target's classes equal in the three parts."""

    @model_validator(mode="after")
    def _sums_to_one(self) -> Self:
        total = self.train + self.validation + self.test
        if abs(total - 1.0) > 1e-9:
            raise ValueError(f"expected shares that add up to 1, got {total:g}")
        return self


class Model(Section):
    """The model: our residual MLP for tables, or a user's own module."""

    family: Literal["residual_mlp"] = "residual_mlp"
    width: int = Field(default=64, ge=4, le=4096)
    """Units of each hidden layer."""
    blocks: int = Field(default=2, ge=0, le=64)
    """Residual blocks."""
    dropout: float = Field(default=0.1, ge=0, lt=1)
    normalisation: Literal["layer", "none"] = "layer"
    """Layer normalisation before each block, or none. Without it the network is linear layers and ReLU alone: proofs of
    its robustness (`robustness.certified`) reach further and can be exact; training may need a smaller learning rate.
    """
    factory: Annotated[str, StringConstraints(pattern=r"^[\w.]+:[A-Za-z_]\w*$")] | None = None
    """`package.module:function` that builds your own `torch.nn.Module`; takes the place of `family`."""
    options: dict[str, Any] = {}
    """Keyword arguments for `factory`."""


class Training(Section):
    """How the model is trained."""

    epochs: int = Field(default=50, ge=1)
    batch_size: int = Field(default=256, ge=1)
    learning_rate: float = Field(default=1e-3, gt=0)
    weight_decay: float = Field(default=1e-4, ge=0)
    patience: int = Field(default=10, ge=1)
    """Stop after this many epochs without a better validation loss."""
    class_weights: Literal["none", "balanced"] = "none"
    seed: int = Field(default=0, ge=0)
    device: Literal["auto", "cpu", "cuda"] = "auto"
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    """`auto` is bf16 on a GPU that has it, otherwise fp32."""
    threshold: Literal["balanced_accuracy", "f1"] | Annotated[float, Field(gt=0, lt=1)] = 0.5
    """Binary: the probability from which the label is positive; a number, or the criterion by which it is
    chosen on the validation split."""
    calibration: Literal["none", "temperature"] = "none"
    """`temperature`: one number, fitted on the validation split, divides the logits inside the graph (Guo et al. 2017).
    The decision threshold is chosen after it."""


class Factory(Section):
    """Where the training runs. `local` is this machine."""

    site: Text = "local"
