"""The whole circle of every use case, with all public validators: the embedded one always, the others when asked."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.flows import circle
from tests.flows.test_use_cases import EMBEDDED, keeps_to_its_evidence
from tests.tef_export import validators

ALL = "PROOFLINE_CIRCLE"


@pytest.mark.slow
@pytest.mark.timeout(3000)
@pytest.mark.parametrize("name", circle.tables())
def test_a_bundle_goes_the_whole_circle(name: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """Released, accepted by every public tool, measured again on two sets of rows, answered, and cited."""
    base = Path() if name in EMBEDDED else request.getfixturevalue("real_data")
    if name not in EMBEDDED and not os.environ.get(ALL):
        pytest.skip(f"minutes for each use case; set {ALL}=1, or run python -m tests.flows.circle")
    gone = circle.go(name, tmp_path / "space", base)
    keeps_to_its_evidence(gone.run)
    assert gone.outcomes["same"]["status"] == "reproduced"
    assert gone.outcomes["same"]["data"]["rows"] > 50
    assert gone.outcomes["other"]["status"] in ("reproduced", "cannot_tell")
    assert gone.outcomes["other"]["data"]["origin"] == "facility"
    absent = {tool for tool, said in gone.found.items() if said != "accepted"}
    assert absent <= ({"7z"} if os.environ.get("CI") else {"7z", "rocrate-validator"}), gone.found
    assert set(gone.found.values()) <= {"accepted", validators.ABSENT}
    for document in ("documents/README.md", "documents/annex_iv.md"):
        assert (gone.run / document).read_text(encoding="utf-8").count("TEF Test") >= 2
