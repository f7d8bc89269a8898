"""Writing a bundle around a large model: time against `openssl dgst -sha256` of the same file, and peak memory.

The bundle of a finished run is prepared once; then its model is taken to be a file of random bytes of the asked size,
and the archive is written in a process of its own. Time and memory must grow with the size of the file alone: the
model is read once, while it is hashed and copied. The digest of the archive is the reader's, and not measured here.

    python -m benchmarks.bundle_writing --json bundle_writing.json
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import click

ROOT = Path(__file__).resolve().parents[1]
PROGRAM = """
import resource, sys, time
from pathlib import Path
from tef_export import archive
model, destination, sha256 = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
begun = time.perf_counter()
archive.write(destination, "x-1", {"data/model/model.onnx": model, "data/plan.yaml": b"x" * 4_000_000},
              {"data/model/model.onnx": sha256})
print(time.perf_counter() - begun, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


def measure(size: int, pairs: int) -> dict[str, object]:
    """Pairs of openssl and the writer on one file, in alternating order; the file is in the page cache."""
    with tempfile.TemporaryDirectory() as folder:
        model = Path(folder) / "model.onnx"
        with model.open("wb") as stream:
            for _ in range(size >> 20):
                stream.write(os.urandom(1 << 20))
        sha256 = _openssl(model)[1]
        hashing, writing, memory = [], [], []
        for pair in range(pairs):
            for which in (0, 1) if pair % 2 else (1, 0):
                if which:
                    seconds, peak = _writer(model, Path(folder) / "x.zip", sha256)
                    writing.append(seconds)
                    memory.append(peak)
                else:
                    hashing.append(_openssl(model)[0])
    ratios = [w / h for w, h in zip(writing, hashing, strict=True)]
    return {
        "bytes": size,
        "openssl_seconds": hashing,
        "writing_seconds": writing,
        "ratio_median": statistics.median(ratios),
        "peak_mib": max(memory),
    }


def _openssl(path: Path) -> tuple[float, str]:
    begun = time.perf_counter()
    done = subprocess.run(["openssl", "dgst", "-sha256", path], capture_output=True, text=True, check=True)
    return time.perf_counter() - begun, done.stdout.split()[-1]


def _writer(model: Path, destination: Path, sha256: str) -> tuple[float, float]:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, model, destination, sha256],
        capture_output=True, text=True, check=True, cwd=ROOT,
    )  # fmt: skip
    seconds, peak = map(float, done.stdout.split())
    return seconds, peak


@click.command()
@click.option("--mib", "sizes", multiple=True, type=int, default=(256, 1024), show_default=True)
@click.option("--pairs", default=3, show_default=True)
@click.option("--json", "out", type=click.Path(path_type=Path), help="Write the figures here as well.")
def main(sizes: tuple[int, ...], pairs: int, out: Path | None) -> None:
    """Measure the writing of bundles."""
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    print(f"{'MiB':>6}{'openssl s':>12}{'writing s':>12}{'ratio':>8}{'peak MiB':>10}")
    results = []
    for size in sizes:
        found = measure(size << 20, pairs)
        results.append(found)
        hashing, writing = (statistics.median(found[name]) for name in ("openssl_seconds", "writing_seconds"))  # type: ignore[call-overload]
        print(
            f"{size:>6}{hashing:>12.2f}{writing:>12.2f}{found['ratio_median']:>8.2f}{found['peak_mib']:>10.0f}",
            flush=True,
        )
    if out:
        out.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
