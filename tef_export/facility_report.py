"""Sealing a facility's answer, and opening one: a DSSE envelope, signed with the facility's own key."""

from __future__ import annotations

import json
from importlib import metadata
from pathlib import Path

import pydantic
from cryptography.hazmat.primitives.asymmetric import ec

from configs import errors, placeholders
from evidence import canonical, clock, facility, record_base
from evidence.rerun_records import Rerun
from tef_export import dsse, keys, strict_json, verify

TYPE = "application/vnd.proofline.facility-report.v1+json"
SCHEMA = Path(__file__).with_name("facility_report_schema.json")
_THING = "facility report"


def make(
    answer: verify.Verification,
    *,
    who: tuple[str, str, str],
    test_environment: str,
    verdict: str,
    rerun: Rerun | None = None,
    findings: tuple[str, ...] = (),
) -> facility.FacilityReport:
    """The answer about a bundle.

    Args:
        answer: What the reader said.
        who: Facility, person, role.
        test_environment: `lab`, `simulated`, `sandbox` or `real_world`.
        verdict: See `facility.Verdict`.
        rerun: Outcome of a re-run of this bundle.
        findings: The facility's own.

    Raises:
        PlanError: Something is not stated, or the verdict says more than the checks and the re-run carry.
    """
    for what, said in zip(("facility", "person", "role"), who, strict=True):
        if blank := placeholders.in_words(said):
            raise errors.PlanError(f"{_THING}, {what}: expected a name, got {blank!r}, a placeholder. Say who it is.")
    for said in findings:
        if blank := placeholders.in_sentence(said):
            raise errors.PlanError(
                f"{_THING}, finding: expected what you found, got {blank!r}, a placeholder. Say it, or leave it out."
            )
    index = answer.manifest
    content = {
        "bundle_id": index.bundle_id if index else None,
        "bundle_sha256": answer.sha256,
        "bundle_file": answer.bundle,
        "sender_fingerprint": answer.key_fingerprint,
        "bundle_is_demonstration": answer.demonstration,
        **dict(zip(("facility", "person", "role"), who, strict=True)),
        "test_environment": test_environment,
        "at": clock.now(),
        "software": f"proofline {metadata.version('proofline')}",
        "checks": [{"name": c.name, "status": c.status, "text": c.text} for c in answer.checks],
        "rerun": rerun,
        "findings": findings,
        "verdict": verdict,
    }
    try:
        return facility.FacilityReport.model_validate(content)
    except pydantic.ValidationError as error:
        raise errors.PlanError(f"{_THING}{_first(error)}. Correct it.") from None


def read_rerun(path: Path) -> Rerun:
    """An outcome that `rerun --output` wrote.

    Raises:
        MissingError: There is no such file.
        DataError: It is no such outcome.
    """
    content = read(path, "outcome of a re-run")
    try:
        strict_json.parse(content, path.name)
        return Rerun.model_validate_json(content)
    except (pydantic.ValidationError, errors.VerificationError) as error:
        text = _first(error) if isinstance(error, pydantic.ValidationError) else f": {error}"
        raise errors.DataError(f"outcome of a re-run {path.name}{text}. Run `proofline rerun` again.") from None


def read(path: Path, thing: str) -> bytes:
    """A file that somebody sent, at most as large as an envelope.

    Raises:
        MissingError: There is no such file.
        DataError: It is larger.
    """
    if not path.is_file():
        raise errors.MissingError(f"{thing} {path}: expected a file, got none. Check the path.")
    with path.open("rb") as stream:
        content = stream.read(dsse.LARGEST + 1)
    if len(content) > dsse.LARGEST:
        raise errors.DataError(f"{thing} {path.name}: expected at most {dsse.LARGEST} bytes, got more. Do not use it.")
    return content


def seal(report: facility.FacilityReport, key: keys.PrivateKey) -> bytes:
    """The signed envelope.

    Raises:
        PlanError: The report is larger than an envelope may be.
    """
    content = canonical.to_bytes(report)
    if len(content) > dsse.LARGEST // 2:
        raise errors.PlanError(f"{_THING}: expected at most {dsse.LARGEST // 2} bytes, got {len(content)}. Shorten it.")
    return dsse.seal(content, TYPE, key)


def opened(content: bytes, public: ec.EllipticCurvePublicKey) -> facility.FacilityReport:
    """The answer in an envelope that the pinned key signed.

    Raises:
        VerificationError: Another key, an altered content, or no such answer.
    """
    try:
        document = dsse.opened(content, public, _THING, TYPE, "unclear")
    except errors.VerificationError as error:
        said = str(error).replace("Do not use the bundle.", "Do not rely on it.")
        raise errors.VerificationError(said, error.looks) from None
    try:
        return facility.FacilityReport.model_validate_json(json.dumps(document))
    except pydantic.ValidationError as error:
        raise errors.VerificationError(f"{_THING}{_first(error)}. Ask the facility for another.") from None


def _first(error: pydantic.ValidationError) -> str:
    problem = error.errors(include_url=False)[0]
    where = ".".join(str(part) for part in problem["loc"])
    found = problem["msg"].removeprefix("Value error, ")
    return f"{', ' if where else ''}{where}: expected a coherent answer, got: {found}"


def schema_text() -> str:
    """The JSON Schema of an answer, as it is committed."""
    return record_base.schema_text(facility.FacilityReport)


if __name__ == "__main__":
    SCHEMA.write_text(schema_text(), encoding="utf-8")
