"""Small real run folders of language models: Python's own documentation, cleaned and split as the factory does it."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from configs.language.plan import LanguagePlan
from evidence import language_records, records
from evidence.folder import RunFolder
from factory import splitting
from factory.language import tokenise
from factory.text import shards, tally

NO_BASE = Path("/nonexistent")


def plan(**sections: Any) -> LanguagePlan:
    """A plan for a model that trains in seconds; `training={...}` and so on add to the sections."""
    content: dict[str, Any] = {
        "version": 1,
        "task": "language_model",
        "system": {
            "id": "test_model",
            "name": "Test model",
            "version": "0.1.0",
            "provider": {"name": "Test GmbH"},
            "intended_purpose": "Tests.",
        },
        "corpora": [
            {
                "id": "documentation",
                "source": {"kind": "python_documentation"},
                "provenance": {"title": "Python documentation", "origin": "public", "personal_data": "no"},
                "language": "en",
            }
        ],
        "tokenizer": {"vocabulary": 512},
        "model": {"layers": 2, "width": 32, "heads": 2, "context": 32},
        "training": {"steps": 20, "batch_sequences": 8, "learning_rate": 3e-3, "device": "cpu"},
        "policy": {
            "gates": [{"check": "language.perplexity", "at_most": 1000}],
            "memorisation": {"canaries": 2, "canary_repetitions": [1, 4]},
        },
    }
    if "base" in sections.get("model", {}):
        content["model"] = {"context": 32}  # its own configuration gives the sizes
    for name, section in sections.items():
        content[name] = {**content.get(name, {}), **section} if isinstance(section, dict) else section
    return LanguagePlan.model_validate(content)


def texts(most: int = 60_000) -> list[str]:
    """Paragraphs of Python's documentation, about so many characters, all different."""
    from pydoc_data import topics

    found: dict[str, None] = {}
    size = 0
    for topic in sorted(topics.topics):
        for paragraph in topics.topics[topic].split("\n\n"):
            if size > most:
                return list(found)
            if len(paragraph) > 40 and paragraph not in found:
                found[paragraph] = None
                size += len(paragraph)
    return list(found)


def cleaned(
    folder: RunFolder, documents: list[tuple[str, str, str]]
) -> tuple[language_records.CleaningRecord, records.SplitManifest]:
    """The records of cleaned and split documents: `(corpus, language, text)` each, every tenth held out twice."""
    whole = tally.Tally()
    names: list[str] = []
    with shards.Writer(folder, "data/cleaned", shards.INGESTED) as writer:
        for corpus, language, text in documents:
            raw = text.encode()
            names.append(hashlib.sha256(raw).hexdigest())
            whole.add(len(text), len(raw))
            writer.add(
                len(raw), document=names[-1], corpus=corpus, language=language, domain="general", web_domain=None,
                text=text,
            )  # fmt: skip
    roles = ["validation" if i % 10 == 3 else "test" if i % 10 == 7 else "train" for i in range(len(names))]
    with folder.replacing(splitting.ASSIGNMENT) as temporary:
        pq.write_table(pa.table({"_row": names, "_role": roles}), temporary)
    parts: dict[records.Role, records.SplitPart] = {}
    for role in splitting.ROLES:
        mine = sorted(n for n, r in zip(names, roles, strict=True) if r == role)
        digests = folder.write_bytes(f"data/digests/{role}.txt", "".join(f"{n}\n" for n in mine).encode())
        parts[role] = records.SplitPart(rows=len(mine), digests=digests)
    cleaning = language_records.CleaningRecord(
        steps=(),
        shards=writer.shards,
        counts=whole.counts,
        corpora=(),
        languages=(),
        domains=(),
        documents_sha256=hashlib.sha256("".join(f"{n}\n" for n in sorted(names)).encode()).hexdigest(),
    )
    manifest = records.SplitManifest(
        seed=0, method="test", parts=parts, assignment=folder.reference(splitting.ASSIGNMENT)
    )
    return cleaning, manifest


def tokenised(folder: RunFolder, asked: LanguagePlan, base: Path = NO_BASE) -> language_records.TokenisedData:
    """The packed tokens of Python's documentation."""
    cleaning, manifest = cleaned(folder, [("documentation", "en", text) for text in texts()])
    return tokenise.tokenise(folder, asked, cleaning, manifest, base)
