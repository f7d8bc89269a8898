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
    short,
    traceability,
)
from model_cards.refs import Book
from model_cards.tree import Document

BUILDERS: dict[str, Callable[[Book], Document]] = {
    "annex_iv": annex_iv.build,
    "instructions": short.with_missing(instructions.build),
    "datasheet": short.first(datasheet.build),
    "risk_management": short.first(risks.build, beside=risks.in_no_risk),
    "monitoring": short.first(monitoring.build),
    "logs": short.first(logs.build),
    "registration": short.first(registration.build),
    "declaration": short.first(declaration.build, sign=False),
    "traceability": short.first(traceability.build),
}
"""Identifier of a document (`names.DOCUMENTS`) to what builds it."""
