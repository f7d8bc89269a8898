"""Suspicious training rows, and the share of training labels that are wrong, from scores of rows left out.

The training rows are cut into folds (whole entities in one fold); each fold is scored by a model of the plan that is
trained anew on the others. Confident learning then counts, for each given label, the rows that the models hold with
confidence for another class: confidence in a class is the mean probability that rows with that given label get for it.
A row counted off the diagonal is suspicious. The counts, made to sum to the given labels, estimate the joint
distribution of given and true labels; what is off its diagonal is the share of wrong labels.

The estimate takes for an error what the inputs do not tell apart: where classes overlap it is too high, as an upper
bound would be. It is a search list for people, not a proof. A second sign stands beside it: rows of which a
near-duplicate (equal categories, numbers equal to a tenth of a standard deviation) has another label.

For regression there are no label errors to count; a row is suspicious where its residual lies further out than
`OUTLYING` robust standard deviations.

Refs: Northcutt, Jiang and Chuang, Confident learning, JAIR 70 (2021) 1373.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import numpy.typing as npt

from checks import _proportions, intervals
from checks._subject import Subject, measured, not_applicable, not_measured
from checks.security import _trainings
from checks.security._trainings import StoppedError
from evidence import records

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

SUSPICIOUS, NOISE = "security.suspicious_rows", "security.label_noise"
LISTED = 200
"""Rows named in the list at most."""
LIST = "evaluation/suspicious_rows.txt"
NEAR = 0.1
"""Training standard deviations within which two numbers count as equal."""
OUTLYING = 5.0
"""Robust standard deviations of a residual beyond which a row of a regression is suspicious."""
MOST_REPLICATES = 500


@dataclasses.dataclass(frozen=True)
class Held:
    """Training rows with what models that have not seen them say."""

    x: npt.NDArray[np.float32]
    y: npt.NDArray[np.generic]
    outputs: Floats
    """(rows, classes) probabilities, or (rows, 1) predictions."""
    digests: npt.NDArray[np.bytes_]
    sampling: intervals.Sampling
    """Over these rows."""


def measure(subject: Subject) -> tuple[records.CheckResult, ...]:
    """The search for suspicious training rows and the estimate of label noise."""
    try:
        held = _held(subject)
    except StoppedError as stopped:
        return (not_measured(SUSPICIOUS, str(stopped)), _no_noise(subject, str(stopped)))
    if subject.task == "regression":
        return (_suspicious(subject, held, *_outlying(held)), _no_noise(subject, ""))
    y = held.y.astype(np.int64)
    weights = np.ones(len(y))
    confident = confident_labels(held.outputs, y, weights)
    doubt = held.outputs[np.arange(len(y)), y] - np.where(
        np.eye(subject.classes, dtype=bool)[y], -np.inf, held.outputs
    ).max(axis=1)
    suspicious = (confident >= 0) & (confident != y)
    return (_suspicious(subject, held, suspicious, doubt), _noise(subject, held, y))


def confident_labels(probabilities: Floats, y: npt.NDArray[np.int64], weights: Floats) -> npt.NDArray[np.int64]:
    """The class (rows,) for which each row is held with confidence; −1 where there is none.

    Args:
        probabilities: (rows, classes) out of fold.
        y: (rows,) given labels.
        weights: (rows,) how often each row counts.
    """
    given = np.eye(probabilities.shape[1])[y] * weights[:, None]
    totals = given.sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        limits = np.where(totals > 0, (given * probabilities).sum(axis=0) / totals, np.inf)
    above = np.where(probabilities >= limits, probabilities, -1.0)
    return np.where(above.max(axis=1) >= 0, above.argmax(axis=1), -1)


def joint(probabilities: Floats, y: npt.NDArray[np.int64], weights: Floats | None = None) -> Floats:
    """Estimated joint distribution (classes, classes) of given (rows) and true labels (columns); sums to 1.

    A class none of whose rows is held with confidence is taken as rightly labelled.
    """
    classes = probabilities.shape[1]
    weights = np.ones(len(y)) if weights is None else weights
    found = confident_labels(probabilities, y, weights)
    sure = found >= 0
    counts = np.bincount(y[sure] * classes + found[sure], weights=weights[sure], minlength=classes**2)
    counts = counts.reshape(classes, classes)
    own = np.bincount(y, weights=weights, minlength=classes)
    empty = counts.sum(axis=1) == 0
    counts[empty, empty] = 1.0
    calibrated = counts / counts.sum(axis=1, keepdims=True) * own[:, None]
    return np.asarray(calibrated / calibrated.sum())


def near_duplicates(x: npt.NDArray[np.float32], features: tuple[records.FeatureSpec, ...]) -> npt.NDArray[np.intp]:
    """A number (rows,) that is the same for rows whose inputs are equal to `NEAR`; missing equals missing."""
    keys = np.empty(x.shape)
    for j, feature in enumerate(features):
        step = NEAR * (feature.std or 1.0) if feature.kind == "numeric" else 1.0
        keys[:, j] = np.round(x[:, j].astype(np.float64) / step)
    return np.unique(np.nan_to_num(keys, nan=-1e18), axis=0, return_inverse=True)[1].ravel()


def contradicted(
    x: npt.NDArray[np.float32], y: npt.NDArray[np.int64], features: tuple[records.FeatureSpec, ...]
) -> Mask:
    """Rows (rows,) that have a near-duplicate with another label."""
    group = near_duplicates(x, features)
    classes = int(y.max(initial=0)) + 1
    table = np.zeros((int(group.max(initial=0)) + 1, classes), dtype=bool)
    table[group, y] = True
    return np.asarray((table.sum(axis=1) > 1)[group])


def folds(
    entities: npt.NDArray[np.int64] | None, rows: int, count: int, rng: np.random.Generator
) -> npt.NDArray[np.intp]:
    """The fold (rows,) of each row: of equal size, whole entities in one."""
    member = np.arange(rows) if entities is None else intervals.clusters(entities)
    units = int(member.max(initial=0)) + 1
    return (rng.permutation(units) % count)[member]


def _held(subject: Subject) -> Held:
    settings = subject.plan.policy.security.poisoning
    part = subject.parts.part("train")
    if part is None:
        raise StoppedError("the training part is not here")
    chosen = _trainings.drawn(part.row_digests, settings.rows, subject.plan.policy.seed, SUSPICIOUS)
    _trainings.require_rows(len(chosen), "training rows")
    x, y = part.x[chosen], part.y[chosen]
    entities = None if part.entities is None else part.entities[chosen]
    train = _trainings.Trainings(subject)
    fold = folds(entities, len(y), settings.folds, subject.sampling.rng(SUSPICIOUS))
    outputs = np.empty((len(y), subject.classes or 1))
    for index, seed in enumerate(_trainings.seeds(subject, SUSPICIOUS + ".seeds", settings.folds)):
        out = fold == index
        if out.any():
            outputs[out] = train(x[~out], y[~out], seed)(x[out])
    sampling = dataclasses.replace(subject.sampling, entities=entities)
    return Held(x, y, outputs, part.row_digests[chosen], sampling)


def _outlying(held: Held) -> tuple[Mask, Floats]:
    """Which rows lie far out, and minus the distance of each."""
    residuals = held.outputs[:, 0] - held.y.astype(np.float64)
    centred = np.abs(residuals - np.median(residuals))
    # 1.4826 makes the median absolute deviation that of a normal distribution.
    spread = max(1.4826 * float(np.median(centred)), 1e-12)
    return centred > OUTLYING * spread, -centred


def _suspicious(subject: Subject, held: Held, suspicious: Mask, doubt: Floats) -> records.CheckResult:
    rows = len(suspicious)
    masks = {SUSPICIOUS: suspicious}
    second = np.zeros(rows, dtype=bool)
    if subject.task != "regression":
        second = contradicted(held.x, held.y.astype(np.int64), subject.encoded.features)
        masks |= {
            f"{SUSPICIOUS}.contradicted_rows": second,
            f"{SUSPICIOUS}.suspicious_and_contradicted": suspicious & second,
        }
    notes = {
        SUSPICIOUS: f"{int(suspicious.sum()):,} of {rows:,} training rows, by models trained on the others",
        f"{SUSPICIOUS}.contradicted_rows": "a row with nearly the same inputs has another label",
        f"{SUSPICIOUS}.suspicious_and_contradicted": "rows with both signs",
    }
    measures = tuple(
        records.Measure(
            name=name,
            value=float(mask.mean()),
            interval=_proportions.of_rows(mask, held.sampling),
            n=rows,
            split="train",
            note=notes[name],
        )
        for name, mask in masks.items()
    )
    order = np.lexsort((held.digests, doubt, ~second, ~suspicious))[: min(LISTED, int((suspicious | second).sum()))]
    listed = b"".join(digest + b"\n" for digest in held.digests[order].tolist())
    artifact = subject.parts.folder.write_bytes(LIST, listed)
    details: dict[str, object] = {
        "rows": rows,
        "folds": subject.plan.policy.security.poisoning.folds,
        "listed": len(order),
        "list": artifact.path,
    }
    return measured(SUSPICIOUS, measures, details, (artifact,))


def _noise(subject: Subject, held: Held, y: npt.NDArray[np.int64]) -> records.CheckResult:
    found = joint(held.outputs, y)
    sampling = dataclasses.replace(held.sampling, replicates=min(held.sampling.replicates, MOST_REPLICATES))
    classes = range(subject.classes)

    def statistic(weights: Floats) -> Floats:
        joints = (joint(held.outputs, y, w) for w in weights)
        return np.array([[1 - np.trace(j), *(_wrong(j, k) for k in classes)] for j in joints])

    drawn = intervals.replicate(statistic, len(y), sampling, NOISE)
    method = intervals.row_method(sampling) + ", models of the folds held fixed"
    values = [1 - float(np.trace(found)), *(_wrong(found, k) for k in classes)]
    names = [NOISE, *(f"{NOISE}.given_as_{k}" for k in classes)]
    notes = ["an estimate that counts overlap of the classes as error"]
    notes += [f"share of the rows labelled {subject.encoded.classes[k]}" for k in classes]
    measures = tuple(
        records.Measure(
            name=name,
            value=value if np.isfinite(value) else None,
            interval=_interval(drawn[:, i], value, sampling, method, y >= 0 if i == 0 else y == i - 1),
            n=len(y) if i == 0 else int(np.sum(y == i - 1)),
            split="train",
            note=note if np.isfinite(value) else f"undefined: no row; {note}",
        )
        for i, (name, value, note) in enumerate(zip(names, values, notes, strict=True))
    )
    return measured(NOISE, measures, {"joint": found.tolist(), "labels": list(subject.encoded.classes)})


def _interval(
    drawn: Floats, value: float, sampling: intervals.Sampling, method: str, of: npt.NDArray[np.bool_]
) -> records.Interval | None:
    """The percentiles; where none of the rows `of` is wrong, so that no replicate differs, the bounds of a share."""
    if not np.isfinite(value):
        return None
    found = intervals.percentile(drawn, value, sampling, method)
    if found is None and value in (0.0, 1.0):
        return _proportions.of_rows(np.full(int(of.sum()), value == 1.0), sampling.take(of))
    return found


def _wrong(found: Floats, label: int) -> float:
    """Share of the rows with a given label that are of another class; NaN without rows."""
    given = float(found[label].sum())
    return 1 - float(found[label, label]) / given if given > 0 else float("nan")


def _no_noise(subject: Subject, reason: str) -> records.CheckResult:
    if subject.task == "regression":
        return not_applicable(NOISE, "a metric for binary and multiclass; the task is regression")
    return not_measured(NOISE, reason)
