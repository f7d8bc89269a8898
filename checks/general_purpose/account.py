"""The account of a language model: compute with spread, what counts, thresholds, energy, class with reasons, duties."""

from __future__ import annotations

import datetime as dt
import re

from checks.general_purpose import classes, compute, thresholds
from configs.language.plan import LanguagePlan
from configs.law import applies_general, general_purpose
from evidence import clock
from evidence.language_records import AccountRecord, LanguageTrainingRecord, NumberRange, TokenisedData
from evidence.record_base import Quantity

JOULES = {"J": 1.0, "kJ": 1e3, "MJ": 1e6, "Wh": 3.6e3, "kWh": 3.6e6, "MWh": 3.6e9}
DAY = 86_400.0
REQUEUES = "all parts of the training, requeues included"
_RANKS = re.compile(r"([0-9]+) ranks")


def account(
    plan: LanguagePlan,
    tokenised: TokenisedData,
    training: LanguageTrainingRecord,
) -> AccountRecord:
    """Account for a training.

    Args:
        plan: Its plan, with the answers of a person under `general_purpose`.
        tokenised: The text as tokens.
        training: The training, requeues included.
    """
    estimates = compute.estimates(training)
    run = compute.range_of(estimates)
    items = compute.items(plan, training, run)
    total, complete = compute.cumulative(run, items)
    compared = thresholds.comparisons(total, training.base, complete=complete)
    found = classes.classify(plan, training.base, compared)
    register = general_purpose.load()
    duties = (r.id for r in applies_general.requirements(plan, found.classes))
    return AccountRecord(
        estimates=estimates,
        low=run.low,
        high=run.high,
        spread=run.spread,
        cumulative=compute.quantity(total, complete=complete),
        items=items,
        comparisons=compared,
        energy=energy(training.energy),
        wall_time=Quantity(
            value=training.seconds / DAY, unit="days", method="clock of the trainer", boundary=_boundary(training)
        ),
        hardware_time=hardware_time(training),
        size_range=_range(register.size_ranges, training.parameters),
        time_range=_range(register.time_ranges, training.seconds),
        text_band=_band(register, tokenised),
        classes=found.classes,
        path=found.path,
        duties=tuple(name for name in duties if name.startswith(("GP-", "CP-"))),
        notify_by=_two_weeks() if found.presumed else None,
    )


def _range(ranges: tuple[general_purpose.Range, ...], value: float) -> NumberRange:
    found = general_purpose.range_of(ranges, value)
    return NumberRange(title=found.title, low=found.from_, below=found.below)


def _band(register: general_purpose.GeneralRegister, tokenised: TokenisedData) -> NumberRange:
    """The band of the tokens of the training text, each document once."""
    text = next(band for band in register.size_bands if band.modality == "text")
    found = text.of(tokenised.parts["train"].tokens)
    ends: tuple[float | None, ...] = (0.0, *text.edges, None)
    index = text.titles.index(found)
    return NumberRange(title=f"{found} {text.unit}", low=ends[index] or 0.0, below=ends[index + 1])


def _two_weeks() -> str:
    """The end of the time of notification, counted from now: the moment at which it is known."""
    until = dt.datetime.fromisoformat(clock.now()) + dt.timedelta(weeks=general_purpose.load().notification_weeks)
    return until.isoformat().replace("+00:00", "Z")


def energy(measured: Quantity) -> Quantity:
    """The energy in megawatt-hours, as the Model Documentation Form asks for it."""
    value = None if measured.value is None else measured.value * JOULES[measured.unit] / JOULES["MWh"]
    return measured.model_copy(update={"value": value, "unit": "MWh"})


def hardware_time(training: LanguageTrainingRecord) -> Quantity:
    """Days times devices: by the job's GPU-hours where they were told, otherwise seconds times ranks."""
    job = training.job
    if job is not None and job.gpu_hours.value:
        return job.gpu_hours.model_copy(update={"value": job.gpu_hours.value / 24, "unit": "device-days"})
    found = _RANKS.search(training.parallel)
    ranks = int(found[1]) if found else 1
    return Quantity(
        value=training.seconds * ranks / DAY,
        unit="device-days",
        method=f"clock of the trainer times {ranks} ranks" if found else "clock of the trainer, one device",
        boundary=_boundary(training),
    )


def _boundary(training: LanguageTrainingRecord) -> str:
    """What the clock of the trainer counts: steps that a kill threw away are in no snapshot, and in no time."""
    return f"{REQUEUES}; steps lost in a kill are not" if training.resumed else REQUEUES
