"""The whole evaluation of a finished run, family by family: `python -m benchmarks.evaluation RUN [--json FILE]`.

RUN is a run folder, for example that of `proofline run adult_income`. The evaluation is made anew with the source model
of the run, in a copy of the folder, which is left as it is; nothing is cached between repetitions but imports.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from checks import evaluate
from checks._subject import Subject
from evidence import records
from evidence.dossier import Dossier
from evidence.folder import RunFolder
from flows import stages, workspace

AIM = 180.0
"""Seconds for `adult_income` on two cores."""
Family = Callable[[Subject], tuple[records.CheckResult, ...]]


def timed(family: Family, into: dict[str, list[float]]) -> Family:
    """The same family, its seconds noted under its module's name."""

    def call(subject: Subject) -> tuple[records.CheckResult, ...]:
        begun = time.perf_counter()
        found = family(subject)
        into.setdefault(family.__module__.rpartition(".")[2], []).append(time.perf_counter() - begun)
        return found

    return call


def measure(run: Path, repetitions: int) -> dict[str, Any]:
    """Seconds of the whole evaluation and of each family, for each repetition."""
    import factory.gradients  # noqa: F401 - torch is imported before the clock runs, as it is in a run

    found: Dossier = workspace.dossier(run)
    families: dict[str, list[float]] = {}
    whole: list[float] = []
    evaluate.FAMILIES = tuple(timed(family, families) for family in evaluate.FAMILIES)
    with tempfile.TemporaryDirectory() as place:
        copy = Path(place) / run.name
        shutil.copytree(run, copy, ignore=shutil.ignore_patterns("documents", "bundle", ".lock"))
        folder = RunFolder(copy)
        for _ in range(repetitions):
            begun = time.perf_counter()
            source = stages.source_model(folder, found.plan, found.train, found.encode, run)
            evaluate.evaluate(folder, found.plan, found.commit, found.split, found.encode, found.export, source=source)
            whole.append(time.perf_counter() - begun)
    return {
        "system": found.plan.system.id,
        "rows": found.encode.parts["test"].rows,
        "features": len(found.encode.features),
        "whole": whole,
        "families": families,
    }


def main() -> int:
    """Measure, print, write JSON; 1 where the aim is missed."""
    given = argparse.ArgumentParser(description="The whole evaluation of a finished run, family by family.")
    given.add_argument("run", type=Path, help="run folder")
    given.add_argument("--repetitions", type=int, default=3)
    given.add_argument("--json", type=Path, help="file to write the figures to")
    asked = given.parse_args()
    found = measure(asked.run, asked.repetitions)
    median = statistics.median(found["whole"])
    print(f"{found['system']}: {found['rows']:,} test rows × {found['features']} features, {os.cpu_count()} cores")
    for name, seconds in found["families"].items():
        print(f"{name:<24}{statistics.median(seconds):>8.2f} s")
    print(f"{'whole evaluation':<24}{median:>8.2f} s (longest {max(found['whole']):.1f}), aim {AIM:g}")
    if asked.json:
        text = json.dumps({"benchmark": "evaluation", "aim": AIM, **found}, indent=2, sort_keys=True)
        asked.json.write_text(text + "\n", encoding="utf-8")
    return 0 if median <= AIM else 1


if __name__ == "__main__":
    raise SystemExit(main())
