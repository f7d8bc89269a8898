"""Rows per second of the trainer against a bare PyTorch loop: `python benchmarks/training.py [--json FILE]`.

Both train the same model from the same seed with the same batches' size, optimizer and learning rate, and both
validate after every epoch, as a loop that stops early must. The trainer also shuffles reproducibly, uses
deterministic operators, checks the loss, keeps the best weights and writes a checkpoint every epoch: that is what is
compared. Runs alternate in one process, the first epoch of each is left out, and the ratio is taken pair by pair.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

# Threads that spin while they wait make both loops many times slower where other programs want the processor too.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import numpy as np
import torch
from torch.nn import functional

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from configs import plan as plans
from evidence import arrays, records
from evidence.folder import RunFolder
from factory import hardware, models, trainer

AIM = 0.97
"""Smallest ratio that is wanted."""


@dataclasses.dataclass(frozen=True)
class Case:
    """A synthetic table and a training of it."""

    name: str
    rows: int
    validation: int
    numeric: int
    categories: tuple[int, ...]
    batch: int
    epochs: int


CASES = (
    Case("adult", 39_073, 9_769, 6, (9, 16, 7, 15, 6, 5, 2, 42), batch=512, epochs=4),
    Case("diabetes", 265, 88, 9, (2,), batch=64, epochs=80),
)


def encode(case: Case, folder: RunFolder) -> records.EncodedData:
    """A table of that size, drawn at random, with a target that can be learned."""
    random = np.random.default_rng(0)
    parts: dict[records.Role, records.EncodedPart] = {}
    for role, rows in (("train", case.rows), ("validation", case.validation)):
        numbers = random.normal(size=(rows, case.numeric))
        drawn = [random.integers(0, size, rows) for size in case.categories]
        codes = np.array(drawn, dtype=np.int64).reshape(len(drawn), rows).T
        x = np.concatenate([numbers, codes], axis=1).astype(np.float32)
        y = (numbers[:, 0] + 0.5 * codes[:, :1].sum(axis=1) % 2 + random.normal(size=rows) > 0).astype(np.int64)
        digests = np.array([f"{i:064x}".encode() for i in range(rows)], dtype="S64")
        parts[role] = records.EncodedPart(
            rows=rows,
            x=arrays.save(folder, f"data/{role}.x.npy", x),
            y=arrays.save(folder, f"data/{role}.y.npy", y),
            row_digests=arrays.save(folder, f"data/{role}.rows.npy", digests),
            groups={},
        )
    number = {"kind": "numeric", "mean": 0.0, "std": 1.0, "median": 0.0}
    features = [records.FeatureSpec(name=f"n{i}", **number) for i in range(case.numeric)]
    for i, size in enumerate(case.categories):
        names = tuple(str(code) for code in range(size))
        features.append(records.FeatureSpec(name=f"c{i}", kind="categorical", categories=names))
    return records.EncodedData(task="binary", features=tuple(features), classes=("no", "yes"), target="y", parts=parts)


def plan_of(case: Case, device: str) -> plans.Plan:
    """The plan of a case: the default model, no early stopping."""
    return plans.Plan.model_validate(
        {
            "version": 1,
            "system": {
                "id": "benchmark",
                "name": "Benchmark",
                "version": "1",
                "provider": {"name": "Benchmark"},
                "intended_purpose": "Measuring the trainer.",
            },
            "classification": {},
            "data": {
                "source": {"kind": "sklearn", "name": "diabetes"},
                "provenance": {"title": "Synthetic"},
                "target": {"task": "binary", "above": 0.0},
                "columns": [{"name": "y", "role": "target", "kind": "numeric"}, {"name": "n0", "kind": "numeric"}],
            },
            "training": {
                "epochs": case.epochs,
                "batch_size": case.batch,
                "patience": case.epochs,
                "device": device,
                "precision": "fp32",
            },
            "policy": {"gates": [{"check": "performance.accuracy", "at_least": 0.5}]},
        }
    )


Ends = list[tuple[float, float]]
"""Wall time and processor time at the end of each epoch, seconds."""


def now() -> tuple[float, float]:
    """Wall time and processor time, seconds."""
    return time.perf_counter(), time.process_time()


def with_trainer(case: Case, folder: RunFolder, plan: plans.Plan, encoded: records.EncodedData) -> Ends:
    """The trainer."""
    del case
    (folder.path / "training" / "checkpoint.safetensors").unlink(missing_ok=True)
    ends: Ends = []
    trainer.train(folder, plan, encoded, progress=lambda _: ends.append(now()))
    return ends


def with_bare_loop(case: Case, folder: RunFolder, plan: plans.Plan, encoded: records.EncodedData) -> Ends:
    """A loop as one writes it by hand, over the same epochs."""
    device = hardware.device_of(plan.training.device)
    torch.manual_seed(0)
    model = models.build(models.describe(plan.model, encoded), encoded.features).to(device)
    rate = plan.training.learning_rate
    optimizer = torch.optim.AdamW(model.parameters(), lr=rate, weight_decay=plan.training.weight_decay, fused=True)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, case.epochs)
    (x, y), (xv, yv) = (
        (torch.from_numpy(part.x).to(device), torch.from_numpy(part.y).to(device))
        for part in (arrays.load(folder, encoded, "train"), arrays.load(folder, encoded, "validation"))
    )
    ends: Ends = []
    for _ in range(case.epochs):
        model.train()
        for rows in torch.randperm(len(x), device=device).split(case.batch):
            loss = functional.cross_entropy(model(x[rows]), y[rows])
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
        schedule.step()
        model.eval()
        with torch.inference_mode():
            functional.cross_entropy(model(xv), yv).item()
        ends.append(now())
    return ends


def compare(case: Case, pairs: int, device: str) -> dict[str, Any]:
    """Alternating runs of one case, one pair of them thrown away for warming up."""
    runners: tuple[Callable[..., float], ...] = (with_trainer, with_bare_loop)
    measured: list[dict[str, float]] = []
    with tempfile.TemporaryDirectory() as place:
        folder, plan = RunFolder(Path(place) / "run"), plan_of(case, device)
        encoded = encode(case, folder)
        for pair in range(pairs + 1):
            order = runners if pair % 2 else runners[::-1]
            ends = {run.__name__: run(case, folder, plan, encoded) for run in order}
            if pair:
                measured.append(_pair(case, ends["with_trainer"], ends["with_bare_loop"]))
    ratios = [pair["ratio"] for pair in measured]
    processor = [pair["processor_ratio"] for pair in measured]
    return {
        **dataclasses.asdict(case),
        "pairs": measured,
        "ratio": {"median": statistics.median(ratios), "lowest": min(ratios), "highest": max(ratios)},
        "processor_ratio": {
            "median": statistics.median(processor),
            "lowest": min(processor),
            "highest": max(processor),
        },
    }


def _pair(case: Case, ours: Ends, bare: Ends) -> dict[str, float]:
    """Rates over the same epochs, and the ratio of processor seconds, which other load on the machine disturbs less."""
    rows = case.rows * (case.epochs - 1)
    (wall, processor), (bare_wall, bare_processor) = (
        (ends[-1][0] - ends[0][0], ends[-1][1] - ends[0][1]) for ends in (ours, bare)
    )
    return {
        "trainer": rows / wall,
        "bare_loop": rows / bare_wall,
        "ratio": bare_wall / wall,
        "processor_ratio": bare_processor / processor,
    }


def main() -> int:
    """Measure, print a table, write JSON; 1 where a median is below the aim."""
    arguments = argparse.ArgumentParser(description="Rows per second: the trainer against a bare PyTorch loop.")
    arguments.add_argument("--pairs", type=int, default=7, help="paired runs of each case (default 7)")
    arguments.add_argument("--device", choices=("auto", "cpu", "cuda"), default="cpu")
    arguments.add_argument("--json", type=Path, help="file to write the figures to")
    given = arguments.parse_args()
    name = hardware.name_of(hardware.device_of(given.device))
    cases = [compare(case, given.pairs, given.device) for case in CASES]
    result = {
        "benchmark": "training",
        "hardware": name,
        "threads": torch.get_num_threads(),
        "software": hardware.software(),
        "aim": AIM,
        "cases": cases,
    }
    print(f"{name}; {torch.get_num_threads()} threads; torch {torch.__version__}; {given.pairs} pairs, fp32")
    print("case          rows  batch  trainer rows/s  bare rows/s   ratio       spread   CPU-time ratio")
    for case in cases:
        ours, bare = (statistics.median(p[k] for p in case["pairs"]) for k in ("trainer", "bare_loop"))
        ratio = case["ratio"]
        spread = f"{ratio['lowest']:.2f}–{ratio['highest']:.2f}"
        print(
            f"{case['name']:<10}{case['rows']:>8}{case['batch']:>7}{ours:>16,.0f}{bare:>13,.0f}"
            f"{ratio['median']:>8.3f}{spread:>13}{case['processor_ratio']['median']:>17.3f}"
        )
    if given.json:
        given.json.write_text(json.dumps(result, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    return 0 if all(case["ratio"]["median"] >= AIM for case in cases) else 1


if __name__ == "__main__":
    raise SystemExit(main())
