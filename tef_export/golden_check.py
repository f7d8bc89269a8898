"""Opening a stranger's model: in a process of its own with little memory and time, never in the reader itself.

The process (`golden_child`) applies the rules for ONNX files, asks `onnx.checker`, and runs the golden inputs.
A receiver who gets the recorded outputs holds the model that was evaluated, in a runtime that computes it.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from configs import errors
from tef_export import strict_json

CPU_SECONDS = 60
MEMORY = 4 << 30
"""Bytes of address space, besides four times the model's size."""
_ROOT = Path(__file__).resolve().parents[1]
_START = (
    "import sys; sys.path.append(sys.argv[1]); from tef_export import golden_check; golden_check.limit(sys.argv[2]);"
    "from tef_export import golden_child; golden_child.main(sys.argv[2])"
)
CHECKS = ("onnx rules", "onnx checker", "golden vectors")


@dataclasses.dataclass(frozen=True)
class Opened:
    """What the process has found out."""

    facts: dict[str, Any]
    """Inputs, outputs, `opset` and `ir_version` of the graph; empty when it could not be read."""
    passed: dict[str, str]
    """Check to its one-sentence result."""
    failed: tuple[str, str] | None
    """The check that failed and why; the ones after it were not run."""
    looks: errors.Looks = "mistake"
    """What the failure looks like: whoever sealed the bundle, or, where the process ended, not to be told."""


def run(folder: Path, timeout: float = 120.0) -> Opened:
    """Check the model in `folder` (`model.onnx`, `test_data_set_0/`) in a limited process.

    Args:
        folder: The unpacked `data/model`.
        timeout: Seconds of wall-clock time.
    """
    command = [sys.executable, "-I", "-B", "-c", _START, str(_ROOT), str(folder)]
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env=environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=timeout,
            check=False,
        )
    except subprocess.TimeoutExpired:
        reason = f"model.onnx: expected an answer within {timeout:g} s, got none. Do not run it."
        return Opened({}, {}, (CHECKS[0], reason), "unclear")
    lines = done.stdout.splitlines()
    if done.returncode == 0 and lines:
        answer = strict_json.parse(lines[-1], "answer of the model's process", 1 << 20)
        failed = answer["failed"]
        return Opened(answer["facts"], answer["passed"], (failed[0], failed[1]) if failed else None)
    passed = [line.decode("utf-8", "replace").removeprefix("passed ") for line in lines if line.startswith(b"passed ")]
    check = next(name for name in (*CHECKS, CHECKS[-1]) if name not in passed)
    reason = f"model.onnx: expected a model that can be opened, got {ended(done)}. Do not run it."
    return Opened({}, dict.fromkeys(passed, "passed"), (check, reason), "unclear")


def environment() -> dict[str, str]:
    """Nothing of ours but what finds libraries; one thread, so that limits and results are the same everywhere."""
    names = ("PATH", "LD_LIBRARY_PATH", "SYSTEMROOT", "TMPDIR")
    kept = {name: os.environ[name] for name in names if name in os.environ}
    return {**kept, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


def limit(folder: str, seconds: int = CPU_SECONDS, memory: int = MEMORY) -> None:
    """Limit this process before it loads anything; where the system has no such limits, only time is limited.

    Args:
        folder: Where `model.onnx` lies.
        seconds: Of computing time.
        memory: Bytes of address space, besides four times the model's size.
    """
    try:
        import resource  # noqa: PLC0415 - POSIX only
    except ImportError:
        return
    memory = memory + 4 * (Path(folder) / "model.onnx").stat().st_size
    for kind, value in (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        hard = resource.getrlimit(kind)[1]
        lower = value if hard == resource.RLIM_INFINITY else min(value, hard)
        with contextlib.suppress(ValueError, OSError):  # macOS refuses to limit address space
            resource.setrlimit(kind, (lower, lower))


def ended(done: subprocess.CompletedProcess[bytes]) -> str:
    """How a process came to its end, in words."""
    if done.returncode < 0:
        number = -done.returncode
        name = signal.Signals(number).name if number in set(signal.Signals) else str(number)
        return f"a process that was ended by {name} (it asked for too much time or memory, or broke)"
    lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
    return f"an error: {lines[-1][:200]}" if lines else "an error without a message"
