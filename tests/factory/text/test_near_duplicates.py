"""Near duplicates: signatures estimate the similarity, the exact one decides, and nothing else is removed."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from configs.language.cleaning import NearDuplicates
from factory.text import near_duplicates, words

SETTINGS = NearDuplicates()


def _shingles(text: str, length: int) -> set[tuple[str, ...]]:
    found = text.split()
    if len(found) < length:
        return {tuple(found)} if found else set()
    return {tuple(found[i : i + length]) for i in range(len(found) - length + 1)}


def _jaccard(one: str, other: str, length: int = SETTINGS.shingle) -> float:
    a, b = _shingles(one, length), _shingles(other, length)
    return len(a & b) / len(a | b) if a | b else 0.0


def _text(random: np.random.Generator, size: int) -> list[str]:
    return [f"w{word}" for word in random.integers(50_000, size=size)]


def _changed(random: np.random.Generator, text: list[str], share: float) -> list[str]:
    return [f"x{random.integers(50_000)}" if random.random() < share else word for word in text]


@contextlib.contextmanager
def _index(scratch: Path, texts: list[str], settings: NearDuplicates = SETTINGS) -> Iterator[near_duplicates.Index]:
    with near_duplicates.Index(scratch, settings) as index:
        for start in range(0, len(texts), 97):
            index.add(texts[start : start + 97])
        yield index


def _found(scratch: Path, texts: list[str], settings: NearDuplicates = SETTINGS) -> list[int]:
    with _index(scratch, texts, settings) as index:
        return index.duplicates(np.ones(len(texts), dtype=np.bool_)).tolist()


def test_signatures_estimate_the_exact_similarity() -> None:
    """The share of equal values is the Jaccard similarity, without bias, and spreads no more than a binomial one."""
    random = np.random.default_rng(0)
    permutations, errors, deviations = 128, [], []
    for _ in range(300):
        one = _text(random, int(random.integers(20, 400)))
        other = _changed(random, one, random.uniform(0, 0.15))
        true = _jaccard(" ".join(one), " ".join(other))
        runs = words.runs([" ".join(one), " ".join(other)], SETTINGS.shingle, short=True)
        signed = near_duplicates.signatures(runs, permutations)
        estimate = float((signed[0] == signed[1]).mean())
        errors.append(estimate - true)
        deviations.append(math.sqrt(max(true * (1 - true), 1e-9) / permutations))
    standard = np.array(errors) / np.array(deviations)
    known = np.array(deviations) > 1e-4
    assert abs(standard[known].mean()) < 3 / math.sqrt(known.sum())
    assert 0.5 < standard[known].std() < 1.1


@pytest.mark.parametrize("similarity", [0.5, 0.7, 0.8, 0.9])
def test_bands_find_a_pair_at_the_similarity_asked_for(similarity: float) -> None:
    """With a probability of at least 0.99; longer bands would not."""
    bands = near_duplicates.bands_for(similarity, 128)
    assert bands.candidate(similarity) >= near_duplicates.FOUND
    assert bands.bands * bands.rows <= 128
    longer = near_duplicates.Bands(128 // (bands.rows + 1), bands.rows + 1)
    assert longer.candidate(similarity) < near_duplicates.FOUND


@pytest.mark.slow
@pytest.mark.parametrize("similarity", [0.6, 0.8])
def test_planted_copies_are_found_and_nothing_else(tmp_path: Path, similarity: float) -> None:
    """By simulation: at least the promised share of the pairs above the threshold, none below it."""
    random = np.random.default_rng(1)
    originals = [_text(random, int(random.integers(30, 120))) for _ in range(1500)]
    copies = [_changed(random, text, random.uniform(0, 0.12)) for text in originals]
    texts = [" ".join(text) for text in originals + copies]
    settings = NearDuplicates(similarity=similarity)
    found = _found(tmp_path, texts, settings)
    assert found[: len(originals)] == [-1] * len(originals)
    above = 0
    for i, kept in enumerate(found[len(originals) :]):
        true = _jaccard(texts[i], texts[len(originals) + i])
        assert kept in (i, -1)
        assert kept == -1 or true >= similarity
        above += true >= similarity
    recall = sum(kept >= 0 for kept in found) / above
    assert above > 300
    assert recall >= near_duplicates.FOUND - 3 * math.sqrt(0.01 * 0.99 / above)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
def test_every_removed_document_has_one_that_stays_and_is_near(tmp_path: Path, seed: int) -> None:
    """In chains of copies of copies, what goes is near to what stays, and what stays is near to nothing before it."""
    random = np.random.default_rng(seed)
    texts = [_text(random, 60) for _ in range(10)]
    for _ in range(200):
        texts.append(_changed(random, texts[random.integers(len(texts))], random.uniform(0, 0.06)))
    joined = [" ".join(text) for text in texts]
    found = _found(tmp_path, joined)
    stays = [i for i, kept in enumerate(found) if kept < 0]
    for i, kept in enumerate(found):
        if kept >= 0:
            assert found[kept] == -1
            assert kept < i
            assert _jaccard(joined[i], joined[kept]) >= SETTINGS.similarity
    missed = sum(_jaccard(joined[i], joined[j]) >= SETTINGS.similarity for n, i in enumerate(stays) for j in stays[:n])
    assert missed <= 1


def test_short_documents_and_large_clusters(tmp_path: Path) -> None:
    """Documents shorter than a shingle are compared as a whole; of a thousand alike one stays."""
    texts = ["one two", "ONE two!", "one two three", "...", "", *["the same five words and more"] * 1000]
    found = _found(tmp_path, texts)
    assert found[:6] == [-1, 0, -1, -1, -1, -1]
    assert found[6:] == [5] * 999


def test_only_chosen_documents_are_compared(tmp_path: Path) -> None:
    """An exact duplicate that is gone already keeps nobody."""
    texts = ["one two three four five six"] * 3
    with _index(tmp_path, texts) as index:
        assert index.duplicates(np.array([False, True, True])).tolist() == [-1, -1, 1]


def test_no_documents(tmp_path: Path) -> None:
    """An index of nothing finds nothing."""
    assert _found(tmp_path, []) == []
