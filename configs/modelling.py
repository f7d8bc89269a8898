"""How the data are split, which model is trained, how, and where."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from configs.base import Section, Text


def require_whole(*shares: float) -> None:
    """Refuse shares that do not add up to 1.

    Raises:
        ValueError: They do not.
    """
    total = sum(shares)
    if abs(total - 1.0) > 1e-9:
        raise ValueError(f"expected shares that add up to 1, got {total:g}")


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
        require_whole(self.train, self.validation, self.test)
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


class Stream(Section):
    """How a streaming loader mixes the rows. Other numbers give another order."""

    shuffle_rows: int = Field(default=262_144, ge=1)
    """Rows that are held in memory to be shuffled, over all ranks together."""
    lanes: int = Field(default=16, ge=1, le=4096)
    """Parts of the data that are read side by side, each giving some rows to every batch: no fewer than ranks (GPUs)
    train."""


class Training(Section):
    """How the model is trained."""

    epochs: int = Field(default=50, ge=1)
    batch_size: int = Field(default=256, ge=1)
    micro_batches: int = Field(default=1, ge=1, le=1024)
    """Into how many passes each batch is cut, gradients summed up: less memory, the same step. With batch normalisation
    in a model of your own the statistics are those of a pass."""
    loader: Literal["memory", "stream"] = "memory"
    """`stream` reads the training rows from sharded Parquet as they are needed, each rank its own part, for data that
    do not fit into the memory of the machine that trains. The order of the rows is another than that of `memory`."""
    stream: Stream = Stream()
    parallel: Literal["auto", "ddp", "fsdp"] = "auto"
    """On several ranks (GPUs): a copy of the network on each (DDP), or a part of its weights on each (FSDP2); `auto` is
    the latter where weights, gradients and moments would take more than 60 % of a GPU's memory."""
    compile: bool = False
    """Compile the network with `torch.compile`: up to a minute at the start, then faster passes. Where it cannot be
    compiled the training ends and says so."""
    checkpoints: int = Field(default=3, ge=1, le=100)
    """How many checkpoints are kept, each whole and with its digest; a damaged one falls back to the one before."""
    checkpoint_seconds: float = Field(default=60.0, ge=0)
    """Longest time between two checkpoints, within epochs too: what a kill can lose."""
    checkpoint_every: int | None = Field(default=None, ge=1)
    """A checkpoint after every so many epochs as well, however short they are."""
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


_Word = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.:+@/=,-]{1,128}$")]
"""A value that a batch system reads: no space, no quote, nothing that a shell would look at."""
_Directive = Annotated[str, StringConstraints(pattern=r"^--[a-z][a-z-]*(=[A-Za-z0-9_.:+@/,*%-]+)?$")]
_Variable = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]


class Factory(Section):
    """Where the training runs. `local` is this machine; what a site asks for stands in its profile.

    `proofline factories` lists the sites, `proofline factories show SITE` explains one. Whatever is named here takes
    the place of what the profile says.
    """

    site: Text = "local"
    account: _Word | None = None
    """Project that the hours are billed to."""
    partition: _Word | None = None
    """Queue; by default the first of the profile."""
    qos: _Word | None = None
    """Quality of service."""
    nodes: int = Field(default=1, ge=1, le=4096)
    gpus_per_node: int = Field(default=1, ge=0, le=64)
    """0 trains on processors alone."""
    cpus_per_node: int | None = Field(default=None, ge=1, le=4096)
    """By default the site's CPUs per GPU, or 2 without a GPU."""
    memory_gb: float | None = Field(default=None, gt=0)
    """Memory of each node, GB; by default what the profile asks for, or nothing."""
    hours: float = Field(default=1.0, gt=0, le=24 * 14)
    """Longest time of the job; when it comes near, the training saves, and the job is requeued."""
    warn_seconds: int = Field(default=120, ge=10, le=3600)
    """How long before the end the job is warned: longer than a checkpoint takes to be written."""
    restarts: int = Field(default=20, ge=0, le=1000)
    """How often the job may requeue itself."""
    gpu_flag: Literal["gres", "gpus-per-node", "gpus"] | None = None
    gpu_type: _Word | None = None
    """Type in the request, as in `gpu:a100:4`, where a site wants one."""
    image: Text | None = None
    """Container image in which the job runs, as compute nodes see it; `$NAME` is a variable of the environment, so that
    no place of a machine stands in the plan."""
    modules: tuple[_Word, ...] | None = None
    """Modules to load, in place of the profile's."""
    environment: dict[_Variable, str] = {}
    """Variables of the job, beside the profile's."""
    python: Text = "python"
    """Python of the job: in the image, or of an environment on shared storage; `$NAME` as above."""
    cancel_on_interrupt: bool = False
    """Does Ctrl-C end the job too? By default it goes on, and `--resume` waits for it again."""
    directives: tuple[_Directive, ...] = ()
    """More lines for `sbatch`, such as `--constraint=a100_80`."""
    gpu_watts: float | None = Field(default=None, gt=0, le=10_000)
    """Rated power of one GPU, W: energy is estimated from it where nothing measures."""
    pue: float | None = Field(default=None, ge=1, le=5)
    """Power usage effectiveness: energy of the whole site over that of its machines, as the site states it."""
    grid_g_per_kwh: float | None = Field(default=None, ge=0, le=2000)
    """Grams of CO2 equivalent for each kWh that the site draws."""
