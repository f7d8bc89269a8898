"""A document tree as one self-contained HTML page: no script, nothing loaded from elsewhere."""

from __future__ import annotations

from pathlib import Path

import jinja2
import markupsafe

from model_cards import text, tree
from model_cards.refs import Gap
from model_cards.tree import Block, Document

TEMPLATES = Path(__file__).parent / "templates"


def render(document: Document) -> str:
    """The page. Every value of a record is escaped and carries its place in `data-evidence`."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.tests["fixed"] = lambda part: isinstance(part, str)
    environment.tests["gap"] = lambda part: isinstance(part, Gap)
    environment.tests["url"] = text.is_url
    environment.filters["kind"] = _kind
    environment.filters["breakable"] = _breakable
    environment.filters["records"] = tree.evidence_of
    style = (TEMPLATES / "report.css").read_text(encoding="utf-8")
    page = environment.get_template("report.html.j2").render(document=document, style=style)
    return "\n".join(line.rstrip() for line in page.splitlines() if line.strip()) + "\n"


def _breakable(name: str) -> markupsafe.Markup:
    """An identifier, escaped, that may be broken after its underscores and nowhere else."""
    return markupsafe.Markup("_<wbr>").join(name.split("_"))


def _kind(block: Block) -> str:
    return type(block).__name__.lower()
