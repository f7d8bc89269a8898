"""Declared against measured again: reproduced, differs, or cannot tell.

On the same rows a value is reproduced within the recipe's tolerance, and an interval within it plus a fifth of its
width: another version of NumPy may draw other samples. On other rows values differ by chance. There two values
agree where they lie no further apart than both intervals together allow, and they differ only where they do not even at
the level that holds for all comparisons at once (Bonferroni); between the two nobody can tell. An interval more than
four times as wide as the declared one would agree with almost anything, and says nothing either.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Collection, Mapping, Sequence

from checks import gate
from configs.language.load import AnyPlan
from evidence import records
from evidence.rerun_records import Comparison, Judged, NotRepeated, Status
from tef_export import recipe
from tef_export.language.recipe import LanguageRecipe

INTERVAL_SHARE = 0.2
"""Of its width, by which the end of an interval may differ on the same rows."""
WIDEST = 4.0
"""Times the declared width up to which an interval from other rows says something."""

_NOT_DECLARED = (
    "measured on these rows, and not declared: ask the sender whether it was left out, did not apply to their rows, or "
    "was unknown to their version"
)
Key = tuple[str, str]
AnyRecipe = recipe.Recipe | LanguageRecipe
"""What a bundle of either kind asks for."""


def compare(
    asked: AnyRecipe,
    declared: Sequence[records.CheckResult],
    measured: Sequence[records.CheckResult],
    *,
    same_rows: bool,
    same_entities: bool,
    there: Collection[str],
    absent: Mapping[str, str],
    same_version: bool = False,
) -> tuple[tuple[Comparison, ...], tuple[NotRepeated, ...]]:
    """Lay every measure of the recipe's checks beside the declared one.

    Args:
        asked: The recipe.
        declared: The results that the bundle declares.
        measured: The results of the re-run.
        same_rows: Were the rows those of the declared values?
        same_entities: Was it known which rows belong to one entity, as it was then? Else intervals are not compared.
        there: Attributes, intersections and columns to slice by of which the rows say what they belong to.
        absent: Attribute or column to the reason why its groups could not be made.
        same_version: Does the bundle say that it was made by this version of proofline, which knows the same checks?

    Returns:
        The comparisons, the worst first within the order of the checks, and what was not repeated.
    """
    before, after = {r.check_id: r for r in declared}, {r.check_id: r for r in measured}
    pairs: list[tuple[str, records.Measure, records.Measure]] = []
    stated: dict[int, tuple[Status, str]] = {}
    known = {one.id for one in asked.checks} | {one.id for one in asked.left_out}
    left_out = [NotRepeated(check_id=one.id, reason=one.reason) for one in asked.left_out]
    for check in asked.checks:
        result = after.get(check.id)
        if result is None or not result.measures:
            reason = _why_not(check, result)
            left_out.append(NotRepeated(check_id=check.id, reason=reason))
            continue
        again = {(m.name, m.slice): m for m in result.measures}
        lost: dict[str, str] = {}
        declared_here = {(m.name, m.slice): m for m in before[check.id].measures}
        for name, part in dict.fromkeys((*declared_here, *(again if same_rows else ()))):
            # On the same rows, what only one side has was made up, or left out.
            old, new = (found.get((name, part)) for found in (declared_here, again))
            if unknown := _unknown(asked, check.id, part, there):
                lost[unknown] = _gone(unknown, absent)
            elif not same_rows and old and old.unit == "rows":
                lost["counts"] = "numbers of rows depend on the table, and are not compared across tables"
            elif same_rows or (old and new):
                if not same_rows and (other := _of_another(before[check.id], result, name, part)):
                    stated[len(pairs)] = ("cannot_tell", other)
                none = records.Measure(name=name, value=None, slice=part)
                pairs.append((check.id, old or none, new or none))
            elif any(m.slice == part for m in result.measures):
                # The group is there; the figure is one that only some tables give.
                further = f"{part.partition('=')[0]}, {name.removeprefix(f'{check.id}.')}"
                lost[further] = "these rows give no such figure: other groups are small, or another value is the worst"
            else:
                lost[part.partition("=")[0]] = "no such group among these rows"
        left_out += [NotRepeated(check_id=check.id, reason=f"{part}: {reason}") for part, reason in lost.items()]
    for result in measured:
        if result.check_id in known:
            continue
        if same_rows and same_version:
            for measure in (m for m in result.measures if m.name == result.check_id and "=" not in m.slice):
                stated[len(pairs)] = ("differs", "measured here, and not declared: the whole check was left out")
                pairs.append(
                    (result.check_id, records.Measure(name=measure.name, value=None, slice=measure.slice), measure)
                )
        else:
            left_out.append(NotRepeated(check_id=result.check_id, reason=_NOT_DECLARED))
    count = max(1, len(pairs))
    found = [
        _made(*pair, *stated[number])
        if number in stated
        else _same(asked.tolerance, *pair, intervals=same_entities)
        if same_rows
        else _other(pair, asked.sampling.level, count, asked.minimum_group_size)
        for number, pair in enumerate(pairs)
    ]
    return tuple(found), tuple(left_out)


def overall(comparisons: Sequence[Comparison]) -> Status:
    """`differs` where any measure differs; `cannot_tell` where a headline cannot be compared, or nothing was."""
    if any(one.status == "differs" for one in comparisons):
        return "differs"
    heads = [one for one in comparisons if one.headline]
    return "cannot_tell" if not heads or any(h.status == "cannot_tell" for h in heads) else "reproduced"


def judged(
    plan: AnyPlan, declared: Sequence[records.CheckResult], measured: Sequence[records.CheckResult]
) -> tuple[Judged, ...]:
    """The plan's thresholds on what was measured again; those whose check was not repeated are left out."""
    again = {result.check_id for result in measured}
    made = []
    for asked in plan.policy.gates:
        if asked.check in again:
            before, after = gate.reason(plan.policy, asked, declared), gate.reason(plan.policy, asked, measured)
            made.append(
                Judged(
                    check_id=asked.check,
                    slice=asked.slice,
                    required=asked.required,
                    declared=before.status,
                    measured=after.status,
                    text=after.text,
                )
            )
    return tuple(made)


