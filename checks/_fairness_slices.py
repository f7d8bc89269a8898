"""The rates of slices of the test part, counted from labels, probabilities or predictions."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np

from checks import _counting, _group_calibration, _group_rates, intervals, scoring
from checks._group_rates import Slice
from checks._subject import Subject
from evidence import arrays

Make = Callable[[str, arrays.Groups, _counting.Columns | None], Slice]
"""Counts one slice: its name, its groups, the entities of each group."""


def of(subject: Subject) -> dict[str, Slice | None]:
    """Slice to its rates, in the order of the plan; None where no test row has a group of it."""
    entities = subject.sampling.entities
    units = None if entities is None or not subject.plan.slices else intervals.clusters(entities)
    make: Make | None = None
    found: dict[str, Slice | None] = {}
    for name in subject.plan.slices:
        groups = subject.part.groups.get(name)
        if groups is None or not groups.names or not (groups.codes >= 0).any():
            found[name] = None
            continue
        make = make or (_errors(subject) if subject.task == "regression" else _classes(subject))
        columns = None if units is None else _counting.columns(groups.codes, len(groups.names), units)
        found[name] = make(name, groups, columns)
    return found


def rated(subject: Subject, name: str, groups: arrays.Groups, scores: scoring.Scores) -> Slice:
    """The rates of any groups of the test rows, by any scores of them: shares of right labels, or errors."""
    entities = subject.sampling.entities
    columns = None
    if entities is not None:
        columns = _counting.columns(groups.codes, len(groups.names), intervals.clusters(entities))
    y = subject.part.y
    if scores.labels is not None:
        cell = y.astype(np.int64, copy=False) * subject.classes + scores.labels
        return _group_rates.classifier_slice(name, groups, cell, subject.classes, columns)
    if scores.predictions is None:
        raise TypeError("scores hold labels or predictions")
    return _group_rates.error_slice(name, groups, scores.predictions - y.astype(np.float64), columns, subject.sampling)


def _classes(subject: Subject) -> Make:
    labels, probabilities, y = subject.scores.labels, subject.scores.probabilities, subject.part.y
    if labels is None:
        raise TypeError("a classifier's scores hold labels")
    truth = y.astype(np.int64, copy=False)
    cell = _counting.pairs(truth, labels, subject.classes)
    residuals = None if probabilities is None else _group_calibration.residuals(probabilities, truth)

    def make(name: str, groups: arrays.Groups, columns: _counting.Columns | None) -> Slice:
        part = _group_rates.classifier_slice(name, groups, cell, subject.classes, columns)
        if residuals is None:
            return part
        kinds = _group_calibration.slice_kinds(name, groups, residuals, columns, subject.sampling)
        return dataclasses.replace(part, kinds=part.kinds | kinds)

    return make


def _errors(subject: Subject) -> Make:
    if subject.scores.predictions is None:
        raise TypeError("a regressor's scores hold predictions")
    errors = subject.scores.predictions - subject.part.y.astype(np.float64)
    return lambda name, groups, columns: _group_rates.error_slice(name, groups, errors, columns, subject.sampling)
