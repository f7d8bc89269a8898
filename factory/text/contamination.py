"""Contamination: held-out documents whose runs of words also stand in the training part.

Of every held-out document the n-grams are hashed; then the training documents are read once, as a stream. A held-out
document is contaminated when at least the plan's share of its different n-grams stands in the training part. Dropped
are the training documents that hold any n-gram of a contaminated one: after that nothing of it is left there. Memory
grows with the held-out text alone, some ten bytes for each of its words.

Refs:
    Brown et al., Language Models are Few-Shot Learners, 2020, appendix C (13-grams).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from configs.language.cleaning import Contamination
from configs.language.plan import LanguagePlan
from evidence import language_records, records
from evidence.folder import RunFolder
from factory.splitting import ROLES
from factory.text import shards, split, tally, words
from factory.text.ingest import Progress

TRAIN = ROLES.index("train")
BATCH_BYTES = 4 << 20
"""Text whose n-grams are hashed at once, bytes."""
Batch = tuple[list[str], list[str], list[int]]


@dataclasses.dataclass(frozen=True)
class Found:
    """What the search found."""

    step: language_records.CleaningStep
    """Counts of the training part before and after."""
    contaminated: int
    """Held-out documents that were contaminated before the step."""
    held_out: int
    drop: frozenset[str]
    """Digests of the training documents that are to be left out; empty where the plan only reports."""


def find(
    folder: RunFolder,
    plan: LanguagePlan,
    cleaning: language_records.CleaningRecord,
    manifest: records.SplitManifest,
    *,
    progress: Progress | None = None,
) -> Found:
    """Search the training part for text of the held-out parts.

    Args:
        folder: The run.
        plan: Length of an n-gram, share, and what is done.
        cleaning: The cleaned documents.
        manifest: Which of them sits where.
        progress: Told after each batch of training documents, in documents.

    Raises:
        IntegrityError: The documents or the split were altered.
    """
    settings = plan.cleaning.contamination
    roles = split.roles(folder, manifest)
    held = _HeldOut(_batches(folder, cleaning, roles != TRAIN), settings)
    train, before = roles == TRAIN, tally.Tally()
    touching: list[tuple[str, npt.NDArray[np.int64], int, int]] = []
    for texts, names, sizes in _batches(folder, cleaning, train):
        for i, found in enumerate(held.shared(texts)):
            before.add(len(texts[i]), sizes[i])
            if len(found):
                touching.append((names[i], found, len(texts[i]), sizes[i]))
        if progress:
            progress("training documents", before.documents, int(train.sum()))
    contaminated = held.contaminated()
    hot = held.of_documents(contaminated)
    dropped = [entry for entry in touching if hot[entry[1]].any()]
    after = before
    if settings.action == "drop_training":
        after = tally.Tally(
            before.documents - len(dropped),
            before.characters - sum(entry[2] for entry in dropped),
            before.bytes - sum(entry[3] for entry in dropped),
        )
    done = "dropped" if settings.action == "drop_training" else "only counted"
    return Found(
        step=language_records.CleaningStep(
            step="contamination",
            title="Held-out text in the training part",
            method=(
                f"a held-out document is contaminated from {100 * settings.share:g} % of its {settings.ngram}-grams of "
                f"words in the training part; training documents that hold any of its {settings.ngram}-grams are {done}"
            ),
            before=before.counts,
            after=after.counts,
            found={
                "contaminated": len(contaminated),
                "held_out": held.documents,
                "held_out_without_ngrams": held.too_short,
                "training_documents": len(dropped),
            },
        ),
        contaminated=len(contaminated),
        held_out=held.documents,
        drop=frozenset(entry[0] for entry in dropped) if settings.action == "drop_training" else frozenset(),
    )


class _HeldOut:
    """The different n-grams of the held-out documents, and which of them were met in the training part."""

    def __init__(self, batches: Iterator[Batch], settings: Contamination) -> None:
        self._settings = settings
        hashes, owners = [np.zeros(0, dtype=np.uint64)], [np.zeros(0, dtype=np.int32)]
        self.documents = self.too_short = 0
        for texts, _, _ in batches:
            runs = words.runs(texts, settings.ngram, short=False)
            numbers = np.diff(runs.offsets)
            owners.append(np.repeat(np.arange(len(texts), dtype=np.int32) + self.documents, numbers))
            hashes.append(runs.hashes)
            self.documents += len(texts)
            self.too_short += int((numbers == 0).sum())
        every, owner = np.concatenate(hashes), np.concatenate(owners)
        order = np.lexsort((every, owner))
        every, owner = every[order], owner[order]
        fresh = np.ones(len(every), dtype=np.bool_)
        fresh[1:] = (every[1:] != every[:-1]) | (owner[1:] != owner[:-1])
        self._owner = owner[fresh]
        self._different, self._place = np.unique(every[fresh], return_inverse=True)
        self._met = np.zeros(len(self._different), dtype=np.bool_)

    def shared(self, texts: list[str]) -> list[npt.NDArray[np.int64]]:
        """For each training text the held-out n-grams that it holds, as their numbers; they count as met."""
        runs = words.runs(texts, self._settings.ngram, short=False)
        if not len(self._different):
            return [np.zeros(0, dtype=np.int64)] * len(texts)
        at = np.minimum(np.searchsorted(self._different, runs.hashes), len(self._different) - 1)
        hits = np.flatnonzero(self._different[at] == runs.hashes)
        self._met[at[hits]] = True
        bounds = np.searchsorted(hits, runs.offsets)
        return [np.unique(at[hits[bounds[i] : bounds[i + 1]]]) for i in range(len(texts))]

    def contaminated(self) -> npt.NDArray[np.int64]:
        """Numbers of the held-out documents of whose n-grams at least the share was met."""
        total = np.bincount(self._owner, minlength=self.documents)
        met = np.bincount(self._owner, weights=self._met[self._place], minlength=self.documents)
        share = np.divide(met, total, out=np.zeros(self.documents), where=total > 0)
        return np.flatnonzero((met > 0) & (share >= self._settings.share))

    def of_documents(self, chosen: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
        """Which of the different n-grams stand in a chosen held-out document."""
        marked = np.zeros(len(self._different), dtype=np.bool_)
        wanted = np.zeros(self.documents, dtype=np.bool_)
        wanted[chosen] = True
        marked[self._place[wanted[self._owner]]] = True
        return marked


def _batches(
    folder: RunFolder, cleaning: language_records.CleaningRecord, chosen: npt.NDArray[np.bool_]
) -> Iterator[Batch]:
    """Texts, digests and sizes of the chosen documents (documents,), some megabytes at a time."""
    texts: list[str] = []
    names: list[str] = []
    sizes: list[int] = []
    held = 0
    for keep, (name, text) in zip(
        chosen.tolist(), shards.rows(folder, cleaning.shards, ("document", "text")), strict=True
    ):
        if not keep:
            continue
        texts.append(text)
        names.append(name)
        sizes.append(len(text.encode("utf-8")))
        held += sizes[-1]
        if held >= BATCH_BYTES:
            yield texts, names, sizes
            texts, names, sizes, held = [], [], [], 0
    if texts:
        yield texts, names, sizes
