"""The example at the head of the README is what the tool prints, line by line."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.flows.forked import ANSWERS, Run

ROOT = Path(__file__).resolve().parents[2]
OMITTED = "…"
"""A line of the README that stands for any number of printed lines."""
VARIES = (
    (re.compile(r"\d{8}-\d{6}-[0-9a-f]{4}\b"), "RUN"),
    (re.compile(r"-[0-9a-f]{8}\.zip"), "-ID.zip"),
    (re.compile(r"  \d+\.\d s$"), "  SECONDS"),
    (re.compile(r"parity \S+"), "parity X"),
    (re.compile(r"[\d,]+ kB"), "SIZE"),
    (re.compile(r"policy [0-9a-f]{12}…"), "policy DIGEST"),
)


def told(line: str) -> str:
    """A line without what differs from run to run."""
    for pattern, name in VARIES:
        line = pattern.sub(name, line)
    return line.rstrip()


def parts() -> list[tuple[str, list[str]]]:
    """Commands of the example, each with the lines that it is said to print."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    block = re.search(r"```console\n(.*?)```", text, re.DOTALL)
    assert block is not None
    found: list[tuple[str, list[str]]] = []
    for line in block[1].splitlines():
        if line.startswith("$ proofline "):
            found.append((line.removeprefix("$ proofline "), []))
        else:
            found[-1][1].append(line)
    return found


def require_printed(shown: list[str], printed: list[str]) -> None:
    """Are the lines of the README those that were printed, in order, and every omission marked?"""
    wanted, got = [told(line) for line in shown], [told(line) for line in printed if line.strip()]
    at, skipping = 0, False
    for line in wanted:
        if line == OMITTED:
            skipping = True
            continue
        places = [i for i in range(at, len(got)) if got[i] == line]
        assert places, f"not printed: {line!r}\n" + "\n".join(got)
        assert skipping or places[0] == at, f"omitted without an ellipsis before {line!r}: {got[at]!r}"
        at, skipping = places[0] + 1, False
    assert skipping or at == len(got), f"omitted without an ellipsis at the end: {got[at]!r}"


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_example_is_what_is_printed(tmp_path: Path) -> None:
    """Every line, with its separators and numbers; only times, digests and sizes may differ."""
    for command, shown in parts():
        bundles = sorted((tmp_path / "bundles").glob("*.zip"))
        words = command.replace("bundles/….zip", str(bundles[0]) if bundles else "")
        words = words.replace("bundles/….pub.pem", str(bundles[0]).removesuffix(".zip") + ".pub.pem" if bundles else "")
        plain = ("--engine", "plain") if command.startswith(("run", "release")) else ()
        done = Run(*words.split(), *plain, place=tmp_path, folder=tmp_path)
        assert done.answer(600) in ANSWERS, done.said
        require_printed(shown, done.said.splitlines())


def test_an_omission_without_an_ellipsis_is_found() -> None:
    """The comparison can fail: on a line left out, on another separator, and at the end."""
    require_printed(["a", OMITTED, "d"], ["a", "b", "c", "d"])
    for shown in (["a", "d"], ["a", "b; c"], ["a", "b"]):
        with pytest.raises(AssertionError):
            require_printed(shown, ["a", "b", "c", "d"])
