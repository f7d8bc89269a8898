"""Trainings on a test cluster, and how they are disturbed."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Any

from evidence import records
from factory import launchers
from factory.slurm import files, jobs
from tests.factory.slurm import cluster as clusters

SLOW = {"factory": "tests.factory.slurm.slow_network:build", "options": {"seconds": 0.1}}
EPOCHS = 8
LONG = {"epochs": EPOCHS, "patience": EPOCHS, "batch_size": 64, "device": "cpu", "checkpoint_every": 1}


def train(ready: tuple[Any, ...], said: list[str] | None = None) -> records.TrainingRecord:
    """Train a prepared run folder at its site."""
    folder, plan, encoded = ready
    lines = said if said is not None else []
    return launchers.launcher_for(plan.factory).train(folder, plan, encoded, say=lines.append)


def disturb(ready: tuple[Any, ...], deed: Callable[[str], None], epoch: int = 2) -> records.TrainingRecord:
    """Train while, after some epochs, something happens to the job of that number."""
    folder = ready[0]

    def wait_and_do() -> None:
        clusters.until(lambda: epoch_of(folder) >= epoch, f"epoch {epoch}", seconds=90)
        job = jobs.load(folder)
        assert job is not None
        assert job.job_id is not None
        deed(job.job_id)

    thread = threading.Thread(target=wait_and_do)
    thread.start()
    try:
        return train(ready)
    finally:
        thread.join()


def epoch_of(folder: Any) -> int:
    path = folder.path / files.PROGRESS
    return int(json.loads(path.read_text())["epoch"]) if path.is_file() else 0


def check_joined(record: records.TrainingRecord) -> None:
    """The curve of a long training has every epoch once, in order, whatever happened between them."""
    assert [p.epoch for p in record.curve] == list(range(1, EPOCHS + 1))
