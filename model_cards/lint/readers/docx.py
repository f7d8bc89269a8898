"""DOCX as sentences: a ZIP of XML from a stranger, opened with limits, without entities, without loading anything."""

from __future__ import annotations

import io
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from xml.etree.ElementTree import Element, ParseError

from defusedxml import ElementTree
from defusedxml.common import DefusedXmlException

from configs import errors
from model_cards.lint.model import Document
from model_cards.lint.readers.builder import Builder, Cell

MOST_MEMBERS = 5_000
MOST_XML = 40_000_000
"""Bytes of one part when unpacked. A text of 1,000 pages has about 10 MB."""
MOST_RATIO = 400
_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_STRICT = "http://purl.oclc.org/ooxml/wordprocessingml/main"
_ALTERNATE = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
_SKIPPED = frozenset(
    {_W + tag for tag in ("del", "moveFrom", "instrText", "rPr", "pPr", "tblPr", "sectPr")} | {_ALTERNATE}
)
_PARTS = re.compile(r"word/(?:header|footer|footnotes|endnotes)\d*\.xml")
_HEADING_NAME = re.compile(r"(?:heading|überschrift|titre|titolo|encabezado|kop|rubrik)\s*([1-9])", re.IGNORECASE)


def read(content: bytes, file: str) -> Document:
    """Read a DOCX file.

    Raises:
        UnreadableError: It is encrypted, damaged, too large, or holds what no text document holds.
    """
    builder = Builder(file, "docx")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = _names(archive, file)
            levels = _levels(_xml(archive, "word/styles.xml", file)) if "word/styles.xml" in names else {}
            _body(_xml(archive, "word/document.xml", file), builder, levels)
            for name in sorted(filter(_PARTS.fullmatch, names)):
                builder.paragraph = None
                _body(_xml(archive, name, file), builder, {})
    except (zipfile.BadZipFile, zlib.error, struct.error, EOFError, RuntimeError, ValueError, OSError) as error:
        raise _refused(file, f"a damaged or encrypted file ({error})") from None
    return builder.document()


def _refused(file: str, got: str) -> errors.UnreadableError:
    return errors.UnreadableError(
        f"document {file}: expected a DOCX file that opens, got {got}. Save it again, without a password."
    )


def _names(archive: zipfile.ZipFile, file: str) -> set[str]:
    members = archive.infolist()
    if len(members) > MOST_MEMBERS:
        raise _refused(file, f"{len(members):,} parts (at most {MOST_MEMBERS:,} are read)")
    names = [member.filename for member in members]
    if len(set(names)) != len(names):
        raise _refused(file, "two parts of the same name")
    if "word/document.xml" not in names:
        raise errors.UnreadableError(
            f"document {file}: expected a DOCX file, got a ZIP without `word/document.xml`. Name the document itself."
        )
    return set(names)


def _xml(archive: zipfile.ZipFile, name: str, file: str) -> Element:
    member = archive.getinfo(name)
    if member.flag_bits & 1:
        raise _refused(file, "an encrypted one")
    with archive.open(member) as stream:
        content = stream.read(MOST_XML + 1)
    if len(content) > MOST_XML or len(content) > 1_000_000 + MOST_RATIO * max(1, member.compress_size):
        raise _refused(
            file, f"a part `{name}` that unpacks to more than {MOST_XML:,} bytes or {MOST_RATIO} times its size"
        )
    if _STRICT.encode() in content[:4000]:
        content = content.replace(_STRICT.encode(), _W.strip("{}").encode())
    try:
        root: Element = ElementTree.fromstring(content, forbid_dtd=True)
    except DefusedXmlException:
        raise _refused(file, f"a part `{name}` that declares XML entities, which no word processor writes") from None
    except (ParseError, ValueError, LookupError, RecursionError) as error:
        raise _refused(file, f"a part `{name}` that is no XML ({error})") from None
    return root


def _levels(styles: Element) -> dict[str, int]:
    """Style identifier to heading level. The title counts as level 1."""
    found = {}
    for style in styles.iter(_W + "style"):
        name_element = style.find(_W + "name")
        name = name_element.get(_W + "val", "") if name_element is not None else ""
        identifier = style.get(_W + "styleId", "")
        outline = style.find(f"{_W}pPr/{_W}outlineLvl")
        if match := _HEADING_NAME.fullmatch(name.strip()):
            found[identifier] = int(match[1])
        elif name.lower() in {"title", "titel", "titre"}:
            found[identifier] = 1
        elif outline is not None and (outline.get(_W + "val") or "9") in "012345678":
            found[identifier] = int(outline.get(_W + "val", "0")) + 1
    return found


def _body(root: Element, builder: Builder, levels: dict[str, int]) -> None:
    number = 0
    for block in _blocks(root):
        if block.tag == _W + "tbl":
            number += 1
            builder.paragraph = number
            builder.table([[Cell(_text(cell)) for cell in _within(row, "tc")] for row in _within(block, "tr")])
            continue
        text = _text(block)
        number += 1
        builder.paragraph = number
        level = _level(block, levels)
        if level:
            builder.heading(text, level)
        else:
            builder.paragraph_of(text)


def _level(paragraph: Element, levels: dict[str, int]) -> int:
    style = paragraph.find(f"{_W}pPr/{_W}pStyle")
    outline = paragraph.find(f"{_W}pPr/{_W}outlineLvl")
    if style is not None and style.get(_W + "val", "") in levels:
        return levels[style.get(_W + "val", "")]
    value = outline.get(_W + "val", "9") if outline is not None else "9"
    return int(value) + 1 if value in {"0", "1", "2", "3", "4", "5", "6", "7", "8"} else 0


def _blocks(root: Element) -> Iterator[Element]:
    """Paragraphs and tables in reading order, whatever holds them (content controls, notes)."""
    stack = [root]
    while stack:
        element = stack.pop()
        if element.tag in {_W + "p", _W + "tbl"}:
            yield element
        elif element.tag not in _SKIPPED:
            stack.extend(reversed(element))


def _within(element: Element, tag: str) -> Iterator[Element]:
    """The rows or cells of a table, not those of a table within it."""
    stack = list(reversed(element))
    while stack:
        child = stack.pop()
        if child.tag == _W + tag:
            yield child
        elif child.tag not in _SKIPPED and child.tag != _W + "tbl":
            stack.extend(reversed(child))


def _text(element: Element) -> str:
    """Visible text: deleted text and field codes are not."""
    parts: list[str] = []
    stack = list(reversed(element))
    while stack:
        child = stack.pop()
        tag = child.tag
        if tag in _SKIPPED:
            continue
        if tag == _W + "t":
            parts.append(child.text or "")
        elif tag in {_W + "tab", _W + "br", _W + "cr"}:
            parts.append(" ")
        elif tag == _W + "noBreakHyphen":
            parts.append("-")
        elif tag == _W + "softHyphen":
            continue
        else:
            if tag == _W + "p" and parts:
                parts.append(" ; " if parts[-1].strip() else " ")
            stack.extend(reversed(child))
    return "".join(parts).strip(" ;")
