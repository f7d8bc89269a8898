"""Steps that were computed, those that a kill lost included: what counts as compute is what was done, not what is kept.

Each attempt at a training writes one line of its own: from which step it began, and how far it came.
"""

from __future__ import annotations

import json
import time

from configs import errors
from evidence.folder import RunFolder
from factory import ranks

PLACE = "training/steps.jsonl"
PAUSE = 1.0
"""Seconds between two writings: what a kill can lose of the count."""


class Tally:
    """The steps of all attempts at one training."""

    def __init__(self, folder: RunFolder, path: str = PLACE) -> None:
        """Read what earlier attempts did; nothing is written yet.

        Raises:
            IntegrityError: The file cannot be read.
        """
        self._folder, self._path = folder, path
        self._earlier = _read(folder, path)
        self._from = self._to = 0
        self._at = 0.0

    def begin(self, step: int) -> None:
        """This attempt goes on after a step."""
        self._from = self._to = step

    def reached(self, step: int, *, force: bool = False) -> None:
        """This attempt has computed a step. Writes now and then; of several ranks the first."""
        self._to = step
        now = time.monotonic()
        if ranks.first() and (force or now - self._at >= PAUSE):
            self._at = now
            lines = [json.dumps(pair) for pair in (*self._earlier, [self._from, self._to])]
            place = self._folder.at(self._path)
            temporary = place.with_name(f".{place.name}")
            temporary.write_text("\n".join(lines) + "\n", encoding="utf-8")
            temporary.replace(place)

    @property
    def steps(self) -> int:
        """Steps computed in all attempts."""
        return sum(end - start for start, end in self._earlier) + self._to - self._from

    @property
    def attempts(self) -> int:
        """Attempts before this one."""
        return len(self._earlier)


def _read(folder: RunFolder, path: str) -> list[tuple[int, int]]:
    place = folder.path / path
    if not place.is_file():
        return []
    try:
        pairs = [json.loads(line) for line in place.read_text(encoding="utf-8").splitlines()]
        return [(int(start), int(end)) for start, end in pairs]
    except (ValueError, TypeError) as error:
        raise errors.IntegrityError(
            f"file {path}: expected two steps on each line, got {error}. Delete it to count this attempt alone."
        ) from None
