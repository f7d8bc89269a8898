"""A first plan from a table and a person's answers. Guesses kinds of columns, never purposes or thresholds."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from configs import load

MOST_CATEGORIES = 50
"""A text column with more different values than this is proposed as `ignored`: it is an identifier or free text."""
HEADER = """\
# Editors complete this file with the JSON Schema of proofline (configs/plan.schema.json).
# Drafted by `proofline init` from {name}. Kinds, ranges and allowed values were read off the data: hold them against
# what you know. What is absent here is printed as a gap in the documents.
# What may change in later versions without a new assessment is declared under predetermined_changes (AI Act Annex
# IV(2)(f)); while there is none, `proofline diff` says of every change that nothing was declared.
"""


@dataclasses.dataclass(frozen=True)
class Answers:
    """What the person said."""

    system: dict[str, Any]
    classification: dict[str, str]
    target: str
    task: str
    positive: tuple[str, ...]
    protected: dict[str, bool]
    """Column to: may the model see it?"""
    special: dict[str, bool]
    """Protected column to: is it a special category of personal data? Unknown: absent."""
    entity: str | None
    gates: tuple[dict[str, Any], ...]


def guess_kind(values: pd.Series) -> str:
    """`integer`, `numeric` or `categorical`, from the values alone."""
    if pd.api.types.is_bool_dtype(values) or not pd.api.types.is_numeric_dtype(values):
        return "categorical"
    present = values.dropna()
    return "integer" if len(present) and (present == present.round()).all() else "numeric"


def guess_task(values: pd.Series) -> str:
    """`binary`, `multiclass` or `regression`, by the number of different values."""
    distinct = values.nunique()
    if distinct == 2:
        return "binary"
    return "multiclass" if guess_kind(values) == "categorical" or distinct <= 10 else "regression"


def draft(table: pd.DataFrame, data: Path, answers: Answers, separator: str | None = None) -> dict[str, Any]:
    """The plan as plain data, in the order in which a person reads it."""
    return {
        "version": 1,
        "system": answers.system,
        "classification": answers.classification,
        "data": {
            "source": {"kind": "file", "path": [str(data)]} | ({"separator": separator} if separator else {}),
            "provenance": {"title": data.stem},
            "target": _target(table[answers.target], answers),
            "columns": [_column(table[name], name, answers) for name in table.columns],
            "protected": [_protected(table[name], name, answers) for name in answers.protected],
        },
        "policy": {"gates": list(answers.gates)},
    }


def to_yaml(content: dict[str, Any], data: Path) -> str:
    """Text of the plan, checked by reading it back."""
    body = yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=110)
    text = HEADER.format(name=data.name) + body
    load.parse(text, "drafted plan")
    return text


def _target(values: pd.Series, answers: Answers) -> dict[str, Any]:
    names = [str(v) for v in sorted(values.dropna().unique())]
    if answers.task == "binary":
        negative = [n for n in names if n not in answers.positive]
        return {"task": "binary", "positive": list(answers.positive), "negative": negative}
    return {"task": "multiclass", "classes": names} if answers.task == "multiclass" else {"task": "regression"}


def _column(values: pd.Series, name: str, answers: Answers) -> dict[str, Any]:
    kind = guess_kind(values)
    if name == answers.target and answers.task != "regression":
        kind = "categorical"
    column: dict[str, Any] = {"name": name, "role": _role(values, name, kind, answers), "kind": kind}
    present = values.dropna()
    if kind == "categorical" and 0 < present.nunique() <= MOST_CATEGORIES:
        column["allowed"] = [str(v) for v in sorted(present.unique(), key=str)]
    if kind != "categorical" and len(present):
        column["minimum"], column["maximum"] = float(present.min()), float(present.max())
    missing = float(values.isna().mean())
    if missing:
        column["max_missing"] = min(1.0, round(missing + 0.005, 2))
    return column


def _role(values: pd.Series, name: str, kind: str, answers: Answers) -> str:
    if name == answers.target:
        return "target"
    if name == answers.entity:
        return "entity"
    if name in answers.protected and not answers.protected[name]:
        return "protected"
    return "ignored" if kind == "categorical" and values.nunique() > MOST_CATEGORIES else "feature"


def slug(name: str) -> str:
    """An identifier made of a column's name."""
    made = "".join(c if c.isascii() and c.isalnum() else "_" for c in name.lower()).strip("_") or "attribute"
    return made if made[0].isalpha() and len(made) > 1 else f"a_{made}"


def _protected(values: pd.Series, name: str, answers: Answers) -> dict[str, Any]:
    attribute: dict[str, Any] = {"name": slug(name), "column": name}
    if guess_kind(values) != "categorical":
        quartiles = sorted({float(values.quantile(q)) for q in (0.25, 0.5, 0.75)})
        attribute["bins"] = quartiles
    attribute["use_in_model"] = answers.protected[name]
    if name in answers.special:
        attribute["special_category"] = answers.special[name]
    return attribute
