"""The adapter to Slurm against its own sbatch: `python -m benchmarks.adapter [--json FILE]`; as root, with Slurm here.

On a two-node cluster of this machine, in alternating order: from a ready script to the moment at which the job's step
runs, by `sbatch` alone and by the adapter, which writes the script and the job's file and submits. Then what waiting
for a running job costs: processor time of this process and of all commands that it asks, over the time that it waits.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from configs.factories import profile as profiles
from configs.modelling import Factory
from evidence.folder import RunFolder
from factory.slurm import jobs, launcher, request
from tests.factory.slurm import cluster as clusters

AIM_SECONDS, AIM_SHARE = 2.0, 0.01
"""Most seconds more than sbatch alone, and most of one core while waiting."""


def program(place: Path, seconds: float) -> Path:
    """What the job runs in place of a Python: notes when it began, and waits."""
    path = place / "program"
    path.write_text(
        f"#!/bin/sh\ndate +%s.%N > {place}/began.new\nmv {place}/began.new {place}/began\nsleep {seconds}\n"
    )
    path.chmod(0o755)
    return path


def began(place: Path) -> float:
    """When the job's step began."""
    clusters.until((place / "began").exists, "the job's step", seconds=60)
    return float((place / "began").read_text())


def by_sbatch(place: Path) -> float:
    """Seconds from a ready script to its running step, by Slurm's own command."""
    script = place / "job.sh"
    head = "#SBATCH --ntasks=1 --cpus-per-task=1 --time=10"
    script.write_text(f"#!/bin/bash\n{head}\n#SBATCH --output={place}/log\nsrun {program(place, 0)}\n")
    start = time.time()
    subprocess.run(["sbatch", "--parsable", str(script)], check=True, capture_output=True)
    return began(place) - start


def asked(place: Path, seconds: float) -> Factory:
    """The plan's section for such a job."""
    return Factory.model_validate(
        {
            "site": "slurm-generic", "gpus_per_node": 0, "cpus_per_node": 1, "hours": 0.17,
            "python": str(program(place, seconds)),
        }
    )  # fmt: skip


def by_adapter(place: Path) -> float:
    """The same by the adapter, its own script and files included."""
    profile = profiles.load("slurm-generic")
    ask = request.request(asked(place, 0), profile)
    folder = RunFolder(place / "run")
    folder.at("training/x")
    start = time.time()
    jobs.submitted(folder, ask, profile)
    return began(place) - start


def waiting(place: Path, seconds: float) -> dict[str, float]:
    """Processor time of waiting for a job that runs `seconds`."""
    profile = profiles.load("slurm-generic")
    section = asked(place, seconds)
    folder = RunFolder(place / "run")
    folder.at("training/x")
    job = jobs.submitted(folder, request.request(section, profile), profile)
    began(place)
    start, used = time.monotonic(), processor()
    follower = launcher.SlurmLauncher(section)
    thread = threading.Thread(target=follower._follow, args=(folder, job.job_id, None, lambda _: None))
    thread.start()
    thread.join()
    wall = time.monotonic() - start
    return {"seconds": wall, "processor_seconds": processor() - used, "share": (processor() - used) / wall}


def processor() -> float:
    """Seconds of this process and of its children that have ended."""
    return sum(
        u.ru_utime + u.ru_stime for u in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    )


def measure(pairs: int, seconds: float) -> dict[str, Any]:
    """Both figures on a cluster of their own."""
    with tempfile.TemporaryDirectory(prefix="adapter-") as name:
        base = Path(name)
        with clusters.running(base / "cluster") as cluster:
            os.environ.update(cluster.environment)
            found: list[dict[str, float]] = []
            for number in range(pairs + 1):
                both = (by_sbatch, by_adapter) if number % 2 else (by_adapter, by_sbatch)
                took = {}
                for run in both:
                    place = base / f"{run.__name__}-{number}"
                    place.mkdir()
                    took[run.__name__] = run(place)
                if number:  # the first pair warms up
                    found.append(took)
            place = base / "waiting"
            place.mkdir()
            cost = waiting(place, seconds)
    more = [pair["by_adapter"] - pair["by_sbatch"] for pair in found]
    return {
        "benchmark": "adapter",
        "pairs": found,
        "more_seconds": {"median": statistics.median(more), "lowest": min(more), "highest": max(more)},
        "waiting": cost,
        "load": os.getloadavg(),
    }


def main() -> int:
    """Measure, print, write JSON; 1 where an aim is missed."""
    arguments = argparse.ArgumentParser(description="The adapter against Slurm's own sbatch.")
    arguments.add_argument("--pairs", type=int, default=9, help="paired submissions (default 9)")
    arguments.add_argument(
        "--seconds", type=float, default=120, help="how long to wait for a running job (default 120)"
    )
    arguments.add_argument("--json", type=Path, help="file to write the figures to")
    given = arguments.parse_args()
    if absent := clusters.missing():
        print(f"absent: {', '.join(absent)} (Debian: slurm-wlm, munge; as root)", file=sys.stderr)
        return 3
    result = measure(given.pairs, given.seconds)
    alone, ours = (statistics.median(p[k] for p in result["pairs"]) for k in ("by_sbatch", "by_adapter"))
    more, cost = result["more_seconds"], result["waiting"]
    print(f"ready script to running step: sbatch {alone:.2f} s, adapter {ours:.2f} s; ", end="")
    print(f"more {more['median']:+.2f} s ({more['lowest']:+.2f} to {more['highest']:+.2f}), aim {AIM_SECONDS:g}")
    print(f"waiting: {cost['processor_seconds']:.2f} s of processor in {cost['seconds']:.0f} s, ", end="")
    print(f"{100 * cost['share']:.2f} % of a core, aim {100 * AIM_SHARE:g} %; load {result['load'][0]:.1f}")
    if given.json:
        given.json.write_text(json.dumps(result, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    return 0 if more["median"] <= AIM_SECONDS and cost["share"] < AIM_SHARE else 1


if __name__ == "__main__":
    raise SystemExit(main())
