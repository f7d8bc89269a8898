"""Where a training runs: the interface of launchers, the one for this machine, and the choice by the plan's site."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from configs.factories import profile as profiles
from configs.language.plan import LanguagePlan
from configs.modelling import Factory
from configs.plan import Plan
from evidence import records
from evidence.folder import RunFolder
from evidence.language_records import LanguageTrainingRecord, TokenisedData
from factory import fitting
from factory.progress import ProgressCallback


def _unsaid(_: str) -> None:
    """Nobody listens."""


class Launcher(Protocol):
    """Trains the model of a run folder somewhere and brings back its record."""

    def train(
        self,
        folder: RunFolder,
        plan: Plan,
        encoded: records.EncodedData,
        progress: ProgressCallback | None = None,
        say: Callable[[str], None] = _unsaid,
    ) -> records.TrainingRecord:
        """Train, or take up a training that was interrupted. See `factory.fitting.fit`."""

    def train_language(
        self,
        folder: RunFolder,
        plan: LanguagePlan,
        tokenised: TokenisedData,
        base: Path,
        progress: Callable[[str, int, int], None] | None = None,
        say: Callable[[str], None] = _unsaid,
    ) -> LanguageTrainingRecord:
        """Train a language model, or take up its training. See `factory.language.train.train`."""


class LocalLauncher:
    """This machine, this process."""

    def train(
        self,
        folder: RunFolder,
        plan: Plan,
        encoded: records.EncodedData,
        progress: ProgressCallback | None = None,
        say: Callable[[str], None] = _unsaid,
    ) -> records.TrainingRecord:
        """Train here. See `factory.fitting.fit`."""
        return fitting.fit(folder, plan, encoded, progress=progress)

    def train_language(
        self,
        folder: RunFolder,
        plan: LanguagePlan,
        tokenised: TokenisedData,
        base: Path,
        progress: Callable[[str, int, int], None] | None = None,
        say: Callable[[str], None] = _unsaid,
    ) -> LanguageTrainingRecord:
        """Train here. See `factory.language.train.train`."""
        from factory.language import train  # noqa: PLC0415 - transformers takes seconds to import

        return train.train(folder, plan, tokenised, base, progress=progress)


def launcher_for(factory: Factory, *, wait: bool = True) -> Launcher:
    """The launcher of the plan's site.

    Args:
        factory: The plan's section.
        wait: Wait for the end of a job; without, a job that goes on ends the call.

    Raises:
        PlanError: When the site is unknown.
    """
    if profiles.load(factory.site).scheduler == "none":
        return LocalLauncher()
    from factory.slurm.launcher import SlurmLauncher  # noqa: PLC0415 - only where a job is submitted

    return SlurmLauncher(factory, wait=wait)
