"""A document tree as one self-contained HTML page: no script, nothing loaded from elsewhere."""

from __future__ import annotations

import dataclasses
import functools
import re
import string
from pathlib import Path

import jinja2
import markupsafe

from model_cards import language, lines, text, tree
from model_cards.refs import Fact, Gap
from model_cards.tree import Block, Document, Link, Table

_PLAIN = frozenset(string.ascii_letters + string.digits + " .,:-_")
"""Characters that mean nothing inside a string of a style sheet or to the page around it."""
_WHOLE = re.compile(r"\b(?:Arts?\.?|Annexe?|Anhang) [0-9IVX]+[a-z]?(?:\([0-9a-z]+\))*|(?<![\w-])--[a-z]+")
"""A place of the law, and an option of a command."""
WIDE = 7
"""Columns from which on a table is set smaller, so that it fits beside the contents."""
LONGEST_NUMBER = 32
"""Characters of a value with its interval and unit. What is longer in a column of numbers is words."""
TEMPLATES = Path(__file__).parent / "templates"


def render(document: Document) -> str:
    """The page. Every value of a record is escaped and carries its place in `data-evidence`."""
    style = (TEMPLATES / "report.css").read_text(encoding="utf-8")
    names = lines.of(document)
    page = _template().render(
        document=document,
        style=style,
        lines=lambda row: names.get((id(row[0]), row[1])),
        colon=language.colon(document.language),
        _=lambda words: language.fixed(words, document.language),
    )
    return "\n".join(line.rstrip() for line in page.splitlines() if line.strip()) + "\n"


@functools.cache
def _template() -> jinja2.Template:
    """The template, compiled once."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.tests["fixed"] = lambda part: isinstance(part, str)
    environment.tests["gap"] = lambda part: isinstance(part, Gap)
    environment.tests["link"] = lambda part: isinstance(part, Link)
    environment.tests["url"] = text.is_url
    environment.tests["wide"] = lambda table: len(table.columns) >= WIDE
    environment.tests["worded"] = _worded
    environment.tests["again"] = lambda cell: cell == (tree.AGAIN,)
    environment.filters["kind"] = _kind
    environment.filters["breakable"] = _breakable
    environment.filters["meant"] = tree.meant
    environment.filters["records"] = tree.evidence_of
    environment.filters["plain"] = tree.plain
    environment.filters["target"] = lambda link: link.address("html")
    environment.filters["counted"] = _counted
    environment.filters["css"] = _css
    environment.filters["unbroken"] = _unbroken
    return environment.get_template("report.html.j2")


def _css(content: tree.Parts) -> markupsafe.Markup:
    """Words as the inside of a string of a style sheet: whatever could mean something there by its code point."""
    plain = text.plain(tree.plain(content))
    escaped = "".join(c if c in _PLAIN else f"\\{ord(c):06x}" for c in plain)
    return markupsafe.Markup(escaped)  # noqa: S704 - only plain characters and code points are left


def _breakable(name: str) -> markupsafe.Markup:
    """An identifier, escaped, that may be broken after its underscores and nowhere else."""
    return markupsafe.Markup("_<wbr>").join(name.split("_"))


def _unbroken(words: str) -> markupsafe.Markup:
    """Text, escaped, in which `Art. 13(3)(b)` and `--only` stay on one line."""
    escaped = str(markupsafe.escape(words))
    return markupsafe.Markup(_WHOLE.sub(r'<span class="unbroken">\g<0></span>', escaped))  # noqa: S704 - escaped above


def _counted(table: Table) -> Fact | None:
    """How many rows a folded table has; None where its caption tells a count, or no row has evidence."""
    if any(isinstance(part, Fact) and part.form == "count" for part in table.caption):
        return None
    first = next((part for row in table.rows for cell in row for part in cell if isinstance(part, Fact)), None)
    if first is None:
        return None
    return dataclasses.replace(first, value=len(table.rows), form="count", derivation="rows of this table")


def _worded(cell: tree.Parts) -> bool:
    """Does a cell hold a line of words?

    In a column of numbers it may be broken, which a number may not; in any other it keeps room for some words.
    """
    return len(tree.plain(cell)) > LONGEST_NUMBER


def _kind(block: Block) -> str:
    return type(block).__name__.lower()
