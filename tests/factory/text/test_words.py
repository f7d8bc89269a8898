"""Words and runs of words: their hashes stand for what a plain reading gives."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from factory.text import words


def _plain(text: str) -> list[str]:
    return [word for word in re.split(r"[\x00-\x2f\x3a-\x40\x5b-\x60\x7b-\x7f]+", text.lower()) if word]


def _runs(text: str, length: int, *, short: bool) -> list[tuple[str, ...]]:
    found = _plain(text)
    runs = [tuple(found[i : i + length]) for i in range(len(found) - length + 1)]
    return [tuple(found)] if short and found and not runs else runs


TEXTS = st.lists(st.text(st.sampled_from("abAB é'-,. \n\u00a0ß"), max_size=40), max_size=6)


@settings(deadline=None)
@given(texts=TEXTS, length=st.integers(1, 6), short=st.booleans())
def test_runs_are_those_of_a_plain_reading(texts: list[str], length: int, *, short: bool) -> None:
    """As many runs, at the same places, equal where the words are equal, and different where they differ."""
    found = words.runs(texts, length, short=short)
    assert found.words.tolist() == [len(_plain(text)) for text in texts]
    plain = [_runs(text, length, short=short) for text in texts]
    assert np.diff(found.offsets).tolist() == [len(runs) for runs in plain]
    by_run: dict[tuple[str, ...], set[int]] = {}
    for run, value in zip((run for runs in plain for run in runs), found.hashes.tolist(), strict=True):
        by_run.setdefault(run, set()).add(value)
    assert all(len(values) == 1 for values in by_run.values())
    assert len(set().union(*by_run.values())) == len(by_run)


def test_a_text_has_the_same_hashes_wherever_it_stands() -> None:
    """The hash of a run depends on its words alone, on every machine."""
    alone = words.runs(["one two three"], 2, short=False).hashes
    among = words.runs(["x" * 1000, "ONE, two; three!"], 2, short=False)
    assert among.hashes[among.offsets[1] :].tolist() == alone.tolist()
    assert alone.tolist() == [10585265557933613500, 13094399572707177152]


@pytest.mark.parametrize(
    ("text", "count"), [("日本語です", 5), ("ภาษาไทย", 7), ("漢字 and words", 4), ("Ελληνικά ένα", 2)]
)
def test_scripts_without_spaces_have_a_word_for_each_character(text: str, count: int) -> None:
    """Otherwise a whole sentence were one word, and nothing were ever near to it."""
    assert words.runs([text], 1, short=False).words.tolist() == [count]


@pytest.mark.slow
def test_no_collisions_among_many_words() -> None:
    """Three hundred thousand different short words have as many hashes."""
    text = " ".join(f"{i:x}" for i in range(300_000))
    assert len(np.unique(words.runs([text], 1, short=False).hashes)) == 300_000


def test_blocks_make_no_difference() -> None:
    """Text longer than what is computed at once has the hashes that its parts have."""
    parts = [f"word{i} " * 3 for i in range(words.BLOCK // 16)]
    whole = words.runs(["".join(parts), "x"], 1, short=False)
    assert whole.words[0] > words.BLOCK // 6
    assert (whole.hashes[:-1:3] == words.runs([p.split()[0] for p in parts], 1, short=False).hashes).all()
    far = words.runs(["".join(parts)], 4, short=False)
    near = words.runs(["".join(parts[-3:])], 4, short=False)
    assert (far.hashes[-len(near.hashes) :] == near.hashes).all()


def test_very_long_words_end() -> None:
    """Of a word without end the first thousand bytes count, so that memory does not grow with it."""
    long = "x" * (3 * words.BLOCK)
    found = words.runs([f"{long} y", f"{long}z y", "x y"], 1, short=False)
    assert found.words.tolist() == [2, 2, 2]
    assert found.hashes[0] == found.hashes[2] != found.hashes[4]
