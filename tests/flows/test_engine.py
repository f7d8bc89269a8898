"""Stages under real Prefect: the core stays plain, errors come back as they are, results are kept by digest."""

from __future__ import annotations

import dataclasses
import errno
import http.client
import logging
import logging.handlers
import queue
import time
from pathlib import Path

import pytest

from configs import errors
from evidence import records
from evidence.folder import RunFolder
from tests.flows import conftest

pytestmark = pytest.mark.slow


def _file(size: int) -> records.SourceFile:
    return records.SourceFile(name="x", sha256="a" * 64, size=size)


@pytest.fixture
def engine(prefect_workspace):
    """The module under test, imported with the workspace's settings."""
    from flows import engine

    return engine


@pytest.fixture
def run(engine, prefect_workspace):
    """Run a body as a flow in the session's workspace."""
    return lambda body, name="assess": engine.run_flow(name, body, workspace=prefect_workspace)


def test_a_flow_returns_what_its_body_returns(engine, run):
    """The value is the body's own object; stages get their arguments as they are and return records."""
    seen = []

    def stage(record: records.SourceFile, *, folder: RunFolder) -> records.SourceFile:
        seen.append((record, folder))
        return _file(record.size + 1)

    given, folder = _file(1), RunFolder(Path("runs/one"))
    answer = object()
    found = run(lambda: (engine.stage_task("s", stage, code="returns")(given, folder=folder), answer))
    assert found == (_file(2), answer)
    assert found[1] is answer
    assert seen[0][0] is given
    assert seen[0][1] is folder


def test_the_server_knows_the_flow_and_its_tasks(engine, run, prefect_api):
    """The UI shows one flow run with a completed task run per stage, and nothing of the arguments but a digest."""
    run(lambda: [engine.stage_task(name, _file, code="known")(3) for name in ("ingest", "split")], "known-flow")
    flows = prefect_api.post("/flow_runs/filter", json={"flows": {"name": {"any_": ["known-flow"]}}}).json()
    assert [flow["state_type"] for flow in flows] == ["COMPLETED"]
    deadline = time.monotonic() + 30
    wanted = {("ingest", "COMPLETED"), ("split", "COMPLETED")}
    while True:
        asked = {"flow_runs": {"id": {"any_": [flows[0]["id"]]}}}
        tasks = prefect_api.post("/task_runs/filter", json=asked).json()
        found = {(task["name"], task["state_type"]) for task in tasks}
        if found == wanted or time.monotonic() > deadline:
            break
        time.sleep(0.2)
    assert found == wanted
    assert flows[0]["parameters"] == {}


def test_what_a_job_says_is_in_the_log_of_its_task(engine, run, prefect_api, capfd):
    """Lines of a batch job, which the launcher hands on while it waits, are read on Prefect's page, not twice here."""

    def stage() -> records.SourceFile:
        logging.getLogger("proofline.factory").info("epoch 3/8 of the job")
        return _file(1)

    run(engine.stage_task("train", stage, code="says"), "says")
    asked = {"logs": {"level": {"ge_": logging.INFO}}, "limit": 200, "sort": "TIMESTAMP_DESC"}
    ends = time.monotonic() + 30
    while not (found := [log for log in _logs(prefect_api, asked) if log["name"] == "proofline.factory"]):
        assert time.monotonic() < ends, "no line of the job came to Prefect"
        time.sleep(0.2)
    assert [log["message"] for log in found] == ["epoch 3/8 of the job"]
    assert found[0]["task_run_id"]
    assert "epoch 3/8" not in "".join(capfd.readouterr())


def _logs(prefect_api, asked):
    return prefect_api.post("/logs/filter", json=asked).json()


def test_a_result_is_reused_for_the_same_code_and_inputs_only(engine, run):
    """Another code digest, another run identity or another input runs the stage again."""
    calls = []

    def stage(record: records.SourceFile) -> records.SourceFile:
        calls.append(record.size)
        return record

    def body():
        for code, size in (("c1", 1), ("c1", 1), ("c2", 1), ("c1", 2), ("c1", 1)):
            assert engine.stage_task("reuse", stage, code=code)(_file(size)) == _file(size)

    run(body)
    assert calls == [1, 1, 2]


@pytest.mark.parametrize("error", [errors.DataError("data x: expected a, got b. Do c."), KeyError("bug")])
def test_an_error_comes_back_as_itself(engine, run, error):
    """What a stage raises is what the caller gets: the same object, not a Prefect wrapper."""

    def stage() -> records.SourceFile:
        raise error

    with pytest.raises(type(error)) as caught:
        run(engine.stage_task("raises", stage, code="1"))
    assert caught.value is error


