"""`release`: check everything, write the bundle, verify it with the receiver's reader, mark the model as released."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

from configs import errors
from evidence import clock, ledger, lock, records, storage
from evidence.folder import RunFolder
from flows import approval, stages, workspace
from tef_export import keys, timestamp, verify, write


@dataclasses.dataclass(frozen=True)
class Released:
    """What a release came to."""

    record: records.BundleRecord
    written: write.Written
    verification: verify.Verification


def check(path: Path) -> tuple[Any, records.Approval]:
    """Refuse a release when the ledger, a record, the gate or the approval does not hold.

    What leaves is compared with its digest where it is read, the model, which may be large, while it is copied.

    Raises:
        IntegrityError: The ledger, a record or an artefact was altered.
        GateError: No standing approval.
    """
    found = workspace.dossier(path)
    if found.close is None or found.document is None:
        raise errors.GateError(
            f"release of {path.name}: expected a closed run, got one that is not finished. "
            f"Complete it with `proofline run {path} --resume`."
        )
    if found.export is None:
        raise errors.GateError(
            f"release of {path.name}: expected a model to ship, got an evaluation of predictions that were given "
            "without one. Its report and card stand in documents/; a bundle needs a run that trains the model."
        )
    return found, approval.require(path, found)


@dataclasses.dataclass(frozen=True)
class Shown:
    """What would leave, and the state of the run in which it was looked at."""

    prepared: write.Prepared
    head: str
    """Digest of the last line of the ledger."""


def prepare(path: Path, *, demonstration: bool) -> Shown:
    """Check everything and collect what would leave. Writes nothing.

    Raises:
        GateError: The release is refused.
        IntegrityError: Something of the run was altered.
    """
    chain = ledger.Ledger.read(path)
    stages.require_whole(path, chain)
    found, approved = check(path)
    if approved.demonstration and not demonstration:
        raise errors.GateError(
            f"release of {path.name}: expected an approval by a person, got a demonstration. "
            "Approve it with your key, or release it with --demonstration."
        )
    return Shown(write.prepare(RunFolder(path), found, approved, _created(chain)), chain.head)


def release(
    path: Path,
    shown: Shown,
    key: keys.PrivateKey,
    *,
    destination: Path,
    demonstration: bool,
    stamp: timestamp.Stamp | None = None,
) -> Released:
    """Write what was shown, verify it with the receiver's reader. A bundle that the reader refuses is removed again.

    Args:
        path: The run folder.
        shown: What leaves, as a person has seen it: no file is read or hashed again.
        key: The key that signs.
        destination: Folder for the bundle.
        demonstration: Mark the bundle as a demonstration.
        stamp: Asks an authority for a timestamp.

    Raises:
        GateError: Something was done to the run since it was shown.
        IntegrityError: The model was altered.
        VerificationError: The reader refuses what was written.
    """
    with storage.explained(f"bundle in {destination}"), lock.held(path / ".lock", what=f"run folder {path}"):
        folder, chain = RunFolder(path), ledger.Ledger.open(path)
        if chain.head != shown.head:
            raise errors.GateError(
                f"release of {path.name}: expected to write what was shown, got another state of the run: it was "
                "changed since. Nothing was written; release again."
            )
        written = write.seal(shown.prepared, key, destination, demonstration=demonstration, stamp=stamp)
        verification = verify.verify(written.path, public_key=key.public_key(), allow_demonstration=True)
        try:
            record = verify.bundle_record(written.name, written.path.stat().st_size, verification, clock.now())
        except errors.VerificationError:
            for refused in (written.path, written.public_key, written.certificate):
                refused.unlink(missing_ok=True)
            raise
        left = folder.write_record("bundle/leaving.json", shown.prepared.leaving)
        details = {
            "bundle_id": record.bundle_id,
            "bundle_sha256": record.bundle.sha256,
            "leaving_sha256": left.sha256,
        }
        with folder.recording("bundle/record.json", record) as reference:
            chain.append("released", record=reference, details=details)
    return Released(record, written, verification)


def _created(chain: ledger.Ledger) -> str:
    """The time of the approval: the same approval gives the same bundle, byte for byte."""
    return next(line.at for line in reversed(chain.lines) if line.event == "approved")


def mark(path: Path, record: records.BundleRecord, uri: str) -> None:
    """Set the alias `released` on the registered model and the bundle's digest on the run."""
    from evidence import lineage

    chain = ledger.Ledger.read(path)
    mirrored = [line for line in chain.lines if line.event == "mirrored"]
    reference = (
        lineage.LineageRef.model_validate(mirrored[-1].details)
        if mirrored
        else lineage.mirror(RunFolder(path), workspace.dossier(path), uri)
    )
    lineage.set_released(uri, reference, record.bundle.sha256)


def under_prefect(space: Path, body: Callable[[], Released]) -> Released:
    """Run the release as the Prefect flow `release`."""
    from flows import engine

    found: Released = engine.run_flow("release", body, workspace=space)
    return found
