"""Writing the documents of a language model's run: card, report, and those of general-purpose models, in every format.

The same dossier gives the same bytes.
"""

from __future__ import annotations

import datetime as dt
import functools
import os
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor

from evidence import records
from evidence.folder import RunFolder
from evidence.language_dossier import LanguageDossier
from model_cards import documents, localise, render_html, render_markdown
from model_cards.documents import CARD, FORMATS, REPORT
from model_cards.gpai import account, book, card, copyright, coverage, form, inventory, open_source, summary  # noqa: A004
from model_cards.legal import names
from model_cards.legal.answered import Places
from model_cards.refs import Book
from model_cards.tree import Document

Builder = Callable[[Book], Document]


def builders(places: Places) -> dict[str, Builder]:
    """Identifier of a document (`names.GENERAL_PURPOSE`) to what builds it.

    Args:
        places: Lines of the report that can be linked to.
    """
    return {
        "general_purpose": account.build,
        "model_documentation_ai_office": functools.partial(form.build, view="ai_office"),
        "model_documentation_authorities": functools.partial(form.build, view="authorities"),
        "model_documentation_downstream": functools.partial(form.build, view="downstream"),
        "annexes_xi_xii": functools.partial(coverage.build, places=places),
        "public_summary": summary.build,
        "copyright_policy": functools.partial(copyright.build, places=places),
        "open_source": open_source.build,
    }


def render(folder: RunFolder, dossier: LanguageDossier, suffixes: Collection[str] = FORMATS) -> records.DocumentsRecord:
    """Write the card, the report and the documents of general-purpose models into the run folder.

    The text holds no time of rendering: an approval is bound to the digests of these files.

    Args:
        folder: Where they are written.
        dossier: The records of the run; its account and answers have been made.
        suffixes: Formats of the documents other than card and report.

    Returns:
        References to all files, and the gaps of the run, each once.
    """
    bare = book.book(dossier)
    # What can be linked to is the same before and after the gaps are gathered: they stand in no line that answers.
    built = builders(coverage.places_of(card.tree_of(bare)))
    found = inventory.gathered(bare, built)
    report = card.tree_of(found)
    written = [
        folder.write_bytes(CARD, (card.render_front(found) + render_markdown.render(report)).encode("utf-8")),
        folder.write_bytes(REPORT, render_html.render(report).encode("utf-8")),
    ]
    at = dt.datetime.fromisoformat(dossier.gate.at)
    waiting: list[tuple[str, Document, str, str]] = []
    for entry in names.GENERAL_PURPOSE:
        for language in documents.languages(dossier.plan, entry):
            document = localise.build(built[entry.id], found, language)
            waiting += [(entry.file(suffix, language), document, entry.id, suffix) for suffix in suffixes]
    # pandoc and the typesetter work outside of Python; more than two at a time would cost memory and save little.
    with ThreadPoolExecutor(min(2, os.cpu_count() or 1)) as pool:
        contents = pool.map(lambda job: documents.in_format(job[1], job[2], job[3], at), waiting)
        written += [folder.write_bytes(job[0], content) for job, content in zip(waiting, contents, strict=True)]
    return records.DocumentsRecord(documents=tuple(written), gaps=tuple(gap.text for gap in found.gaps or ()))
