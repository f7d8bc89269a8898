"""The draft of the EU declaration of conformity, made beside an approval once nothing stands against it any more."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence

from evidence import records
from evidence.dossier import Dossier
from evidence.folder import RunFolder
from model_cards import documents, inventory, localise, refs, tree
from model_cards.legal import declaration, names
from model_cards.refs import Book, Node

NEED = "declaration"
"""Identifier of the document in the register of the law."""


def draft(
    folder: RunFolder, dossier: Dossier, approval: records.Approval, place: str
) -> tuple[records.ArtifactRef, ...]:
    """Write the draft where nothing stands against it, in every language of the plan.

    Args:
        folder: The run folder.
        dossier: The records of the closed run.
        approval: The approval beside which it is made, before its signature: who, why, and what is accepted.
        place: The approval without its ending, for example `approvals/001`; the draft stands in a folder of that name.

    Returns:
        References to its files, for the approval to name; none where something stands against it, or where the class
        of the system asks for no declaration.
    """
    book = refs.book(dossier)
    if not _asked(book) or declaration.against(book, _waived(approval.waivers)):
        return ()
    made = Node(f"{place}.json", "", approval.model_dump(mode="json"))
    data = declaration.draft_data(inventory.gathered(book), made)
    fields = json.dumps(data, indent=1, ensure_ascii=False, allow_nan=False)
    at = dt.datetime.fromisoformat(dossier.gate.at)
    files: dict[str, bytes] = {}
    for language in documents.languages(dossier.plan, next(e for e in names.DOCUMENTS if e.id == NEED)):
        document = localise.build(lambda read: declaration.draft(inventory.gathered(read), made), book, language)
        stem = names.stem(NEED, language)
        files |= {f"{stem}.{end}": documents.in_format(document, NEED, end, at) for end in documents.FORMATS}
    files["declaration_fields.json"] = (fields + "\n").encode("utf-8")
    return tuple(folder.write_bytes(f"{place}/{name}", content) for name, content in files.items())


def against(dossier: Dossier, waivers: Sequence[records.Waiver]) -> list[str]:
    """What stands against a draft, in the order of `declaration.against`, one line each with who can change it.

    Empty where no declaration is asked for.
    """
    book = refs.book(dossier)
    if not _asked(book):
        return []
    found = declaration.against(book, _waived(waivers))
    return [f"{tree.plain(o.what)}: {tree.plain(o.why)} ({o.who}: {tree.plain(o.where)})" for o in found]


def _asked(book: Book) -> bool:
    return any(need.value["id"] == NEED for need in book.law["read"]["documents"])


def _waived(waivers: Sequence[records.Waiver]) -> set[tuple[str, str]]:
    return {(waiver.check_id, waiver.slice) for waiver in waivers}
