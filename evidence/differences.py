"""What differs between two plans, field by field, in words for a person."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

MOST = 3
"""So many differences are told; of the others the number."""
LONGEST = 60
_NAMED_BY: tuple[tuple[str, ...], ...] = (("check", "slice"), ("name",), ("field",))
"""Fields by which the items of a list are told apart, whatever their order."""
_ABSENT = object()


def between(then: Any, now: Any) -> list[str]:
    """Each differing field as `path: old → new`, in the order of the fields; empty where nothing differs."""
    return [f"{path}: {_shown(old)} → {_shown(new)}" for path, old, new in _walk("", then, now)]


def told(then: Any, now: Any) -> str:
    """The first differences in one line, and how many more there are."""
    found = between(then, now)
    more = f" (and {len(found) - MOST} more)" if len(found) > MOST else ""
    return "; ".join(found[:MOST]) + more


def _walk(path: str, then: Any, now: Any) -> Iterator[tuple[str, Any, Any]]:
    if then == now:
        return
    if isinstance(then, Mapping) and isinstance(now, Mapping):
        for key in dict.fromkeys([*then, *now]):
            yield from _walk(f"{path}.{key}" if path else key, then.get(key, _ABSENT), now.get(key, _ABSENT))
        return
    if _is_list(then) and _is_list(now):
        names = _names(then, now)
        if names is not None:
            old, new = _by_name(then, names), _by_name(now, names)
            if list(old) != list(new) and sorted(old) == sorted(new):
                yield f"{path}, order", ", ".join(old), ", ".join(new)
            for key in dict.fromkeys([*old, *new]):
                yield from _walk(f"{path}[{key}]", old.get(key, _ABSENT), new.get(key, _ABSENT))
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


def _by_name(items: Sequence[Mapping[str, Any]], names: tuple[str, ...]) -> dict[str, Any]:
    return {_key(item, names): item for item in items}


def _key(item: Mapping[str, Any], names: tuple[str, ...]) -> str:
    return "@".join(str(item[name]) for name in names)


def _shown(value: Any) -> str:
    if value is _ABSENT:
        return "absent"
    if value is None:
        return "none"
    if isinstance(value, Mapping):
        return "present"
    text = str(value) if isinstance(value, str | bool | int | float) else ", ".join(map(str, value)) or "none"
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
