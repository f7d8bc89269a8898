"""What may leave, in which form, and what happens when writing is interrupted."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from configs import errors, load
from evidence import canonical
from tef_export import archive, contents, leaks, manifest, places, recipe, write
from tests.tef_export import making


def rewritten(made: making.Made, place: Path) -> Path:
    return write.write(made.folder, made.dossier, made.approval, made.key, place, making.CREATED).path


def test_the_same_run_key_and_time_give_the_same_bytes(made: making.Made, tmp_path: Path) -> None:
    """A bundle can be written again and compared; signatures included."""
    assert archive.sha256(rewritten(made, tmp_path)) == archive.sha256(made.path)


def test_only_what_is_listed_leaves(made: making.Made) -> None:
    """No table, no lists of row digests, no encoded arrays, no checkpoint, no statistics of single values."""
    _, files = making.unpacked(made.path)
    payload = {path for path in files if path.startswith("data/")}
    assert payload == {
        *contents.EVIDENCE.values(), contents.MODEL, contents.CARD, contents.LICENCE, contents.PLAN, contents.LEDGER,
        contents.APPROVAL, manifest.PLACE, recipe.PLACE, "data/documents/README.md", "data/documents/report.html",
        *(f"{contents.GOLDEN}/{name}.pb" for name in ("input_0", "output_0", "output_1")),
        places.BOM, places.SBOM, places.CRATE, places.CROISSANT, *places.ATTESTATIONS,
        *(set(places.LAYOUTS) - {places.TRITON_NOTE}), places.TRITON_MODEL,
    }  # fmt: skip
    everything = b"".join(files.values())
    for kept in ("data/table.parquet", "data/x.npy", "training/best.safetensors", "data/rows.txt"):
        content = (made.folder.path / kept).read_bytes()
        assert content not in everything


@pytest.mark.parametrize("name", ["attacked.npy", "labels.npy", "probabilities.npy", "predictions.npy"])
def test_arrays_of_the_evaluation_have_no_place(name: str) -> None:
    """Rows under attack are test rows, nearly: no path of a bundle may carry them, nor what the model said of a row."""
    assert contents.role(f"data/evaluation/{name}") is None
    assert contents.role(f"data/eval/{name}") is None


def test_bundle_json_says_what_the_model_takes_and_gives(made: making.Made) -> None:
    """Order, units and allowed ranges of the inputs come from the plan; names of the classes are there."""
    _, files = making.unpacked(made.path)
    index = manifest.parse(files[manifest.PLACE])
    assert [f.name for f in index.model.features] == [c.name for c in made.dossier.plan.data.features]
    assert index.model.features[0].minimum == made.dossier.plan.data.features[0].minimum
    assert index.model.classes == ("no marked progression", "marked progression")
    assert index.digests.run == canonical.sha256_file(made.folder.path / "run.json")
    assert not index.demonstration


def test_the_key_travels_beside_the_bundle(made: making.Made) -> None:
    """Public key and certificate are written beside the ZIP, the private key nowhere."""
    found = sorted(p.name for p in made.path.parent.iterdir())
    assert found == [made.path.with_suffix(s).name for s in (".crt.pem", ".pub.pem", ".zip")]
    assert all(b"PRIVATE" not in p.read_bytes() for p in made.path.parent.iterdir())


def refused(made: making.Made, tmp_path: Path, **changes: object) -> str:
    approval = making.approve(made.folder, made.dossier, made.key, **changes)
    with pytest.raises(errors.GateError) as caught:
        write.write(made.folder, made.dossier, approval, made.key, tmp_path / "out", making.CREATED)
    assert not (tmp_path / "out").exists()
    return str(caught.value)


def test_without_a_fitting_approval_nothing_is_written(made: making.Made, tmp_path: Path) -> None:
    """A refusal, another run, other documents, or a broken signature stop a release."""
    assert "refusal of Erika Muster" in refused(made, tmp_path, decision="refused")
    assert "another run" in refused(made, tmp_path, run_id="other")
    assert "another run's digest" in refused(made, tmp_path, run_sha256="0" * 64)
    assert "another documents' digest" in refused(made, tmp_path, documents_sha256="0" * 64)
    altered = made.approval.model_copy(update={"reason": "other"})
    with pytest.raises(errors.GateError, match="altered after it was signed"):
        write.write(made.folder, made.dossier, altered, made.key, tmp_path / "out", making.CREATED)


@pytest.mark.parametrize("name", ["model/model.onnx", "evaluation/results.json", "documents/report.html", "plan.yaml"])
def test_a_run_that_was_altered_is_not_released(made: making.Made, tmp_path: Path, name: str) -> None:
    """Every file that leaves still has its recorded digest."""
    folder, found = making.run(tmp_path / "runs" / "r")
    approval = making.approve(folder, found, made.key)
    path = folder.path / name
    path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(errors.IntegrityError, match="altered"):
        write.write(folder, found, approval, made.key, tmp_path / "out", making.CREATED)


def test_a_place_of_this_machine_does_not_leave(made: making.Made, tmp_path: Path) -> None:
    """An absolute path in the plan stops the release, and the message does not repeat it."""
    plan = load.plan_path("diabetes_progression").read_text(encoding="utf-8")
    altered = plan.replace("sector: health", "sector: health, see /home/erika/models")
    assert altered != plan
    folder, found = making.run(tmp_path / "runs" / "r", altered)
    approval = making.approve(folder, found, made.key)
    with pytest.raises(errors.GateError, match=r"plan\.yaml line \d+: .* absolute path") as caught:
        write.write(folder, found, approval, made.key, tmp_path / "out", making.CREATED)
    assert "erika" not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "see /home/erika/x",
        "at '/tmp/run1'",
        "C:\\Users\\erika",
        "file:///srv/data",
        '"/workspace/data"',
        "host-17 is up",
        "duckdb:////home/erika/x.duckdb",
    ],
)
def test_traces_of_the_machine_are_found(text: str) -> None:
    """Absolute places and names of the machine are seen in any text."""
    with pytest.raises(errors.GateError):
        leaks.require_none("a.md", f"line\n{text}\n", ("host-17",))


@pytest.mark.parametrize(
    "text",
    ["https://example.eu/home/page", "and/or", "a/b/c", "<br/>", "2026/11/22", "root mean squared error", "host-170",
     "mg/dL", "../home/x", "~/home/x"],
)  # fmt: skip
def test_ordinary_text_is_no_trace(text: str) -> None:
    """Addresses, fractions and words are let through."""
    leaks.require_none("a.md", text, ("host-17",), (Path("/"),))


def test_what_a_person_has_declared_may_leave(monkeypatch: pytest.MonkeyPatch) -> None:
    """A user's name that stands in the plan, as a contact for example, is no leak."""
    monkeypatch.setattr(leaks, "_user", lambda: "erika-m")
    assert "erika-m" in leaks.private_words("nothing")
    assert "erika-m" not in leaks.private_words("contact: erika-m@example.eu")


