"""What the bill of materials says of a language model and its corpora: components and facts, from the records alone."""

from __future__ import annotations

from typing import Any

from configs.language.corpora import Corpus
from evidence.language_dossier import LanguageDossier
from evidence.language_records import CorpusRef
from tef_export.metadata import shapes

TASK, FAMILY = "text generation", "transformer decoder (Llama)"


def reference(corpus_id: str) -> str:
    """How the document refers to a corpus."""
    return f"corpus-{corpus_id}"


def facts(dossier: LanguageDossier) -> dict[str, object]:
    """Facts of the training beyond the format's own fields; None where nobody stated them."""
    trained, tokens = dossier.trained, dossier.encode
    found: dict[str, object] = {
        "training.method": trained.method,
        "training.tokens": trained.tokens,
        "training.steps": trained.steps,
        "context": tokens.context,
        "vocabulary": tokens.vocabulary,
        "tokenizer": tokens.kind,
        "tokenizer_sha256": dossier.exported.tokenizer.sha256,
    }
    if trained.base is not None:
        found |= {
            "base.name": trained.base.name,
            "base.sha256": trained.base.sha256,
            "base.licence": trained.base.licence,
        }
    return found


def corpora(dossier: LanguageDossier) -> list[dict[str, Any]]:
    """A component for each corpus, with the digests of its sources."""
    read = {corpus.id: corpus for corpus in dossier.ingest.corpora}
    return [_corpus(corpus, read[corpus.id]) for corpus in dossier.plan.corpora]


def _corpus(stated: Corpus, found: CorpusRef) -> dict[str, Any]:
    about = stated.provenance
    contents: dict[str, Any] = {
        "properties": [
            {"name": f"proofline:{name}", "value": str(value)}
            for name, value in {
                "documents": found.counts.documents,
                "bytes": found.counts.bytes,
                "origin": about.origin,
                "language": stated.language,
                "domain": stated.domain,
            }.items()
        ]
    }
    if about.url and shapes.ADDRESS.fullmatch(about.url):
        contents["url"] = about.url
    entry: dict[str, Any] = {
        "type": "dataset",
        "name": about.title,
        "contents": contents,
        "classification": f"personal data: {about.personal_data}",
    }
    if about.description:
        entry["description"] = about.description
    licence = [{"expression": about.licence}] if about.licence and " " not in about.licence else []
    return {
        "type": "data",
        "bom-ref": reference(stated.id),
        "name": about.title,
        **({"licenses": licence} if licence else {}),
        "components": [
            {
                "type": "file",
                "bom-ref": f"source-{stated.id}-{number}",
                "name": source.name,
                "hashes": [{"alg": "SHA-256", "content": source.sha256}],
            }
            for number, source in enumerate(found.sources)
        ],
        "data": [entry],
    }
