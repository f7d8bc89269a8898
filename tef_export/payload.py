"""What leaves: the files of a run by their place in the bundle, each read and hashed once."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from configs import errors
from evidence import canonical, records
from evidence.dossier import STAGES, AnyDossier, Dossier
from evidence.folder import MEDIA_TYPES, RunFolder, parse_record
from evidence.language_dossier import LanguageDossier
from tef_export import coherence, contents, manifest, places, recipe_write, tensor_file
from tef_export.language import payload as language
from tef_export.metadata import bom, sbom
from tef_export.receivers import layouts
from tef_export.receivers.subject import Subject

CARDS = ("documents/README.md", "documents/model_card.md", "documents/card.md")
"""Where the model card may stand among the documents; the first one found is the bundle's `README.md` too."""
_MEDIA = {
    "": "text/plain",
    ".jsonl": "application/jsonl",
    ".pdf": "application/pdf",
    ".css": "text/css",
    ".csv": "text/csv",
    ".pbtxt": "text/plain",
}


@dataclasses.dataclass(frozen=True)
class Entry:
    """One file that leaves."""

    source: bytes | Path
    """Its content, or the file that holds it: a model may be too large for memory."""
    sha256: str
    size: int


Payload = dict[str, Entry]


def entry(content: bytes) -> Entry:
    """Content that is held in memory."""
    return Entry(content, canonical.sha256_bytes(content), len(content))


def listed(path: str, found: Entry) -> manifest.BundleFile:
    """The line of `bundle.json` for a file.

    Raises:
        GateError: The bundle format names no such kind of file.
    """
    role = contents.role(path)
    if role is None:
        raise errors.GateError(f"file {path}: expected a kind of file that the bundle format names, got another.")
    suffix = Path(path).suffix
    return manifest.BundleFile(
        path=path,
        role=role,
        sha256=found.sha256,
        size=found.size,
        media_type=_MEDIA.get(suffix) or MEDIA_TYPES.get(suffix, "application/octet-stream"),
    )


def collect(folder: RunFolder, dossier: AnyDossier, approval: records.Approval, named: tuple[str, str]) -> Payload:
    """Everything that leaves but `bundle.json`, the attestations and the RO-Crate. Nothing else does.

    Args:
        folder: The run folder; each file that leaves must still have its recorded digest.
        dossier: Its records, closed and with documents.
        approval: The approval.
        named: Name of the bundle, and the time of sealing.

    Raises:
        GateError: Something that the bundle needs is missing, or something would leave that must not.
        IntegrityError: A file of the run was altered.
    """
    found = _recorded(folder, dossier, approval)
    asked = language.make if isinstance(dossier, LanguageDossier) else recipe_write.make
    found |= {path: entry(content) for path, content in asked(folder, dossier).items()}  # type: ignore[arg-type]
    found |= _bills(folder, dossier, named)
    return found if isinstance(dossier, LanguageDossier) else found | _layouts(dossier, found, named)


def contract(dossier: AnyDossier) -> manifest.ModelContract:
    """What goes into the model and what comes out, with the ranges that the plan allows and not those of the data."""
    return language.contract(dossier) if isinstance(dossier, LanguageDossier) else _of_table(dossier)


def _of_table(dossier: Dossier) -> manifest.ModelContract:
    encoded, model = dossier.encode, dossier.exported
    features = []
    for feature in encoded.features:
        column = dossier.plan.data.column(feature.name)
        features.append(
            manifest.InputFeature(
                **feature.model_dump(include={"name", "kind", "integer", "unit", "categories", "labels"}),
                minimum=column.minimum if column else None,
                maximum=column.maximum if column else None,
            )
        )
    return manifest.ModelContract(
        task=encoded.task,
        opset=model.opset,
        ir_version=model.ir_version,
        inputs=model.inputs,
        outputs=model.outputs,
        features=tuple(features),
        classes=encoded.classes,
        target=encoded.target,
        target_unit=encoded.target_unit,
        threshold=dossier.trained.threshold,
    )


def readable(record: records.Record) -> bytes:
    """A record as it stands in a bundle."""
    return record.model_dump_json(indent=2).encode("utf-8") + b"\n"


