"""The answer of a test facility about a bundle, and what of such answers a run has received."""

from __future__ import annotations

from typing import Literal, Self

import pydantic

from evidence import records
from evidence.rerun_records import Rerun

Verdict = Literal["reproduced", "not_reproduced", "cannot_tell", "refused"]
"""What was found about the bundle. None of them says anything about the law."""
WORDS: dict[Verdict, str] = {
    "reproduced": "Reproduced: what was measured again agrees with what was declared.",
    "not_reproduced": "Not reproduced: something that was measured again differs from what was declared.",
    "cannot_tell": "Cannot tell: what was measured again does not decide, or nothing was.",
    "refused": "Refused: the bundle was not accepted.",
}


class ReaderCheck(records.Record):
    """One check of the reader."""

    name: str
    status: records.Status
    text: str


class FacilityReport(records.Record):
    """A facility's answer. It is signed as a DSSE envelope with the facility's own key."""

    version: Literal[1] = 1
    format: Literal["proofline-facility-report"] = "proofline-facility-report"
    bundle_id: str | None
    """None where the bundle was refused before its index could be read."""
    bundle_sha256: records.Sha256
    """Of the ZIP file."""
    bundle_file: str
    sender_fingerprint: records.Sha256 | None
    """Of the key that the facility pinned; None where the signature was not its own."""
    bundle_is_demonstration: bool
    facility: str = pydantic.Field(min_length=2)
    person: str = pydantic.Field(min_length=2)
    role: str = pydantic.Field(min_length=2)
    test_environment: Literal["lab", "simulated", "sandbox", "real_world"]
    at: records.UtcTime
    software: str
    """What the bundle was checked with."""
    checks: tuple[ReaderCheck, ...]
    rerun: Rerun | None = None
    findings: tuple[str, ...] = ()
    """The facility's own, in its own words."""
    verdict: Verdict

    @pydantic.model_validator(mode="after")
    def _follows(self) -> Self:
        """The verdict says no more than the checks and the re-run carry."""
        held = bool(self.checks) and all(check.status == "pass" for check in self.checks)
        if not held and self.verdict != "refused":
            raise ValueError("a bundle that the reader does not accept can only be refused")
        if self.rerun is not None and self.rerun.bundle_sha256 != self.bundle_sha256:
            raise ValueError("the re-run is of another bundle")
        wanted = {"reproduced": "reproduced", "not_reproduced": "differs"}.get(self.verdict)
        if wanted and (self.rerun is None or self.rerun.status != wanted):
            found = "none" if self.rerun is None else self.rerun.status
            raise ValueError(f"the verdict '{self.verdict}' needs a re-run whose outcome is '{wanted}', got {found}")
        if self.verdict == "cannot_tell" and self.rerun is not None and self.rerun.status == "differs":
            raise ValueError("the re-run differs: the verdict is 'not_reproduced', or 'refused'")
        return self


class ReceivedReport(records.Record):
    """A facility's answer as the provider took it in."""

    report: records.ArtifactRef
    """The signed envelope, as it came."""
    facility: str
    person: str
    role: str
    at: records.UtcTime
    """When the facility signed, by its own word."""
    received_at: records.UtcTime
    key_fingerprint: records.Sha256
    """Of the facility's key, which the provider pinned."""
    bundle_id: str
    bundle_sha256: records.Sha256
    bundle_is_demonstration: bool
    test_environment: str
    verdict: Verdict
    verdict_in_words: str
    rows: int | None = None
    """Rows that were measured again; None where nothing was."""
    rows_of: Literal["bundle", "facility"] | None = None
    reproduced: int | None = None
    """Measures, by outcome of the comparison."""
    differs: int | None = None
    cannot_tell: int | None = None
    missed: tuple[str, ...] = ()
    """Thresholds of the provider that fail on those rows, `check@slice`. Empty in records of earlier versions."""
    findings: tuple[str, ...] = ()


class ReceivedRecord(records.Record):
    """Every answer that a run has received, in order."""

    version: Literal[1] = 1
    reports: tuple[ReceivedReport, ...]
