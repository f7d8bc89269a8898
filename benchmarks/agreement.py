"""The same training on processors and on a GPU: `python -m benchmarks.agreement [--json FILE]`.

One table with numbers and categories, in memory and out of shards, in float32, without dropout: the curves of both
devices are laid side by side, and the largest relative difference of a loss is told. Then the same on the device in its
own precision (bf16 where it has it), which differs more. Last, the energy of a longer training by the device's own
counter, as the record says it, and the mean power that follows; a counter that cannot be read is said with the reason.
Without a GPU the processors are compared with themselves: the difference then is nought.
"""

from __future__ import annotations

import argparse
import itertools
import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks import paired
from configs.plan import Plan
from evidence import arrays, records
from evidence.folder import RunFolder
from factory import _inputs, hardware, trainer

AIM, AIM_MIXED = 1e-3, 5e-2
"""Largest relative difference of a loss between the devices: in float32, and where the device computes in bf16."""
WATTS = (20.0, 2000.0)
"""Mean power that a counter may tell of one device."""
CATEGORIES = (4, 12, 40)
_NUMBERS = itertools.count()


def case_of(rows: int, epochs: int, *, loader: str = "memory", width: int = 64) -> paired.Case:
    """A training without chance but that of the order of the rows, which both devices share."""
    return paired.Case(
        "agreement",
        rows,
        rows // 4,
        12,
        CATEGORIES,
        batch=512,
        epochs=epochs,
        model={"dropout": 0.0, "width": width},
        training={"loader": loader, "learning_rate": 1e-3},
    )


def with_shards(folder: RunFolder, plan: Plan, encoded: records.EncodedData) -> records.EncodedData:
    """The training part in shards, too."""
    part = encoded.parts["train"]
    x, y, digests = (np.load(folder.at(ref.path)) for ref in (part.x, part.y, part.row_digests))
    held = [x], y, arrays.digest_of_rows(digests)
    made = _inputs.sharded(folder, "data/shards", plan, encoded.features, held)
    return encoded.model_copy(update={"parts": {**encoded.parts, "train": part.model_copy(update={"shards": made})}})


def trained(folder: RunFolder, case: paired.Case, data: records.EncodedData, device: str, precision: str) -> Any:
    """The record of one training."""
    return trainer.train(folder, paired.plan_of(case, device, precision), data, place=f"training/{next(_NUMBERS)}")


def difference(one: records.TrainingRecord, other: records.TrainingRecord) -> float:
    """The largest relative difference of a loss of two curves of as many epochs."""
    losses = [[(p.train_loss, p.validation_loss) for p in record.curve] for record in (one, other)]
    a, b = (np.array(found, dtype=np.float64) for found in losses)
    return float(np.max(np.abs(a - b) / np.abs(a)))


def measure(device: torch.device, rows: int, epochs: int, longer: int) -> dict[str, Any]:
    """All of it, on one device."""
    own = hardware.precision_of("auto", device)
    found: dict[str, Any] = {
        "benchmark": "agreement",
        "hardware": hardware.name_of(device),
        "processors": hardware.name_of(torch.device("cpu")),
        "software": hardware.software(),
        "precision": own,
    }
    with tempfile.TemporaryDirectory() as place:
        folder = RunFolder(Path(place) / "run")
        cases = {loader: case_of(rows, epochs, loader=loader) for loader in ("memory", "stream")}
        data = paired.encode(cases["memory"], folder)
        data = with_shards(folder, paired.plan_of(cases["stream"], "cpu", "fp32"), data)
        for loader, case in cases.items():
            here = trained(folder, case, data, "cpu", "fp32")
            for precision in sorted({"fp32", own}):
                there = trained(folder, case, data, device.type, precision)
                found[f"{loader}_{precision}"] = difference(here, there)
            found[f"{loader}_loss"] = here.curve[-1].validation_loss
        record = trained(folder, case_of(rows, longer, width=1024), data, device.type, own)
    found["energy"] = record.energy.model_dump()
    found["seconds"] = record.seconds
    joules = record.energy.value
    found["watts"] = None if joules is None else joules / record.seconds
    return found


def fine(found: dict[str, Any]) -> bool:
    """Are the differences within the aims, and the power one that a device can draw?"""
    limits = {"fp32": AIM, "bf16": AIM_MIXED}
    told = [(found[f"{loader}_{kind}"], limits[kind]) for loader in ("memory", "stream") for kind in limits
            if f"{loader}_{kind}" in found]  # fmt: skip
    near = all(difference <= most for difference, most in told)
    return near and (found["watts"] is None or WATTS[0] <= found["watts"] <= WATTS[1])


def main() -> int:
    """Measure, print, write JSON; 1 where an aim is missed, or a GPU's energy cannot be read."""
    arguments = argparse.ArgumentParser(description="The same training on processors and on a GPU.")
    arguments.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    arguments.add_argument("--rows", type=int, default=20_000)
    arguments.add_argument("--epochs", type=int, default=4)
    arguments.add_argument("--longer", type=int, default=40, help="epochs of the training whose energy is told")
    arguments.add_argument("--json", type=Path)
    given = arguments.parse_args()
    device = hardware.device_of(given.device)
    found = measure(device, given.rows, given.epochs, given.longer)
    print(f"{found['hardware']} against {found['processors']}; torch {torch.__version__}")
    for loader in ("memory", "stream"):
        for kind, aim in (("fp32", AIM), ("bf16", AIM_MIXED)):
            if f"{loader}_{kind}" in found:
                print(f"{loader:<7} {kind}: losses differ by at most {found[f'{loader}_{kind}']:.2e} (aim {aim:g})")
    power = "" if found["watts"] is None else f", {found['watts']:.0f} W over {found['seconds']:.1f} s"
    energy = found["energy"]["value"]
    said = "" if energy is None else f"{energy:.0f} J{power}; "
    print(f"energy: {said}{found['energy']['method']}; {found['energy']['boundary']}")
    if given.json:
        given.json.write_text(json.dumps(found, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    unread = device.type == "cuda" and found["watts"] is None
    return int(not fine(found) or unread)


if __name__ == "__main__":
    raise SystemExit(main())
