"""Writing a bundle from a closed, approved run: what may leave, sealed in order, there whole or not at all.

Order of sealing: payload, `bundle.json`, the bag's manifests, the CAdES signature over them, the model signature over
everything, the ZIP. The receiver needs the key's fingerprint by another channel; the public key and its certificate
are written beside the ZIP for convenience.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import os
import re
import tempfile
from pathlib import Path

from cryptography.hazmat.primitives import serialization

from configs import errors
from evidence import canonical, records, storage
from evidence.dossier import STAGES, Dossier
from evidence.folder import MEDIA_TYPES, RunFolder, parse_record
from tef_export import approval as approvals
from tef_export import archive, bag, cades, contents, keys, leaks, manifest, oms, recipe_write

CARDS = ("documents/README.md", "documents/model_card.md", "documents/card.md")
"""Where the model card may stand among the documents; the first one found is the bundle's `README.md` too."""
SOFTWARE_AGENT = "proofline (bundle format 1)"


@dataclasses.dataclass(frozen=True)
class Written:
    """A bundle on the disk. It becomes a `BundleRecord` once the reader has verified it (`verify.bundle_record`)."""

    path: Path
    public_key: Path
    """PEM file beside the bundle."""
    certificate: Path
    """PEM file beside the bundle."""
    reference: records.ArtifactRef
    """Path inside the run folder where the bundle lies in it, else its file name."""
    bundle_id: str
    key_fingerprint: str
    demonstration: bool


def write(
    folder: RunFolder,
    dossier: Dossier,
    approval: records.Approval,
    key: keys.PrivateKey,
    destination: Path,
    created: str,
    *,
    demonstration: bool = False,
) -> Written:
    """Write the bundle of a run. Equal input, key and time give equal bytes.

    Args:
        folder: The run folder; each file that leaves must still have its recorded digest.
        dossier: Its records, closed and with documents.
        approval: A person's signed decision on exactly this run and these documents.
        key: The supplier's key. A demonstration key or approval marks the bundle as a demonstration.
        destination: Folder for `<bundle-id>.zip`, `.pub.pem` and `.crt.pem`.
        created: Time of sealing, UTC.
        demonstration: Mark the bundle as a demonstration in any case.

    Raises:
        GateError: The release is refused: no valid approval, or something would leave that must not.
        IntegrityError: A file of the run was altered.
        StorageError: The disk is full, read-only, or holds another bundle of that name.
    """
    run, documents = _require_approved(folder, dossier, approval)
    bundle_id = bundle_name(dossier.plan.system.id, dossier.plan.system.version, approval.run_sha256)
    payload = _payload(folder, dossier, run, documents, approval)
    _require_fit_to_leave(folder, payload, approval)
    marked = demonstration or key.demonstration or approval.demonstration
    index = _index(dossier, approval, key, payload, (bundle_id, created), demonstration=marked)
    payload[manifest.PLACE] = _readable(index)
    files = _seal(payload, index, dossier, key, created)
    path = destination / f"{bundle_id}.zip"
    with storage.explained(f"bundle {path}"):
        destination.mkdir(parents=True, exist_ok=True)
        _write_archive(path, bundle_id, files)
        public, certificate = _write_beside(path, key)
    return Written(
        path, public, certificate, _reference(folder, path), bundle_id, key.fingerprint, index.demonstration
    )  # fmt: skip


def bundle_name(system_id: str, version: str, run_sha256: str) -> str:
    """`<system>-<version>-<first eight digits of the digest of run.json>`, safe as a file name."""
    return f"{system_id}-{re.sub(r'[^A-Za-z0-9.]+', '_', version)[:24].strip('._')}-{run_sha256[:8]}"


def _require_approved(
    folder: RunFolder, dossier: Dossier, approval: records.Approval
) -> tuple[records.RunRecord, records.DocumentsRecord]:
    thing = f"release of run {dossier.run_id}"
    if dossier.close is None or dossier.document is None:
        raise errors.GateError(
            f"{thing}: expected a closed run with documents, got an unfinished one. Finish it first."
        )
    if approval.decision != "approved":
        raise errors.GateError(
            f"{thing}: expected an approval, got the refusal of {approval.person}. Its reason: {approval.reason}"
        )
    bound = {
        "run": (approval.run_id, dossier.close.run_id),
        "run's digest": (approval.run_sha256, approvals.run_digest(_read_run(folder, dossier.close))),
        "documents' digest": (approval.documents_sha256, dossier.document.digest),
    }
    for name, (approved, found) in bound.items():
        if approved != found:
            raise errors.GateError(
                f"{thing}: expected what {approval.person} approved, got another {name} ({approved[:12]}… approved, "
                f"{found[:12]}… found). Have this state approved."
            )
    try:
        approvals.verify_approval(approval)
    except errors.VerificationError as error:
        raise errors.GateError(f"{thing}: {error}") from None
    return dossier.close, dossier.document


