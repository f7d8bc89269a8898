"""The attack matrix: what every test marked `attack` does to a bundle, where it is refused, and what the reader says.

`python -m tests.tef_export.attacks` runs these tests and writes `docs/attacks.md`. Each of them then compares what it
was told with its row, so that page and reader cannot drift apart.
"""

from __future__ import annotations

import collections
import dataclasses
import functools
import itertools
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from configs import errors

FILE = Path(__file__).parents[2] / "docs" / "attacks.md"
WRITING = "PROOFLINE_ATTACKS"
"""Environment variable: the file that takes the rows while the page is written."""
FAMILIES = {
    "archive": "The archive",
    "unsigned": "Changed without the key",
    "signatures": "The signatures",
    "contents": "Signed, and not what may be in a bundle",
    "bag": "Signed, and no valid bag",
    "index": "Signed, and `bundle.json` says something else",
    "records": "Signed, and the records disagree",
    "approval": "Signed, and not approved",
    "descriptions": "Signed, and a description says something else",
    "attestations": "Signed, and an inner signature or statement is wrong",
    "recipe": "Signed, and the recipe of the re-run is wrong",
    "model": "Signed, and the model is not to be run",
    "catalogue": "Whole and signed, and not what came before",
}
LOOKS: dict[errors.Looks, str] = {
    "damage": "damage",
    "mistake": "mistake of the sender",
    "tampering": "tampering",
    "unclear": "cannot be told",
}
HEAD = """\
# Attacks

{count} ways to damage, forge or falsify a bundle. Each is a test, and the reader refuses it with the sentence in its
row (`…` stands for what differs from run to run). Written by `python -m tests.tef_export.attacks` from the tests;
change those, not this page.

*Refused at* is the check of `proofline verify`. *Looks like* is what the reader says about the cause. What the pinned
key itself has signed cannot have been altered on its way: it counts as a mistake of the sender, who may of course have
meant it. Letter and number before a name are those of the list of cases that the format was designed against.

Not here: a revoked certificate. No list of revoked certificates is asked, because nothing is asked over a network; a
facility that learns of a lost key no longer pins it. Whose word a timestamp is says `openssl ts -verify`, which refuses
a stranger's and an expired authority; the reader says that it did not look. A check without a gate that was left out of
results and recipe alike leaves no trace in a bundle: `proofline rerun` finds it. What only the catalogue of what was
received can know is refused by `proofline import` (*catalogue*).
"""
_LABELS = re.compile(r"(?:[A-D]\d+,? )+")
_VARIES = re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b|\b[0-9a-f]{8,}\b…?|[0-9a-f]{8,}…")
_PLACE = re.compile(r"column \d+ \(char \d+\)")
_CELLS = re.compile(r"(?<!\\)\|")


@dataclasses.dataclass(frozen=True)
class Row:
    """One attack."""

    family: str
    what: str
    check: str
    looks: errors.Looks
    says: str

    @property
    def key(self) -> tuple[str, str]:
        """What names a row."""
        return self.family, self.what


def row(family: str, what: str, check: str, looks: errors.Looks, says: str) -> Row:
    """A row as it stands on the page: what differs from run to run left out, long shapes cut."""
    says = _PLACE.sub("column … (char …)", _VARIES.sub("…", " ".join(says.split())))
    return Row(family, what, check, looks, says.replace("……", "…"))


def listed(rows: list[Row]) -> set[str]:
    """The numbers of the list of cases that the rows are about."""
    found = (_LABELS.match(r.what) for r in rows)
    return {label for match in found if match for label in re.findall(r"[A-D]\d+", match[0])}


def text(rows: list[Row]) -> str:
    """The page."""
    lines, number = [HEAD.format(count=len(rows))], itertools.count(1)
    for family, title in FAMILIES.items():
        lines += [
            f"## {title}",
            "",
            "| | Attack | Refused at | Looks like | The reader says |",
            "|---|---|---|---|---|",
        ]
        for one in rows:
            if one.family == family:
                cells = (str(next(number)), one.what, one.check, LOOKS[one.looks], one.says)
                lines.append("| " + " | ".join(map(_cell, cells)) + " |")
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


@functools.cache
def committed() -> dict[tuple[str, str], Row]:
    """The rows of the committed page."""
    families = {title: family for family, title in FAMILIES.items()}
    looks = {words: name for name, words in LOOKS.items()}
    found, family = {}, ""
    for line in FILE.read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            family = families[line[3:]]
        cells = [_plain(cell.strip()) for cell in _CELLS.split(line)[1:-1]]
        if len(cells) == 5 and cells[0].isdigit():
            one = Row(family, cells[1], cells[2], looks[cells[3]], cells[4])
            found[one.key] = one
    return found


def _cell(content: str) -> str:
    return re.sub(r"([\\|<>*_`])", r"\\\1", content)


def _plain(cell: str) -> str:
    return re.sub(r"\\([\\|<>*_`])", r"\1", cell)


def main() -> int:
    """Run the tests and write the page."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "rows.json"
        command = [sys.executable, "-m", "pytest", "-q", "-m", "attack", "tests/tef_export"]
        done = subprocess.run(command, env={**os.environ, WRITING: str(place)}, cwd=FILE.parents[1], check=False)
        if done.returncode == 0:
            rows = [Row(**found) for found in json.loads(place.read_text(encoding="utf-8"))]
            twice = [key for key, n in collections.Counter(one.key for one in rows).items() if n > 1]
            if twice:
                raise SystemExit(f"two attacks of one name: {twice}. Rename one.")
            FILE.write_text(text(rows), encoding="utf-8")
        return done.returncode


if __name__ == "__main__":
    sys.exit(main())
