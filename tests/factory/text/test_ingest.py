"""Ingest of text: every way in, and every bad input as one sentence."""

from __future__ import annotations

import hashlib
import json
import zipfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from configs import errors
from factory.text import shards
from tests.factory.text import builders


def test_the_python_documentation_needs_no_file(tmp_path: Path) -> None:
    """The embedded corpus is there without a download, with the digest of the file it comes from."""
    folder, corpus = builders.ingested(tmp_path, builders.plan())
    found = builders.texts(folder, corpus)
    assert corpus.counts.documents == len(found) > 200
    assert any(text.startswith('The "with" statement') for text in found)
    assert corpus.corpora[0].sources[0].name == "pydoc_data/topics.py"
    assert corpus.counts.bytes == sum(len(text.encode()) for text in found)


@pytest.mark.parametrize(("document", "expected"), [("file", 1), ("paragraph", 2), ("line", 3)])
def test_a_document_is_what_the_plan_says(tmp_path: Path, document: str, expected: int) -> None:
    """A file, what stands between blank lines, or a line."""
    (tmp_path / "a.txt").write_text("one\ntwo\n\n \nthree\n", encoding="utf-8")
    folder, corpus = builders.ingested(tmp_path, builders.plan(builders.files("a.txt", document=document)))
    assert len(builders.texts(folder, corpus)) == expected


def test_documents_are_named_by_their_text(tmp_path: Path) -> None:
    """The name of a document is the SHA-256 of its text, and the record holds that of all names."""
    (tmp_path / "a.txt").write_bytes("\ufeffÄpfel\r\nBirnen".encode())
    folder, corpus = builders.ingested(tmp_path, builders.plan(builders.files("a.txt", document="line")))
    names = [row[0] for row in shards.rows(folder, corpus.shards, ["document"])]
    assert names == [hashlib.sha256(text.encode()).hexdigest() for text in ("Äpfel", "Birnen")]
    lines = "".join(f"{name}\n" for name in sorted(names))
    assert corpus.documents_sha256 == hashlib.sha256(lines.encode()).hexdigest()


def test_fields_of_json_lines_and_parquet_are_kept(tmp_path: Path) -> None:
    """Language and domain of a document come from its row; of its address only the domain is kept."""
    rows = [
        {"body": "Guten Tag", "lang": "de-AT", "kind": "press", "url": "https://www.Example.org/a?b=c"},
        {"body": "Bonjour", "lang": None, "kind": None, "url": None},
    ]
    (tmp_path / "a.jsonl").write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "b.parquet")
    with zipfile.ZipFile(tmp_path / "c.zip", "w") as archive:
        archive.write(tmp_path / "b.parquet", "in/b.parquet")
    fields = {"text_field": "body", "language_field": "lang", "domain_field": "kind", "url_field": "url"}
    for name in ("a.jsonl", "b.parquet", "c.zip"):
        declared = builders.plan(builders.files(name, language="fr", domain="greetings", **fields))
        folder, corpus = builders.ingested(tmp_path, declared)
        stored = list(shards.rows(folder, corpus.shards, ["language", "domain", "web_domain", "text"]))
        assert stored == [("de", "press", "example.org", "Guten Tag"), ("fr", "greetings", None, "Bonjour")]
        assert corpus.corpora[0].web_domains == {"example.org": 9}


def test_encodings_and_languages_go_by_pattern(tmp_path: Path) -> None:
    """Members of one archive can differ in encoding and language; members without text are listed."""
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("t/german.txt", "Äpfel".encode("latin-1"))
        archive.writestr("t/swedish.txt", "äpple".encode("cp865"))
        archive.writestr("t/empty.txt", b" \n")
        archive.writestr("t/README", b"\xff\xfe")
        archive.writestr("__MACOSX/t/x.txt", b"\xff")
    source = builders.files(
        "a.zip",
        encodings={"*/german.txt": "latin-1", "*/swedish.txt": "cp865"},
        languages={"*/german.txt": "de", "*/swedish.txt": "sv"},
    )
    folder, corpus = builders.ingested(tmp_path, builders.plan(source))
    assert list(shards.rows(folder, corpus.shards, ["language", "text"])) == [("de", "Äpfel"), ("sv", "äpple")]
    assert corpus.corpora[0].empty == ("a.zip/t/empty.txt",)


