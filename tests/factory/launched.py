"""Several ranks on this machine, as a batch job starts them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def command(ranks: int, module: str, arguments: Sequence[str | Path]) -> list[str]:
    """What starts a module on so many ranks; one is started without a launcher."""
    launcher = ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={ranks}"] if ranks > 1 else []
    return [sys.executable, *launcher, "-m", module, *map(str, arguments)]


def environment() -> dict[str, str]:
    """One thread for each rank, and as many where there is one: sums in the same order."""
    return os.environ | {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE"}


def run(ranks: int, module: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run it to its end; its words are in the error when it fails."""
    done = subprocess.run(
        command(ranks, module, arguments), cwd=ROOT, env=environment(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done


def start(ranks: int, module: str, *arguments: str | Path) -> subprocess.Popen[str]:
    """Start it, with its standard error to be read."""
    return subprocess.Popen(
        command(ranks, module, arguments), cwd=ROOT, env=environment(), stderr=subprocess.PIPE, text=True
    )
