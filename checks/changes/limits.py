"""The limits of declared changes, laid on what was found: within, outside, cannot tell.

As at a gate, the whole interval must lie on the good side; one that straddles the limit decides nothing.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from checks import basis, catalogue, gate
from checks.changes import found
from checks.changes.side import Side
from configs import shown
from configs.changes import Limits, MetricLimit
from configs.policy import Gate
from evidence.diff_records import Answer, LimitAnswer, MeasureDifference, RowsCompared

_OF_GATE: dict[str, Answer] = {"pass": "within", "fail": "outside"}


@dataclasses.dataclass(frozen=True)
class Seen:
    """What the limits are laid on."""

    before: Side
    after: Side
    rows: RowsCompared
    measures: tuple[MeasureDifference, ...]


def answers(limits: Limits, seen: Seen) -> tuple[LimitAnswer, ...]:
    """One answer for each limit that is set."""
    return (*_features(limits, seen), *_of_rows(limits, seen), *_of_metrics(limits, seen))


def worst(answered: tuple[LimitAnswer, ...]) -> Answer:
    """The answer of several limits together."""
    given = [a.answer for a in answered]
    return "outside" if "outside" in given else "cannot_tell" if "cannot_tell" in given else "within"


def _features(limits: Limits, seen: Seen) -> Iterator[LimitAnswer]:
    if limits.features_unchanged:
        first, second = found.features_of(seen.before), found.features_of(seen.after)
        gone, new = [f for f in first if f not in second], [f for f in second if f not in first]
        said = [f"gone: {', '.join(gone)}"] if gone else []
        said += [f"new: {', '.join(new)}"] if new else []
        said += ["another order"] if first != second and not said else []
        yield LimitAnswer(
            limit="features unchanged",
            answer="outside" if said else "within",
            found="; ".join(said) or f"the same {len(first)} features",
            kind="features",
        )


def _of_rows(limits: Limits, seen: Seen) -> Iterator[LimitAnswer]:
    before, after = seen.rows.before, seen.rows.after
    grown = (after - before) / before if before else 0.0
    counted = f"{before:,} → {after:,} rows, {100 * grown:+.1f} %"
    for bound, words, value in (
        (limits.rows_grow_by_at_most, "rows grow", grown),
        (limits.rows_shrink_by_at_most, "rows shrink", -grown),
    ):
        if bound is not None:
            yield LimitAnswer(
                limit=f"{words} by at most {100 * bound:g} %",
                answer="within" if value <= bound + 1e-12 else "outside",
                found=counted,
                bound=bound,
            )
    if limits.group_shares_move_by_at_most is not None:
        yield _shares(limits.group_shares_move_by_at_most, seen)
    if limits.drift_at_most is not None:
        yield _drift(limits.drift_at_most, seen)


def _shares(bound: float, seen: Seen) -> LimitAnswer:
    limit = f"shares of groups move by at most {100 * bound:g} points of percent"
    if not seen.rows.groups and not seen.rows.content_equal:
        return LimitAnswer(limit=limit, answer="cannot_tell", found="the rows are not at hand", bound=bound)
    if not seen.rows.groups:
        return LimitAnswer(limit=limit, answer="within", found="the rows are the same", bound=bound)
    most = max(seen.rows.groups, key=lambda g: abs(g.value))
    return LimitAnswer(
        limit=limit,
        answer="within" if abs(most.value) <= bound + 1e-12 else "outside",
        found=f"largest for {most.attribute}={most.group}: {100 * most.before:.1f} % → {100 * most.after:.1f} %",
        bound=bound,
    )


def _drift(bound: float, seen: Seen) -> LimitAnswer:
    limit = f"drift of a feature between the test parts at most {bound:g}"
    if seen.rows.same_test_rows:
        return LimitAnswer(limit=limit, answer="within", found="the test rows are the same", bound=bound)
    if not seen.rows.drift:
        return LimitAnswer(limit=limit, answer="cannot_tell", found="the rows are not at hand", bound=bound)
    most, highest = seen.rows.drift[0], max(seen.rows.drift, key=lambda d: d.high)
    answer: Answer = "outside" if any(d.low > bound for d in seen.rows.drift) else "cannot_tell"
    if highest.high <= bound:
        answer = "within"
    said = (
        f"largest for {most.feature}: {shown.number(most.value)} [{shown.number(most.low)}, {shown.number(most.high)}]"
    )
    if highest.feature != most.feature:
        said += f"; {highest.feature} reaches {shown.number(highest.high)}"
    return LimitAnswer(limit=limit, answer=answer, found=said, bound=bound)


def _of_metrics(limits: Limits, seen: Seen) -> Iterator[LimitAnswer]:
    for limit in limits.metrics:
        if limit.at_least is not None:
            yield _absolute(limit, Gate(check=limit.check, slice=limit.slice, at_least=limit.at_least), seen)
        if limit.at_most is not None:
            yield _absolute(limit, Gate(check=limit.check, slice=limit.slice, at_most=limit.at_most), seen)
        if limit.worse_by_at_most is not None:
            yield _relative(limit, limit.worse_by_at_most, seen)


def _absolute(limit: MetricLimit, asked: Gate, seen: Seen) -> LimitAnswer:
    """As the gate lays a threshold on a measure of the later version, small groups included."""
    kind = "at_least" if asked.at_least is not None else "at_most"
    bound = asked.at_least if asked.at_least is not None else asked.at_most
    reason = gate.reason(seen.after.plan.policy, asked, seen.after.results)
    return LimitAnswer(
        limit=f"{_name(limit)} {kind.replace('_', ' ')} {bound:g}",
        answer=_OF_GATE.get(reason.status, "cannot_tell"),
        found=reason.text,
        check=limit.check,
        slice=limit.slice,
        bound=bound,
        kind=kind,
    )


def _relative(limit: MetricLimit, bound: float, seen: Seen) -> LimitAnswer:
    """The loss from the earlier to the later version, at its interval."""
    difference = next((m for m in seen.measures if (m.name, m.slice) == (limit.check, limit.slice)), None)
    answer: Answer = "cannot_tell"
    if difference is None:
        said = "not measured in both versions"
    elif difference.value is None or difference.low is None or difference.high is None:
        said = difference.method
    else:
        sign = -1.0 if difference.better == "higher" else 1.0
        least, most = sorted((sign * difference.low, sign * difference.high))
        answer = "within" if most <= bound else "outside" if least > bound else "cannot_tell"
        small = _too_small(limit, seen)
        said = f"moved by {difference.value:+.3g} [{difference.low:+.3g}, {difference.high:+.3g}]"
        if small and answer == "within":
            answer = "cannot_tell"
            said += f"; too few rows in {', '.join(small)}"
    return LimitAnswer(
        limit=f"{_name(limit)} worse by at most {bound:g}",
        answer=answer,
        found=said,
        check=limit.check,
        slice=limit.slice,
        bound=bound,
        kind="worse_by_at_most",
    )


def _too_small(limit: MetricLimit, seen: Seen) -> list[str]:
    """Groups of the slice, in either version, that are too small to be judged."""
    found_ = []
    for side in (seen.before, seen.after):
        for result in side.results:
            if result.check_id == limit.check and basis.find(result, limit.check, limit.slice) is not None:
                named = [g for key in ("small_groups", "empty_groups") for g in result.details.get(key, [])]
                found_ += [g for g in named if str(g).startswith(f"{limit.slice}=")]
    return list(dict.fromkeys(found_))


def _name(limit: MetricLimit) -> str:
    title = catalogue.METRICS[limit.check].title
    return title if limit.slice == "overall" else f"{title} ({limit.slice})"
