"""A document tree as DOCX, written by pandoc from its syntax tree, with our styles and a foot on every page.

The only time in the file is the run's own and its entries stand in a fixed order, so that the same tree gives the same
bytes.
"""

from __future__ import annotations

import datetime as dt
import io
import json
import os
import re
import subprocess
import tempfile
import zipfile
from pathlib import Path
from xml.sax import saxutils

from configs import errors
from model_cards import pandoc_tree, render_pdf, text, tree
from model_cards.render_html import TEMPLATES
from model_cards.tree import Document

SECONDS = 120
"""From here on pandoc hangs: a document takes less than one second."""
LOW = 7
LOW_TEXT = 900
"""Rows, and characters in all, up to which a table stays on one page."""
_TABLE = re.compile(r"<w:tbl>.*?</w:tbl>", re.DOTALL)
_WORDS = re.compile(r"(?<=>)[^<>]*(?=</w:t>)")
_HYPHENED = re.compile(r"\b\d{4}-\d{2}-\d{2}\b|\b\d{5}[A-Z]\d{4}-\d{8}\b|(?<![\w-])--[a-z]+")
"""A day, the number of a text of the law, an option: Word breaks a line after any hyphen that is not marked."""
_TEXT = re.compile(r"<w:t[ >][^<]*")
_AFTER_TABLE = re.compile(r"(</w:tbl>\s*<w:p>)\s*(<w:pPr>.*?</w:pPr>)?", re.DOTALL)
_ROOMY = re.compile(r'w:val="(?:Heading\d|TableCaption)"')
"""Styles that bring more room above them."""
_BELOW = '<w:spacing w:before="160"/>'
_LAST = re.compile(r"<w:(?:ind|jc|outlineLvl|rPr|sectPr)\b")
_STYLED = re.compile(r"<w:pStyle [^>]*/>")
_STYLE = re.compile(r'<w:style (?:[^<>]* )?w:styleId="([A-Za-z0-9]+)".*?</w:style>', re.DOTALL)
_WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml"
_CONTENT_TYPES = "[Content_Types].xml"


def render(document: Document, at: dt.datetime) -> bytes:
    """The DOCX.

    Args:
        document: What is said.
        at: The time that the file carries: one of the run's records.

    Raises:
        MissingError: pandoc is not installed.
        RuntimeError: It refuses the document.
    """
    with tempfile.TemporaryDirectory() as place:
        root = Path(place)
        pictures = render_pdf.pictures(document)
        for index, picture in enumerate(pictures):
            (root / f"{index}.png").write_bytes(picture)
        content = pandoc_tree.of(document, [f"{index}.png" for index in range(len(pictures))])
        _pandoc(json.dumps(content), root / "document.docx", at)
        return _finished((root / "document.docx").read_bytes(), document, at)


def _pandoc(content: str, target: Path, at: dt.datetime) -> None:
    try:
        import pypandoc  # noqa: PLC0415 - only who writes documents needs it

        program = pypandoc.get_pandoc_path()
    except (ImportError, OSError):
        raise errors.MissingError(
            "DOCX documents: expected pandoc, got none. Install proofline with [pipeline]."
        ) from None
    environment = os.environ | {"SOURCE_DATE_EPOCH": str(int(at.timestamp()))}
    done = subprocess.run(
        [program, "--from", "json", "--to", "docx", "--output", str(target)],
        input=content.encode("utf-8"),
        env=environment,
        cwd=target.parent,  # pictures by bare name: pandoc writes where it found them into the file
        capture_output=True,
        timeout=SECONDS,
        check=False,
    )
    if done.returncode != 0:
        said = done.stderr.decode("utf-8", "replace").strip()
        raise RuntimeError(f"document {target.name}: pandoc refuses it: {said}")


def _finished(made: bytes, document: Document, at: dt.datetime) -> bytes:
    """Our styles, head and foot in; order, times and compression of the entries fixed."""
    with zipfile.ZipFile(io.BytesIO(made)) as archive:
        files = {name: archive.read(name) for name in archive.namelist() if not name.endswith("/")}
    files["word/styles.xml"] = _styles(files["word/styles.xml"].decode("utf-8")).encode("utf-8")
    files["word/header1.xml"] = _part("hdr", "Header", _run(tree.plain(document.title))).encode("utf-8")
    files["word/footer1.xml"] = _part("ftr", "Footer", _foot(document)).encode("utf-8")
    _insert(
        files,
        _CONTENT_TYPES,
        "</Types>",
        f'<Override PartName="/word/header1.xml" ContentType="{_TYPE}.header+xml"/>'
        f'<Override PartName="/word/footer1.xml" ContentType="{_TYPE}.footer+xml"/>',
    )
    _insert(
        files,
        "word/_rels/document.xml.rels",
        "</Relationships>",
        f'<Relationship Type="{_OFFICE}/header" Id="rIdHead" Target="header1.xml"/>'
        f'<Relationship Type="{_OFFICE}/footer" Id="rIdFoot" Target="footer1.xml"/>',
    )
    body = files["word/document.xml"].decode("utf-8")
    body = _WORDS.sub(_unbroken, body)
    before, _, _ = _apart(_TABLE.sub(_together, body)).rpartition("<w:sectPr")
    listed = _in_columns(before)
    end = f"{_page(1, follows=listed != before)}</w:body></w:document>"
    files["word/document.xml"] = (listed + end).encode("utf-8")
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        for name in sorted(files, key=lambda name: (name != _CONTENT_TYPES, name)):
            entry = zipfile.ZipInfo(name, (at.year, at.month, at.day, at.hour, at.minute, at.second))
            entry.external_attr, entry.create_system = 0o644 << 16, 3
            archive.writestr(entry, files[name], zipfile.ZIP_DEFLATED, 6)
    return written.getvalue()


