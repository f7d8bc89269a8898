"""Contamination: held-out text that stands in the training part is found, as a plain search finds it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from factory.text import contamination, shards, split
from tests.factory.text import builders


def _ngrams(text: str, n: int) -> set[tuple[str, ...]]:
    words = text.split()
    return {tuple(words[i : i + n]) for i in range(len(words) - n + 1)}


def _search(
    tmp_path: Path, texts: list[str], **settings: Any
) -> tuple[contamination.Found, dict[str, str], dict[str, str]]:
    quick = {"identification": {"enabled": False}, "near_duplicates": {"enabled": False}, "contamination": settings}
    folder, declared, cleaning = builders.of_texts(tmp_path, texts, cleaning=quick)
    manifest = split.split(folder, declared, cleaning)
    roles = split.roles(folder, manifest)
    rows = list(shards.rows(folder, cleaning.shards, ["document", "text"]))
    held = {name: text for (name, text), role in zip(rows, roles, strict=True) if role}
    train = {name: text for (name, text), role in zip(rows, roles, strict=True) if not role}
    return contamination.find(folder, declared, cleaning, manifest), held, train


def _texts(seed: int) -> list[str]:
    """Random texts of small vocabulary, with passages that were copied from one into another."""
    draw = np.random.default_rng(seed)
    texts = [[f"w{word}" for word in draw.integers(4000, size=draw.integers(5, 80))] for _ in range(300)]
    for _ in range(60):
        source, target = (texts[i] for i in draw.choice(len(texts), 2, replace=False))
        begin = draw.integers(len(source))
        at = draw.integers(len(target) + 1)
        target[at:at] = source[begin : begin + draw.integers(5, 60)]
    return [" ".join(text) for text in texts]


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize(("ngram", "share"), [(13, 0.2), (5, 0.5), (13, 0.0)])
def test_it_finds_what_a_plain_search_finds(tmp_path: Path, seed: int, ngram: int, share: float) -> None:
    """Contaminated documents and the training documents to drop are those of sets of word tuples."""
    found, held, train = _search(tmp_path, _texts(seed), ngram=ngram, share=share)
    everything = set().union(*(_ngrams(text, ngram) for text in train.values()))
    hot = [
        own
        for text in held.values()
        if (own := _ngrams(text, ngram)) and own & everything and len(own & everything) >= share * len(own)
    ]
    drop = {name for name, text in train.items() if _ngrams(text, ngram) & set().union(*hot)}
    assert found.contaminated == len(hot) > 0
    assert found.held_out == len(held)
    assert found.drop == drop
    assert found.step.before.documents - found.step.after.documents == len(drop)
    assert found.step.before.bytes == sum(len(text) for text in train.values())


def test_report_drops_nothing(tmp_path: Path) -> None:
    """With `report` the numbers are the same and every training document stays."""
    found, _, _ = _search(tmp_path, _texts(0), action="report")
    assert found.contaminated > 0
    assert not found.drop
    assert found.step.before == found.step.after


def test_what_has_too_few_words_is_counted(tmp_path: Path) -> None:
    """A held-out document without an n-gram cannot be judged; the step says how many there are."""
    found, held, _ = _search(tmp_path, [f"short text {i}" for i in range(50)])
    assert found.step.found["held_out_without_ngrams"] == len(held) == found.held_out
    assert (found.contaminated, len(found.drop)) == (0, 0)
