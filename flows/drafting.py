"""A first plan from a table and a person's answers. Guesses kinds of columns, never purposes or thresholds."""

from __future__ import annotations

import dataclasses
import math
import unicodedata
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from configs import errors, load, placeholders, yaml_text
from configs.data import Data
from factory.first_look import Look
from tef_export import leaks

MOST_CATEGORIES = 50
"""A text column with more different values than this is proposed as `ignored`: it is an identifier or free text."""
HEADER = """\
# Editors complete this file with the JSON Schema of proofline (configs/plan.schema.json).
# Drafted by `proofline init` from {name}. Kinds, ranges and allowed values were read off the data: hold them against
# what you know. What is absent here is printed as a gap in the documents.
# What may change in later versions without a new assessment is declared under predetermined_changes (AI Act Annex
# IV(2)(f)); while there is none, `proofline diff` says of every change that nothing was declared.
"""
BOUNDS = """\
  # minimum, maximum, allowed and max_missing fit this table and are no more than a first guess; minimum and maximum are
  # rounded outward, because the plan leaves with the bundle. Set them from what you know of the subject: which values
  # can occur, whatever this table holds.
"""


@dataclasses.dataclass(frozen=True)
class Answers:
    """What the person said."""

    system: dict[str, Any]
    classification: dict[str, str]
    title: str
    """Of the data."""
    target: str
    task: str
    positive: tuple[str, ...] = ()
    above: float | None = None
    """Of a binary target that is a number: positive where it is above this."""
    protected: dict[str, bool] = dataclasses.field(default_factory=dict)
    """Column to: may the model see it?"""
    special: dict[str, bool] = dataclasses.field(default_factory=dict)
    """Protected column to: is it a special category of personal data? Unknown: absent."""
    entity: str | None = None
    gates: tuple[dict[str, Any], ...] = ()


def replaced(answers: Answers, **said: Any) -> Answers:
    """The answers with some of them changed."""
    return dataclasses.replace(answers, **said)


def guess_task(look: Look, target: str) -> str:
    """`binary`, `multiclass` or `regression`, by the number of different values."""
    distinct = look.different(target)
    if distinct == 2:
        return "binary"
    return "multiclass" if look.kinds[target] == "categorical" or distinct <= 10 else "regression"


def needs_threshold(look: Look, target: str, task: str) -> bool:
    """Is a target of two classes a number with more values than two, so that a threshold makes the classes?"""
    return task == "binary" and look.kinds[target] != "categorical" and look.different(target) > 2


def classes(look: Look, target: str) -> tuple[str, ...]:
    """The different values of a target, as text, in order."""
    return tuple(sorted(look.column(target, "categorical").dropna().unique()))


def title_of(data: Path) -> str | None:
    """The title that a file's name gives its data; None where the name says nothing."""
    return None if placeholders.in_words(data.stem) else data.stem


def data_section(look: Look, answers: Answers) -> dict[str, Any]:
    """The section `data` as plain data."""
    source = look.source.model_dump(exclude_defaults=True)
    return {
        "source": {"kind": "file", **source, "path": list(look.source.path)},
        "provenance": {"title": answers.title},
        "target": _target(look, answers),
        "columns": [_column(look, name, answers) for name in look.kinds],
        "protected": _protected(look, answers),
    }


def refusal(look: Look, answers: Answers) -> str | None:
    """Why a run would not begin with this table and these answers on it; None where it would."""
    try:
        look.require(load.validated(data_section(look, answers), Data, "data"))
    except errors.ProoflineError as error:
        return str(error).splitlines()[0].removeprefix("data: plan: ")
    return None


def ignored(look: Look, answers: Answers) -> dict[str, str]:
    """Column that gets the role `ignored`, to why."""
    taken = {answers.target, answers.entity, *(name for name, seen in answers.protected.items() if not seen)}
    return {name: why for name in look.kinds if name not in taken and (why := _of_no_use(look, name))}


def draft(look: Look, answers: Answers) -> dict[str, Any]:
    """The plan as plain data, in the order in which a person reads it."""
    return {
        "version": 1,
        "system": answers.system,
        "classification": answers.classification,
        "data": data_section(look, answers),
        "policy": {"gates": list(answers.gates)},
    }


def to_yaml(content: dict[str, Any], data: Path) -> str:
    """Text of the plan, checked by reading it back."""
    body = yaml.dump(content, Dumper=yaml_text.Dumper, sort_keys=False, allow_unicode=True, width=110)
    text = HEADER.format(name=data.name) + body.replace("\n  columns:\n", f"\n{BOUNDS}  columns:\n", 1)
    load.parse(text, "drafted plan")
    return text


