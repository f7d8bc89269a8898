"""Fixtures that every folder of tests shares."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
LONGEST = (
    "tests/flows/",
    "tests/tef_export/test_export.py",
    "tests/factory/test_resuming.py",
    "tests/factory/test_parallel.py",
    "tests/factory/test_trainer.py",
)
# As the command line does: threads that spin while they wait slow small trainings on a busy machine.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("OPENBLAS_THREAD_TIMEOUT", "4")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whole runs first: with a file on each core, none of them is left for the end."""
    items.sort(key=lambda item: not item.nodeid.startswith(LONGEST))


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Folder of the real data sets; the test is skipped, with the reason, where it is absent."""
    place = Path(os.environ.get("PROOFLINE_DATA", ROOT.parent / "shared" / "data"))
    if not place.is_dir():
        pytest.skip(f"real data: no folder {place}; set PROOFLINE_DATA to where it is")
    return place
