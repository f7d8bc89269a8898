"""What may be in a bundle: the one list that the writer fills and the reader enforces.

Everything that leaves is named here. Raw rows, lists of row digests, encoded arrays and checkpoints are not.
"""

from __future__ import annotations

import re
from collections.abc import Container

from configs import errors
from tef_export import bag, cades, manifest, oms, places, quiet, recipe, still, timestamp

MODEL = "data/model/model.onnx"
GOLDEN = "data/model/test_data_set_0"
RESULTS = "data/eval/results.json"
CARD = "data/README.md"
LICENCE = "data/LICENSE"
PLAN = "data/plan.yaml"
LEDGER = "data/evidence/ledger.jsonl"
APPROVAL = "data/evidence/approval.json"
DECLARATION = "data/evidence/declaration"
"""Folder of the draft of the EU declaration of conformity that was made beside the approval, where there is one."""

EVIDENCE = {
    "ingest": "data/evidence/dataset.json",
    "validate": "data/evidence/quality.json",
    "govern": "data/evidence/governance.json",
    "split": "data/evidence/split.json",
    "commit": "data/evidence/commitment.json",
    "train": "data/evidence/training.json",
    "export": "data/evidence/model.json",
    "evaluate": RESULTS,
    "reference": "data/evidence/reference.json",
    "gate": "data/evidence/gate.json",
    "answers": "data/evidence/answers.json",
    "document": "data/evidence/documents.json",
    "close": "data/evidence/run.json",
}
"""Stage to the place of its record. `encode` stays behind: it holds extremes of single persons' values."""

LANGUAGE_EVIDENCE = {
    "ingest": "data/evidence/corpus.json",
    "clean": "data/evidence/cleaning.json",
    "validate": "data/evidence/quality.json",
    "split": "data/evidence/split.json",
    "encode": "data/evidence/tokens.json",
    "commit": "data/evidence/commitment.json",
    "train": "data/evidence/training.json",
    "export": "data/evidence/model.json",
    "evaluate": RESULTS,
    "gate": "data/evidence/gate.json",
    "account": "data/evidence/account.json",
    "answers": "data/evidence/answers.json",
    "document": "data/evidence/documents.json",
    "close": "data/evidence/run.json",
}
"""The same for a language model. Its records hold counts and digests, no text."""
TOKENIZER, CONFIG = "data/model/tokenizer.json", "data/model/config.json"
"""Beside the graph of a language model; their presence tells such a bundle from one of a model on tables."""
TEST_TEXT = "data/test/text.jsonl"
"""Held-out text, where the plan lets it leave."""
PROPERTIES = "data/properties/"
"""Folder of the property files (VNN-LIB) that the plan declares, each under its digest."""

MODELS = (MODEL, places.TRITON_MODEL)
SIGNATURES = (cades.PLACE, oms.PLACE)
TAGS = (*bag.TAG_FILES, bag.TAG_MANIFEST)
_FIXED: dict[str, manifest.FileRole] = {
    MODEL: "model",
    CARD: "card",
    LICENCE: "licence",
    PLAN: "plan",
    LEDGER: "ledger",
    APPROVAL: "evidence",
    **dict.fromkeys(EVIDENCE.values(), "evidence"),
    **dict.fromkeys(LANGUAGE_EVIDENCE.values(), "evidence"),
    TOKENIZER: "tokenizer",
    CONFIG: "configuration",
    TEST_TEXT: "test_rows",
    RESULTS: "evaluation",
    recipe.PLACE: "recipe",
    recipe.TEST_ROWS: "test_rows",
    places.BOM: "bom",
    places.SBOM: "bom",
    **dict.fromkeys(places.ATTESTATIONS, "attestation"),
    **dict.fromkeys(places.LAYOUTS, "layout"),
    places.TRITON_MODEL: "model_copy",
}
LATER = ("answers", "reference")
"""Stages whose record bundles of earlier versions lack."""
_OPTIONAL = {LICENCE, recipe.TEST_ROWS, TEST_TEXT, *places.LAYOUTS, places.TRITON_MODEL}
_OF_TEXT = frozenset({TOKENIZER, CONFIG, TEST_TEXT, *LANGUAGE_EVIDENCE.values()}) - set(EVIDENCE.values())
"""What only the bundle of a language model holds."""
_OF_TABLES = frozenset({*EVIDENCE.values(), recipe.TEST_ROWS, *places.LAYOUTS, places.TRITON_MODEL}) - set(
    LANGUAGE_EVIDENCE.values()
)
"""What only the bundle of a model on tables holds."""
_PATTERNS: tuple[tuple[re.Pattern[str], manifest.FileRole], ...] = (
    (re.compile(rf"{GOLDEN}/input_\d{{1,3}}\.pb"), "golden_input"),
    (re.compile(rf"{GOLDEN}/output_\d{{1,3}}\.pb"), "golden_output"),
    (re.compile(rf"{DECLARATION}/declaration[a-z_]{{0,20}}(\.[a-z]{{2}})?\.(md|html|json|pdf|docx)"), "evidence"),
    (re.compile(rf"{PROPERTIES}[0-9a-f]{{64}}\.vnnlib"), "property"),
    (re.compile(r"data/documents/[A-Za-z0-9._/-]+\.(md|html|json|svg|png|pdf|docx|txt|yaml|css)"), "document"),
)
LARGEST_FILE = 64 << 20
"""Bytes of a file other than the model."""
TEXT_SUFFIXES = ("md", "html", "json", "jsonl", "svg", "txt", "yaml", "css", "csv", "pbtxt", "vnnlib")
_MAGIC = {"png": b"\x89PNG\r\n\x1a\n", "pdf": b"%PDF-", "docx": b"PK\x03\x04"}


