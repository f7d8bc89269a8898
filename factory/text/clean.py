"""Cleaning of the corpora, every step counted before and after, in two passes over the stored documents.

The first pass looks at each document by itself (`factory.text.filters`) and notes what tells duplicates; the second
leaves the duplicates out. The corpus is never whole in memory: what is held for each document is its digest, its
lengths and the candidates for its near duplicates.
"""

from __future__ import annotations

import contextlib
from array import array
from collections import Counter
from pathlib import Path

import numpy as np
import numpy.typing as npt

from configs import errors
from configs.language.plan import LanguagePlan
from evidence import language_records
from evidence.folder import RunFolder
from factory.text import filters, near_duplicates, shards, tally
from factory.text.ingest import Progress

PLACE = "data/text/cleaned"
FILTERED = "data/text/filtered"
SCRATCH = "data/text/scratch"
"""What the first pass leaves, and what is needed to find near duplicates; removed at the end."""
BATCH_BYTES = 4 << 20
"""Text whose signatures are made at once, bytes."""
COLUMNS = ("corpus", "language", "domain", "web_domain", "text")


def clean(
    folder: RunFolder,
    plan: LanguagePlan,
    corpus: language_records.CorpusRecord,
    base: Path,
    *,
    progress: Progress | None = None,
) -> language_records.CleaningRecord:
    """Clean the ingested documents and store what is left.

    Args:
        folder: The run; `data/text/cleaned/*.parquet` are written.
        plan: What is to be done.
        corpus: The ingested documents.
        base: Folder from which the paths of block lists start.
        progress: Told now and then, in documents.

    Raises:
        MissingError: A block list is absent.
        DataError: A block list cannot be read, or no document is left.
        IntegrityError: The ingested documents were altered.
    """
    steps = filters.of_plan(plan.cleaning, plan.declared_languages, base)
    settings = plan.cleaning.near_duplicates
    with contextlib.ExitStack() as stack:
        stack.enter_context(shards.temporary(folder, FILTERED))
        scratch = stack.enter_context(shards.temporary(folder, SCRATCH))
        index = stack.enter_context(near_duplicates.Index(scratch, settings)) if settings.enabled else None
        first = _First(folder, corpus, steps, index, progress)
        exact = first.exact()
        nearly = index.duplicates(~exact) if index else np.full(len(exact), -1, dtype=np.int64)
        writer = shards.Writer(folder, PLACE, shards.CLEANED)
        with writer:
            left = _Second(folder, first.writer, ~exact & (nearly < 0), writer)
    records = (
        *(step.record for step in steps),
        _step("exact_duplicates", first, np.ones(len(exact), dtype=np.bool_), ~exact, {}),
        _near_step(first, exact, nearly, settings, index),
    )
    if not left.total.documents:
        raise errors.DataError(
            f"corpora: expected documents to be left after the cleaning, got none of {corpus.counts.documents}: "
            f"{_last(records)} removed the last. Provide more text, or change the plan's cleaning."
        )
    language = next(step for step in steps if isinstance(step, filters.Language))
    return language_records.CleaningRecord(
        steps=records,
        shards=writer.shards,
        counts=left.total.counts,
        corpora=left.corpora.counts,
        languages=left.languages.counts,
        domains=left.domains.counts,
        web_domains={name: dict(sorted(found.items())) for name, found in sorted(left.web_domains.items())},
        language_agreement=language.agreement,
        documents_sha256=left.digests.sha256,
    )


