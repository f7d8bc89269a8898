"""Near duplicates: MinHash and locality-sensitive hashing find candidates, their exact similarity decides.

Two documents are near duplicates when the Jaccard similarity of their sets of shingles (runs of words) reaches the
plan's. A document is removed when an earlier one that stays is a near duplicate of it; so nothing is removed that is
less similar to what stays. Signatures are made by rensa. They are cut into bands, as long as a pair at the similarity
asked for still meets in one with a probability of at least 0.99. The keys of the bands and the shingles lie in files,
so that the memory needed is some hundred bytes for each document.

Refs:
    Broder, On the resemblance and containment of documents, 1997; Leskovec, Rajaraman, Ullman, Mining of Massive
    Datasets, chapter 3.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, Self

import numpy as np
import numpy.typing as npt
import rensa

from configs.language.cleaning import NearDuplicates
from factory.text import words

SEED = 20_260_802
FOUND = 0.99
"""Least probability with which a pair at the similarity asked for becomes a candidate."""
PAIRS_OF_ALL = 16
"""In larger buckets a document is compared with the ones before it that are this near, and with the first."""
_SHINGLE = np.dtype(np.uint32)


@dataclasses.dataclass(frozen=True, slots=True)
class Bands:
    """How signatures are cut."""

    bands: int
    rows: int

    def candidate(self, similarity: float) -> float:
        """Probability with which a pair of that similarity meets in a band."""
        return float(1 - (1 - similarity**self.rows) ** self.bands)


def bands_for(similarity: float, permutations: int) -> Bands:
    """The longest bands that still find a pair at that similarity; single values where none do.

    Longer bands give fewer candidates, and so less work; they decide about nothing else.
    """
    for rows in range(permutations, 1, -1):
        bands = Bands(permutations // rows, rows)
        if bands.candidate(similarity) >= FOUND:
            return bands
    return Bands(permutations, 1)


def signatures(runs: words.Runs, permutations: int) -> npt.NDArray[np.uint32]:
    """MinHash signatures (texts, permutations). A text without words has the largest value everywhere."""
    matrix = rensa.RMinHash.digest_matrix_from_flat_token_hashes(
        runs.hashes, runs.offsets.astype(np.uint64), permutations, SEED
    )
    return np.array(matrix.to_rows(), dtype=np.uint32).reshape(len(runs.words), permutations)


class Index:
    """Documents added one batch after the other; then `duplicates` says which go. Use it as a context."""

    def __init__(self, scratch: Path, settings: NearDuplicates) -> None:
        self._settings = settings
        self._bands = bands_for(settings.similarity, settings.permutations)
        self._scratch, self._stack = scratch, contextlib.ExitStack()
        self._sizes: list[npt.NDArray[np.int64]] = []

    @property
    def bands(self) -> Bands:
        """How signatures are cut."""
        return self._bands

    def __enter__(self) -> Self:
        self._keys, self._shingles = (self._file(name) for name in ("bands", "shingles"))
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    def add(self, texts: Sequence[str]) -> None:
        """Add documents, in order; some megabytes at a time."""
        runs = words.runs(texts, self._settings.shingle, short=True)
        rows, bands = self._bands.rows, self._bands.bands
        signed = signatures(runs, self._settings.permutations)[:, : rows * bands]
        self._keys.write(_keys(signed.reshape(len(texts), bands, rows)).tobytes())
        # 32 bits of a hash are enough within a pair. A shingle that repeats in a document counts once.
        numbers = np.repeat(np.arange(len(texts), dtype=np.uint64), np.diff(runs.offsets))
        own = np.sort((numbers << np.uint64(32)) | (runs.hashes >> np.uint64(32)))
        own = own[np.concatenate([[True], own[1:] != own[:-1]])] if len(own) else own
        self._shingles.write(own.astype(_SHINGLE).tobytes())
        self._sizes.append(np.bincount((own >> np.uint64(32)).astype(np.int64), minlength=len(texts)))

    def duplicates(self, among: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
        """For each document the number of an earlier one that stays and that it nearly repeats; −1 where there is none.

        Args:
            among: Which of the added documents are compared (documents,).
        """
        self._keys.flush()
        self._shingles.flush()
        sizes = np.concatenate(self._sizes) if self._sizes else np.zeros(0, dtype=np.int64)
        later, earlier = self._candidates(np.where(among, sizes, 0))
        starts = np.concatenate([[0], np.cumsum(sizes)])
        kept_by = np.full(len(sizes), -1, dtype=np.int64)
        order = np.lexsort((earlier, later))
        read = _Shingles(self._shingles.fileno(), starts)
        for j, i in zip(later[order].tolist(), earlier[order].tolist(), strict=True):
            if kept_by[j] >= 0 or kept_by[i] >= 0:
                continue
            if read.similarity(i, j) >= self._settings.similarity:
                kept_by[j] = i
        return kept_by

    def _candidates(self, sizes: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Pairs that share a band and whose sizes admit the similarity: later and earlier document."""
        found = np.zeros(0, dtype=np.uint64)
        for band in range(self._bands.bands):
            keys = self._column(band, len(sizes))
            pairs = np.unique(np.concatenate(list(_pairs(keys, sizes, self._settings.similarity)) or [found]))
            found = np.union1d(found, pairs)
        return (found >> np.uint64(32)).astype(np.int64), (found & np.uint64(0xFFFFFFFF)).astype(np.int64)

    def _column(self, band: int, documents: int) -> npt.NDArray[np.uint64]:
        width = self._bands.bands
        keys = np.empty(documents, dtype=np.uint64)
        step = max(1, (8 << 20) // (8 * width))
        for start in range(0, documents, step):
            count = min(step, documents - start)
            block = np.frombuffer(_pread(self._keys.fileno(), start * width * 8, count * width * 8), dtype=np.uint64)
            keys[start : start + count] = block.reshape(count, width)[:, band]
        return keys

    def _file(self, name: str) -> BinaryIO:
        return self._stack.enter_context((self._scratch / name).open("wb+", buffering=1 << 20))


class _Shingles:
    """Sets of shingles, read from their file when they are needed; the last one is remembered."""

    def __init__(self, handle: int, starts: npt.NDArray[np.int64]) -> None:
        self._handle, self._starts = handle, starts
        self._last: tuple[int, npt.NDArray[np.uint32]] | None = None

    def similarity(self, i: int, j: int) -> float:
        """Exact Jaccard similarity of two documents; 0 where one has no words."""
        if self._last is None or self._last[0] != j:
            self._last = (j, self._read(j))
        a, b = self._read(i), self._last[1]
        common = len(np.intersect1d(a, b, assume_unique=True))
        union = len(a) + len(b) - common
        return common / union if union else 0.0

    def _read(self, i: int) -> npt.NDArray[np.uint32]:
        start, stop = int(self._starts[i]), int(self._starts[i + 1])
        size = _SHINGLE.itemsize
        return np.frombuffer(_pread(self._handle, start * size, (stop - start) * size), dtype=_SHINGLE)


def _keys(signed: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint64]:
    """One key for each band: (texts, bands) of (texts, bands, rows)."""
    keys = np.zeros(signed.shape[:2], dtype=np.uint64)
    with np.errstate(over="ignore"):
        for row in range(signed.shape[2]):
            keys = (keys ^ signed[:, :, row]) * np.uint64(0x9E3779B97F4A7C15)
            keys ^= keys >> np.uint64(29)
    return keys


def _pairs(
    keys: npt.NDArray[np.uint64], sizes: npt.NDArray[np.int64], similarity: float
) -> Iterator[npt.NDArray[np.uint64]]:
    """Pairs (later << 32 | earlier) with the same key, whose sizes admit the similarity.

    Documents of one bucket stand in order; each is paired with the `PAIRS_OF_ALL` before it and with the first.
    """
    order = np.argsort(keys, kind="stable")
    order = order[sizes[order] > 0]
    ordered = keys[order]
    new = np.concatenate([[True], ordered[1:] != ordered[:-1]]) if len(ordered) else np.zeros(0, dtype=np.bool_)
    first = np.maximum.accumulate(np.where(new, np.arange(len(ordered)), 0))
    places = np.arange(len(ordered))
    for back in range(1, PAIRS_OF_ALL + 1):
        later = places[back:][places[:-back] >= first[back:]]
        if not len(later):
            break
        yield _fitting(order[later], order[later - back], sizes, similarity)
    far = places[places - first > PAIRS_OF_ALL]
    if len(far):
        yield _fitting(order[far], order[first[far]], sizes, similarity)


def _fitting(
    later: npt.NDArray[np.int64], earlier: npt.NDArray[np.int64], sizes: npt.NDArray[np.int64], similarity: float
) -> npt.NDArray[np.uint64]:
    """Jaccard similarity is at most the ratio of the sizes."""
    a, b = sizes[later], sizes[earlier]
    fits = np.minimum(a, b) >= similarity * np.maximum(a, b)
    return (later[fits].astype(np.uint64) << np.uint64(32)) | earlier[fits].astype(np.uint64)


def _pread(handle: int, offset: int, size: int) -> bytes:
    """`os.pread` that reads all of it: one call gives 2 GiB at most."""
    parts = []
    while size:
        part = os.pread(handle, min(size, 1 << 30), offset)
        parts.append(part)
        offset, size = offset + len(part), size - len(part)
    return parts[0] if len(parts) == 1 else b"".join(parts)
