"""Everything that this project wants to know of a GPU, in one call of limited time.

    python -m benchmarks.gpu --into figures --minutes 9

A GPU is often lent for minutes. Each benchmark runs in a process of its own, the most wanted first, and gets no more
than what is left; what does not end, fails or finds no time is listed as such, never left out. Needs torch,
transformers, safetensors, pandas, pyarrow and pydantic, none of the services. What is written: a JSON file and a log of
each, and `figures.md`. The exit code is 1 where something has not ended well or an aim is missed.
"""

from __future__ import annotations

import argparse
import dataclasses
import subprocess
import sys
import time
from pathlib import Path

import torch

from configs import errors
from factory import hardware

ROOT = Path(__file__).resolve().parents[1]
LEAST = 20.0
"""Seconds under which nothing more is begun."""


@dataclasses.dataclass(frozen=True)
class Figure:
    """One benchmark: its name, the module and its arguments on a GPU and on processors, and the longest it may take."""

    name: str
    module: str
    on_gpu: tuple[str, ...]
    on_cpu: tuple[str, ...]
    seconds: float


FIGURES = (
    Figure(
        "agreement",
        "agreement",
        ("--longer", "100"),
        ("--rows", "4000", "--epochs", "2", "--longer", "2"),
        90,
    ),
    Figure("transformer", "transformer", ("--pairs", "2"), ("--pairs", "1", "--batch", "4"), 200),
    Figure(
        "language", "language_training", ("--case", "350m", "--pairs", "2"), ("--case", "small", "--pairs", "1"), 200
    ),
    Figure("training", "training", ("--pairs", "3"), ("--pairs", "1", "--cases", "diabetes"), 120),
    Figure(
        "streaming",
        "streaming",
        ("--training-only", "--pairs", "3"),
        ("--training-only", "--pairs", "1", "--rows", "20000", "--epochs", "2"),
        90,
    ),
    Figure("transformer_eager", "transformer", ("--pairs", "1", "--eager"), ("--pairs", "1", "--batch", "4"), 120),
)
"""In the order of how much they are wanted: is it the same training, how near to the device's peak, how near to a bare
loop, how near to rows in memory. Energy by the device's counter is told by the first two."""


def run(figure: Figure, device: str, into: Path, seconds: float) -> str:
    """Run one benchmark; how it ended."""
    if seconds < LEAST:
        return "not begun: no time was left"
    arguments = figure.on_gpu if device == "cuda" else figure.on_cpu
    command = [sys.executable, "-m", f"benchmarks.{figure.module}", "--device", device, *arguments]
    written = (into / f"{figure.name}.json").resolve()
    written.unlink(missing_ok=True)
    command += ["--json", str(written)]
    limit, begun = min(seconds, figure.seconds), time.monotonic()
    with (into / f"{figure.name}.log").open("wb") as log:
        try:
            code = subprocess.run(
                command, cwd=ROOT, stdout=log, stderr=subprocess.STDOUT, timeout=limit, check=False
            ).returncode
        except subprocess.TimeoutExpired:
            return f"stopped after {limit:.0f} s"
    took = f"{time.monotonic() - begun:.0f} s"
    if not written.is_file():
        return f"failed with exit code {code} in {took}"
    return f"ended in {took}" + (", an aim was missed" if code else "")


def main() -> int:
    """Measure, print, write."""
    arguments = argparse.ArgumentParser(description="All figures of one GPU within limited time.")
    arguments.add_argument("--into", type=Path, required=True, help="folder for what is found")
    arguments.add_argument("--minutes", type=float, default=9.0, help="for everything together (default 9)")
    arguments.add_argument("--device", choices=("cuda", "cpu"), default="cuda", help="cpu: small shapes, to try it")
    given = arguments.parse_args()
    if given.device == "cuda" and not torch.cuda.is_available():
        raise errors.MissingError(
            "benchmarks.gpu: expected a GPU that torch can use, got none. Add --device cpu to try it on processors."
        )
    given.into.mkdir(parents=True, exist_ok=True)
    end = time.monotonic() + 60 * given.minutes
    lines = [f"# {hardware.name_of(hardware.device_of(given.device))}, torch {torch.__version__}", ""]
    fine = True
    for figure in FIGURES:
        said = run(figure, given.device, given.into, end - time.monotonic())
        fine &= said.startswith("ended") and "missed" not in said
        log = given.into / f"{figure.name}.log"
        told = log.read_text(encoding="utf-8", errors="replace").strip() if log.is_file() else ""
        lines += [f"## {figure.name}: {said}", "", "```", *told.splitlines()[-20:], "```", ""]
        print(f"{figure.name}: {said}\n{told[-1500:]}", flush=True)
        (given.into / "figures.md").write_text("\n".join(lines), encoding="utf-8")
    return int(not fine)


if __name__ == "__main__":
    raise SystemExit(main())
