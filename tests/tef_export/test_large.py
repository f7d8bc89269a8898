"""Large models: the same rules, with the weights left in the file."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from configs import errors
from tef_export import (
    archive,
    contents,
    cross_check,
    early,
    golden_check,
    golden_child,
    onnx_large,
    onnx_rules,
    verify,
)
from tests.tef_export import making


def written(place: Path, model: Any, cut: int = 0) -> Path:
    content = model.SerializeToString(deterministic=True)
    (place / "model.onnx").write_bytes(content[: len(content) - cut])
    return place / "model.onnx"


def test_a_walk_over_the_file_finds_what_a_parser_finds(tmp_path: Path) -> None:
    """Everything but the values of the weights is the same; rules, checker and facts take it."""
    model = making.model()
    found, apart = onnx_large.load(making.whole(written(tmp_path, model)), small=0, weight=20)
    assert list(apart) == [0]
    assert not found.graph.initializer[0].raw_data
    onnx_rules.check(found, apart)
    onnx_rules.check_with_onnx(found, apart)
    assert onnx_rules.facts(found) == onnx_rules.facts(model)
    found.graph.initializer[0].raw_data = model.graph.initializer[0].raw_data
    assert found == model


def test_a_small_file_is_parsed_whole(tmp_path: Path) -> None:
    """Nothing is left apart where there is no need."""
    model = making.model()
    assert onnx_large.load(making.whole(written(tmp_path, model))) == (model, {})


def _value(value: float, position: int) -> Any:
    def change(model: Any) -> None:
        values = np.frombuffer(model.graph.initializer[0].raw_data, np.float32).copy()
        values[position] = value
        model.graph.initializer[0].raw_data = values.tobytes()

    return change


def _shape(model: Any) -> None:
    model.graph.initializer[0].dims[0] = 9


def _kind(model: Any) -> None:
    model.graph.initializer[0].data_type = 99


def _both(model: Any) -> None:
    model.graph.initializer[0].float_data.extend([1.0] * 20)


CASES = [
    ("large: NaN in the first place", _value(float("nan"), 0), "finite weights"),
    ("large: infinite in the last place", _value(float("-inf"), -1), "finite weights"),
    ("large: shape that lies", _shape, "readable weights"),
    ("large: type that is none", _kind, "readable weights"),
    ("large: values in two forms", _both, "values in one form"),
]


@pytest.mark.attack("model")
@pytest.mark.parametrize(("change", "reason"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_weights_in_the_file_are_checked_as_others(tmp_path: Path, attack: Any, change: Any, reason: str) -> None:
    """No value escapes because it was not loaded."""
    model = making.model()
    change(model)
    with pytest.raises(errors.VerificationError, match=reason) as caught:
        onnx_large.load(making.whole(written(tmp_path, model)), small=0, weight=20)
    attack(caught.value, "onnx rules")


@pytest.mark.slow
def test_every_cut_and_every_changed_byte_is_an_answer(tmp_path: Path) -> None:
    """A file that was cut or altered anywhere is read as a parser reads it, or refused; never a crash."""
    whole = making.model().SerializeToString(deterministic=True)
    for position in range(len(whole)):
        for content in (whole[:position], whole[:position] + bytes([whole[position] ^ 0x55]) + whole[position + 1 :]):
            (tmp_path / "model.onnx").write_bytes(content)
            try:
                model, apart = onnx_large.load(making.whole(tmp_path / "model.onnx"), small=-1, weight=20)
                onnx_rules.check(model, apart)
            except errors.VerificationError:
                continue
            onnx_rules.check(onnx_rules.parsed(content))


def test_a_runtime_that_maps_the_weights_gives_the_golden_outputs(made: making.Made, tmp_path: Path) -> None:
    """The model whose weights stay in the file answers as the file does; with other weights there, it does not."""
    place = tmp_path / "m"
    shutil.copytree(made.folder.path / "model", place, ignore=shutil.ignore_patterns("record.json"))
    model, apart = onnx_large.load(making.whole(place / "model.onnx"), small=0, weight=20)
    assert "recorded outputs" in golden_child._compare(place, making.whole(place / "model.onnx"), model, apart)
    other = making.model(seed=7).SerializeToString(deterministic=True)
    assert len(other) == (place / "model.onnx").stat().st_size
    (place / "model.onnx").write_bytes(other)
    with pytest.raises(errors.VerificationError, match="exchanged"):
        golden_child._compare(place, making.whole(place / "model.onnx"), model, apart)


def test_two_graphs_or_two_raw_data_are_refused(tmp_path: Path) -> None:
    """What a parser would merge or overwrite could hide a weight from the walk."""
    model = making.model()
    whole = model.SerializeToString(deterministic=True)
    graph = model.graph.SerializeToString(deterministic=True)
    place = tmp_path / "model.onnx"
    place.write_bytes(whole + b"\x3a" + bytes([len(graph) & 0x7F | 0x80, len(graph) >> 7]) + graph)
    with pytest.raises(errors.VerificationError, match="one graph"):
        onnx_large.load(making.whole(place), small=0, weight=20)
    tensor = model.graph.initializer[0].SerializeToString(deterministic=True)
    doubled = tensor + b"\x4a\x04" + bytes(4)
    graph = graph.replace(b"\x2a" + bytes([len(tensor)]) + tensor, b"\x2a" + bytes([len(doubled)]) + doubled)
    del model.graph.initializer[:]
    model.ClearField("graph")
    rest = model.SerializeToString(deterministic=True)
    place.write_bytes(rest + b"\x3a" + bytes([len(graph) & 0x7F | 0x80, len(graph) >> 7]) + graph)
    with pytest.raises(errors.VerificationError, match="raw data once"):
        onnx_large.load(making.whole(place), small=0, weight=20)


def test_an_archive_is_what_the_standard_library_would_write(tmp_path: Path) -> None:
    """Our own writer goes beyond 2 GiB without ZIP64; below, its bytes are the usual ones."""
    files = {"data/a.txt": b"a", "bagit.txt": b"x" * 300}
    archive.write(tmp_path / "ours.zip", "top", files)
    with zipfile.ZipFile(tmp_path / "theirs.zip", "w") as opened:
        for name in sorted(files):
            info = zipfile.ZipInfo(f"top/{name}", (1980, 1, 1, 0, 0, 0))
            info.create_system, info.external_attr = 3, 0o100644 << 16
            opened.writestr(info, files[name])
    assert (tmp_path / "ours.zip").read_bytes() == (tmp_path / "theirs.zip").read_bytes()


@pytest.fixture
def in_place(monkeypatch: pytest.MonkeyPatch) -> None:
    """Models of the tests count as large for the archive."""
    monkeypatch.setattr(archive, "STAYS", 300)


def reader(made: making.Made, path: Path | None = None) -> verify.Verification:
    return verify.verify(path or made.path, public_key=made.key.public_key(), at=making.NOW)


@pytest.mark.slow
@pytest.mark.usefixtures("in_place")
def test_a_large_model_is_read_where_it_stands(made: making.Made, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is hashed, checked and run out of the archive, and never written out."""
    seen: list[archive.Place] = []
    run = golden_check.run

    def watched(folder: Path, place: archive.Place, *more: Any) -> golden_check.Opened:
        seen.append(place)
        assert not (folder / "model.onnx").exists()
        return run(folder, place, *more)

    monkeypatch.setattr(golden_check, "run", watched)
    found = reader(made)
    assert found.ok, found.refusal
    assert seen[0].path == made.path
    assert found.sha256 == making.sha(made.path.read_bytes())