def role(path: str) -> manifest.FileRole | None:
    """The role of a payload path, or None when nothing of that name may be in a bundle."""
    if path in _FIXED:
        return _FIXED[path]
    return next((kind for pattern, kind in _PATTERNS if pattern.fullmatch(path)), None)


def evidence_of(paths: Container[str]) -> dict[str, str]:
    """Stage to the place of its record, for a bundle that holds these files."""
    return LANGUAGE_EVIDENCE if TOKENIZER in paths else EVIDENCE


def check_names(paths: set[str]) -> None:
    """Check that a bundle holds what it must, and nothing else.

    Raises:
        VerificationError: Naming the first file that is missing or has no business there.
    """
    of_text = TOKENIZER in paths
    strange = _OF_TABLES | {path for path in paths if path.startswith(PROPERTIES)} if of_text else _OF_TEXT
    later = () if of_text else (EVIDENCE[stage] for stage in LATER)
    required = frozenset(_FIXED) - _OPTIONAL - strange - set(later)
    for path in sorted(paths):
        if path in strange:
            raise errors.VerificationError(
                f"file {path}: expected the files of {'a language model' if of_text else 'a model on tables'}, got one "
                "of the other kind. Do not open it."
            )
        if path not in (*TAGS, *SIGNATURES, timestamp.PLACE, manifest.PLACE, places.CRATE) and role(path) is None:
            raise errors.VerificationError(
                f"file {path}: expected only the kinds of file that the bundle format names, got another. "
                "Do not open it."
            )
    for path in sorted({*TAGS, *SIGNATURES, manifest.PLACE, places.CRATE, *required} - paths):
        raise errors.VerificationError(f"file {path}: expected it in the bundle, got none. Ask for a whole bundle.")


def check_size(path: str, size: int) -> None:
    """Check that a file other than the model is small enough to be read whole.

    Raises:
        VerificationError: It is not.
    """
    if size > LARGEST_FILE:
        raise errors.VerificationError(
            f"file {path}: expected at most {LARGEST_FILE} bytes, got {size}. Ask the supplier for a smaller one."
        )


def check_content(path: str, content: bytes) -> None:
    """Check that a file is what its name says, and does nothing when it is opened.

    Raises:
        VerificationError: Another kind of content, or a script, form or remote address that loads by itself.
    """
    suffix = path.rpartition(".")[2] if "." in path else "txt"
    magic = _MAGIC.get(suffix)
    if magic is not None and not content.startswith(magic):
        raise errors.VerificationError(f"file {path}: expected {suffix.upper()}, got something else. Do not open it.")
    does = {"docx": quiet.acts_docx, "pdf": quiet.acts_pdf}.get(suffix)
    if does is not None and (what := does(content)):
        raise errors.VerificationError(
            f"file {path}: expected a document that does nothing by itself, got {what}. Do not open it."
        )
    if suffix not in TEXT_SUFFIXES and path != LICENCE:
        return
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        raise errors.VerificationError(f"file {path}: expected UTF-8 text, got other bytes. Do not open it.") from None
    if "\0" in text:
        raise errors.VerificationError(f"file {path}: expected text, got a zero byte. Do not open it.")
    if what := still.acts(suffix, text):
        raise errors.VerificationError(
            f"file {path}: expected a document that does nothing by itself, got {what}. Do not open it."
        )
