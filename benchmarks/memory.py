"""Peak memory and time of a plain run, as the kernel counts them: of the whole, or of each stage on a large table.

    python -m benchmarks.memory --plan hospital_readmission       # one process, from the data to the documents
    python -m benchmarks.memory --rows 5000000 --columns 30       # a table at random, each stage a process of its own

The second reads a Parquet table that it writes first, streams the training from shards, and validates with DuckDB. Of
each stage it tells the largest resident set of the whole process (imports included), that above what was resident when
the stage began, and the processor time. `--until encode` ends after that stage.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import click
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from benchmarks.overhead import ANSWERS, PLAIN, ROOT, WHOLE

PIECE = 100_000
"""Rows that are made at a time."""
STAGE = """
import json, sys, time
from pathlib import Path
from flows import assess, view, workspace

def status(name):
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name + ":"))

class OneStage(view.QuietView):
    def stage_started(self, stage):
        assess._import_stages(run.plan)
        Path("/proc/self/clear_refs").write_text("5")  # the peak counts from here
        self.begun = time.process_time(), time.perf_counter(), status("VmRSS")

    def stage_finished(self, stage, seconds, record, *, resumed):
        if resumed:
            return
        used, wall, before = self.begun
        said = {"stage": stage, "peak": status("VmHWM"), "before": before}
        print(json.dumps(said | {"cpu": time.process_time() - used, "wall": time.perf_counter() - wall}), flush=True)
        raise SystemExit(0)

with workspace.reopened(Path(sys.argv[1])) as run:
    assess.plain(run, OneStage())
"""


def columns_of(count: int) -> list[dict[str, Any]]:
    """Columns of the table: a target, two groups, and features of which most are numbers without repetition."""
    fixed = [
        {"name": "outcome", "role": "target", "kind": "categorical", "allowed": ["no", "yes"]},
        {"name": "sex", "role": "protected", "kind": "categorical", "allowed": ["a", "b"]},
        {"name": "age", "role": "protected", "kind": "integer"},
        {"name": "region", "kind": "categorical"},
        {"name": "product", "kind": "categorical"},
    ]
    whole = [{"name": f"n{i}", "kind": "integer"} for i in range((count - len(fixed)) // 5)]
    rest = count - len(fixed) - len(whole)
    return [*fixed, *whole, *({"name": f"x{i}", "kind": "numeric", "max_missing": 0.1} for i in range(rest))]


def piece(rows: int, number: int, columns: list[dict[str, Any]]) -> pa.Table:
    """Some rows of the table."""
    random = np.random.default_rng(number)
    made: dict[str, Any] = {
        "outcome": np.array(["no", "yes"])[random.integers(0, 2, rows)],
        "sex": np.array(["a", "b"])[random.integers(0, 2, rows)],
        "age": random.integers(18, 90, rows),
        "region": np.array([f"region {i}" for i in range(20)])[random.integers(0, 20, rows)],
        "product": np.array([f"product {i}" for i in range(200)])[random.integers(0, 200, rows)],
    }
    for column in columns[len(made) :]:
        if column["kind"] == "integer":
            made[column["name"]] = random.poisson(40, rows)
        else:
            values = random.normal(size=rows)
            made[column["name"]] = np.where(random.random(rows) < 0.02, np.nan, values)
    return pa.table(made)


def write_table(place: Path, rows: int, columns: list[dict[str, Any]]) -> None:
    """Write the table as one Parquet file, a piece at a time."""
    with pq.ParquetWriter(place, piece(1, 0, columns).schema) as writer:
        for number, begin in enumerate(range(0, rows, PIECE)):
            writer.write_table(piece(min(PIECE, rows - begin), number, columns))


def plan_of(columns: list[dict[str, Any]]) -> dict[str, Any]:
    """A plan for the table: a small model, one epoch, out of shards."""
    return {
        "version": 1,
        "system": {
            "id": "large-table",
            "name": "Large table",
            "version": "1",
            "provider": {"name": "Example"},
            "intended_purpose": "Measuring memory.",
        },
        "classification": {},
        "data": {
            "source": {"kind": "file", "path": ["table.parquet"]},
            "provenance": {"title": "Numbers at random"},
            "target": {"task": "binary", "positive": ["yes"], "negative": ["no"]},
            "columns": columns,
            "engine": "duckdb",
            "protected": [
                {"name": "sex", "column": "sex", "use_in_model": False},
                {"name": "age", "column": "age", "bins": [30, 50], "use_in_model": False},
            ],
        },
        "model": {"width": 16, "blocks": 1},
        "training": {"loader": "stream", "epochs": 1, "batch_size": 8192},
        "policy": {"gates": [{"check": "performance.accuracy", "at_least": 0.5}]},
    }


def staged(rows: int, columns: int, until: str, space: Path) -> list[dict[str, Any]]:
    """Every stage in a process of its own, in order."""
    declared = columns_of(columns)
    write_table(space / "table.parquet", rows, declared)
    plan = space / "plan.yaml"
    plan.write_text(yaml.safe_dump(plan_of(declared)), encoding="utf-8")
    begin = (
        "import sys; from pathlib import Path; from flows import workspace\n"
        "with workspace.new(workspace.Workspace(Path(sys.argv[1])), Path(sys.argv[2])) as run: print(run.folder.path)"
    )
    folder = _python(begin, str(space), str(plan)).strip()
    measured: list[dict[str, Any]] = []
    while not measured or measured[-1]["stage"] != until:
        said = _python(STAGE, folder)
        if not said.strip():  # the run is closed
            break
        found = json.loads(said.splitlines()[-1])
        more = (found["peak"] - found["before"]) / 2**10
        print(
            f"{found['stage']:<10} peak {found['peak'] / 2**20:6.2f} GiB, {more:8.0f} MiB above its start, "
            f"{found['cpu']:7.1f} s of processor time, {found['wall']:7.1f} s",
            flush=True,
        )
        measured.append(found)
    return measured


def _python(program: str, *words: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", program, *words],
        cwd=ROOT,
        check=False,
        stdout=subprocess.PIPE,
        text=True,
        env={k: v for k, v in os.environ.items() if k != "PROOFLINE_DATA"} | {"PYTHONPATH": str(ROOT)},
    )
    if done.returncode:
        raise SystemExit(done.returncode)
    return done.stdout


@click.command()
@click.option("--plan", default="hospital_readmission", show_default=True)
@click.option("--engine", type=click.Choice(["plain", "prefect"]), default="prefect", show_default=True)
@click.option("--rows", type=int, help="Measure each stage on a table of so many rows instead.")
@click.option("--columns", type=click.IntRange(min=6), default=30, show_default=True)
@click.option("--until", default="close", show_default=True, help="The last stage to be measured.")
@click.option("--json", "into", type=click.Path(path_type=Path), help="Write what was measured here, too.")
def main(plan: str, engine: str, rows: int | None, columns: int, until: str, into: Path | None) -> None:
    """Measure the peak memory of one run, or of each stage on a large table."""
    with tempfile.TemporaryDirectory() as folder:
        if rows is not None:
            found = staged(rows, columns, until, Path(folder))
            if into:
                into.write_text(json.dumps({"rows": rows, "columns": columns, "stages": found}, indent=2))
            return
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
