"""Tests in real-world conditions: a high-risk system needs the papers of Art. 60(4), or it is not released."""

from __future__ import annotations

from configs import errors
from configs.language.load import AnyPlan
from configs.law import classify


def missing_papers(plan: AnyPlan) -> str | None:
    """Why a bundle of this plan must not go out for a test in the real world; None where it may.

    A class that is still open counts as high-risk. For other systems the papers are accepted and not asked for.
    """
    if plan.bundle.test_environment != "real_world" or plan.bundle.real_world is not None:
        return None
    try:
        state = classify.classify(plan.classification).high_risk.state
    except errors.PlanError:
        # Answers that contradict each other settle nothing.
        state = "open"
    if state == "no":
        return None
    what = "a high-risk system" if state == "yes" else "a system whose class is still open"
    return (
        f"test_environment real_world: expected the papers of a test in real-world conditions for {what} (AI Act "
        "Art. 60(4): plan id, approval with its date, registration; Art. 61: consent), got none. State them in "
        "bundle.real_world, or ask for another test environment."
    )
