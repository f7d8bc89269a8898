"""Approval: who decided what about which run, bound to digests and signed. No form in a UI takes its place."""

from __future__ import annotations

import dataclasses
import datetime as dt
import difflib
from collections.abc import Container, Iterable
from pathlib import Path
from typing import Literal

from configs import errors, placeholders
from configs.law import classify
from evidence import canonical, clock, ledger, lock, records, storage
from evidence.dossier import AnyDossier, Dossier
from evidence.folder import RunFolder
from flows import altered, gap_counts, stages, workspace
from model_cards import declaring
from tef_export import approval as signing
from tef_export import keys

FOLDER = "approvals"
"""Decisions by number; none is ever overwritten. The ledger says which is the last."""
FEWEST_WORDS = 3
"""Words of a reason: less is no sentence that anybody could repeat."""
FEWEST_LETTERS = 2
DEFAULT_DAYS = 90
"""How long a waiver holds where the person names no date."""
LONGEST_DAYS = 366
"""A waiver that shall hold longer is a change of the policy: it belongs into the plan."""


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
    overturn: bool = False
    """Approve although the run was refused before."""


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


def decide(path: Path, answers: Answers, key: keys.PrivateKey) -> records.Approval:
    """Sign a person's decision with their key and put it into the run folder.

    Raises:
        PlanError: A refusal with waivers, an unknown waiver, or an expiry date that is past or too far away.
        GateError: The run was refused before, or a required gate is open and has no waiver.
    """
    require_words("approval, person", answers.person)
    require_words("approval, role", answers.role)
    require_reason(answers.reason)
    stages.require_whole(path, ledger.Ledger.read(path))
    found = workspace.dossier(path)
    require_fit(path, found, answers)
    if answers.decision == "approved":
        require_waived(path, answers.waivers, found.gate)
    return _record(path, answers, key, demonstration=False)


def require_fit(path: Path, found: AnyDossier, answers: Answers) -> None:
    """Does what a person states fit the run? Says nothing of gates that have no waiver yet (`require_waived`).

    Raises:
        PlanError: A refusal with waivers, an unknown waiver or one without a reason, or an expiry date that is past or
            too far away.
        GateError: The run was refused before.
    """
    if answers.decision == "refused" and answers.waivers:
        raise errors.PlanError("--refuse with --waive: expected one of them, got both. A refusal accepts nothing.")
    require_open(answers.waivers, found)
    for (check, part), reason in answers.waivers.items():
        require_waiver(check, part, reason)
    _expiry(answers.expires)
    before = standing(path)
    if before is not None and before.decision == "refused" and answers.decision == "approved" and not answers.overturn:
        raise errors.GateError(
            f"approval of {path.name}: expected no decision yet, got the refusal of "
            f"{before.person} ({before.at[:10]}): {before.reason}. "
            "Change what was refused and start a new run, or overturn it openly with --overturn."
        )


def demonstrate(path: Path) -> records.Approval:
    """A decision plainly marked as a demonstration, signed with a throw-away key. Approves nothing."""
    stages.require_whole(path, ledger.Ledger.read(path))
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
    return tuple(r for r in decision.reasons if r.required and r.status != "pass")


def require_open(waivers: Iterable[tuple[str, str]], found: AnyDossier) -> None:
    """Does each waiver, as (check, slice), name a line of the gate that is open?

    Raises:
        PlanError: It names no check of the run, another slice, or a line that needs no waiver.
    """
    lines = [(r.check_id, r.slice) for r in unmet(found.gate)]
    checks = {c for c, _ in lines} | {r.check_id for r in found.results()} | {r.check_id for r in found.gate.reasons}
    for check, part in waivers:
        if (check, part) in lines:
            continue
        where, parts = f"--waive {check}@{part}", [s for c, s in lines if c == check]
        if check not in checks:
            near = [
                n for known in ({c for c, _ in lines}, checks) for n in difflib.get_close_matches(check, known, n=1)
            ]
            hint = f"Did you mean '{near[0]}'?" if near else "`proofline show RUN --all` lists them."
            raise errors.PlanError(f"{where}: expected a check of this run, got no such check. {hint}")
        if parts:
            near = difflib.get_close_matches(part, parts, n=1) or parts[:1]
            raise errors.PlanError(
                f"{where}: expected a slice on which {check} is open ({', '.join(parts)}), got '{part}'. "
                f"Did you mean '{check}@{near[0]}'?"
            )
        listed = ", ".join(f"{c}@{s}" for c, s in sorted(lines)) or "none"
        raise errors.PlanError(f"{where}: expected a required gate that did not pass, got another. Open are: {listed}.")


