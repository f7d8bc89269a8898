"""Reading a plan of either kind: `task: language_model` says which."""

from __future__ import annotations

from pathlib import Path

from configs import load, strict_yaml
from configs.errors import PlanError
from configs.language.plan import TASK, LanguagePlan
from configs.plan import Plan

AnyPlan = Plan | LanguagePlan
"""A plan of a model on tables, or of a language model."""


def load_any(path: Path) -> AnyPlan:
    """Read and check a plan of either kind.

    Raises:
        MissingError: The file is absent.
        PlanError: The file is no valid plan; one line for each problem.
    """
    return parse_any(load.read(path), str(path))


def parse_any(text: str, name: str = "plan") -> AnyPlan:
    """Check the text of a plan of either kind. See `load_any`."""
    content = strict_yaml.parse(text, name)
    if isinstance(content, dict) and "task" in content:
        if content["task"] == TASK:
            return load.validated(content, LanguagePlan, name)
        raise PlanError(
            f"{name} task: expected {TASK}, got {content['task']!r}. A plan on tables has a task in its target."
        )
    return load.of_content(content, name)
