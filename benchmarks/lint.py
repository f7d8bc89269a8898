"""Time and memory of `proofline lint`, and how often it is right: 50 pages per format, and the corpus of the tests.

    python benchmarks/lint.py [OUT.json]

A document of 50 pages is made of the true documents of the corpus, repeated, and linted with the whole command in a
process of its own, against its evidence and against the evidence of a run where one is named by PROOFLINE_RUN.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
PAGES = 50
FORMATS = ("md", "html", "docx", "pdf")


def long_document(place: Path) -> dict[str, Path]:
    """The true documents of the loans, repeated to at least 50 pages, in every format."""
    import pypandoc
    import pypdf
    import typst

    from tests.model_cards.lint import corpus_files as corpus

    plain = (corpus.MARK.sub(r"\2", p.read_text(encoding="utf-8")) for p in corpus.sources("true", "dev")["loans"])
    texts = [corpus._FRONT.sub("", text) for text in plain]
    files = {suffix: place / f"long.{suffix}" for suffix in FORMATS}
    repeats = 12
    while True:
        text = "\n\n".join(f"# Part {number}\n\n{text}" for number in range(1, repeats + 1) for text in texts)
        files["md"].write_text(text, encoding="utf-8")
        pypandoc.convert_text(
            text, "typst", format=corpus.PANDOC, outputfile=str(place / "long.typ"), extra_args=["--standalone"]
        )
        typst.compile(str(place / "long.typ"), output=str(files["pdf"]))
        pages = len(pypdf.PdfReader(files["pdf"]).pages)
        if pages >= PAGES:
            break
        repeats = repeats * PAGES // pages + 1
    for suffix in ("html", "docx"):
        pypandoc.convert_text(
            text,
            suffix,
            format=corpus.PANDOC,
            outputfile=str(files[suffix]),
            extra_args=["--standalone", "--metadata", "title= "],
        )
    print(f"{pages} pages, {len(text.split()):,} words")
    return files


def _cpu() -> float:
    """Processor time of all children so far, which a machine shared with others leaves as it is."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def timed(document: Path, evidence: Path) -> dict[str, float]:
    """Seconds of the whole command, and the peak memory of it and of its children in MiB."""
    begin, before = time.perf_counter(), _cpu()
    done = subprocess.run(
        [sys.executable, "-m", "flows.cli", "lint", str(document), "--evidence", str(evidence), "--format", "json"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    seconds = time.perf_counter() - begin
    content = json.loads(done.stdout)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    return {
        "seconds": round(seconds, 2),
        "cpu_seconds": round(_cpu() - before, 2),
        "peak_mib_so_far": round(peak),
        "sentences": content["documents"][0]["sentences"],
        "findings": len(content["findings"]),
    }


def rightness(place: Path) -> dict[str, dict[str, float]]:
    """Recall and false alarms on the halves of the corpus, all formats together."""
    from tests.model_cards.lint import assessed
    from tests.model_cards.lint import corpus_files as corpus

    found = {}
    for half in corpus.HALVES:
        planted, true = corpus.Score(), corpus.Score()
        for suffix in FORMATS:
            for kind, total in (("planted", planted), ("true", true)):
                score = corpus.measure(kind, half, suffix, place)
                for field in ("planted", "found", "sentences", "false"):
                    setattr(total, field, getattr(total, field) + getattr(score, field))
        found[half] = {
            "planted": planted.planted,
            "recall": round(planted.recall, 4),
            "sentences": true.sentences,
            "alarm_rate": round(true.alarm_rate, 4),
        }
    for half in assessed.SETS:
        scores = [assessed.measure(assessed.PLACE / half, suffix, place) for suffix in FORMATS]
        found[half] = {
            "planted": sum(s.planted.total() for s in scores),
            "recall": round(sum(s.found.total() for s in scores) / sum(s.planted.total() for s in scores), 4),
            "sentences": sum(s.true for s in scores),
            "alarm_rate": round(sum(len(s.alarms) for s in scores) / sum(s.true for s in scores), 4),
        }
    return found


def main() -> None:
    """Measure, print, and write JSON where a file is named."""
    from tests.model_cards.lint import corpus_files as corpus

    results: dict[str, object] = {}
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        files = long_document(place)
        evidence = {"corpus": corpus.PLACE / "evidence" / "loans"}
        if run := os.environ.get("PROOFLINE_RUN"):
            evidence["run"] = Path(run)
        for name, path in evidence.items():
            for suffix in FORMATS:
                results[f"{suffix}, evidence {name}"] = figures = timed(files[suffix], path)
                print(f"{suffix:<5} evidence {name:<7} {figures}")
        results["rightness"] = right = rightness(place)
        for half, figures in right.items():
            print(half, figures)
    if len(sys.argv) > 1:
        Path(sys.argv[1]).write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