def test_a_full_disk_leaves_nothing_behind(made: making.Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When there is no room, there is one sentence and no half bundle."""

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(errors.StorageError, match="full disk"):
        rewritten(made, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_an_interrupt_leaves_nothing_behind(made: making.Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Control-C in the middle of writing leaves no file under the bundle's name, and no other."""

    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(archive, "write", stopped)
    with pytest.raises(KeyboardInterrupt):
        rewritten(made, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_name_stands_for_one_content(made: making.Made, tmp_path: Path) -> None:
    """Writing the same bundle again is fine; another content under the same name is refused (case B32)."""
    first = rewritten(made, tmp_path)
    assert rewritten(made, tmp_path) == first
    before = first.read_bytes()
    with pytest.raises(errors.StorageError, match="one content only"):
        write.write(made.folder, made.dossier, made.approval, made.key, tmp_path, "2026-11-20T11:00:00Z")
    assert first.read_bytes() == before


def test_odd_versions_give_safe_names(tmp_path: Path) -> None:
    """The bundle's name is a safe file name whatever the version says."""
    assert write.bundle_name("x-y", "1.0 beta/2", "ab" * 32) == "x-y-1.0_beta_2-abababab"
    path = tmp_path / "x.zip"
    archive.write(path, write.bundle_name("x", "../..", "ab" * 32), {"a": b""})
    assert archive.inspect(path).top.startswith("x-")


def test_a_document_with_a_script_does_not_leave(made: making.Made, tmp_path: Path, monkeypatch) -> None:
    """The writer lets nothing out that the reader would refuse."""
    monkeypatch.setattr(making, "REPORT", b"<html><script>alert(1)</script></html>")
    folder, found = making.run(tmp_path / "runs" / "r")
    with pytest.raises(errors.GateError, match="does nothing by itself"):
        write.write(folder, found, making.approve(folder, found, made.key), made.key, tmp_path / "out", making.CREATED)


def test_a_model_that_was_altered_is_noticed_while_it_is_copied(made: making.Made, tmp_path: Path) -> None:
    """The model is read once; another byte in it ends the release with nothing on the disk."""
    folder, found = making.run(tmp_path / "runs" / "r")
    approved = making.approve(folder, found, made.key)
    place = folder.path / "model/model.onnx"
    content = bytearray(place.read_bytes())
    content[-1] ^= 1
    place.write_bytes(content)
    with pytest.raises(errors.IntegrityError, match=r"model/model\.onnx: expected sha256.*nothing was written"):
        write.write(folder, found, approved, made.key, tmp_path / "out", making.CREATED)
    assert list((tmp_path / "out").iterdir()) == []


def test_each_byte_of_the_model_is_hashed_once(
    made: making.Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While writing, the model's file is opened once, and its content is not held in memory."""
    opened: list[Path] = []
    real = Path.open

    def counted(self: Path, *arguments: object, **named: object) -> object:
        if self.name == "model.onnx":
            opened.append(self)
        return real(self, *arguments, **named)  # type: ignore[arg-type]

    plan = made.dossier.plan
    alone = plan.model_copy(update={"bundle": plan.bundle.model_copy(update={"receivers": ()})})
    import dataclasses

    monkeypatch.setattr(Path, "open", counted)
    prepared = write.prepare(made.folder, dataclasses.replace(made.dossier, plan=alone), made.approval, making.CREATED)
    assert opened == []
    assert isinstance(prepared.payload[contents.MODEL].source, Path)
    write.seal(prepared, made.key, tmp_path)
    assert len(opened) == 1


def test_a_bundle_that_no_reader_would_open_is_not_written(tmp_path: Path) -> None:
    """Larger than what the reader reads: refused before a byte is written."""
    large = tmp_path / "large"
    with large.open("wb") as stream:
        stream.truncate(archive.LARGEST)
    with pytest.raises(errors.GateError, match="Export a smaller model"):
        archive.write(tmp_path / "x.zip", "x-1", {"data/model/model.onnx": large})
    assert not (tmp_path / "x.zip").exists()


def test_a_model_is_hashed_once_while_it_is_copied(
    made: making.Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its digest is made on the way into the archive, and nowhere else."""
    import hashlib

    content = (made.folder.path / "model/model.onnx").read_bytes()
    hashed: list[int] = []
    real = hashlib.sha256

    class Counting:
        def __init__(self, data: bytes = b"") -> None:
            self._real, self._seen = real(data), bytearray(data)

        def update(self, data: bytes) -> None:
            self._real.update(data)
            self._seen += data

        def digest(self) -> bytes:
            hashed.append(self._seen.count(content))
            return self._real.digest()

        def hexdigest(self) -> str:
            return self.digest().hex()

    prepared = write.prepare(made.folder, made.dossier, made.approval, making.CREATED)
    monkeypatch.setattr(hashlib, "sha256", Counting)
    written = write.seal(prepared, made.key, tmp_path)
    copies = sum(c == content for c in making.unpacked(written.path)[1].values())
    # The copy that Triton's repository wants is a file of its own, and counts again.
    assert sum(hashed) == copies, hashed
