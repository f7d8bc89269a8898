"""Findings as JSON, for programs of one's own."""

from __future__ import annotations

from importlib import metadata
from typing import Any

from model_cards.lint.model import Finding, Place
from model_cards.lint.run import Outcome

VERSION = 1


def to_json(outcome: Outcome) -> dict[str, Any]:
    """Plain values in a fixed order; the same files give the same bytes."""
    return {
        "version": VERSION,
        "tool": {"name": "proofline lint", "version": metadata.version("proofline")},
        "documents": [
            {"file": d.file, "format": d.format, "sentences": len(d.sentences), "pages": d.pages}
            for d in outcome.documents
        ],
        "evidence": list(outcome.evidence),
        "unreadable": list(outcome.unreadable),
        "hidden": outcome.hidden,
        "findings": [_finding(finding) for finding in outcome.findings],
    }


def _finding(finding: Finding) -> dict[str, Any]:
    proof = finding.proof
    return {
        "rule": finding.rule.id,
        "title": finding.rule.title,
        "confidence": finding.confidence,
        "place": _place(finding.sentence.place),
        "sentence": finding.sentence.text,
        "row": finding.sentence.row or None,
        "column": finding.sentence.column or None,
        "span": list(finding.span),
        "words": finding.quoted,
        "message": finding.message,
        "advice": finding.advice,
        "evidence": {"file": proof.file, "pointer": proof.pointer, "value": proof.value} if proof else None,
        "other_place": _place(finding.other) if finding.other else None,
    }


def _place(place: Place) -> dict[str, Any]:
    return {
        "file": place.file,
        "line": place.line,
        "page": place.page,
        "paragraph": place.paragraph,
        "heading": list(place.heading),
        "cell": list(place.cell) if place.cell else None,
    }
