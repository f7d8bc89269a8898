"""What the legal documents say, for programs: files of their own beside the documents, from the same records."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from model_cards.legal import croissant, declaration, logs, monitoring, registration, risks
from model_cards.refs import Book

FILES: dict[str, tuple[tuple[str, Callable[[Book], dict[str, Any]]], ...]] = {
    "datasheet": (("croissant.json", croissant.data),),
    "risk_management": (("risk_register.json", risks.data),),
    "declaration": (("declaration_status.json", declaration.data),),
    "registration": (("registration_fields.json", registration.data),),
    "monitoring": (("monitoring_reference.json", monitoring.data),),
    "logs": ((logs.SCHEMA, logs.schema), (logs.EXAMPLE, logs.line)),
}
"""Document to its files in `documents/`, and what makes them. One that comes out empty is not written."""


def files(book: Book, document: str) -> dict[str, bytes]:
    """The files of a document for programs: name to content, JSON with readable indentation."""
    made = {name: build(book) for name, build in FILES.get(document, ())}
    return {name: _text(content) for name, content in made.items() if content}


def _text(content: dict[str, Any]) -> bytes:
    return (json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode("utf-8")