class _First:
    """The first pass: what stays of each document by itself, with what tells duplicates."""

    def __init__(
        self,
        folder: RunFolder,
        corpus: language_records.CorpusRecord,
        steps: tuple[filters.Filter, ...],
        index: near_duplicates.Index | None,
        progress: Progress | None,
    ) -> None:
        self.writer = shards.Writer(folder, FILTERED, shards.CLEANED)
        self.characters, self.bytes, self._digests = array("q"), array("q"), tally.Digests()
        self._index, self._held, self._held_bytes = index, list[str](), 0
        of = corpus.counts.documents
        with self.writer:
            for done, row in enumerate(shards.rows(folder, corpus.shards, COLUMNS), start=1):
                self._take(row, steps)
                if progress and done % 1000 == 0:
                    progress("documents", done, of)
            self._flush()
        if progress:
            progress("documents", of, of)

    def _take(self, row: tuple[str, str, str, str | None, str], steps: tuple[filters.Filter, ...]) -> None:
        corpus, declared, domain, web_domain, text = row
        document = filters.Document(text, corpus, declared, domain, web_domain, len(text.encode("utf-8")))
        if not all(step(document) for step in steps):
            return
        name = shards.digest(document.text.encode("utf-8"))
        self.writer.add(
            document.size,
            document=name,
            corpus=corpus,
            language=document.language,
            domain=domain,
            web_domain=web_domain,
            text=document.text,
            declared=declared,
            identified=document.identified,
            confidence=document.confidence,
        )
        self.characters.append(len(document.text))
        self.bytes.append(document.size)
        self._digests.add(name)
        if self._index is not None:
            self._held.append(document.text)
            self._held_bytes += document.size
            if self._held_bytes >= BATCH_BYTES:
                self._flush()

    def _flush(self) -> None:
        if self._index is not None and self._held:
            self._index.add(self._held)
        self._held, self._held_bytes = [], 0

    def exact(self) -> npt.NDArray[np.bool_]:
        """Which documents repeat an earlier one (documents,)."""
        repeats = np.ones(len(self.bytes), dtype=np.bool_)
        repeats[np.unique(self._digests.raw, return_index=True)[1]] = False
        return repeats

    def counts(self, chosen: npt.NDArray[np.bool_]) -> language_records.TextCounts:
        """How much text the chosen documents (documents,) have."""
        characters, sizes = np.asarray(self.characters), np.asarray(self.bytes)
        return language_records.TextCounts(
            documents=int(chosen.sum()), characters=int(characters[chosen].sum()), bytes=int(sizes[chosen].sum())
        )


class _Second:
    """The second pass: the documents that stay, counted by group."""

    def __init__(
        self, folder: RunFolder, source: shards.Writer, stays: npt.NDArray[np.bool_], writer: shards.Writer
    ) -> None:
        self.total, self.digests = tally.Tally(), tally.Digests()
        self.corpora, self.languages, self.domains = tally.Groups(), tally.Groups(), tally.Groups()
        self.web_domains: dict[str, Counter[str]] = {}
        names = shards.CLEANED.names
        for keep, values in zip(stays.tolist(), shards.rows(folder, source.shards, names), strict=True):
            if keep:
                self._take(dict(zip(names, values, strict=True)), writer)

    def _take(self, row: dict[str, str], writer: shards.Writer) -> None:
        characters, size = len(row["text"]), len(row["text"].encode("utf-8"))
        writer.add(size, **row)
        self.total.add(characters, size)
        self.digests.add(row["document"])
        for groups, name in ((self.corpora, "corpus"), (self.languages, "language"), (self.domains, "domain")):
            groups.add(row[name], characters, size)
        if row["web_domain"]:
            self.web_domains.setdefault(row["corpus"], Counter())[row["web_domain"]] += size


def _near_step(
    first: _First,
    exact: npt.NDArray[np.bool_],
    nearly: npt.NDArray[np.int64],
    settings: near_duplicates.NearDuplicates,
    index: near_duplicates.Index | None,
) -> language_records.CleaningStep:
    removed = nearly >= 0
    step = _step("near_duplicates", first, ~exact, ~exact & ~removed, {"clusters": len(np.unique(nearly[removed]))})
    if index is None:
        return step
    found = index.bands.candidate(settings.similarity)
    method = (
        f"Jaccard similarity of at least {settings.similarity:g} between the sets of {settings.shingle}-word shingles, "
        f"decided exactly; candidates by MinHash ({index.bands.bands} bands of {index.bands.rows} values), which finds "
        f"a pair at that similarity with a probability of {found:.3f}; the earlier document stays"
    )
    return step.model_copy(update={"method": method})


_TITLES = {
    "exact_duplicates": ("Exact duplicates removed", "documents with the same text as an earlier one"),
    "near_duplicates": ("Near duplicates removed", "not done: the plan turns it off"),
}


def _step(
    step: str, first: _First, before: npt.NDArray[np.bool_], after: npt.NDArray[np.bool_], found: dict[str, int]
) -> language_records.CleaningStep:
    title, method = _TITLES[step]
    return language_records.CleaningStep(
        step=step, title=title, method=method, before=first.counts(before), after=first.counts(after), found=found
    )


def _last(steps: tuple[language_records.CleaningStep, ...]) -> str:
    """Name of the step after which nothing was left."""
    return next((step.title for step in steps if not step.after.documents), steps[-1].title)