def changed_since(approval: records.Approval, path: Path, found: AnyDossier) -> str | None:
    """What has changed since a decision, so that it no longer counts; None where it is still about this run.

    Returns:
        `documents have changed`, or `run has changed`.
    """
    if found.document is None or found.close is None:
        return "documents have changed"
    names = [name for name, _, _ in _differing(approval, path, found)]
    if "documents" in names or altered.documents(path, found, approval):
        return "documents have changed"
    return "run has changed" if names else None


def _differing(approval: records.Approval, path: Path, found: AnyDossier) -> list[tuple[str, str, str]]:
    """What is not as it was decided on: its name, its digest then and now."""
    assert found.document is not None  # noqa: S101 - an approval exists only for a closed run; checked by the digests
    now = (
        ("run", approval.run_sha256, canonical.sha256_file(path / "run.json")),
        ("documents", approval.documents_sha256, found.document.digest),
    )
    return [(name, before, after) for name, before, after in now if before != after]


def require(path: Path, found: AnyDossier) -> records.Approval:
    """The approval of a run, if it stands: signed, of this run and these documents, nothing unmet without a waiver.

    Raises:
        GateError: There is none, it refuses, it is of something else, or a waiver is absent or has expired.
        VerificationError: Its signature does not hold.
    """
    approval = standing(path)
    if approval is None:
        raise errors.GateError(
            f"release of {path.name}: expected an approval, got none. "
            f"Read the report, then `proofline approve {path.name}`."
        )
    signing.verify_approval(approval)
    if approval.decision != "approved":
        raise errors.GateError(
            f"release of {path.name}: expected an approval, got a refusal by {approval.person}: {approval.reason}. "
            "Change what was refused and start a new run."
        )
    _require_same(approval, path, found)
    _require_waivers(approval, found.gate, path)
    return approval


def standing(path: Path) -> records.Approval | None:
    """The decision that is in the run folder, if any."""
    return workspace.standing_approval(path)


def what_is_signed(found: AnyDossier) -> list[str]:
    """What a person should have seen before they sign: what nobody has stated; last the outcome and what is open."""
    lines = gap_counts.lines(found.document.gaps if found.document else (), found.run_id)
    if isinstance(found, Dossier):
        practices = classify.classify(found.plan.classification).prohibited
        named = "; ".join(f"{item.place}, {item.text}" for item in practices.items)
        if practices.state == "yes":
            lines.insert(0, f"The answers in the plan point to a prohibited practice ({named or 'Art. 5'}).")
    lines.append(f"Gate: {found.gate.outcome}")
    return lines + [f"  {r.status.replace('_', ' ')}: {r.check_id}@{r.slice}: {r.text}" for r in unmet(found.gate)]


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
    waivers = _waivers(answers)
    # An EU declaration of conformity is of a high-risk system: none is drafted for a model.
    drafts = answers.decision == "approved" and not demonstration and isinstance(found, Dossier)
    with storage.explained(f"approval of {path.name}"), lock.held(path / ".lock", what=f"run folder {path}"):
        chain = ledger.Ledger.open(path)
        number = sum(line.event == "approved" for line in chain.lines) + 1
        made = records.Approval(
            run_id=path.name,
            run_sha256=canonical.sha256_file(path / "run.json"),
            documents_sha256=found.document.digest,
            decision=answers.decision,
            person=answers.person,
            role=answers.role,
            reason=answers.reason,
            at=clock.now(),
            waivers=waivers,
            demonstration=demonstration,
        )
        draft = declaring.draft(folder, found, made, f"{FOLDER}/{number:03}") if drafts else ()
        approval = signing.sign_approval(made.model_copy(update={"declaration": draft}), key)
        reference = folder.write_record(f"{FOLDER}/{number:03}.json", approval)
        chain.append("approved", record=reference, details={"decision": approval.decision})
    return approval


def require_words(what: str, text: str) -> str:
    """A name or a role that says who decides.

    Raises:
        PlanError: A reader cannot see it, or it is a placeholder.
    """
    if sum(character.isalnum() for character in text) < FEWEST_LETTERS:
        raise errors.PlanError(
            f"{what}: expected words that a reader can see, got {text!r}. It stands in the record for good."
        )
    if blank := placeholders.in_words(text):
        raise errors.PlanError(
            f"{what}: expected words that say who decides, got {blank!r}, a placeholder. "
            "Put in who you are, or leave the decision to whom it belongs."
        )
    return text


