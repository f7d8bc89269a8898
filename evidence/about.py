"""Digests of what an answer speaks of: when that changes, an answer that was carried over must be confirmed again.

Times, places and digests of a single run do not count, or no two runs would ever agree.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import pydantic

from configs import answers, errors
from configs.answers import Risk
from configs.language.load import AnyPlan
from evidence import canonical, records

SIGNIFICANT = 6
"""Digits of a measure that count: the last bits differ between processors."""


def digest(pointers: Iterable[str], plan: AnyPlan, found: Mapping[str, pydantic.BaseModel | None]) -> str:
    """SHA-256 of what some pointers of the register lead to.

    Args:
        pointers: `plan:PATH`, `record:STAGE`, `check:ID` or `check:ID@SLICE`.
        plan: The plan of the run.
        found: Stage to its record.

    Raises:
        IntegrityError: A pointer leads nowhere.
    """
    return canonical.sha256({pointer: value(pointer, plan, found) for pointer in pointers})


def of_risk(risk: Risk, plan: AnyPlan, found: Mapping[str, pydantic.BaseModel | None]) -> str:
    """Digest of what an acceptance speaks of: the risk as it is stated, and the results that show its control."""
    shown = digest((f"check:{check}" for check in risk.shown_by), plan, found)
    stated = risk.model_dump(mode="json", exclude={"acceptance", "review_on"})
    return canonical.sha256({"risk": stated, "shown": shown})


def value(pointer: str, plan: AnyPlan, found: Mapping[str, pydantic.BaseModel | None]) -> Any:
    """What a pointer leads to, as plain data, without what differs between any two runs; None where there is nothing.

    Raises:
        IntegrityError: It leads nowhere.
    """
    kind, _, name = pointer.partition(":")
    if kind == "plan":
        return _of_plan(name, plan)
    if kind == "check":
        check, where = answers.check_and_slice(name)
        every = [r for stage in _CHECKED for r in _results(found.get(stage), where) if r["check"] == check]
        return every if where is None else [r for r in every if r["measures"] or r["status"]]
    if kind != "record" or name not in _RECORDS:
        raise errors.IntegrityError(
            f"pointer {pointer}: expected a part of the plan, a record or a check, got another."
        )
    record = found.get(name)
    return None if record is None else _RECORDS[name](record)


def _of_plan(path: str, plan: AnyPlan) -> Any:
    content: Any = plan.model_dump(mode="json")
    for step in path.split("."):
        if not isinstance(content, dict) or step not in content:
            raise errors.IntegrityError(f"pointer plan:{path}: expected a field of the plan, got none at {step}.")
        content = content[step]
    # What is said of the system as a whole outlives a version; what is said of the version points at it.
    return {k: v for k, v in content.items() if k != "version"} if path == "system" else content


def _results(record: pydantic.BaseModel | None, where: str | None = None) -> list[dict[str, Any]]:
    """The results of a record; with a slice, what of each speaks of it or of the groups of that attribute.

    The status of a check that compares several attributes is that of all of them, and none for a single one.
    """
    results: tuple[records.CheckResult, ...] = getattr(record, "results", ())
    return [
        {
            "check": result.check_id,
            "title": result.title,
            "status": result.status if where is None or (result.details or {}).get("slice") == where else None,
            "measures": [
                [m.name, m.slice, m.split, m.n, None if m.value is None else f"{m.value:.{SIGNIFICANT}g}"]
                for m in result.measures
                if where is None or m.slice == where or m.slice.startswith(f"{where}=")
            ],
        }
        for result in results
    ]


def _parts(*names: str) -> Callable[[pydantic.BaseModel], Any]:
    return lambda record: record.model_dump(mode="json", include=set(names))


_CHECKED = ("validate", "govern", "evaluate")
_RECORDS: dict[str, Callable[[pydantic.BaseModel], Any]] = {
    "ingest": _parts("title", "rows", "schema_sha256", "rows_sha256"),
    "encode": _parts("task", "features", "classes", "target", "target_unit"),
    "export": _parts("inputs", "outputs", "opset", "ir_version", "operators"),
    "account": _parts("classes"),
    **dict.fromkeys(_CHECKED, _results),
}
"""Stage to the part of its record that an answer can speak of."""
STAGES = tuple(_RECORDS)
"""The stages whose records an answer can speak of."""
