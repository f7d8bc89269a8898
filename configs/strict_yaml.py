"""YAML as data: duplicate keys, anchors, tags and surprising booleans are refused.

PyYAML follows YAML 1.1, where `no` is false, `1:30` is ninety and `2020-01-01` is a date. Plans say `no` as an
answer and `NO` as a country, so scalars are read by the YAML 1.2 core schema instead.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from typing import Any

import yaml

from configs.errors import PlanError

MAX_DEPTH = 50
"""Levels of nesting that are read. A plan has fewer than ten."""
MAX_DIGITS = 100
"""Digits of a whole number that are read."""


class _Loader(yaml.SafeLoader):
    """SafeLoader with YAML 1.2 core scalars; no aliases, no merge keys, no duplicate keys, bounded depth."""

    depth = 0
    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            event = self.peek_event()  # type: ignore[no-untyped-call]
            raise yaml.constructor.ConstructorError(
                None, None, "aliases (*name) are not read; write the value out", event.start_mark
            )
        if self.depth >= MAX_DEPTH:
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            raise yaml.constructor.ConstructorError(None, None, f"more than {MAX_DEPTH} levels of nesting", mark)
        self.depth += 1
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002 - PyYAML's signature
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise yaml.constructor.ConstructorError(None, None, "a key that is no plain text", key.start_mark)
            if key.value in seen:
                raise yaml.constructor.ConstructorError(None, None, f"key '{key.value}' stands twice", key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def _integer(_: _Loader, node: yaml.ScalarNode) -> int:
    if len(node.value) > MAX_DIGITS:
        problem = f"a number of more than {MAX_DIGITS} digits"
        raise yaml.constructor.ConstructorError(None, None, problem, node.start_mark)
    return int(node.value)


for _tag, _pattern, _first in (
    ("null", r"^(?:~|null|)$", ["~", "n", ""]),
    ("bool", r"^(?:true|false)$", list("tf")),
    ("int", r"^[-+]?[0-9]+$", list("-+0123456789")),
    (
        "float",
        r"^[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?$",
        list("-+.0123456789"),
    ),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(_pattern), _first)
_Loader.add_constructor("tag:yaml.org,2002:int", _integer)
RESOLVERS = _Loader.yaml_implicit_resolvers
"""First character to the tags and patterns by which plain text is read as something else."""


Lines = dict[tuple[str | int, ...], int]
"""Path of keys and positions to the line on which what stands there begins; the first line is 1."""


def parse_with_lines(text: str, name: str) -> tuple[Any, Lines]:
    """Read one YAML document, and where everything in it stands.

    Raises:
        PlanError: See `parse`.
    """
    with _explained(name):
        loader = _Loader(text)
        try:
            node = loader.get_single_node()
            lines = Lines()
            if node is None:
                return None, lines
            _note_lines(node, (), lines)
            return loader.construct_document(node), lines
        finally:
            loader.dispose()


def _note_lines(node: yaml.Node, path: tuple[str | int, ...], lines: Lines) -> None:
    lines.setdefault(path, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        for key, inner in node.value:
            lines[*path, key.value] = key.start_mark.line + 1
            _note_lines(inner, (*path, key.value), lines)
    elif isinstance(node, yaml.SequenceNode):
        for position, inner in enumerate(node.value):
            _note_lines(inner, (*path, position), lines)


def parse(text: str, name: str) -> Any:
    """Read one YAML document.

    Args:
        text: The document.
        name: How to call it in an error.

    Raises:
        PlanError: When it is no valid YAML, with line and column.
    """
    with _explained(name):
        return yaml.load(text, Loader=_Loader)  # noqa: S506 - a SafeLoader, made stricter


@contextlib.contextmanager
def _explained(name: str) -> Iterator[None]:
    """What PyYAML says, in one sentence."""
    try:
        yield
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f" line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        problem = error.problem or error.context or "it cannot be read"
        raise PlanError(f"{name}{where}: expected valid YAML, got: {problem}. Correct the line.") from None
    except yaml.reader.ReaderError as error:
        character = error.character if isinstance(error.character, int) else ord(error.character[:1])
        raise PlanError(
            f"{name}: expected YAML text, got the character U+{character:04X} at position {error.position}, which no "
            "text holds. Take it out."
        ) from None
    except yaml.YAMLError as error:
        raise PlanError(
            f"{name}: expected valid YAML text, got: {' '.join(str(error).split())}. Correct the file."
        ) from None


def kind_of(content: Any) -> str:
    """What a document that is no table of sections holds, in words of a person: `nothing`, `a list`, `a text`."""
    kinds = {
        type(None): "nothing",
        list: "a list",
        str: "a text",
        int: "a number",
        float: "a number",
        bool: "yes or no",
    }
    return kinds.get(type(content), "something else")
