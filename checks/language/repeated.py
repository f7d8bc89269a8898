"""Sequences of tokens that occur more than once in the training text, found by hashes of every window."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

Ids = npt.NDArray[np.int64]

MOST_TOKENS = 8_000_000
"""Tokens that are looked at: the first ones. Each takes about 50 bytes."""
MANY = 1 << 40
BANDS = ((2, 2), (3, 4), (5, 8), (9, 16), (17, MANY))
"""Numbers of occurrences that are reported together."""
_BASE = np.uint64(0x9E3779B97F4A7C15)
_MIX = np.uint64(0xBF58476D1CE4E5B9)


@dataclasses.dataclass(frozen=True)
class Repeated:
    """A sample of the repeated sequences."""

    tokens: tuple[Ids, ...]
    counts: npt.NDArray[np.int64]
    """(sequences,) how often each occurs."""
    distinct: int
    """Repeated sequences that were found, those that begin inside a longer repeated one left out."""
    looked_at: int
    """Tokens."""


def find(streams: Iterable[Ids], length: int, end_of_text: int, most: int, seed: int) -> Repeated:
    """Find sequences of a length that occur twice or more.

    A repeated stretch that is longer than `length` counts once: at its beginning. Windows over the end of a document
    are left out. Two different windows with one hash are told apart, as the tokens themselves are compared.

    Args:
        streams: Tokens as trained on, piece by piece; windows do not cross the pieces.
        length: Tokens of a sequence.
        end_of_text: Token between documents.
        most: How many to return, drawn evenly over the bands of occurrences.
        seed: Of the draw.
    """
    pieces, total = [], 0
    for stream in streams:
        piece = np.asarray(stream, np.int64)[: MOST_TOKENS - total]
        total += len(piece)
        if len(piece) >= length:
            pieces.append(piece)
        if total >= MOST_TOKENS:
            break
    if not pieces:
        return Repeated((), np.zeros(0, np.int64), 0, total)
    hashes, starts, base = [], [], 0
    for piece in pieces:
        inside = _clean(piece, length, end_of_text)
        hashes.append(_hashes(piece, length)[inside])
        starts.append(base + inside)
        base += len(piece)
    everything, found_hashes, place = np.concatenate(pieces), np.concatenate(hashes), np.concatenate(starts)
    kept = _twice(found_hashes)
    place = place[kept]
    _, first, inverse, counts = np.unique(
        found_hashes[kept], return_index=True, return_inverse=True, return_counts=True
    )
    often = counts[inverse]
    # A window whose neighbour on the left occurs as often begins inside a longer stretch.
    before = np.zeros(len(place), bool)
    before[1:] = (place[1:] == place[:-1] + 1) & (often[1:] == often[:-1]) & (often[1:] > 1)
    starting = (counts > 1) & ~before[first]
    found = np.flatnonzero(starting)
    chosen = _evenly(counts[found], most, np.random.default_rng([seed, 0x2E9]))
    tokens = tuple(everything[place[first[i]] : place[first[i]] + length] for i in found[chosen])
    return Repeated(tokens, counts[found[chosen]].astype(np.int64), len(found), total)


def _twice(hashes: npt.NDArray[np.uint64]) -> npt.NDArray[np.int64]:
    """Places of the hashes that occur more than once, rising."""
    ordered = np.sort(hashes)
    often = np.unique(ordered[1:][ordered[1:] == ordered[:-1]])
    if not len(often):
        return np.zeros(0, np.int64)
    at = np.minimum(np.searchsorted(often, hashes), len(often) - 1)
    return np.flatnonzero(often[at] == hashes)


def _clean(piece: Ids, length: int, end_of_text: int) -> npt.NDArray[np.int64]:
    """Places of the windows without an end of text."""
    ends = np.concatenate([[0], np.cumsum(piece == end_of_text)])
    return np.flatnonzero(ends[length:] == ends[: len(ends) - length])


def _hashes(piece: Ids, length: int) -> npt.NDArray[np.uint64]:
    """(windows,) a hash of each, by doubling: of windows of 2k tokens from those of k."""
    with np.errstate(over="ignore"):
        powers = {1: (piece.astype(np.uint64) + np.uint64(1)) * _BASE}
        size = 1
        while size * 2 <= length:
            powers[size * 2] = _joined(powers[size][:-size], powers[size][size:])
            size *= 2
        found, covered = powers[size], size
        while covered < length:
            step = max(k for k in powers if covered + k <= length)
            tail = powers[step][covered : covered + len(piece) - covered - step + 1]
            found, covered = _joined(found[: len(tail)], tail), covered + step
    return found[: len(piece) - length + 1]


def _joined(left: npt.NDArray[np.uint64], right: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    mixed = (left ^ (left >> np.uint64(29))) * _MIX
    return mixed + (right ^ (right >> np.uint64(32))) * _BASE


def _evenly(counts: npt.NDArray[np.int64], most: int, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """Places (at most `most`) drawn over the bands in turn."""
    members = [rng.permutation(np.flatnonzero((counts >= low) & (counts <= high))) for low, high in BANDS]
    turns = sorted((turn, band, int(i)) for band, found in enumerate(members) for turn, i in enumerate(found))
    return np.array([i for _, _, i in turns[:most]], np.int64)
