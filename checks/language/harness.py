"""Task suites of lm-evaluation-harness on the exported graph."""

from __future__ import annotations

from checks._subject import not_applicable, not_measured
from checks.language._subject import Subject
from evidence import records

CHECK = "language.harness"


def measure(subject: Subject) -> tuple[records.CheckResult, ...]:
    """The result."""
    if not subject.plan.policy.harness.tasks:
        return (not_applicable(CHECK, "the plan names no task (policy.harness.tasks)"),)
    return (not_measured(CHECK, "not yet"),)
