"""The bundle as an OCI image layout: every blob under its digest, and after a pull the same bag."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from configs import errors
from tef_export import archive, oci, verify
from tests.tef_export import making


def blob(layout: Path, descriptor: dict[str, Any]) -> bytes:
    content = (layout / "blobs" / descriptor["digest"].replace(":", "/")).read_bytes()
    assert hashlib.sha256(content).hexdigest() == descriptor["digest"].removeprefix("sha256:")
    assert len(content) == descriptor["size"]
    return content


@pytest.fixture
def layout(made: making.Made, tmp_path: Path) -> Path:
    oci.write(made.path, tmp_path / "layout")
    return tmp_path / "layout"


def test_the_layout_is_one_model_pack(layout: Path, made: making.Made) -> None:
    """Version marker, index, one manifest of the ModelPack type, a config with one diffId for each layer."""
    assert json.loads((layout / "oci-layout").read_bytes()) == {"imageLayoutVersion": "1.0.0"}
    index = json.loads((layout / "index.json").read_bytes())
    described = json.loads(blob(layout, index["manifests"][0]))
    assert described["artifactType"] == "application/vnd.cncf.model.manifest.v1+json"
    config = json.loads(blob(layout, described["config"]))
    assert set(config) == {"descriptor", "config", "modelfs"}
    assert config["modelfs"]["diffIds"] == [layer["digest"] for layer in described["layers"]]
    assert config["descriptor"]["version"] == made.dossier.plan.system.version
    weights = [layer for layer in described["layers"] if layer["mediaType"].endswith("weight.v1.raw")]
    assert [layer["annotations"]["org.cncf.model.filepath"] for layer in weights] == ["data/model/model.onnx"]


@pytest.mark.slow
def test_after_a_pull_both_signatures_hold(layout: Path, made: making.Made, tmp_path: Path) -> None:
    """The files of the layers are the bag, byte for byte; zipped again it is the same bundle."""
    index = json.loads((layout / "index.json").read_bytes())
    layers = json.loads(blob(layout, index["manifests"][0]))["layers"]
    files = {layer["annotations"]["org.cncf.model.filepath"]: blob(layout, layer) for layer in layers}
    path = making.packed(tmp_path / "again.zip", made.written.bundle_id, files)
    assert archive.sha256(path) == archive.sha256(made.path)
    assert verify.verify(path, public_key=made.key.public_key(), at=making.NOW).ok


def test_the_same_bundle_gives_the_same_layout(layout: Path, made: making.Made, tmp_path: Path) -> None:
    """Nothing in it depends on when or where it was written, and there is no file but blobs and the two at the top."""
    again = tmp_path / "again"
    oci.write(made.path, again)
    names = sorted(p.relative_to(layout).as_posix() for p in layout.rglob("*") if p.is_file())
    assert names == sorted(p.relative_to(again).as_posix() for p in again.rglob("*") if p.is_file())
    assert all((layout / name).read_bytes() == (again / name).read_bytes() for name in names)
    assert all(len(name.removeprefix("blobs/sha256/")) == 64 for name in names if name.startswith("blobs"))


def test_nothing_is_overwritten(layout: Path, made: making.Made) -> None:
    """An existing folder is left alone."""
    with pytest.raises(errors.PlanError, match="expected no such folder"):
        oci.write(made.path, layout)


def test_an_interrupt_leaves_no_half_layout(made: making.Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Control-C in the middle leaves nothing behind."""

    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(oci, "_put", stopped)
    with pytest.raises(KeyboardInterrupt):
        oci.write(made.path, tmp_path / "layout")
    assert list(tmp_path.iterdir()) == []


def test_only_a_bundle_becomes_a_layout(tmp_path: Path) -> None:
    """Another archive is refused."""
    archive.write(tmp_path / "x.zip", "x-1", {"a": b"1"})
    with pytest.raises(errors.VerificationError, match=r"data/bundle\.json"):
        oci.write(tmp_path / "x.zip", tmp_path / "layout")
    assert not (tmp_path / "layout").exists()
