"""Fixtures that every folder of tests shares."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
LONGEST = (
    "tests/factory/slurm/test_jobs.py",
    "tests/flows/",
    "tests/factory/slurm/test_accounting.py",
    "tests/factory/test_resuming.py",
    "tests/factory/language/test_job.py",
    "tests/tef_export/language/test_bundle.py",
    "tests/model_cards/lint/test_own_documents.py",
    "tests/checks/test_data_engines.py",
    "tests/factory/",
)
"""The files that take longest, longest first, but not both of those that mostly wait at once."""
# The cores are shared by the processes of the tests, which are more than they.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# As the command line does: threads that spin while they wait slow small trainings on a busy machine.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("OPENBLAS_THREAD_TIMEOUT", "4")


@pytest.hookimpl(tryfirst=True)  # before `-m` chooses
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first: with a file on each core, none of them is left for the end."""
    begun = set()
    for item in items:
        if item.get_closest_marker("one_fast"):
            rule = item.nodeid.split("[")[0]
            if rule in begun:
                item.add_marker(pytest.mark.slow)
            begun.add(rule)
    items.sort(key=lambda item: next((i for i, name in enumerate(LONGEST) if item.nodeid.startswith(name)), 99))


def pytest_xdist_auto_num_workers() -> int:
    """One process more than there are cores: jobs, servers and clusters are waited for a third of the time."""
    return (os.cpu_count() or 1) + 1


def once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """A folder that one process of the tests makes and all of them read: copy it before you change it."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        make(place := factory.mktemp(name))
        return place
    import fcntl  # the tests of what a receiver does run on Windows too, in one process

    place = factory.getbasetemp().parent / name
    whole = place.with_name(f"{name}.whole")
    with place.with_name(f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not whole.exists():
            shutil.rmtree(place, ignore_errors=True)
            place.mkdir()
            make(place)
            whole.touch()
    return place


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Folder of the real data sets; the test is skipped, with the reason, where it is absent."""
    place = Path(os.environ.get("PROOFLINE_DATA", ROOT.parent / "shared" / "data"))
    if not place.is_dir():
        pytest.skip(f"real data: no folder {place}; set PROOFLINE_DATA to where it is")
    return place
