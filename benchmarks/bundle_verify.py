"""Verifying a bundle around a large model: time against `openssl dgst -sha256` of the archive, and peak memory.

A bundle of a run with hand-made records is written around a model that is one large table of random numbers and a small
classifier; `proofline verify` is the whole command, start-up, rules, ONNX checker and golden vectors included.

    python -m benchmarks.bundle_verify --mib 0 --mib 256 --mib 1900
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from unittest import mock

import click
import numpy as np

from configs import load
from tests.tef_export import making

ROOT = Path(__file__).resolve().parents[1]


def large_model(mib: int):
    """A classifier that adds one row of a table of `mib` MiB to its scores."""
    from onnx import helper, numpy_helper

    made = making_model(10)
    table = np.random.default_rng(0).random((mib << 17, 2), dtype=np.float32)
    made.graph.initializer.append(helper.make_tensor("table", 1, table.shape, table.tobytes(), raw=True))
    made.graph.initializer.append(numpy_helper.from_array(np.zeros(1, np.int64), "first"))
    scores = next(node for node in made.graph.node if node.op_type == "MatMul")
    scores.output[0] = "bare"
    place = list(made.graph.node).index(scores) + 1
    made.graph.node.insert(place, helper.make_node("Gather", ["table", "first"], ["row"]))
    made.graph.node.insert(place + 1, helper.make_node("Add", ["bare", "row"], ["scores"]))
    return made


making_model = making.model


@dataclasses.dataclass(frozen=True)
class Took:
    """What one command took."""

    wall: float
    cpu: float
    """Seconds, user and system, of the command and all that it started."""
    peak: float
    """MiB: the largest resident set of one of its processes."""


def measure(mib: int, pairs: int, prefix: tuple[str, ...] = ()) -> dict[str, object]:
    """Pairs of openssl and `proofline verify` on one archive, in alternating order; the file is in the page cache."""
    with tempfile.TemporaryDirectory() as folder:
        plan = load.plan_path("diabetes_progression").read_text(encoding="utf-8")
        key = making.real_key(begin=dt.datetime(2020, 1, 1, tzinfo=dt.UTC), days=36_500)
        model = making.model(10) if mib == 0 else large_model(mib)
        with mock.patch.object(making, "model", return_value=model):
            made = making.bundle(Path(folder), key, plan=plan)
        commands = {
            "openssl": ("openssl", "dgst", "-sha256", made.path),
            "verify": (sys.executable, "-m", "flows.cli", "verify", made.path, "--key", made.written.public_key),
        }
        found: dict[str, list[Took]] = {name: [] for name in commands}
        for pair in range(pairs):
            for name in list(commands) if pair % 2 else reversed(list(commands)):
                found[name].append(_took(prefix, *commands[name]))
        kept = {name: [dataclasses.asdict(one) for one in rows] for name, rows in found.items()}
        return {"mib": mib, "archive_bytes": made.path.stat().st_size, "load": os.getloadavg()[0], **kept}


PROGRAM = """
import json, os, subprocess, sys, time
begun = time.perf_counter()
process = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL)
_, status, used = os.wait4(process.pid, 0)
wall = time.perf_counter() - begun
print(json.dumps([status, wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024]))
"""
"""In a process of its own: the kernel counts the memory of the one that starts another."""


def _took(prefix: tuple[str, ...], *command: object) -> Took:
    done = subprocess.run(
        [*prefix, sys.executable, "-S", "-c", PROGRAM, *map(str, command)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    status, *figures = json.loads(done.stdout)
    if status:
        raise SystemExit(f"{command[0]}: status {status} {done.stderr}")
    return Took(*figures)


@click.command()
@click.option(
    "--mib", "sizes", multiple=True, type=int, default=(0, 256, 1900), show_default=True, help="0: a small one."
)
@click.option("--pairs", default=3, show_default=True)
@click.option("--real-time", is_flag=True, help="Before all other work of the machine (needs root): where it is busy.")
@click.option("--json", "out", type=click.Path(path_type=Path), help="Write the figures here as well.")
def main(sizes: tuple[int, ...], pairs: int, out: Path | None, *, real_time: bool) -> None:
    """Measure the verifying of bundles: medians; the speed is openssl's time over that of the command."""
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    print(f"{'MiB':>6}{'openssl s':>11}{'verify s':>10}{'speed':>7}{'CPU s':>14}{'peak MiB':>10}{'load':>6}")
    results = []
    for mib in sizes:
        found = measure(mib, pairs, ("chrt", "-f", "1") if real_time else ())
        results.append(found)
        rows: tuple[list[dict[str, float]], ...] = (found["openssl"], found["verify"])  # type: ignore[assignment]
        openssl, verify = (statistics.median(one["wall"] for one in row) for row in rows)
        speed = statistics.median(a["wall"] / b["wall"] for a, b in zip(*rows, strict=True))
        used = [statistics.median(one["cpu"] for one in row) for row in rows]
        peak = max(one["peak"] for one in rows[1])
        line = f"{mib:>6}{openssl:>11.2f}{verify:>10.2f}{speed:>7.2f}{used[0]:>7.2f}{used[1]:>7.2f}{peak:>10.0f}"
        print(f"{line}{found['load']:>6.1f}", flush=True)
    if out:
        out.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
