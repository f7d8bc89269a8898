"""The workspace's own Prefect server: shared, gone with the last, and readable when it cannot start."""

from __future__ import annotations

import json
import os
import signal
import socket
import sqlite3
import time
import urllib.request

import pytest

from configs import errors
from evidence import dossier, ledger
from flows import servers, ui
from tests.flows import conftest, forked, plans

HOLD = (
    "import sys; from pathlib import Path; from flows import servers\n"
    "print(servers.begin(Path(sys.argv[1])).url(), flush=True)\n"
    "sys.stdin.readline() if len(sys.argv) < 3 else __import__('time').sleep(float(sys.argv[2]))"
)


@pytest.fixture(autouse=True)
def _no_own_server(monkeypatch):
    for key in list(os.environ):
        if key.startswith("PREFECT_") or key == "DO_NOT_TRACK":
            monkeypatch.delenv(key)


def _free_port():
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        return trial.getsockname()[1]


def _answers(url):
    with urllib.request.urlopen(f"{url}/health", timeout=5) as answer:  # noqa: S310 - our own address
        return answer.status == 200


def test_settings_live_in_the_workspace_and_report_to_nobody(tmp_path):
    """Database, results and home are in the workspace; analytics are off in the three places that are asked."""
    found = servers.prefect_environment(tmp_path)
    place = str(tmp_path / ".proofline" / "prefect")
    assert found["PREFECT_HOME"] == place
    assert found["PREFECT_RESULTS_LOCAL_STORAGE_PATH"].startswith(place)
    assert place in found["PREFECT_API_DATABASE_CONNECTION_URL"]
    assert (found["DO_NOT_TRACK"], found["PREFECT_SERVER_ANALYTICS_ENABLED"]) == ("true", "false")


def test_what_the_user_has_set_stays(tmp_path, monkeypatch):
    """A setting in the environment is not replaced; one that was made for another workspace is."""
    monkeypatch.setenv("PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL", "DEBUG")
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path / "other" / ".proofline" / "prefect"))
    found = servers.prefect_environment(tmp_path)
    assert "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL" not in found
    assert found["PREFECT_HOME"] == str(tmp_path / ".proofline" / "prefect")


def test_the_users_own_server_is_used(tmp_path, monkeypatch):
    """With `PREFECT_API_URL` no home and no database are set, and nothing is started."""
    monkeypatch.setenv("PREFECT_API_URL", f"http://ann:secret@127.0.0.1:{_free_port()}/api")
    assert not {"PREFECT_HOME", "PREFECT_API_DATABASE_CONNECTION_URL"} & set(servers.prefect_environment(tmp_path))
    begun = time.monotonic()
    with pytest.raises(errors.MissingError, match="expected an answer, got connection refused") as caught:
        servers.PrefectServer(tmp_path).url()
    assert time.monotonic() - begun < 3
    assert "secret" not in str(caught.value)
    assert not (tmp_path / ".proofline").exists()


def test_a_workspace_that_cannot_be_written_is_named(tmp_path):
    """A file where the workspace's folder should be ends in one sentence."""
    (tmp_path / ".proofline").write_bytes(b"")
    with pytest.raises(errors.StorageError, match=r"Prefect's folder"):
        servers.PrefectServer(tmp_path).url()


