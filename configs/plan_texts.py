"""The texts by which a plan speaks of its system: what only holds a place is no statement, here as in an answer."""

from __future__ import annotations

from collections.abc import Iterator

import pydantic

from configs import placeholders
from configs.data import Provenance
from configs.errors import PlanError
from configs.language.load import AnyPlan

_SENTENCES = frozenset(
    {
        "intended_purpose", "intended_users", "affected_persons", "foreseeable_misuse", "limitations", "rationale",
        "original_purpose",
    }
)  # fmt: skip
"""Fields that hold statements; the others of the same sections hold names and a few words."""
_MAY_BE_UNKNOWN = "licence"
"""A licence that nobody knows may be named as such: it stands as a gap."""
_WORDS = frozenset({"name", "address", "contact", "sector", "type", "title", "origin", "licence", "collected", "owner"})


def require(plan: AnyPlan, name: str) -> None:
    """Refuse a plan that puts a placeholder where its documents would repeat a statement.

    Args:
        plan: The plan.
        name: What it is called in the message.

    Raises:
        PlanError: It does; one line for each place.
    """
    found = [
        f"{name}: {where}: expected a statement, got {blank!r}, a placeholder. Say it, or leave the entry out where it "
        "may be absent: it then stands as a gap."
        for where, blank in _blanks(plan)
    ]
    if found:
        raise PlanError("\n".join(found))


def _blanks(plan: AnyPlan) -> Iterator[tuple[str, str]]:
    """Place and placeholder, in the order of the plan."""
    sections: list[tuple[str, pydantic.BaseModel]] = [
        ("system", plan.system),
        ("system.provider", plan.system.provider),
        ("documents", plan.documents),
        *((f"policy.gates[{i}]", gate) for i, gate in enumerate(plan.policy.gates)),
        *((f"predetermined_changes[{i}]", change) for i, change in enumerate(plan.predetermined_changes)),
        *_origins(plan),
    ]
    for where, section in sections:
        for field in type(section).model_fields:
            for place, text in _texts(getattr(section, field), f"{where}.{field}"):
                if blank := _blank(field, text):
                    yield place, blank


def _blank(field: str, text: str) -> str | None:
    """The placeholder in a field that holds a statement, or a name or a few words."""
    if field in _SENTENCES:
        return placeholders.in_sentence(text)
    if field not in _WORDS or (field == _MAY_BE_UNKNOWN and text.casefold() == "unknown"):
        return None
    return placeholders.in_words(text)


def _origins(plan: AnyPlan) -> Iterator[tuple[str, pydantic.BaseModel]]:
    """Where the data come from: of the table, or of each corpus."""
    data = getattr(plan, "data", None)
    if data is not None and isinstance(data.provenance, Provenance):
        yield "data.provenance", data.provenance
    for index, corpus in enumerate(getattr(plan, "corpora", ())):
        yield f"corpora[{index}].provenance", corpus.provenance


def _texts(value: object, place: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield place, value
    elif isinstance(value, tuple):
        for index, item in enumerate(value):
            if isinstance(item, str):
                yield f"{place}[{index}]", item
