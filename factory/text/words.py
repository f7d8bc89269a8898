"""Words of a text and hashes of the runs of words in it, for near duplicates and contamination.

A word is what stands between white space and ASCII punctuation, in lower case; in scripts without spaces (Han, Kana,
Thai, Lao, Khmer, Burmese, Tibetan) each character is one. Texts are hashed many at a time with numpy: the hash of a
word is a polynomial over its UTF-8 bytes modulo 2^64, read off a prefix sum, and that of a run a polynomial over its
words, mixed at the end. The same text has the same hashes on every machine and in every process.
"""

from __future__ import annotations

import dataclasses
import functools
import itertools
import re
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Hashes = npt.NDArray[np.uint64]
Offsets = npt.NDArray[np.int64]

_UNSPACED = re.compile(
    "([\u0e00-\u0eff\u0f00-\u0fff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff"
    "\uf900-\ufaff\U00020000-\U0003ffff])"
)
_BYTE, _RUN = 0x9E3779B97F4A7C15, 0xD6E8FEB86659FD93
"""Bases of the polynomials over bytes and over words: odd, so that they have an inverse modulo 2^64."""
BLOCK = 1 << 18
"""Bytes, or words, that are computed at once."""
LONGEST = 1024
"""Bytes of a word that count; words that are alike so far count as the same."""


def _separators() -> npt.NDArray[np.bool_]:
    table = np.zeros(256, dtype=np.bool_)
    for byte in range(128):
        table[byte] = not chr(byte).isalnum()
    return table


_SEPARATOR = _separators()


@dataclasses.dataclass(frozen=True, slots=True)
class Runs:
    """Hashes of the runs of words of several texts, one text after the other."""

    hashes: Hashes
    """(runs,), in the order of the texts; a run that repeats is there again."""
    offsets: Offsets
    """(texts + 1,): the runs of text i are `hashes[offsets[i]:offsets[i + 1]]`."""
    words: Offsets
    """(texts,): number of words of each text."""


def runs(texts: Sequence[str], length: int, *, short: bool) -> Runs:
    """Hashes of every run of `length` words.

    Args:
        texts: Some megabytes at most.
        length: Words of a run.
        short: Whether a text with fewer words, but at least one, has one run: all of its words.
    """
    words, offsets = _words(texts)
    counts = np.diff(offsets)
    numbers = counts - (length - 1)
    if short:
        numbers = np.where((numbers < 1) & (counts > 0), 1, numbers)
    numbers = np.maximum(numbers, 0)
    ends = np.concatenate([[0], np.cumsum(numbers)])
    # Position in `words` of the first word of each run, and of the word after its last.
    first = np.arange(ends[-1], dtype=np.int64) + np.repeat(offsets[:-1] - ends[:-1], numbers)
    after = first + length
    if short:
        after = np.minimum(after, np.repeat(offsets[1:], numbers))
    return Runs(_mixed(_polynomials(words, first, after, _RUN)), ends, counts)


def _words(texts: Sequence[str]) -> tuple[Hashes, Offsets]:
    """Hashes of the words of all texts (words,), and where each text's begin (texts + 1,)."""
    raw = [_bytes(text) for text in texts]
    ends = np.cumsum([len(r) + 1 for r in raw], dtype=np.int64)
    data = np.frombuffer(b" ".join([b"", *raw, b""]), dtype=np.uint8)  # a separator before and after each text
    inside = ~_SEPARATOR[data]
    edges = np.flatnonzero(inside[1:] != inside[:-1])
    starts, stops = edges[0::2] + 1, edges[1::2] + 1
    stops = np.minimum(stops, starts + LONGEST)
    bounds = np.concatenate([[0], np.searchsorted(starts, ends, side="left")])
    return _mixed(_polynomials(data, starts, stops, _BYTE)), bounds.astype(np.int64)


def _polynomials(values: npt.NDArray[np.unsignedinteger], first: Offsets, after: Offsets, base: int) -> Hashes:
    """Sum of (value + 1) times a power of the base over each stretch, modulo 2^64, wherever the stretch stands.

    The stretches are in order, and at most `LONGEST` long. Those that begin in one block are computed together.
    """
    found = np.empty(len(first), dtype=np.uint64)
    places = np.searchsorted(first, np.arange(0, len(values) + BLOCK, BLOCK))
    for begin, end in itertools.pairwise(places.tolist()):
        if begin < end:
            low, high = int(first[begin]), int(after[end - 1])
            found[begin:end] = _of_block(values[low:high], first[begin:end] - low, after[begin:end] - low, base)
    return found


def _of_block(values: npt.NDArray[np.unsignedinteger], first: Offsets, after: Offsets, base: int) -> Hashes:
    """The same for one block.

    With all powers counted from the beginning of `values`, a stretch is a difference of two prefix sums, and the power
    of its first place is taken out again by the inverse of the base, which exists because the base is odd.
    """
    with np.errstate(over="ignore"):
        terms = values.astype(np.uint64)
        terms += np.uint64(1)
        terms *= _powers(base)[: len(values)]
        sums = np.zeros(len(values) + 1, dtype=np.uint64)
        np.cumsum(terms, out=sums[1:])
        return (sums[after] - sums[first]) * _powers(pow(base, -1, 1 << 64))[first]


@functools.cache
def _powers(base: int) -> Hashes:
    powers = np.full(BLOCK + LONGEST, base, dtype=np.uint64)
    powers[0] = 1
    with np.errstate(over="ignore"):
        np.multiply.accumulate(powers, out=powers)
    return powers


def _bytes(text: str) -> bytes:
    lowered = text.lower()
    if not lowered.isascii() and _UNSPACED.search(lowered):
        lowered = _UNSPACED.sub(r" \1 ", lowered)
    return lowered.encode("utf-8")


def _mixed(values: Hashes) -> Hashes:
    """Every bit of the result depends on every bit of the value (the finaliser of splitmix64)."""
    with np.errstate(over="ignore"):
        values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return values ^ (values >> np.uint64(31))