def require_reason(text: str) -> str:
    """Why a person decides so, in a sentence.

    Raises:
        PlanError: A reader cannot see it, or it is a word or a placeholder.
    """
    if sum(character.isalnum() for character in text) < FEWEST_LETTERS:
        raise errors.PlanError(
            f"approval, reason: expected words that a reader can see, got {text!r}. It stands in the record for good."
        )
    _require_no_placeholder("approval, reason", text, "Read the report and say why, or decide later.")
    if len(text.split()) < FEWEST_WORDS:
        raise errors.PlanError(
            f"approval, reason: expected a sentence that you would repeat in front of an authority, got "
            f"{text!r}. Say why in {FEWEST_WORDS} words or more."
        )
    return text


def require_waiver(check: str, part: str, reason: str) -> str:
    """Why a gate is accepted that did not pass.

    Raises:
        PlanError: It says nothing that a reader can see, or is a placeholder.
    """
    if sum(character.isalnum() for character in reason) < FEWEST_LETTERS:
        raise errors.PlanError(f"--waive {check}@{part}: expected a reason in words, got {reason!r}. Say why.")
    remedy = "Say why, or leave the waiver out: the gate then stays open."
    _require_no_placeholder(f"--waive {check}@{part}", reason, remedy)
    return reason


def _require_no_placeholder(what: str, text: str, remedy: str) -> None:
    if blank := placeholders.in_sentence(text):
        raise errors.PlanError(f"{what}: expected a reason, got {blank!r}, a placeholder. {remedy}")


def require_waived(path: Path, waivers: Container[tuple[str, str]], decision: records.GateDecision) -> None:
    """Is every required gate that did not pass accepted?

    Raises:
        GateError: Naming those that are not, each with the option that accepts it.
    """
    missing = [r for r in unmet(decision) if (r.check_id, r.slice) not in waivers]
    if missing:
        listed = "".join(f"\n  --waive '{r.check_id}@{r.slice}=your reason'   ({r.status}: {r.text})" for r in missing)
        raise errors.GateError(
            f"approval of {path.name}: expected every required gate that did not pass to be accepted with a reason, "
            f"got {len(missing)} without:{listed}\nAccept each, or refuse with --refuse."
        )


def _expiry(text: str | None) -> str:
    today = dt.datetime.now(dt.UTC).date()
    try:
        date = dt.date.fromisoformat(text) if text else today + dt.timedelta(days=DEFAULT_DAYS)
    except ValueError:
        raise errors.PlanError(f"--expires {text}: expected a date as 2027-01-31, got another form.") from None
    if not today < date <= today + dt.timedelta(days=LONGEST_DAYS):
        raise errors.PlanError(
            f"--expires {text}: expected a day after today and within {LONGEST_DAYS} days, got another. "
            "A waiver bridges a time; it is no permanent permission."
        )
    return date.isoformat()  # one form: the dates are compared as texts


def _waivers(answers: Answers) -> tuple[records.Waiver, ...]:
    expires = _expiry(answers.expires)
    return tuple(
        records.Waiver(check_id=check, slice=part, person=answers.person, reason=reason, expires=expires)
        for (check, part), reason in answers.waivers.items()
    )


def _require_same(approval: records.Approval, path: Path, found: AnyDossier) -> None:
    for name, approved, is_now in _differing(approval, path, found):
        raise errors.GateError(
            f"release of {path.name}: expected the {name} that was approved ({approved[:12]}…), got "
            f"{is_now[:12]}…: changed since {approval.at}. Restore it, or approve again."
        )


def _require_waivers(approval: records.Approval, decision: records.GateDecision, path: Path) -> None:
    today = dt.datetime.now(dt.UTC).date().isoformat()
    waived = {(w.check_id, w.slice) for w in approval.waivers if w.expires >= today}
    expired = sorted({w.expires for w in approval.waivers if w.expires < today})
    missing = [r for r in unmet(decision) if (r.check_id, r.slice) not in waived]
    if missing and expired:
        raise errors.GateError(
            f"release of {path.name}: expected waivers that are in force, got {len(expired)} expired "
            f"(until {expired[0]}). Decide again with `proofline approve`."
        )
    if missing:
        first = missing[0]
        raise errors.GateError(
            f"release of {path.name}: expected every required gate to pass or to carry a waiver, got {len(missing)} "
            f"without, first {first.check_id}@{first.slice} ({first.status}): {first.text}. Improve the system, or "
            "have a named person accept it with `proofline approve --waive`."
        )
