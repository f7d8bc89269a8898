"""The attack matrix is what the tests do."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from tests.tef_export import attacks

LISTED = {
    "A": set(range(1, 19)),
    "B": {19, 20, 21, 22, 23, 26, 28, 29, 31, 32},
    "C": {33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 44, 45, 46, 47, 48, 49, 51, 53, 54},
    "D": {55, 56, 57, 59, 60, 61, 63, 64, 67, 68, 69, 70, 72, 74, 75, 76, 77, 78, 80, 82, 83},
}
"""The cases that the format was designed against."""


def test_every_listed_case_is_an_attack_of_the_page_and_there_are_many_more() -> None:
    """No case of the list is left out; there are at least 80 in all, in every family."""
    rows = list(attacks.committed().values())
    expected = {f"{letter}{number}" for letter, numbers in LISTED.items() for number in numbers}
    assert expected - attacks.listed(rows) == set()
    assert len(rows) >= 80
    assert {row.family for row in rows} == set(attacks.FAMILIES)
    assert {row.looks for row in rows} == set(attacks.LOOKS)


def test_the_page_is_what_its_rows_give() -> None:
    """Nothing on `docs/attacks.md` is written by hand."""
    page = attacks.FILE.read_text(encoding="utf-8")
    assert attacks.text(list(attacks.committed().values())) == page, "run: python -m tests.tef_export.attacks"


@pytest.mark.slow
def test_the_page_holds_no_attack_that_is_no_longer_tried() -> None:
    """Each row of a table of cases is the name of a test that is collected today."""
    command = [sys.executable, "-m", "pytest", "-q", "--collect-only", "-m", "attack", "tests/tef_export"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=attacks.FILE.parents[1])
    collected = set(re.findall(r"\[(.+)\]$", done.stdout, re.MULTILINE))
    singles = re.findall(r"(?:attack\(\"\w+\", |what=|\(|: )\"([^\"]+)\"", _sources())
    begun = tuple(re.findall(r"what=f\"([^\"{]+)\{", _sources()))
    named = {row.what for row in attacks.committed().values() if not row.what.startswith(begun)}
    assert named - collected - set(singles) == set()


def _sources() -> str:
    folder = attacks.FILE.parents[1] / "tests" / "tef_export"
    return "\n".join(path.read_text(encoding="utf-8") for path in sorted(folder.rglob("test_*.py")))
