"""Commit, then measure: what is fixed before the first evaluation, and the refusal when it changed since."""

from __future__ import annotations

from typing import Any

from configs import errors
from configs.language.load import AnyPlan
from evidence import canonical, clock, differences, records


def commit(plan: AnyPlan, plan_sha256: str, split: records.SplitManifest, code_sha256: str) -> records.Commitment:
    """Fix plan, policy, split and code, with the time (AI Act Art. 9(8): metrics and thresholds defined in advance)."""
    return records.Commitment(
        plan_sha256=plan_sha256,
        policy_sha256=canonical.sha256(plan.policy),
        split_sha256=split.digest,
        split_parts=_parts(split),
        code_sha256=code_sha256,
        at=clock.now(),
    )


def require(
    commitment: records.Commitment,
    plan: AnyPlan,
    plan_sha256: str,
    split: records.SplitManifest,
    code_sha256: str,
    *,
    begun_with: dict[str, Any] | None = None,
) -> None:
    """Refuse to evaluate when anything that was committed has changed.

    Args:
        commitment: What was fixed.
        plan: The plan as it is now.
        plan_sha256: Digest of its file.
        split: The split as it is now.
        code_sha256: Digest of the code as it is now.
        begun_with: The plan with which the run began, as plain data, to name what differs. Used only where its policy
            has the digest that was committed.

    Raises:
        IntegrityError: Naming what differs: gate and field, part of the split, field of the plan.
    """
    now = {
        "policy": (commitment.policy_sha256, canonical.sha256(plan.policy)),
        "plan": (commitment.plan_sha256, plan_sha256),
        "split": (commitment.split_sha256, split.digest),
        "code": (commitment.code_sha256, code_sha256),
    }
    changed = [name for name, (then, found) in now.items() if then != found]
    if changed:
        name = changed[0]
        then, found = now[name]
        known = begun_with if begun_with and _committed(begun_with, commitment) else None
        raise errors.IntegrityError(
            f"commitment of {commitment.at}: expected the {name} {then[:12]}…, got {found[:12]}…: "
            f"{' and '.join(changed)} changed after the commitment{_named(changed, commitment, plan, split, known)}. "
            "Start a new run; what was measured stays."
        )


def _named(
    changed: list[str],
    commitment: records.Commitment,
    plan: AnyPlan,
    split: records.SplitManifest,
    begun_with: dict[str, Any] | None,
) -> str:
    """`: what differs`, as far as it is known."""
    found = []
    if begun_with is not None and {"policy", "plan"} & set(changed):
        found.append(differences.told(begun_with, plan.model_dump(mode="json")))
    if "split" in changed and commitment.split_parts:
        shown = {role: f"rows {digest[:12]}…" for role, digest in commitment.split_parts.items()}
        now = {role: f"rows {digest[:12]}…" for role, digest in _parts(split).items()}
        found.append(differences.told({"split": shown}, {"split": now}))
    told = "; ".join(text for text in found if text)
    return f": {told}" if told else ""


def _committed(begun_with: dict[str, Any], commitment: records.Commitment) -> bool:
    return canonical.sha256(begun_with.get("policy")) == commitment.policy_sha256


def _parts(split: records.SplitManifest) -> dict[records.Role, str]:
    return {role: part.digests.sha256 for role, part in split.parts.items()}
