"""The two signatures that a person can be asked for, each with its short answer as the run stood before any approval.

The one on the run (`proofline approve`) lets its bundle go to a test facility; the one under the declaration (Art. 47)
answers for conformity before the law. What stands against one need not stand against the other.
"""

from __future__ import annotations

from model_cards import classification, gaps, statements, tree
from model_cards.legal import declaration
from model_cards.refs import Book
from model_cards.tree import Paragraph, Parts

RUN = "May I sign the run, so that it may go to a test facility"
DECLARATION = "May I sign the EU declaration of conformity"


def run(book: Book, which: Parts) -> Parts:
    """What has to be waived by whoever approves the run, and how much is missing, which prevents no approval.

    Args:
        book: The records, with the gaps of the run where they were gathered.
        which: Where the required lines that did not pass are told one by one.
    """
    said = [*practice(book)]
    if found := declaration.gates(book):
        one, many = (
            "Before any approval, only with a waiver: {n} required gate or check did not pass ({which}). The engineer "
            "improves it, or whoever approves waives it with a reason.",
            "Before any approval, only with waivers: {n} required gates and checks did not pass ({which}). The "
            "engineer improves each, or whoever approves waives it with a reason.",
        )
        how = "required lines that did not pass"
        number = book["gate"]["reasons"].derived(len(found), how, "count")
        said.append(tree.say(one if len(found) == 1 else many, n=number, which=which))
    else:
        said.append(("Before any approval, without a waiver: every required gate and check passed.",))
    if book.gaps:
        words = "Gaps of the run, which prevent no such signature: {n}."
        said.append(tree.say(words, n=gaps.number_of(len(book.gaps))))
    return tree.joined(said, " ")


def declared(book: Book, which: Parts) -> Parts:
    """How many things stand against a draft of the declaration, how many of them a waiver settles, what only waits.

    Args:
        book: The records.
        which: Where they are told one by one.
    """
    said = [*practice(book)]
    if found := declaration.against(book):
        one, many = (
            "Before any approval, not on this evidence: {n} thing stands against it ({which}); of these a waiver with "
            "the approval would settle {waivable}.",
            "Before any approval, not on this evidence: {n} things stand against it ({which}); of these waivers with "
            "the approval would settle {waivable}.",
        )
        waivable = book["gate"]["reasons"].derived(
            len(declaration.gates(book)), "of them, required lines that can be waived", "count"
        )
        number = declaration.number(book, found)
        said.append(tree.say(one if len(found) == 1 else many, n=number, which=which, waivable=waivable))
    else:
        words = (
            "Before any approval, nothing stands against a draft, which is made with the approval and names what is "
            "still open. It is for the named person to judge."
        )
        said.append((words,))
    if carried := statements.carried_words(book):
        said.append(carried)
    return tree.joined(said, " ")


def days(book: Book) -> list[Paragraph]:
    """From which day the duties apply for this class, in a line; none where it is not of high risk."""
    line = classification.applies_from(book)
    return [Paragraph(line)] if line else []


def practice(book: Book) -> list[Parts]:
    """A prohibited practice, named: nothing else that is in order outweighs it, so it is said first."""
    words = "The answers point to a prohibited practice: {which} (for the compliance officer)."
    return [tree.say(words, which=objection.why) for objection in declaration.prohibited(book)]
