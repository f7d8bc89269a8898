"""The records that stages exchange: frozen, versioned, NaN refused.

Stages hand over these and paths, never data frames or models. Every artefact is named by its path inside the run
folder (POSIX, relative) and its SHA-256. Times are UTC in ISO 8601. A failed check is a value here, not an exception.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from evidence import canonical, job_records, mitigation_records, record_base

Sha256 = record_base.Sha256
UtcTime = record_base.UtcTime
Quantity = record_base.Quantity
Role = Literal["train", "validation", "test"]
Status = Literal["pass", "fail", "inconclusive", "not_applicable", "not_measured"]
"""Only `pass` is a pass. `not_applicable` and `not_measured` always carry a reason."""


class Record(record_base.Record):
    """Base of every record of this module."""


class ArtifactRef(Record):
    """A file of the run folder."""

    path: str
    """Relative POSIX path inside the run folder."""
    sha256: Sha256
    size: int = Field(ge=0)
    """Bytes."""
    media_type: str


class SourceFile(Record):
    """A file that was read from outside the run folder. The name only: places are nobody's business."""

    name: str
    sha256: Sha256
    size: int = Field(ge=0)


class ColumnSchema(Record):
    """A column as it was found."""

    name: str
    kind: Literal["numeric", "integer", "categorical"]
    role: str
    unit: str | None = None
    missing: int = Field(ge=0)
    """Rows without a value."""
    distinct: int = Field(ge=0)


class DatasetRef(Record):
    """The data as they were ingested."""

    version: Literal[1] = 1
    title: str
    sources: tuple[SourceFile, ...]
    table: ArtifactRef
    """Parquet file of the declared columns; its last column `_row` is the row digest."""
    rows: int
    columns: tuple[ColumnSchema, ...]
    undeclared: tuple[str, ...] = ()
    """Columns of the source that the plan does not declare: listed, not stored."""
    schema_sha256: Sha256
    rows_sha256: Sha256
    """SHA-256 over the sorted row digests, one hex digest per line: identifies the content whatever the row order."""
    duplicate_rows: int
    """Rows that repeat an earlier row in every declared column."""


class Interval(Record):
    """A confidence interval."""

    low: float
    high: float
    level: float
    method: str
    """How it was made, for example `multinomial bootstrap, 1000 replicates, seed 0`."""


class Measure(Record):
    """One measured number."""

    name: str
    """Metric identifier of the catalogue, or `<check>.<part>`."""
    value: float | None
    """None where it is undefined; then `note` says why."""
    unit: str = "1"
    interval: Interval | None = None
    n: int | None = None
    """Rows it was computed from."""
    slice: str = "overall"
    """`overall`, an attribute (`sex`), an intersection (`sex × age_group`), or one group (`sex=female`)."""
    split: Role | None = None
    note: str | None = None


class Threshold(Record):
    """What the policy asks."""

    at_least: float | None = None
    at_most: float | None = None
    slice: str = "overall"


class CheckResult(Record):
    """The outcome of one check of the catalogue.

    `measures[0]` is the headline where there is more than one. A measure for which the policy sets no threshold is
    neither passed nor failed: its status is `not_applicable` with the reason `measured; the policy sets no threshold`.
    """

    version: Literal[1] = 1
    check_id: str
    title: str
    status: Status
    measures: tuple[Measure, ...] = ()
    threshold: Threshold | None = None
    reason: str
    """One sentence: what was found, against what."""
    severity: Literal["critical", "gate", "info"] = "gate"
    artifacts: tuple[ArtifactRef, ...] = ()
    details: dict[str, Any] = {}
    """Plotting data and tables (JSON): curves, confusion matrix, per-group counts. Never raw values of persons."""


class QualityRecord(Record):
    """Results of checks on the data."""

    version: Literal[1] = 1
    results: tuple[CheckResult, ...]
    data_docs: ArtifactRef | None = None
    """Entry page of the Great Expectations Data Docs."""


class SplitPart(Record):
    """One part of a split."""

    rows: int
    digests: ArtifactRef
    """Text file: one row digest per line, sorted."""
    entities: int | None = None
    """Number of different entities, where the plan names an entity column."""
    class_counts: dict[str, int] = {}


class SplitManifest(Record):
    """Which row sits where."""

    version: Literal[1] = 1
    seed: int
    method: str
    parts: dict[Role, SplitPart]
    assignment: ArtifactRef
    """Parquet: `_row` (digest), `_role`, in the row order of the ingested table."""

    @property
    def digest(self) -> str:
        """SHA-256 that stands for the split in the commitment."""
        return canonical.sha256({role: part.digests.sha256 for role, part in self.parts.items()})


