"""Bits per byte and perplexity of the held-out text: overall, by language and domain, the worst, and the gap.

Every document stands behind an end-of-text token, as in training; its own end is not counted. Bits per byte divide by
the bytes of the text, so that models with different tokenizers compare; perplexity divides by its tokens. A language
or domain with fewer documents than the policy asks for is listed with its value and left out where groups are compared
(unless all are so small, which leaves the comparison open); one that the training text has and the held-out text has
not is listed as not measured. Text whose language nobody could tell (`und`) is part of the whole, and no language that
is compared; nor is a handful of documents whose identified language the plan does not declare, which is more often a
mistake of the identification than a language.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from checks import _simultaneous, gate
from checks._group_rates import GroupRates
from checks._subject import measured, not_applicable, not_measured
from checks.language import _ratios
from checks.language._subject import HeldOut, Subject, held_out
from evidence import records

Floats = npt.NDArray[np.float64]

BITS, PERPLEXITY, GAP = "language.bits_per_byte", "language.perplexity", "language.bits_per_byte_gap"
SLICES = ("language", "domain")
UNKNOWN = "und"
_LEAST = "fewer documents than the policy asks for"
_STRAY = "few documents of a language that the plan does not declare: not compared"


@dataclasses.dataclass(frozen=True)
class Kind:
    """A ratio of sums and how it is shown."""

    check: str
    unit: str
    total: Floats
    size: Floats
    shown: Callable[[float], float]
    """From the ratio to what is reported; rising."""


def measure(subject: Subject) -> tuple[records.CheckResult, ...]:
    """The three results, before the policy is laid on them."""
    found = held_out(subject)
    if not found.tokens.sum():
        return tuple(not_measured(check, "there is no held-out text") for check in (BITS, PERPLEXITY, GAP))
    bits = Kind(BITS, "bit", found.nats / np.log(2), found.bytes, float)
    nats = Kind(PERPLEXITY, "1", found.nats, found.tokens, lambda v: float(np.exp(min(v, 700.0))))
    characters = Kind(f"{BITS}.per_character", "bit", bits.total, found.characters, float)
    groups = {part: _groups(subject, bits, found, part) for part in SLICES}
    return (
        _result(subject, bits, found, extra=(_overall(subject, characters, found),)),
        _result(subject, nats, found),
        _gap(subject, found, groups),
    )


def _result(
    subject: Subject, kind: Kind, found: HeldOut, extra: tuple[records.Measure, ...] = ()
) -> records.CheckResult:
    overall = _overall(subject, kind, found)
    measures, tables, worst = [overall, *extra], {}, {}
    for part in SLICES:
        rates = _groups(subject, kind, found, part)
        each = [_of_group(subject, kind, found, part, rates, g) for g in range(len(found.names[part]))]
        kept = _compared(subject, found, part, 1)
        if kept.any():
            headline = _worst(subject, kind, part, rates.only(kept[None]))
            worst[part] = f"{part} = {found.names[part][int(np.nanargmax(np.where(kept, rates.rates[0], np.nan)))]}"
            measures += [headline, *_without_small(subject, found, headline), _best(kind, part, rates, kept)]
        measures += [*each, *(_absent(kind, part, name) for name in _missing(subject, found, part))]
        tables[part] = [_row(found, part, g, m) for g, m in enumerate(each)]
    details = {"groups": tables, "worst_slice": worst, "tokens": int(found.tokens.sum())}
    details |= {"bytes": int(found.bytes.sum()), "overlap_tokens": subject.context // 2, **_sizes(subject, found)}
    return measured(kind.check, tuple(measures), details, subject.artifacts)


def _groups(subject: Subject, kind: Kind, found: HeldOut, part: str) -> GroupRates:
    return _ratios.of_groups(
        kind.total, kind.size, found.codes[part], len(found.names[part]), subject.sampling, kind.check
    )


def _overall(subject: Subject, kind: Kind, found: HeldOut) -> records.Measure:
    everything = np.zeros(len(found.nats), np.int64)
    rates = _ratios.of_groups(kind.total, kind.size, everything, 1, subject.sampling, kind.check)
    return _measure(subject, kind, kind.check, "overall", rates, 0)


def _measure(
    subject: Subject, kind: Kind, name: str, part: str, rates: GroupRates, group: int, note: str | None = None
) -> records.Measure:
    interval = _ratios.interval(rates, group, subject.sampling)
    if interval is not None:
        ends = {"low": kind.shown(interval.low), "high": kind.shown(interval.high)}
        interval = interval.model_copy(update=ends)
    units = int(rates.rows[0, group])
    return records.Measure(
        name=name,
        value=kind.shown(float(rates.rates[0, group])),
        unit=kind.unit,
        interval=interval,
        n=units,
        slice=part,
        split="test",
        note=note or (None if interval else "a single document: no interval" if units < 2 else "nothing varies"),
    )


def _of_group(
    subject: Subject, kind: Kind, found: HeldOut, part: str, rates: GroupRates, group: int
) -> records.Measure:
    name = found.names[part][group]
    note = _LEAST if rates.rows[0, group] < subject.plan.policy.minimum_group_size else None
    if part == "language" and name in not_named(subject, found):
        note = "language not determined: not compared" if name == UNKNOWN else _STRAY
    return _measure(subject, kind, kind.check, f"{part}={name}", rates, group, note)


def _worst(subject: Subject, kind: Kind, part: str, kept: GroupRates) -> records.Measure:
    low, high = _simultaneous.extreme(kept.rates, kept.bounds, subject.sampling.level, smallest=False)
    value = float(np.nanmax(kept.rates))
    return records.Measure(
        name=kind.check,
        value=kind.shown(value),
        unit=kind.unit,
        interval=_bounded(subject, kind.shown(low), kind.shown(high), kind.shown(value), "lower end simultaneous"),
        n=int(kept.rows[np.isfinite(kept.rates)].sum()),
        slice=part,
        split="test",
        note=f"the {part} where it is largest",
    )


def _best(kind: Kind, part: str, rates: GroupRates, kept: npt.NDArray[np.bool_]) -> records.Measure:
    place = int(np.nanargmin(np.where(kept, rates.rates[0], np.nan)))
    return records.Measure(
        name=f"{kind.check}.best",
        value=kind.shown(float(rates.rates[0, place])),
        unit=kind.unit,
        n=int(rates.rows[0, place]),
        slice=part,
        split="test",
        note=f"the {part} where it is smallest",
    )


def _gap(subject: Subject, found: HeldOut, groups: dict[str, GroupRates]) -> records.CheckResult:
    measures, pairs, sampling = [], {}, subject.sampling
    for part, rates in groups.items():
        kept = _compared(subject, found, part, 2)
        if kept.sum() < 2:
            continue
        left = rates.only(kept[None])
        low, high = _simultaneous.gap(left.rates, left.bounds, sampling.level)
        value = float(np.nanmax(left.rates) - np.nanmin(left.rates))
        names = [found.names[part][int(pick(left.rates[0]))] for pick in (np.nanargmax, np.nanargmin)]
        pairs[part] = {"worst": names[0], "best": names[1]}
        headline = records.Measure(
            name=GAP,
            value=value,
            unit="bit",
            interval=_bounded(subject, low, high, value, "square and add, lower end simultaneous (Tukey)"),
            n=int(rates.rows[0, kept].sum()),
            slice=part,
            split="test",
            note=f"{names[0]} less {names[1]}",
        )
        measures += [headline, *_without_small(subject, found, headline)]
    details = {**_sizes(subject, found), "pairs": pairs}
    if measures:
        return measured(GAP, tuple(measures), details)
    unnamed = not_named(subject, found)
    several = any(len(set(found.names[part]) - unnamed) > 1 or _missing(subject, found, part) for part in SLICES)
    if several:
        return not_measured(GAP, "no two languages or domains have enough held-out documents to compare")
    return not_applicable(GAP, "the text has one language and one domain: nothing to compare")


def _bounded(subject: Subject, low: float, high: float, value: float, how: str) -> records.Interval | None:
    if not (np.isfinite(low) and np.isfinite(high)):
        return None
    method = f"{_ratios.POSITIVE.format('the groups')}; {how}"
    level = subject.sampling.level
    return records.Interval(low=min(low, value), high=max(high, value), level=level, method=method)


def _compared(subject: Subject, found: HeldOut, part: str, least: int) -> npt.NDArray[np.bool_]:
    """Groups (groups,) that have a name and are large enough; where fewer than `least` are, those with a name."""
    names = np.array(found.names[part])
    known = ~np.isin(names, sorted(not_named(subject, found))) if part == "language" else np.ones(len(names), bool)
    large = known & (np.bincount(found.codes[part], minlength=len(names)) >= subject.plan.policy.minimum_group_size)
    return large if large.sum() >= least else known


def _without_small(subject: Subject, found: HeldOut, headline: records.Measure) -> list[records.Measure]:
    """The headline again where it rests on large groups and small ones were left out, as a gate looks for it."""
    part = headline.slice
    large = _compared(subject, found, part, 0)
    small = any(group.startswith(f"{part}=") for group in _small(subject, found))
    if large.sum() < (2 if headline.name == GAP else 1) or not small:
        return []
    return [headline.model_copy(update={"name": f"{headline.name}.{gate.WITHOUT_SMALL}"})]


def _missing(subject: Subject, found: HeldOut, part: str) -> list[str]:
    return sorted(wanted(subject, part) - set(found.names[part]))


def wanted(subject: Subject, part: str) -> set[str]:
    """Languages or domains of the training text that held-out text is expected of: of languages the declared ones."""
    names, declared = set(subject.expected.get(part, ())), set(subject.plan.declared_languages)
    return (names & declared if part == "language" and declared else names) - {UNKNOWN}


def not_named(subject: Subject, found: HeldOut) -> set[str]:
    """Languages that are none to compare: undetermined, or undeclared with a few documents beside declared ones."""
    declared, least = set(subject.plan.declared_languages), subject.plan.policy.minimum_group_size
    sizes = np.bincount(found.codes["language"], minlength=len(found.names["language"]))
    strays = [
        name for name, size in zip(found.names["language"], sizes, strict=True)
        if declared and name not in declared and size < least
    ]  # fmt: skip
    return {UNKNOWN, *strays}


def _small(subject: Subject, found: HeldOut) -> list[str]:
    """Groups with fewer documents than the policy asks for, as a gate names them."""
    least, unnamed, small = subject.plan.policy.minimum_group_size, not_named(subject, found), []
    for part in SLICES:
        sizes = np.bincount(found.codes[part], minlength=len(found.names[part]))
        named = zip(found.names[part], sizes, strict=True)
        small += [f"{part}={n}" for n, size in named if size < least and not (part == "language" and n in unnamed)]
    return small


def _absent(kind: Kind, part: str, name: str) -> records.Measure:
    why = f"no held-out text of this {part}"
    return records.Measure(name=kind.check, value=None, unit=kind.unit, n=0, slice=f"{part}={name}", note=why)


def _sizes(subject: Subject, found: HeldOut) -> dict[str, object]:
    """What a gate needs to know of groups that are too small."""
    empty = [f"{part}={name}" for part in SLICES for name in _missing(subject, found, part)]
    return {
        "small_groups": _small(subject, found),
        "empty_groups": empty,
        "minimum_group_size": subject.plan.policy.minimum_group_size,
        "overall_without_groups": True,
        "group_unit": "documents",
    }


def _row(found: HeldOut, part: str, group: int, shown: records.Measure) -> dict[str, object]:
    inside = found.codes[part] == group
    return {
        "name": found.names[part][group],
        "documents": int(inside.sum()),
        "tokens": int(found.tokens[inside].sum()),
        "bytes": int(found.bytes[inside].sum()),
        "characters": int(found.characters[inside].sum()),
        "value": shown.value,
        "low": shown.interval.low if shown.interval else None,
        "high": shown.interval.high if shown.interval else None,
    }
