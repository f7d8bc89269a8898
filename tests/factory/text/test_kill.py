"""A stage that was killed leaves nothing that the next attempt could take for its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from factory.text import clean, ingest
from tests.factory.text import builders

ROOT = Path(__file__).parents[3]
KILLED = """
import os, signal, sys
from pathlib import Path
from evidence.folder import RunFolder
from factory.text import clean, ingest, shards
from tests.factory.text import builders

shards.GROUP_BYTES = 1000

def kill(what, done, of):
    if what == sys.argv[2]:
        os.kill(os.getpid(), signal.SIGKILL)

folder, plan = RunFolder(Path(sys.argv[1])), builders.plan()
corpus = ingest.ingest(folder, plan, Path(), progress=kill)
clean.clean(folder, plan, corpus, Path(), progress=kill)
"""


@pytest.mark.slow
@pytest.mark.parametrize("what", ["corpora", "documents"])
def test_a_killed_stage_can_be_run_again(tmp_path: Path, what: str) -> None:
    """Killed inside ingest or in the first pass of the cleaning: the next attempt gives the same records and files."""
    folder, corpus, cleaning = builders.cleaned(tmp_path / "whole", builders.plan())
    again = builders.RunFolder(tmp_path / "killed")
    killed = subprocess.run([sys.executable, "-c", KILLED, str(again.path), what], cwd=ROOT, check=False)
    assert killed.returncode == -9
    assert [*again.path.rglob(".*.parquet"), *again.path.rglob("filtered/*.parquet")]
    assert ingest.ingest(again, builders.plan(), tmp_path) == corpus
    assert clean.clean(again, builders.plan(), corpus, tmp_path) == cleaning
    files = [sorted(str(p.relative_to(f.path)) for f in [f] for p in f.path.rglob("*")) for f in (folder, again)]
    assert files[0] == files[1]
