"""Writing a bundle from a closed, approved run: what may leave, sealed in order, there whole or not at all.

Order of sealing: payload with its attestations, `bundle.json`, the RO-Crate, the bag's manifests, the CAdES signature
over them, the model signature over everything, the ZIP. The receiver needs the key's fingerprint by another channel;
the public key and its certificate are written beside the ZIP for convenience.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import filecmp
import os
import re
import tempfile
from pathlib import Path

from cryptography.hazmat.primitives import serialization

from configs import errors
from evidence import canonical, records, storage
from evidence.dossier import AnyDossier
from evidence.folder import RunFolder
from evidence.language_dossier import LanguageDossier
from tef_export import approval as approvals
from tef_export import (
    archive,
    bag,
    cades,
    contents,
    keys,
    leaving,
    manifest,
    oms,
    payload,
    places,
    real_world,
    timestamp,
)
from tef_export.metadata import attestations, crate

SOFTWARE_AGENT = "proofline (bundle format 1)"


@dataclasses.dataclass(frozen=True)
class Written:
    """A bundle on the disk. It becomes a `BundleRecord` once the reader has verified it (`verify.bundle_record`)."""

    path: Path
    public_key: Path
    """PEM file beside the bundle."""
    certificate: Path
    """PEM file beside the bundle."""
    name: str
    """Path inside the run folder where the bundle lies in it, else its file name."""
    bundle_id: str
    key_fingerprint: str
    demonstration: bool


@dataclasses.dataclass(frozen=True)
class Prepared:
    """What would leave. Nothing has been written yet."""

    folder: RunFolder
    dossier: AnyDossier
    approval: records.Approval
    payload: payload.Payload
    created: str
    leaving: leaving.Leaving

    @property
    def bundle_id(self) -> str:
        """Name of the bundle."""
        return self.leaving.bundle_id


def write(
    folder: RunFolder,
    dossier: AnyDossier,
    approval: records.Approval,
    key: keys.PrivateKey,
    destination: Path,
    created: str,
    *,
    demonstration: bool = False,
) -> Written:
    """Prepare a bundle and seal it; see `prepare` and `seal`."""
    return seal(prepare(folder, dossier, approval, created), key, destination, demonstration=demonstration)


def prepare(folder: RunFolder, dossier: AnyDossier, approval: records.Approval, created: str) -> Prepared:
    """Collect what would leave, and refuse what must not. Writes nothing.

    Args:
        folder: The run folder; each file that leaves must still have its recorded digest.
        dossier: Its records, closed and with documents.
        approval: A person's signed decision on exactly this run and these documents.
        created: Time of sealing, UTC.

    Raises:
        GateError: The release is refused: no valid approval, no papers of a test in the real world, or something
            would leave that must not.
        IntegrityError: A file of the run was altered.
    """
    _require_approved(folder, dossier, approval)
    if missing := real_world.missing_papers(dossier.plan):
        raise errors.GateError(f"release of run {dossier.run_id}: {missing}")
    bundle_id = bundle_name(dossier.plan.system.id, dossier.plan.system.version, approval.run_sha256)
    found = payload.collect(folder, dossier, approval, (bundle_id, created))
    # The statements as they will be signed; inside their envelopes nobody could search them.
    stated = attestations.statements(_facts(dossier, found[contents.MODEL].sha256))
    unsigned = {path: payload.entry(canonical.to_bytes(statement)) for path, statement in stated.items()}
    leaving.require_fit(folder, found | unsigned, approval)
    return Prepared(
        folder, dossier, approval, found, created, leaving.report(folder, dossier, approval, found, bundle_id)
    )


def seal(
    prepared: Prepared,
    key: keys.PrivateKey,
    destination: Path,
    *,
    demonstration: bool = False,
    stamp: timestamp.Stamp | None = None,
) -> Written:
    """Sign and write what was prepared. Equal input, key and time give equal bytes.

    Where the key lies on a token, or an authority sets a timestamp, the signatures differ each time, and with them the
    digests of the attestations wherever they are listed. Nothing else does.

    Args:
        prepared: What leaves.
        key: The supplier's key. A demonstration key or approval marks the bundle as a demonstration.
        destination: Folder for `<bundle-id>.zip`, `.pub.pem` and `.crt.pem`.
        demonstration: Mark the bundle as a demonstration in any case.
        stamp: Asks an authority for a timestamp.

    Raises:
        MissingError: The authority does not answer.
        StorageError: The disk is full, read-only, or holds another bundle of that name.
    """
    marked = demonstration or key.demonstration or prepared.approval.demonstration
    files = dict(prepared.payload)
    signed = attestations.sealed(_facts(prepared.dossier, files[contents.MODEL].sha256), key)
    files |= {path: payload.entry(content) for path, content in signed.items()}
    index = _index(prepared, files, key, demonstration=marked)
    files[manifest.PLACE] = payload.entry(payload.readable(index))
    listed = [*index.files, manifest.own_line(files[manifest.PLACE].sha256, files[manifest.PLACE].size)]
    described = crate.build(_crate_facts(prepared.dossier), index, sorted(listed, key=lambda file: file.path))
    files[places.CRATE] = payload.entry(crate.text(described))
    leaving.require_fit(prepared.folder, {p: files[p] for p in (manifest.PLACE, places.CRATE)} | {
        contents.PLAN: files[contents.PLAN]}, prepared.approval)  # fmt: skip
    files = _bagged(files, index, prepared, key, stamp)
    path = destination / f"{prepared.bundle_id}.zip"
    with storage.explained(f"bundle {path}"):
        destination.mkdir(parents=True, exist_ok=True)
        _write_archive(path, prepared.bundle_id, files)
        public, certificate = _write_beside(path, key)
    name = _name(prepared.folder, path)
    return Written(path, public, certificate, name, prepared.bundle_id, key.fingerprint, index.demonstration)


def bundle_name(system_id: str, version: str, run_sha256: str) -> str:
    """`<system>-<version>-<first eight digits of the digest of run.json>`, safe as a file name."""
    return f"{system_id}-{re.sub(r'[^A-Za-z0-9.]+', '_', version)[:24].strip('._')}-{run_sha256[:8]}"


def _require_approved(folder: RunFolder, dossier: AnyDossier, approval: records.Approval) -> None:
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
        "run's digest": (approval.run_sha256, approvals.run_digest(payload.closed_run(folder, dossier.close))),
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


def _index(
    prepared: Prepared, files: payload.Payload, key: keys.PrivateKey, *, demonstration: bool
) -> manifest.BundleManifest:
    dossier, approval = prepared.dossier, prepared.approval
    plan, system = dossier.plan, dossier.plan.system
    return manifest.BundleManifest(
        bundle_id=prepared.bundle_id,
        created=prepared.created,
        demonstration=demonstration,
        test_environment=plan.bundle.test_environment,
        real_world=manifest.RealWorldPapers.of(plan),
        system=manifest.SystemIdentity(
            id=system.id,
            name=system.name,
            version=system.version,
            provider=system.provider.name,
            intended_purpose=system.intended_purpose,
        ),
        run_id=dossier.run_id,
        gate=dossier.gate.outcome,
        model=payload.contract(dossier),
        digests=manifest.Digests(
            model=dossier.exported.onnx.sha256,
            plan=dossier.plan_sha256,
            commitment=canonical.sha256(dossier.commit),
            run=approval.run_sha256,
            documents=approval.documents_sha256,
            approval=canonical.sha256(approval),
        ),
        files=tuple(payload.listed(path, files[path]) for path in sorted(files)),
        software=dossier.close.software if dossier.close else {},
        signer_fingerprint=key.fingerprint,
    )


def _facts(dossier: AnyDossier, model_sha256: str) -> attestations.Facts:
    if dossier.close is None:
        raise errors.GateError(f"release of run {dossier.run_id}: expected a closed run, got an unfinished one.")
    return attestations.Facts(
        run=dossier.close,
        train=dossier.trained,
        dataset=dossier.ingest,
        gate=dossier.gate,
        plan_sha256=dossier.plan_sha256,
        model_sha256=model_sha256,
    )


def _crate_facts(dossier: AnyDossier) -> crate.Facts:
    if dossier.close is None:
        raise errors.GateError(f"release of run {dossier.run_id}: expected a closed run, got an unfinished one.")
    of_text = isinstance(dossier, LanguageDossier)
    return crate.Facts(dossier.close, dossier.evaluate, dossier.plan.documents.licence, of_text)


def _bagged(
    files: payload.Payload, index: manifest.BundleManifest, prepared: Prepared, key: keys.PrivateKey,
    stamp: timestamp.Stamp | None,
) -> payload.Payload:  # fmt: skip
    """The payload with the bag's tag files, both signatures, and the timestamp where one is asked for."""
    system = prepared.dossier.plan.system
    fields = {
        "BagIt-Profile-Identifier": bag.PROFILE_IDENTIFIER,
        "Source-Organization": system.provider.name,
        "External-Identifier": index.bundle_id,
        "External-Description": f"{system.name} {system.version}",
        "Bagging-Date": prepared.created[:10],
        "Bag-Software-Agent": SOFTWARE_AGENT,
    }
    digests = {path: one.sha256 for path, one in files.items()}
    tags = {
        "bagit.txt": payload.entry(bag.DECLARATION),
        "bag-info.txt": payload.entry(bag.bag_info(fields, [one.size for one in files.values()])),
        bag.MANIFEST: payload.entry(bag.manifest(digests)),
    }
    listed = bag.manifest({name: tags[name].sha256 for name in bag.TAG_FILES})
    tags[bag.TAG_MANIFEST] = payload.entry(listed)
    tags[cades.PLACE] = payload.entry(cades.sign(listed, key, dt.datetime.fromisoformat(prepared.created)))
    if stamp is not None:
        tags[timestamp.PLACE] = payload.entry(stamp(listed))
    digests |= {name: one.sha256 for name, one in tags.items()}
    tags[oms.PLACE] = payload.entry(oms.sign(digests, index.bundle_id, key))
    return {**files, **tags}


def _write_archive(path: Path, top: str, files: payload.Payload) -> None:
    """Write the archive, there whole or not at all."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
    os.close(handle)
    temporary = Path(name)
    try:
        digests = {path: one.sha256 for path, one in files.items()}
        archive.write(temporary, top, {path: one.source for path, one in files.items()}, digests)
        with temporary.open("rb+") as stream:
            os.fsync(stream.fileno())
        if path.exists() and not filecmp.cmp(path, temporary, shallow=False):
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


def _name(folder: RunFolder, path: Path) -> str:
    root, place = folder.path.resolve(), path.resolve()
    return place.relative_to(root).as_posix() if place.is_relative_to(root) else path.name
