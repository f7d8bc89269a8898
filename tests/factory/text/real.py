"""Corpora of the real data: Genesis in six languages, the Declaration of Human Rights in those of the Union."""

from __future__ import annotations

from typing import Any

GENESIS: dict[str, Any] = {
    "id": "genesis",
    "source": {
        "kind": "files",
        "path": ["text/genesis.zip"],
        "members": [
            "genesis/english-kjv.txt",
            "genesis/finnish.txt",
            "genesis/french.txt",
            "genesis/german.txt",
            "genesis/portuguese.txt",
            "genesis/swedish.txt",
        ],
        "languages": {
            "*/english-kjv.txt": "en",
            "*/finnish.txt": "fi",
            "*/french.txt": "fr",
            "*/german.txt": "de",
            "*/portuguese.txt": "pt",
            "*/swedish.txt": "sv",
        },
        "encodings": {
            "*/finnish.txt": "latin-1",
            "*/french.txt": "latin-1",
            "*/german.txt": "latin-1",
            "*/swedish.txt": "cp865",
        },
        "character_references": "replace",
        "document": "line",
    },
    "provenance": {"title": "Genesis in six languages", "origin": "public", "licence": "public domain"},
    "domain": "scripture",
}

UNION = {
    "bul": "bg", "ces": "cs", "dan": "da", "deu": "de", "ell_monotonic": "el", "eng": "en", "spa": "es", "est": "et",
    "fin": "fi", "fra": "fr", "gle": "ga", "hrv": "hr", "hun": "hu", "ita": "it", "lit": "lt", "lav": "lv", "mlt": "mt",
    "nld": "nl", "pol": "pl", "por_PT": "pt", "ron": "ro", "slk": "sk", "slv": "sl", "swe": "sv",
}  # fmt: skip
"""Member of the archive to language: the 24 official languages of the Union."""

DECLARATION: dict[str, Any] = {
    "id": "declaration",
    "source": {
        "kind": "files",
        "path": ["text/udhr2.zip"],
        "members": [f"udhr2/{name}.txt" for name in UNION],
        "languages": {f"*/{name}.txt": code for name, code in UNION.items()},
        "document": "line",
    },
    "provenance": {"title": "Declaration of Human Rights", "origin": "public", "licence": "public domain"},
    "domain": "law",
}
