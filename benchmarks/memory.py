"""Peak memory of a whole plain run, as the kernel counts it (largest resident set of the process), and its time.

python -m benchmarks.memory --plan hospital_readmission
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time

import click

from benchmarks.overhead import ANSWERS, PLAIN, ROOT, WHOLE


@click.command()
@click.option("--plan", default="hospital_readmission", show_default=True)
@click.option("--engine", type=click.Choice(["plain", "prefect"]), default="prefect", show_default=True)
def main(plan: str, engine: str) -> None:
    """Measure the peak memory of one run."""
    with tempfile.TemporaryDirectory() as folder:
        begun = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-c", PLAIN if engine == "plain" else WHOLE, plan, folder],
            cwd=ROOT,
            check=False,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20
    took = time.perf_counter() - begun
    print(f"{plan}, {engine}: peak {peak:.2f} GiB, {took:.0f} s")
    if done.returncode not in ANSWERS:
        raise SystemExit(done.returncode)


if __name__ == "__main__":
    main()