def _of_no_use(look: Look, name: str) -> str | None:
    if not look.different(name):
        return "it has no values"
    if look.kinds[name] != "categorical" or look.different(name) <= MOST_CATEGORIES:
        return None
    return look.notes.get(name) or f"{look.different(name):,} different texts: an identifier, dates or free text"


def _target(look: Look, answers: Answers) -> dict[str, Any]:
    if answers.task == "binary":
        if answers.above is not None:
            return {"task": "binary", "above": answers.above}
        names = classes(look, answers.target)
        return {
            "task": "binary",
            "positive": list(answers.positive),
            "negative": [n for n in names if n not in answers.positive],
        }
    if answers.task == "multiclass":
        return {"task": "multiclass", "classes": list(classes(look, answers.target))}
    return {"task": "regression"}


def _column(look: Look, name: str, answers: Answers) -> dict[str, Any]:
    kind = look.kinds[name]
    if name == answers.target and answers.task != "regression" and answers.above is None:
        kind = "categorical"
    values = look.column(name, kind)
    column: dict[str, Any] = {"name": name, "role": _role(look, name, answers), "kind": kind}
    if kind == "categorical" and 0 < values.nunique() <= MOST_CATEGORIES:
        allowed = sorted(values.dropna().unique())
        # The plan leaves with the bundle, and `check` refuses one that names places of a machine.
        if all(_portable(value) for value in allowed):
            column["allowed"] = allowed
    if kind != "categorical" and values.notna().any():
        column["minimum"], column["maximum"] = bounds(float(values.min()), float(values.max()))
    if missing := look.missing(name, kind):
        column["max_missing"] = -(-100 * missing // len(values)) / 100  # rounded up
    return column


def bounds(least: float, most: float) -> tuple[float, float]:
    """The range of some values rounded outward to a round unit: a power of ten, a tenth to all of the range's width."""
    width = Decimal(repr(most)) - Decimal(repr(least)) or abs(Decimal(repr(most)))
    unit = Decimal(10) ** width.adjusted() if width else Decimal(1)
    low, high = (Decimal(repr(value)) / unit for value in (least, most))
    return float(math.floor(low) * unit) + 0.0, float(math.ceil(high) * unit) + 0.0


def _portable(text: str) -> bool:
    try:
        leaks.require_none("plan", text, ())
    except errors.GateError:
        return False
    return True


def _role(look: Look, name: str, answers: Answers) -> str:
    if name == answers.target:
        return "target"
    if name == answers.entity:
        return "entity"
    if name in answers.protected and not answers.protected[name]:
        return "protected"
    return "ignored" if _of_no_use(look, name) else "feature"


def slug(name: str) -> str:
    """An identifier made of a column's name."""
    plain = unicodedata.normalize("NFKD", name.casefold())
    letters = (c for c in plain if not unicodedata.combining(c))
    made = "".join(c if c.isascii() and c.isalnum() else "_" for c in letters).strip("_") or "attribute"
    return (made if made[0].isalpha() and len(made) > 1 else f"a_{made}")[:60]


def slugs(names: list[str]) -> list[str]:
    """An identifier for each of some columns, no two alike."""
    found: list[str] = []
    for name in names:
        made = slug(name)
        found.append(made if made not in found else next(s for i in range(2, 99) if (s := f"{made}_{i}") not in found))
    return found


def _protected(look: Look, answers: Answers) -> list[dict[str, Any]]:
    names = list(answers.protected)
    return [
        {
            "name": identifier,
            "column": name,
            **({} if look.kinds[name] == "categorical" else {"bins": _edges(look.table[name])}),
            "use_in_model": answers.protected[name],
            **({"special_category": answers.special[name]} if name in answers.special else {}),
        }
        for name, identifier in zip(names, slugs(names), strict=True)
    ]


def _edges(values: pd.Series) -> list[float]:
    """Edges near the quartiles, in round numbers, so that no group is empty."""
    present = values.dropna().astype("float64")
    if present.empty:
        return []
    least, most = float(present.min()), float(present.max())
    if least == most:
        return [most]
    unit = Decimal(10) ** ((Decimal(repr(most)) - Decimal(repr(least))).adjusted() - 1)
    quartiles = (Decimal(repr(float(present.quantile(q)))) for q in (0.25, 0.5, 0.75))
    rounded = sorted({float(round(quartile / unit) * unit) for quartile in quartiles})
    return [edge for edge in rounded if least < edge <= most] or [most]
