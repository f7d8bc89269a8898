"""Near-duplicate removal on a generated corpus: `python -m benchmarks.near_duplicates [--megabytes 1000]`.

A first process writes a corpus as JSON Lines: documents of random words whose frequencies follow Zipf's law, and among
them copies of earlier ones in which some words were replaced. The Jaccard similarity of each copy to its original is
computed as it is planted, with plain sets of words, and kept. In a second process the corpus is ingested and cleaned,
with the near duplicates as the only step that does anything; with `--everything` once more with every step.

Reported are times, CPU times and the peak of resident memory of that process; and by similarity how many copies were
removed, beside the probability that the bands promise. Nothing else may be removed.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from configs.language.plan import LanguagePlan  # noqa: E402

MOST_SECONDS, MOST_MEMORY = 300.0, 2.0
"""What is wanted for 1 GB: seconds, and GiB."""
SHINGLE, SIMILARITY = 5, 0.8
COPIES = 0.1
"""Share of the documents that are copies."""
WORDS = 60_000


def plan(*, everything: bool) -> LanguagePlan:
    """The plan of a corpus, with the near duplicates alone or with every step."""
    alone = {"identification": {"enabled": False}, "personal_data": {"find": []}}
    return LanguagePlan.model_validate(
        {
            "version": 1,
            "task": "language_model",
            "system": {
                "id": "generated",
                "name": "Generated",
                "version": "1",
                "provider": {"name": "Nobody"},
                "intended_purpose": "Benchmark.",
            },
            "corpora": [
                {
                    "id": "generated",
                    "source": {"kind": "files", "path": ["corpus.jsonl"]},
                    "provenance": {"title": "Generated", "origin": "synthetic"},
                    "language": "en",
                }
            ],
            "cleaning": {} if everything else alone,
            "training": {"steps": 1},
            "policy": {"gates": [{"check": "language.bits_per_byte", "at_most": 8.0}]},
        }
    )


def prepare(place: Path, megabytes: float, seed: int = 0) -> None:
    """Write `corpus.jsonl`, and `copies.json`: number of the copy, number of the original, their similarity."""
    random = np.random.default_rng(seed)
    letters = np.array(list("etaoinshrdlcumwfgypbvk"))
    lengths = random.integers(2, 12, WORDS)
    words = np.array(["".join(random.choice(letters, n)) for n in lengths], dtype=object)
    weights = 1 / np.arange(1, WORDS + 1)
    cumulative = np.cumsum(weights / weights.sum())
    recent: list[tuple[int, np.ndarray]] = []
    copies: list[tuple[int, int, float]] = []
    written = number = 0
    with (place / "corpus.jsonl").open("w", encoding="utf-8") as file:
        while written < megabytes * 1e6:
            if recent and random.random() < COPIES:
                original, source = recent[random.integers(len(recent))]
                drawn = source.copy()
                # Each replaced word changes up to five shingles: similarities from about 0.5 to 1.
                drawn[random.random(len(drawn)) < random.uniform(0, 0.07)] = random.integers(WORDS)
                similarity = _jaccard(source, drawn)
                if similarity == 1.0:
                    continue
                copies.append((number, original, similarity))
            else:
                size = int(np.clip(random.lognormal(5.6, 0.7), 30, 5000))
                drawn = np.searchsorted(cumulative, random.random(size))
                recent.append((number, drawn))
                if len(recent) > 2000:
                    recent.pop(int(random.integers(len(recent))))
            line = json.dumps({"text": " ".join(words[np.minimum(drawn, WORDS - 1)])}) + "\n"
            file.write(line)
            written += len(line)
            number += 1
    (place / "copies.json").write_text(json.dumps(copies), encoding="utf-8")


def _jaccard(one: np.ndarray, other: np.ndarray) -> float:
    a, b = ({tuple(x[i : i + SHINGLE]) for i in range(len(x) - SHINGLE + 1)} for x in (one.tolist(), other.tolist()))
    return len(a & b) / len(a | b)


def measure(place: Path, *, everything: bool) -> dict[str, Any]:
    """Ingest and clean, in this process."""
    from evidence.folder import RunFolder
    from factory.text import clean, ingest, shards

    folder = RunFolder(place / "run")
    found: dict[str, Any] = {}
    corpus = _timed(found, "ingest", lambda: ingest.ingest(folder, plan(everything=False), place))
    record = _timed(found, "near_duplicates", lambda: clean.clean(folder, plan(everything=False), corpus, place))
    left = {row[0] for row in shards.rows(folder, record.shards, ["document"])}
    names = [row[0] for row in shards.rows(folder, corpus.shards, ["document"])]
    found["removed"] = [number for number, name in enumerate(names) if name not in left]
    found["documents"], found["bytes"] = corpus.counts.documents, corpus.counts.bytes
    if everything:
        _timed(found, "every_step", lambda: clean.clean(folder, plan(everything=True), corpus, place))
    return found


def _timed(found: dict[str, Any], name: str, do: Any) -> Any:
    wall, cpu = time.perf_counter(), time.process_time()
    result = do()
    found[name] = {
        "seconds": time.perf_counter() - wall,
        "cpu_seconds": time.process_time() - cpu,
        "peak_gib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 << 20),
        "load": os.getloadavg()[0],
    }
    return result


def recall(copies: list[tuple[int, int, float]], removed: set[int]) -> list[dict[str, float]]:
    """Copies found and promised, by similarity."""
    from factory.text import near_duplicates

    bands = near_duplicates.bands_for(SIMILARITY, 128)
    rows = []
    for low, high in itertools.pairwise((0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 1.0)):
        own = [(number, similarity) for number, _, similarity in copies if low <= similarity < high]
        if own:
            gone = sum(number in removed for number, _ in own)
            promised = float(np.mean([bands.candidate(s) if s >= SIMILARITY else 0.0 for _, s in own]))
            rows.append({"from": low, "to": high, "copies": len(own), "removed": gone / len(own), "promised": promised})
    return rows


def main() -> None:
    """Write the corpus, measure in a second process, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=float, default=1000)
    parser.add_argument("--place", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--everything", action="store_true", help="every step of the default plan as well")
    arguments = parser.parse_args()
    if arguments.place:
        print(json.dumps(measure(arguments.place, everything=arguments.everything)))
        return
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        prepare(place, arguments.megabytes)
        child = subprocess.run(
            [sys.executable, __file__, "--place", folder, *(["--everything"] if arguments.everything else [])],
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        )
        found = json.loads(child.stdout)
        copies = [tuple(copy) for copy in json.loads((place / "copies.json").read_text(encoding="utf-8"))]
    removed = set(found.pop("removed"))
    found["recall"] = recall(copies, removed)
    known = {number for number, _, similarity in copies if similarity >= SIMILARITY}
    found["removed"], found["wrongly_removed"] = len(removed), len(removed - known)
    print(f"{found['documents']:,} documents, {found['bytes'] / 1e6:,.0f} MB")
    for name in ("ingest", "near_duplicates", *(["every_step"] if arguments.everything else [])):
        part = found[name]
        print(
            f"{name:16} {part['seconds']:7.1f} s wall, {part['cpu_seconds']:7.1f} s CPU, "
            f"peak {part['peak_gib']:.2f} GiB, load {part['load']:.1f}"
        )
    print(f"wanted for 1 GB: {MOST_SECONDS:.0f} s, {MOST_MEMORY:.0f} GiB")
    for row in found["recall"]:
        print(
            f"similarity {row['from']:.2f} to {row['to']:.2f}: {row['copies']:6,.0f} copies, "
            f"removed {row['removed']:.4f}, promised {row['promised']:.4f}"
        )
    print(f"removed {found['removed']:,}, of which below the similarity or no copy: {found['wrongly_removed']}")
    if arguments.json:
        arguments.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
