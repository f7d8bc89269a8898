"""Ingest, cleaning and split of the use case on real texts: 30 files, 24 languages, three encodings."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from configs import errors, load
from configs.language import load as language_load
from configs.language.corpora import TextFiles
from configs.language.plan import LanguagePlan
from evidence.folder import RunFolder
from factory.text import clean, contamination, ingest, shards, split
from tests.factory.text import builders

pytestmark = pytest.mark.slow


def _plan() -> LanguagePlan:
    plan = language_load.load_any(load.plan_path("genesis_languages"))
    assert isinstance(plan, LanguagePlan)
    return plan


def _only(number: int, **source: Any) -> LanguagePlan:
    """The plan with one of its corpora, whose source is changed."""
    corpus = _plan().corpora[number]
    assert isinstance(corpus.source, TextFiles)
    changed = corpus.model_copy(update={"source": corpus.source.model_copy(update=source)})
    return _plan().model_copy(update={"corpora": (changed,)})


def test_the_languages_of_the_union(real_data: Path, tmp_path: Path) -> None:
    """Every language is read, identified as what it is, and held out; hardly anything is a near duplicate."""
    folder, declared = RunFolder(tmp_path / "r"), _plan()
    corpus = ingest.ingest(folder, declared, real_data)
    cleaning = clean.clean(folder, declared, corpus, real_data)
    languages = set(declared.declared_languages)
    assert len(languages) == 24
    assert {group.name for group in cleaning.languages} == languages
    assert cleaning.language_agreement is not None
    assert cleaning.language_agreement > 0.997
    steps = {step.step: step for step in cleaning.steps}
    assert steps["near_duplicates"].after.documents > 0.98 * steps["near_duplicates"].before.documents
    assert steps["personal_data"].found == {"email": 0, "iban": 0, "phone": 0}
    manifest = split.split(folder, declared, cleaning)
    assert set(manifest.parts["test"].class_counts) == languages
    found = contamination.find(folder, declared, cleaning, manifest)
    assert 0 < found.contaminated < 0.01 * found.held_out
    stored = [row[0] for row in shards.rows(folder, cleaning.shards, ["text"])]
    assert corpus.corpora[0].unescaped == 515
    for words in ("sah, daß das Licht gut war", "Würde", "över djupet", "človek"):
        assert any(words in text for text in stored)


def test_whole_files_agree_in_every_language(real_data: Path, tmp_path: Path) -> None:
    """With more text than a line none of the declarations is taken for another language."""
    folder, declared = RunFolder(tmp_path / "r"), _only(1, document="file")
    cleaning = clean.clean(folder, declared, ingest.ingest(folder, declared, real_data), real_data)
    pairs = Counter(shards.rows(folder, cleaning.shards, ["declared", "identified"]))
    assert all(one == other for one, other in pairs)
    assert sum(pairs.values()) == 24


def test_genesis_without_its_encodings_is_refused(real_data: Path, tmp_path: Path) -> None:
    """The Finnish text is no UTF-8; the sentence names the file, the line, the byte and what to do."""
    with pytest.raises(errors.DataError, match=r"genesis/finnish\.txt from line \d+: expected utf-8 text, got byte 0x"):
        ingest.ingest(RunFolder(tmp_path / "r"), _only(0, encodings={}), real_data)


def test_the_empty_member_of_the_archive_is_listed(real_data: Path, tmp_path: Path) -> None:
    """Of the 388 declarations one file is empty: it is named, not passed over in silence."""
    source = builders.files("text/udhr2.zip", document="file")
    corpus = ingest.ingest(RunFolder(tmp_path / "r"), builders.plan(source), real_data)
    assert corpus.corpora[0].empty == ("udhr2.zip/udhr2/nku.txt",)
    assert corpus.counts.documents == 387
