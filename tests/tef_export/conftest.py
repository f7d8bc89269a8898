"""One real bundle for all tests of this folder."""

from __future__ import annotations

import pytest

from tests.tef_export import making


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> making.Made:
    return making.bundle(tmp_path_factory.mktemp("made"), making.real_key())