@pytest.mark.parametrize(("taken", "option"), [(0, "PREFECT_PORT"), (1, "MLFLOW_PORT")])
def test_a_taken_port_is_named_before_anything_starts(tmp_path, monkeypatch, taken, option):
    """The sentence names the port and the option; no server and no store was begun."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        ports = [_free_port(), _free_port()]
        ports[taken] = port
        with pytest.raises(errors.MissingError, match=rf"port {port}: .* make ui {option}="):
            ui.open_uis(tmp_path, *ports)
    assert not (tmp_path / ".proofline" / "prefect").exists()


@pytest.mark.slow
def test_two_runs_at_once_share_one_server(tmp_path):
    """Two runs that start together in a new workspace both end with an answer, on one server, which then ends.

    In folders of their own, mirrored side by side, each stage one completed task.
    """
    plan = plans.write(tmp_path)
    both = [forked.Run("-w", tmp_path, "run", plan, place=tmp_path) for _ in range(2)]
    assert all(run.answer(500) in forked.ANSWERS for run in both), [run.said for run in both]
    folders = list((tmp_path / "runs").iterdir())
    mirrored = [ledger.Ledger.open(folder).lines[-1].details["run_id"] for folder in folders]
    assert len(folders) == len(set(mirrored)) == 2
    conftest.await_end(tmp_path)
    with sqlite3.connect(servers.home(tmp_path) / "prefect.db") as database:
        states = database.execute("SELECT state_type, count(*) FROM task_run GROUP BY 1").fetchall()
        flows = database.execute("SELECT state_type, count(*) FROM flow_run GROUP BY 1").fetchall()
    database.close()
    assert (flows, states) == ([("COMPLETED", 2)], [("COMPLETED", 2 * len(dossier.STAGES))])


@pytest.mark.slow
def test_the_server_outlives_a_killed_run_and_no_longer(tmp_path):
    """When the run that started the server is killed, the other keeps it; after the last it is gone."""
    first = conftest.python(HOLD, str(tmp_path), "600")
    url = first.stdout.readline().strip()
    second = conftest.python(HOLD, str(tmp_path), "600")
    assert second.stdout.readline().strip() == url
    for process in (first, second):
        assert _answers(url)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        if process is first:
            time.sleep(servers.LINGER_SECONDS + 1.5)
    conftest.await_end(tmp_path)
    assert not (servers.home(tmp_path) / "server.json").exists()


@pytest.mark.slow
def test_a_server_that_cannot_start_says_why(tmp_path):
    """A damaged database ends in one sentence that names the log and the way without Prefect."""
    servers.home(tmp_path).mkdir(parents=True)
    (servers.home(tmp_path) / "prefect.db").write_bytes(b"no database" * 1000)
    share = servers.PrefectServer(tmp_path)
    try:
        with pytest.raises(errors.MissingError, match=r"expected it to start, got: .*server\.log.*--engine plain"):
            share.url()
    finally:
        share.close()


@pytest.mark.slow
def test_a_server_of_another_machine_is_refused(tmp_path):
    """A workspace on a shared disk whose server runs elsewhere is named, with the machine."""
    import fcntl

    place = servers.home(tmp_path)
    place.mkdir(parents=True)
    (place / "server.json").write_text(json.dumps({"host": "elsewhere", "pid": 1, "port": 1}))
    share = servers.PrefectServer(tmp_path)
    with (place / "server.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(errors.MissingError, match="elsewhere"):
            share.url()
    share.close()


@pytest.mark.slow
def test_both_pages_open_and_end(tmp_path):
    """`make ui` names two addresses that answer, and SIGINT ends both and leaves no process behind."""
    ports = (_free_port(), _free_port())
    script = "import sys; from flows import ui; sys.exit(ui.main(sys.argv[1:]))"
    arguments = ("--workspace", str(tmp_path), "--prefect-port", str(ports[0]), "--mlflow-port", str(ports[1]))
    process = conftest.python(script, *arguments)
    lines = [process.stdout.readline().split() for _ in ports]
    assert [words[:1] for words in lines] == [["Prefect"], ["MLflow"]], process.stderr.read()
    for words in lines:
        with urllib.request.urlopen(words[1], timeout=20) as answer:  # noqa: S310 - our own address
            assert b"<html" in answer.read().lower()
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 0
    process.communicate()
    for port in ports:
        with pytest.raises(OSError, match="refused"):
            socket.create_connection(("127.0.0.1", port), timeout=2).close()
    conftest.await_end(tmp_path)
