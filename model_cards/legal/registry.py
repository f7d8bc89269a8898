"""The builders of the legal documents."""

from __future__ import annotations

from collections.abc import Callable

from model_cards.legal import (
    annex_iv,
    datasheet,
    declaration,
    instructions,
    logs,
    monitoring,
    registration,
    risks,
    traceability,
)
from model_cards.refs import Book
from model_cards.tree import Document

BUILDERS: dict[str, Callable[[Book], Document]] = {
    "annex_iv": annex_iv.build,
    "instructions": instructions.build,
    "datasheet": datasheet.build,
    "risk_management": risks.build,
    "monitoring": monitoring.build,
    "logs": logs.build,
    "registration": registration.build,
    "declaration": declaration.build,
    "traceability": traceability.build,
}
"""Identifier of a document (`names.DOCUMENTS`) to what builds it."""
