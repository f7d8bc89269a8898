"""A run survives `kill -9` at any stage: it goes on, repeats no finished stage, loses no record."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from evidence import ledger
from evidence.dossier import STAGES
from tests.flows import plans

ROOT = Path(__file__).resolve().parents[2]


def _start(space: Path, engine: str, *, resume: bool) -> subprocess.Popen[str]:
    arguments = ["-w", str(space), "run", str(space / "plan.yaml"), "--engine", engine]
    return subprocess.Popen(
        [sys.executable, "-m", "flows.cli", *arguments, *(["--resume"] if resume else [])],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=ROOT,
        env={k: v for k, v in os.environ.items() if not k.startswith("PROOFLINE_")},
        start_new_session=True,
    )


def _lines(space: Path) -> list[dict[str, Any]]:
    found = list((space / "runs").glob("*/ledger.jsonl"))
    if not found:
        return []
    complete = found[0].read_bytes().rpartition(b"\n")[0]
    return [json.loads(line) for line in complete.splitlines() if line]


def _kill_once_started(process: subprocess.Popen[str], space: Path, stage: str) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        if any(line["stage"] == stage and line["event"] == "started" for line in _lines(space)):
            break
        if process.poll() is not None:
            raise AssertionError(f"the run ended before {stage}:\n{process.communicate()[0]}")
        time.sleep(0.005)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_killed_at_every_stage_in_turn(tmp_path: Path) -> None:
    """One run, killed once in each of its stages, ends with every stage finished exactly once."""
    content = plans.plan()
    content["training"]["epochs"] = 6
    plans.write(tmp_path, content)
    for number, stage in enumerate(STAGES):
        process = _start(tmp_path, "plain", resume=number > 0)
        _kill_once_started(process, tmp_path, stage)
    last = _start(tmp_path, "plain", resume=True)
    said = last.communicate(timeout=300)[0]
    assert last.returncode in (0, 1, 4), said
    lines = _lines(tmp_path)
    finished = [line["stage"] for line in lines if line["event"] == "finished"]
    assert sorted(finished) == sorted(STAGES)
    assert len(list((tmp_path / "runs").iterdir())) == 1
    assert len(ledger.Ledger.read(next((tmp_path / "runs").iterdir())).lines) == len(lines)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_killed_in_training_the_run_ends_as_the_unbroken_one(tmp_path: Path) -> None:
    """A run killed while it trains and resumed, under Prefect, gives the same model, byte for byte, as a plain one."""
    digests = []
    for name, killed, engine in (("whole", False, "plain"), ("broken", True, "prefect")):
        space = tmp_path / name
        space.mkdir()
        content = plans.plan()
        content["training"]["epochs"] = 8
        plans.write(space, content)
        process = _start(space, engine, resume=False)
        if killed:
            _kill_once_started(process, space, "train")
            process = _start(space, engine, resume=True)
        said = process.communicate(timeout=200)[0]
        assert process.returncode in (0, 1, 4), said
        record = next((space / "runs").glob("*/model/record.json"))
        digests.append(json.loads(record.read_text())["onnx"]["sha256"])
    assert digests[0] == digests[1]


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_killed_between_the_networks_of_a_mitigation(tmp_path: Path) -> None:
    """Killed while a reduction fits its networks and resumed, the run ends with the model of an unbroken one."""
    digests = []
    for name, killed in (("whole", False), ("broken", True)):
        space = tmp_path / name
        space.mkdir()
        content = plans.plan()
        content["mitigation"] = {"method": "exponentiated_gradient", "attribute": "sex", "max_iterations": 2}
        plans.write(space, content)
        process = _start(space, "plain", resume=False)
        if killed:
            _kill_once_networks(process, space, 2)
            process = _start(space, "plain", resume=True)
        said = process.communicate(timeout=300)[0]
        assert process.returncode in (0, 1, 4), said
        record = json.loads(next((space / "runs").glob("*/model/record.json")).read_text())
        digests.append([record["onnx"]["sha256"], record["comparisons"]["unmitigated"]["sha256"]])
    assert digests[0] == digests[1]


def _kill_once_networks(process: subprocess.Popen[str], space: Path, number: int) -> None:
    deadline = time.monotonic() + 200
    while len(list((space / "runs").glob("*/training/networks/*.safetensors"))) < number:
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < deadline, "no networks were fitted"
        time.sleep(0.005)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
