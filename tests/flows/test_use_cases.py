"""Every shipped use case goes from its real files to a decision and documents that keep to the evidence.

The embedded one does so in the circle (`test_circle.py`), which asks the same of its run.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from configs import load
from evidence import ledger
from tests.flows.forked import ANSWERS, Run

EMBEDDED = ("diabetes_progression",)
NAMES = sorted({path.stem for path in load.USE_CASES.glob("*.yaml")} - set(EMBEDDED))


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", NAMES)
def test_a_use_case_runs_on_its_real_files(name: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """The answer may be pass, fail or inconclusive; the rest as `keeps_to_its_evidence` says."""
    data = str(request.getfixturevalue("real_data"))
    done = Run("-w", tmp_path, "run", name, "--engine", "plain", place=tmp_path, PROOFLINE_DATA=data)
    assert done.answer(800) in ANSWERS, done.said
    run = next((tmp_path / "runs").iterdir())
    keeps_to_its_evidence(run)
    assert ledger.Ledger.read(run).lines[-1].event == "mirrored"


def keeps_to_its_evidence(run: Path) -> None:
    """Parity and the leakage audit pass, the test rows were opened after the commitment, and nothing is left out."""
    from flows import workspace

    found = workspace.dossier(run)
    assert found.close is not None
    status = {r.check_id: r.status for r in found.results()}
    assert status["export.parity"] == "pass"
    assert status["data.leakage"] == "pass"
    asked = {(g.check, g.slice) for g in found.plan.policy.gates}
    answered = {(r.check_id, r.slice) for r in found.gate.reasons}
    assert asked <= answered
    assert found.commit.at < found.evaluate.started_at
    assert (run / "documents/report.html").stat().st_size > 50_000
