"""Commit, then measure: a change afterwards is named."""

from __future__ import annotations

import pytest

from configs import errors, load
from evidence import commitment, records

REFERENCE = records.ArtifactRef(path="data/x", sha256="a" * 64, size=1, media_type="text/plain")


def _manifest(sha256: str) -> records.SplitManifest:
    part = records.SplitPart(rows=1, digests=REFERENCE.model_copy(update={"sha256": sha256}))
    return records.SplitManifest(
        seed=0, method="m", parts={"train": part, "validation": part, "test": part}, assignment=REFERENCE
    )


def test_each_committed_thing_is_watched() -> None:
    """Policy, plan, split and code: whichever changes, the refusal names it; unchanged passes."""
    plan = load.load(load.plan_path("diabetes_progression"))
    softer = plan.model_copy(update={"policy": plan.policy.model_copy(update={"minimum_group_size": 1})})
    fixed = commitment.commit(plan, "b" * 64, _manifest("c" * 64), "d" * 64)
    commitment.require(fixed, plan, "b" * 64, _manifest("c" * 64), "d" * 64)
    for name, arguments in {
        "policy": (softer, "b" * 64, _manifest("c" * 64), "d" * 64),
        "plan": (plan, "e" * 64, _manifest("c" * 64), "d" * 64),
        "split": (plan, "b" * 64, _manifest("e" * 64), "d" * 64),
        "code": (plan, "b" * 64, _manifest("c" * 64), "e" * 64),
    }.items():
        with pytest.raises(errors.IntegrityError, match=f"expected the {name} "):
            commitment.require(fixed, *arguments)