def _why_not(check: recipe.Check, result: records.CheckResult | None) -> str:
    if result is None and "training_range" in check.needs:
        return "needs the smallest and largest training values, single persons' values that the recipe leaves out"
    if check.needs and (result is None or result.status == "not_applicable"):
        return f"needs {' and '.join(check.needs)} of the rows, and these have none"
    return "could not be measured" if result is None else result.reason


def _unknown(asked: AnyRecipe, check: str, part: str, there: Collection[str]) -> str | None:
    """The first attribute or column that a measure rests on and of which the rows say nothing."""
    if isinstance(asked, LanguageRecipe):
        return None
    if check.startswith("robustness.shift"):
        # The worst slice of all columns is none of some of them.
        columns = [one.column for one in asked.slices if part == "overall" or part.startswith(one.column)]
        return next((column for column in columns if column not in there), None)
    name = part.partition("=")[0]
    known = [*(one.name for one in asked.attributes), *(one.name for one in asked.intersections)]
    return name if name in known and name not in there else None


def _gone(part: str, absent: Mapping[str, str]) -> str:
    name = part.partition("=")[0].strip()
    first = next((reason for key, reason in absent.items() if key in name.split(" × ") or name.startswith(key)), None)
    return first or "what the rows belong to did not travel"


def _of_another(before: records.CheckResult, after: records.CheckResult, measure: str, part: str) -> str | None:
    """Why two values are not of the same thing.

    Of several classes, a group's rate is that of the one furthest apart; of several faults, what is told beside the
    worst score is that of the fault which gave it.
    """
    worst = before.details.get("worst"), after.details.get("worst")
    if measure not in (before.check_id, f"{before.check_id}.clean") and None not in worst and worst[0] != worst[1]:
        return (
            f"declared is the value at {worst[0]}, measured on these rows that at {worst[1]}: the score is worst there"
        )
    name, divided, _ = part.partition("=")
    then, now = before.details.get("rate"), after.details.get("rate")
    if not divided or not isinstance(then, Mapping) or not isinstance(now, Mapping) or then.get(name) == now.get(name):
        return None
    return f"declared is the {then.get(name)}, measured on these rows the {now.get(name)}: groups differ most there"


