"""The drawings of a document for formats that know no style sheet: fonts and colours written into each of them."""

from __future__ import annotations

import functools
import re

from model_cards import tree
from model_cards.render_html import TEMPLATES
from model_cards.tree import Document, Figure, Figures, Section

FONT = "Libertinus Serif"
"""Ships inside the typesetter, so that a drawing looks the same on every machine."""
_VARIABLE = re.compile(r"(--[a-z0-9]+):\s*([^;]+);")
_RULE = re.compile(r"(\.plot[^{}]*)\{([^{}]*)\}")
_SIZE = re.compile(r'viewBox="0 0 ([0-9.]+) ([0-9.]+)"')


def of(document: Document) -> tuple[Figure, ...]:
    """Every figure, in reading order."""
    return tuple(figure for section in document.sections for figure in _of(section))


def _of(section: Section) -> list[Figure]:
    here = [figure for block in section.blocks if isinstance(block, Figures) for figure in block.figures]
    return here + [figure for inner in section.sections for figure in _of(inner)]


def words(figure: Figure) -> str:
    """What stands for the drawing where it cannot be seen."""
    return f"{tree.plain(figure.title)}. {tree.plain(figure.alt)}"


def alone(figure: Figure) -> str:
    """The drawing as a file of its own, in the colours of print."""
    head, _, rest = figure.svg.partition(">")
    named = head if "xmlns=" in head else head.replace("<svg", '<svg xmlns="http://www.w3.org/2000/svg"', 1)
    return f"{named}><style>{_style()}</style>{rest}"


def width(figure: Figure) -> float:
    """Width in units of the drawing."""
    found = _SIZE.search(figure.svg)
    return float(found[1]) if found else 400.0


@functools.cache
def _style() -> str:
    """The rules for drawings out of the page's style sheet, with the colours that it prints with."""
    sheet = (TEMPLATES / "report.css").read_text(encoding="utf-8")
    colours = dict(_VARIABLE.findall(sheet[sheet.rindex("@media print") :]))
    rules = []
    for selector, rule in _RULE.findall(sheet):
        coloured = re.sub(r"var\((--[a-z0-9]+)\)", lambda match: colours[match[1]], rule)
        body = re.sub(r"font: ([0-9.]+px)[^;]*", rf"font-size: \1; font-family: '{FONT}'", coloured)
        rules.append(f"{selector.strip()} {{{body.strip()}}}")
    return " ".join(rules)
