"""The report of what leaves, and what does not leave."""

from __future__ import annotations

import dataclasses
import datetime as dt
import io
import json
import zipfile
import zlib
from pathlib import Path

import pytest
from rich.console import Console

from configs import errors, load
from configs.bundle import Bundle, RealWorldTest
from configs.system import Classification
from flows import leaving_view
from tef_export import leaving, payload, places, recipe, verify, write
from tests.tef_export import making

PAPERS = RealWorldTest(
    plan_id="RWT-2026-7",
    approval="Market surveillance authority of Musterland, reference 12",
    approved_on=dt.date(2026, 10, 1),
    registration="EU-RWT-000123",
    consent="kept by the data protection officer",
)


def prepared(made: making.Made) -> write.Prepared:
    return write.prepare(made.folder, made.dossier, made.approval, making.CREATED)


def test_what_is_reported_is_what_leaves(made: making.Made) -> None:
    """The report lists every file with the digest that the bundle holds; only what is made while sealing is missing."""
    found = prepared(made).leaving
    _, files = making.unpacked(made.path)
    listed = {file.path: file.sha256 for file in found.files}
    payload = {path: making.sha(content) for path, content in files.items() if path.startswith("data/")}
    sealed = {"data/bundle.json", places.CRATE, *places.ATTESTATIONS}
    assert listed == {path: digest for path, digest in payload.items() if path not in sealed}
    assert found.bytes == sum(file.size for file in found.files)
    assert set(found.by_role()) <= set(leaving.WORDS)
    assert found.bundle_id == made.written.bundle_id


def test_the_number_of_files_says_what_it_leaves_out(made: making.Made) -> None:
    """A reader who counts the files of the ZIP finds more, and is told which."""
    found, console = prepared(made).leaving, Console(record=True, width=200)
    leaving_view.show(found, console)
    line = next(text for text in console.export_text().splitlines() if text.startswith("In all"))
    assert f"{len(found.files)} files" in line
    _, files = making.unpacked(made.path)
    more = files.keys() - {file.path for file in found.files}
    kinds = {"bundle.json": "index", "ro-crate": "RO-Crate", "manifest": "manifests", "signatures/": "signatures"}
    for part, word in kinds.items():
        assert any(part in path for path in more)
        assert word in line


def test_nothing_is_written_by_preparing(made: making.Made) -> None:
    """A dry run leaves the run folder as it was."""
    before = {path: path.stat().st_mtime_ns for path in made.folder.path.rglob("*") if path.is_file()}
    prepared(made)
    assert {path: path.stat().st_mtime_ns for path in made.folder.path.rglob("*") if path.is_file()} == before


def test_the_report_says_who_is_named_and_what_stays(made: making.Made) -> None:
    """Persons with their capacity, features whose statistics leave, and what the plan and the law keep."""
    found = prepared(made).leaving
    assert found.persons[0] == "Erika Muster (compliance officer; approval)"
    assert "quality@diagnostics.example (contact of the provider)" in found.persons
    assert "age" in found.statistics_of
    assert not found.extremes
    assert found.test_rows == 0
    assert "test rows (bundle.include_test_data is false)" in found.stays
    assert json.loads(found.model_dump_json())["digest"] == found.digest


@pytest.mark.parametrize(("answer", "named"), [("yes", True), ("unknown", True), ("no", False)])
def test_a_bound_that_is_an_extreme_of_the_data_is_named(made: making.Made, answer: str, *, named: bool) -> None:
    """It leaves with the plan and tells a row; where the data are about no persons, extremes leave anyway."""
    data = made.dossier.plan.data
    bounded = {"bmi": {"minimum": 10.0, "maximum": 1.0}, "bp": {"minimum": 0.25, "maximum": 200.0}}
    columns = tuple(c.model_copy(update=bounded.get(c.name, {"minimum": None, "maximum": None})) for c in data.columns)
    provenance = data.provenance.model_copy(update={"personal_data": answer})
    data = data.model_copy(update={"columns": columns, "provenance": provenance})
    dossier = dataclasses.replace(made.dossier, plan=made.dossier.plan.model_copy(update={"data": data}))
    found = write.prepare(made.folder, dossier, made.approval, making.CREATED).leaving
    assert [bound.words() for bound in found.bounds] == (["bmi maximum 1 (1 row)"] if named else [])
    console = Console(record=True, width=400)
    leaving_view.show(found, console)
    text = console.export_text()
    sentence = (
        "bounds of the plan that are the very smallest or largest value: bmi maximum 1 (1 row); they travel with the"
    )
    assert (sentence in text) is named
    assert ("smallest and largest training values, but for those that are bounds of the plan (" in text) is named


