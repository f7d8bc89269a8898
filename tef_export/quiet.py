"""DOCX and PDF that do nothing when they are opened: no macros, scripts, embedded files, and nothing fetched.

Only what stands in the file is read, within bounds; nothing of it is run or shown.
Refs: ECMA-376 part 2 (relationships); ISO 32000-1, 7.5.7 (object streams) and 12.6 (actions).
"""

from __future__ import annotations

import io
import lzma
import re
import struct
import zipfile
import zlib

MOST_BYTES = 64 << 20
"""Of everything in a file, unpacked."""
MOST_PARTS = 2000
_PARTS = re.compile(
    r"vbaproject|vbadata|activex|oleobject|embeddings?/|\.bin$|\.exe$|\.js$|customui|webextension|afchunk|\.docm$",
    re.IGNORECASE,
)
"""Names of parts of a DOCX that hold something to run or another file."""
_UNREADABLE = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, NotImplementedError, EOFError, RuntimeError,
    ValueError, OSError,
)  # fmt: skip
"""What the standard library says to files that were bent on purpose."""
_RELATION = re.compile(r"<Relationship\b[^<>]*>")
_HYPERLINK = '/relationships/hyperlink"'
_FIELDS = re.compile(r"\b(?:DDEAUTO|DDE|INCLUDETEXT|INCLUDEPICTURE|IMPORT|MACROBUTTON)\b")
_INSTRUCTION = re.compile(r"<w:instrText[^<>]*>([^<]*)<|w:instr=\"([^\"]*)\"")
_ACTIONS = re.compile(
    rb"/(?:JavaScript|JS|Launch|OpenAction|AA|EmbeddedFiles?|RichMedia|SubmitForm|ImportData|GoToE|GoToR|XFA|Movie|Sound|Rendition)"
    rb"(?![A-Za-z0-9])"
)
_STREAM = re.compile(rb"<<((?:[^<>]|<(?!<)|>(?!>)|<<[^<>]*>>){0,4000})>>\s*stream\r?\n")
_ESCAPED = re.compile(rb"#([0-9A-Fa-f]{2})")


def acts_docx(content: bytes) -> str | None:
    """What a DOCX would do when it is opened, in a few words; None for nothing."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts = archive.infolist()
            if len(parts) > MOST_PARTS or sum(part.file_size for part in parts) > MOST_BYTES:
                return "more than a document holds"
            for part in parts:
                if _PARTS.search(part.filename):
                    return f"a part {part.filename[:60]}"
                text = part.filename.endswith((".rels", ".xml"))
                if text and (found := _acts_part(archive.read(part).decode("utf-8", "replace"))):
                    return found
    except _UNREADABLE:
        return "a file that cannot be unpacked"
    return None


def _acts_part(text: str) -> str | None:
    for relation in _RELATION.findall(text):
        if re.search(r"TargetMode\s*=\s*[\"']External", relation) and _HYPERLINK not in relation:
            return "something that is fetched from elsewhere"
    for instruction in _INSTRUCTION.findall(text):
        if _FIELDS.search("".join(instruction).upper()):
            return "a field that fetches or runs something"
    return "a document type of its own" if "<!DOCTYPE" in text or "<!ENTITY" in text else None


def acts_pdf(content: bytes) -> str | None:
    """What a PDF would do when it is opened, in a few words; None for nothing."""
    if b"/Encrypt" in content:
        return "encryption"
    left, outside, at = MOST_BYTES, [], 0
    for stream in _STREAM.finditer(content):
        outside.append(content[at : stream.end()])
        end = content.find(b"endstream", stream.end())
        if end < 0:
            return "a stream without an end"
        at = end
        if b"/ObjStm" not in _ESCAPED.sub(_unescape, stream[1]):
            continue
        try:
            unpacker = zlib.decompressobj()
            objects = unpacker.decompress(content[stream.end() : end], left)
        except zlib.error:
            return "objects that cannot be unpacked"
        if unpacker.unconsumed_tail:
            return "more than a document holds"
        left -= len(objects)
        outside.append(objects)
    outside.append(content[at:])
    for text in outside:
        if found := _ACTIONS.search(_ESCAPED.sub(_unescape, text)):
            return f"an action {found[0].decode('ascii')}"
    return None


def _unescape(found: re.Match[bytes]) -> bytes:
    return bytes([int(found[1], 16)])
