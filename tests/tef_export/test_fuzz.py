"""What reads a stranger's bytes, tried a little each time, and on everything that longer runs have found."""

from __future__ import annotations

import random

import pytest

from tests.tef_export import fuzz

KEPT = sorted(path for path in fuzz.FINDINGS.iterdir() if path.name.partition("-")[0] in fuzz.TARGETS)


@pytest.mark.parametrize("name", sorted(fuzz.TARGETS))
def test_mutated_inputs_are_read_rightly_or_refused(name: str) -> None:
    """A few hundred mutations of valid inputs; `python -m tests.tef_export.fuzz` tries millions."""
    drawn, pool = random.Random(name), fuzz.seeds(name)  # noqa: S311 - no secret
    for content in pool:
        fuzz.TARGETS[name](content)
    for _ in range(200):
        fuzz.TARGETS[name](fuzz.mutate(drawn.choice(pool), drawn))


@pytest.mark.parametrize("path", KEPT, ids=[path.name for path in KEPT])
def test_what_was_found_stays_fixed(path) -> None:
    """Each file in `findings/` once broke its target."""
    fuzz.TARGETS[path.name.partition("-")[0]](path.read_bytes())


def test_a_rule_that_is_broken_is_a_finding(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The search can find: a reader that fails on one byte is found, and the input is kept."""

    def fragile(content: bytes) -> None:
        if content[:1] == b"\x00":
            raise KeyError("x")

    monkeypatch.setitem(fuzz.TARGETS, "table", fragile)
    _, found = fuzz._mutated("table", 5, tmp_path, 1)
    assert found
    assert all(path.read_bytes()[:1] == b"\x00" for path in found)
