"""Greedy generation with the key-value cache."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from checks.language.graph import Graph

Ids = npt.NDArray[np.int64]


def greedy(graph: Graph, prompt: Ids, count: int, stop: Sequence[int] = ()) -> Ids:
    """Continue a prompt by the likeliest token, one after the other; of equal ones the first.

    Args:
        graph: The model.
        prompt: (tokens,) at least one.
        count: Tokens to generate at most; prompt and these must fit the model's context.
        stop: Tokens that end the generation; the one that does is part of the result.
    """
    found: list[int] = []
    logits, past = graph.step(prompt[None], graph.nothing(1))
    while len(found) < count:
        found.append(int(logits[0, -1].argmax()))
        if found[-1] in stop or len(found) == count:
            break
        logits, past = graph.step(np.array([[found[-1]]]), past)
    return np.array(found, np.int64)
