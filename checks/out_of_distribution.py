"""A flag for inputs unlike those of training, and how far it can be trusted: a documented limit, not a protection.

The flag is raised where the distance of the numeric features from the training mean is above that of the plan's share
of the training rows, or where a category is none that the model knows. What it is measured on: the unaltered test rows
(false alarms), and test rows made strange in three ways: every feature shuffled between the rows, so that each value is
usual and the combination is not; one numeric feature of each row pushed beyond its training range; one numeric feature
ten times too large, as in a wrong unit.

What it does not see: unusual combinations of categories, strange values near the mean, a changed meaning of a column,
and a shift of the population that stays within the cloud of the training rows.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from checks import _distance, _proportions, intervals
from checks._chosen import chosen
from checks._distance import Distance
from checks._ranking import Ranking, separated
from checks._subject import Subject, floats, measured, not_applicable, not_measured
from evidence import records

Floats = npt.NDArray[np.float64]
Inputs = npt.NDArray[np.float32]

ALARMS, DETECTION = "explanation.ood_false_alarms", "explanation.ood_detection"
UNIT = 10.0
"""By what the wrong unit multiplies."""
KINDS = {
    "shuffled": "every feature shuffled between the rows",
    "out_of_range": "one numeric feature of each row pushed one training range beyond its end",
    "unit": f"one numeric feature of each row multiplied by {UNIT:g} (0 stays 0)",
}
BLIND = (
    "unusual combinations of categories",
    "values near the training mean that are wrong",
    "a changed meaning of a column",
    "a shift of the population within the cloud of the training rows",
)


def measure(subject: Subject) -> tuple[records.CheckResult, ...]:
    """False alarms and detection."""
    train = subject.parts.part("train")
    if train is None or train.rows < 2:
        return tuple(not_measured(c, "the run holds no training part to compare with") for c in (ALARMS, DETECTION))
    distance = _distance.fit(subject.encoded.features, train.x)
    quantile = subject.plan.policy.explanation.out_of_distribution.quantile
    threshold = float(np.quantile(distance(train.x), quantile))
    return _alarms(subject, distance, threshold, train.rows), _detection(subject, distance, threshold)


def flagged(distance: Distance, threshold: float, x: Inputs) -> npt.NDArray[np.bool_]:
    """Rows (rows,) that the flag is raised for."""
    return (distance(x) > threshold) | (distance.unknown(x) > 0)


def _alarms(subject: Subject, distance: Distance, threshold: float, trained: int) -> records.CheckResult:
    raised = flagged(distance, threshold, subject.part.x)
    quantile = subject.plan.policy.explanation.out_of_distribution.quantile
    note = f"distance above {threshold:.6g}, that of {quantile:g} of the {trained:,} training rows"
    one = records.Measure(
        name=ALARMS,
        value=float(np.mean(raised)),
        interval=_proportions.of_rows(raised, subject.sampling),
        n=subject.part.rows,
        split="test",
        note=note if len(distance.numeric) else "no numeric feature: only unknown categories raise the flag",
    )
    features = subject.encoded.features
    details = {
        "threshold": threshold,
        "quantile": quantile,
        "features": [
            {"feature": features[j].name, "mean": float(m), "std": float(s)}
            for j, m, s in zip(distance.numeric, distance.mean, distance.std, strict=True)
        ],
        "precision": None if len(distance.numeric) > _distance.MOST else [floats(r) for r in distance.precision],
        "blind_to": list(BLIND),
    }
    return measured(ALARMS, (one,), details, subject.artifacts)


def _detection(subject: Subject, distance: Distance, threshold: float) -> records.CheckResult:
    if not len(distance.numeric):
        return not_applicable(DETECTION, "the model has no numeric feature, so there is no distance")
    settings = subject.plan.policy.explanation.out_of_distribution
    rows = chosen(subject.part, settings.rows, subject.sampling.seed)
    x, sampling = subject.part.x[rows], subject.sampling.take(rows)
    usual = distance(x)
    measures: list[records.Measure] = []
    for kind, words in KINDS.items():
        name = DETECTION if kind == "shuffled" else f"{DETECTION}.{kind}"
        if kind == "shuffled" and len(distance.numeric) < 2:
            measures.append(_undefined(name, len(rows)))
            continue
        strange = _made(subject, kind, x)
        measures.append(_area(name, usual, distance(strange), sampling, words))
        raised = flagged(distance, threshold, strange)
        measures.append(
            records.Measure(
                name=f"{DETECTION}.{kind}_flagged",
                value=float(np.mean(raised)),
                interval=_proportions.of_rows(raised, sampling),
                n=len(rows),
                split="test",
                note=f"share of the strange rows that are flagged: {words}",
            )
        )
    kinds = [{"kind": kind, "how": words} for kind, words in KINDS.items()]
    return measured(DETECTION, tuple(measures), {"kinds": kinds}, subject.artifacts)


def _made(subject: Subject, kind: str, x: Inputs) -> Inputs:
    """Test rows (rows, features) made strange."""
    rng = subject.sampling.rng(f"{DETECTION}.{kind}")
    strange = x.copy()
    if kind == "shuffled":
        for column in range(x.shape[1]):
            strange[:, column] = x[rng.permutation(len(x)), column]
        return strange
    features = subject.encoded.features
    numeric = [j for j, f in enumerate(features) if f.kind == "numeric"]
    picked = np.array(numeric)[rng.integers(0, len(numeric), len(x))]
    upwards = rng.random(len(x)) < 0.5
    at = np.arange(len(x))
    if kind == "unit":
        strange[at, picked] *= np.float32(UNIT)
        return strange
    low = np.array([f.minimum or 0.0 for f in features])[picked]
    high = np.array([f.maximum or 0.0 for f in features])[picked]
    strange[at, picked] = np.where(upwards, 2 * high - low, 2 * low - high)
    return strange


def _area(name: str, usual: Floats, strange: Floats, sampling: intervals.Sampling, words: str) -> records.Measure:
    """Area under the ROC curve; a row and its strange copy are drawn together."""
    ranking = Ranking(np.concatenate([strange, usual]), np.arange(2 * len(usual)) < len(usual))
    value = float(ranking.areas(np.ones((1, 2 * len(usual))))[0, 0])
    if value == 1.0:
        units = len(usual) if sampling.entities is None else int(intervals.clusters(sampling.entities).max()) + 1
        low = separated(units, units, (1 - sampling.level) / 2)[0]
        method = "exact binomial bound for separated rows"
        interval = records.Interval(low=low, high=1.0, level=sampling.level, method=method)
        return records.Measure(name=name, value=1.0, interval=interval, n=len(usual), split="test", note=words)
    drawn = intervals.replicate(lambda w: ranking.areas(np.tile(w, 2))[:, :1], len(usual), sampling, name)
    return records.Measure(
        name=name,
        value=value,
        interval=intervals.percentile(drawn[:, 0], value, sampling, intervals.row_method(sampling)),
        n=len(usual),
        split="test",
        note=words,
    )


def _undefined(name: str, rows: int) -> records.Measure:
    note = "undefined: one numeric feature has no combination that shuffling could break"
    return records.Measure(name=name, value=None, n=rows, split="test", note=note)
