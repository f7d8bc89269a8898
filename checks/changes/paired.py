"""Intervals of what differs between two versions that answered the same test rows: compared row by row.

Shares (accuracy, rates of a group) and gaps between groups as in `checks._paired`. A number that is smooth in the rows
(area under the ROC curve, Brier score, log loss, F1, errors of a regressor) changes by the sum of what each row adds,
its influence: the spread of the differences of the influences, over entities where there are any, gives the interval
with Student's t (for areas that is DeLong's paired comparison). The average precision is not smooth, and takes
replicates of whole rows.

Everything is symmetric: the difference the other way round has the same interval with its signs turned.

Refs: DeLong et al., Biometrics 44 (1988) 837. Hampel, JASA 69 (1974) 383 (influence). Tang et al. 2010 (paired shares).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from scipy import special

from checks import _area, _classifier_scores, _paired, intervals, scoring
from checks._paired import Change
from checks._ranking import Ranking
from evidence import arrays

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

INFLUENCE = "paired, Student's t of the rows' influences"
GAPS = {
    "fairness.demographic_parity_difference": ("selection_rate",),
    "fairness.equal_opportunity_difference": ("true_positive_rate",),
    "fairness.equalized_odds_difference": ("true_positive_rate", "false_positive_rate"),
    "fairness.predictive_parity_difference": ("precision",),
    "fairness.accuracy_difference": ("accuracy",),
}
"""Check to the rates whose largest gap it is."""


@dataclasses.dataclass(frozen=True)
class SameRows:
    """Two answers to the same test rows, in one order."""

    y: Codes | Floats
    """(rows,) classes, or numbers."""
    before: scoring.Scores
    after: scoring.Scores
    classes: int
    """K; 0 for regression."""
    groups: dict[str, arrays.Groups]
    sampling: intervals.Sampling

    @property
    def alike(self) -> bool:
        """Do both answer every row alike?"""
        return all(
            np.array_equal(first, second)
            for name in ("labels", "probabilities", "predictions")
            if (first := getattr(self.before, name)) is not None and (second := getattr(self.after, name)) is not None
        )


def change(rows: SameRows, check: str, part: str) -> tuple[Change, str] | None:
    """The difference with its interval and method; None for what is not compared row by row.

    Args:
        rows: The two answers.
        check: Identifier in the catalogue.
        part: Slice: `overall`, an attribute, or one group (`sex=female`).
    """
    family, _, name = check.partition(".")
    if family == "fairness":
        return _of_groups(rows, check, name, part) if rows.classes == 2 else None
    if family != "performance" or part != "overall":
        return None
    if name in _SMOOTH:
        made = _SMOOTH[name](rows)
        fewest = int(np.bincount(_codes(rows)).min()) if name == "roc_auc" else None
        return None if made is None else (influenced(*made, rows.sampling, fewest), _over(INFLUENCE, rows.sampling))
    if rows.classes == 0:
        return None
    if name in ("accuracy", "balanced_accuracy"):
        return _shares(rows, by_class=name != "accuracy")
    return _average_precision(rows) if name == "pr_auc" else None


def influenced(value: float, influence: Floats, sampling: intervals.Sampling, fewest: int | None = None) -> Change:
    """A difference with Student's t interval from what each row adds to it.

    Args:
        value: The difference.
        influence: (rows,) what each row adds to its deviation; the sum is 0.
        sampling: Level and entities.
        fewest: Rows of the smaller class, where the number rests on both: they know no more than that.
    """
    summed = influence
    if sampling.entities is not None:
        summed = np.bincount(intervals.clusters(sampling.entities), weights=influence)
    units = len(summed) if fewest is None else min(fewest, len(summed))
    if units < 2:
        return Change(value, -np.inf, np.inf)
    spread = float(np.sqrt(np.sum(summed**2) * units / (units - 1)))
    reach = float(special.stdtrit(units - 1, 0.5 + sampling.level / 2)) * spread
    return Change(value, value - reach, value + reach)


Smooth = tuple[float, Floats]
"""A difference, and what each row adds to it."""


def _mean(first: Floats, second: Floats) -> Smooth:
    apart = second - first
    return float(apart.mean()), (apart - apart.mean()) / len(apart)


def _roc_auc(rows: SameRows) -> Smooth | None:
    found = [_areas(rows, scores) for scores in (rows.before, rows.after)]
    if found[0] is None or found[1] is None:
        return None
    values = [float(np.mean([a.value for a in areas])) for areas in found if areas]
    influences = [np.mean([a.influence for a in areas], axis=0) for areas in found if areas]
    return values[1] - values[0], influences[1] - influences[0]


def _areas(rows: SameRows, scores: scoring.Scores) -> list[_area.Area] | None:
    if scores.probabilities is None or not np.bincount(_codes(rows), minlength=rows.classes).all():
        return None
    shares = scores.probabilities.astype(np.float64)
    return [_area.of(shares[:, k], rows.y == k) for k in ([1] if rows.classes == 2 else range(rows.classes))]


def _of_probabilities(loss: Callable[[Floats, Codes], Floats]) -> Callable[[SameRows], Smooth | None]:
    def made(rows: SameRows) -> Smooth | None:
        shares = [scores.probabilities for scores in (rows.before, rows.after)]
        if shares[0] is None or shares[1] is None:
            return None
        return _mean(*(loss(s.astype(np.float64), _codes(rows)) for s in shares if s is not None))

    return made


def _f1(rows: SameRows) -> Smooth | None:
    y, found = _codes(rows), []
    if not np.bincount(y, minlength=rows.classes).all():
        return None
    for scores in (rows.before, rows.after):
        if scores.labels is None:
            return None
        ones = []
        for k in [1] if rows.classes == 2 else range(rows.classes):
            true, labelled = y == k, scores.labels == k
            both = float(true.sum() + labelled.sum())
            value = 2.0 * float((true & labelled).sum()) / both
            ones.append((value, (2.0 * (true & labelled) - value * (true.astype(float) + labelled)) / both))
        found.append((float(np.mean([o[0] for o in ones])), np.mean([o[1] for o in ones], axis=0)))
    return found[1][0] - found[0][0], found[1][1] - found[0][1]


def _of_errors(of: Callable[[Floats, Floats], Smooth]) -> Callable[[SameRows], Smooth | None]:
    def made(rows: SameRows) -> Smooth | None:
        if rows.before.predictions is None or rows.after.predictions is None:
            return None
        y = rows.y.astype(np.float64)
        ends = [of(scores.predictions.astype(np.float64) - y, y) for scores in (rows.before, rows.after)]  # type: ignore[union-attr]
        return ends[1][0] - ends[0][0], ends[1][1] - ends[0][1]

    return made


def _centred(values: Floats) -> Smooth:
    return float(values.mean()), (values - values.mean()) / len(values)


def _rmse(errors: Floats, _: Floats) -> Smooth:
    mean, influence = _centred(errors**2)
    root = float(np.sqrt(mean))
    return root, influence / (2 * root) if root > 0 else influence


def _r2(errors: Floats, y: Floats) -> Smooth:
    mean, influence = _centred(errors**2)
    spread, of_spread = _centred((y - y.mean()) ** 2)
    return 1 - mean / spread, -(influence - mean / spread * of_spread) / spread


_SMOOTH: dict[str, Callable[[SameRows], Smooth | None]] = {
    "roc_auc": _roc_auc,
    "brier": _of_probabilities(_classifier_scores.brier_rows),
    "log_loss": _of_probabilities(_classifier_scores.log_loss_rows),
    "f1": _f1,
    "mae": _of_errors(lambda errors, _: _centred(np.abs(errors))),
    "bias": _of_errors(lambda errors, _: _centred(errors)),
    "rmse": _of_errors(_rmse),
    "r2": _of_errors(_r2),
}
"""Metric to its difference and the rows' influences; None where a class has no row or something was not stored."""


