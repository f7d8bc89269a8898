"""Under which other circumstances the model is measured: slices of the data, and the population it will meet."""

from __future__ import annotations

import difflib
from typing import Annotated, Any, Literal, Self

from pydantic import Discriminator, Field, Tag, model_validator

from configs.base import Fraction, Section, Text
from configs.bins import bin_names
from configs.data import Column, Data

MOST_GROUPS = 100
"""Groups of one column: more are an identifier, not slices."""


class SliceColumn(Section):
    """A declared column by which the test rows are sliced."""

    column: Text
    """Name of a declared column. It need not be a feature: a site or a year may have the role `ignored`."""
    bins: tuple[float, ...] = Field(default=(), max_length=MOST_GROUPS - 1)
    """Edges for a numeric column, ascending. Without them it is cut at quantiles of the training split."""
    quantiles: int = Field(default=4, ge=2, le=20)
    """Into how many parts of equal size a numeric column without bins is cut. An integer column of few different values
    is not cut: each value is a slice."""
    groups: dict[Text, tuple[Text, ...]] = {}
    """Name of a slice to the column's values, for a categorical column. Without it each value is a slice."""
    period: Literal["year", "quarter", "month", "week", "day"] | None = None
    """The column holds times, and each such period is a slice."""
    format: Text | None = None
    """How the times are written (`%d.%m.%Y`); by default as in ISO 8601 (`2026-11-28`, `2026-11-28T10:00:00`)."""

    @model_validator(mode="after")
    def _one_way_to_slice(self) -> Self:
        given = [name for name in ("bins", "groups", "period") if getattr(self, name)]
        if len(given) > 1:
            raise ValueError(f"expected one of bins, groups and period, got {' and '.join(given)}")
        if self.format and not self.period:
            raise ValueError("format belongs to a column of times; add period")
        if list(self.bins) != sorted(set(self.bins)):
            raise ValueError("expected ascending, different edges in bins")
        values = [value for members in self.groups.values() for value in members]
        if len(set(values)) != len(values):
            raise ValueError("expected every value in one slice, got one listed twice")
        return self


def _form(value: Any) -> str:
    return "slice_name" if isinstance(value, str) else "slice_column"


_NamedOrWhole = Annotated[
    Annotated[Text, Tag("slice_name")] | Annotated[SliceColumn, Tag("slice_column")], Discriminator(_form)
]


class Shift(Section):
    """Performance where the circumstances differ (AI Act Art. 15(4); ISO/IEC TR 24029-1)."""

    slices: tuple[_NamedOrWhole, ...] = ()
    """Columns by whose values the test rows are sliced: a name, or a section with bins, groups or a period."""
    deployment: dict[Text, dict[Text, Fraction]] = {}
    """Expected shares where the system will be used: column of `slices` or protected attribute, to slice, to share. The
    shares of a column add up to 1. Test rows are weighted to these shares; of several columns, to all of them."""
    deployment_source: Text | None = None
    """Where the shares come from: a statistic, a registry, a survey, with its date."""

    @property
    def columns(self) -> tuple[SliceColumn, ...]:
        """Every entry of `slices` as a section."""
        return tuple(SliceColumn(column=s) if isinstance(s, str) else s for s in self.slices)

    @model_validator(mode="after")
    def _coherent(self) -> Self:
        names = [s.column for s in self.columns]
        twice = sorted({n for n in names if names.count(n) > 1})
        if twice:
            raise ValueError(f"slices: expected different columns, got '{twice[0]}' twice")
        for name, shares in self.deployment.items():
            total = sum(shares.values())
            if abs(total - 1.0) > 0.005:
                raise ValueError(f"deployment of '{name}': expected shares that add up to 1, got {total:.3f}")
        return self


class SliceSearch(Section):
    """Search for under-performing slices: on the validation part, measured on the test part."""

    conditions: int = Field(default=2, ge=1, le=3)
    """Most conditions that a slice combines, such as `age >= 50 and occupation = Sales`."""
    slices: int = Field(default=3, ge=1, le=10)
    """Slices that are measured and reported."""
    bins: int = Field(default=4, ge=2, le=10)
    """Into how many parts of equal size a numeric feature is cut."""
    categories: int = Field(default=20, ge=1, le=200)
    """Most categories of a feature that are looked at, the most frequent first."""


def check(shift: Shift, data: Data) -> None:
    """Do the slices and the expected shares fit the declared columns?

    Raises:
        ValueError: Naming the first that does not.
    """
    where = "policy.robustness.shift"
    for wanted in shift.columns:
        problem = _column_problem(wanted, data)
        if problem:
            raise ValueError(f"{where}.slices: {problem}")
    cells = {p.name: tuple(p.groups) or (bin_names(p.bins) if p.bins else ()) for p in data.protected}
    cells |= {s.column: _cells(s, data.column(s.column)) for s in shift.columns}
    for name, shares in shift.deployment.items():
        if name not in cells:
            known = ", ".join(cells) or "none"
            raise ValueError(
                f"{where}.deployment: expected a column of slices or a protected attribute (known: {known}), got "
                f"'{name}'; add it to slices"
            )
        strange = [cell for cell in shares if plain(cell) not in map(plain, cells[name])]
        if strange and cells[name]:
            raise ValueError(
                f"{where}.deployment of '{name}': expected slices among {', '.join(cells[name])}, got '{strange[0]}'"
            )


def plain(cell: str) -> str:
    """The name of a slice without blanks: `<40` is `< 40`."""
    return "".join(cell.split())


def _column_problem(wanted: SliceColumn, data: Data) -> str | None:
    column = data.column(wanted.column)
    if column is None:
        near = difflib.get_close_matches(wanted.column, [c.name for c in data.columns], n=1)
        hint = f"; the nearest is '{near[0]}'" if near else "; declare it in data.columns with the role ignored"
        return f"column '{wanted.column}' is not declared{hint}"
    if column.role == "target":
        return f"column '{wanted.column}': expected any column but the target"
    if wanted.bins and column.kind == "categorical":
        return f"column '{wanted.column}': bins need a numeric column"
    if (wanted.groups or wanted.period) and column.kind != "categorical":
        given = "groups" if wanted.groups else "period"
        return f"column '{wanted.column}': {given} needs a categorical column, got {column.kind}; use bins"
    return None


def _cells(wanted: SliceColumn, column: Column | None) -> tuple[str, ...]:
    """The names of the slices, where the plan fixes them."""
    if wanted.bins:
        return bin_names(wanted.bins)
    if wanted.groups:
        return tuple(wanted.groups)
    if column is None or not column.allowed or wanted.period:
        return ()
    return tuple(column.labels.get(value, value) for value in column.allowed)
