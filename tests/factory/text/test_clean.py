"""The cleaning: each step does what the plan says and counts before and after."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest

from configs import errors
from evidence import language_records
from factory.text import shards
from tests.factory.text import builders

LONG = "The general assembly proclaims this universal declaration of human rights as a common standard. "
"""A sentence whose language is plain."""


def _clean(
    tmp_path: Path, texts: list[str], **cleaning: Any
) -> tuple[list[str], dict[str, language_records.CleaningStep], language_records.CleaningRecord]:
    (tmp_path / "texts.txt").write_text("\n\n".join(texts), encoding="utf-8")
    declared = builders.plan(builders.files("texts.txt", document="paragraph", language="en"), cleaning=cleaning)
    folder, _, record = builders.cleaned(tmp_path, declared)
    return builders.texts(folder, record), {step.step: step for step in record.steps}, record


@pytest.mark.slow
def test_every_step_is_counted_before_and_after(tmp_path: Path) -> None:
    """What one step leaves is what the next one begins with, and the last leaves what is stored."""
    texts = ["short", LONG, LONG + "Write to jane.doe@example.org today.", LONG, "blocked words here " + LONG]
    (tmp_path / "list.txt").write_text("# ours\nBLOCKED\n", encoding="utf-8")
    stored, steps, record = _clean(
        tmp_path,
        texts,
        minimum_characters=10,
        block_lists=[{"path": "list.txt", "title": "Ours"}],
    )
    chain = list(record.steps)
    assert [step.step for step in chain] == [
        "length", "language", "block_list", "personal_data", "exact_duplicates", "near_duplicates",
    ]  # fmt: skip
    assert chain[0].before.documents == 5
    assert [step.after.documents for step in chain] == [4, 4, 3, 3, 2, 2]
    for one, other in itertools.pairwise(chain):
        if one.step != "personal_data":  # masking changes the size of the text, not the number of documents
            assert one.after == other.before
    assert chain[-1].after == record.counts
    assert record.counts.bytes == sum(len(text.encode()) for text in stored)
    assert steps["block_list"].found == {"hits": 1}
    assert steps["personal_data"].changed == 1
    assert stored[1].endswith("Write to [email] today.")


@pytest.mark.parametrize(("action", "left"), [("count", True), ("mask", False), ("drop", False)])
def test_personal_data_is_counted_masked_or_dropped(tmp_path: Path, action: str, *, left: bool) -> None:
    """What was found is counted whatever is done about it."""
    texts = [LONG, LONG * 2 + "Call +49 30 901820, write to a@example.org, pay to DE89 3704 0044 0532 0130 00."]
    stored, steps, _ = _clean(tmp_path, texts, personal_data={"action": action}, near_duplicates={"enabled": False})
    assert steps["personal_data"].found == {"documents": 1, "email": 1, "iban": 1, "phone": 1}
    assert any("a@example.org" in text for text in stored) is left
    assert len(stored) == (1 if action == "drop" else 2)


def test_near_duplicates_go_and_the_earlier_stays(tmp_path: Path) -> None:
    """One word changed among many is a near duplicate; the step says how it was decided."""
    words = [f"word{i}" for i in range(200)]
    changed = [*words[:100], "other", *words[101:]]
    stored, steps, _ = _clean(tmp_path, [" ".join(words), " ".join(changed), " ".join(reversed(words))])
    assert stored == [" ".join(words), " ".join(reversed(words))]
    assert steps["near_duplicates"].found == {"clusters": 1}
    assert "decided exactly" in steps["near_duplicates"].method


def test_the_declared_language_stands_and_the_identified_one_is_beside_it(tmp_path: Path) -> None:
    """A statement is not overruled by a statistic; the agreement of the two is measured."""
    german = "Alle Menschen sind frei und gleich an Würde und Rechten geboren. " * 2
    (tmp_path / "texts.txt").write_text(f"{LONG}\n\n{german}\n\nx", encoding="utf-8")
    declared = builders.plan(builders.files("texts.txt", document="paragraph", language="en"))
    folder, _, record = builders.cleaned(tmp_path, declared)
    stored = list(shards.rows(folder, record.shards, ["language", "declared", "identified"]))
    assert stored == [("en", "en", "en"), ("en", "en", "de"), ("en", "en", None)]
    assert record.language_agreement == 0.5


def test_an_undeclared_language_is_identified(tmp_path: Path) -> None:
    """Without a declared language the identified one counts, and `und` where there is none."""
    (tmp_path / "texts.txt").write_text(f"{LONG}\n\nx", encoding="utf-8")
    folder, _, record = builders.cleaned(tmp_path, builders.plan(builders.files("texts.txt", document="paragraph")))
    assert [row[0] for row in shards.rows(folder, record.shards, ["language"])] == ["en", "und"]
    assert record.language_agreement is None


def test_other_languages_can_be_removed(tmp_path: Path) -> None:
    """With `drop_other` a document identified as a language that no corpus declares goes."""
    german = "Alle Menschen sind frei und gleich an Würde und Rechten geboren. " * 2
    stored, steps, _ = _clean(tmp_path, [LONG, german], identification={"drop_other": True})
    assert stored == [LONG.strip()]
    assert (steps["language"].before.documents, steps["language"].after.documents) == (2, 1)


def test_nothing_left_is_told(tmp_path: Path) -> None:
    """A cleaning that removes everything ends in one sentence that names the step."""
    with pytest.raises(errors.DataError, match=r"got none of 1: Short documents removed removed the last"):
        _clean(tmp_path, ["short"], minimum_characters=100)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "block list list.txt: expected it in .*, got no such file"),
        (b"# nothing\n\n", "block list list.txt: expected one entry on each line, got none"),
        (b"\xff", "block list list.txt: expected UTF-8 text"),
    ],
)
def test_a_bad_block_list_is_told(tmp_path: Path, content: bytes | None, message: str) -> None:
    """A block list that is missing, empty or in another encoding ends in one sentence."""
    if content is not None:
        (tmp_path / "list.txt").write_bytes(content)
    with pytest.raises(errors.ProoflineError, match=message):
        _clean(tmp_path, [LONG], block_lists=[{"path": "list.txt", "title": "Ours"}])


def test_a_domain_list_holds_for_what_is_below_it(tmp_path: Path) -> None:
    """A listed domain blocks its subdomains, not its namesakes."""
    rows = ["news.example.org", "example.org", "myexample.org"]
    (tmp_path / "a.jsonl").write_text(
        "\n".join(f'{{"text": "{LONG} {row}", "url": "https://{row}/"}}' for row in rows), encoding="utf-8"
    )
    (tmp_path / "list.txt").write_text("www.example.org\n", encoding="utf-8")
    lists = [{"path": "list.txt", "kind": "domains", "title": "Ours"}]
    cleaning = {"block_lists": lists, "near_duplicates": {"enabled": False}}
    declared = builders.plan(builders.files("a.jsonl", url_field="url", language="en"), cleaning=cleaning)
    _, _, record = builders.cleaned(tmp_path, declared)
    assert list(record.web_domains["files"]) == ["myexample.org"]


@pytest.mark.slow
def test_the_same_corpus_gives_the_same_files(tmp_path: Path) -> None:
    """Cleaning is deterministic, and leaves nothing behind but its shards."""
    one, two = (builders.cleaned(tmp_path / name, builders.plan()) for name in ("a", "b"))
    assert one[2] == two[2]
    assert sorted(p.name for p in one[0].at("data/text/x").parent.iterdir()) == ["cleaned", "ingested"]