def test_a_failed_stage_is_not_noise_on_the_terminal(prefect_workspace):
    """The terminal shows neither the traceback nor Prefect's account of an error that the caller handles."""
    script = """
import os, sys
from pathlib import Path
from flows import servers
root = Path(sys.argv[1])
os.environ.update(servers.prefect_environment(root))
from configs import errors
from flows import engine
def stage():
    raise errors.DataError("rows: expected some, got none.")
try:
    engine.run_flow("noise", engine.stage_task("s", stage, code="1"), workspace=root)
except errors.DataError as error:
    print(error)
"""
    process = conftest.python(script, str(prefect_workspace))
    out, err = process.communicate(timeout=120)
    assert (out, err) == ("rows: expected some, got none.\n", "")


def _failing(times: int, error: Exception):
    calls = []

    def stage() -> records.SourceFile:
        calls.append(1)
        if len(calls) <= times:
            raise error
        return _file(len(calls))

    return stage, calls


def test_a_passing_fault_of_input_is_tried_again(engine, run, monkeypatch):
    """An I/O stage survives two connection errors."""
    monkeypatch.setattr(engine, "RETRY_DELAYS", (0.0, 0.0, 0.0))
    stage, calls = _failing(2, ConnectionResetError(errno.ECONNRESET, "reset"))
    assert run(engine.stage_task("passing", stage, code="1", retries_on_io=True)).size == 3
    assert len(calls) == 3


@pytest.mark.parametrize(
    ("error", "retries_on_io"),
    [
        (OSError(errno.ENOSPC, "full"), True),
        (errors.DataError("wrong"), True),
        (ConnectionResetError(errno.ECONNRESET, "reset"), False),
    ],
)
def test_a_lasting_fault_is_not_tried_again(engine, run, monkeypatch, error, retries_on_io):
    """A full disk, our own errors, and stages without I/O have one attempt."""
    monkeypatch.setattr(engine, "RETRY_DELAYS", (0.0, 0.0, 0.0))
    stage, calls = _failing(1, error)
    with pytest.raises(type(error)):
        run(engine.stage_task("lasting", stage, code=f"{error!r}", retries_on_io=retries_on_io))
    assert len(calls) == 1


def test_only_faults_that_may_pass_are_retried(engine):
    """The condition itself, fault by fault."""

    @dataclasses.dataclass
    class State:
        data: object

    passing = [ConnectionRefusedError(errno.ECONNREFUSED, ""), TimeoutError(), http.client.IncompleteRead(b"")]
    lasting = [*(OSError(n, "") for n in (errno.EROFS, errno.EACCES, errno.ENOENT)), ValueError(), errors.PlanError("")]
    assert [engine._may_pass(None, None, State(e)) for e in passing] == [True] * 3
    assert [engine._may_pass(None, None, State(e)) for e in lasting] == [False] * 5


def test_an_argument_without_a_fixed_form_is_refused(engine, run):
    """A stage takes records, paths and plain data: anything else has no digest to be found again by."""
    with pytest.raises(TypeError, match="expected a record, a path or plain data, got object"):
        run(lambda: engine.stage_task("odd", _file, code="1")(object()))


def test_gate_and_card_are_shown_with_the_run(engine, run, prefect_api):
    """Artifacts keep their keys, so that their history over runs can be read."""

    def body() -> None:
        engine.publish_table("gate", [{"check": "performance.roc_auc", "status": "pass"}], "Gate of one: pass")
        engine.publish_markdown("model-card", "# Card", "Model card of one")

    run(body)
    for key, kind in (("gate", "table"), ("model-card", "markdown")):
        found = prefect_api.get(f"/artifacts/{key}/latest").json()
        assert (found["type"], found["flow_run_id"] is not None) == (kind, True)


def test_a_lost_server_does_not_lose_a_finished_body(engine, tmp_path):
    """When only Prefect's note of the end fails, the result is returned with a warning; at the start it is an error."""
    from prefect.settings import PREFECT_CLIENT_MAX_RETRIES, temporary_settings

    from flows import servers

    # Prefect replaces the handlers of the root logger, caplog's among them.
    said: queue.SimpleQueue[logging.LogRecord] = queue.SimpleQueue()
    logging.getLogger("flows.engine").addHandler(logging.handlers.QueueHandler(said))
    share = servers.begin(tmp_path)
    share.url()
    place = servers.home(tmp_path)

    def body() -> str:
        import json
        import os
        import signal

        os.kill(json.loads((place / "server.json").read_text())["pid"], signal.SIGKILL)
        conftest.await_end(tmp_path)
        return "whole"

    with temporary_settings({PREFECT_CLIENT_MAX_RETRIES: 0}):
        assert engine.run_flow("lost", body, workspace=tmp_path) == "whole"
        assert "The run itself is whole" in said.get_nowait().getMessage()
        with pytest.raises(errors.MissingError, match=r"Prefect server: expected it to take the flow"):
            engine.run_flow("lost", body, workspace=tmp_path)
    share.close()
