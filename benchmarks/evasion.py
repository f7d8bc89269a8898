"""Projected gradient against adversarial-robustness-toolbox: `python -m benchmarks.evasion [--json FILE]`.

The same torch model, rows, budget, number of steps and batch, one start, on the CPU, alternating in one process. The
toolbox stops at what torch says; ours also asks the ONNX graph on the way, which is part of its time. Success is
counted with ONNX Runtime for both. Features are standardised and without bounds, since the toolbox knows neither
integers nor missing values.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks import training
from checks import scoring
from checks.attacks import budget, gradient, search
from evidence import arrays
from evidence.folder import RunFolder
from factory import checkpoints, gradients, hardware, trainer
from tef_export import export

EPSILON, STEPS, FEATURES = 0.25, 20, 20
AIM = 3.0
"""Smallest ratio of their time to ours."""


def prepare(place: Path, rows: int) -> dict[str, Any]:
    """A trained and exported model, and rows to attack."""
    case = training.Case("evasion", 20_000, rows, FEATURES, (), batch=512, epochs=5)
    folder, plan = RunFolder(place / "run"), training.plan_of(case, "cpu")
    encoded = training.encode(case, folder)
    record = trainer.train(folder, plan, encoded)
    model = export.export(folder, plan, encoded, record)
    part = arrays.load(folder, encoded, "validation")
    return {
        "x": part.x,
        "y": part.y,
        "features": encoded.features,
        "scorer": scoring.open_model(folder.checked(model.onnx), encoded),
        "gradient": gradients.loss_gradient(folder, record, encoded),
        "module": checkpoints.restore(folder, record, encoded),
    }


def ours(made: dict[str, Any]) -> np.ndarray:
    """The projected gradient as the check makes it, every candidate confirmed."""
    limits = budget.budget(made["features"], made["x"], EPSILON)
    found = search.Found(search.Problem(made["scorer"], made["x"], made["y"], limits, 2))
    gradient.projected(found, made["gradient"], STEPS, 1, np.random.default_rng(0))
    return found.x


def theirs(made: dict[str, Any]) -> np.ndarray:
    """The toolbox's, with the usual step: all of them together are 2.5 budgets long."""
    from art.attacks.evasion import ProjectedGradientDescent
    from art.estimators.classification import PyTorchClassifier

    reach = EPSILON * np.array([f.std for f in made["features"]], np.float32)
    classifier = PyTorchClassifier(
        made["module"], torch.nn.CrossEntropyLoss(), (FEATURES,), 2, device_type="cpu", channels_first=True
    )
    attack = ProjectedGradientDescent(
        classifier,
        norm=np.inf,
        eps=reach,
        eps_step=2.5 / STEPS * reach,
        max_iter=STEPS,
        num_random_init=0,
        batch_size=gradients.ROWS,
        verbose=False,
    )
    changed: np.ndarray = attack.generate(x=made["x"], y=made["y"])
    return changed


def measure(rows: int, pairs: int) -> dict[str, Any]:
    """Alternating runs; the first pair warms up and is left out."""
    runs: dict[str, list[tuple[float, float, float]]] = {"ours": [], "theirs": []}
    with tempfile.TemporaryDirectory() as place:
        made = prepare(Path(place), rows)
        clean = float(np.mean(made["scorer"](made["x"]).labels != made["y"]))
        for pair in range(pairs + 1):
            for run in (ours, theirs) if pair % 2 else (theirs, ours):
                begun, used = time.perf_counter(), time.process_time()
                changed = run(made)
                wall, processor = time.perf_counter() - begun, time.process_time() - used
                wrong = float(np.mean(made["scorer"](changed).labels != made["y"]))
                if pair:
                    runs[run.__name__].append((wall, processor, wrong))
    ratios = [their[0] / our[0] for our, their in zip(runs["ours"], runs["theirs"], strict=True)]
    cpu = [their[1] / our[1] for our, their in zip(runs["ours"], runs["theirs"], strict=True)]
    return {
        "rows": rows,
        "clean_wrong": clean,
        "runs": runs,
        "ratio": {"median": statistics.median(ratios), "lowest": min(ratios), "highest": max(ratios)},
        "processor_ratio": {"median": statistics.median(cpu), "lowest": min(cpu), "highest": max(cpu)},
        "wrong": {name: statistics.median(run[2] for run in of) for name, of in runs.items()},
    }


def main() -> int:
    """Measure, print, write JSON; 1 where an aim is missed."""
    given = argparse.ArgumentParser(description="Projected gradient against adversarial-robustness-toolbox.")
    given.add_argument("--rows", type=int, nargs="+", default=[1000, 10_000])
    given.add_argument("--pairs", type=int, default=7)
    given.add_argument("--json", type=Path, help="file to write the figures to")
    asked = given.parse_args()
    warnings.simplefilter("ignore")
    cases = [measure(rows, asked.pairs) for rows in asked.rows]
    print(f"{hardware.name_of(torch.device('cpu'))}; {torch.get_num_threads()} threads; {asked.pairs} pairs")
    print("rows     ours s  theirs s   ratio         spread   CPU ratio   wrong: clean    ours  theirs")
    for case in cases:
        walls = [statistics.median(run[0] for run in case["runs"][name]) for name in ("ours", "theirs")]
        spread = f"{case['ratio']['lowest']:.2f}–{case['ratio']['highest']:.2f}"
        print(
            f"{case['rows']:<8,}{walls[0]:>7.2f}{walls[1]:>10.2f}{case['ratio']['median']:>8.2f}{spread:>15}"
            f"{case['processor_ratio']['median']:>12.2f}{case['clean_wrong']:>15.4f}"
            f"{case['wrong']['ours']:>8.4f}{case['wrong']['theirs']:>8.4f}"
        )
    if asked.json:
        text = json.dumps({"benchmark": "evasion", "aim": AIM, "cases": cases}, indent=2, sort_keys=True)
        asked.json.write_text(text + "\n", encoding="utf-8")
    fast = all(case["ratio"]["median"] >= AIM for case in cases)
    strong = all(case["wrong"]["ours"] >= case["wrong"]["theirs"] for case in cases)
    return 0 if fast and strong else 1


if __name__ == "__main__":
    raise SystemExit(main())
