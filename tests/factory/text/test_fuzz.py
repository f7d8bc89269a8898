"""The readers on bytes of strangers: documents, or one sentence; never another exception."""

from __future__ import annotations

import io
import json
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from configs import errors
from configs.language.corpora import Corpus
from factory.text import reading, sources
from tests.factory.text import builders

ROWS = [
    {"text": "Guten Tag", "lang": "de", "kind": "press", "url": "https://example.org/a"},
    {"text": "Bonjour à tous\n\nencore", "lang": "fr", "kind": "letters", "url": None},
]
FIELDS = {"language_field": "lang", "domain_field": "kind", "url_field": "url"}


def _parquet() -> bytes:
    buffer = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(ROWS), buffer)
    return buffer.getvalue()


def _archive(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


LINES = "\n".join(json.dumps(row) for row in ROWS).encode()
SEEDS = {
    "a.txt": "eins\nzwei\n\ndrei ä\r\n".encode(),
    "a.jsonl": LINES,
    "a.parquet": _parquet(),
    "a.zip": _archive({"b/a.txt": b"eins\n\nzwei", "b/a.jsonl": LINES, "c.parquet": _parquet()}),
}
QUICK = settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])


def _read(name: str, content: bytes, document: str = "paragraph", encoding: str = "utf-8") -> list[reading.Found]:
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        (place / name).write_bytes(content)
        fields = {} if name.endswith(".txt") else FIELDS
        declared = builders.files(name, document=document, encoding=encoding, language="de", **fields)
        return list(sources.Reading(Corpus.model_validate(declared), place, place))


def _sound(read: Callable[[], list[reading.Found]]) -> None:
    said, found = "", []
    try:
        found = read()
    except errors.ProoflineError as error:
        said = str(error)
    assert not said or (": expected " in said and "\n" not in said and len(said) < 600)
    for document in found:
        assert document.text == document.text.strip() != ""
        document.text.encode("utf-8")
        assert document.language


@pytest.mark.parametrize("name", SEEDS)
def test_the_seeds_are_read(name: str) -> None:
    """What the fuzzing starts from is whole."""
    assert len(_read(name, SEEDS[name])) >= 2


@QUICK
@given(content=st.binary(max_size=300), name=st.sampled_from(sorted(SEEDS)))
def test_any_bytes(content: bytes, name: str) -> None:
    """Whatever stands in a file of any format."""
    _sound(lambda: _read(name, content))


@pytest.mark.slow
@QUICK
@given(data=st.data(), name=st.sampled_from(sorted(SEEDS)))
def test_whole_files_that_were_changed(data: st.DataObject, name: str) -> None:
    """A whole file in which bytes were replaced, left out, put in or cut off."""
    content = bytearray(SEEDS[name])
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(content)))
        match data.draw(st.sampled_from(["replace", "delete", "insert", "cut"])):
            case "replace" if at < len(content):
                content[at] = data.draw(st.integers(0, 255))
            case "delete":
                del content[at : at + data.draw(st.integers(1, 8))]
            case "insert":
                content[at:at] = data.draw(st.binary(max_size=8))
            case "cut":
                del content[at:]
    _sound(lambda: _read(name, bytes(content)))


@pytest.mark.slow
@QUICK
@given(
    text=st.text(max_size=60),
    document=st.sampled_from(["file", "paragraph", "line"]),
    encoding=st.sampled_from(["utf-8", "utf-16", "utf-32", "latin-1", "cp1252", "cp037", "shift_jis", "utf-7", "idna"]),
)
def test_any_text_in_any_encoding(text: str, document: str, encoding: str) -> None:
    """Text in the encoding that is stated, and in another."""
    stored = text.encode("utf-8", "replace")
    _sound(lambda: _read("a.txt", stored, document, encoding))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
ROW = st.dictionaries(st.sampled_from(["text", "lang", "kind", "url"]), JSON, max_size=4)


@pytest.mark.slow
@QUICK
@given(
    rows=st.lists(
        st.dictionaries(st.sampled_from(["text", "lang", "kind", "url"]), JSON, max_size=4) | JSON, max_size=4
    )
)
def test_any_json(rows: list[object]) -> None:
    """Lines that are JSON, with values of any kind in the fields."""
    _sound(lambda: _read("a.jsonl", "\n".join(json.dumps(row) for row in rows).encode()))


@pytest.mark.slow
@QUICK
@given(
    names=st.lists(
        st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=12), max_size=3, unique=True
    )
)
def test_any_member_names(names: list[str]) -> None:
    """Archives whose members have any name."""
    _sound(lambda: _read("a.zip", _archive({f"{name}.txt": b"eins" for name in names})))
