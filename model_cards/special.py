"""Attributes that are, or may be, special categories of personal data: what nobody has stated counts as yes."""

from __future__ import annotations

from model_cards.refs import Book, Gap, Node

WHETHER = "whether it is a special category of personal data"
WHO = "data protection officer"
"""What is missing where the plan does not say it, and who can."""


def attributes(book: Book) -> list[Node]:
    """The protected attributes that are special categories of personal data, or not said to be none."""
    return [a for a in book.plan["data"]["protected"] if a.value["special_category"] is not False]


def columns(book: Book) -> set[str]:
    """Their columns: no value of them is shown."""
    return {str(a.value["column"]) for a in attributes(book)}


def gap(attribute: Node) -> Gap:
    """What is missing where the plan does not say whether an attribute is one."""
    return Gap(WHETHER, WHO, f"plan: {attribute['special_category'].path}")


def unstated(book: Book) -> list[Node]:
    """Those of which the plan does not say whether they are one."""
    return [a for a in attributes(book) if a.value["special_category"] is None]
