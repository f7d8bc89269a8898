"""A text file as UTF-8, whatever its encoding: checked once from end to end, then read as a stream."""

from __future__ import annotations

import codecs
import contextlib
import io
from collections.abc import Iterator
from typing import Any

from configs import errors
from factory import _files

_PLAIN = ("utf-8", "ascii")
"""Encodings whose bytes are those of UTF-8 already."""
_BOM = "\ufeff"


def require_text(opened: _files.Opened, encoding: str) -> None:
    """Refuse a file that does not hold text in the encoding.

    Raises:
        PlanError: It is of another format or encoding, or the encoding is none of text.
        DataError: It holds NUL bytes, or blank lines alone.
    """
    name, chunks = opened.name, opened.chunks()
    head = next(chunks, b"")
    if head.startswith((b"PK\x03\x04", b"PAR1")):
        raise errors.PlanError(
            f"data file {name}: expected text, got a ZIP, Excel or Parquet file. State data.source.format."
        )
    decoder = _decoder(encoding)
    chunk: bytes | None = head
    passed, held, nul, blank, begun = 0, 0, False, True, False
    try:
        while chunk is not None:
            held = len(decoder.getstate()[0])  # bytes of a character that the chunk before began
            following = next(chunks, None)
            text = decoder.decode(chunk, final=following is None)
            if text and not begun:
                text, begun = text.removeprefix(_BOM), True
            nul, blank = nul or "\0" in text, blank and not text.strip()
            passed += len(chunk)
            chunk = following
    except UnicodeError as error:
        start = passed - held + getattr(error, "start", 0)
        utf16 = head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
        remedy = "utf-16" if utf16 else "cp1252 (Western Windows) or the one it was saved in"
        raise errors.PlanError(
            f"data file {name}: expected {encoding} text, got something else at byte {start}. "
            f"Set data.source.encoding: {remedy}."
        ) from None
    if nul:
        raise errors.DataError(
            f"data file {name}: expected text, got NUL bytes. Check data.source.format and data.source.encoding."
        )
    if blank:
        raise errors.DataError(f"data file {name}: expected a table, got only blank lines. Restore the file.")


def decodes(opened: _files.Opened, encoding: str) -> bool:
    """Do all bytes of the file stand for text in the encoding?"""
    decoder = _decoder(encoding)
    try:
        for chunk in opened.chunks():
            decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeError:
        return False
    return True


class Stream(io.RawIOBase):
    """The text of a file as UTF-8 without a byte order mark."""

    def __init__(self, opened: _files.Opened, encoding: str) -> None:
        super().__init__()
        self._chunks = _encoded(opened.chunks(), encoding)
        self._held = b""

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Some bytes, as they come."""
        while not self._held:
            found = next(self._chunks, None)
            if found is None:
                return 0
            self._held = found
        size = min(len(buffer), len(self._held))
        buffer[:size], self._held = self._held[:size], self._held[size:]
        return size

    def close(self) -> None:
        """Close the file."""
        self._chunks.close()
        super().close()


def _encoded(chunks: Iterator[bytes], encoding: str) -> Any:
    if codecs.lookup(encoding).name in _PLAIN:
        yield next(chunks, b"").removeprefix(codecs.BOM_UTF8)
        yield from chunks
        return
    decoder, begun = _decoder(encoding), False
    for chunk in chunks:
        text = decoder.decode(chunk)
        if text and not begun:
            text, begun = text.removeprefix(_BOM), True
        yield text.encode("utf-8")
    yield decoder.decode(b"", final=True).encode("utf-8")


def _decoder(encoding: str) -> codecs.IncrementalDecoder:
    try:
        codecs.lookup(encoding)
    except (LookupError, ValueError):  # unknown, or no name at all
        raise errors.PlanError(
            f"plan data.source.encoding: expected a known encoding such as utf-8 or latin-1, got {encoding!r}. "
            "Correct it."
        ) from None
    try:
        with contextlib.suppress(UnicodeError):  # one letter alone need not be text
            b"a".decode(encoding)
        return codecs.getincrementaldecoder(encoding)()
    except LookupError:  # a codec that makes no text, such as base64
        raise errors.PlanError(
            f"plan data.source.encoding: expected an encoding of text, got {encoding!r}. Correct it."
        ) from None