def test_where_no_bound_is_an_extreme_nothing_is_said_of_bounds(made: making.Made) -> None:
    """The bounds of the shipped plan are the subject's; then the extremes stay without exception."""
    data = made.dossier.plan.data
    columns = tuple(c.model_copy(update={"minimum": -7.0 if c.minimum is not None else None}) for c in data.columns)
    plan = made.dossier.plan.model_copy(update={"data": data.model_copy(update={"columns": columns})})
    found = write.prepare(
        made.folder, dataclasses.replace(made.dossier, plan=plan), made.approval, making.CREATED
    ).leaving
    assert found.bounds == ()
    assert "smallest and largest training values (the data may be about persons)" in found.stays


def test_test_rows_are_announced_with_their_columns(tmp_path: Path) -> None:
    """Where rows leave, the report says how many and with which columns."""
    text = load.plan_path("diabetes_progression").read_text(encoding="utf-8")
    text = text.replace("include_test_data: false", "include_test_data: true, include_groups: true")
    found = prepared(making.bundle(tmp_path, making.real_key(), plan=text)).leaving
    assert found.test_rows == 100
    assert found.test_columns[-2:] == ("_row_group.age_group", "_row_slice.bmi")
    assert found.by_role()["test_rows"][0] == 1


@pytest.mark.parametrize(
    ("annex_iii", "state"), [("yes", "a high-risk system"), ("unknown", "a system whose class is still open")]
)
def test_no_test_in_the_real_world_without_its_papers(made: making.Made, annex_iii: str, state: str) -> None:
    """Art. 60(4): plan, approval and registration, or no release; an open class counts as high-risk."""
    plan = made.dossier.plan
    answers = Classification(
        ai_system="yes",
        outside_scope="no",
        annex_i_product="no",
        annex_iii_use=annex_iii,  # type: ignore[arg-type]
        annex_iii_point="5(b)" if annex_iii == "yes" else None,
        derogation_claimed="no",
        profiling="yes",
    )
    bundle = Bundle(test_environment="real_world")
    dossier = dataclasses.replace(
        made.dossier, plan=plan.model_copy(update={"bundle": bundle, "classification": answers})
    )
    with pytest.raises(errors.GateError, match=f"{state}.*60.4.*bundle.real_world"):
        write.prepare(made.folder, dossier, made.approval, making.CREATED)
    papers = bundle.model_copy(update={"real_world": PAPERS})
    complete = dataclasses.replace(dossier, plan=dossier.plan.model_copy(update={"bundle": papers}))
    assert write.prepare(made.folder, complete, made.approval, making.CREATED).leaving.test_environment == "real_world"


@pytest.mark.slow
def test_the_papers_stand_in_the_index_and_are_compared_with_the_plan(tmp_path: Path) -> None:
    """The facility sees plan id, approval and registration; an index that drops them is refused."""
    text = load.plan_path("diabetes_progression").read_text(encoding="utf-8")
    stated = "\n".join(f'    {name}: "{value}"' for name, value in PAPERS.model_dump(mode="json").items())
    text = text.replace(
        "bundle: {include_test_data: false, golden_rows: 8, test_environment: lab}",
        f"bundle:\n  test_environment: real_world\n  real_world:\n{stated}",
    )
    made = making.bundle(tmp_path, making.real_key(), plan=text)
    found = verify.verify(made.path, public_key=made.key.public_key(), at=making.NOW)
    assert found.ok, found.refusal
    assert found.manifest is not None
    assert found.manifest.real_world is not None
    assert found.manifest.real_world.registration == "EU-RWT-000123"
    top, files = making.unpacked(made.path)
    index = json.loads(files["data/bundle.json"])
    index["real_world"] = None
    files["data/bundle.json"] = json.dumps(index).encode()
    path = making.packed(tmp_path / "x.zip", top, making.resigned(top, making.recrated(files), made.key))
    refused = verify.verify(path, public_key=made.key.public_key(), at=making.NOW)
    assert "papers of the real-world test" in str(refused.refusal)


