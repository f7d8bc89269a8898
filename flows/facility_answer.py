"""A facility's answer, taken in at the provider's."""

from __future__ import annotations

from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec

from configs import errors
from evidence import canonical, clock, facility, ledger, lock, records, storage
from evidence.dossier import RECEIVED
from evidence.folder import RunFolder, parse_record
from flows import workspace
from tef_export import facility_report, keys

FOLDER = "received"


def receive(
    space: workspace.Workspace, file: Path, public: ec.EllipticCurvePublicKey
) -> tuple[Path, facility.ReceivedReport]:
    """Check an answer and put it into the run that released the bundle it speaks of.

    Args:
        space: Where the runs are.
        file: The signed answer.
        public: The facility's key, pinned.

    Returns:
        The run folder, and the entry.

    Raises:
        VerificationError: Another key, an altered answer, or one about a bundle that no run here has released.
        PlanError: It was received before.
        StorageError: The run folder cannot be written.
    """
    content = facility_report.read(file, "facility report")
    report = facility_report.opened(content, public)
    path, bundle_id = _run_of(space, report)
    with storage.explained(f"run folder {path}"), lock.held(path / ".lock", what=f"run folder {path}"):
        folder, chain = RunFolder(path), ledger.Ledger.open(path)
        before = workspace.received(path, chain)
        known = before.reports if before else ()
        digest = canonical.sha256_bytes(content)
        if any(entry.report.sha256 == digest for entry in known):
            raise errors.PlanError(f"facility report {file.name}: expected a new one, got one that {path.name} has.")
        # The number after the last: a file that an interrupted attempt left is overwritten, no entry names it.
        reference = folder.write_bytes(f"{FOLDER}/{len(known) + 1:03d}.json", content)
        entry = _entry(report, reference, keys.fingerprint(public), bundle_id)
        details = {"report_sha256": digest, "facility_key": entry.key_fingerprint, "verdict": entry.verdict}
        with folder.recording(RECEIVED, facility.ReceivedRecord(reports=(*known, entry))) as record:
            chain.append("received", record=record, details=details)
    return path, entry


def _run_of(space: workspace.Workspace, report: facility.FacilityReport) -> tuple[Path, str]:
    """The run whose ledger names the bundle as released, and the bundle's id."""
    for path in space.all():
        for line in ledger.Ledger.read(path).lines:
            if line.event == "released" and _bundle_sha256(path, line) == report.bundle_sha256:
                return path, str(line.details.get("bundle_id"))
    raise errors.VerificationError(
        f"facility report: expected one about a bundle that a run of {space.root} has released, got one about "
        f"{report.bundle_id or report.bundle_file} ({report.bundle_sha256[:12]}…). Use the workspace of that run."
    )


def _bundle_sha256(path: Path, line: ledger.Line) -> str | None:
    """Of the bundle that a line names; lines of earlier versions leave it to the record, until that is overwritten."""
    told = line.details.get("bundle_sha256")
    if told is not None or line.record is None:
        return str(told)
    place = path / line.record.path
    if not place.is_file() or canonical.sha256_file(place) != line.record.sha256:
        return None
    return parse_record(place.read_bytes(), records.BundleRecord, line.record.path).bundle.sha256


def _entry(
    report: facility.FacilityReport,
    reference: records.ArtifactRef,
    fingerprint: str,
    bundle_id: str,
) -> facility.ReceivedReport:
    rerun = report.rerun
    if report.bundle_id not in (None, bundle_id):
        raise errors.VerificationError(
            f"facility report: expected the bundle {bundle_id}, got {report.bundle_id}. Ask the facility for another."
        )
    return facility.ReceivedReport(
        report=reference,
        facility=report.facility,
        person=report.person,
        role=report.role,
        at=report.at,
        received_at=clock.now(),
        key_fingerprint=fingerprint,
        bundle_id=bundle_id,
        bundle_sha256=report.bundle_sha256,
        bundle_is_demonstration=report.bundle_is_demonstration,
        test_environment=report.test_environment,
        verdict=report.verdict,
        verdict_in_words=facility.WORDS[report.verdict],
        rows=rerun.data.rows if rerun else None,
        rows_of=rerun.data.origin if rerun else None,
        reproduced=rerun.counted("reproduced") if rerun else None,
        differs=rerun.counted("differs") if rerun else None,
        cannot_tell=rerun.counted("cannot_tell") if rerun else None,
        missed=tuple(f"{t.check_id}@{t.slice}" for t in rerun.thresholds if t.measured == "fail") if rerun else (),
        findings=report.findings,
    )
