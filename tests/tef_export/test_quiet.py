"""DOCX and PDF of a stranger: what acts when it is opened is named, and what only shows text passes."""

from __future__ import annotations

import datetime as dt
import io
import zipfile
import zlib
from collections.abc import Callable

import pytest

from configs import errors
from model_cards import render_docx, render_pdf
from model_cards.refs import Fact
from model_cards.tree import Document, Link, Paragraph, Section
from tef_export import contents, quiet
from tests.tef_export import fuzz

FOUND = fuzz.FINDINGS / "document-negative-seek"
AT = dt.datetime(2026, 11, 22, tzinfo=dt.UTC)
TYPES = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
RELATION = f'<Relationship Id="x" Type="{TYPES}/{{kind}}" Target="{{to}}" TargetMode="External"/>'


def document() -> Document:
    """A document with a link, and a text that speaks of actions."""
    words = Fact("/JavaScript and DDEAUTO are words here", "plan.yaml#/x")
    body = (Paragraph((words,)), Paragraph((Link("there", "AIV-1a", "annex_iv"),)))
    return Document(("Title",), ("Draft",), (Section("x", "X", body),), running=("Draft",))


@pytest.fixture(scope="module")
def docx() -> bytes:
    """A DOCX of ours."""
    return render_docx.render(document(), AT)


@pytest.fixture(scope="module")
def pdf() -> bytes:
    """A PDF of ours."""
    return render_pdf.render(document(), "x", AT)


def changed(docx: bytes, name: str, content: bytes) -> bytes:
    """The DOCX with one more part, or another one in its place."""
    written = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(docx)) as old, zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as new:
        for part in old.namelist():
            if part != name:
                new.writestr(part, old.read(part))
        new.writestr(name, content)
    return written.getvalue()


def rels(docx: bytes, more: str) -> bytes:
    """The DOCX with one more relationship."""
    name = "word/_rels/document.xml.rels"
    with zipfile.ZipFile(io.BytesIO(docx)) as archive:
        text = archive.read(name).decode("utf-8")
    return changed(docx, name, text.replace("</Relationships>", f"{more}</Relationships>").encode("utf-8"))


def test_our_own_documents_do_nothing(docx: bytes, pdf: bytes) -> None:
    """What we write passes, links and words about actions included."""
    assert quiet.acts_docx(docx) is None
    assert quiet.acts_pdf(pdf) is None


@pytest.mark.parametrize(
    "name", ["word/vbaProject.bin", "word/embeddings/a.xlsx", "word/activeX/activeX1.xml", "customUI/x.xml"]
)
def test_parts_that_run_are_named(docx: bytes, name: str) -> None:
    """Macros, controls and files within the file are refused by the part that holds them."""
    assert name in str(quiet.acts_docx(changed(docx, name, b"<x/>")))


@pytest.mark.parametrize("kind", ["attachedTemplate", "image", "frame", "oleObject"])
def test_what_is_fetched_is_named(docx: bytes, kind: str) -> None:
    """A template, picture or frame from elsewhere is fetched on opening; a plain link waits for a click."""
    assert "fetched" in str(quiet.acts_docx(rels(docx, RELATION.format(kind=kind, to="http://a.example/x"))))
    assert quiet.acts_docx(rels(docx, RELATION.format(kind="hyperlink", to="http://a.example/x"))) is None


@pytest.mark.parametrize("field", ["DDEAUTO c:\\\\x", 'includepicture "http://a.example/x.png"'])
def test_fields_that_act_are_named(docx: bytes, field: str) -> None:
    """A field can run a program or fetch a file."""
    part = f'<w:p xmlns:w="x"><w:r><w:instrText xml:space="preserve"> {field} </w:instrText></w:r></w:p>'
    assert "field" in str(quiet.acts_docx(changed(docx, "word/footnotes.xml", part.encode())))


