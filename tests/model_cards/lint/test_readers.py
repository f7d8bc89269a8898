"""Reading documents of strangers: structure is kept, and whatever is wrong with a file ends in one sentence."""

from __future__ import annotations

import contextlib
import random
from pathlib import Path

import pytest
import typst
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from configs import errors
from model_cards.lint import evidence_files, readers
from model_cards.lint.model import Document
from model_cards.lint.readers import pdf_tables
from tests.model_cards.lint.documents_made import WORD, docx, paragraph, pdf, table

STYLES = '<w:style w:styleId="H1"><w:name w:val="heading 1"/></w:style>'


def read(place: Path, name: str, content: bytes | str) -> Document:
    """Write a file and read it as a document."""
    path = place / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return readers.read(path)


def refusal(place: Path, name: str, content: bytes) -> str:
    """The sentence with which a file is refused."""
    with pytest.raises(errors.UnreadableError) as refused:
        read(place, name, content)
    text = str(refused.value)
    assert "\n" not in text
    assert "expected" in text
    return text


@pytest.mark.slow
def test_every_format_gives_the_same_table_cell(tmp_path: Path) -> None:
    """A cell knows its row, its column and the heading above, whatever the format."""
    markdown = "# Results\n\n| Group | n | Recall |\n|---|---|---|\n| Women | 12 | 0.83 |\n| Men | 14 | 0.87 |\n"
    html = (
        "<!doctype html><h1>Results</h1><table><tr><th>Group<th>n<th>Recall</tr><tr><td>Women<td>12<td>0.83</tr>"
        "<tr><td>Men<td>14<td>0.87</table>"
    )
    word = docx(
        paragraph("Results", "H1") + table(("Group", "n", "Recall"), ("Women", "12", "0.83"), ("Men", "14", "0.87")),
        styles=STYLES,
    )
    lines = ["1 Results", "", "Group      n      Recall", "Women      12     0.83", "Men        14     0.87"]
    for name, content in (("a.md", markdown), ("a.html", html), ("a.docx", word), ("a.pdf", pdf(lines))):
        document = read(tmp_path, name, content)
        cell = next(s for s in document.sentences if s.text == "0.87")
        assert (cell.row, cell.column) == ("Men", "Recall"), name
        assert cell.place.cell == (3, 3), name
        assert cell.place.heading[-1].endswith("Results"), name


@pytest.mark.slow
def test_a_running_head_of_a_pdf_is_read_once_and_labels_stand_alone(tmp_path: Path) -> None:
    """What stands at the top of every page joins no heading, and a line with a label no other such line."""
    source = (
        b"#set page(width: 400pt, height: 300pt, header: [Monitoring plan of the system])\n"
        b"The first page says this.\n#pagebreak()\n= What follows\nThe second page says that.\n\n"
        b"*Consequence:* A decision is missed \\ *Affected:* Persons who apply\n"
    )
    texts = [s.text for s in read(tmp_path, "a.pdf", typst.compile(source)).sentences]
    assert sum("Monitoring plan of the system" in text for text in texts) == 1
    assert "The second page says that." in texts
    assert "Consequence: A decision is missed" in texts
    assert "Affected: Persons who apply" in texts


def test_markdown_keeps_lines_front_matter_and_angle_brackets(tmp_path: Path) -> None:
    """Places are lines of the file; what is no tag of HTML was meant as text; code is code."""
    document = read(
        tmp_path, "a.md", "---\nversion: 1.2\n---\n\n# T\n\nOne line.\nTwo <insert name> lines.\n\n```\nx = None\n```\n"
    )
    found = {s.text: s for s in document.sentences}
    assert found["version: 1.2"].kind == "meta"
    assert found["One line."].place.line == 7
    assert found["Two <insert name> lines."].place.line == 8
    assert found["x = None"].kind == "code"


def test_word_shows_what_a_reader_sees(tmp_path: Path) -> None:
    """Deleted text and field codes are not read; inserted text, headers and footnotes are."""
    body = (
        "<w:p><w:del><w:r><w:t>gone </w:t></w:r></w:del><w:ins><w:r><w:t>here </w:t></w:r></w:ins>"
        "<w:r><w:instrText>PAGE</w:instrText></w:r><w:r><w:t>and there.</w:t></w:r></w:p>"
    )
    header = f'<?xml version="1.0"?><w:hdr {WORD}>{paragraph("Draft TBD")}</w:hdr>'
    texts = [s.text for s in read(tmp_path, "a.docx", docx(body, more={"word/header1.xml": header})).sentences]
    assert texts == ["here and there.", "Draft TBD"]


def test_html_leaves_scripts_and_pictures_out(tmp_path: Path) -> None:
    """Scripts, styles and drawings are no text; the words that stand for a picture are."""
    page = "<html><script>var a = 'None'</script><svg><text>7</text></svg><p>A<img alt='chart of recall'>B</p>"
    assert [s.text for s in read(tmp_path, "a.html", page).sentences] == ["A chart of recall B"]


def bomb() -> bytes:
    """A DOCX whose text unpacks to 60 MB."""
    return docx("<w:p/>" * 10_000_000)


