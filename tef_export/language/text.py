"""Held-out text as it travels: one JSON object a line, read strictly, because a stranger may have written it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable

from configs import errors
from evidence import records
from tef_export import strict_json

FIELDS = ("document", "corpus", "language", "domain", "text")
LONGEST_LINE = 16 << 20
"""Bytes."""


class Document(records.Record):
    """One document of held-out text."""

    document: records.Sha256
    """SHA-256 of the text's UTF-8 form."""
    corpus: str
    language: str
    domain: str
    text: str


def write(documents: Iterable[Document]) -> bytes:
    """The lines of a file."""
    return b"".join(json.dumps(d.model_dump(), ensure_ascii=False).encode("utf-8") + b"\n" for d in documents)


def read(content: bytes, name: str) -> tuple[Document, ...]:
    """The documents of a file.

    Raises:
        VerificationError: A line is none, or a document is not the text that its digest names.
    """
    lines = content.split(b"\n")
    if lines.pop() != b"":
        raise errors.VerificationError(f"{name}: expected a whole last line, got one that is cut off. Fetch it again.")
    found = []
    for number, line in enumerate(lines, 1):
        where = f"{name} line {number}"
        strict_json.parse(line, where, LONGEST_LINE)
        try:
            document = Document.model_validate_json(line)
        except ValueError as error:
            raise errors.VerificationError(
                f"{where}: expected a document of held-out text, got: {str(error).splitlines()[0][:120]}. "
                "Do not use the bundle."
            ) from None
        if hashlib.sha256(document.text.encode("utf-8")).hexdigest() != document.document:
            raise errors.VerificationError(
                f"{where}: expected the text with the digest {document.document[:12]}…, got another. Do not use it."
            )
        found.append(document)
    return tuple(found)
