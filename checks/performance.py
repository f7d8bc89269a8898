"""How well the graph predicts on the test part: the metrics of the catalogue's family `performance`.

Values are those of scikit-learn on the same rows. Accuracy is a share of rows with bounds of its own, see
`checks._proportions`. Other metrics made of counts are replicated from the confusion table, the rest from row weights;
see `checks.intervals`.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from checks import _classifier_scores, _proportions, _regression, calibration, catalogue, intervals
from checks._subject import Subject, measured, not_measured, other_task
from evidence import records

Floats = npt.NDArray[np.float64]

NO_PROBABILITIES = "the predictions that were given are labels without probabilities"


def measure(subject: Subject) -> tuple[records.CheckResult, ...]:
    """Every performance metric of the catalogue; those of another task are `not_applicable`."""
    found: dict[str, records.CheckResult] = {}
    if subject.task == "regression":
        found = _regression.measure(subject)
    else:
        found = _counted(subject)
        if subject.scores.probabilities is not None:
            found |= _classifier_scores.measure(subject)
    if subject.task == "regression" or subject.scores.probabilities is not None:
        found |= calibration.measure(subject)
    return tuple(
        found[metric.id]
        if metric.id in found
        else not_measured(metric.id, NO_PROBABILITIES)
        if subject.task in metric.tasks
        else other_task(metric, subject.task)
        for metric in catalogue.of_family("performance")
    )


def confusion(y: npt.NDArray[np.int64], labels: npt.NDArray[np.int64], classes: int) -> npt.NDArray[np.int64]:
    """Confusion table (K, K): rows are true classes, columns labels."""
    return np.bincount(y * classes + labels, minlength=classes * classes).reshape(classes, classes)


def from_confusion(tables: Floats) -> dict[str, Floats]:
    """Accuracy, balanced accuracy and F1 of confusion tables (…, K, K), each (…,); NaN where undefined.

    Balanced accuracy is the mean over the classes that have rows, as in scikit-learn. F1 is that of class 1 for two
    classes, otherwise the mean over the classes that occur among truths or labels; it is 0 where nothing is found.
    """
    hits = np.einsum("...kk->...k", tables)
    truths, labelled = tables.sum(axis=-1), tables.sum(axis=-2)
    total = truths.sum(axis=-1)
    recalls = np.divide(hits, truths, out=np.zeros_like(hits), where=truths > 0)
    both = truths + labelled
    f1 = np.divide(2 * hits, both, out=np.zeros_like(hits), where=both > 0)
    present, seen = (truths > 0).sum(axis=-1), (both > 0).sum(axis=-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return {
            "accuracy": hits.sum(axis=-1) / total,
            "balanced_accuracy": recalls.sum(axis=-1) / present,
            "f1": f1[..., 1] if tables.shape[-1] == 2 else f1.sum(axis=-1) / seen,
        }


def confusion_intervals(
    y: npt.NDArray[np.int64], labels: npt.NDArray[np.int64], classes: int, sampling: intervals.Sampling, label: str
) -> dict[str, tuple[float, records.Interval | None]]:
    """Value and interval of each metric of `from_confusion`."""
    codes, cells = y * classes + labels, classes * classes
    counts = np.bincount(codes, minlength=cells)
    values = from_confusion(counts.reshape(classes, classes).astype(np.float64))
    drawn = from_confusion(intervals.tables(codes, cells, sampling, label).reshape(-1, classes, classes))
    method = intervals.table_method(sampling)
    accuracy = {"accuracy": (float(values.pop("accuracy")), _proportions.of_rows(y == labels, sampling))}
    return accuracy | {
        name: (
            float(value),
            intervals.percentile(drawn[name], float(value), sampling, method)
            or _without_spread(counts, classes, sampling, name, float(value)),
        )
        for name, value in values.items()
    }


def _without_spread(
    counts: npt.NDArray[np.int64], classes: int, sampling: intervals.Sampling, name: str, value: float
) -> records.Interval | None:
    """Where drawing entities never changes the metric: the multinomial with as many rows as there are entities."""
    if sampling.entities is None:
        return None
    units = int(intervals.clusters(sampling.entities).max()) + 1
    scaled = np.floor(counts * (units / counts.sum())).astype(np.int64)
    drawn = from_confusion(intervals.draw_tables(scaled, sampling, name).reshape(-1, classes, classes))
    method = sampling.method(f"multinomial bootstrap of {int(scaled.sum())} rows, one per entity, percentile")
    return intervals.percentile(drawn[name], value, sampling, method)


def _counted(subject: Subject) -> dict[str, records.CheckResult]:
    y, labels, classes = subject.part.y.astype(np.int64), subject.scores.labels, subject.classes
    if labels is None:
        raise TypeError("a classifier's scores hold labels")
    table = confusion(y, labels, classes)
    found = confusion_intervals(y, labels, classes, subject.sampling, "performance.confusion")
    absent = [subject.encoded.classes[c] for c in np.flatnonzero(table.sum(axis=1) == 0)]
    results = {
        f"performance.{name}": measured(
            f"performance.{name}",
            (
                _undefined(f"performance.{name}", subject.part.rows, absent)
                if absent and name != "accuracy"
                else records.Measure(
                    name=f"performance.{name}", value=value, interval=interval, n=subject.part.rows, split="test"
                ),
                *([_majority(subject, table)] if name == "accuracy" else []),
            ),
            artifacts=subject.artifacts,
        )
        for name, (value, interval) in found.items()
    }
    wrong = records.Measure(
        name="performance.confusion_matrix",
        value=float(table.sum() - np.trace(table)),
        unit="rows",
        n=subject.part.rows,
        split="test",
        note="number of wrong labels",
    )
    results[wrong.name] = measured(
        wrong.name,
        (wrong,),
        {"labels": list(subject.encoded.classes), "matrix": table.tolist()},
        subject.artifacts,
    )
    return results


def _majority(subject: Subject, table: npt.NDArray[np.int64]) -> records.Measure:
    """Accuracy of always answering with the largest class of the test part."""
    largest = int(np.argmax(table.sum(axis=1)))
    member = subject.part.y.astype(np.int64) == largest
    return records.Measure(
        name="performance.accuracy.baseline",
        value=float(np.mean(member)),
        interval=_proportions.of_rows(member, subject.sampling),
        n=subject.part.rows,
        split="test",
        note=f"always answering {subject.encoded.classes[largest]}, the largest class of the test part",
    )


def _undefined(name: str, rows: int, absent: list[str]) -> records.Measure:
    """A mean over all classes says nothing where a class has no test row; scikit-learn would leave the class out."""
    note = f"undefined: the test part holds no row of {', '.join(absent)}"
    return records.Measure(name=name, value=None, n=rows, split="test", note=note)
