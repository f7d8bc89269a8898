"""Names of single lines, so that one document can point at the very line of another.

A row of a table is named by the first place of a record that it shows. The name follows from that place alone: whoever
knows the place can link to the line without having seen the page.
"""

from __future__ import annotations

import re

from model_cards import tree
from model_cards.refs import Fact, Gap

_ITEM = re.compile(r"^((?:/[^/]+)*/\d+)(?:/.*)?$")


def name(evidence: str) -> str:
    """The name of the line that shows a place: letters, digits and hyphens.

    Args:
        evidence: `<record file>#<JSON pointer>`. All fields of an entry of a list give the name of the entry.
    """
    record, _, pointer = evidence.partition("#")
    entry = _ITEM.match(pointer)
    return "line-" + re.sub(r"[^A-Za-z0-9]+", "-", f"{record}#{entry[1] if entry else pointer}").strip("-").lower()


def of(document: tree.Document) -> dict[tuple[int, int], str]:
    """The names of a document's lines, by identity of the table and index of the row; each once, at its first row."""
    found: dict[tuple[int, int], str] = {}
    seen: set[str] = set()
    for table in tree.walk_tables(document):
        for index, row in enumerate(table.rows):
            place = _place(row)
            if place is not None and (line := name(place)) not in seen:
                seen.add(line)
                found[id(table), index] = line
    return found


def led_to(document: tree.Document) -> dict[tuple[int, int], str]:
    """The names of those lines to which something in the document itself leads."""
    wanted = {part.anchor for part in tree.walk(document) if isinstance(part, tree.Link) and not part.document}
    return {row: line for row, line in of(document).items() if line in wanted}


def _place(row: tuple[tree.Parts, ...]) -> str | None:
    for cell in row:
        for part in cell:
            if isinstance(part, Fact):
                return part.evidence
            if isinstance(part, Gap) and isinstance(part.what, Fact):
                return part.what.evidence
    return None
