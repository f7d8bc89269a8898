"""Every shipped use case goes from its real files to a decision and documents that keep to the evidence."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from configs import load
from evidence import ledger

ROOT = Path(__file__).resolve().parents[2]
ANSWERS = (0, 1, 4)
EMBEDDED = ("diabetes_progression",)
NAMES = sorted(path.stem for path in load.USE_CASES.glob("*.yaml"))


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", NAMES)
def test_a_use_case_runs_on_its_real_files(name: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """The answer may be pass, fail or inconclusive; parity and the leakage audit pass, and nothing is left out."""
    environment = {k: v for k, v in os.environ.items() if k != "PROOFLINE_DATA"}
    if name not in EMBEDDED:
        environment["PROOFLINE_DATA"] = str(request.getfixturevalue("real_data"))
    done = subprocess.run(
        [sys.executable, "-m", "flows.cli", "-w", str(tmp_path), "run", name, "--engine", "plain"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in ANSWERS, done.stdout + done.stderr
    from flows import workspace

    run = next((tmp_path / "runs").iterdir())
    found = workspace.dossier(run)
    assert found.close is not None
    status = {r.check_id: r.status for r in found.results()}
    assert status["export.parity"] == "pass"
    assert status["data.leakage"] == "pass"
    asked = {(g.check, g.slice) for g in found.plan.policy.gates}
    answered = {(r.check_id, r.slice) for r in found.gate.reasons}
    assert asked <= answered
    assert found.commit.at < found.evaluate.started_at
    assert ledger.Ledger.read(run).lines[-1].event == "mirrored"
    assert (run / "documents/report.html").stat().st_size > 50_000
