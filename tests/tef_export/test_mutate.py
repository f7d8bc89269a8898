"""Whatever our reader accepts, the public tools accept: a few dozen bent bundles each time."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.tef_export import inside, making, mutate, targeted


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_what_the_reader_accepts_public_tools_accept(made: making.Made) -> None:
    """Among bent bundles some are accepted (a further document, sealed by the supplier), and no tool refuses them."""
    read, accepted, wrong = mutate.go(made, 0, seed=4, least=30)
    assert read == 30
    assert accepted >= 1
    assert wrong == []


@pytest.mark.slow
def test_a_tool_that_refuses_is_told(made: making.Made, tmp_path: Path) -> None:
    """The comparison can fail: a bundle with a changed byte is refused by several tools."""
    top, files = making.unpacked(made.path)
    files["data/README.md"] = files["data/README.md"].replace(b"Card", b"Bard")
    path = making.packed(tmp_path / "x.zip", top, files)
    said = mutate.doubted(path, made)
    assert {text.partition(":")[0].split()[0] for text in said} >= {"sha256sum", "bagit", "model_signing"}


def test_bending_makes_all_kinds(made: making.Made) -> None:
    """No kind of change fails to be made."""
    drawn = random.Random(1)  # noqa: S311 - no secret
    assert len({mutate.bent(made, drawn) for _ in range(25)}) > 15


@pytest.mark.slow
def test_what_is_bent_where_readers_could_differ_is_seen_alike(made: making.Made, tmp_path: Path) -> None:
    """Fields of the ZIP, lines of the bag, values of the documents: what is accepted, the validators accept too."""
    read, accepted, wrong = mutate.go(made, 0, 8, 25, bend=targeted.bent, doubt=mutate.doubted_here)
    assert (read, wrong) == (25, [])
    assert accepted >= 1
    top, files = making.unpacked(made.path)
    files["bag-info.txt"] = files["bag-info.txt"].replace(b"Source-Organization", b"SOURCE-ORGANIZATION")
    sealed = making.packed(tmp_path / "x.zip", top, making.resigned(top, files, made.key))
    with inside.silent():
        (tmp_path / "unpacked").mkdir()
        said = inside.refused(sealed, made.written.certificate, tmp_path / "unpacked", int(making.NOW.timestamp()))
    assert [text.partition(":")[0] for text in said] == ["bagit_profile"]


@pytest.mark.slow
def test_targeted_bending_makes_all_kinds(made: making.Made) -> None:
    """Each layer is bent, and most bundles differ from each other."""
    drawn = random.Random(2)  # noqa: S311 - no secret
    assert len({targeted.bent(made, drawn) for _ in range(25)}) > 15
