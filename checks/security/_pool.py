"""The rows of a membership attack."""

from __future__ import annotations

import dataclasses

import numpy as np
import numpy.typing as npt

from checks import intervals
from checks._subject import Subject
from checks.security import _attack, _trainings
from checks.security._trainings import StoppedError
from evidence import arrays

Floats = npt.NDArray[np.float64]


@dataclasses.dataclass(frozen=True)
class Pool:
    """Members first, then as many non-members, then rows that only shadow models are trained on."""

    x: npt.NDArray[np.float32]
    y: npt.NDArray[np.generic]
    entities: npt.NDArray[np.int64] | None
    """Codes in which no entity is in two parts."""
    members: int

    @property
    def attacked(self) -> slice:
        """Members and non-members."""
        return slice(0, 2 * self.members)

    def scored(self, scores: Floats) -> _attack.Scored:
        """Scores (attacked,) of an attack, higher meaning more likely a member."""
        cut, codes = self.members, self.entities
        if codes is None:
            return _attack.Scored(scores[:cut], scores[cut:])
        return _attack.Scored(scores[:cut], scores[cut:], codes[:cut], codes[cut : 2 * cut])


def of(subject: Subject) -> Pool:
    """As many training as test rows, and what is left of the training and the validation part up to twice the plan's.

    Raises:
        StoppedError: The training part is not here, or there are too few rows.
    """
    train, seed = subject.parts.part("train"), subject.plan.policy.seed
    if train is None:
        raise StoppedError("the training part is not here")
    allowed = subject.plan.policy.security.membership.rows
    most = min(allowed, train.rows, subject.part.rows)
    _trainings.require_rows(most, "training and as many test rows can be compared")
    members, others = (
        _trainings.drawn(part.row_digests, most, seed, f"membership {part.role}") for part in (train, subject.part)
    )
    taken = [(train, members), (subject.part, others)]
    left = 2 * (allowed - most)
    further = _trainings.drawn(train.row_digests, left, seed, "membership rest", without=members)
    taken.append((train, further))
    validation = subject.parts.part("validation")
    if validation is not None:
        filling = _trainings.drawn(validation.row_digests, left - len(further), seed, "membership validation")
        taken.append((validation, filling))
    return Pool(
        x=np.concatenate([part.x[rows] for part, rows in taken]),
        y=np.concatenate([part.y[rows] for part, rows in taken]),
        entities=_entities(taken),
        members=most,
    )


def _entities(taken: list[tuple[arrays.Part, npt.NDArray[np.intp]]]) -> npt.NDArray[np.int64] | None:
    """Codes of the rows taken, made different between parts; the split keeps entities within one."""
    offset, found = 0, []
    codes: dict[str, npt.NDArray[np.integer]] = {}
    for part, rows in taken:
        if part.entities is None:
            return None
        if part.role not in codes:
            codes[part.role] = intervals.clusters(part.entities) + offset
            offset = int(codes[part.role].max(initial=offset)) + 1
        found.append(codes[part.role][rows])
    return np.concatenate(found).astype(np.int64)