def _shares(rows: SameRows, *, by_class: bool) -> tuple[Change, str] | None:
    labels = _labels(rows)
    if labels is None:
        return None
    y = _codes(rows)
    parts = [y == k for k in range(rows.classes)] if by_class else [np.ones(len(y), bool)]
    if not all(part.any() for part in parts):
        return None
    hits = [found == y for found in labels]
    found = [_paired.share(hits[0][part], hits[1][part], rows.sampling.take(part)) for part in parts]
    method = f"paired, {_paired.SHARE}" + (", over the classes" if by_class else "")
    return _paired.mean_of_shares(found), _over(method, rows.sampling)


def _average_precision(rows: SameRows) -> tuple[Change, str] | None:
    shares = [scores.probabilities for scores in (rows.before, rows.after)]
    y = _codes(rows)
    if shares[0] is None or shares[1] is None or not np.bincount(y, minlength=rows.classes).all():
        return None
    classes = [1] if rows.classes == 2 else range(rows.classes)
    rankings = [[Ranking(s.astype(np.float64)[:, k], y == k) for k in classes] for s in shares if s is not None]

    def statistic(weights: Floats) -> Floats:
        first, second = (np.mean([r.areas(weights)[:, 1] for r in one], axis=0) for one in rankings)
        return (second - first)[:, None]

    value = float(statistic(np.ones((1, len(y))))[0, 0])
    drawn = intervals.replicate(statistic, len(y), rows.sampling, "changes.average_precision")[:, 0]
    spread = float(np.nanstd(drawn, ddof=1))
    # Replicates repeat rows, which lifts the average precision: their spread is taken, not where they lie.
    fewest = int(np.bincount(y).min())
    reach = float(special.stdtrit(max(fewest - 1, 1), 0.5 + rows.sampling.level / 2)) * spread
    method = intervals.row_method(rows.sampling).replace("percentile", "Student's t of their spread")
    return Change(value, value - reach, value + reach), f"paired {method}"


