"""Verifying a bundle around a large model: time against `openssl dgst -sha256` of the archive, and peak memory.

A bundle of a run with hand-made records is written around a model that is one large table of random numbers and a small
classifier; `proofline verify` reads it in a process of its own. The time is split: without the model's process
(archive, signatures, bag, digests, documents) and with it (rules, ONNX checker, golden vectors under ONNX Runtime).

    python -m benchmarks.bundle_verify --mib 256 --mib 1900
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
from unittest import mock

import click
import numpy as np

from configs import load
from tests.tef_export import making

ROOT = Path(__file__).resolve().parents[1]
PROGRAM = """
import datetime, json, resource, sys, time
from pathlib import Path
from tef_export import golden_check, keys, verify
if sys.argv[3] == "without":
    golden_check.run = lambda folder: golden_check.Opened({}, {}, None)
begun = time.perf_counter()
found = verify.verify(Path(sys.argv[1]), public_key=keys.load_public(Path(sys.argv[2])),
                      at=datetime.datetime(2026, 11, 21, tzinfo=datetime.UTC))
seconds = time.perf_counter() - begun
status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
own = int(status["VmHWM"].split()[0]) / 1024  # getrusage would count the memory of the process that started this one
model = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
print(json.dumps([seconds, own, model, found.refusal]))
"""


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


def measure(mib: int, pairs: int) -> dict[str, object]:
    """Pairs of openssl and the reader on one archive, in alternating order; the file is in the page cache."""
    with tempfile.TemporaryDirectory() as folder:
        plan = load.plan_path("diabetes_progression").read_text(encoding="utf-8")
        with mock.patch.object(making, "model", return_value=large_model(mib)):
            made = making.bundle(Path(folder), making.real_key(), plan=plan)
        found: dict[str, list[list[float]]] = {"openssl": [], "without": [], "with": []}
        for pair in range(pairs):
            for which in list(found) if pair % 2 else reversed(list(found)):
                found[which].append(_openssl(made.path) if which == "openssl" else _reader(made, which))
        return {"mib": mib, "archive_bytes": made.path.stat().st_size, **found}


def _openssl(path: Path) -> list[float]:
    begun = time.perf_counter()
    subprocess.run(["openssl", "dgst", "-sha256", path], capture_output=True, check=True)
    return [time.perf_counter() - begun]


def _reader(made: making.Made, which: str) -> list[float]:
    command = [sys.executable, "-c", PROGRAM, made.path, made.written.public_key, which]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    *figures, refusal = json.loads(done.stdout)
    if refusal is not None:
        raise SystemExit(f"the bundle was refused: {refusal}")
    return [float(figure) for figure in figures]


@click.command()
@click.option("--mib", "sizes", multiple=True, type=int, default=(256, 1900), show_default=True)
@click.option("--pairs", default=3, show_default=True)
@click.option("--json", "out", type=click.Path(path_type=Path), help="Write the figures here as well.")
def main(sizes: tuple[int, ...], pairs: int, out: Path | None) -> None:
    """Measure the verifying of bundles."""
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    print(f"{'MiB':>6}{'archive':>9}{'openssl s':>11}{'without s':>11}{'with s':>9}{'reader MiB':>12}{'model MiB':>11}")
    results = []
    for mib in sizes:
        found = measure(mib, pairs)
        results.append(found)
        openssl, without, whole = (
            statistics.median(row[0] for row in found[name])  # type: ignore[attr-defined]
            for name in ("openssl", "without", "with")
        )
        peaks = [max(row[n] for row in found["with"]) for n in (1, 2)]  # type: ignore[attr-defined]
        archive = int(found["archive_bytes"]) >> 20  # type: ignore[call-overload]
        line = f"{mib:>6}{archive:>9}{openssl:>11.2f}{without:>11.2f}{whole:>9.2f}{peaks[0]:>12.0f}{peaks[1]:>11.0f}"
        print(line, flush=True)
    if out:
        out.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
