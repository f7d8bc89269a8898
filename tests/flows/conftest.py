"""Prefect for the tests of this folder: one workspace and one local server for the session."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.conftest import once

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def prefect_workspace(tmp_path_factory):
    """A workspace whose Prefect server runs; prefect is imported with its settings, never with a developer's own."""
    from flows import servers

    workspace = tmp_path_factory.mktemp("prefect")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("PREFECT_API_URL", raising=False)
        for key, value in servers.prefect_environment(workspace).items():
            patch.setenv(key, value)
        share = servers.begin(workspace)
        share.url()
        # A run in this process before left Prefect's sender of events bound to the server of another workspace.
        from prefect.events.worker import EventsWorker

        EventsWorker.drain_all(timeout=30)
        yield workspace
        share.close()
        await_end(workspace)


@pytest.fixture(scope="session")
def assessed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with one finished run and a key without password. Copy it before you spoil it (`space`)."""
    return once(tmp_path_factory, "space", _assess)


def _assess(space: Path) -> None:
    from configs import errors
    from flows import cli
    from tef_export import keys
    from tests.flows import plans

    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("PROOFLINE_DATA", raising=False)
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        with pytest.raises(SystemExit) as leaving:
            cli.main(["-w", str(space), "run", str(plans.write(space)), "--engine", "plain"])
    assert leaving.value.code in (errors.EXIT_PASS, errors.EXIT_FAIL, errors.EXIT_INCONCLUSIVE)
    keys.new_key(space / "keys", "test", None)


@pytest.fixture
def space(assessed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it that a test may spoil: run folders can be copied."""
    place = tmp_path / "space"
    shutil.copytree(assessed, place)
    monkeypatch.chdir(place)
    return place


@pytest.fixture
def prefect_api(prefect_workspace):
    """A client of that server."""
    import httpx

    from flows import servers

    with httpx.Client(base_url=servers.begin(prefect_workspace).url(), timeout=30) as client:
        yield client


def await_end(workspace: Path, seconds: float = 30.0) -> None:
    """Wait until the local server of a workspace has ended by itself."""
    from flows import servers

    deadline = time.monotonic() + seconds
    while servers.PrefectServer(workspace)._alive():
        assert time.monotonic() < deadline, "the local server did not end"
        time.sleep(0.1)


def python(script: str, *arguments: str, **changes: str) -> subprocess.Popen[str]:
    """Run a script with our code in another process, without this process's Prefect settings."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("PREFECT_", "MLFLOW_"))}
    return subprocess.Popen(
        [sys.executable, "-c", script, *arguments],
        cwd=ROOT,
        env={**environment, **changes},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
