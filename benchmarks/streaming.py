"""Rows out of shards against the same rows in memory: `python -m benchmarks.streaming [--json FILE]`.

Three questions. Training: the trainer on the same table with `loader: stream` and `loader: memory`, rows per second of
the epochs after the first, in alternating order. Reading alone: batches from `factory.stream` against batches gathered
from a tensor in memory as the trainer does it, and against torch's own DataLoader over a TensorDataset. Memory: the
largest resident set of a fresh process that streams a table once, and ten times as many rows.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import numpy as np
import torch

from benchmarks import paired
from configs import plan as plans
from evidence import arrays, records
from evidence.folder import RunFolder
from factory import _inputs, batches, hardware, shards, stream, trainer

AIM, AIM_GROWTH = 0.9, 1.1
"""Smallest ratio of rates, and largest growth of memory as the rows grow tenfold."""
FEATURES, TOKENS = 20, 1024
BATCH = 1024


def table(rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Numbers at random, and a target that follows from them."""
    random = np.random.default_rng(0)
    x = random.normal(size=(rows, FEATURES)).astype(np.float32)
    return x, (x[:, 0] + random.normal(size=rows) > 0).astype(np.int64)


def plan_of(loader: str, epochs: int, device: str) -> plans.Plan:
    """A plan that trains with one of the loaders."""
    case = paired.Case("streaming", 0, 0, FEATURES, (), BATCH, epochs, training={"loader": loader})
    return paired.plan_of(case, device, "fp32")