def _same(
    tolerance: recipe.Tolerance, check: str, old: records.Measure, new: records.Measure, *, intervals: bool
) -> Comparison:
    if old.value is None or new.value is None:
        status: Status = "reproduced" if old.value is new.value else "differs"
        text = "undefined then and now" if old.value is new.value else "undefined in one of the two"
        return _made(check, old, new, status, text)
    allowed = tolerance.absolute + tolerance.relative * abs(old.value)
    apart = abs(new.value - old.value)
    if apart > allowed:
        return _made(check, old, new, "differs", f"{apart:.3g} apart, allowed are {allowed:.3g}")
    if old.n is not None and new.n is not None and old.n != new.n:
        return _made(check, old, new, "differs", f"declared on {old.n:,} rows, measured on {new.n:,}")
    if intervals and (bad := _interval_differs(old, new, allowed)):
        return _made(check, old, new, "differs", bad)
    note = "" if intervals else "; intervals not compared: which rows belong together did not travel"
    return _made(check, old, new, "reproduced", f"{apart:.2g} apart{note}")


def _interval_differs(old: records.Measure, new: records.Measure, allowed: float) -> str | None:
    if old.interval is None or new.interval is None:
        return None if old.interval is new.interval else "an interval in one of the two only"
    reach = allowed + INTERVAL_SHARE * (new.interval.high - new.interval.low)
    apart = max(abs(old.interval.low - new.interval.low), abs(old.interval.high - new.interval.high))
    return None if apart <= reach else f"an end of the interval is {apart:.3g} apart, allowed are {reach:.3g}"


def _other(pair: tuple[str, records.Measure, records.Measure], level: float, count: int, least: int) -> Comparison:
    check, old, new = pair
    if old.value is None or new.value is None:
        return _made(check, old, new, "cannot_tell", "undefined in one of the two" if old.value is not new.value else
                     "undefined then and now")  # fmt: skip
    if new.n is not None and new.n < least:
        return _made(check, old, new, "cannot_tell", f"only {new.n:,} rows, at least {least:,} are needed")
    if old.interval is None or new.interval is None:
        return _made(check, old, new, "cannot_tell", "other rows, and no interval to compare with")
    up = new.value >= old.value
    reaches = (old.interval.high - old.value, new.value - new.interval.low)
    if not up:
        reaches = (old.value - old.interval.low, new.interval.high - new.value)
    together, apart = math.hypot(*(max(r, 0.0) for r in reaches)), abs(new.value - old.value)
    wide, before = (m.interval.high - m.interval.low for m in (new, old) if m.interval is not None)
    if apart > together * _stretch(level, count):
        return _made(check, old, new, "differs", f"{apart:.3g} apart, more than chance explains ({together:.3g})")
    if apart > together:
        text = f"{apart:.3g} apart, {together:.3g} for this one alone; among {count:,} comparisons that may be chance"
        return _made(check, old, new, "cannot_tell", text)
    if wide > WIDEST * before and before > 0:
        return _made(check, old, new, "cannot_tell", "the interval is too wide to say anything: use more rows")
    return _made(check, old, new, "reproduced", f"{apart:.3g} apart, within chance ({together:.3g})")


def _stretch(level: float, count: int) -> float:
    """By how much an interval grows when it holds for all comparisons at once."""
    normal = statistics.NormalDist()
    return normal.inv_cdf(1 - (1 - level) / 2 / count) / normal.inv_cdf(0.5 + level / 2)


def _made(check: str, old: records.Measure, new: records.Measure, status: Status, reason: str) -> Comparison:
    return Comparison(
        check_id=check,
        name=old.name,
        slice=old.slice,
        unit=old.unit,
        declared=old.value,
        declared_interval=old.interval,
        declared_n=old.n,
        measured=new.value,
        measured_interval=new.interval,
        measured_n=new.n,
        status=status,
        reason=reason,
        headline=old.name == check and "=" not in old.slice,
    )
