"""JSON Schemas of all records, for whoever reads a run folder or a bundle with other tools.

`python -m evidence.schema` writes `evidence/records.schema.json`; a test holds the file against the types.
"""

from __future__ import annotations

import json
from pathlib import Path

import pydantic
from pydantic.json_schema import models_json_schema

from evidence import language_dossier, ledger
from evidence.diff_records import DiffRecord
from evidence.dossier import PREDICTIONS, STAGES
from evidence.records import Approval, Attestation, BundleRecord, Environment

FILE = Path(__file__).with_name("records.schema.json")


def text() -> str:
    """The schemas as one document with a definition per record, deterministic."""
    others: list[type[pydantic.BaseModel]] = [
        Approval, Attestation, BundleRecord, DiffRecord, Environment, ledger.Line,
    ]  # fmt: skip
    stages = (*(STAGES | PREDICTIONS).values(), *language_dossier.STAGES.values())
    kinds = {kind.__name__: kind for kind in (*(kind for _, kind in stages), *others)}
    ordered = [kinds[name] for name in sorted(kinds)]
    _, schema = models_json_schema([(kind, "validation") for kind in ordered], title="proofline records, version 1")
    return json.dumps(schema, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def main() -> None:
    """Write the file."""
    FILE.write_text(text(), encoding="utf-8")


if __name__ == "__main__":
    main()
