"""What happens to documents of a run that somebody wrote into, or removed, before it is gone on with."""

from __future__ import annotations

from pathlib import Path

import pytest

from configs import errors
from tests.flows.forked import ANSWERS

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def resume(space: Path, run: Path) -> int:
    """Call the command line in this process."""
    from flows import cli

    with pytest.raises(SystemExit) as leaving:
        cli.main(["-w", str(space), "run", str(run), "--resume", "--engine", "plain"])
    return int(leaving.value.code or 0)


def test_a_document_that_was_written_into_is_neither_kept_nor_lost_without_a_word(
    space: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An altered document stops the run with its name; removed, it is written anew with the recorded bytes."""
    run = next((space / "runs").iterdir())
    card = run / "documents" / "README.md"
    before = card.read_bytes()
    card.write_bytes(before + b"My own remark.\n")
    assert resume(space, run) == errors.EXIT_FAIL
    said = capsys.readouterr().err
    assert "documents/README.md altered since" in said
    assert "written anew" in said
    assert card.read_bytes().endswith(b"My own remark.\n")
    card.unlink()
    assert resume(space, run) in ANSWERS
    assert card.read_bytes() == before