def _recorded(folder: RunFolder, dossier: AnyDossier, approval: records.Approval) -> Payload:
    run, documents, model = _closed(dossier), _documents(dossier), dossier.exported
    found = {
        contents.MODEL: _large(folder, model.onnx),
        contents.PLAN: _read(folder, _plan(dossier)),
        contents.APPROVAL: entry(readable(approval)),
        contents.LEDGER: entry(_ledger(folder, run)),
    }
    evidence = contents.EVIDENCE
    if isinstance(dossier, LanguageDossier):
        evidence = contents.LANGUAGE_EVIDENCE
        found[contents.TOKENIZER] = _read(folder, dossier.exported.tokenizer)
        found[contents.CONFIG] = _read(folder, dossier.exported.config)
    for number, given in enumerate(model.golden_given):
        found[f"{contents.GOLDEN}/input_{number}.pb"] = _read(folder, given)
    for number, output in enumerate(model.golden_outputs):
        found[f"{contents.GOLDEN}/output_{number}.pb"] = _read(folder, output)
    for stage, place in evidence.items():
        if isinstance(dossier, Dossier) and stage in contents.LATER and stage not in run.records:
            continue
        found[place] = entry(closed_run(folder, run)) if stage == "close" else _read(folder, _record_of(run, stage))
    for result in dossier.results():
        if result.check_id == coherence.PROPERTIES:
            found |= {f"data/{kept.path}": _read(folder, kept) for kept in result.artifacts}
    for document in documents.documents:
        found[f"data/{document.path}"] = _read(folder, document)
    for draft in approval.declaration:
        found[f"{contents.DECLARATION}/{Path(draft.path).name}"] = _read(folder, draft)
    card = next((f"data/{name}" for name in CARDS if f"data/{name}" in found), None)
    if card is None:
        raise errors.GateError(
            f"release of run {dossier.run_id}: expected a model card among the documents ({', '.join(CARDS)}), got "
            "none. Render the documents again."
        )
    found[contents.CARD] = found[card]
    if dossier.plan.documents.licence:
        found[contents.LICENCE] = entry(f"SPDX-License-Identifier: {dossier.plan.documents.licence}\n".encode())
    return found


def _bills(folder: RunFolder, dossier: AnyDossier, named: tuple[str, str]) -> Payload:
    """The bills of materials."""
    run = _closed(dossier)
    environment = folder.read_record(run.environment, records.Environment) if run.environment else None
    return {
        places.BOM: entry(bom.text(bom.build(dossier, *named))),
        places.SBOM: entry(bom.text(sbom.build(dossier, environment, *named))),
    }


def _layouts(dossier: Dossier, found: Payload, named: tuple[str, str]) -> Payload:
    """The receivers' layouts."""
    model, wanted = found[contents.MODEL], dossier.plan.bundle.receivers
    golden = dict(
        tensor_file.read(given.source, path)
        for path, given in found.items()
        if path.startswith(f"{contents.GOLDEN}/") and isinstance(given.source, bytes)
    )
    subject = Subject(
        plan=dossier.plan,
        bundle_id=named[0],
        created=named[1],
        contract=contract(dossier),
        model_sha256=model.sha256,
        model_size=model.size,
        golden=golden,
    )
    made = {path: entry(content) for path, content in layouts.make(subject, wanted).items()}
    return made | ({places.TRITON_MODEL: model} if layouts.copies_model(subject, wanted) else {})


def _closed(dossier: AnyDossier) -> records.RunRecord:
    if dossier.close is None:
        raise errors.GateError(f"release of run {dossier.run_id}: expected a closed run, got an unfinished one.")
    return dossier.close


def _documents(dossier: AnyDossier) -> records.DocumentsRecord:
    if dossier.document is None:
        raise errors.GateError(f"release of run {dossier.run_id}: expected documents, got none. Finish the run.")
    return dossier.document


def _record_of(run: records.RunRecord, stage: str) -> records.ArtifactRef:
    if stage not in run.records:
        raise errors.GateError(
            f"release of run {run.run_id}: expected a record of the stage {stage}, got none. Finish the run first."
        )
    return run.records[stage]


def _read(folder: RunFolder, reference: records.ArtifactRef) -> Entry:
    place = folder.at(reference.path)
    found = entry(place.read_bytes() if place.is_file() else b"")
    if found.sha256 != reference.sha256:
        folder.checked(reference)
    return found


def _large(folder: RunFolder, reference: records.ArtifactRef) -> Entry:
    """A file that is not read now: its digest is that of its record, and is compared while it is copied."""
    place = folder.at(reference.path)
    if not place.is_file() or place.stat().st_size != reference.size:
        folder.checked(reference)
    return Entry(place, reference.sha256, reference.size)


def _plan(dossier: AnyDossier) -> records.ArtifactRef:
    return records.ArtifactRef(path="plan.yaml", sha256=dossier.plan_sha256, size=0, media_type=MEDIA_TYPES[".yaml"])


def closed_run(folder: RunFolder, run: records.RunRecord) -> bytes:
    """`run.json` as it stands in the folder.

    Raises:
        IntegrityError: It is not this run's.
    """
    path = STAGES["close"][0]
    content = folder.at(path).read_bytes()
    if parse_record(content, records.RunRecord, path) != run:
        raise errors.IntegrityError(f"record {path}: expected the run that was approved, got another. Restore it.")
    return content


def _ledger(folder: RunFolder, run: records.RunRecord) -> bytes:
    """The ledger up to the run's end. What came after (approval, release) is not part of the run."""
    lines = folder.at("ledger.jsonl").read_bytes().split(b"\n")[: run.ledger_lines]
    if len(lines) != run.ledger_lines or canonical.sha256_bytes(lines[-1]) != run.ledger_head:
        raise errors.IntegrityError(
            f"ledger of run {run.run_id}: expected {run.ledger_lines} lines that end with {run.ledger_head[:12]}…, got "
            "others: it was altered. Restore it from a copy."
        )
    return b"\n".join(lines) + b"\n"