def encoded(rows: int, folder: RunFolder, plan: plans.Plan) -> records.EncodedData:
    """The table as encoding leaves it, in arrays and in shards."""
    case = paired.Case("streaming", rows, rows // 4, FEATURES, (), BATCH, 1)
    found = paired.encode(case, folder)
    x, y = (np.load(folder.at(part.path)) for part in (found.parts["train"].x, found.parts["train"].y))
    digests = np.load(folder.at(found.parts["train"].row_digests.path))
    held = [x], y, arrays.digest_of_rows(digests)
    made = _inputs.sharded(folder, "data/shards", plan, found.features, held)
    train = found.parts["train"].model_copy(update={"shards": made})
    return found.model_copy(update={"parts": {**found.parts, "train": train}})


def trained(rows: int, epochs: int, pairs: int, device: str) -> list[dict[str, float]]:
    """Rows per second of wall time and of processor time, both loaders, pair by pair."""
    measured = []
    with tempfile.TemporaryDirectory() as place:
        both = {loader: plan_of(loader, epochs, device) for loader in ("stream", "memory")}
        folder = RunFolder(Path(place) / "run")
        data = encoded(rows, folder, both["stream"])
        for pair in range(pairs + 1):
            order = list(both) if pair % 2 else list(both)[::-1]
            rates = {}
            for loader in order:
                ends: list[tuple[float, float]] = []
                target = f"training/{loader}-{pair}"
                trainer.train(
                    folder, both[loader], data, place=target,
                    progress=lambda _, ends=ends: ends.append((time.perf_counter(), time.process_time())),
                )  # fmt: skip
                (wall, used) = (ends[-1][i] - ends[0][i] for i in (0, 1))
                rates[loader], rates[f"{loader}_processor"] = rows * (epochs - 1) / wall, rows * (epochs - 1) / used
            if pair:
                measured.append(rates)
    return measured


def epoch_in_memory(held: batches.Held) -> Iterator[Any]:
    """As `batches.InMemory`: one gather, then views."""
    order = torch.randperm(len(held[0]))
    yield from zip(held[0][order].split(BATCH), held[1][order].split(BATCH), strict=True)


def epoch_of_torch(held: batches.Held) -> Iterator[Any]:
    """Torch's own loader over the same tensors."""
    yield from torch.utils.data.DataLoader(
        torch.utils.data.TensorDataset(held[0], held[1]), batch_size=BATCH, shuffle=True
    )


def read(kind: str, rows: int, pairs: int) -> dict[str, Any]:
    """Seconds of an epoch that only reads: each way, pair by pair."""
    with tempfile.TemporaryDirectory() as place:
        if kind == "tokens":
            x = np.random.default_rng(0).integers(0, 50_000, (rows, TOKENS), dtype=np.int32)
            y = np.zeros(rows, np.int64)
            columns: dict[str, Any] = {"tokens": x, "y": y}
            tensors: dict[str, str | tuple[str, ...]] = {"x": "tokens", "y": "y"}
        else:
            x, y = table(rows)
            columns = {f"n{i}": x[:, i] for i in range(FEATURES)} | {"y": y}
            tensors = {"x": tuple(f"n{i}" for i in range(FEATURES)), "y": "y"}
        files = shards.write(
            ({name: values[s] for name, values in columns.items()} for s in shards.slices(rows)), Path(place), rows
        )
        held = (torch.from_numpy(x), torch.from_numpy(y), None)
        source = stream.Stream(shards.Shards(files, tensors), stream.Order(seed=0, batch_size=BATCH))
        ways: dict[str, Callable[[], Iterator[Any]]] = {
            "stream": lambda: iter(source),
            "memory": lambda: epoch_in_memory(held),
            "torch": lambda: epoch_of_torch(held),
        }
        found: list[dict[str, float]] = []
        for pair in range(pairs + 1):
            order = list(ways) if pair % 2 else list(ways)[::-1]
            took = {}
            for way in order:
                if way == "torch" and kind == "tokens":
                    continue
                start = time.perf_counter(), time.process_time()
                for _ in ways[way]():
                    pass
                took[way], took[f"{way}_processor"] = (
                    now - then for now, then in zip((time.perf_counter(), time.process_time()), start, strict=True)
                )
            if pair:
                found.append(took)
    return {"kind": kind, "rows": rows, "bytes": int(x.nbytes), "pairs": found}


def streamed_once(place: Path) -> None:
    """One epoch over the shards of a folder, and the largest resident set of this process, MiB."""
    tensors = {"x": tuple(f"n{i}" for i in range(FEATURES)), "y": "y"}
    source = stream.Stream(
        shards.Shards(sorted(place.glob("*.parquet")), tensors), stream.Order(seed=0, batch_size=BATCH)
    )
    rows = sum(batch.rows for batch in source)
    print(json.dumps({"rows": rows, "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))


def memory(rows: int) -> list[dict[str, float]]:
    """The largest resident set of fresh processes, for `rows` and ten times as many."""
    found = []
    with tempfile.TemporaryDirectory() as name:
        for number in (rows, 10 * rows):
            place = Path(name) / str(number)
            place.mkdir()
            random = np.random.default_rng(0)

            def pieces(number: int = number, random: np.random.Generator = random) -> Iterator[dict[str, Any]]:
                for s in shards.slices(number):
                    n = s.stop - s.start
                    columns = {f"n{i}": random.normal(size=n).astype(np.float32) for i in range(FEATURES)}
                    yield columns | {"y": random.integers(0, 2, n)}

            shards.write(pieces(), place, number)
            words = [sys.executable, "-m", "benchmarks.streaming", "--once", str(place)]
            done = subprocess.run(words, capture_output=True, text=True, check=True)
            size = sum(f.stat().st_size for f in place.glob("*.parquet")) / 2**20
            found.append({**json.loads(done.stdout), "file_mib": size})
    return found


def ratio(pairs: list[dict[str, float]], ours: str, theirs: str, *, rates: bool) -> dict[str, float]:
    """Our rate over theirs, pair by pair."""
    each = [p[ours] / p[theirs] if rates else p[theirs] / p[ours] for p in pairs]
    return {"median": statistics.median(each), "lowest": min(each), "highest": max(each)}


def main() -> int:
    """Measure, print, write JSON; 1 where an aim is missed."""
    arguments = argparse.ArgumentParser(description="Rows out of shards against the same rows in memory.")
    arguments.add_argument("--pairs", type=int, default=5)
    arguments.add_argument("--rows", type=int, default=200_000, help="training rows (default 200,000)")
    arguments.add_argument("--epochs", type=int, default=4)
    arguments.add_argument("--device", choices=("cpu", "cuda"), default="cpu", help="on which the training runs")
    arguments.add_argument("--training-only", action="store_true", help="neither reading alone nor memory")
    arguments.add_argument("--json", type=Path, help="file to write the figures to")
    arguments.add_argument("--once", type=Path, help=argparse.SUPPRESS)
    given = arguments.parse_args()
    if given.once:
        streamed_once(given.once)
        return 0
    learned = trained(given.rows, given.epochs, given.pairs, given.device)
    whole = not given.training_only
    alone = [read("table", 5 * given.rows, given.pairs), read("tokens", given.rows // 4, given.pairs)] if whole else []
    grown = memory(2 * given.rows) if whole else []
    result = {
        "benchmark": "streaming",
        "hardware": hardware.name_of(torch.device(given.device)),
        "load": os.getloadavg(),
        "training": {
            "pairs": learned,
            "ratio": ratio(learned, "stream", "memory", rates=True),
            "processor_ratio": ratio(learned, "stream_processor", "memory_processor", rates=True),
        },
        "reading": [
            {
                **r,
                "ratio": ratio(r["pairs"], "stream", "memory", rates=False),
                "processor_ratio": ratio(r["pairs"], "stream_processor", "memory_processor", rates=False),
            }
            for r in alone
        ],
        "memory": grown,
        "growth": grown[1]["peak_mib"] / grown[0]["peak_mib"] if grown else None,
    }
    print(f"{result['hardware']}; load {os.getloadavg()[0]:.1f}; {given.pairs} pairs")
    told = result["training"]["ratio"], result["training"]["processor_ratio"]
    print(f"training: {_said(told[0])} of memory's rows per second; by processor time {_said(told[1])}; aim {AIM}")
    for r in result["reading"]:
        rate = r["bytes"] / statistics.median(p["stream"] for p in r["pairs"]) / 2**20
        print(f"reading {r['kind']}: {_said(r['ratio'])}; by processor time {_said(r['processor_ratio'])}; ", end="")
        print(f"{rate:,.0f} MiB/s", end="")
        if "torch" in r["pairs"][0]:
            print(f"; of torch's loader {_said(ratio(r['pairs'], 'stream', 'torch', rates=False))}", end="")
        print()
    for m in grown:
        print(f"memory: {m['rows']:>10,} rows, {m['file_mib']:,.0f} MiB of files: peak {m['peak_mib']:.0f} MiB")
    if given.json:
        given.json.write_text(json.dumps(result, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    flat = result["growth"] is None or result["growth"] <= AIM_GROWTH
    return 0 if told[0]["median"] >= AIM and flat else 1


def _said(found: dict[str, float]) -> str:
    return f"{found['median']:.2f} ({found['lowest']:.2f} to {found['highest']:.2f})"


if __name__ == "__main__":
    raise SystemExit(main())
