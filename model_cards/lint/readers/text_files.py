"""Bytes of a text file as text. UTF-8, UTF-16 with its mark, or what an HTML file says of itself; never a guess."""

from __future__ import annotations

import codecs
import re

from configs import errors

MOST_BYTES = 30_000_000
_CHARSET = re.compile(rb"""<meta[^>]{0,200}?charset\s*=\s*["']?\s*([A-Za-z0-9_-]{2,30})""", re.IGNORECASE)
_XML = re.compile(rb"""^\s*<\?xml[^>]{0,100}?encoding\s*=\s*["']([A-Za-z0-9_-]{2,30})["']""")
_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_ALLOWED = frozenset(
    {"utf-8", "utf-16", "ascii", "iso8859-1", "iso8859-15", "cp1252", "iso8859-2", "cp1250", "mac-roman"}
)


def decode(content: bytes, what: str, *, declares: bool = False) -> str:
    """The text of a file.

    Args:
        content: Its bytes.
        what: What to call it in an error: `document report.md`.
        declares: Does the format say its encoding within (HTML)?

    Raises:
        UnreadableError: It is no text, too large, or in an encoding that nothing declares.
    """
    if len(content) > MOST_BYTES:
        raise errors.UnreadableError(f"{what}: expected at most {MOST_BYTES:,} bytes, got {len(content):,}. Split it.")
    name = next((encoding for mark, encoding in _MARKS if content.startswith(mark)), None)
    if name is None and declares:
        name = _declared(content)
    name = name or "utf-8"
    try:
        text = content.decode(name)
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise errors.UnreadableError(
            f"{what} line {line}: expected text in {name.removesuffix('-sig').upper()}, got the byte "
            f"0x{content[error.start]:02X}. Save it as UTF-8."
        ) from None
    if "\x00" in text:
        raise errors.UnreadableError(
            f"{what}: expected text, got a binary file (it holds null bytes). Name a document."
        )
    return text


def _declared(content: bytes) -> str | None:
    found = _XML.search(content[:200]) or _CHARSET.search(content[:4096])
    if not found:
        return None
    try:
        name = codecs.lookup(found[1].decode("ascii")).name
    except LookupError:
        return None
    return name if name in _ALLOWED else None