def test_entities_and_broken_archives_are_named(docx: bytes) -> None:
    """Entities can grow without bound; a cut file is no document."""
    assert "document type" in str(quiet.acts_docx(changed(docx, "word/x.xml", b"<!DOCTYPE a [<!ENTITY b 'c'>]><a/>")))
    assert "unpacked" in str(quiet.acts_docx(docx[: len(docx) // 2]))


@pytest.mark.slow
def test_a_bomb_is_not_unpacked(docx: bytes) -> None:
    """The declared size of all parts is bounded before anything is read."""
    assert "more than" in str(quiet.acts_docx(changed(docx, "word/x.xml", b"0" * (quiet.MOST_BYTES + 1))))


@pytest.mark.parametrize(
    "action",
    [b"/OpenAction 5 0 R", b"/S /JavaScript /JS (x)", b"/S /Launch", b"/EmbeddedFiles 6 0 R", b"/S /J#61vaScript"],
)
def test_actions_of_a_pdf_are_named(pdf: bytes, action: bytes) -> None:
    """In the open, in packed objects, and with escaped names."""
    plain = b"\n9 0 obj\n<< " + action + b" >>\nendobj\n"
    packed = zlib.compress(b"9 0 << " + action + b" >>")
    stream = b"\n8 0 obj\n<< /Type /ObjStm /N 1 /First 4 /Filter /FlateDecode /Length %d >>\nstream\n" % len(packed)
    assert "an action /" in str(quiet.acts_pdf(pdf + plain))
    assert "an action /" in str(quiet.acts_pdf(pdf + stream + packed + b"\nendstream\nendobj\n"))


def _field(docx: bytes) -> bytes:
    part = b'<w:p xmlns:w="x"><w:r><w:instrText xml:space="preserve"> DDEAUTO c:\\x </w:instrText></w:r></w:p>'
    return changed(docx, "word/footnotes.xml", part)


def _pdf(action: bytes) -> Callable[[bytes], bytes]:
    return lambda pdf: pdf + b"\n9 0 obj\n<< " + action + b" >>\nendobj\n"


ACTIVE: list[tuple[str, str, Callable[[bytes], bytes]]] = [
    ("DOCX with a macro", "docx", lambda d: changed(d, "word/vbaProject.bin", b"x")),
    ("DOCX with a file inside", "docx", lambda d: changed(d, "word/embeddings/a.xlsx", b"x")),
    ("DOCX with a template from elsewhere", "docx", lambda d: rels(
        d, RELATION.format(kind="attachedTemplate", to="http://a.example/x"))),
    ("DOCX with a picture from elsewhere", "docx", lambda d: rels(
        d, RELATION.format(kind="image", to="http://a.example/x"))),
    ("DOCX with a field that runs a program", "docx", _field),
    ("DOCX with entities", "docx", lambda d: changed(d, "word/x.xml", b"<!DOCTYPE a [<!ENTITY b 'c'>]><a/>")),
    ("DOCX that unpacks without end", "docx", lambda d: changed(d, "word/x.xml", b"0" * (quiet.MOST_BYTES + 1))),
    ("DOCX that was cut off", "docx", lambda d: d[: len(d) // 2]),
    ("DOCX with an offset before its beginning", "docx", lambda _: FOUND.read_bytes()),
    ("PDF with a script", "pdf", _pdf(b"/S /JavaScript /JS (x)")),
    ("PDF with a script, its name escaped", "pdf", _pdf(b"/S /J#61vaScript")),
    ("PDF that starts a program", "pdf", _pdf(b"/S /Launch")),
    ("PDF that acts on opening", "pdf", _pdf(b"/OpenAction 5 0 R")),
    ("PDF with a file inside", "pdf", _pdf(b"/EmbeddedFiles 6 0 R")),
    ("PDF that sends a form", "pdf", _pdf(b"/S /SubmitForm")),
    ("PDF that is encrypted", "pdf", _pdf(b"/Encrypt 7 0 R")),
]  # fmt: skip


@pytest.mark.attack("contents")
@pytest.mark.parametrize(("suffix", "bend"), [one[1:] for one in ACTIVE], ids=[one[0] for one in ACTIVE])
def test_the_reader_refuses_in_one_sentence(
    request: pytest.FixtureRequest, suffix: str, bend: Callable[[bytes], bytes], attack: Callable[..., None]
) -> None:
    """The verification names the file, and what it would do."""
    content = bend(request.getfixturevalue(suffix))
    with pytest.raises(errors.VerificationError, match=r"expected (a document|DOCX)") as caught:
        contents.check_content(f"data/documents/x.{suffix}", content)
    attack(caught.value, "contents")