HOSTILE = {
    "entities": ("a.docx", docx(paragraph("&a;"), head='<!DOCTYPE d [<!ENTITY a "b">]>')),
    "external": ("a.docx", docx(paragraph("&a;"), head='<!DOCTYPE d [<!ENTITY a SYSTEM "file:///etc/passwd">]>')),
    "no xml": ("a.docx", docx("<w:p>")),
    "no word": ("a.docx", b"PK\x03\x04" + b"\0" * 100),
    "old word": ("a.docx", b"\xd0\xcf\x11\xe0" + b"\0" * 500),
    "another zip": ("a.docx", docx("").replace(b"word/document.xml", b"word/another1.xml")),
    "cut zip": ("a.docx", docx(paragraph("text"))[:-30]),
    "pdf name": ("a.pdf", b"just text"),
    "cut pdf": ("a.pdf", pdf(["some text"])[:200]),
    "no text": ("a.pdf", pdf([], stream=b"q 1 0 0 1 0 0 cm Q")),
    "latin-1": ("a.md", "Größe".encode("latin-1")),
    "utf-16 without mark": ("a.md", "text".encode("utf-16-le")),
    "binary": ("a.md", b"\x00\x01\x02text"),
    "no ending": ("a", b"text"),
    "picture": ("a.png", b"\x89PNG\r\n"),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_what_cannot_be_read_is_refused_in_one_sentence(tmp_path: Path, name: str) -> None:
    """Nothing of a stranger ends in a traceback, and nothing is guessed."""
    text = refusal(tmp_path, *HOSTILE[name])
    assert HOSTILE[name][0] in text


@pytest.mark.slow
def test_bombs_are_refused(tmp_path: Path) -> None:
    """A small file that unpacks to a huge one is refused, as DOCX and as PDF."""
    assert "unpacks" in refusal(tmp_path, "bomb.docx", bomb())
    stream = b"BT /F1 11 Tf 60 780 Td\n" + b"(word word) Tj 0 -1 Td\n" * 9_000_000 + b"ET"
    refusal(tmp_path, "bomb.pdf", pdf([], stream=stream))


def test_what_html_says_of_its_encoding_is_believed(tmp_path: Path) -> None:
    """An HTML file may be in another encoding, where it says so."""
    page = '<html><meta charset="iso-8859-1"><p>Größe: 3.</p>'.encode("latin-1")
    assert read(tmp_path, "a.html", page).sentences[0].text == "Größe: 3."


SEEDS = {
    "a.md": b"# T\n\n| a | b |\n|---|---|\n| x | 1 |\n\n- item <b>c</b>\n\n<div>x</div>\n",
    "a.html": b"<html><h1>T</h1><table><caption>c<tr><th>a<td>1</table><dl><dt>a<dd>b</dl><p>x &amp; y",
    "a.docx": docx(paragraph("T", "H1") + table(("a", "b"), ("c", "1")), styles=STYLES),
}


@pytest.mark.parametrize("name", SEEDS)
def test_mutated_files_are_read_or_refused(tmp_path: Path, name: str) -> None:
    """Whatever bytes change, the reader gives sentences or one of our own errors."""
    chance = random.Random(7)  # noqa: S311 - a repeatable choice of bytes, no secret
    for _ in range(150):
        content = bytearray(SEEDS[name])
        for _ in range(chance.randint(1, 12)):
            content[chance.randrange(len(content))] = chance.randrange(256)
        with contextlib.suppress(errors.UnreadableError):
            read(tmp_path, name, bytes(content))


@pytest.mark.slow
def test_mutated_pdfs_are_read_or_refused(tmp_path: Path) -> None:
    """The same of PDF, whose reader runs in a process of its own."""
    chance = random.Random(7)  # noqa: S311 - as above
    seed = pdf(["1 Results", "The accuracy is 0.84."])
    for _ in range(15):
        content = bytearray(seed)
        for _ in range(chance.randint(1, 12)):
            content[chance.randrange(9, len(content))] = chance.randrange(256)
        with contextlib.suppress(errors.UnreadableError):
            read(tmp_path, "a.pdf", bytes(content))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=400), st.sampled_from(["a.md", "a.html"]))
def test_any_text_is_read(tmp_path: Path, text: str, name: str) -> None:
    """There is no Markdown or HTML that the readers fail on, but for null bytes and lone surrogates."""
    content = text.encode("utf-8", "replace").replace(b"\0", b"")
    assert all(s.text == s.text.strip() for s in read(tmp_path, name, content).sentences)


BAD_EVIDENCE = {
    "a.json": b'{"a": 1',
    "b.yaml": b"a: [1, 2",
    "c.yaml": b"a: !!python/object/apply:os.system ['true']",
    "d.csv": b"",
    "e.json": "ä".encode("latin-1"),
    "f.xlsx": b"PK\x03\x04",
    "g.json": b"[" * 100_000,
    "h.yaml": b"a: &a [x, x, x, x]\nb: &b [*a, *a, *a, *a, *a, *a]\n"
    + b"".join(b"%c: &%c [%s]\n" % (n + 1, n + 1, b", ".join([b"*%c" % n] * 12)) for n in range(98, 106)),
}


@pytest.mark.parametrize("name", BAD_EVIDENCE)
def test_bad_evidence_is_refused_in_one_sentence(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Damaged, foreign, too deep, too large, or asking for code: one sentence."""
    monkeypatch.setattr(evidence_files, "MOST_VALUES", 20_000)
    path = tmp_path / name
    path.write_bytes(BAD_EVIDENCE[name])
    with pytest.raises(errors.UnreadableError) as refused:
        list(evidence_files.leaves(evidence_files.read(path), f"evidence {path}"))
    assert "\n" not in str(refused.value)
    assert name in str(refused.value)


def test_a_table_of_a_pdf_whose_header_leaves_its_first_cell_empty_keeps_its_columns() -> None:
    """The header stands above the other columns, and the rows are found under it."""
    lines = [
        "               Validation    Test",
        "Recall             0.801   0.742",
        "Precision          0.655   0.640",
    ]
    length, rows = pdf_tables.at(lines, 0)
    assert length == len(lines)
    assert rows == [["", "Validation", "Test"], ["Recall", "0.801", "0.742"], ["Precision", "0.655", "0.640"]]