def _payload(
    folder: RunFolder,
    dossier: Dossier,
    run: records.RunRecord,
    documents: records.DocumentsRecord,
    approval: records.Approval,
) -> dict[str, bytes]:
    """Everything that leaves, by its place in the bundle. Nothing else does."""
    model = dossier.exported
    payload = {
        contents.MODEL: _read(folder, model.onnx),
        f"{contents.GOLDEN}/input_0.pb": _read(folder, model.golden_input),
        contents.PLAN: _read_plan(folder, dossier.plan_sha256),
        contents.APPROVAL: _readable(approval),
        contents.LEDGER: _read_ledger(folder, run),
    }
    for number, output in enumerate(model.golden_outputs):
        payload[f"{contents.GOLDEN}/output_{number}.pb"] = _read(folder, output)
    for stage, place in contents.EVIDENCE.items():
        if stage in contents.LATER and stage not in run.records:
            continue
        payload[place] = _read_run(folder, run) if stage == "close" else _read(folder, _recorded(run, stage))
    for document in documents.documents:
        payload[f"data/{document.path}"] = _read(folder, document)
    card = next((f"data/{name}" for name in CARDS if f"data/{name}" in payload), None)
    if card is None:
        raise errors.GateError(
            f"release of run {dossier.run_id}: expected a model card among the documents ({', '.join(CARDS)}), got "
            "none. Render the documents again."
        )
    payload[contents.CARD] = payload[card]
    if dossier.plan.documents.licence:
        payload[contents.LICENCE] = f"SPDX-License-Identifier: {dossier.plan.documents.licence}\n".encode()
    return payload | recipe_write.make(folder, dossier)


def _recorded(run: records.RunRecord, stage: str) -> records.ArtifactRef:
    if stage not in run.records:
        raise errors.GateError(
            f"release of run {run.run_id}: expected a record of the stage {stage}, got none. Finish the run first."
        )
    return run.records[stage]


def _read(folder: RunFolder, reference: records.ArtifactRef) -> bytes:
    place = folder.at(reference.path)
    content = place.read_bytes() if place.is_file() else b""
    if canonical.sha256_bytes(content) != reference.sha256:
        folder.checked(reference)
    return content


def _read_plan(folder: RunFolder, sha256: str) -> bytes:
    reference = records.ArtifactRef(path="plan.yaml", sha256=sha256, size=0, media_type=MEDIA_TYPES[".yaml"])
    return _read(folder, reference)


def _read_run(folder: RunFolder, run: records.RunRecord) -> bytes:
    path = STAGES["close"][0]
    content = folder.at(path).read_bytes()
    if parse_record(content, records.RunRecord, path) != run:
        raise errors.IntegrityError(f"record {path}: expected the run that was approved, got another. Restore it.")
    return content


def _read_ledger(folder: RunFolder, run: records.RunRecord) -> bytes:
    """The ledger up to the run's end. What came after (approval, release) is not part of the run."""
    lines = folder.at("ledger.jsonl").read_bytes().split(b"\n")[: run.ledger_lines]
    if len(lines) != run.ledger_lines or canonical.sha256_bytes(lines[-1]) != run.ledger_head:
        raise errors.IntegrityError(
            f"ledger of run {run.run_id}: expected {run.ledger_lines} lines that end with {run.ledger_head[:12]}…, got "
            "others: it was altered. Restore it from a copy."
        )
    return b"\n".join(lines) + b"\n"


def _require_fit_to_leave(folder: RunFolder, payload: dict[str, bytes], approval: records.Approval) -> None:
    declared = payload[contents.PLAN].decode("utf-8") + approval.person + approval.reason
    words, folders = leaks.private_words(declared), (folder.path.resolve(), Path.cwd(), Path.home())
    for path, content in sorted(payload.items()):
        if contents.role(path) is None:
            raise errors.GateError(
                f"file {path}: expected only the kinds of file that the bundle format names, got another. "
                "It was not let out; nothing was written."
            )
        try:
            if path != contents.MODEL:
                contents.check_size(path, len(content))
            contents.check_content(path, content)
        except errors.VerificationError as error:
            raise errors.GateError(f"release: {error}") from None
        if path.rpartition(".")[2] in contents.TEXT_SUFFIXES:
            leaks.require_none(path, content.decode("utf-8"), words, folders)


