"""The facility's own text as the checks take it: JSON Lines with fields that the contract names, or a plain text file.

In JSON Lines each line is an object with `text` and, where they are known, `language` and `domain`. In a text file each
paragraph (what stands between blank lines) is a document.
"""

from __future__ import annotations

import dataclasses
import hashlib
import re
from pathlib import Path
from typing import Any

from configs import errors
from tef_export import strict_json
from tef_export.language import text

LARGEST = 1 << 30
"""Bytes of a file."""
FEWEST = 2
"""Documents at least: an interval needs two."""
_PARAGRAPHS = re.compile(r"\n[ \t\r]*\n")
_CODE = re.compile(r"[a-z]{2,3}")


@dataclasses.dataclass(frozen=True)
class Given:
    """Documents ready to be measured."""

    documents: tuple[text.Document, ...]
    warnings: tuple[str, ...]


def read(path: Path) -> Given:
    """The documents of a file.

    Raises:
        MissingError: There is no such file.
        DataError: It is no UTF-8 text, a line is no document, or there are too few.
    """
    if not path.is_file():
        raise errors.MissingError(f"data file {path.name}: expected a file, got none. Check the path.")
    if path.stat().st_size > LARGEST:
        raise errors.DataError(f"data file {path.name}: expected at most {LARGEST} bytes, got more. Use a sample.")
    try:
        content = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise errors.DataError(
            f"data file {path.name}: expected UTF-8 text, got byte {error.object[error.start]:#04x} at {error.start}. "
            "Save it as UTF-8."
        ) from None
    lines = path.suffix.lower() in (".jsonl", ".ndjson")
    found = _lines(path.name, content) if lines else [_document(p.strip()) for p in _PARAGRAPHS.split(content)]
    kept = tuple({d.document: d for d in found if d.text.strip()}.values())
    if len(kept) < FEWEST:
        raise errors.DataError(
            f"data file {path.name}: expected at least {FEWEST} different documents, got {len(kept)}. Use more text."
        )
    return Given(kept, _warnings(found, kept))


def _lines(name: str, content: str) -> list[text.Document]:
    made = []
    for number, line in enumerate(content.splitlines(), 1):
        if not line.strip():
            continue
        where = f"data file {name} line {number}"
        try:
            entry = strict_json.parse(line.encode("utf-8"), where, text.LONGEST_LINE)
        except errors.VerificationError as error:
            raise errors.DataError(str(error)) from None
        if not isinstance(entry, dict) or not isinstance(entry.get("text"), str):
            raise errors.DataError(f"{where}: expected an object with a field `text`, got another. Correct the line.")
        made.append(_document(entry["text"], language=_of(entry, "language"), domain=_of(entry, "domain")))
    return made


def _of(entry: dict[str, Any], field: str) -> str | None:
    value = entry.get(field)
    return value if isinstance(value, str) and value.strip() else None


def _document(content: str, *, language: str | None = None, domain: str | None = None) -> text.Document:
    return text.Document(
        document=hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest(),
        corpus="facility",
        language=language if language and _CODE.fullmatch(language) else "und",
        domain=domain or "unknown",
        text=content,
    )


def _warnings(found: list[text.Document], kept: tuple[text.Document, ...]) -> tuple[str, ...]:
    made = []
    if len(kept) < len(found):
        made.append(f"{len(found) - len(kept)} empty or repeated documents are left out")
    if unknown := sum(d.language == "und" for d in kept):
        made.append(f"{unknown} documents name no language (ISO 639 code in `language`): they count overall only")
    return tuple(made)
