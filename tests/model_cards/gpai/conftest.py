"""Runs of language models with and without answers, and every document of each, built once."""

from __future__ import annotations

from pathlib import Path

import pytest

from evidence.language_dossier import LanguageDossier
from model_cards.gpai import book, card, coverage, documents
from model_cards.refs import Book
from model_cards.tree import Document
from tests.configs.language_plans import plan_of
from tests.model_cards.gpai import builders


def tuned(place: Path) -> LanguageDossier:
    """A fine-tuning of another provider's model, whose compute is not stated."""
    base = {
        "name": "example/great-words", "sha256": builders.SHA, "config_sha256": builders.SHA, "parameters": 7_000_000,
        "licence": "apache-2.0", "compute_flop": None, "compute_source": None,
    }  # fmt: skip
    plan = plan_of({"model": {"base": {"path": "base", "name": "example/great-words"}, "method": "lora"}})
    return builders.build(place, plan, made=builders.train(method="lora", base=base))


@pytest.fixture(scope="session")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, LanguageDossier]:
    """`bare`: nobody answered anything. `whole`: all but one question. `tuned`: a fine-tuning."""
    place = tmp_path_factory.mktemp("language")
    return {
        "bare": builders.build(place / "bare"),
        "whole": builders.build(place / "whole", builders.whole_plan(), builders.every_answer()),
        "tuned": tuned(place / "tuned"),
    }


@pytest.fixture(scope="session")
def books(runs: dict[str, LanguageDossier]) -> dict[str, Book]:
    """Run to its places."""
    return {name: book.book(dossier) for name, dossier in runs.items()}


@pytest.fixture(scope="session")
def trees(books: dict[str, Book]) -> dict[str, dict[str, Document]]:
    """Run to the trees of its documents by identifier, the report among them."""
    found = {}
    for name, one in books.items():
        report = card.tree_of(one)
        built = documents.builders(coverage.places_of(report))
        found[name] = {"report": report, **{key: build(one) for key, build in built.items()}}
    return found
