"""Tokens per second of the language trainer against a bare loop: `python benchmarks/language_training.py [--json F]`.

Both train the same model on the same sequences with the same optimiser, and clip the gradient. The trainer also
shuffles reproducibly, follows a schedule, uses deterministic operators, counts, looks whether it shall stop, and writes
snapshots: that is what is compared. Runs alternate in one process, the first steps of each are left out, the ratio is
taken pair by pair. On a GPU (`--case 350m --device cuda`) the share of the measured matrix peak is wanted too:
operations counted by torch, attention in full, over the largest rate that a square product reached here.
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
from pathlib import Path
from typing import Any

# Threads that spin while they wait make both loops many times slower where other programs want the processor too.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import numpy as np
import torch
from torch import nn

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from configs.language.plan import LanguagePlan
from evidence import language_records
from evidence.folder import RunFolder
from factory import accounting, hardware
from factory.language import compute, loop, model, packing, tokenizer, train

AIM, SHARE = 0.97, 0.45
"""Smallest ratio to the bare loop, and smallest share of the measured peak on a GPU, that are wanted."""


@dataclasses.dataclass(frozen=True)
class Case:
    """A model and its batches."""

    name: str
    model: dict[str, Any]
    vocabulary: int
    batch: int
    steps: int
    warm: int
    """Steps that are left out: the first allocate, and compile."""
    checkpoint_every: int
    compile: bool = False
    micro_batches: int = 1

    def plan(self, device: str) -> LanguagePlan:
        """The plan of the trainer."""
        content = {
            "version": 1,
            "task": "language_model",
            "system": {
                "id": "benchmark", "name": "B", "version": "0", "provider": {"name": "B"}, "intended_purpose": "B",
            },
            "corpora": [{
                "id": "numbers", "source": {"kind": "python_documentation"},
                "provenance": {"title": "Random numbers", "origin": "other"},
            }],
            "model": self.model,
            "training": {
                "steps": self.steps, "batch_sequences": self.batch, "micro_batches": self.micro_batches,
                "evaluate_every": self.steps, "checkpoint_every": self.checkpoint_every, "compile": self.compile,
                "device": device,
            },
            "policy": {"gates": [{"check": "language.perplexity", "at_most": 1e9}]},
        }  # fmt: skip
        return LanguagePlan.model_validate(content)


CASES = {
    case.name: case
    for case in (
        # The one of configs/use_cases/python_documentation.yaml.
        Case("small", {"layers": 4, "width": 128, "heads": 4, "context": 128}, 1024, 8, 80, 20, 25),
        Case("wide", {"layers": 4, "width": 384, "heads": 6, "context": 256}, 4096, 8, 24, 6, 12),
        Case(
            "350m",
            {"layers": 24, "width": 1024, "heads": 16, "context": 1024, "feed_forward": 2816},
            32_768,
            64,
            60,
            20,
            100,
            compile=True,
            micro_batches=2,
        ),
    )
}


def tokens(folder: RunFolder, case: Case) -> language_records.TokenisedData:
    """Random tokens as packed sequences, and a tokenizer that nobody asks."""
    context = case.model["context"]
    random = np.random.default_rng(0)
    made = {}
    for role, rows in (("train", 4 * case.batch), ("validation", 8), ("test", 8)):
        block = random.integers(0, case.vocabulary, (rows, context + 1)).astype(np.int32)
        shards = packing.write(folder, f"data/tokens/{role}", [block], context + 1)
        nothing = folder.write_bytes(f"data/{role}.txt", b"")
        made[role] = language_records.TokenisedPart(
            documents=rows, tokens=block.size, bytes=block.size, sequences=rows, shards=shards, text=nothing,
            digests_sha256=nothing.sha256, languages=(), domains=(), corpora=(),
        )  # fmt: skip
    words = tokenizer.train(case.plan("cpu").tokenizer.model_copy(update={"vocabulary": 257}), ["a b " * 99] * 99, 99)
    counts = language_records.TextCounts(documents=0, characters=0, bytes=0)
    return language_records.TokenisedData(
        tokenizer=folder.write_bytes("data/tokenizer.json", words.to_str().encode()),
        kind="none",
        vocabulary=case.vocabulary,
        context=context,
        end_of_text=0,
        parts=made,
        contamination=language_records.CleaningStep(
            step="contamination", title="", method="none", before=counts, after=counts
        ),
        contaminated=0,
        held_out=0,
    )


class Clock:
    """Tokens per second between two steps, by the clock and by processor time."""

    def __init__(self, case: Case, device: torch.device) -> None:
        self._case, self._device = case, device
        self._step = 0
        self._at: list[tuple[float, float]] = []

    def tick(self) -> bool:
        """A step is over. False: nobody shall stop."""
        self._step += 1
        if self._step in (self._case.warm, self._case.steps - 1):
            if self._device.type == "cuda":
                torch.cuda.synchronize(self._device)
            self._at.append((time.perf_counter(), time.process_time()))
        return False

    def rates(self) -> tuple[float, float]:
        """Tokens per second, and per second of processor time."""
        (began, busy), (ended, busier) = self._at
        done = (self._case.steps - 1 - self._case.warm) * self._case.batch * self._case.model["context"]
        return done / (ended - began), done / (busier - busy)


def of_trainer(case: Case, device: torch.device) -> tuple[float, float]:
    """The trainer of the factory, as a run calls it."""
    with tempfile.TemporaryDirectory() as place:
        folder, clock = RunFolder(Path(place) / "run"), Clock(case, device)
        train.train(folder, case.plan(device.type), tokens(folder, case), Path(place), stop=clock.tick)
        return clock.rates()


def of_bare_loop(case: Case, device: torch.device) -> tuple[float, float]:
    """What a person types who wants nothing but the weights."""
    with tempfile.TemporaryDirectory() as place:
        folder = RunFolder(Path(place) / "run")
        found = tokens(folder, case)
        plan = case.plan(device.type)
        rows = torch.from_numpy(packing.read(folder, found.parts["train"].shards, found.context + 1)).long().to(device)
        torch.manual_seed(0)
        loss_of = loop.TokenLoss(model.build(model.describe(plan.model, found, None)).to(device))
        optimizer = torch.optim.AdamW(loss_of.parameters(), lr=1e-3, betas=(0.9, 0.95), weight_decay=0.1, fused=True)
        if case.compile:
            loss_of.compile()
        mixed = hardware.precision_of("auto", device) == "bf16"
        clock, size = Clock(case, device), case.batch // case.micro_batches
        for _ in range(case.steps):
            optimizer.zero_grad()
            for batch in rows[torch.randint(len(rows), (case.batch,), device=device)].split(size):
                with torch.autocast(device.type, dtype=torch.bfloat16, enabled=mixed):
                    loss = loss_of(batch) / case.micro_batches
                loss.backward()
            nn.utils.clip_grad_norm_(loss_of.parameters(), 1.0)
            optimizer.step()
            clock.tick()
        return clock.rates()


def measure(case: Case, device: torch.device, pairs: int) -> dict[str, Any]:
    """Pairs of runs, in alternating order, after one of each that is left out."""
    of_trainer(case, device), of_bare_loop(case, device)
    found = []
    for number in range(pairs):
        both = [of_trainer, of_bare_loop] if number % 2 else [of_bare_loop, of_trainer]
        rates = {function.__name__: function(case, device) for function in both}
        ours, bare = rates["of_trainer"], rates["of_bare_loop"]
        found.append({"trainer": ours[0], "bare_loop": bare[0], "processor_ratio": ours[1] / bare[1]})
    plan = case.plan(device.type)
    with tempfile.TemporaryDirectory() as place:
        architecture = model.describe(plan.model, tokens(RunFolder(Path(place) / "run"), case), None)
    operations = compute.of_sequence(plan.model, architecture, case.model["context"])[1] / case.model["context"]
    precision = hardware.precision_of("auto", device)
    peak = accounting.measured_peak(device, precision)
    speed = statistics.median(pair["trainer"] for pair in found)
    return {
        "name": case.name,
        "parameters": model.parameters(model.build(architecture)),
        "precision": precision,
        "compiled": case.compile,
        "pairs": found,
        "tokens_per_second": speed,
        "ratio": statistics.median(pair["trainer"] / pair["bare_loop"] for pair in found),
        "processor_ratio": statistics.median(pair["processor_ratio"] for pair in found),
        "operations_per_token": operations,
        "measured_peak": peak,
        "share_of_peak": speed * operations / peak,
        "load": os.getloadavg()[0],
    }


def main() -> int:
    """Measure, print a table, write JSON; 1 where an aim is missed."""
    arguments = argparse.ArgumentParser(description="Tokens per second: the language trainer against a bare loop.")
    arguments.add_argument("--case", choices=sorted(CASES), action="append", help="by default small and wide")
    arguments.add_argument("--pairs", type=int, default=7, help="paired runs of each case (default 7)")
    arguments.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    arguments.add_argument("--threads", type=int, default=torch.get_num_threads())
    arguments.add_argument("--json", type=Path, help="file to write the figures to")
    given = arguments.parse_args()
    torch.set_num_threads(given.threads)
    device = hardware.device_of(given.device)
    cases = [measure(CASES[name], device, given.pairs) for name in given.case or ("small", "wide")]
    print(
        f"{hardware.name_of(device)}; {torch.get_num_threads()} threads; torch {torch.__version__}; {given.pairs} pairs"
    )
    print(f"{'case':<8}{'parameters':>12}{'tokens/s':>12}{'ratio':>8}{'CPU-time ratio':>16}{'of peak':>9}{'load':>7}")
    for case in cases:
        print(
            f"{case['name']:<8}{case['parameters']:>12}{case['tokens_per_second']:>12,.0f}{case['ratio']:>8.3f}"
            f"{case['processor_ratio']:>16.3f}{case['share_of_peak']:>9.1%}{case['load']:>7.1f}"
        )
    if given.json:
        result = {
            "benchmark": "language_training",
            "hardware": hardware.name_of(device),
            "software": hardware.software() | model.software(),
            "cases": cases,
        }
        given.json.write_text(json.dumps(result, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    slow = any(case["ratio"] < AIM for case in cases)
    return int(slow or (device.type == "cuda" and any(case["share_of_peak"] < SHARE for case in cases)))


if __name__ == "__main__":
    raise SystemExit(main())
