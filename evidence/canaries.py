"""Canaries: random strings planted in training text, and other strings of the same space to rank them against.

What a model says about a canary beyond what it says about strings that it cannot have seen is memorised (Carlini et
al. 2019, "The Secret Sharer"). Planted ones and candidates are drawn by this one function, so that they differ in
nothing else.
"""

from __future__ import annotations

import numpy as np

ALPHABET = "abcdefghijklmnopqrstuvwxyz"
PREFIX = "The random word of this page is "
LENGTH = 12
"""26^12 strings: none is drawn twice, and none stands in a text by chance."""


def draw(number: int, seed: int, *, prefix: str = PREFIX, alphabet: str = ALPHABET, length: int = LENGTH) -> list[str]:
    """Random strings of the space.

    Args:
        number: How many.
        seed: The same seed gives the same strings; different seeds different ones.
        prefix: What every string begins with.
        alphabet: Characters of the random part.
        length: Characters of the random part.
    """
    random = np.random.default_rng(seed)
    letters = np.array(list(alphabet))[random.integers(0, len(alphabet), (number, length))]
    return [prefix + "".join(row) for row in letters]
