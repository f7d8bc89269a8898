"""The trainer and a bare PyTorch loop on the same rows, in pairs of alternating runs within one process."""

from __future__ import annotations

import dataclasses
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from configs import plan as plans
from evidence import arrays, records
from evidence.folder import RunFolder
from factory import hardware, models, parallel, trainer

Ends = list[tuple[float, float]]
"""Wall time and processor time at the end of each epoch, seconds."""


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
    model: dict[str, Any] = dataclasses.field(default_factory=dict)
    """Section `model` of the plan."""
    words: int | None = None
    """Numeric features are numbers of so many words; None draws them from a normal distribution."""
    training: dict[str, Any] = dataclasses.field(default_factory=dict)
    """More of the plan's section `training`."""


def encode(case: Case, folder: RunFolder) -> records.EncodedData:
    """A table of that size, drawn at random, with a target that can be learned."""
    random = np.random.default_rng(0)
    parts: dict[records.Role, records.EncodedPart] = {}
    for role, rows in (("train", case.rows), ("validation", case.validation)):
        shape = (rows, case.numeric)
        numbers = random.integers(0, case.words, shape) if case.words else random.normal(size=shape)
        drawn = [random.integers(0, size, rows) for size in case.categories]
        codes = np.array(drawn, dtype=np.int64).reshape(len(drawn), rows).T
        x = np.concatenate([numbers, codes], axis=1).astype(np.float32)
        told = numbers[:, -1] / case.words - 0.5 if case.words else numbers[:, 0]
        y = (told + 0.5 * codes[:, :1].sum(axis=1) % 2 + 0.3 * random.normal(size=rows) > 0).astype(np.int64)
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


def plan_of(case: Case, device: str, precision: str) -> plans.Plan:
    """The plan of a case, without early stopping."""
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
            "model": case.model,
            "training": {
                "epochs": case.epochs,
                "batch_size": case.batch,
                "patience": case.epochs,
                "device": device,
                "precision": precision,
                **case.training,
            },
            "policy": {"gates": [{"check": "performance.accuracy", "at_least": 0.5}]},
        }
    )


@dataclasses.dataclass
class Ran:
    """What one run came to."""

    ends: Ends
    loss: float
    """On the validation rows, after the last epoch."""
    record: records.TrainingRecord | None = None


def now() -> tuple[float, float]:
    """Wall time and processor time, seconds."""
    return time.perf_counter(), time.process_time()


def with_trainer(case: Case, folder: RunFolder, plan: plans.Plan, encoded: records.EncodedData) -> Ran:
    """The trainer."""
    del case
    shutil.rmtree(folder.path / "training", ignore_errors=True)
    ends: Ends = []
    record = trainer.train(folder, plan, encoded, progress=lambda _: ends.append(now()))
    return Ran(ends, record.curve[-1].validation_loss, record)


def with_bare_loop(case: Case, folder: RunFolder, plan: plans.Plan, encoded: records.EncodedData) -> Ran:
    """A loop as one writes it by hand, over the same epochs."""
    device = hardware.device_of(plan.training.device)
    mixed = hardware.precision_of(plan.training.precision, device) == "bf16"
    torch.manual_seed(0)
    model = models.build(models.describe(plan.model, encoded), encoded.features).to(device)
    rate = plan.training.learning_rate
    optimizer = torch.optim.AdamW(model.parameters(), lr=rate, weight_decay=plan.training.weight_decay, fused=True)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, case.epochs)
    run = parallel.spread(model, "auto", device, compiled=plan.training.compile).passes
    (x, y), (xv, yv) = (
        (torch.from_numpy(part.x).to(device), torch.from_numpy(part.y).to(device))
        for part in (arrays.load(folder, encoded, "train"), arrays.load(folder, encoded, "validation"))
    )
    ends: Ends = []
    loss = 0.0
    for _ in range(case.epochs):
        model.train()
        for rows in torch.randperm(len(x), device=device).split(case.batch):
            with torch.autocast(device.type, dtype=torch.bfloat16, enabled=mixed):
                batch_loss = functional.cross_entropy(run(x[rows]).float(), y[rows])
            optimizer.zero_grad(set_to_none=True)
            batch_loss.backward()
            optimizer.step()
        schedule.step()
        model.eval()
        with torch.inference_mode(), torch.autocast(device.type, dtype=torch.bfloat16, enabled=mixed):
            outputs = torch.cat([run(part).float() for part in xv.split(8192)])
            loss = functional.cross_entropy(outputs, yv).item()
        ends.append(now())
    return Ran(ends, loss)


def compare(case: Case, pairs: int, device: str, precision: str = "fp32") -> dict[str, Any]:
    """Alternating runs of one case, one pair of them thrown away for warming up."""
    runners: tuple[Callable[..., Ran], ...] = (with_trainer, with_bare_loop)
    measured: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as place:
        folder, plan = RunFolder(Path(place) / "run"), plan_of(case, device, precision)
        encoded = encode(case, folder)
        for pair in range(pairs + 1):
            order = runners if pair % 2 else runners[::-1]
            ran = {run.__name__: run(case, folder, plan, encoded) for run in order}
            if pair:
                measured.append(_pair(case, ran["with_trainer"], ran["with_bare_loop"]))
    return {
        **dataclasses.asdict(case),
        "pairs": measured,
        "ratio": _spread([pair["ratio"] for pair in measured]),
        "processor_ratio": _spread([pair["processor_ratio"] for pair in measured]),
        "load": os.getloadavg()[0],
    }


def _spread(values: list[float]) -> dict[str, float]:
    return {"median": statistics.median(values), "lowest": min(values), "highest": max(values)}


def _pair(case: Case, ours: Ran, bare: Ran) -> dict[str, Any]:
    """Rates over the same epochs, the first left out; processor seconds are disturbed less by other load."""
    rows = case.rows * (case.epochs - 1)
    (wall, processor), (bare_wall, bare_processor) = (
        (run.ends[-1][0] - run.ends[0][0], run.ends[-1][1] - run.ends[0][1]) for run in (ours, bare)
    )
    record = ours.record
    assert record is not None  # noqa: S101 - the trainer's own run
    assert record.flops.value is not None  # noqa: S101 - counted always
    return {
        "trainer": rows / wall,
        "bare_loop": rows / bare_wall,
        "ratio": bare_wall / wall,
        "processor_ratio": bare_processor / processor,
        "flops_per_second": record.flops.value / case.epochs * (case.epochs - 1) / wall,
        "parameters": record.parameters,
        "joules": record.energy.value,
        "seconds": record.seconds,
        "energy_method": record.energy.method,
        "loss": ours.loss,
        "bare_loss": bare.loss,
    }
