"""Predictions that are given as columns of the data, by those who cannot hand over the model that made them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

from pydantic import Field

from configs.base import Section, Text
from configs.data import Column, Data


class Predictions(Section):
    """What a model said of each row. Takes the place of `model` and `training`; all rows are test rows."""

    label: Text | None = None
    """Column of the predicted label. Its values are those of the target."""
    probabilities: tuple[Text, ...] = ()
    """Columns of the predicted probabilities. Binary: that of the positive class, or negative then positive. Several
    classes: one for each, in the order of `data.target.classes`."""
    value: Text | None = None
    """Regression: column of the predicted value."""
    threshold: Annotated[float, Field(gt=0, lt=1)] | None = None
    """Binary: the probability from which the label is positive. By default 0.5, where there is no column of labels."""
    row_id: Text | None = None
    """Column that names each row; no name may occur twice."""
    model: Text | None = None
    """Which model made them, with its version, as its provider calls it."""
    unseen: Text | None = None
    """Why these rows are new to the model: what it was fitted on, and how they were kept apart. Stated, never tested;
    without it the leakage audit leaves the outcome open."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that hold what the model said."""
        single = tuple(name for name in (self.label, self.value) if name is not None)
        return (*single, *self.probabilities)


def check(given: Predictions | None, data: Data) -> None:
    """See that the columns of the data and the section fit each other.

    Raises:
        ValueError: With what does not fit.
    """
    said = [c.name for c in data.columns if c.role == "prediction"]
    if given is None:
        if said:
            raise ValueError(f"column '{said[0]}' has the role prediction: expected the section predictions, got none")
        return
    if data.features:
        raise ValueError(
            f"column '{data.features[0].name}' has the role feature: a plan with predictions gives nothing to a model; "
            "give it the role ignored or protected"
        )
    for name in given.columns:
        _check_column(name, data)
    for name in _twice(given.columns):
        raise ValueError(f"predictions: column '{name}' is named twice")
    if unused := [name for name in said if name not in given.columns]:
        raise ValueError(f"column '{unused[0]}' has the role prediction, but predictions does not name it")
    if given.row_id is not None and (data.column(given.row_id) is None or given.row_id in given.columns):
        raise ValueError(f"predictions.row_id: expected a declared column of its own, got '{given.row_id}'")
    (_check_regression if data.target.task == "regression" else _check_classes)(given, data)


def _check_column(name: str, data: Data) -> None:
    column = data.column(name)
    if column is None:
        raise ValueError(f"predictions: column '{name}' is not declared in data.columns")
    if column.role != "prediction":
        raise ValueError(f"predictions: expected column '{name}' with the role prediction, got {column.role}")


def _check_regression(given: Predictions, data: Data) -> None:
    if given.value is None or given.label is not None or given.probabilities:
        raise ValueError("predictions of a regression: expected value, and neither label nor probabilities")
    _check_number(given.value, data)
    if given.threshold is not None:
        raise ValueError("predictions.threshold belongs to binary targets")


def _check_classes(given: Predictions, data: Data) -> None:
    target = data.target
    if given.value is not None or not (given.label or given.probabilities):
        raise ValueError("predictions of classes: expected label, probabilities or both, and no value")
    for name in given.probabilities:
        _check_number(name, data)
    wanted = (1, 2) if target.task == "binary" else (len(target.classes),)
    if given.probabilities and len(given.probabilities) not in wanted:
        shown = " or ".join(str(n) for n in wanted)
        raise ValueError(f"predictions.probabilities: expected {shown} columns, got {len(given.probabilities)}")
    if given.threshold is not None and (target.task != "binary" or not given.probabilities):
        raise ValueError("predictions.threshold belongs to binary targets with probabilities")
    if given.label is not None:
        if target.above is not None:
            raise ValueError("predictions.label needs a target with named classes; leave it out, or name the classes")
        if _declared(given.label, data).kind != "categorical":
            raise ValueError(f"predictions.label: expected kind categorical for column '{given.label}'")


def _check_number(name: str, data: Data) -> None:
    if _declared(name, data).kind == "categorical":
        raise ValueError(f"predictions: expected a numeric column, got categorical '{name}'")


def _declared(name: str, data: Data) -> Column:
    return next(c for c in data.columns if c.name == name)


def _twice(names: Iterable[str]) -> list[str]:
    listed = list(names)
    return sorted({name for name in listed if listed.count(name) > 1})
