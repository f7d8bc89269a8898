"""Which legal documents there are, what each answers to, and which of them a run needs. Knows no builder."""

from __future__ import annotations

import dataclasses

from model_cards.refs import Book


@dataclasses.dataclass(frozen=True)
class Entry:
    """One document."""

    id: str
    """Stem of its file names: lower-case letters, digits and underscores."""
    title: str
    needs: tuple[str, ...] = ()
    """Documents of the law's register (`proofline law`) that it answers to; written when the plan's answers point to
    one of them or leave it open. Empty: written for every run."""
    points: tuple[str, ...] = ()
    """Beginnings of identifiers of the register: it is written, too, where such a requirement applies."""
    languages: tuple[str, ...] = ("en",)
    """Languages whose catalogues hold all its fixed words."""

    def applies(self, book: Book) -> bool:
        """Does this run need it?"""
        asked = {need.value["id"] for need in book.law["read"]["documents"]}
        applying = [str(r.value["id"]) for r in book.law["read"]["requirements"]] if self.points else []
        wanted = asked.intersection(self.needs) or any(name.startswith(self.points) for name in applying)
        return not self.needs or bool(wanted)

    def file(self, suffix: str, language: str = "en") -> str:
        """Its file in the run folder."""
        return f"documents/{stem(self.id, language)}.{suffix}"


ALL = ("en", "de", "fr")
DOCUMENTS = (
    Entry("annex_iv", "Technical documentation", ("technical_documentation",), languages=ALL),
    Entry("traceability", "Traceability matrix", ("technical_documentation", "derogation_assessment"), languages=ALL),
    Entry("instructions", "Instructions for use", ("instructions",), languages=ALL),
    Entry("datasheet", "Datasheet of the data", languages=ALL),
    Entry("risk_management", "Risk management file", ("risk_management",), languages=ALL),
    Entry("monitoring", "Post-market monitoring plan", ("monitoring",), languages=ALL),
    Entry("logs", "Log guide", ("logs",), languages=ALL),
    Entry("registration", "Registration data", ("registration", "derogation_registration"), ("AIX-",), languages=ALL),
    Entry("declaration", "EU declaration of conformity", ("declaration",), languages=ALL),
)
"""In the order in which they are best read. Each has its builder in `registry`."""
GENERAL_PURPOSE = (
    Entry("general_purpose", "Account and classification of the model", languages=ALL),
    Entry("model_documentation_ai_office", "Model Documentation Form, view of the AI Office", languages=ALL),
    Entry("model_documentation_authorities", "Model Documentation Form, view of national authorities", languages=ALL),
    Entry("model_documentation_downstream", "Model Documentation Form, view of downstream providers", languages=ALL),
    Entry("annexes_xi_xii", "Coverage of Annexes XI and XII", languages=ALL),
    Entry("public_summary", "Public summary of training content", languages=ALL),
    Entry("copyright_policy", "Copyright policy: checklist and evidence", languages=ALL),
    Entry("open_source", "Test of the open-source exemption", languages=ALL),
)
"""Documents of a language model, in the order in which they are best read. Their builders stand in `model_cards.gpai`.
"""


def stem(document_id: str, language: str) -> str:
    """Name of a document's files without their ending; a document that is not written in the language, in English."""
    entry = next((e for e in (*DOCUMENTS, *GENERAL_PURPOSE) if e.id == document_id), None)
    if language == "en" or entry is None or language not in entry.languages:
        return document_id
    return f"{document_id}.{language}"


def needed(book: Book) -> tuple[Entry, ...]:
    """The documents of this run."""
    return tuple(entry for entry in DOCUMENTS if entry.applies(book))


def answering(book: Book, need: str) -> Entry | None:
    """The document of this run that answers to one that the law asks for."""
    return next((entry for entry in needed(book) if need in entry.needs), None)
