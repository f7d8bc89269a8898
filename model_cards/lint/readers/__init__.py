"""Reading documents of strangers: Markdown, HTML, DOCX, PDF, told apart by their content first."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable
from pathlib import Path

from configs import errors
from model_cards.lint.model import Document
from model_cards.lint.readers import docx, html, markdown, pdf

MOST_BYTES = pdf.MOST_BYTES
_BY_NAME: dict[str, Callable[[bytes, str], Document]] = {
    ".md": markdown.read,
    ".markdown": markdown.read,
    ".txt": markdown.read,
    ".html": html.read,
    ".htm": html.read,
    ".xhtml": html.read,
    ".docx": docx.read,
    ".pdf": pdf.read,
}


def read(path: Path) -> Document:
    """Read a document.

    Raises:
        UnreadableError: It is absent, damaged, protected, too large, or no document.
    """
    return of_bytes(read_bytes(path, f"document {path}"), str(path))


def of_bytes(content: bytes, name: str) -> Document:
    """Read a document whose bytes are at hand.

    Args:
        content: Its bytes.
        name: Its path, for its places and by its ending.

    Raises:
        UnreadableError: It is damaged, protected, too large, or no document.
    """
    found = _reader(Path(name), content)(content, name)
    return dataclasses.replace(found, sha256=hashlib.sha256(content).hexdigest())


def read_bytes(path: Path, what: str, most: int = MOST_BYTES) -> bytes:
    """The bytes of a file of somebody.

    Raises:
        UnreadableError: There is no such file, or it is too large.
    """
    try:
        if not path.is_file():
            got = "a folder" if path.is_dir() else "no file"
            raise errors.UnreadableError(f"{what}: expected a file, got {got}. Correct the path.")
        if path.stat().st_size > most:
            raise errors.UnreadableError(f"{what}: expected at most {most:,} bytes, got more. Split it.")
        return path.read_bytes()
    except OSError as error:
        raise errors.UnreadableError(f"{what}: expected a file that opens, got: {error.strerror}.") from None


def _reader(path: Path, content: bytes) -> Callable[[bytes, str], Document]:
    if b"%PDF-" in content[:1024]:
        return pdf.read
    if content.startswith(b"PK\x03\x04"):
        return docx.read
    if content.startswith(b"\xd0\xcf\x11\xe0"):
        raise errors.UnreadableError(
            f"document {path}: expected a DOCX file that opens, got an old .doc or one with a password. "
            "Save it as .docx without a password."
        )
    start = content[:400].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith((b"<!doctype html", b"<html")):
        return html.read
    suffix = path.suffix.lower()
    if suffix not in _BY_NAME:
        raise errors.UnreadableError(
            f"document {path}: expected Markdown, HTML, DOCX or PDF, got {suffix or 'a name without an ending'}. "
            "Save it in one of these."
        )
    if suffix in {".pdf", ".docx"}:
        raise errors.UnreadableError(
            f"document {path}: expected a {suffix[1:].upper()} file, got something else under that name. Save it again."
        )
    return _BY_NAME[suffix]
