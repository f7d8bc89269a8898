"""What faults, shift and the search for slices cost on the test part of a finished run, family by family.

    python -m benchmarks.faults_and_slices RUN_FOLDER --repeats 3 --json faults.json

The graph of the run is opened anew; nothing is written into the run folder.
"""

from __future__ import annotations

import json
import platform
import resource
import statistics
import time
from pathlib import Path

import click

FAMILIES = ("robustness", "shift", "deployment", "worst_slice")


@click.command()
@click.argument("run", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--repeats", default=3, show_default=True)
@click.option("--json", "place", type=click.Path(dir_okay=False, path_type=Path))
def main(run: Path, repeats: int, place: Path | None) -> None:
    """Measure each family on the run's graph and test rows."""
    import importlib

    found: dict[str, dict[str, float]] = {}
    for family in FAMILIES:
        module = importlib.import_module(f"checks.{family}")
        times = []
        for _ in range(repeats):
            subject = _subject(run)
            begun = time.perf_counter()
            module.measure(subject)
            times.append(time.perf_counter() - begun)
        found[family] = {"median": statistics.median(times), "least": min(times)}
        print(f"{family:12} median {found[family]['median']:7.2f} s, least {found[family]['least']:7.2f} s")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"{subject.part.rows:,} test rows, {subject.part.x.shape[1]} features, peak {peak:.2f} GiB")
    if place:
        where = {"machine": platform.platform(), "rows": subject.part.rows, "peak_gib": peak, "seconds": found}
        place.write_text(json.dumps(where, indent=1), encoding="utf-8")


def _subject(run: Path):
    from checks import _parts, _subject, intervals, scoring
    from evidence import arrays
    from evidence.folder import RunFolder
    from flows import workspace

    dossier, folder = workspace.dossier(run), RunFolder(run)
    plan, encoded = dossier.plan, dossier.encode
    part = arrays.load(folder, encoded, "test")
    scorer = scoring.open_model(folder.checked(dossier.export.onnx), encoded)
    policy = plan.policy
    sampling = intervals.Sampling(policy.confidence, policy.replicates, policy.seed, part.entities)
    parts = _parts.Parts(folder, encoded, scorer)
    return _subject.Subject(plan, encoded, part, scorer, scorer(part.x), sampling, parts)


if __name__ == "__main__":
    main()
