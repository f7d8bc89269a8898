"""Public properties of the ACAS Xu networks: how many are answered within a time, and whether any answer is wrong.

python -m benchmarks.certified --seconds 10 --json certified.json
"""

from __future__ import annotations

import csv
import json
import os
import time
from collections import defaultdict
from pathlib import Path

import click

DATA = Path(os.environ.get("PROOFLINE_DATA", Path(__file__).parents[2] / "shared" / "data")) / "onnx" / "acasxu"


@click.command()
@click.option("--seconds", default=10.0, show_default=True, help="Time for each pair of network and property.")
@click.option("--data", type=click.Path(exists=True, file_okay=False, path_type=Path), default=DATA, show_default=True)
@click.option("--only", default="", help="Only properties or networks with this text in their name.")
@click.option("--json", "file", type=click.Path(path_type=Path), help="Write every answer here.")
def main(seconds: float, data: Path, only: str, file: Path | None) -> None:
    """Answer each pair of `verdicts.csv` and compare with the verdict on which public verifiers agree."""
    from checks.certified import verify, vnnlib

    with (data / "verdicts.csv").open() as stream:
        pairs = [p for p in csv.DictReader(stream) if only in f"{p['network']} {p['property']}"]
    answers = []
    for pair in pairs:
        begun = time.perf_counter()
        found = verify.verify(data / pair["network"], vnnlib.read(data / pair["property"]), seconds)
        answers.append({**pair, "answer": found.status, "seconds": time.perf_counter() - begun, "boxes": found.boxes})
    _table(answers)
    if file is not None:
        file.write_text(json.dumps(answers, indent=1), encoding="utf-8")
    if any(_wrong(a) for a in answers):
        raise SystemExit(1)


def _wrong(answer: dict[str, object]) -> bool:
    return answer["answer"] not in (answer["verdict"], "unknown")


def _table(answers: list[dict[str, object]]) -> None:
    by = defaultdict(list)
    for answer in answers:
        by[str(answer["property"])].append(answer)
    print(
        f"{'property':<16}{'pairs':>6}{'holds':>7}{'violated':>10}{'unknown':>9}{'wrong':>7}{'seconds':>9}{'boxes':>10}"
    )
    for name, mine in [*by.items(), ("all", answers)]:
        counts = [sum(a["answer"] == kind for a in mine) for kind in ("holds", "violated", "unknown")]
        seconds, boxes = sum(float(str(a["seconds"])) for a in mine), sum(int(str(a["boxes"])) for a in mine)
        print(
            f"{name:<16}{len(mine):>6}{counts[0]:>7}{counts[1]:>10}{counts[2]:>9}{sum(map(_wrong, mine)):>7}"
            f"{seconds:>9.1f}{boxes:>10,}"
        )


if __name__ == "__main__":
    main()
