"""When is a text that a person states long enough to say something?"""

from __future__ import annotations

FEWEST_WORDS = 3
"""Words of a statement: less is no sentence that anybody could repeat."""
FEWEST_LETTERS = 2


def counted(number: int, one: str, many: str | None = None) -> str:
    """A number with its noun: `1 document`, `1,204 documents`.

    Args:
        number: How many.
        one: The noun for one.
        many: For every other number; absent, the noun with an s.
    """
    return f"{number:,} {one if number == 1 else many or f'{one}s'}"


def visible(text: str) -> bool:
    """Does a text hold letters or digits that a reader can see?"""
    return sum(character.isalnum() for character in text) >= FEWEST_LETTERS


def sentence(text: str) -> bool:
    """Is a text a sentence rather than a word?"""
    return visible(text) and len(text.split()) >= FEWEST_WORDS


def answers(text: str, *, short: bool) -> bool:
    """Is a text long enough to answer a question?

    Args:
        text: The answer.
        short: Can the right answer be a name or a word?
    """
    return visible(text) if short else sentence(text)
