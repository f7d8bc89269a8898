"""What Prefect and MLflow cost: the whole `assess` against the same core functions without them.

Each pair runs two fresh processes one after the other, in alternating order: `proofline run PLAN` (Prefect, MLflow),
and `proofline run`'s stages called plainly, with no Prefect and no MLflow imported. The stores exist
before the first pair, because they are migrated once per workspace; that first cost is measured and printed apart.

    python -m benchmarks.overhead --json overhead.json
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import click

ROOT = Path(__file__).resolve().parents[1]
PLAIN = """
import sys
from pathlib import Path
from configs import load
from flows import assess, view, workspace
space = workspace.Workspace(Path(sys.argv[2]).resolve())
with workspace.new(space, load.plan_path(sys.argv[1])) as run:
    assess.plain(run, view.QuietView())
assert not {"prefect", "mlflow"} & set(sys.modules)
"""
WHOLE = "import sys; from flows import cli; cli.main(['-w', sys.argv[2], 'run', sys.argv[1]])"
ANSWERS = (0, 1, 4)
"""Pass, fail and inconclusive are all answers of a whole run."""


def seconds(program: str, plan: str, workspace: Path) -> float:
    """Wall time of one fresh process, in seconds."""
    begun = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", program, plan, str(workspace)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    if done.returncode not in ANSWERS:
        raise SystemExit(f"{plan}: exit {done.returncode}\n{done.stdout}\n{done.stderr}")
    return time.perf_counter() - begun


def measure(plan: str, pairs: int) -> dict[str, object]:
    """Paired runs of one plan."""
    with tempfile.TemporaryDirectory() as folder:
        workspace = Path(folder)
        first = seconds(WHOLE, plan, workspace)
        whole, plain = [], []
        for pair in range(pairs):
            order = ((WHOLE, whole), (PLAIN, plain))
            for program, times in order if pair % 2 else order[::-1]:
                times.append(seconds(program, plan, workspace))
    ratios = [w / p for w, p in zip(whole, plain, strict=True)]
    return {
        "plan": plan,
        "first_run_seconds": first,
        "whole_seconds": whole,
        "plain_seconds": plain,
        "ratios": ratios,
        "ratio_median": statistics.median(ratios),
    }


@click.command()
@click.option("--plan", "plans", multiple=True, default=("diabetes_progression", "adult_income"), show_default=True)
@click.option("--pairs", default=5, show_default=True)
@click.option("--json", "out", type=click.Path(path_type=Path), help="Write the figures here as well.")
def main(plans: tuple[str, ...], pairs: int, out: Path | None) -> None:
    """Measure the overhead of Prefect and MLflow."""
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    print(f"{'plan':<24}{'whole s':>10}{'plain s':>10}{'ratio':>8}{'spread':>16}{'first run s':>14}")
    results = []
    for plan in plans:
        r = measure(plan, pairs)
        results.append(r)
        ratios: list[float] = r["ratios"]  # type: ignore[assignment]
        whole, plain = statistics.median(r["whole_seconds"]), statistics.median(r["plain_seconds"])  # type: ignore[call-overload]
        print(
            f"{plan:<24}{whole:>10.1f}{plain:>10.1f}{r['ratio_median']:>8.2f}"
            f"{f'{min(ratios):.2f} to {max(ratios):.2f}':>16}{r['first_run_seconds']:>14.1f}",
            flush=True,
        )
    if out:
        out.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
