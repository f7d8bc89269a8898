"""Approval: who decided what about which run, bound to digests and signed. No form in a UI takes its place."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from configs import errors
from evidence import canonical, clock, ledger, lock, records, storage
from evidence.dossier import Dossier
from evidence.folder import RunFolder
from flows import workspace
from tef_export import approval as signing
from tef_export import keys

FILE = "approval.json"


@dataclasses.dataclass(frozen=True)
class Answers:
    """What the person stated."""

    person: str
    role: str
    reason: str
    decision: Literal["approved", "refused"]
    waivers: dict[tuple[str, str], str]
    """(check, slice) to the reason for accepting it."""
    expires: str | None = None


def parse_waivers(texts: tuple[str, ...]) -> dict[tuple[str, str], str]:
    """`CHECK[@SLICE]=REASON` to (check, slice) → reason.

    Raises:
        PlanError: A text has another form, or no reason.
    """
    found = {}
    for text in texts:
        target, equals, reason = text.partition("=")
        check, _, part = target.partition("@")
        if not equals or not reason.strip() or not check.strip():
            raise errors.PlanError(
                f"--waive {text}: expected CHECK=REASON or CHECK@SLICE=REASON, got no reason. "
                "Write why you accept it, for example --waive 'fairness.demographic_parity_difference@sex=…'."
            )
        found[check.strip(), part.strip() or "overall"] = reason.strip()
    return found


def decide(path: Path, answers: Answers, key_file: Path, ask_password: Callable[[], str]) -> records.Approval:
    """Sign a person's decision with their key and put it into the run folder."""
    key = keys.load_private(key_file, ask_password)
    return _record(path, answers, key, demonstration=False)


def demonstrate(path: Path) -> records.Approval:
    """A decision plainly marked as a demonstration, signed with a throw-away key. Approves nothing."""
    found = workspace.dossier(path)
    answers = Answers(
        person="Demonstration",
        role="nobody",
        reason="Demonstration run: nobody has read or approved this.",
        decision="approved",
        waivers={(r.check_id, r.slice): "Demonstration: accepted by nobody." for r in unmet(found.gate)},
    )
    return _record(path, answers, keys.demonstration_key(), demonstration=True)


def unmet(decision: records.GateDecision) -> tuple[records.GateReason, ...]:
    """The lines of the gate that need a waiver before a release."""
    return tuple(r for r in decision.reasons if r.required and r.status in ("fail", "inconclusive", "not_measured"))


def require(path: Path, found: Dossier) -> records.Approval:
    """The approval of a run, if it stands: signed, of this run and these documents, nothing unmet without a waiver.

    Raises:
        GateError: There is none, it refuses, it is of something else, or a waiver is absent or has expired.
        VerificationError: Its signature does not hold.
    """
    content = workspace.approval_of(path)
    if content is None:
        raise errors.GateError(
            f"release of {path.name}: expected an approval, got none. "
            f"Read the report, then `proofline approve {path.name}`."
        )
    approval = workspace.parse_record(content, records.Approval, FILE)
    signing.verify_approval(approval)
    if approval.decision != "approved":
        raise errors.GateError(
            f"release of {path.name}: expected an approval, got a refusal by {approval.person}: {approval.reason}. "
            "Change what was refused and start a new run."
        )
    _require_same(approval, path, found)
    _require_waivers(approval, found.gate, path)
    return approval


def fingerprint(approval: records.Approval) -> str:
    """Fingerprint of the key that signed."""
    return approval.signature.fingerprint if approval.signature else ""


def _record(path: Path, answers: Answers, key: keys.PrivateKey, *, demonstration: bool) -> records.Approval:
    found = workspace.dossier(path)
    folder = RunFolder(path)
    if found.document is None or found.close is None:
        raise errors.GateError(
            f"approval of {path.name}: expected a closed run, got one that is not finished. "
            f"Complete it with `proofline run {path} --resume`."
        )
    for document in found.document.documents:
        folder.checked(document)
    approval = signing.sign_approval(
        records.Approval(
            run_id=path.name,
            run_sha256=canonical.sha256_file(path / "run.json"),
            documents_sha256=found.document.digest,
            decision=answers.decision,
            person=answers.person,
            role=answers.role,
            reason=answers.reason,
            at=clock.now(),
            waivers=_waivers(answers, found.gate),
            demonstration=demonstration,
        ),
        key,
    )
    with storage.explained(f"approval of {path.name}"), lock.held(path / ".lock", what=f"run folder {path}"):
        chain = ledger.Ledger.open(path)
        reference = folder.write_record(FILE, approval)
        chain.append("approved", record=reference, details={"decision": approval.decision})
    return approval


def _waivers(answers: Answers, decision: records.GateDecision) -> tuple[records.Waiver, ...]:
    expires = answers.expires or (dt.datetime.now(dt.UTC).date() + dt.timedelta(days=90)).isoformat()
    try:
        dt.date.fromisoformat(expires)
    except ValueError:
        raise errors.PlanError(f"--expires {expires}: expected a date as 2027-01-31, got another form.") from None
    open_gates = {(r.check_id, r.slice) for r in unmet(decision)}
    for check, part in answers.waivers:
        if (check, part) not in open_gates:
            listed = ", ".join(f"{c}@{s}" for c, s in sorted(open_gates)) or "none"
            raise errors.PlanError(
                f"--waive {check}@{part}: expected a required gate that did not pass, got another. Open are: {listed}."
            )
    return tuple(
        records.Waiver(check_id=check, slice=part, person=answers.person, reason=reason, expires=expires)
        for (check, part), reason in answers.waivers.items()
    )


def _require_same(approval: records.Approval, path: Path, found: Dossier) -> None:
    assert found.document is not None  # noqa: S101 - an approval exists only for a closed run; checked by the digests
    now = {
        "run": (approval.run_sha256, canonical.sha256_file(path / "run.json")),
        "documents": (approval.documents_sha256, found.document.digest),
    }
    for name, (approved, is_now) in now.items():
        if approved != is_now:
            raise errors.GateError(
                f"release of {path.name}: expected the {name} that was approved ({approved[:12]}…), got "
                f"{is_now[:12]}…: "
                f"changed since {approval.at}. Restore it, or approve again."
            )


def _require_waivers(approval: records.Approval, decision: records.GateDecision, path: Path) -> None:
    today = dt.datetime.now(dt.UTC).date().isoformat()
    waived = {(w.check_id, w.slice) for w in approval.waivers if w.expires >= today}
    missing = [r for r in unmet(decision) if (r.check_id, r.slice) not in waived]
    if missing:
        first = missing[0]
        raise errors.GateError(
            f"release of {path.name}: expected every required gate to pass or to carry a waiver, got {len(missing)} "
            f"without, first {first.check_id}@{first.slice} ({first.status}): {first.text}. Improve the system, or "
            "have a named person accept it with `proofline approve --waive`."
        )
