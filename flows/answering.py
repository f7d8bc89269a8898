"""Where the answers of a system lie, and reading them for a run."""

from __future__ import annotations

from pathlib import Path

from configs import answers_file
from configs.answers import AnswersFile
from flows.workspace import Run

FOLDER = "answers"
"""Beside `runs/`: answers belong to a system, not to one run of it."""


def place(run: Path, system: str) -> Path:
    """The answers file of a system, for a run folder."""
    return run.resolve().parent.parent / FOLDER / f"{system}.yaml"


def said(run: Run) -> AnswersFile:
    """What persons have stated about the system of a run so far.

    Raises:
        PlanError: The file is no valid answers file of this system.
    """
    return answers_file.load(place(run.folder.path, run.plan.system.id), run.plan.system.id)
