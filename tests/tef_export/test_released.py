"""A bundle outlives the version that wrote it: what was released once is accepted for ever."""

from __future__ import annotations

from pathlib import Path

import pytest

from tef_export import keys, verify

RELEASED = sorted(Path(__file__).with_name("released").glob("*.zip"))


@pytest.mark.slow
@pytest.mark.parametrize("path", RELEASED, ids=[path.stem for path in RELEASED])
def test_an_earlier_bundle_is_accepted(path: Path) -> None:
    """Every check of today's reader passes on it; no answer is `not run`."""
    found = verify.verify(path, public_key=keys.load_public(path.with_suffix(".pub.pem")))
    assert found.ok, found.refusal
    assert found.manifest is not None
    assert found.manifest.version == 1


def test_there_is_one() -> None:
    """The folder is not empty, so the rule is tried."""
    assert RELEASED
