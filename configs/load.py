"""Reading a plan from a file, with errors that say where and what to do."""

from __future__ import annotations

import difflib
import types
import typing
from pathlib import Path
from typing import Any, TypeVar

import pydantic

from configs import strict_yaml
from configs.errors import MissingError, PlanError
from configs.plan import Plan

P = TypeVar("P", bound=pydantic.BaseModel)
USE_CASES = Path(__file__).parent / "use_cases"


def plan_path(name_or_path: str) -> Path:
    """The file of a plan given by path, or by the name of a use case that ships with proofline.

    Raises:
        MissingError: When there is neither.
    """
    path = Path(name_or_path)
    if path.is_file():
        return path
    shipped = USE_CASES / f"{name_or_path}.yaml"
    if path.name == name_or_path and shipped.is_file():
        return shipped
    names = sorted(p.stem for p in USE_CASES.glob("*.yaml"))
    near = difflib.get_close_matches(path.stem, names, n=1)
    hint = f"Did you mean {near[0]}? " if near else ""
    raise MissingError(
        f"plan {name_or_path}: expected a file, or one of the shipped plans {', '.join(names)}, got neither. "
        f"{hint}Check the path, or write a plan with `proofline init`."
    )


def load(path: Path) -> Plan:
    """Read and check a plan.

    Raises:
        MissingError: The file is absent.
        PlanError: The file is no valid plan; one line for each problem.
    """
    return parse(read(path), str(path))


def read(path: Path) -> str:
    """The text of a plan's file.

    Raises:
        MissingError: The file is absent.
        PlanError: It is a folder, or no UTF-8 text.
    """
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise MissingError(f"plan {path}: expected a file, got none. Check the path.") from None
    except IsADirectoryError:
        raise PlanError(f"plan {path}: expected a file, got a folder. Name the YAML file in it.") from None
    except UnicodeDecodeError as error:
        raise PlanError(
            f"plan {path}: expected UTF-8 text, got byte {error.object[error.start]:#04x} at {error.start}. "
            "Save the file as UTF-8."
        ) from None


def parse(text: str, name: str = "plan") -> Plan:
    """Check the text of a plan. See `load`."""
    return of_content(strict_yaml.parse(text, name), name)


def of_content(content: Any, name: str = "plan") -> Plan:
    """Check a plan that was read as plain data. See `load`."""
    if not isinstance(content, dict):
        raise PlanError(
            f"{name}: expected sections such as system: and data:, got {strict_yaml.kind_of(content)}. "
            "Start from a shipped plan or `proofline init`."
        )
    return validated(content, Plan, name)


def validated(content: dict[str, Any], kind: type[P], name: str) -> P:
    """A plan of the given type from plain data.

    Raises:
        PlanError: It is none; one line for each problem.
    """
    try:
        return kind.model_validate(content)
    except pydantic.ValidationError as error:
        problems = [_sentence(problem, kind, content) for problem in error.errors(include_url=False)]
        more = f" (and {len(problems) - 8} more)" if len(problems) > 8 else ""
        raise PlanError("\n".join(f"{name}: {p}" for p in problems[:8]) + more) from None


def _sentence(problem: Any, kind: type[pydantic.BaseModel], content: dict[str, Any]) -> str:
    parts = list(problem["loc"])
    where = _path(parts)
    if called := _called(parts, content):
        where = f"{where} ({called})"
    problem_type, message = problem["type"], problem["msg"]
    if problem_type == "extra_forbidden":
        near = difflib.get_close_matches(str(parts[-1]), _fields_at(parts[:-1], kind), n=1)
        hint = f"Did you mean '{near[0]}'?" if near else "Remove it, or see the plan's JSON Schema."
        return f"{where}: expected a known key, got '{parts[-1]}'. {hint}"
    if problem_type == "missing":
        return f"{where}: expected a value, got none. Add it."
    if problem_type == "value_error":
        return f"{where}: {message.removeprefix('Value error, ')}."
    expected = message[0].lower() + message[1:]
    expected = expected.removeprefix("input should be ")
    value = repr(problem["input"])
    shown = value if len(value) <= 60 else value[:57] + "..."
    return f"{where}: expected {expected}, got {shown}. Correct the value."


def _path(parts: list[Any]) -> str:
    text = ""
    for part in parts:
        if isinstance(part, int):
            text += f"[{part}]"
        elif part not in ("file", "sklearn", "openml", "sql", "pair_ordered", "compound_unique", "row_count",
            "slice_name", "slice_column", "files", "python_documentation",
        ):  # fmt: skip
            text += f".{part}" if text else str(part)
    return text or "plan"


def _called(parts: list[Any], content: Any) -> str | None:
    """The name of the entry of a list that a path leads through: its position says less to who wrote the plan."""
    found, place = None, content
    for part in parts:
        if isinstance(part, int) and isinstance(place, list) and part < len(place):
            place = place[part]
            name = (place.get("name") or place.get("check")) if isinstance(place, dict) else None
            found = name if isinstance(name, str) else found
        elif isinstance(place, dict) and part in place:
            place = place[part]
    return found


def _fields_at(parts: list[Any], plan: type[pydantic.BaseModel]) -> list[str]:
    """Field names of the section that `parts` leads to, for a suggestion."""
    models: list[Any] = [plan]
    for part in parts:
        if isinstance(part, int):
            continue
        fields = [m.model_fields[part].annotation for m in models if part in m.model_fields]
        if fields:
            models = [model for annotation in fields for model in _models_in(annotation)]
    return sorted({name for model in models for name in model.model_fields})


def _models_in(annotation: Any) -> list[type[pydantic.BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, pydantic.BaseModel):
        return [annotation]
    if typing.get_origin(annotation) or isinstance(annotation, types.UnionType):
        return [model for part in typing.get_args(annotation) for model in _models_in(part)]
    return []
