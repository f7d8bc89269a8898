"""Where a training runs: the interface of launchers, and the one for this machine."""

from __future__ import annotations

from typing import Protocol

from configs import errors
from configs.modelling import Factory
from configs.plan import Plan
from evidence import records
from evidence.folder import RunFolder
from factory import fitting, trainer


class Launcher(Protocol):
    """Trains the model of a run folder somewhere and brings back its record."""

    def train(
        self,
        folder: RunFolder,
        plan: Plan,
        encoded: records.EncodedData,
        progress: trainer.ProgressCallback | None = None,
    ) -> records.TrainingRecord:
        """Train, or take up a training that was interrupted. See `factory.fitting.fit`."""


class LocalLauncher:
    """This machine, this process."""

    def train(
        self,
        folder: RunFolder,
        plan: Plan,
        encoded: records.EncodedData,
        progress: trainer.ProgressCallback | None = None,
    ) -> records.TrainingRecord:
        """Train here. See `factory.fitting.fit`."""
        return fitting.fit(folder, plan, encoded, progress=progress)


LAUNCHERS: dict[str, type[Launcher]] = {"local": LocalLauncher}
"""Site in the plan to its launcher."""


def launcher_for(factory: Factory) -> Launcher:
    """The launcher of the plan's site.

    Raises:
        PlanError: When the site is unknown.
    """
    if factory.site not in LAUNCHERS:
        raise errors.PlanError(
            f"plan factory.site: expected one of {', '.join(sorted(LAUNCHERS))}, got {factory.site}. Correct the value."
        )
    return LAUNCHERS[factory.site]()
