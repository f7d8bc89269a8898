"""How likely the graph holds tokens: each token scored once, in windows that overlap, in batches of like length.

A sequence longer than the model's context is cut into windows that overlap by half a context. A token is scored in the
first window that holds it, so behind the first window every token is seen with at least half a context before it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator

import numpy as np
import numpy.typing as npt

from checks.language.graph import Graph

Ids = npt.NDArray[np.int64]

BATCH_TOKENS = 4096
"""Tokens of a batch, padding included."""
BATCH_LOGITS = 1 << 26
"""Logits of a batch at most: 256 MB."""
BUFFER = 1 << 16
"""Tokens that are sorted by length before they are cut into batches."""
PIECE = 1 << 20
"""Logits that are worked on at once: what fits the processor's cache."""


@dataclasses.dataclass(frozen=True)
class Likelihood:
    """What the graph says of the tokens of one sequence that count, each (tokens,)."""

    nats: npt.NDArray[np.float32]
    """Negative logarithm of the token's probability."""
    confidence: npt.NDArray[np.float32]
    """Probability of the likeliest token."""
    greedy: npt.NDArray[np.bool_]
    """Is the token the likeliest one?"""


@dataclasses.dataclass(frozen=True)
class _Window:
    sequence: int
    inputs: Ids
    targets: Ids
    """What follows the last inputs; those before are context only."""
    at: int
    """Place of the first target among all that count."""


def overlap(context: int) -> int:
    """Tokens that two windows share: what a token behind the first window sees at least."""
    return context // 2


def score(graph: Graph, sequences: Iterable[tuple[Ids, int]], context: int) -> Iterator[Likelihood]:
    """Score sequences, in their order; as many are held as fill a buffer.

    Args:
        graph: The model.
        sequences: Tokens, the first of which is given, and the place (1 or more) from which on they count.
        context: Most tokens that the model sees at once.
    """
    pending: list[_Window] = []
    sizes: dict[int, int] = {}
    first = tokens = 0
    for index, (ids, start) in enumerate(sequences):
        cut = _windows(index, ids, start, context)
        pending += cut
        sizes[index] = len(ids) - start
        tokens += sum(len(w.inputs) for w in cut)
        if tokens >= BUFFER:
            yield from _scored(graph, pending, sizes, first)
            first, tokens, pending, sizes = index + 1, 0, [], {}
    yield from _scored(graph, pending, sizes, first)


def _windows(index: int, ids: Ids, start: int, context: int) -> list[_Window]:
    """Windows of a sequence: inputs `ids[b:e]` predict `ids[b+1:e+1]`."""
    last = len(ids) - 1  # number of inputs
    found, scored, begin = [], start, 0
    while scored <= last:
        end = min(begin + context, last)
        if end >= scored:
            found.append(_Window(index, ids[begin:end], ids[scored : end + 1], scored - start))
            scored = end + 1
        begin = min(begin + context - overlap(context), last - context)
    return found


def _scored(graph: Graph, windows: list[_Window], sizes: dict[int, int], first: int) -> Iterator[Likelihood]:
    nats = {i: np.zeros(n, np.float32) for i, n in sizes.items()}
    confidence = {i: np.zeros(n, np.float32) for i, n in sizes.items()}
    greedy = {i: np.zeros(n, np.bool_) for i, n in sizes.items()}
    windows = sorted(windows, key=lambda w: len(w.inputs))
    for batch in _batches(windows, graph.shape.vocabulary):
        width = max(len(w.inputs) for w in batch)
        ids = np.zeros((len(batch), width), np.int64)
        for row, window in enumerate(batch):
            ids[row, : len(window.inputs)] = window.inputs
        logits = graph.logits(ids)
        for row, window in enumerate(batch):
            end = len(window.inputs)
            block = logits[row, end - len(window.targets) : end]
            place = slice(window.at, window.at + len(window.targets))
            s = window.sequence
            nats[s][place], confidence[s][place], greedy[s][place] = _reduced(block, window.targets)
    for i in range(first, first + len(sizes)):
        yield Likelihood(nats[i], confidence[i], greedy[i])


def _batches(windows: list[_Window], vocabulary: int) -> Iterator[list[_Window]]:
    """Windows, sorted by length, in batches of bounded size."""
    most = min(BATCH_TOKENS, max(1, BATCH_LOGITS // vocabulary))
    batch: list[_Window] = []
    for window in windows:
        if batch and (len(batch) + 1) * len(window.inputs) > most:
            yield batch
            batch = []
        batch.append(window)
    if batch:
        yield batch


def _reduced(
    logits: npt.NDArray[np.float32], targets: Ids
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32], npt.NDArray[np.bool_]]:
    """Negative log-likelihood, largest probability, and whether the target is the likeliest; each (tokens,)."""
    step = max(1, PIECE // logits.shape[1])
    parts = []
    for begin in range(0, len(targets), step):
        block, wanted = logits[begin : begin + step], targets[begin : begin + step]
        rows = np.arange(len(wanted))
        best = block.argmax(axis=1)
        highest = block[rows, best]
        total = np.exp(block - highest[:, None]).sum(axis=1, dtype=np.float64)
        parts.append((np.log(total) - (block[rows, wanted] - highest), 1 / total, best == wanted))
    nats, top, same = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    return nats.astype(np.float32), top.astype(np.float32), same
