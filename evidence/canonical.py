"""One byte form for each record, so that a digest means the same everywhere."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pydantic

CHUNK = 1 << 20


def to_bytes(value: Any) -> bytes:
    """Canonical JSON: UTF-8, sorted keys, no spaces, NaN refused."""
    if isinstance(value, pydantic.BaseModel):
        value = value.model_dump(mode="json")
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.encode("utf-8")


def sha256(value: Any) -> str:
    """Hex SHA-256 of the canonical form of a record or of plain JSON data."""
    return hashlib.sha256(to_bytes(value)).hexdigest()


def sha256_bytes(data: bytes) -> str:
    """Hex SHA-256 of bytes."""
    return hashlib.sha256(data).hexdigest()


def sha256_pieces(pieces: Iterable[bytes]) -> str:
    """Hex SHA-256 of bytes that come in pieces."""
    digest = hashlib.sha256()
    for piece in pieces:
        digest.update(piece)
    return digest.hexdigest()


def sha256_file(path: Path) -> str:
    """Hex SHA-256 of a file, read in pieces."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while piece := stream.read(CHUNK):
            digest.update(piece)
    return digest.hexdigest()
