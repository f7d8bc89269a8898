"""Ingest of text: every document of every corpus goes into the run folder, named by the digest of its text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

from configs import errors
from configs.language.plan import LanguagePlan
from evidence import language_records
from evidence.folder import RunFolder
from factory.text import shards, sources, tally

PLACE, SCRATCH = "data/text/ingested", "data/text/unpacked"
Progress = Callable[[str, int, int], None]
"""Called with what is done, how much of it, of how much."""


def ingest(
    folder: RunFolder, plan: LanguagePlan, base: Path, *, progress: Progress | None = None
) -> language_records.CorpusRecord:
    """Read the corpora of the plan as a stream and store their documents.

    White space around a document is left out, and so are documents without any text.

    Args:
        folder: The run; `data/text/ingested/*.parquet` are written.
        plan: What is declared.
        base: Folder from which relative paths start.
        progress: Told after each corpus.

    Raises:
        PlanError: The source section does not fit what is there.
        DataError: A file is not what the plan declares, is damaged or unsafe, or a corpus holds no text.
        MissingError: A file is absent.
    """
    total, digests = tally.Tally(), tally.Digests()
    refs: list[language_records.CorpusRef] = []
    writer = shards.Writer(folder, PLACE, shards.INGESTED)
    with writer, shards.temporary(folder, SCRATCH) as scratch:
        for number, corpus in enumerate(plan.corpora, start=1):
            reading = sources.Reading(corpus, base, scratch)
            refs.append(_read(reading, writer, total, digests))
            if progress:
                progress("corpora", number, len(plan.corpora))
    return language_records.CorpusRecord(
        corpora=tuple(refs), shards=writer.shards, counts=total.counts, documents_sha256=digests.sha256
    )


def _read(
    reading: sources.Reading, writer: shards.Writer, total: tally.Tally, digests: tally.Digests
) -> language_records.CorpusRef:
    own, languages, domains = tally.Tally(), Counter[str](), Counter[str]()
    for document in reading:
        encoded = document.text.encode("utf-8")
        name, size = shards.digest(encoded), len(encoded)
        writer.add(
            size,
            document=name,
            corpus=reading.corpus.id,
            language=document.language,
            domain=document.domain,
            web_domain=document.web_domain,
            text=document.text,
        )
        digests.add(name)
        for counted in (own, total):
            counted.add(len(document.text), size)
        languages[str(document.language)] += 1
        if document.web_domain:
            domains[document.web_domain] += size
    if not own.documents:
        raise errors.DataError(
            f"corpus {reading.corpus.id}: expected at least one document, got none in "
            f"{len(reading.files)} files. Correct its source, or remove the corpus."
        )
    return language_records.CorpusRef(
        id=reading.corpus.id,
        title=reading.corpus.provenance.title,
        sources=tuple(reading.files),
        counts=own.counts,
        languages=dict(sorted(languages.items())),
        web_domains=dict(sorted(domains.items())),
        empty=tuple(reading.empty),
        unescaped=reading.unescaped,
    )