@pytest.mark.slow
@pytest.mark.usefixtures("in_place")
def test_a_flipped_bit_of_a_large_model_is_refused(made: making.Made, tmp_path: Path) -> None:
    """With the archive's old checksum it is damage, with a new one it is not what was signed."""
    listing = archive.inspect(made.path)
    entry = next(e for e in listing.entries if e.path == contents.MODEL)
    content = bytearray(made.path.read_bytes())
    content[entry.offset + entry.size // 2] ^= 1
    (tmp_path / "x.zip").write_bytes(content)
    assert (found := reader(made, tmp_path / "x.zip").checks[0]).status == "fail"
    assert found.looks == "damage"
    top, files = making.unpacked(made.path)
    model = bytearray(files[contents.MODEL])
    model[len(model) // 2] ^= 1
    path = making.packed(tmp_path / "y.zip", top, {**files, contents.MODEL: bytes(model)})
    assert "altered after signing" in (reader(made, path).refusal or "")


@pytest.mark.usefixtures("in_place")
@pytest.mark.attack("archive", "exchanged while it is read")
def test_an_archive_that_changes_meanwhile_is_refused(
    made: making.Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, attack: Any
) -> None:
    """What was hashed must be what is run: another file in its place, or a write to it, is noticed."""
    path = tmp_path / "x.zip"
    shutil.copy(made.path, path)

    def exchanged(*_: Any) -> golden_check.Opened:
        shutil.copy(made.path, tmp_path / "other.zip")
        (tmp_path / "other.zip").replace(path)
        return golden_check.Opened({}, dict.fromkeys(golden_check.CHECKS, "passed"), None)

    monkeypatch.setattr(golden_check, "run", exchanged)
    found = reader(made, path)
    assert not found.ok
    attack(next(check for check in found.checks if check.status == "fail"))


@pytest.mark.usefixtures("in_place")
def test_an_archive_that_is_cut_short_meanwhile_is_refused(made: making.Made, tmp_path: Path) -> None:
    """Whoever writes to a file that is being read ends the program that hashes it, not the reader."""
    path = tmp_path / "x.zip"
    shutil.copy(made.path, path)
    listing = archive.inspect(path)
    model = next(entry for entry in listing.entries if entry.path == contents.MODEL)
    with early.begun(path) as begun:
        begun.parts_hashed = lambda: None  # what a program that was ended answers (`test_hashing`)
        found = verify.verify(path, public_key=made.key.public_key(), at=making.NOW, begun=begun)
    assert model.size > archive.STAYS
    assert (found.checks[0].status, found.looks) == ("fail", "unclear")
    assert "changed meanwhile" in found.checks[0].text


def test_a_file_that_is_too_large_is_not_read_whole(made: making.Made, tmp_path: Path) -> None:
    """What stays in the archive and is no model is refused by its size, wherever it would be read."""
    files = {"data/plan.yaml": archive.Unpacked(making.ZERO, archive.STAYS + 1, 99)}
    bundle = cross_check.Bundle("top", tmp_path, files, made.path)
    with pytest.raises(errors.VerificationError, match="expected at most"):
        bundle.read("data/plan.yaml")


def test_without_a_runtime_weights_in_the_file_are_mapped(
    made: making.Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ONNX's own evaluator is given large weights as inputs, and the same outputs come."""
    import importlib.util

    place = tmp_path / "m"
    shutil.copytree(made.folder.path / "model", place, ignore=shutil.ignore_patterns("record.json"))
    where = making.whole(place / "model.onnx")
    model, apart = onnx_large.load(where, small=0, weight=20)
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "onnxruntime" else found(name))
    assert "reference evaluator" in golden_child._compare(place, where, model, apart)
