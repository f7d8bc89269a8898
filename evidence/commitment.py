"""Commit, then measure: what is fixed before the first evaluation, and the refusal when it changed since."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from configs import errors
from configs.language.load import AnyPlan
from evidence import canonical, clock, differences, records, software


def commit(
    plan: AnyPlan,
    plan_sha256: str,
    split: records.SplitManifest,
    code_sha256: str,
    packages: Mapping[str, str] | None = None,
) -> records.Commitment:
    """Fix plan, policy, split, code and packages, with the time.

    AI Act Art. 9(8): metrics and thresholds are defined in advance.

    Args:
        plan: The plan.
        plan_sha256: Digest of its file.
        split: The split.
        code_sha256: Digest of the code.
        packages: Version of each distribution that shapes a result; by default those installed.
    """
    return records.Commitment(
        plan_sha256=plan_sha256,
        policy_sha256=canonical.sha256(plan.policy),
        split_sha256=split.digest,
        split_parts=_parts(split),
        code_sha256=code_sha256,
        packages=dict(software.packages() if packages is None else packages),
        at=clock.now(),
    )


def require(
    commitment: records.Commitment,
    plan: AnyPlan,
    plan_sha256: str,
    split: records.SplitManifest,
    code_sha256: str,
    packages: Mapping[str, str] | None = None,
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
        packages: Versions as they are now; by default those installed. Not compared where none were committed.
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
    installed = dict(software.packages() if packages is None else packages)
    if commitment.packages:
        now["packages"] = (canonical.sha256(commitment.packages), canonical.sha256(installed))
    changed = [name for name, (then, found) in now.items() if then != found]
    if changed:
        name, what = changed[0], " and ".join(changed)
        then, found = now[name]
        known = begun_with if begun_with and _committed(begun_with, commitment) else None
        raise errors.IntegrityError(
            f"commitment of {commitment.at}: expected the {name} {then[:12]}…, got {found[:12]}…: "
            f"{what} changed after the commitment{_named(changed, commitment, plan, split, installed, known)}. "
            "Start a new run; what was measured stays."
        )


def _named(
    changed: list[str],
    commitment: records.Commitment,
    plan: AnyPlan,
    split: records.SplitManifest,
    installed: dict[str, str],
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
    if "packages" in changed:
        found.append(differences.told({"packages": commitment.packages}, {"packages": installed}))
    told = "; ".join(text for text in found if text)
    return f": {told}" if told else ""


def _committed(begun_with: dict[str, Any], commitment: records.Commitment) -> bool:
    return canonical.sha256(begun_with.get("policy")) == commitment.policy_sha256


def _parts(split: records.SplitManifest) -> dict[records.Role, str]:
    return {role: part.digests.sha256 for role, part in split.parts.items()}