def _of_groups(rows: SameRows, check: str, rate: str, part: str) -> tuple[Change, str] | None:
    labels = _labels(rows)
    attribute, _, group = part.partition("=")
    if labels is None or attribute not in rows.groups:
        return None
    found = rows.groups[attribute]
    if not group and check in GAPS:
        return _gap(rows, GAPS[check], found, labels)
    if group not in found.names or rate not in _RATES:
        return None
    y = _codes(rows)
    base, hit = _RATES[rate]
    chosen = (found.codes == found.names.index(group)) & base(y)
    if not chosen.any():
        return None
    hits = [hit(y, one)[chosen] for one in labels]
    return _paired.share(*hits, rows.sampling.take(chosen)), _over(f"paired, {_paired.SHARE}", rows.sampling)


_RATES: dict[str, tuple[Callable[[Codes], Bools], Callable[[Codes, Codes], Bools]]] = {
    "selection_rate": (lambda y: np.ones(len(y), bool), lambda y, label: label == 1),
    "accuracy": (lambda y: np.ones(len(y), bool), lambda y, label: label == y),
    "true_positive_rate": (lambda y: y == 1, lambda y, label: label == 1),
    "false_positive_rate": (lambda y: y == 0, lambda y, label: label == 1),
    "true_negative_rate": (lambda y: y == 0, lambda y, label: label == 0),
    "false_negative_rate": (lambda y: y == 1, lambda y, label: label == 0),
}
"""Rate to the rows it is taken from, and which of them count."""


def _gap(
    rows: SameRows, kinds: tuple[str, ...], groups: arrays.Groups, labels: tuple[Codes, Codes]
) -> tuple[Change, str] | None:
    # One order of the two whichever is asked for, so that the replicates of both directions are the same.
    turned = labels[1].tobytes() < labels[0].tobytes()
    made = _paired.gap(
        kinds,
        groups.codes.astype(np.int64),
        _codes(rows),
        (labels[1], labels[0]) if turned else labels,
        len(groups.names),
        rows.sampling,
    )
    if made is None:
        return None
    method = f"paired, {_paired.GAP}, {intervals.table_method(rows.sampling).replace(', percentile', '')}"
    return (Change(-made.value, -made.high, -made.low) if turned else made), method


def _labels(rows: SameRows) -> tuple[Codes, Codes] | None:
    if rows.before.labels is None or rows.after.labels is None:
        return None
    return rows.before.labels.astype(np.int64), rows.after.labels.astype(np.int64)


def _codes(rows: SameRows) -> Codes:
    return rows.y.astype(np.int64)


def _over(method: str, sampling: intervals.Sampling) -> str:
    return method if sampling.entities is None else f"{method}, over entities"
