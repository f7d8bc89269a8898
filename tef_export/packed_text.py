"""What can be read inside a DOCX or PDF: its parts and metadata, for the search for what must not leave.

Words on a PDF's pages stand there as numbers of glyphs and are not read; the same document leaves as Markdown and HTML
too, which are. Metadata, names of files and programs stand in plain text or in deflated streams, and are.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Iterator

MOST = 64 << 20
"""Bytes that are unpacked of one file."""
_STREAM = re.compile(rb"stream\r?\n")
_READABLE = re.compile(rb"[\t\n\r\x20-\x7e]{16,}")
"""Shorter runs turn up in fonts and pictures by chance, and so would short names."""


def pieces(path: str, content: bytes) -> Iterator[str]:
    """The readable pieces of a file; none for a file of another kind.

    Args:
        path: Its name, of which the ending counts.
        content: Its bytes, made on this machine.
    """
    if path.endswith(".docx"):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for part in archive.infolist():
                yield part.filename
                if part.filename.endswith((".xml", ".rels")) and part.file_size <= MOST:
                    yield archive.read(part).decode("utf-8", "replace")
    elif path.endswith(".pdf"):
        yield _readable(content)
        for match in _STREAM.finditer(content):
            try:
                yield _readable(zlib.decompressobj().decompress(content[match.end() :], MOST))
            except zlib.error:
                continue


def _readable(content: bytes) -> str:
    """The runs of readable characters, one a line."""
    return b"\n".join(_READABLE.findall(content)).decode("ascii")