class FeatureSpec(Record):
    """One input of the model, in the order of the input tensor."""

    name: str
    kind: Literal["numeric", "categorical"]
    """`integer` columns of the plan are numeric here, with `integer` set."""
    integer: bool = False
    unit: str | None = None
    categories: tuple[str, ...] = ()
    """Categories in the order of their codes 0…C−1. Any other code, and NaN, counts as missing."""
    labels: dict[str, str] = {}
    minimum: float | None = None
    """Smallest value in the training split (numeric)."""
    maximum: float | None = None
    mean: float | None = None
    """Mean over the training split, missing left out (numeric)."""
    std: float | None = None
    """Standard deviation over the training split (numeric); 1 for a constant feature."""
    median: float | None = None
    immutable: bool = False


class GroupColumn(Record):
    """Group membership of the rows of one part for one protected attribute."""

    codes: ArtifactRef
    """`.npy`, int16, shape (rows,): index into `names`; −1 is missing."""
    names: tuple[str, ...]


class Shards(Record):
    """The rows of a part once more, in Parquet files that a training reads piece by piece.

    A column for each feature, float32 as in `EncodedPart.x`, and one for the target; and what a training must know of
    all rows beforehand.
    """

    files: tuple[ArtifactRef, ...]
    digests_sha256: Sha256
    """SHA-256 of the sorted row digests, one per line."""
    class_counts: tuple[int, ...] = ()
    """Rows of each class; empty for regression."""
    target_mean: float = 0.0
    """Of a regression target."""
    target_std: float = 1.0


class EncodedPart(Record):
    """Arrays of one part. All in the same row order; all `.npy` without pickle."""

    rows: int
    x: ArtifactRef
    """float32, shape (rows, features): numbers as they are, categories as codes, missing as NaN."""
    y: ArtifactRef
    """int64 class codes, or float32 for regression; shape (rows,)."""
    row_digests: ArtifactRef
    """`S64` bytes, shape (rows,): hex row digest."""
    groups: dict[str, GroupColumn]
    """Protected attribute or intersection (`a × b`) to groups."""
    entities: ArtifactRef | None = None
    """int64 codes, shape (rows,), where the plan names an entity."""
    slices: dict[str, GroupColumn] = {}
    """Column by which the plan slices the rows to its slices."""
    unseen: dict[str, int] = {}
    """Feature to number of rows whose category the training split does not hold."""
    shards: Shards | None = None
    """Of the training part, where the plan streams it."""


class EncodedData(Record):
    """The split data as tensors, and the contract of the model's input and output."""

    version: Literal[1] = 1
    task: Literal["binary", "multiclass", "regression"]
    features: tuple[FeatureSpec, ...]
    classes: tuple[str, ...]
    """Names of the classes 0…K−1; empty for regression."""
    target: str
    target_unit: str | None = None
    parts: dict[Role, EncodedPart]


class DataUse(Record):
    """Which rows a step has read, for the leakage audit."""

    step: str
    """For example `fit`, `early stopping`, `threshold`, `evaluation`."""
    role: Role
    rows: int
    digests_sha256: Sha256
    """SHA-256 of the sorted row digests, one per line: equals `SplitPart.digests.sha256` if it read that part."""


class Commitment(Record):
    """What was fixed before the first evaluation (AI Act Art. 9(8))."""

    version: Literal[1] = 1
    plan_sha256: Sha256
    """Of the file of the plan, which holds every threshold that was written."""
    policy_sha256: Sha256
    """Of the policy as this code reads it, with what the plan leaves to its defaults."""
    split_sha256: Sha256
    code_sha256: Sha256
    """Of proofline's own source, and of the module that the plan names as its model."""
    at: UtcTime
    split_parts: dict[Role, Sha256] = {}
    """Digest of the rows of each part: `split_sha256` stands for them all. Empty in records of earlier versions."""
    packages: dict[str, str] = {}
    """Distribution to version, for those that shape a result. Empty in records of earlier versions."""


class EpochPoint(Record):
    """One epoch of training."""

    epoch: int
    train_loss: float
    validation_loss: float
    learning_rate: float
    seconds: float
    joules: float | None = None
    """Energy of the epoch by the counters of all nodes; None where none could be read."""


class DecisionThreshold(Record):
    """The probability from which the label is positive."""

    value: float
    criterion: str
    chosen_on: Role | None = None
    """The split it was chosen on; None when the plan states the number."""
    groups: mitigation_records.GroupThresholds | None = None
    """Cuts that take the place of `value` in the groups of an attribute, where the plan allows that."""


