"""Commit, then measure: what is fixed before the first evaluation, and the refusal when it changed since."""

from __future__ import annotations

from configs import errors
from configs.plan import Plan
from evidence import canonical, clock, records


def commit(plan: Plan, plan_sha256: str, split: records.SplitManifest, code_sha256: str) -> records.Commitment:
    """Fix plan, policy, split and code, with the time (AI Act Art. 9(8): metrics and thresholds defined in advance)."""
    return records.Commitment(
        plan_sha256=plan_sha256,
        policy_sha256=canonical.sha256(plan.policy),
        split_sha256=split.digest,
        code_sha256=code_sha256,
        at=clock.now(),
    )


def require(
    commitment: records.Commitment,
    plan: Plan,
    plan_sha256: str,
    split: records.SplitManifest,
    code_sha256: str,
) -> None:
    """Refuse to evaluate when anything that was committed has changed.

    Raises:
        IntegrityError: Naming what differs.
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
        raise errors.IntegrityError(
            f"commitment of {commitment.at}: expected the {name} {then[:12]}…, got {found[:12]}…: "
            f"{' and '.join(changed)} changed after the commitment. Start a new run; what was measured stays."
        )
