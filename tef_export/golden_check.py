"""Opening a stranger's model: in a process of its own with little memory and time, never in the reader itself.

The process (`golden_child`) applies the rules for ONNX files, asks `onnx.checker`, and runs the golden inputs.
A receiver who gets the recorded outputs holds the model that was evaluated, in a runtime that computes it.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from configs import errors
from tef_export import confine, strict_json
from tef_export.archive import Place

CPU_SECONDS = 60
MEMORY = 4 << 30
"""Bytes of address space, besides four times the model's size."""
_ROOT = Path(__file__).resolve().parents[1]
_START = "import sys; sys.path.append(sys.argv[1]); from tef_export import golden_child; golden_child.main()"
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


@contextlib.contextmanager
def ready() -> Iterator[subprocess.Popen[bytes]]:
    """A process that loads its libraries and waits to be told where the model is; ended with the block."""
    command = [sys.executable, "-I", "-B", "-c", _START, str(_ROOT)]
    pipe = subprocess.PIPE
    with subprocess.Popen(
        command, cwd=_ROOT, env=confine.environment(), stdin=pipe, stdout=pipe, stderr=pipe
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def begin(process: subprocess.Popen[bytes], folder: Path, model: Place) -> None:
    """Tell a process that is `ready` where the model is; `run` then takes its answer."""
    told = {"folder": str(folder), "path": str(model.path.resolve()), "offset": model.offset, "size": model.size}
    if process.stdin is not None:
        with contextlib.suppress(BrokenPipeError):  # it has ended: `run` says how
            process.stdin.write(json.dumps(told).encode() + b"\n")
            process.stdin.flush()


def run(
    folder: Path,
    model: Place | None = None,
    process: subprocess.Popen[bytes] | None = None,
    timeout: float = 120.0,
) -> Opened:
    """Check the model in `folder` (`model.onnx`, `test_data_set_0/`) in a limited process.

    Args:
        folder: The unpacked `data/model`.
        model: Where the model lies, if not there.
        process: One that has been told to `begin` with this model; by default a new one.
        timeout: Seconds of wall-clock time.
    """
    place = folder / "model.onnx"
    model = model or Place(place, 0, place.stat().st_size)
    with contextlib.ExitStack() as stack:
        if process is None:
            process = stack.enter_context(ready())
            begin(process, folder, model)
        try:
            answer, said = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            reason = f"model.onnx: expected an answer within {timeout:g} s, got none. Do not run it."
            return Opened({}, {}, (CHECKS[0], reason), "unclear")
    done = subprocess.CompletedProcess[bytes](process.args, process.returncode, answer, said)
    lines = done.stdout.splitlines()
    if done.returncode == 0 and lines:
        answer = strict_json.parse(lines[-1], "answer of the model's process", 1 << 20)
        failed = answer["failed"]
        return Opened(answer["facts"], answer["passed"], (failed[0], failed[1]) if failed else None)
    passed = [line.decode("utf-8", "replace").removeprefix("passed ") for line in lines if line.startswith(b"passed ")]
    check = next(name for name in (*CHECKS, CHECKS[-1]) if name not in passed)
    reason = f"model.onnx: expected a model that can be opened, got {confine.ended(done)}. Do not run it."
    return Opened({}, dict.fromkeys(passed, "passed"), (check, reason), "unclear")
