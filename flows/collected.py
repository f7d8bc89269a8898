"""Several steps that may each refuse, so that one list tells everything that is wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from configs import errors

T = TypeVar("T")


class Problems:
    """What the steps refused so far."""

    def __init__(self) -> None:
        """None yet."""
        self._found: list[errors.ProoflineError] = []

    def of(self, step: Callable[[], T]) -> T | None:
        """What a step gives; None where it refuses, which is kept."""
        try:
            return step()
        except errors.ProoflineError as error:
            self._found.append(error)
            return None

    def require_none(self) -> None:
        """Refuse with everything that was found, one line for each problem, each once.

        Raises:
            ProoflineError: Of the kind, and with the exit code, of the first.
        """
        if self._found:
            lines = dict.fromkeys(line for error in self._found for line in str(error).split("\n"))
            raise type(self._found[0])("\n".join(lines))
