"""`data/bundle.json`: what a bundle holds, in one file that a machine can read.

The JSON Schema beside this module is generated from these types (`schema_text`); a test keeps the two equal.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal, TypeVar

import pydantic

from configs import errors
from configs.language.load import AnyPlan
from evidence import record_base, records
from tef_export import strict_json

PLACE = "data/bundle.json"
SCHEMA = Path(__file__).with_name("bundle_schema.json")

R = TypeVar("R", bound=pydantic.BaseModel)
FileRole = Literal[
    "model", "golden_input", "golden_output", "card", "licence", "plan", "evaluation", "evidence", "ledger", "document",
    "recipe", "test_rows", "tokenizer", "configuration", "bom", "attestation", "layout", "model_copy",
    "property",
]  # fmt: skip


class BundleFile(records.Record):
    """One file of the payload. `bundle.json` itself is not listed; the bag's manifest and the signatures hold it."""

    path: str
    """POSIX path below the top directory, for example `data/model/model.onnx`."""
    role: FileRole
    sha256: records.Sha256
    size: int = pydantic.Field(ge=0)
    """Bytes."""
    media_type: str


class SystemIdentity(records.Record):
    """Which system, whose, for what."""

    id: str
    name: str
    version: str
    provider: str
    intended_purpose: str


class InputFeature(records.Record):
    """One column of the model's input, in order."""

    name: str
    kind: Literal["numeric", "categorical"]
    integer: bool = False
    unit: str | None = None
    categories: tuple[str, ...] = ()
    """Categories in the order of their codes 0…C−1; any other code, and NaN, counts as missing."""
    labels: dict[str, str] = {}
    """What the categories mean."""
    minimum: float | None = None
    """Smallest value that the plan allows (numeric). The data's own extremes leave only as such bounds."""
    maximum: float | None = None


class LanguageContract(records.Record):
    """What a language model needs beside its tensors."""

    tokenizer: Literal["data/model/tokenizer.json"] = "data/model/tokenizer.json"
    """File of Hugging Face tokenizers."""
    configuration: Literal["data/model/config.json"] = "data/model/config.json"
    context: int
    """Longest sequence, tokens: the past and what is given, together."""
    vocabulary: int
    end_of_text: int
    """Token that ends a document."""
    layers: int
    key_value_heads: int
    head_width: int


class ModelContract(records.Record):
    """What goes into the model and what comes out."""

    task: Literal["binary", "multiclass", "regression", "language_model"]
    opset: int
    ir_version: int
    inputs: tuple[records.TensorSpec, ...]
    outputs: tuple[records.TensorSpec, ...]
    features: tuple[InputFeature, ...]
    """Columns of the input tensor, float32; a missing value is NaN. Empty for a language model."""
    classes: tuple[str, ...]
    """Names of the labels 0…K−1; empty for regression and for a language model."""
    target: str
    """Column of the target; `next token` for a language model."""
    target_unit: str | None = None
    threshold: records.DecisionThreshold | None = None
    """Binary: the probability of class 1 from which the label is 1; with `groups` one for each group of a feature."""
    language: LanguageContract | None = None
    """Of a language model alone."""


class RealWorldPapers(records.Record):
    """The papers of a test in real-world conditions (AI Act Art. 60(4), Annex IX), as the plan states them."""

    plan_id: str
    approval: str
    approved_on: str
    registration: str
    consent: str

    @classmethod
    def of(cls, plan: AnyPlan) -> RealWorldPapers | None:
        """Those of a plan; None where it has none."""
        papers = plan.bundle.real_world
        return None if papers is None else cls(**papers.model_dump(mode="json"))


class Digests(records.Record):
    """What the bundle is bound to. All SHA-256; of a record without a file named here, that of its canonical JSON."""

    model: records.Sha256
    """Of `model.onnx`."""
    plan: records.Sha256
    """Of `plan.yaml`."""
    commitment: records.Sha256
    """Of the commitment record."""
    run: records.Sha256
    """Of `run.json`, the closed run's record."""
    documents: records.Sha256
    """Of all documents, as the approval names it."""
    approval: records.Sha256
    """Of the signed approval record."""


class BundleManifest(records.Record):
    """The index of a bundle."""

    version: Literal[1] = 1
    format: Literal["proofline-bundle"] = "proofline-bundle"
    bundle_id: str
    """Name of the top directory."""
    created: records.UtcTime
    demonstration: bool
    """Made with a throw-away key or a demonstration approval: it shows how things work and approves nothing."""
    test_environment: Literal["lab", "simulated", "sandbox", "real_world"]
    """Where the facility is asked to test."""
    real_world: RealWorldPapers | None = None
    """A test of a high-risk system in the real world needs them."""
    system: SystemIdentity
    run_id: str
    gate: Literal["pass", "fail", "inconclusive"]
    """The three-valued answer of the run's gate."""
    model: ModelContract
    digests: Digests
    files: tuple[BundleFile, ...]
    """Every file of the payload except this one, by path."""
    software: dict[str, str]
    """Distribution to version, as the run recorded it."""
    signer_fingerprint: records.Sha256
    """SHA-256 of the signer's DER public key. For information: trust comes from the key that the receiver pins."""

    def only(self, role: FileRole) -> BundleFile:
        """The one file of a role.

        Raises:
            VerificationError: There is none, or more than one.
        """
        found = [file for file in self.files if file.role == role]
        if len(found) != 1:
            raise errors.VerificationError(
                f"{PLACE}, files: expected exactly one with the role {role}, got {len(found)}. Do not use the bundle."
            )
        return found[0]


def own_line(sha256: str, size: int) -> BundleFile:
    """`bundle.json` as the RO-Crate lists it; in its own list it cannot stand."""
    return BundleFile(path=PLACE, role="evidence", sha256=sha256, size=size, media_type="application/json")


def schema_text() -> str:
    """The JSON Schema of `bundle.json`, as it is committed."""
    return record_base.schema_text(BundleManifest)


def parse(content: bytes) -> BundleManifest:
    """Read `bundle.json`.

    Raises:
        VerificationError: It does not follow the schema, or says something twice.
    """
    return record(content, BundleManifest, PLACE)


def record(content: bytes, kind: type[R], name: str) -> R:
    """A record out of a bundle.

    Raises:
        VerificationError: It is no valid record of that kind.
    """
    strict_json.parse(content, name)
    try:
        return kind.model_validate_json(content)
    except pydantic.ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise errors.VerificationError(
            f"{name}, {where}: expected a valid {kind.__name__}, got: {first['msg']}. Do not use the bundle."
        ) from None
