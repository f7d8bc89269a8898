"""Rows per second of the trainer against a bare PyTorch loop: `python benchmarks/training.py [--json FILE]`.

Both train the same model with the same batches' size, optimizer and learning rate, and both validate after every epoch,
as a loop that stops early must. The trainer also shuffles reproducibly, uses deterministic operators, checks the loss,
keeps the best weights and writes checkpoints: that is what is compared. Runs alternate in one process, the first epoch
of each is left out, and the ratio is taken pair by pair.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
from pathlib import Path

# Threads that spin while they wait make both loops many times slower where other programs want the processor too.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.paired import Case, compare
from factory import hardware

AIM = 0.97
"""Smallest ratio that is wanted."""
CASES = (
    Case("adult", 39_073, 9_769, 6, (9, 16, 7, 15, 6, 5, 2, 42), batch=512, epochs=4),
    Case("diabetes", 265, 88, 9, (2,), batch=64, epochs=80),
    Case(
        "transformer",
        2_048,
        512,
        8,
        (4, 4),
        batch=128,
        epochs=4,
        model={"factory": "benchmarks.networks:over_features", "options": {"width": 64, "layers": 2}},
    ),
)


def main() -> int:
    """Measure, print a table, write JSON; 1 where a median is below the aim."""
    arguments = argparse.ArgumentParser(description="Rows per second: the trainer against a bare PyTorch loop.")
    arguments.add_argument("--pairs", type=int, default=7, help="paired runs of each case (default 7)")
    arguments.add_argument("--device", choices=("auto", "cpu", "cuda"), default="cpu")
    arguments.add_argument("--threads", type=int, default=torch.get_num_threads())
    arguments.add_argument("--cases", default="", help="names, by commas; by default all")
    arguments.add_argument("--json", type=Path, help="file to write the figures to")
    given = arguments.parse_args()
    torch.set_num_threads(given.threads)
    name = hardware.name_of(hardware.device_of(given.device))
    wanted = set(filter(None, given.cases.split(",")))
    cases = [compare(case, given.pairs, given.device) for case in CASES if not wanted or case.name in wanted]
    result = {
        "benchmark": "training",
        "hardware": name,
        "threads": torch.get_num_threads(),
        "software": hardware.software(),
        "aim": AIM,
        "cases": cases,
    }
    print(f"{name}; {torch.get_num_threads()} threads; torch {torch.__version__}; {given.pairs} pairs, fp32")
    print(
        f"{'case':<11}{'rows':>8}{'batch':>7}{'trainer rows/s':>16}{'bare rows/s':>13}{'ratio':>8}{'spread':>13}"
        f"{'CPU-time ratio':>17}{'spread':>13}{'load':>6}"
    )
    for case in cases:
        ours, bare = (statistics.median(p[k] for p in case["pairs"]) for k in ("trainer", "bare_loop"))
        ratio, processor = case["ratio"], case["processor_ratio"]
        spread, its = (f"{r['lowest']:.2f} to {r['highest']:.2f}" for r in (ratio, processor))
        print(
            f"{case['name']:<11}{case['rows']:>8}{case['batch']:>7}{ours:>16,.0f}{bare:>13,.0f}"
            f"{ratio['median']:>8.3f}{spread:>13}{processor['median']:>17.3f}{its:>13}{case['load']:>6.1f}"
        )
    if given.json:
        given.json.write_text(json.dumps(result, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    return 0 if all(case["ratio"]["median"] >= AIM for case in cases) else 1


if __name__ == "__main__":
    raise SystemExit(main())
