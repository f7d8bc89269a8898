"""Writing the documents of a run: the model card and the HTML report. The same dossier gives the same bytes."""

from __future__ import annotations

from evidence import records
from evidence.dossier import Dossier
from evidence.folder import RunFolder
from model_cards import card, refs, render_html, render_markdown, report, tree

CARD = "documents/README.md"
REPORT = "documents/report.html"


def render(folder: RunFolder, dossier: Dossier) -> records.DocumentsRecord:
    """Write the card and the report into the run folder.

    The text holds no time of rendering: an approval is bound to the digests of these files.

    Returns:
        References to both files, and the text of every gap that they print.
    """
    book = refs.book(dossier)
    card_tree, report_tree = card.tree_of(book), report.tree_of(book)
    written = (
        folder.write_bytes(CARD, (card.render_front(book) + render_markdown.render(card_tree)).encode("utf-8")),
        folder.write_bytes(REPORT, render_html.render(report_tree).encode("utf-8")),
    )
    gaps = dict.fromkeys((*tree.gaps(report_tree), *tree.gaps(card_tree)))
    return records.DocumentsRecord(documents=written, gaps=tuple(gaps))
