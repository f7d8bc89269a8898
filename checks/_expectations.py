"""What the plan declares about the table, as a flat list of expectations. Knows no validation library."""

from __future__ import annotations

import dataclasses
from typing import Literal

from configs.base import Severity
from configs.data import Column, ColumnPairRule, CompoundUniqueRule, RowCountRule, Rule
from configs.plan import Plan

Kind = Literal[
    "type", "finite", "range", "allowed_values", "missingness", "uniqueness", "pair_ordered", "compound_unique",
    "row_count",
]  # fmt: skip
LARGEST_FLOAT = 1.7976931348623157e308


@dataclasses.dataclass(frozen=True)
class Declared:
    """One expectation of the plan."""

    kind: Kind
    columns: tuple[str, ...]
    """Columns it speaks of; empty for the whole table."""
    sentence: str
    """What must hold, in words, for titles and Data Docs."""
    severity: Severity
    low: float | None = None
    """Smallest allowed value, or number of rows."""
    high: float | None = None
    values: tuple[str, ...] = ()
    """Allowed values, or the storage type of a `type` expectation."""
    tolerated: float = 0.0
    """Largest share of rows that may break it."""
    or_equal: bool = True

    @property
    def check_id(self) -> str:
        """Identifier in the catalogue. That numbers are finite belongs to their type."""
        return f"data.{'type' if self.kind == 'finite' else self.kind}"

    @property
    def title(self) -> str:
        """Sentence with the columns it is about."""
        subject = self.columns[0] if self.kind == "pair_ordered" else " and ".join(self.columns)
        return f"{subject or 'table'}: {self.sentence}"


def of_plan(plan: Plan) -> tuple[Declared, ...]:
    """Every expectation of the plan: rules over the table first, then column by column in the plan's order."""
    rules = [_of_rule(rule) for rule in plan.data.rules]
    columns = [declared for column in plan.data.columns for declared in _of_column(column)]
    return (*rules, *columns)


def _of_column(column: Column) -> list[Declared]:
    name, severity = (column.name,), column.severity
    found = [Declared("type", name, f"stored as {column.kind}", severity, values=(column.kind,))]
    if column.kind == "numeric":
        found.append(Declared("finite", name, "finite numbers", severity, low=-LARGEST_FLOAT, high=LARGEST_FLOAT))
    share = f"at most {100 * column.max_missing:g} % missing" if column.max_missing else "no value missing"
    found.append(Declared("missingness", name, share, severity, tolerated=column.max_missing))
    if column.minimum is not None or column.maximum is not None:
        found.append(Declared("range", name, _span(column), severity, low=column.minimum, high=column.maximum))
    if column.allowed:
        sentence = f"one of the {len(column.allowed)} allowed values"
        found.append(Declared("allowed_values", name, sentence, severity, values=column.allowed))
    if column.unique:
        found.append(Declared("uniqueness", name, "all values differ", severity))
    return found


def _span(column: Column) -> str:
    unit = f" {column.unit}" if column.unit and column.unit != "1" else ""
    if column.minimum is None:
        return f"at most {column.maximum:.10g}{unit}"
    if column.maximum is None:
        return f"at least {column.minimum:.10g}{unit}"
    return f"between {column.minimum:.10g} and {column.maximum:.10g}{unit}"


def _of_rule(rule: Rule) -> Declared:
    match rule:
        case ColumnPairRule():
            sentence = f"{'at least' if rule.or_equal else 'above'} {rule.smaller} in every row"
            pair = (rule.larger, rule.smaller)
            return Declared("pair_ordered", pair, sentence, rule.severity, or_equal=rule.or_equal)
        case CompoundUniqueRule():
            return Declared("compound_unique", rule.columns, "no two rows share these values", rule.severity)
        case RowCountRule():
            most = "" if rule.maximum is None else f" and at most {rule.maximum:,}"
            high = None if rule.maximum is None else float(rule.maximum)
            sentence = f"at least {rule.minimum:,}{most} rows"
            return Declared("row_count", (), sentence, rule.severity, low=float(rule.minimum), high=high)
