"""What differs between two plans, field by field, in words for a person."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

MOST = 3
"""So many differences are told; of the others the number."""
LONGEST = 60
_NAMED_BY: tuple[tuple[str, ...], ...] = (("check", "slice"), ("name",), ("field",), ("id",))
"""Fields by which the items of a list are told apart, whatever their order."""
ABSENT = object()
"""Stands for a field or an item that one of the two lacks."""


def between(then: Any, now: Any) -> list[str]:
    """Each differing field as `path: old → new`, in the order of the fields; empty where nothing differs."""
    return [f"{joined(path)}: {shown(old)} → {shown(new)}" for path, old, new in walk(then, now)]


def joined(path: Sequence[str]) -> str:
    """Steps as one path: `data.columns[income].maximum`."""
    return "".join(step if step.startswith(("[", ", ")) or i == 0 else f".{step}" for i, step in enumerate(path))


def told(then: Any, now: Any) -> str:
    """The first differences in one line, and how many more there are."""
    found = between(then, now)
    more = f" (and {len(found) - MOST} more)" if len(found) > MOST else ""
    return "; ".join(found[:MOST]) + more


def walk(then: Any, now: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any, Any]]:
    """Each differing field: its steps (`[key]` for an item of a list), the old value and the new one.

    `ABSENT` stands for what one side lacks; a list in another order has the last step `, order`.
    """
    if then == now:
        return
    if isinstance(then, Mapping) and isinstance(now, Mapping):
        for key in dict.fromkeys([*then, *now]):
            yield from walk(then.get(key, ABSENT), now.get(key, ABSENT), (*path, str(key)))
        return
    if _is_list(then) and _is_list(now):
        names = _names(then, now)
        if names is not None:
            old, new = _by_name(then, names), _by_name(now, names)
            if list(old) != list(new) and sorted(old) == sorted(new):
                yield (*path, ", order"), ", ".join(old), ", ".join(new)
            for key in dict.fromkeys([*old, *new]):
                yield from walk(old.get(key, ABSENT), new.get(key, ABSENT), (*path, f"[{key}]"))
            return
    yield path, then, now


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str | bytes)


def _names(*lists: Sequence[Any]) -> tuple[str, ...] | None:
    """The fields that name every item of the lists, each once; None where there are none."""
    for names in _NAMED_BY:
        if all(isinstance(item, Mapping) and all(n in item for n in names) for items in lists for item in items):
            keys = [[_key(item, names) for item in items] for items in lists]
            if all(len(set(k)) == len(k) for k in keys):
                return names
    return None


def named(items: Sequence[Any]) -> dict[str, Any]:
    """The items of one list by the names that stand in their paths; empty where they have none."""
    names = _names(items) if items else None
    return {} if names is None else _by_name(items, names)


def names_of(items: Sequence[Any]) -> list[str]:
    """Those names."""
    return list(named(items))


def _by_name(items: Sequence[Mapping[str, Any]], names: tuple[str, ...]) -> dict[str, Any]:
    return {_key(item, names): item for item in items}


def _key(item: Mapping[str, Any], names: tuple[str, ...]) -> str:
    return "@".join(str(item[name]) for name in names)


def shown(value: Any) -> str:
    """A value in a few words."""
    if value is ABSENT:
        return "absent"
    if value is None:
        return "none"
    if isinstance(value, Mapping):
        return "present"
    text = str(value) if isinstance(value, str | bool | int | float) else ", ".join(map(str, value)) or "none"
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
