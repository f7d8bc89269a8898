"""Commit, then measure: a change afterwards is named."""

from __future__ import annotations

import pytest

from configs import errors, load
from evidence import commitment, records, software

REFERENCE = records.ArtifactRef(path="data/x", sha256="a" * 64, size=1, media_type="text/plain")


def _manifest(sha256: str) -> records.SplitManifest:
    part = records.SplitPart(rows=1, digests=REFERENCE.model_copy(update={"sha256": sha256}))
    return records.SplitManifest(
        seed=0, method="m", parts={"train": part, "validation": part, "test": part}, assignment=REFERENCE
    )


@pytest.mark.slow
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


def _plan(**policy: object) -> load.Plan:
    plan = load.load(load.plan_path("diabetes_progression"))
    return plan.model_copy(update={"policy": plan.policy.model_copy(update=policy)})


def test_a_changed_gate_is_named_with_its_field() -> None:
    """Which gate, which field, from what to what: as long as the plan that was committed is known."""
    plan = _plan()
    first, *rest = plan.policy.gates
    softer = _plan(gates=(first.model_copy(update={"at_most": None, "at_least": 0.01}), *rest))
    fixed = commitment.commit(plan, "b" * 64, _manifest("c" * 64), "d" * 64)
    then = plan.model_dump(mode="json")
    with pytest.raises(errors.IntegrityError) as caught:
        commitment.require(fixed, softer, "b" * 64, _manifest("c" * 64), "d" * 64, begun_with=then)
    where = f"policy.gates[{first.check}@{first.slice}].at_least"
    assert f"policy changed after the commitment: {where}: {first.at_least or 'none'} → 0.01." in str(caught.value)


def test_a_plan_that_was_not_committed_names_nothing() -> None:
    """What is told to be the earlier plan counts only where its policy has the committed digest."""
    plan, other = _plan(), _plan(seed=99)
    fixed = commitment.commit(plan, "b" * 64, _manifest("c" * 64), "d" * 64)
    forged = _plan(seed=98).model_dump(mode="json")
    with pytest.raises(errors.IntegrityError, match=r"policy changed after the commitment\. Start"):
        commitment.require(fixed, other, "b" * 64, _manifest("c" * 64), "d" * 64, begun_with=forged)


def test_a_changed_part_of_the_split_is_named() -> None:
    """Only the part whose rows differ is told; a record of an earlier version, without parts, still refuses."""
    plan, split = _plan(), _manifest("c" * 64)
    fixed = commitment.commit(plan, "b" * 64, split, "d" * 64)
    part = records.SplitPart(rows=1, digests=REFERENCE.model_copy(update={"sha256": "e" * 64}))
    other = split.model_copy(update={"parts": {**split.parts, "test": part}})
    with pytest.raises(errors.IntegrityError) as caught:
        commitment.require(fixed, plan, "b" * 64, other, "d" * 64)
    assert "commitment: split.test: rows cccccccccccc… → rows eeeeeeeeeeee…." in str(caught.value)
    earlier = fixed.model_copy(update={"split_parts": {}})
    with pytest.raises(errors.IntegrityError, match=r"split changed after the commitment\. Start"):
        commitment.require(earlier, plan, "b" * 64, other, "d" * 64)


def test_a_changed_package_is_named_with_both_versions() -> None:
    """What measures is committed too; a record of an earlier version, without packages, asks for none."""
    plan, split = _plan(), _manifest("c" * 64)
    fixed = commitment.commit(plan, "b" * 64, split, "d" * 64, {"numpy": "2.1.0", "scipy": "1.13"})
    commitment.require(fixed, plan, "b" * 64, split, "d" * 64, {"numpy": "2.1.0", "scipy": "1.13"})
    with pytest.raises(errors.IntegrityError) as caught:
        commitment.require(fixed, plan, "b" * 64, split, "d" * 64, {"numpy": "2.2.0", "scipy": "1.13"})
    assert "packages changed after the commitment: packages.numpy: 2.1.0 → 2.2.0. Start" in str(caught.value)
    earlier = fixed.model_copy(update={"packages": {}})
    commitment.require(earlier, plan, "b" * 64, split, "d" * 64, {"numpy": "2.2.0"})


def test_the_commitment_names_what_is_installed_and_covers_the_flows() -> None:
    """By default the packages of this environment; the digest of the code reaches all of our folders."""
    fixed = commitment.commit(_plan(), "b" * 64, _manifest("c" * 64), "d" * 64)
    assert fixed.packages == software.packages()
    assert {"numpy", "onnx"} <= set(fixed.packages)
    ours = {path.parent.name for path in software.ROOT.glob("*/__init__.py")} - {"tests", "benchmarks"}
    assert ours == set(software.CODE)


def test_a_changed_field_of_the_plan_is_named() -> None:
    """Outside of the policy too."""
    plan = _plan()
    later = plan.model_copy(update={"training": plan.training.model_copy(update={"epochs": 999})})
    fixed = commitment.commit(plan, "b" * 64, _manifest("c" * 64), "d" * 64)
    begun = plan.model_dump(mode="json")
    with pytest.raises(errors.IntegrityError, match=rf"training\.epochs: {plan.training.epochs} → 999\."):
        commitment.require(fixed, later, "e" * 64, _manifest("c" * 64), "d" * 64, begun_with=begun)
