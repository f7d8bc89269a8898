"""A small plan of a language model."""

from __future__ import annotations

from typing import Any

from configs.language.plan import LanguagePlan

GATE = {"check": "language.bits_per_byte", "at_most": 3.0}


def plan(
    gates: list[dict[str, Any]] | None = None, languages: tuple[str, ...] = ("en",), **policy: Any
) -> LanguagePlan:
    """A plan with the given gates and settings of its policy, and a corpus of each language."""
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
                    "id": f"topics_{language}",
                    "source": {"kind": "python_documentation"},
                    "provenance": {"title": "Topics", "origin": "public"},
                    "language": language,
                }
                for language in languages
            ],
            "training": {"steps": 1},
            "policy": {"gates": gates or [GATE], **policy},
        }
    )
