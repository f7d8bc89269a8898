"""Scoring a table larger than memory against ONNX Runtime alone: `python -m benchmarks.scoring [--json FILE]`.

A first process writes a table of numbers to Parquet in row groups, trains the default model of a plan on a little of it
and exports it. In a second one two things alternate:

- the whole file is streamed: read, decoded, scored, checked against the model contract, written as `.npy`;
- ONNX Runtime alone, with the same settings, scores as many batches of the same size, which lie in memory already.

Reported are the ratio of their times, pair by pair, and the peak of the second process's resident memory after its
first pass over the file.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

# Threads that spin while they wait take the processor from the reader.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

FEATURES, GROUP = 20, 500_000
MOST_MEMORY, MOST_RATIO = 2.0, 1.2
"""GiB, and the largest ratio that is wanted."""
IN_MEMORY = 64
"""Batches of the comparison, used over and over."""


def prepare(place: Path, rows: int) -> None:
    """A table in row groups, and a model for it."""
    import pyarrow as pa
    from pyarrow import parquet

    from benchmarks import training
    from evidence.folder import RunFolder
    from factory import trainer
    from tef_export import export

    case = training.Case("scoring", 20_000, 5_000, FEATURES - 1, (8,), batch=1024, epochs=1)
    folder, plan = RunFolder(place / "run"), training.plan_of(case, "cpu")
    encoded = training.encode(case, folder)
    export.export(folder, plan, encoded, trainer.train(folder, plan, encoded))
    (place / "encoded.json").write_text(encoded.model_dump_json(), encoding="utf-8")
    random = np.random.default_rng(0)
    kinds = {"numeric": pa.float32(), "categorical": pa.int8()}
    schema = pa.schema([(f.name, kinds[f.kind]) for f in encoded.features])
    with parquet.ParquetWriter(place / "table.parquet", schema) as writer:
        for first in range(0, rows, GROUP):
            size = min(GROUP, rows - first)
            columns = [random.standard_normal(size, np.float32) for _ in range(FEATURES - 1)]
            columns.append(random.integers(0, 8, size, np.int8))
            writer.write_table(pa.table(columns, schema=schema), row_group_size=GROUP)


def measure(place: Path, pairs: int) -> dict[str, Any]:
    """Alternating passes over the same rows; times in seconds, memory in GiB."""
    import onnxruntime

    from checks import scoring, streaming
    from evidence import records

    encoded = records.EncodedData.model_validate_json((place / "encoded.json").read_text(encoding="utf-8"))
    model = place / "run/model/model.onnx"
    scorer = scoring.open_model(model, encoded)
    rows = streaming.opened(place / "table.parquet", encoded.features).metadata.num_rows
    streamed: list[float] = []
    alone: list[float] = []
    processor: dict[str, list[float]] = {"streamed": [], "alone": []}

    def stream() -> None:
        begun, used = time.perf_counter(), time.process_time()
        found = streaming.score(place / "table.parquet", encoded.features, scorer, place / "scores")
        streamed.append(time.perf_counter() - begun)
        processor["streamed"].append(time.process_time() - used)
        if found.rows != rows:
            raise SystemExit(f"expected {rows} rows, got {found.rows}")

    stream()
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    options = onnxruntime.SessionOptions()
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # as our own session
    session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
    random = np.random.default_rng(1)
    held = [random.standard_normal((scoring.BATCH, FEATURES), np.float32) for _ in range(IN_MEMORY)]

    def run() -> None:
        begun, used = time.perf_counter(), time.process_time()
        for first in range(0, rows, scoring.BATCH):
            batch = held[(first // scoring.BATCH) % IN_MEMORY][: rows - first]
            session.run(["label", "probabilities"], {"features": batch})
        alone.append(time.perf_counter() - begun)
        processor["alone"].append(time.process_time() - used)

    run()
    for warm in (streamed, alone, *processor.values()):
        warm.clear()
    for pair in range(pairs):
        for once in (stream, run) if pair % 2 else (run, stream):
            once()
    return {
        "rows": rows,
        "features": FEATURES,
        "streamed": streamed,
        "alone": alone,
        "peak_gib": memory,
        "cpu": processor,
    }


def main() -> int:
    """Measure, print, write JSON; 1 where an aim is missed."""
    given = argparse.ArgumentParser(description="Streamed scoring against ONNX Runtime alone.")
    given.add_argument("--rows", type=int, default=10_000_000)
    given.add_argument("--pairs", type=int, default=3)
    given.add_argument("--json", type=Path, help="file to write the figures to")
    given.add_argument("--step", choices=("prepare", "measure"), help=argparse.SUPPRESS)
    given.add_argument("--place", type=Path, help=argparse.SUPPRESS)
    asked = given.parse_args()
    if asked.step == "prepare":
        prepare(asked.place, asked.rows)
        return 0
    if asked.step == "measure":
        print(json.dumps(measure(asked.place, asked.pairs)))
        return 0
    with tempfile.TemporaryDirectory() as folder:
        found: dict[str, Any] = {}
        for step in ("prepare", "measure"):
            command = [sys.executable, "-m", "benchmarks.scoring", "--step", step, "--place", folder]
            command += ["--rows", str(asked.rows), "--pairs", str(asked.pairs)]
            done = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
            found = json.loads(done.stdout) if step == "measure" else found
    ratios = [ours / theirs for ours, theirs in zip(found["streamed"], found["alone"], strict=True)]
    found |= {"benchmark": "scoring", "cores": os.cpu_count(), "machine": platform.processor() or platform.machine()}
    found["ratio"] = {"median": statistics.median(ratios), "lowest": min(ratios), "highest": max(ratios)}
    ours, theirs = statistics.median(found["streamed"]), statistics.median(found["alone"])
    print(f"{found['rows']:,} rows × {FEATURES} features, {asked.pairs} pairs, {found['cores']} cores")
    print(f"streamed {ours:.1f} s ({found['rows'] / ours:,.0f} rows/s), ONNX Runtime alone {theirs:.1f} s")
    print(f"ratio {found['ratio']['median']:.2f} ({min(ratios):.2f} to {max(ratios):.2f}), aim {MOST_RATIO}")
    cpu = [statistics.median(found["cpu"][name]) for name in ("streamed", "alone")]
    print(f"processor time {cpu[0]:.1f} s against {cpu[1]:.1f} s, ratio {cpu[0] / cpu[1]:.2f}")
    print(f"peak memory {found['peak_gib']:.2f} GiB, aim {MOST_MEMORY}")
    if asked.json:
        asked.json.write_text(json.dumps(found, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    return 0 if found["ratio"]["median"] <= MOST_RATIO and found["peak_gib"] <= MOST_MEMORY else 1


if __name__ == "__main__":
    raise SystemExit(main())
