"""Dossiers of the three tasks and their rendered documents, each made once."""

from __future__ import annotations

import pytest

from evidence.dossier import Dossier
from evidence.folder import RunFolder
from tests.model_cards import builders
from tests.model_cards.builders import Rendered, render


@pytest.fixture(scope="session")
def dossiers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Dossier]:
    """Task to dossier."""
    place = tmp_path_factory.mktemp("runs")
    return {
        task: builders.build(RunFolder(place / task), builders.plan_of(task))
        for task in ("binary", "multiclass", "regression")
    }


@pytest.fixture(scope="session")
def rendered(dossiers: dict[str, Dossier], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Rendered]:
    """Task to rendered documents."""
    place = tmp_path_factory.mktemp("documents")
    return {task: render(dossier, place / task) for task, dossier in dossiers.items()}
