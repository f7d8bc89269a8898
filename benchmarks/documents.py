"""Writing all documents of a finished run in every format: time and memory, document by document.

python -m benchmarks.documents RUN --languages en --languages de --json documents.json
"""

from __future__ import annotations

import datetime as dt
import json
import os
import resource
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import click


@click.command()
@click.argument("run", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--languages", multiple=True, default=["en"], show_default=True, help="Languages beside English.")
@click.option("--pairs", default=3, show_default=True, help="How often the whole is repeated.")
@click.option("--json", "file", type=click.Path(path_type=Path), help="Write every figure here.")
def main(run: Path, languages: Sequence[str], pairs: int, file: Path | None) -> None:
    """Time the stage that writes the documents, whole and in its parts; one process, its children counted."""
    from evidence.folder import RunFolder
    from flows import workspace
    from model_cards import documents, localise, refs
    from model_cards.legal import names, registry

    dossier = workspace.dossier(run)
    plan = dossier.plan.documents.model_copy(update={"languages": tuple(languages)})
    object.__setattr__(dossier.plan, "documents", plan)
    whole, used = [], []
    for _ in range(pairs):
        with tempfile.TemporaryDirectory() as place:
            begun, before = time.perf_counter(), _cpu()
            record = documents.render(RunFolder(Path(place)), dossier)
            whole.append(time.perf_counter() - begun)
            used.append(_cpu() - before)
    book, at, parts = refs.book(dossier), dt.datetime.fromisoformat(dossier.gate.at), []
    for entry in names.needed(book):
        begun = time.perf_counter()
        document = localise.build(registry.BUILDERS[entry.id], book, "en")
        line = {"document": entry.id, "build": time.perf_counter() - begun}
        for suffix in documents.FORMATS:
            begun = time.perf_counter()
            size = len(documents.in_format(document, entry.id, suffix, at))
            line |= {suffix: time.perf_counter() - begun, f"{suffix}_bytes": size}
        parts.append(line)
    peak = {
        "own": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "children": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024,
    }
    heads = ("build", *documents.FORMATS)
    print(f"{'document':<22}" + "".join(f"{head:>8}" for head in heads) + "   seconds")
    for line in parts:
        print(f"{line['document']:<22}" + "".join(f"{line[head]:>8.2f}" for head in heads))
    print(
        f"all {len(record.documents)} files: {sorted(whole)[len(whole) // 2]:.1f} s "
        f"({min(whole):.1f} to {max(whole):.1f}), CPU time {sorted(used)[len(used) // 2]:.1f} s, "
        f"peak {peak['own']:.0f} MiB, of a child {peak['children']:.0f} MiB"
    )
    if file is not None:
        file.write_text(
            json.dumps({"whole": whole, "cpu": used, "parts": parts, "peak_mib": peak}, indent=1), encoding="utf-8"
        )


def _cpu() -> float:
    """Seconds of CPU time of this process and of its children so far."""
    now = os.times()
    return now.user + now.system + now.children_user + now.children_system


if __name__ == "__main__":
    main()
