"""A small plan of a language model."""

from __future__ import annotations

from typing import Any

from configs.language.plan import LanguagePlan

GATE = {"check": "language.bits_per_byte", "at_most": 3.0}


def plan(gates: list[dict[str, Any]] | None = None, **policy: Any) -> LanguagePlan:
    """A plan with the given gates and settings of its policy."""
    return LanguagePlan.model_validate(
        {
            "version": 1,
            "task": "language_model",
            "system": {
                "id": "tiny",
                "name": "Tiny",
                "version": "1",
                "intended_purpose": "Tests.",
                "provider": {"name": "Somebody", "contact": "somebody@example.org"},
            },
            "corpora": [
                {
                    "id": "topics",
                    "source": {"kind": "python_documentation"},
                    "provenance": {"title": "Topics", "origin": "public"},
                    "language": "en",
                }
            ],
            "training": {"steps": 1},
            "policy": {"gates": gates or [GATE], **policy},
        }
    )