class Variant(Record):
    """A model that does not ship, kept for comparison: what to rebuild it from."""

    checkpoint: ArtifactRef
    architecture: dict[str, Any]
    threshold: DecisionThreshold | None = None


class Execution(Record):
    """How the passes of a training ran."""

    ranks: int
    """Processes that trained together when it ended; each has a GPU, or its share of the processors."""
    parallel: Literal["none", "ddp", "fsdp"]
    """`ddp`: a copy of the network on every rank; `fsdp`: a part of its weights, gradients and moments on each."""
    why: str
    """Why this kind, in words."""
    micro_batches: int
    """Passes into which each rank cuts its share of a batch."""
    compiled_graphs: int | None = None
    """Graphs that torch.compile made; None where the network was not compiled."""
    graph_breaks: int | None = None
    """How often a graph had to end and Python ran in between."""


class TrainingRecord(Record):
    """How the model came to be."""

    version: Literal[1] = 1
    checkpoint: ArtifactRef
    """safetensors: weights of the best epoch."""
    architecture: dict[str, Any]
    """What `factory.models.build` needs to rebuild the module."""
    parameters: int
    epochs: int
    """Epochs run; of an ensemble, by the member with the largest weight, whose curve this is."""
    best_epoch: int
    seed: int
    device: str
    precision: str
    hardware: str
    software: dict[str, str]
    rows_per_second: float
    seconds: float
    flops: Quantity
    """By counting operators."""
    flops_otherwise: tuple[Quantity, ...] = ()
    """The same by other methods: the formula of dense networks, and the most that the hardware could have done."""
    energy: Quantity
    curve: tuple[EpochPoint, ...]
    threshold: DecisionThreshold | None = None
    uses: tuple[DataUse, ...]
    resumed: int = 0
    """How often training was taken up again from a checkpoint."""
    execution: Execution | None = None
    """None in records from before it was recorded."""
    job: job_records.JobRecord | None = None
    """The batch job that trained; None for a training on this machine."""
    mitigation: mitigation_records.MitigationRecord | None = None
    calibration: mitigation_records.CalibrationRecord | None = None
    variants: dict[str, Variant] = {}
    """`unmitigated`: the same plan and seed without the mitigation. `uncalibrated`: without the temperature."""


class TensorSpec(Record):
    """One input or output of the graph."""

    name: str
    dtype: str
    shape: tuple[str | int, ...]


class Parity(Record):
    """Agreement of the ONNX graph with the source model, row by row."""

    rows: int
    split: Role
    max_abs_difference: float
    """Largest absolute difference of probabilities (or of the prediction, regression)."""
    label_agreement: float
    """Share of equal labels; 1 for regression."""
    tolerance: float
    max_batch_difference: float | None = None
    """Largest difference of a row's values in the whole batch from those it gets alone and in other batches."""


class ModelRef(Record):
    """The model as it ships."""

    version: Literal[1] = 1
    onnx: ArtifactRef
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    opset: int
    ir_version: int
    parent_checkpoint_sha256: Sha256
    operators: tuple[str, ...]
    parity: Parity
    golden_input: ArtifactRef
    """TensorProto, ONNX backend-test layout."""
    golden_outputs: tuple[ArtifactRef, ...]
    exporter: str
    comparisons: dict[str, ArtifactRef] = {}
    """Graphs of the training record's variants, by the same names. They are measured beside the model; none ships."""

    @property
    def golden_given(self) -> tuple[ArtifactRef, ...]:
        """The golden input of every input of the graph, in its order."""
        return (self.golden_input,)


class EvaluationRecord(Record):
    """What was measured on the ONNX graph, or on predictions that were given."""

    version: Literal[1] = 1
    onnx_sha256: Sha256 | None
    """The graph that was measured; None where predictions were given."""
    predictions_sha256: Sha256 | None = None
    """Digest of the record of the given predictions; None where a graph was measured."""
    commitment_sha256: Sha256
    committed_at: UtcTime
    started_at: UtcTime
    finished_at: UtcTime
    runtime: str
    """ONNX Runtime version and execution provider."""
    results: tuple[CheckResult, ...]
    uses: tuple[DataUse, ...]


class GateReason(Record):
    """One line of the decision."""

    check_id: str
    slice: str
    status: Status
    required: bool
    text: str
    """Measured, interval, threshold, n."""


