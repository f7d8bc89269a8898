"""Writing the documents of a run: the model card, the HTML report and the legal documents in every format.

The same dossier gives the same bytes.
"""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor

from configs.language.load import AnyPlan
from evidence import records
from evidence.dossier import Dossier
from evidence.folder import RunFolder
from model_cards import (
    card,
    inventory,
    localise,
    refs,
    render_docx,
    render_html,
    render_json,
    render_markdown,
    render_pdf,
    report,
)
from model_cards.language import ENGLISH
from model_cards.legal import machine, names, registry
from model_cards.tree import Document

CARD = "documents/README.md"
ANNEX = f"documents/{card.ANNEX}.md"
REPORT = "documents/report.html"


FORMATS = ("md", "html", "json", "docx", "pdf")
"""Every legal document is written in each of them. Markdown is the one to compare; the others say the same."""


def render(folder: RunFolder, dossier: Dossier, suffixes: Collection[str] = FORMATS) -> records.DocumentsRecord:
    """Write the card, the report and the legal documents that the plan's answers point to into the run folder.

    The text holds no time of rendering: an approval is bound to the digests of these files.

    Args:
        folder: Where they are written.
        dossier: The records of the run.
        suffixes: Formats of the legal documents.

    Returns:
        References to all files, and the gaps of the run, each once.
    """
    book = inventory.gathered(refs.book(dossier))
    card_tree, report_tree = card.tree_of(book), report.tree_of(book)
    written = [
        folder.write_bytes(CARD, (card.render_front(book) + render_markdown.render(card_tree)).encode("utf-8")),
        folder.write_bytes(ANNEX, render_markdown.render(card.annex_of(book), anchors=True).encode("utf-8")),
        folder.write_bytes(REPORT, render_html.render(report_tree).encode("utf-8")),
    ]
    at = dt.datetime.fromisoformat(dossier.gate.at)
    waiting: list[tuple[str, Document, str, str]] = []
    machines: list[tuple[str, bytes]] = []
    for entry in names.needed(book):
        for language in languages(dossier.plan, entry):
            document = localise.build(registry.BUILDERS[entry.id], book, language)
            waiting += [(entry.file(suffix, language), document, entry.id, suffix) for suffix in suffixes]
        machines += [(f"documents/{name}", content) for name, content in machine.files(book, entry.id).items()]
    # pandoc and the typesetter work outside of Python; more than two at a time would cost memory and save little.
    with ThreadPoolExecutor(min(2, os.cpu_count() or 1)) as pool:
        contents = pool.map(lambda job: in_format(job[1], job[2], job[3], at), waiting)
        written += [folder.write_bytes(job[0], content) for job, content in zip(waiting, contents, strict=True)]
    written += [folder.write_bytes(name, content) for name, content in machines]
    return records.DocumentsRecord(documents=tuple(written), gaps=tuple(gap.text for gap in book.gaps or ()))


def languages(plan: AnyPlan, entry: names.Entry) -> list[str]:
    """English, then the languages of the plan in which the document can be written."""
    asked = dict.fromkeys((ENGLISH, *plan.documents.languages))
    return [language for language in asked if language in entry.languages]


def in_format(document: Document, document_id: str, suffix: str, at: dt.datetime) -> bytes:
    """A document in one format.

    Args:
        document: What is said.
        document_id: Its identifier.
        suffix: One of `FORMATS`.
        at: The time that DOCX and PDF carry: one of the run's own records.

    Raises:
        KeyError: There is no such format.
    """
    write: dict[str, Callable[[], bytes]] = {
        "md": lambda: render_markdown.render(document, anchors=True).encode("utf-8"),
        "html": lambda: render_html.render(document).encode("utf-8"),
        "json": lambda: render_json.render(document, document_id).encode("utf-8"),
        "docx": lambda: render_docx.render(document, at),
        "pdf": lambda: render_pdf.render(document, document_id, at),
    }
    return write[suffix]()
