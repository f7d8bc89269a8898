"""The split of documents: by their digests, within languages, and what of it is held out."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from configs import errors
from configs.language.modelling import TextSplit
from evidence import canonical
from factory.text import shards, split
from tests.factory.text import builders


def _documents(sizes: dict[tuple[str, str], int]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    groups = [group for group, size in sizes.items() for _ in range(size)]
    names = np.array([canonical.sha256(i) for i in range(len(groups))], dtype="S64")
    codes = [np.unique([group[k] for group in groups], return_inverse=True)[1] for k in (0, 1)]
    return names, *codes


def test_every_language_with_enough_documents_is_held_out() -> None:
    """From ten documents on a language has at least one in each part; the shares are kept to the nearest."""
    sizes = {("de", "a"): 10, ("fr", "a"): 9, ("en", "a"): 700, ("en", "b"): 300, ("fi", "b"): 1}
    names, languages, domains = _documents(sizes)
    parts = split.assign(names, languages, domains, TextSplit())
    found = Counter(zip(languages.tolist(), parts.tolist(), strict=True))
    de, en, fi, fr = range(4)
    assert [found[en, k] for k in range(3)] == [900, 50, 50]
    assert [found[de, k] for k in range(3)] == [8, 1, 1]
    assert [found[fr, k] for k in range(3)] == [9, 0, 0]
    assert found[fi, 0] == 1
    held = Counter(domains[(languages == en) & (parts > 0)].tolist())
    assert abs(held[0] - 70) <= 2
    assert abs(held[1] - 30) <= 2


def test_the_split_does_not_depend_on_the_order() -> None:
    """The same documents in another order fall into the same parts; another seed gives another split."""
    names, languages, domains = _documents({("de", "a"): 40, ("de", "b"): 60})
    order = np.random.default_rng(0).permutation(len(names))
    parts = split.assign(names, languages, domains, TextSplit())
    assert (split.assign(names[order], languages[order], domains[order], TextSplit()) == parts[order]).all()
    assert (split.assign(names, languages, domains, TextSplit(seed=1)) != parts).any()


def test_the_assignment_stands_in_the_order_of_the_shards(tmp_path: Path) -> None:
    """Roles can be laid beside the documents, and each part's digests are those of its documents."""
    folder, declared, cleaning = builders.of_texts(tmp_path, [f"text number {i}" for i in range(100)])
    manifest = split.split(folder, declared, cleaning)
    roles = split.roles(folder, manifest)
    names = [row[0] for row in shards.rows(folder, cleaning.shards, ["document"])]
    for k, role in enumerate(("train", "validation", "test")):
        own = sorted(name for name, found in zip(names, roles, strict=True) if found == k)
        assert folder.checked(manifest.parts[role].digests).read_text().split() == own
        assert manifest.parts[role].class_counts == {"en": len(own)}


@pytest.mark.parametrize("documents", [1, 9])
def test_too_few_documents_are_told(tmp_path: Path, documents: int) -> None:
    """One document, or too few for every part, ends in one sentence that says how many are needed."""
    folder, declared, cleaning = builders.of_texts(tmp_path, [f"text number {i}" for i in range(documents)])
    with pytest.raises(errors.DataError, match=rf"expected documents, got none out of {documents}\. Provide more"):
        split.split(folder, declared, cleaning)
