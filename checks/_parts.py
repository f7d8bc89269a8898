"""The other parts of the split beside the test part, opened and scored once, when a check first asks for them."""

from __future__ import annotations

from checks import scoring
from evidence import arrays, records
from evidence.folder import RunFolder


class Parts:
    """Parts of the encoded data by role."""

    def __init__(self, folder: RunFolder, encoded: records.EncodedData, scorer: scoring.Scorer) -> None:
        self._folder, self._encoded, self._scorer = folder, encoded, scorer
        self._opened: dict[records.Role, arrays.Part] = {}
        self._scores: dict[records.Role, scoring.Scores] = {}

    @property
    def folder(self) -> RunFolder:
        """The run folder, for checks that leave a file there."""
        return self._folder

    def part(self, role: records.Role) -> arrays.Part | None:
        """The arrays of a part, its inputs left in their file; None where the encoded data hold no such part.

        Raises:
            IntegrityError: An array was altered.
        """
        if role not in self._encoded.parts:
            return None
        if role not in self._opened:
            self._opened[role] = arrays.load(self._folder, self._encoded, role, mapped=True)
        return self._opened[role]

    def scores(self, role: records.Role) -> scoring.Scores | None:
        """What the graph says of a part; None where there is no such part.

        Raises:
            IntegrityError: An array was altered.
            VerificationError: The graph breaks the model contract.
        """
        found = self.part(role)
        if found is None:
            return None
        if role not in self._scores:
            self._scores[role] = self._scorer(found.x)
        return self._scores[role]

    def uses(self, step: str) -> tuple[records.DataUse, ...]:
        """What was opened, for the leakage audit."""
        return tuple(part.use(step) for part in self._opened.values())