class Waiver(Record):
    """A person's written acceptance of a gate that did not pass."""

    check_id: str
    slice: str
    person: str
    reason: str
    expires: str


class GateDecision(Record):
    """The three-valued answer."""

    version: Literal[1] = 1
    outcome: Literal["pass", "fail", "inconclusive"]
    reasons: tuple[GateReason, ...]
    waivers: tuple[Waiver, ...] = ()
    at: UtcTime


class DocumentsRecord(Record):
    """The documents that were rendered."""

    version: Literal[1] = 1
    documents: tuple[ArtifactRef, ...]
    gaps: tuple[str, ...] = ()
    """What the documents print as a gap."""

    @property
    def digest(self) -> str:
        """SHA-256 over the documents' paths and digests: what an approval is bound to."""
        return canonical.sha256({d.path: d.sha256 for d in self.documents})


class Attestation(Record):
    """What only a person can state."""

    version: Literal[1] = 1
    field: str
    text: str
    person: str
    role: str
    at: UtcTime


class Signature(Record):
    """ECDSA P-256 over the canonical JSON of the signed record without this field."""

    algorithm: Literal["ecdsa-p256-sha256"] = "ecdsa-p256-sha256"
    public_key: str
    """PEM, SubjectPublicKeyInfo."""
    fingerprint: Sha256
    """SHA-256 of the DER SubjectPublicKeyInfo."""
    value: str
    """Base64, DER-encoded."""


class Approval(Record):
    """A person's decision on one run and its documents."""

    version: Literal[1] = 1
    run_id: str
    run_sha256: Sha256
    documents_sha256: Sha256
    decision: Literal["approved", "refused"]
    person: str
    role: str
    reason: str
    at: UtcTime
    waivers: tuple[Waiver, ...] = ()
    """Required gates that did not pass and that the person accepts, each with a reason and an expiry date."""
    demonstration: bool = False
    """A demonstration approves nothing; whatever carries it says so."""
    declaration: tuple[ArtifactRef, ...] = Field(default=(), exclude_if=lambda drafts: not drafts)
    """The draft of the EU declaration of conformity that was made beside this approval. Empty where something stood
    against it, and then left out: approvals signed by earlier versions keep their bytes."""
    signature: Signature | None = None


class Distribution(Record):
    """An installed Python distribution."""

    name: str
    """Normalised, as package indexes compare names."""
    version: str
    licence: str | None = None
    """What the distribution says of itself: an SPDX expression where it gives one."""


class Environment(Record):
    """What was installed where the run was closed."""

    version: Literal[1] = 1
    distributions: tuple[Distribution, ...]


class Writer(Record):
    """The code and the packages by which something was written."""

    code_sha256: Sha256
    git_commit: str | None
    git_dirty: bool | None
    software: dict[str, str]
    """Distribution to version."""


class RunRecord(Record):
    """The closed run: every record by digest. Code and packages are those that measured."""

    version: Literal[1] = 1
    run_id: str
    system_id: str
    system_version: str
    plan_sha256: Sha256
    outcome: Literal["pass", "fail", "inconclusive"]
    started_at: UtcTime
    finished_at: UtcTime
    records: dict[str, ArtifactRef]
    """Stage name to its record."""
    ledger_lines: int
    ledger_head: Sha256
    """Digest of the ledger's last line before this record was written."""
    git_commit: str | None
    git_dirty: bool | None
    code_sha256: Sha256
    software: dict[str, str]
    """Distribution to version."""
    platform: str
    engine: Literal["prefect", "plain"]
    environment: ArtifactRef | None = None
    """Every installed distribution (`Environment`); None in runs of earlier versions."""
    documents_by: Writer | None = Field(default=None, exclude_if=lambda by: by is None)
    """What wrote the documents, where it is not what measured: the run was closed again after an upgrade."""


class BundleRecord(Record):
    """A bundle that was written and verified."""

    version: Literal[1] = 1
    bundle: ArtifactRef
    bundle_id: str
    key_fingerprint: Sha256
    demonstration: bool
    verified_at: UtcTime
    checks: dict[str, str]
    """Check of the reader to its result."""


class LineageRef(Record):
    """Where MLflow keeps its mirror of a run."""

    version: Literal[1] = 1
    uri: str
    """Address of the store, without user name and password."""
    experiment: str
    run_id: str
    """Identifier of the MLflow run."""
    model_id: str | None
    """Identifier of the logged model; None where predictions were given instead of a model."""
    model_name: str | None
    """Name of the registered model."""
    model_version: str | None
    """Version of the registered model."""
