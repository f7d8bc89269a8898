"""Text in lines of the terminal's width: a terminal of its own breaks a line within a word."""

from __future__ import annotations

import shutil
import sys
import textwrap

import click

WIDTH = 100
"""Columns of a line at most, where the terminal has so many: a longer line is hard to read."""


def wrapped(text: str, first: str, then: str | None = None) -> list[str]:
    """A text in lines of the terminal's width.

    Args:
        text: What is said.
        first: What the first line begins with.
        then: What every other line begins with; by default the same.
    """
    return textwrap.wrap(
        text,
        width(),
        initial_indent=first,
        subsequent_indent=first if then is None else then,
        break_on_hyphens=False,
        break_long_words=False,
    )


def fitted(text: str) -> str:
    """A text of several lines, each of which a terminal would break within a word broken between words instead."""
    lines: list[str] = []
    for line in text.split("\n"):
        if len(line) <= width():
            lines.append(line)
        else:
            indent = line[: len(line) - len(line.lstrip())]
            lines += wrapped(line.strip(), indent, indent)
    return "\n".join(lines)


def say(text: str = "") -> None:
    """Show a text; into a file or a pipe goes every line as it is."""
    click.echo(fitted(text) if sys.stdout.isatty() else text)


def width() -> int:
    """Columns of the terminal, and no more than `WIDTH`; into a file or a pipe goes `WIDTH`."""
    return min(WIDTH, max(40, shutil.get_terminal_size((WIDTH, 24)).columns))
