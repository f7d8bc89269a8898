"""Which documents a run gets, and that their gaps say who fills them."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from evidence.dossier import Dossier
from model_cards import refs, tree
from model_cards.legal import declaration, logs, machine, monitoring, names, registry
from model_cards.refs import Gap
from model_cards.tree import Document
from tests.model_cards import builders, given_builder
from tests.model_cards.legal import stating

OURS = ("instructions", "datasheet", "risk_management", "monitoring", "logs", "registration", "declaration")


@pytest.fixture(scope="module")
def documents(dossiers: dict[str, Dossier]) -> dict[str, Document]:
    """Every document of three tasks, with and without answers."""
    found = {}
    for task, bare in dossiers.items():
        for name, dossier in (("open", bare), ("answered", stating.answered(bare, stating.RISK))):
            book = refs.book(dossier)
            found |= {f"{i} {task} {name}": registry.BUILDERS[i](book) for i in OURS}
    return found


def test_gaps_say_who_can_fill_them(documents: dict[str, Document]) -> None:
    """Without answers every document of persons' statements prints gaps with an owner; with all of them fewer."""
    for which, document in documents.items():
        found = [part for part in tree.walk(document) if isinstance(part, Gap)]
        assert all(gap.who and gap.where for gap in found)
        if which.endswith("open"):
            other = documents[which.replace("open", "answered")]
            assert len(tree.gaps(other)) <= len(tree.gaps(document)), which


def test_which_documents_are_written_follows_from_the_class(dossiers: dict[str, Dossier]) -> None:
    """A system that is not high-risk gets the datasheet, and no form of the law."""
    none = {"ai_system": "yes", "outside_scope": "no", "annex_i_product": "no", "annex_iii_use": "no"}
    changed = builders.with_plan(
        dossiers["binary"], {"classification": none | {"derogation_claimed": "no", "annex_i_point": None}}
    )
    needed = {entry.id for entry in names.needed(refs.book(changed))}
    assert "datasheet" in needed
    assert not needed & {"instructions", "risk_management", "monitoring", "logs", "registration", "declaration"}


@pytest.mark.slow
def test_predictions_without_their_model_get_every_document(tmp_path: Path) -> None:
    """Where no model was given, nothing is said of one: no example, no digest, and a declaration that says why not."""
    found = given_builder.build(tmp_path)
    book = refs.book(found)
    texts = {i: tree.plain(tuple(tree.walk(registry.BUILDERS[i](book)))) for i in OURS}
    assert "No model was given" in texts["instructions"]
    assert "No model was given" in texts["logs"]
    assert "a model: the run evaluated predictions that were given" in texts["declaration"]
    files = {name for i in OURS for name in machine.files(book, i)}
    assert logs.SCHEMA in files
    assert logs.EXAMPLE not in files
    assert monitoring.data(book)["model_sha256"] is None


def test_runs_of_earlier_versions_get_every_document(dossiers: dict[str, Dossier]) -> None:
    """A run without a record of answers, and without the reference of monitoring, is documented with gaps."""
    old = dataclasses.replace(dossiers["binary"], answers=None, reference=None)
    book = refs.book(old)
    for document in OURS:
        assert registry.BUILDERS[document](book).sections
        machine.files(book, document)
    assert monitoring.data(book)["inputs"]["reference"] == []
    assert any("statements of persons" in tree.plain(o.what) for o in declaration.against(book))