def test_character_references_are_replaced_where_the_plan_says(tmp_path: Path) -> None:
    """A text that was taken from a page; whatever stands there stays text that can be stored."""
    (tmp_path / "a.txt").write_text("da&szlig; &#xD800;&#0; &amp;lt; &nbsp;\n&nbsp;\nplain", encoding="utf-8")
    source = builders.files("a.txt", document="line", character_references="replace")
    folder, corpus = builders.ingested(tmp_path, builders.plan(source))
    assert builders.texts(folder, corpus) == ["daß \ufffd\ufffd &lt;", "plain"]
    assert corpus.corpora[0].unescaped == 2
    kept = builders.plan(builders.files("a.txt", document="line"))
    assert builders.texts(*builders.ingested(tmp_path, kept))[0].startswith("da&szlig;")


def test_a_shard_that_was_altered_is_not_read(tmp_path: Path) -> None:
    """Stored documents are read only while they have the recorded digest."""
    folder, corpus = builders.ingested(tmp_path, builders.plan())
    folder.at(corpus.shards[0].path).write_bytes(b"PAR1")
    with pytest.raises(errors.IntegrityError, match="altered after it was recorded"):
        builders.texts(folder, corpus)


BAD = {
    "missing file": ("b.txt", b"x", {}, "expected it in .*, got no such file. Did you mean b.tx"),
    "empty file": ("a.txt", b"", {}, "expected text, got an empty file"),
    "empty corpus": ("a.txt", b"\n \n", {}, "expected at least one document, got none in 1 files"),
    "wrong encoding": ("a.txt", b"gut\ns\xfc\xdf", {}, "from line 1: expected utf-8 text, got byte 0xfc"),
    "said to be latin-1": ("a.txt", "Äpfel\n".encode() * 3, {"encoding": "latin-1"}, "got bytes that are UTF-8 in all"),
    "utf-16": ("a.txt", "gut".encode("utf-16-le"), {}, "line 1: expected utf-8 text, got a NUL character"),
    "unknown encoding": ("a.txt", b"x", {"encoding": "klingon"}, "expected a known encoding of text, got 'klingon'"),
    "no text encoding": ("a.txt", b"x", {"encoding": "zlib"}, "expected a known encoding of text, got 'zlib'"),
    "unknown ending": ("a.exe", b"x", {}, "expected one of the endings .*, got '.exe'"),
    "members of no archive": ("a.txt", b"x", {"members": ["*"]}, "expected a .zip file to take them from"),
    "another file": ("a.txt", b"x", {"sha256": ["0" * 64]}, "expected sha256 000000000000…, got"),
    "digests missing": ("a.txt", b"x", {"sha256": ["0" * 64] * 2}, "expected 1 digests, one for each path, got 2"),
    "broken line": ("a.jsonl", b'{"text": "a"}\n{"text": ', {}, "line 2: expected one JSON object, got a broken line"),
    "deep line": ("a.jsonl", b"[" * 100_000, {}, "line 1: expected one JSON object, got a broken line"),
    "no object": ("a.jsonl", b"[1]", {}, "line 1: expected one JSON object, got list"),
    "missing text field": ("a.jsonl", b'{"body": "a"}', {}, "line 1: expected the field text, got body"),
    "odd names": ("a.jsonl", b'{"b\\ndy": "a"}', {}, r"line 1: expected the field text, got b\?dy\. Correct"),
    "text is null": ("a.jsonl", b'{"text": null}', {}, "line 1: expected text in text, got null"),
    "text is a number": ("a.jsonl", b'{"text": 1}', {}, "line 1: expected text in text, got int"),
    "surrogate": ("a.jsonl", b'{"text": "\\ud800"}', {}, "line 1: expected Unicode text in text, got half"),
    "language": ("a.jsonl", b'{"text": "a", "l": "Deutsch!"}', {"language_field": "l"}, "expected an ISO 639 code"),
    "address": ("a.jsonl", b'{"text": "a", "u": "http://[x"}', {"url_field": "u"}, "expected an address such as"),
    "no Parquet": ("a.parquet", b"PAR1abcPAR1", {}, "expected a whole Parquet file, got a damaged"),
    "no ZIP": ("a.zip", b"PK\x03\x04", {}, "expected a whole ZIP archive, got a damaged"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_sentence(tmp_path: Path, case: str) -> None:
    """What is wrong with a file is said in one readable sentence: where, expected, got, what to do."""
    name, content, source, message = BAD[case]
    (tmp_path / ("b.tx" if case == "missing file" else name)).write_bytes(content)
    with pytest.raises(errors.ProoflineError, match=message) as caught:
        builders.ingested(tmp_path, builders.plan(builders.files(name, **source)))
    assert "\n" not in str(caught.value)


def _zip(path: Path, members: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> None:
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name), content, compress_type=compression)


ARCHIVES = {
    "bomb": ({"a.txt": b" " * 30_000_000}, {}, "packed at most 1000 to 1"),
    "leaves its folder": ({"../a.txt": b"x"}, {}, "expected plain member names"),
    "absolute": ({"/etc/a.txt": b"x"}, {}, "expected plain member names"),
    "backslash": ({"..\\a.txt": b"x"}, {}, "expected plain member names"),
    "very long name": ({"a" * 2000 + ".txt": b"x"}, {}, "more than 1024 characters"),
    "nothing wanted": ({"a.exe": b"x"}, {}, "expected members with text, got none among 1"),
    "pattern fits nothing": ({"a.txt": b"x"}, {"members": ["b/*.txt"]}, "expected members like b/"),
}


@pytest.mark.parametrize("case", ARCHIVES)
def test_unsafe_archives_are_refused(tmp_path: Path, case: str) -> None:
    """An archive is judged before a member is opened."""
    members, source, message = ARCHIVES[case]
    _zip(tmp_path / "a.zip", members)
    with pytest.raises(errors.DataError, match=message):
        builders.ingested(tmp_path, builders.plan(builders.files("a.zip", **source)))


def test_a_name_that_stands_twice_in_an_archive_is_refused(tmp_path: Path) -> None:
    """Two members of one name: readers disagree about which counts."""
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("a.txt", "x")
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("a.txt", "y")
    with pytest.raises(errors.DataError, match="expected each member once"):
        builders.ingested(tmp_path, builders.plan(builders.files("a.zip")))


def test_a_damaged_member_is_told(tmp_path: Path) -> None:
    """A member whose content does not have its checksum ends in the same sentence as a damaged archive."""
    _zip(tmp_path / "a.zip", {"a.txt": b"many words " * 50}, zipfile.ZIP_STORED)
    content = (tmp_path / "a.zip").read_bytes()
    (tmp_path / "a.zip").write_bytes(content.replace(b"many words many", b"many wards many", 1))
    with pytest.raises(errors.DataError, match="expected a whole ZIP archive"):
        builders.ingested(tmp_path, builders.plan(builders.files("a.zip")))


def test_an_unknown_licence_is_allowed(tmp_path: Path) -> None:
    """A corpus without a licence is read; the gap is told elsewhere."""
    corpus = builders.PYTHON | {"provenance": {"title": "Python", "origin": "public"}}
    assert builders.ingested(tmp_path, builders.plan(corpus))[1].counts.documents
