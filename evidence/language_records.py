"""The records that the stages of a language model exchange. What a table's run has too keeps its own record type."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from evidence import job_records, record_base, records
from evidence.record_base import Quantity, Record, Sha256


class TextCounts(Record):
    """How much text there is."""

    documents: int = Field(ge=0)
    characters: int = Field(ge=0)
    bytes: int = Field(ge=0)
    """Of its UTF-8 form."""


class GroupCounts(TextCounts):
    """How much text a language, a domain or a corpus has."""

    name: str


class CorpusRef(Record):
    """One corpus as it was read."""

    id: str
    title: str
    sources: tuple[records.SourceFile, ...]
    counts: TextCounts
    languages: dict[str, int] = {}
    """Declared language to number of documents."""
    web_domains: dict[str, int] = {}
    """Domain that documents were crawled from to bytes; empty where no addresses are known."""
    empty: tuple[str, ...] = ()
    """Files, and members of archives, that hold no text."""
    unescaped: int = 0
    """Documents in which character references of HTML were replaced."""


class CorpusRecord(Record):
    """The text as it was ingested."""

    version: Literal[1] = 1
    corpora: tuple[CorpusRef, ...]
    shards: tuple[records.ArtifactRef, ...]
    """Parquet files with the columns `document` (SHA-256 of the text's UTF-8 form), `corpus`, `language`, `domain`,
    `web_domain` (or null) and `text`, in the order in which they were read."""
    counts: TextCounts
    documents_sha256: Sha256
    """SHA-256 over the sorted document digests, one hex digest per line."""


class CleaningStep(Record):
    """One step of the cleaning."""

    step: Literal[
        "length", "language", "block_list", "personal_data", "exact_duplicates", "near_duplicates", "contamination"
    ]
    title: str
    method: str
    """How it was done, with the parameters."""
    before: TextCounts
    after: TextCounts
    changed: int = 0
    """Documents whose text was changed (masked)."""
    found: dict[str, int] = {}
    """What was found, by kind: `email`, `phone`, `iban`; hits of a block list; clusters of duplicates."""


class CleaningRecord(Record):
    """What was done to the text."""

    version: Literal[1] = 1
    steps: tuple[CleaningStep, ...]
    shards: tuple[records.ArtifactRef, ...]
    """Parquet files as in `CorpusRecord`. `language` is the declared language, or where none is declared the identified
    one, or `und`; beside it stand `declared`, `identified` (null where it is below the plan's confidence) and
    `confidence`."""
    counts: TextCounts
    corpora: tuple[GroupCounts, ...]
    languages: tuple[GroupCounts, ...]
    domains: tuple[GroupCounts, ...]
    web_domains: dict[str, dict[str, int]] = {}
    """Corpus to domain that documents were crawled from to bytes that are left."""
    language_agreement: float | None = None
    """Share of the documents with a declared language that the identifier knows, and an identified one, in which the
    two are the same."""
    documents_sha256: Sha256


class TokenCounts(Record):
    """How many tokens a language, a domain or a corpus has."""

    name: str
    documents: int
    tokens: int
    bytes: int


class TokenisedPart(Record):
    """One part of the split as tokens."""

    documents: int
    tokens: int
    """Of every document once, end-of-text tokens included."""
    bytes: int
    """UTF-8 bytes of the text."""
    packed_tokens: int = 0
    """Tokens of the stream that is cut into sequences: `sequences` x context + 1 + `left_out_tokens`, where there is a
    sequence at all. In the training part canaries are in it, and each corpus as often as its weight says."""
    sequences: int
    """Packed sequences of the model's context."""
    shards: tuple[records.ArtifactRef, ...]
    """Parquet files: column `tokens`, list<int32> of `context + 1` tokens, the last of one the first of the next; the
    first `context` are the inputs of a sequence, the last its targets. The documents follow each other, divided by the
    end-of-text token; the rest that fills no sequence is left out and counted."""
    text: records.ArtifactRef
    """Parquet: `document`, `corpus`, `language`, `domain`, `text`, in order; validation and test hold all of their
    text, train a seeded sample for the memorisation checks."""
    digests_sha256: Sha256
    """SHA-256 of the sorted document digests that were read, one per line: equals `SplitPart.digests.sha256` of the
    part. Documents that the contamination step removed are among them."""
    languages: tuple[TokenCounts, ...]
    domains: tuple[TokenCounts, ...]
    corpora: tuple[TokenCounts, ...]
    left_out_tokens: int = 0


class Canary(Record):
    """A random string that was planted in the training text."""

    text_sha256: Sha256
    repetitions: int


class TokenisedData(Record):
    """The text as tokens, and the tokenizer."""

    version: Literal[1] = 1
    tokenizer: records.ArtifactRef
    """`tokenizer.json` of Hugging Face tokenizers."""
    kind: str
    """For example `byte-level BPE, trained on the training part`."""
    vocabulary: int
    context: int
    end_of_text: int
    """Token that ends a document."""
    parts: dict[records.Role, TokenisedPart]
    contamination: CleaningStep
    contaminated: int
    """Held-out documents that were contaminated before the step."""
    held_out: int
    canaries: tuple[Canary, ...] = ()
    canary_file: records.ArtifactRef | None = None
    """`CanaryFile` as JSON. Stays in the run folder; never in a bundle."""


class PlantedCanary(Record):
    """A canary with its text."""

    text: str
    repetitions: int


class CanaryFile(Record):
    """The strings that were planted, and the space that they were drawn from (see `evidence.canaries`)."""

    version: Literal[1] = 1
    prefix: str
    """What stands before the random part of every canary."""
    alphabet: str
    """Characters of the random part, each drawn with the same probability."""
    length: int
    """Characters of the random part."""
    planted: tuple[PlantedCanary, ...]


class StepPoint(Record):
    """One evaluation during training."""

    step: int
    tokens: int
    """Training tokens seen so far."""
    train_loss: float
    """Mean cross-entropy since the last point, nats per token."""
    validation_loss: float
    """Nats per token."""
    learning_rate: float
    seconds: float
    """Since the last point."""
    joules: float | None = None
    """Energy since the last point by the counters of all nodes; None where none could be read."""


class GenerationSample(Record):
    """What the model wrote at an evaluation, greedily. Prompts and texts may come from the validation part."""

    step: int
    prompt: str
    text: str


class BaseModelRef(Record):
    """The model that training started from."""

    name: str
    sha256: Sha256
    """Of `model.safetensors`."""
    config_sha256: Sha256
    parameters: int
    licence: str | None
    compute_flop: float | None
    compute_source: str | None


class LanguageTrainingRecord(Record):
    """How the language model came to be. Fields with the name of `TrainingRecord`'s mean the same."""

    version: Literal[1] = 1
    checkpoint: records.ArtifactRef
    """safetensors: weights of the evaluation with the smallest validation loss, adapters merged."""
    architecture: dict[str, Any]
    """Content of `config.json` as transformers writes it."""
    parameters: int
    """All, embeddings included; tied weights once."""
    trained_parameters: int
    """Those that an optimiser changed."""
    method: Literal["pretraining", "full fine-tuning", "lora"]
    base: BaseModelRef | None = None
    steps: int
    best_step: int
    tokens: int
    """Training tokens seen, epochs included."""
    epochs: float
    batch_tokens: int
    seed: int
    device: str
    precision: str
    compiled: bool
    parallel: str
    """`single`, `ddp` or `fsdp`, with the number of ranks."""
    hardware: str
    software: dict[str, str]
    tokens_per_second: float
    seconds: float
    flops: Quantity
    """By counting operators."""
    flops_otherwise: tuple[Quantity, ...] = ()
    """By 6·P·D, and the most that the hardware could have done (N·L·H·U)."""
    energy: Quantity
    curve: tuple[StepPoint, ...]
    samples: tuple[GenerationSample, ...] = ()
    uses: tuple[records.DataUse, ...]
    resumed: int = 0
    job: job_records.JobRecord | None = None


class GenerationParity(Record):
    """Greedy generation under ONNX Runtime against the source model, token by token."""

    prompts: int
    tokens: int
    """Generated in all."""
    equal: int
    """Prompts whose generation is equal in every token."""
    first_difference: str | None = None
    """Prompt and place of the first difference, with the gap of the two logits; None where there is none."""


class LanguageModelRef(records.ModelRef):
    """The language model as it ships: decoder with a key-value cache, and its tokenizer."""

    tokenizer: records.ArtifactRef
    config: records.ArtifactRef
    """`config.json`."""
    context: int
    vocabulary: int
    end_of_text: int
    layers: int
    key_value_heads: int
    head_width: int
    generation: GenerationParity

    @property
    def golden_given(self) -> tuple[records.ArtifactRef, ...]:
        """The golden input of every input of the graph, in its order."""
        return self.golden_inputs

    golden_inputs: tuple[records.ArtifactRef, ...] = ()
    """Of every input of the graph in its order; the first is `golden_input`."""


class ComputeItem(Record):
    """One item of the compute that counts, or does not (guidelines on general-purpose models, annex)."""

    item: str
    """Id in `configs/law/general_purpose.yaml`."""
    title: str
    counts: bool
    flop: float | None
    """None where it is not known; 0 where it did not happen."""
    method: str
    note: str | None = None


class ComputeComparison(Record):
    """The compute against one threshold."""

    threshold: str
    """Id in `configs/law/general_purpose.yaml`."""
    flop: float
    basis: str
    verdict: Literal["below", "within", "above", "unknown"]
    """`within`: at most 30 % away by the lowest or highest estimate; a person decides."""
    ratio_low: float | None
    ratio_high: float | None


class ReasonedStep(Record):
    """One step of a classification: question, answer, and what follows."""

    id: str
    question: str
    answer: str
    basis: str
    follows: str


class NumberRange(Record):
    """A range in which a form asks for a number."""

    title: str
    """As the form has it."""
    low: float
    below: float | None


class AccountRecord(Record):
    """Compute, energy and the class of the model that follows, with its path of reasons."""

    version: Literal[1] = 1
    estimates: tuple[Quantity, ...]
    """Training compute of this run by each method, FLOP."""
    low: float | None
    high: float | None
    spread: float | None
    """Highest estimate divided by the lowest. An upper bound by the hardware is listed, and is no estimate."""
    cumulative: Quantity
    """What counts towards the thresholds: this run with its requeues, earlier runs, synthetic data."""
    items: tuple[ComputeItem, ...]
    comparisons: tuple[ComputeComparison, ...]
    energy: Quantity
    """Of the training, MWh."""
    wall_time: Quantity
    """Of the training, days by the clock, requeues included."""
    hardware_time: Quantity
    """Days times devices."""
    size_range: NumberRange
    """Range of the Model Documentation Form in which the number of parameters lies."""
    time_range: NumberRange
    """Its range of the training time."""
    text_band: NumberRange
    """Band of the public summary in which the tokens of the training text lie, before training."""
    classes: dict[str, Literal["yes", "no", "open"]]
    """`general_purpose`, `systemic_risk`, `modifier_is_provider`, `open_source_exemption`: what follows from the
    answers and the figures; `open` where a person has to decide or answer. `compute_decided`: do the figures tell on
    which side of every threshold the compute is?"""
    path: tuple[ReasonedStep, ...]
    duties: tuple[str, ...]
    """Ids of the duties that follow, in `configs/law/general_purpose.yaml`."""
    notify_by: record_base.UtcTime | None = None
    """End of the two weeks of Art. 52(1), where the duty arises."""