def _index(
    dossier: Dossier,
    approval: records.Approval,
    key: keys.PrivateKey,
    payload: dict[str, bytes],
    named: tuple[str, str],
    *,
    demonstration: bool,
) -> manifest.BundleManifest:
    plan, system = dossier.plan, dossier.plan.system
    return manifest.BundleManifest(
        bundle_id=named[0],
        created=named[1],
        demonstration=demonstration,
        test_environment=plan.bundle.test_environment,
        system=manifest.SystemIdentity(
            id=system.id,
            name=system.name,
            version=system.version,
            provider=system.provider.name,
            intended_purpose=system.intended_purpose,
        ),
        run_id=dossier.run_id,
        gate=dossier.gate.outcome,
        model=_contract(dossier),
        digests=manifest.Digests(
            model=dossier.exported.onnx.sha256,
            plan=dossier.plan_sha256,
            commitment=canonical.sha256(dossier.commit),
            run=approval.run_sha256,
            documents=approval.documents_sha256,
            approval=canonical.sha256(approval),
        ),
        files=tuple(_file(path, payload[path]) for path in sorted(payload)),
        software=dossier.close.software if dossier.close else {},
        signer_fingerprint=key.fingerprint,
    )


def _contract(dossier: Dossier) -> manifest.ModelContract:
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


def _file(path: str, content: bytes) -> manifest.BundleFile:
    role = contents.role(path)
    if role is None:
        raise errors.GateError(f"file {path}: expected a kind of file that the bundle format names, got another.")
    suffix = Path(path).suffix
    kind = {"": "text/plain", ".jsonl": "application/jsonl", ".pdf": "application/pdf", ".css": "text/css",
            ".csv": "text/csv"}.get(suffix)  # fmt: skip
    return manifest.BundleFile(
        path=path,
        role=role,
        sha256=canonical.sha256_bytes(content),
        size=len(content),
        media_type=kind or MEDIA_TYPES.get(suffix, "application/octet-stream"),
    )


def _readable(record: records.Record) -> bytes:
    return record.model_dump_json(indent=2).encode("utf-8") + b"\n"


def _seal(
    payload: dict[str, bytes],
    index: manifest.BundleManifest,
    dossier: Dossier,
    key: keys.PrivateKey,
    created: str,
) -> dict[str, bytes]:
    digests = {file.path: file.sha256 for file in index.files}
    digests[manifest.PLACE] = canonical.sha256_bytes(payload[manifest.PLACE])
    fields = {
        "Source-Organization": dossier.plan.system.provider.name,
        "External-Identifier": index.bundle_id,
        "External-Description": f"{dossier.plan.system.name} {dossier.plan.system.version}",
        "Bagging-Date": created[:10],
        "Bag-Software-Agent": SOFTWARE_AGENT,
    }
    tags = {
        "bagit.txt": bag.DECLARATION,
        "bag-info.txt": bag.bag_info(fields, [len(content) for content in payload.values()]),
        bag.MANIFEST: bag.manifest(digests),
    }
    digests |= {name: canonical.sha256_bytes(content) for name, content in tags.items()}
    tags[bag.TAG_MANIFEST] = bag.manifest({name: digests[name] for name in bag.TAG_FILES})
    tags[cades.PLACE] = cades.sign(tags[bag.TAG_MANIFEST], key, dt.datetime.fromisoformat(created))
    for name in (bag.TAG_MANIFEST, cades.PLACE):
        digests[name] = canonical.sha256_bytes(tags[name])
    tags[oms.PLACE] = oms.sign(digests, index.bundle_id, key)
    return {**payload, **tags}


def _write_archive(path: Path, top: str, files: dict[str, bytes]) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
    os.close(handle)
    temporary = Path(name)
    try:
        archive.write(temporary, top, dict(files))
        with temporary.open("rb+") as stream:
            os.fsync(stream.fileno())
        if path.exists() and archive.sha256(path) != archive.sha256(temporary):
            raise errors.StorageError(
                f"bundle {path}: expected no bundle of this name, got one with other content; a name stands for one "
                "content only. Move the old one away, or choose another folder."
            )
        temporary.chmod(0o644)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _write_beside(path: Path, key: keys.PrivateKey) -> tuple[Path, Path]:
    public, certificate = path.with_suffix(".pub.pem"), path.with_suffix(".crt.pem")
    public.write_bytes(keys.public_pem(key.public_key()))
    certificate.write_bytes(key.certificate.public_bytes(serialization.Encoding.PEM))
    return public, certificate


def _reference(folder: RunFolder, path: Path) -> records.ArtifactRef:
    root, place = folder.path.resolve(), path.resolve()
    return records.ArtifactRef(
        path=place.relative_to(root).as_posix() if place.is_relative_to(root) else path.name,
        sha256=archive.sha256(path),
        size=path.stat().st_size,
        media_type="application/zip",
    )