def test_a_large_model_does_not_stand_twice(made: making.Made, monkeypatch: pytest.MonkeyPatch) -> None:
    """Above the size of the register the Triton folder holds a note instead of a copy."""
    from configs.receivers import register

    known = register.load()
    small = known["triton"].model_copy(update={"values": {**known["triton"].values, "copy_model_up_to": 10}})
    monkeypatch.setattr(register, "load", lambda: {**known, "triton": small})
    paths = {file.path for file in prepared(made).leaving.files}
    assert places.TRITON_MODEL not in paths
    assert places.TRITON_NOTE in paths


def test_only_the_layouts_that_the_plan_asks_for_are_made(made: making.Made) -> None:
    """A plan can name fewer receivers, or none."""
    plan = made.dossier.plan
    alone = plan.model_copy(update={"bundle": plan.bundle.model_copy(update={"receivers": ("aisc",)})})
    dossier = dataclasses.replace(made.dossier, plan=alone)
    found = write.prepare(made.folder, dossier, made.approval, making.CREATED).leaving
    assert {file.path for file in found.files if file.role in ("layout", "model_copy")} == set(places.AISC)
    assert len(found.receivers) == 1


def test_the_edge_folder_holds_one_file_of_each_kind(made: making.Made) -> None:
    """The client of the edge farm takes the first file of each kind below a folder, and refuses empty ones."""
    _, files = making.unpacked(made.path)
    inside = {path: content for path, content in files.items() if path.startswith("data/model/")}
    for suffix in (".onnx", ".pbtxt", ".txt"):
        found = [content for path, content in inside.items() if path.endswith(suffix)]
        assert len(found) == 1
        assert found[0]


def test_receivers_are_dated_data() -> None:
    """Each entry of the register says where the format is written and when it was looked up."""
    from configs.receivers import register

    known = register.load()
    assert set(Bundle().receivers) <= set(known)
    assert all(entry.source.startswith("https://") and entry.checked.year >= 2026 for entry in known.values())


def test_the_recipe_is_in_the_report(made: making.Made) -> None:
    """The recipe's statistics are announced like any other file."""
    assert recipe.PLACE in {file.path for file in prepared(made).leaving.files}


def _pdf(metadata: bytes) -> bytes:
    """A PDF whose metadata stand in a deflated stream."""
    stream = zlib.compress(metadata)
    return b"%PDF-1.7\n1 0 obj\n<< /Filter /FlateDecode >>\nstream\n" + stream + b"\nendstream\nendobj\n%%EOF\n"


def _docx(metadata: bytes) -> bytes:
    """A DOCX whose properties name something."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("docProps/core.xml", b"<x>" + metadata + b"</x>")
    return packed.getvalue()


@pytest.mark.parametrize("pack", [_pdf, _docx])
def test_what_is_packed_inside_a_document_is_searched_too(made: making.Made, pack) -> None:
    """A path of this machine inside the deflated metadata of a document stops the release."""
    path = "data/documents/card" + (".pdf" if pack is _pdf else ".docx")
    found = dict(prepared(made).payload)
    found[path] = payload.entry(pack(b"nothing"))
    leaving.require_fit(made.folder, found, made.approval)
    found[path] = payload.entry(pack(b"made in /home/somebody/project"))
    with pytest.raises(errors.GateError, match="an absolute path of this machine"):
        leaving.require_fit(made.folder, found, made.approval)


def test_signed_statements_are_searched_before_they_are_packed(made: making.Made) -> None:
    """A path of this machine in what an attestation would state stops the release before anything is signed."""
    trained = made.dossier.trained.model_copy(update={"device": "/home/somebody/cuda"})
    dossier = dataclasses.replace(made.dossier, train=trained)
    with pytest.raises(errors.GateError, match=r"provenance/build\.intoto\.json.*an absolute path"):
        write.prepare(made.folder, dossier, made.approval, making.CREATED)
