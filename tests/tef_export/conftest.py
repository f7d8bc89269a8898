"""One real bundle for all tests of this folder, and the attack matrix that they fill."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from configs import errors
from tef_export import verify
from tests.tef_export import attacks, making

ROWS = pytest.StashKey[list[attacks.Row]]()


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> making.Made:
    return making.bundle(tmp_path_factory.mktemp("made"), making.real_key())


BY_CHECK = {"evidence": "records"} | {name: name for name in ("contents", "bag", "index", "approval")}
"""The family of an attack whose mark names none."""
Refused = verify.Check | errors.VerificationError


@pytest.fixture
def attack(request: pytest.FixtureRequest) -> Callable[..., None]:
    """Compares a refusal with its row in `docs/attacks.md`; a test marked `attack` calls it with what it was told.

    The mark names the family, where the check that refuses does not tell it, and the attack, where the test is about
    one only. An error that says nothing of its cause gets that of its check.
    """
    mark = request.node.get_closest_marker("attack")
    what = mark.args[1] if len(mark.args) > 1 else request.node.callspec.id

    def compare(refused: Refused, check: str = "", what: str = what) -> None:
        name = refused.name if isinstance(refused, verify.Check) else check
        said = refused.text if isinstance(refused, verify.Check) else str(refused)
        family = mark.args[0] if mark.args else BY_CHECK[name]
        found = attacks.row(family, what, name, refused.looks or verify.LOOKS.get(name, "mistake"), said)
        if attacks.WRITING in os.environ:
            request.config.stash.setdefault(ROWS, []).append(found)
        else:
            assert found == attacks.committed().get(found.key), "run: python -m tests.tef_export.attacks"

    return compare


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Hand the rows over while the page is being written."""
    if attacks.WRITING in os.environ:
        rows = [dataclasses.asdict(row) for row in session.config.stash.get(ROWS, [])]
        Path(os.environ[attacks.WRITING]).write_text(json.dumps(rows), encoding="utf-8")
