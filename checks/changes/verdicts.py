"""Each difference against what was declared beforehand: within, outside, cannot tell, none declared."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Sequence

from checks.changes import limits
from checks.changes.found import Found
from configs import changes
from configs.changes import PredeterminedChange
from evidence.diff_records import Answer, Change, DeclaredChange, LimitAnswer, MeasureDifference, Verdict

CLAUSE = "Annex IV(2)(f), Art. 43(4)"
DEFINITION = "Art. 3(23)"
OF_DATA = ("data.source", "data.provenance")
NOTHING = "the earlier version declares no change"
_WORDS: dict[Answer, str] = {
    "within": "within its limits",
    "outside": "outside its limits",
    "cannot_tell": "its limits cannot be decided",
}
CONSEQUENCES = ("weights", "chosen")
"""Causes that follow from others, where there are any."""
_BEST: tuple[Answer, ...] = ("within", "cannot_tell", "outside")


@dataclasses.dataclass(frozen=True)
class Declared:
    """A declared change with the answers to its limits."""

    change: PredeterminedChange
    limits: tuple[LimitAnswer, ...]

    @property
    def answer(self) -> Answer:
        """Of all its limits together."""
        return limits.worst(self.limits)

    @property
    def why(self) -> str:
        """The limits that are not kept, or not decided."""
        return "; ".join(a.limit for a in self.limits if a.answer == self.answer != "within")


def declared(stated: Sequence[PredeterminedChange], seen: limits.Seen) -> tuple[Declared, ...]:
    """The declarations of the earlier version, their limits laid on what was found."""
    return tuple(Declared(change, limits.answers(change.limits, seen)) for change in stated)


def chosen(causes: Iterable[Found], stated: tuple[Declared, ...]) -> tuple[Declared, ...]:
    """The declarations under which the causes fall: for each the one that covers it and answers best.

    What follows from the causes (other weights, moved measures) is judged under these, and must hold under all of them:
    a retraining after a change of data is not excused by what was declared for a change of the threshold.
    """
    best = [_best(covering) for cause in causes if (covering := _covering(cause, stated))]
    return tuple(d for d in stated if d in best)


def of(found: Found, stated: tuple[Declared, ...], under: tuple[Declared, ...]) -> Change:
    """The verdict on one difference.

    Args:
        found: The difference.
        stated: All declarations of the earlier version.
        under: Those under which the causes fall.
    """
    covering = _covering(found, stated)
    if found.cause in CONSEQUENCES:
        covering = tuple(d for d in covering if d in under) or covering
    verdict, reason, clause = _verdict(found, stated, covering, all_of=found.cause in CONSEQUENCES)
    removed, added = found.words
    before, after = found.texts
    return Change(
        subject=found.subject,
        place=found.place,
        title=found.title,
        before=before,
        after=after,
        removed=removed,
        added=added,
        verdict=verdict,
        declared=tuple(d.change.id for d in covering),
        reason=reason,
        clause=clause,
    )


def _covering(found: Found, stated: tuple[Declared, ...]) -> tuple[Declared, ...]:
    return tuple(d for d in stated if covers(d.change, found))


def _best(covering: tuple[Declared, ...]) -> Declared:
    return min(covering, key=lambda d: _BEST.index(d.answer))


def covers(stated: PredeterminedChange, found: Found) -> bool:
    """Does a declaration provide for this difference, whatever its limits?"""
    may = stated.may_change
    if found.cause == "plan":
        of_data = may.data and any(changes.matches(place, found.path) for place in OF_DATA)
        return of_data or any(changes.matches(pattern, found.path) for pattern in may.plan)
    if found.cause == "chosen":
        return may.retraining or any(changes.matches(pattern, ("training", "threshold")) for pattern in may.plan)
    return {"rows": may.data, "weights": may.retraining, "software": may.software}.get(found.cause, False)


def _verdict(
    found: Found, stated: tuple[Declared, ...], covering: tuple[Declared, ...], *, all_of: bool
) -> tuple[Verdict, str, str]:
    if found.cause == "follows":
        return "follows", found.why, ""
    if found.cause == "never":
        return "outside", found.why, DEFINITION
    if found.cause == "gate":
        lost = found.why.startswith("a gate fails")
        return ("outside" if lost else "cannot_tell"), found.why, DEFINITION
    if not stated:
        return "none_declared", NOTHING, CLAUSE
    if not covering:
        return "outside", f"no declared change covers it{_hint(found)}", CLAUSE
    deciding = max(covering, key=lambda d: _BEST.index(d.answer)) if all_of else _best(covering)
    more = f": {deciding.why}" if deciding.why else ""
    return deciding.answer, f"declared as {deciding.change.id}, {_WORDS[deciding.answer]}{more}", deciding.change.clause


def _hint(found: Found) -> str:
    field = {"rows": "data", "weights": "retraining", "chosen": "retraining", "software": "software"}.get(found.cause)
    return f" (none has may_change.{field})" if field else ""


def of_measure(found: MeasureDifference, stated: tuple[Declared, ...], *, level: float, judged: int) -> Change | None:
    """The verdict on a measure that moved; None where it did not, or is not said to.

    Args:
        found: The measure. The caller passes those that a limit names, and those that are apart from 0 among all that
            are judged.
        stated: The declarations under which the causes fall; all of them where there are none.
        level: Of the intervals.
        judged: Measures over which the level was shared out.
    """
    naming = [(d, named) for d in stated if (named := _naming(d, found))]
    verdict: Verdict
    if naming:
        best, named = max(naming, key=lambda pair: _BEST.index(limits.worst(pair[1])))
        verdict = limits.worst(named)
        told = [f"{a.limit}: {a.found}" for a in named if a.answer == verdict]
        reason, clause = f"declared as {best.change.id}; {'; '.join(told)}", best.change.clause
    elif found.shown == "better":
        verdict, reason, clause = "follows", "it moved for the better; no declared change limits it", ""
    else:
        among = f"worse at the level at which {judged} measures hold together ({100 * level:g} %)"
        verdict = "outside" if stated else "none_declared"
        reason, clause = f"{among}; {'no declared change limits it' if stated else NOTHING}", CLAUSE
    return Change(
        subject="measure",
        place=f"measure: {found.name}@{found.slice}",
        title=found.title + ("" if found.slice == "overall" else f" ({found.slice})"),
        before=_number(found.before),
        after=_number(found.after),
        verdict=verdict,
        declared=tuple(d.change.id for d, _ in naming),
        reason=reason,
        clause=clause,
    )


def _number(value: float | None) -> str | None:
    return None if value is None else f"{value:.4g}"


def _naming(stated: Declared, found: MeasureDifference) -> tuple[LimitAnswer, ...]:
    return tuple(a for a in stated.limits if (a.check, a.slice) == (found.name, found.slice))


def limited(stated: tuple[Declared, ...]) -> set[tuple[str, str]]:
    """Check and slice of every measure that a limit names."""
    return {(a.check, a.slice) for d in stated for a in d.limits if a.check is not None and a.slice is not None}


def as_records(stated: tuple[Declared, ...], used: set[str]) -> Iterator[DeclaredChange]:
    """The declarations as the record holds them."""
    for d in stated:
        may = d.change.may_change
        covered = [f"plan: {pattern}" for pattern in may.plan]
        covered += [name for name in ("data", "retraining", "software") if getattr(may, name)]
        yield DeclaredChange(
            id=d.change.id,
            title=d.change.title,
            rationale=d.change.rationale,
            clause=d.change.clause,
            covers=tuple(covered),
            used=d.change.id in used,
            limits=d.limits,
        )
