"""A transformer in bf16 through the trainer, against a bare loop and the device: `python -m benchmarks.transformer`.

On a GPU: 354 million parameters, 1,024 words a row, compiled. The table says rows and words per second of trainer and
bare loop in pairs, and which share of the device's matrix peak the trainer reaches: operations counted by torch
(matrix products forward and backward, validation included, optimizer and the words' table left out) per second of whole
epochs, over the most that a square product reached here. On processors a small shape of the same shows that it works.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import torch

from benchmarks.paired import Case, compare
from factory import hardware

AIM, SHARE = 0.97, 0.45
"""Smallest ratio to the bare loop, and smallest share of the matrix peak, that are wanted."""


def case_of(device: torch.device, *, compiled: bool, batch: int, micro: int) -> Case:
    """The training: large on a GPU, small on processors."""
    large = device.type == "cuda"
    length, words = (1024, 50_304) if large else (32, 500)
    size = {"width": 1024, "layers": 24} if large else {"width": 64, "layers": 2}
    return Case(
        "transformer",
        rows=64 * batch if large else 4 * batch,
        validation=2 * batch,
        numeric=length,
        categories=(),
        batch=batch,
        epochs=3,
        model={"factory": "benchmarks.networks:over_words", "options": size | {"words": words}},
        words=words,
        training={"compile": compiled, "micro_batches": micro, "learning_rate": 3e-4},
    )


def matrix_peak(device: torch.device, precision: str, size: int, rounds: int = 5) -> float:
    """Most FLOP/s of a square product of random matrices, over rounds of twenty products with nothing in between."""
    kind = torch.bfloat16 if precision == "bf16" else torch.float32
    a, b = (torch.randn(size, size, device=device, dtype=kind) for _ in range(2))
    best, count = 0.0, 20

    def wait() -> None:
        if device.type == "cuda":
            torch.cuda.synchronize(device)

    for _ in range(rounds):
        wait()
        began = time.perf_counter()
        for _ in range(count):
            torch.matmul(a, b)
        wait()
        best = max(best, 2 * size**3 * count / (time.perf_counter() - began))
    return best


def measure(device: torch.device, *, pairs: int, compiled: bool, batch: int, micro: int) -> dict[str, Any]:
    """All figures of one device."""
    large = device.type == "cuda"
    precision = hardware.precision_of("auto", device)
    sizes = (4096, 8192, 16384) if large else (512, 1024)
    peak = max(matrix_peak(device, precision, size) for size in sizes)
    case = case_of(device, compiled=compiled, batch=batch, micro=micro)
    found = compare(case, pairs, device.type, precision)
    reached = statistics.median(pair["flops_per_second"] for pair in found["pairs"])
    return {
        "benchmark": "transformer",
        "hardware": hardware.name_of(device),
        "software": hardware.software(),
        "precision": precision,
        "compiled": compiled,
        "parameters": found["pairs"][0]["parameters"],
        "words_per_row": case.numeric,
        "matrix_peak": peak,
        "flops_per_second": reached,
        "share_of_peak": reached / peak,
        "memory_bytes": torch.cuda.max_memory_allocated(device) if large else None,
        **{key: found[key] for key in ("pairs", "ratio", "processor_ratio", "load", "batch", "rows")},
    }


def main() -> int:
    """Measure, print, write JSON; 1 where an aim is missed on a GPU."""
    arguments = argparse.ArgumentParser(description="A transformer through the trainer.")
    arguments.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    arguments.add_argument("--pairs", type=int, default=3)
    arguments.add_argument("--batch", type=int, default=None, help="rows; by default 32 on a GPU, 8 on processors")
    arguments.add_argument("--micro-batches", type=int, default=1)
    arguments.add_argument("--eager", action="store_true", help="without torch.compile; on processors always")
    arguments.add_argument("--json", type=Path)
    given = arguments.parse_args()
    device = hardware.device_of(given.device)
    large = device.type == "cuda"
    batch = given.batch or (32 if large else 8)
    found = measure(
        device, pairs=given.pairs, compiled=large and not given.eager, batch=batch, micro=given.micro_batches
    )
    rate, bare = (statistics.median(pair[key] for pair in found["pairs"]) for key in ("trainer", "bare_loop"))
    words = found["words_per_row"]
    print(f"{found['hardware']}; {found['precision']}; torch {torch.__version__}; load {found['load']:.1f}")
    print(
        f"{found['parameters']:,} parameters, {words} words a row, {batch} rows a batch, compiled: {found['compiled']}"
    )
    print(f"trainer   {rate:12,.1f} rows/s {rate * words:14,.0f} words/s")
    print(f"bare loop {bare:12,.1f} rows/s {bare * words:14,.0f} words/s")
    spread = f"{found['ratio']['lowest']:.2f} to {found['ratio']['highest']:.2f}"
    print(f"ratio of wall time {found['ratio']['median']:.3f} ({spread}; aim {AIM})")
    print(
        f"{found['flops_per_second'] / 1e12:.4g} of {found['matrix_peak'] / 1e12:.4g} TFLOP/s measured peak:", end=" "
    )
    print(f"{found['share_of_peak']:.1%} (aim {SHARE:.0%} on a GPU)")
    last = found["pairs"][-1]
    power = "" if last["joules"] is None else f"{last['joules']:.0f} J, {last['joules'] / last['seconds']:.0f} W; "
    print(f"energy of a training of {last['seconds']:.1f} s: {power}{last['energy_method']}")
    if given.json:
        given.json.write_text(json.dumps(found, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    return int(large and (found["share_of_peak"] < SHARE or found["ratio"]["median"] < AIM))


if __name__ == "__main__":
    raise SystemExit(main())