def _unbroken(words: re.Match[str]) -> str:
    """A piece of text in which no day, number of a law or option is broken at its hyphens."""
    apart = '</w:t><w:noBreakHyphen/><w:t xml:space="preserve">'
    return _HYPHENED.sub(lambda found: found[0].replace("-", apart), words[0])


def _together(table: re.Match[str]) -> str:
    """No row is split between two pages, and neither the first nor the last row stands alone on one.

    A low table stays whole: every paragraph of its rows but the last is kept with the next.
    """
    parted = re.sub(r"<w:trPr>", "<w:trPr><w:cantSplit/>", table[0])
    parted = re.sub(r"<w:tr>(?!\s*<w:trPr>)", "<w:tr><w:trPr><w:cantSplit/></w:trPr>", parted)
    before, *rows = re.split(r"(?=<w:tr>)", parted)
    low = len(rows) <= LOW and sum(len(text) for row in rows for text in _TEXT.findall(row)) <= LOW_TEXT
    heads = sum("<w:tblHeader" in row for row in rows)
    kept = range(len(rows) - 1) if low else {*range(min(heads + 1, len(rows) - 1)), max(len(rows) - 2, 0)}
    return before + "".join(
        _STYLED.sub(r"\g<0><w:keepNext/>", row) if number in kept else row for number, row in enumerate(rows)
    )


def _apart(body: str) -> str:
    """Room between a table and what follows it: a table of Word has no space below."""
    return _AFTER_TABLE.sub(
        lambda found: found[0] if _ROOMY.search(found[2] or "") else f"{found[1]}{_set(found[2] or '', _BELOW)}", body
    )


def _set(properties: str, more: str) -> str:
    """Properties of a paragraph with one more, in the order that the schema asks for: indents and the like are last."""
    inner = properties.removeprefix("<w:pPr>").removesuffix("</w:pPr>").strip()
    last = _LAST.search(inner)
    at = last.start() if last else len(inner)
    return f"<w:pPr>{inner[:at]}{more}{inner[at:]}</w:pPr>"


def _in_columns(body: str) -> str:
    """The list of contents in two columns, between a part of the document that ends with its heading and the rest."""
    for style, columns in (("TOCHeading", 1), ("toc1", 2)):
        places = list(re.finditer(rf'<w:pStyle w:val="{style}" ?/>', body))
        if not places:
            return body
        end = body.index("</w:pPr>", places[-1].end())
        body = body[:end] + _page(columns, follows=columns > 1) + body[end:]
    return body


def _page(columns: int, *, follows: bool) -> str:
    """A section of the document: its head and foot, its paper, its columns, and whether it goes on on the same page."""
    kind = '<w:type w:val="continuous"/>' if follows else ""
    return (
        '<w:sectPr><w:headerReference w:type="default" r:id="rIdHead"/>'
        '<w:footerReference w:type="default" r:id="rIdFoot"/>'
        f'{kind}<w:pgSz w:w="11906" w:h="16838"/><w:pgMar w:top="1250" w:right="1134" w:bottom="1250" w:left="1134" '
        f'w:header="600" w:footer="500" w:gutter="0"/><w:cols w:num="{columns}" w:space="400"/></w:sectPr>'
    )


def _insert(files: dict[str, bytes], name: str, before: str, words: str) -> None:
    files[name] = files[name].decode("utf-8").replace(before, words + before).encode("utf-8")


def _styles(theirs: str) -> str:
    ours = {found[1]: found[0] for found in _STYLE.finditer((TEMPLATES / "styles.xml").read_text(encoding="utf-8"))}
    kept = _STYLE.sub(lambda found: "" if found[1] in ours else found[0], theirs)
    return kept.replace("</w:styles>", f"{''.join(ours.values())}</w:styles>")


def _foot(document: Document) -> str:
    tab = '<w:r><w:tab/></w:r><w:fldSimple w:instr=" PAGE "><w:r><w:t>1</w:t></w:r></w:fldSimple>'
    return _run(tree.plain(document.running)) + tab


def _run(words: str) -> str:
    shown = f'<w:t xml:space="preserve">{saxutils.escape(text.plain(words))}</w:t>'
    return f"<w:r>{_WORDS.sub(_unbroken, shown)}</w:r>"


def _part(kind: str, style: str, content: str) -> str:
    tabs = '<w:tabs><w:tab w:val="right" w:pos="9638"/></w:tabs>'
    return (
        f'<?xml version="1.0" encoding="UTF-8" standalone="yes"?><w:{kind} xmlns:w="{_WORD}">'
        f'<w:p><w:pPr><w:pStyle w:val="{style}"/>{tabs}</w:pPr>{content}</w:p></w:{kind}>'
    )
