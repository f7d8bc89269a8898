"""Findings as SARIF 2.1.0 (OASIS), which code hosts and editors show beside the text."""

from __future__ import annotations

import hashlib
from importlib import metadata
from pathlib import PurePath
from typing import Any
from urllib.parse import quote

from model_cards.lint.model import Finding, Place, Rule
from model_cards.lint.rules.catalogue import RULES
from model_cards.lint.run import Outcome

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LEVELS = {"high": "error", "medium": "warning", "low": "note"}
_RANKS = {"high": 90.0, "medium": 60.0, "low": 20.0}
_TYPES = {
    "markdown": "text/markdown",
    "html": "text/html",
    "pdf": "application/pdf",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
}


def to_sarif(outcome: Outcome) -> dict[str, Any]:
    """A log with one run. Files are named as they were given, relative ones relative to the working folder."""
    order = list(RULES)
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "proofline lint",
                        "semanticVersion": metadata.version("proofline"),
                        "rules": [_rule(rule) for rule in RULES.values()],
                    }
                },
                "columnKind": "unicodeCodePoints",
                "artifacts": [
                    *(
                        {"location": {"uri": uri(d.file)}, "mimeType": _TYPES[d.format], "roles": ["analysisTarget"]}
                        for d in outcome.documents
                    ),
                    *(
                        {"location": {"uri": uri(file)}, "roles": ["referencedOnCommandLine"]}
                        for file in outcome.evidence
                    ),
                ],
                "invocations": [
                    {
                        "executionSuccessful": not outcome.unreadable,
                        "toolExecutionNotifications": [
                            {"level": "error", "message": {"text": sentence}} for sentence in outcome.unreadable
                        ],
                    }
                ],
                "results": [_result(finding, order) for finding in outcome.findings],
            }
        ],
    }


def _rule(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.id,
        "name": "".join(part.capitalize() for part in rule.id.split("-")),
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": rule.explains},
        "defaultConfiguration": {"level": _LEVELS[rule.confidence]},
        "properties": {"tags": [rule.group], "precision": rule.confidence},
    }


def _result(finding: Finding, order: list[str]) -> dict[str, Any]:
    text = f"{finding.message} {finding.advice}"
    related = []
    if finding.proof:
        related.append(
            {
                "physicalLocation": {"artifactLocation": {"uri": uri(finding.proof.file)}},
                "logicalLocations": [{"fullyQualifiedName": finding.proof.pointer or "/", "kind": "value"}],
                "message": {"text": f"Evidence: {finding.proof.shown}"},
            }
        )
    if finding.other:
        related.append(_location(finding.other, None) | {"message": {"text": "The other place."}})
    identity = "\x1f".join((finding.rule.id, finding.sentence.text, *finding.sentence.place.heading))
    result: dict[str, Any] = {
        "ruleId": finding.rule.id,
        "ruleIndex": order.index(finding.rule.id),
        "level": _LEVELS[finding.confidence],
        "rank": _RANKS[finding.confidence],
        "message": {"text": text},
        "locations": [_location(finding.sentence.place, finding.sentence.text)],
        "partialFingerprints": {"sentence/v1": hashlib.sha256(identity.encode()).hexdigest()[:32]},
        "properties": {"confidence": finding.confidence, "words": finding.quoted},
    }
    return result | ({"relatedLocations": related} if related else {})


def _location(place: Place, text: str | None) -> dict[str, Any]:
    physical: dict[str, Any] = {"artifactLocation": {"uri": uri(place.file)}}
    if place.line is not None:
        physical["region"] = {"startLine": place.line} | ({"snippet": {"text": text}} if text else {})
    location: dict[str, Any] = {"physicalLocation": physical, "properties": {"place": place.short}}
    if place.heading:
        location["logicalLocations"] = [{"name": place.heading[-1], "fullyQualifiedName": " / ".join(place.heading)}]
    return location


def uri(file: str) -> str:
    """A path as a URI reference; absolute ones as `file:`."""
    path = PurePath(file)
    return path.as_uri() if path.is_absolute() else quote(path.as_posix())
