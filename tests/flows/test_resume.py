"""A run survives `kill -9` at any stage: it goes on, repeats no finished stage, loses no record."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from evidence import ledger
from evidence.dossier import STAGES
from tests.flows import plans
from tests.flows.forked import ANSWERS, Run

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def _start(space: Path, engine: str, *, resume: bool) -> Run:
    more = ["--resume"] if resume else []
    return Run("-w", space, "run", space / "plan.yaml", "--engine", engine, *more, place=space)


def _lines(space: Path) -> list[dict[str, Any]]:
    found = list((space / "runs").glob("*/ledger.jsonl"))
    if not found:
        return []
    complete = found[0].read_bytes().rpartition(b"\n")[0]
    return [json.loads(line) for line in complete.splitlines() if line]


def test_killed_at_every_stage_in_turn(tmp_path: Path) -> None:
    """One run, killed once in each of its stages, ends with every stage finished exactly once."""
    content = plans.plan()
    content["training"]["epochs"] = 6
    plans.write(tmp_path, content)
    for number, stage in enumerate(STAGES):
        began = {"stage": stage, "event": "started"}
        _start(tmp_path, "plain", resume=number > 0).kill_once(
            lambda began=began: any(began.items() <= line.items() for line in _lines(tmp_path))
        )
    last = _start(tmp_path, "plain", resume=True)
    assert last.answer() in ANSWERS, last.said
    lines = _lines(tmp_path)
    finished = [line["stage"] for line in lines if line["event"] == "finished"]
    assert sorted(finished) == sorted(STAGES)
    assert len(list((tmp_path / "runs").iterdir())) == 1
    assert len(ledger.Ledger.read(next((tmp_path / "runs").iterdir())).lines) == len(lines)


def test_killed_between_the_networks_of_a_mitigation(tmp_path: Path) -> None:
    """Killed while a reduction fits its networks and resumed under Prefect, the model is that of an unbroken plain run.

    Byte for byte, the comparison without the reduction as well. A single training that is killed: `test_resuming.py`.
    """
    digests = []
    for name, killed, engine in (("whole", False, "plain"), ("broken", True, "prefect")):
        space = tmp_path / name
        space.mkdir()
        content = plans.plan()
        content["mitigation"] = {"method": "exponentiated_gradient", "attribute": "sex", "max_iterations": 2}
        plans.write(space, content)
        run = _start(space, engine, resume=False)
        if killed:
            run.kill_once(lambda space=space: len(list(space.glob("runs/*/training/networks/*.safetensors"))) >= 2)
            run = _start(space, engine, resume=True)
            assert run.answer() in ANSWERS, run.said
        else:  # nothing after its model is asked for
            run.kill_once(lambda space=space: any(space.glob("runs/*/model/record.json")))
        record = json.loads(next(space.glob("runs/*/model/record.json")).read_text())
        digests.append([record["onnx"]["sha256"], record["comparisons"]["unmitigated"]["sha256"]])
    assert digests[0] == digests[1]
