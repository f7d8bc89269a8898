"""What the signature under a declaration states, sentence by sentence (Annex V), and nothing and nobody before it.

A draft holds the sentences. What a person answered to a question, a name above all, is none of them.
"""

from __future__ import annotations

import re

from model_cards import statements, tree
from model_cards.refs import Book
from model_cards.tree import Parts

POINTER = "signature:"
"""Kind of pointer of the register to what only a signature states."""
ONLY = "stated by whoever signs the draft, with the signature and not before"
"""What answers such a pointer in the documents of a run, which nobody has signed."""
OTHER_LAW = "other_union_law"
"""The question on other Union law that asks for a declaration (Art. 47(3))."""

_NONE = re.compile(
    r"\s*(?:none applies|not applicable|keine[rs]? gilt|nicht anwendbar|aucune? ne s[’']applique|non applicable|"
    r"sans objet)\s*(?:[:.]|$)",
    re.IGNORECASE,
)
"""How an answer begins that no other Union law applies: in the form for which its question asks, in each language."""

_SENTENCES = {
    "AV-3": "By signing, the signatory states that the declaration is issued under the sole responsibility of the "
    "provider.",
    "AV-5": "Where personal data are processed, the signatory states by signing that this follows Union law on data "
    "protection.",
}
ACT_ALONE = (
    "By signing, the signatory states that the system named above is in conformity with the AI Act. Other Union law "
    "that asks for an EU declaration of conformity does not apply, as the statement below says."
)
ACT_AND_OTHER = (
    "By signing, the signatory states that the system named above is in conformity with the AI Act, and with other "
    "Union law as far as the statement below names it."
)


def sentence(book: Book, field: str) -> str | None:
    """What the signature states in a field of Annex V, in a sentence; None where it states nothing there.

    Args:
        book: The records of the run.
        field: Identifier of the field in the register, for example `AV-4`.
    """
    if field == "AV-4":
        return ACT_ALONE if no_other_law(book) else ACT_AND_OTHER
    return _SENTENCES.get(field)


def no_other_law(book: Book) -> bool:
    """Has a person answered that no other Union law applies? An open question is no such answer."""
    found = statements.statement(book, OTHER_LAW)
    return found is not None and _NONE.match(str(found.value["text"] or "")) is not None


def named(pointer: str) -> bool:
    """Does a pointer of the register lead to what only a signature states?"""
    return pointer.startswith(POINTER)


def answer() -> Parts:
    """What stands where a signature would, before there is one."""
    return tree.parts(ONLY)
