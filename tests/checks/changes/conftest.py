"""Two versions of one system, each made once: the second does without one feature, the third has other test rows."""

from __future__ import annotations

import pytest

from checks.changes.side import Side
from tests.checks.changes import sides


@pytest.fixture(scope="session")
def first(tmp_path_factory: pytest.TempPathFactory) -> Side:
    """The earlier version."""
    return sides.build(tmp_path_factory.mktemp("first"), sides.plan(), "a")


@pytest.fixture(scope="session")
def second(tmp_path_factory: pytest.TempPathFactory) -> Side:
    """The later version: one feature less, a new version number, the same test rows."""
    columns = sides.plan().model_dump(mode="json")["data"]["columns"]
    less = [c | {"role": "ignored"} if c["name"] == "bmi" else c for c in columns]
    chosen = sides.plan(data={"columns": less}, system={"version": "0.2.0"})
    return sides.build(tmp_path_factory.mktemp("second"), chosen, "b")


@pytest.fixture(scope="session")
def third(tmp_path_factory: pytest.TempPathFactory) -> Side:
    """Another later version: split anew, so that it has other test rows."""
    return sides.build(tmp_path_factory.mktemp("third"), sides.plan(split={"seed": 99}), "b")
