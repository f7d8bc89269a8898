"""The languages of documents: fixed words out of message catalogues, numbers and days in the form of the language.

English is the language in which everything is written; the words of a builder are the keys of the catalogues
(`locale/<language>.po`, gettext's format, read with Babel). Sentences are looked up whole, with the places of their
facts, so that a language can order them as it needs. Texts of records stay as they were written.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import functools
import re
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from pathlib import Path
from typing import Literal

from configs import errors

ENGLISH = "en"
LANGUAGES = (ENGLISH, "de", "fr")
PLACE = Path(__file__).parent / "locale"
NUMBERS = frozenset({"number", "exact", "count", "percent", "level", "size", "figures", "magnitude"})
"""Forms of facts that hold a number."""
_PLACE = re.compile(r"(Annex|Art\.|Risk) ([IVX]+(?:\([0-9a-z]+\))*|[0-9]+[a-z]?(?:\([0-9a-z]+\))*)(?: (.+))?")
Moment = Literal["date", "time"]


class Words(str):
    """Fixed words that are in the language of the document already."""

    __slots__ = ()


class Unsaid(str):
    """A piece of a sentence that the catalogue of the language lacks."""

    __slots__ = ("whole",)
    whole: str

    @classmethod
    def of(cls, piece: str, whole: str) -> Unsaid:
        """A piece with the sentence it belongs to."""
        made = cls(piece)
        made.whole = whole
        return made


_ACTIVE: ContextVar[str] = ContextVar("language of the document that is being built", default=ENGLISH)


@contextlib.contextmanager
def using(language: str) -> Iterator[None]:
    """Build documents in a language: sentences are looked up as they are made."""
    token = _ACTIVE.set(language)
    try:
        yield
    finally:
        _ACTIVE.reset(token)


def sentence(words: str) -> tuple[str, Callable[[str], str]]:
    """A sentence in the language in which documents are being built, and what its pieces become."""
    active = _ACTIVE.get()
    if active == ENGLISH:
        return words, str
    found = find(words, active)
    return (words, lambda piece: Unsaid.of(piece, words)) if found is None else (found, Words)


def here(words: str) -> str:
    """Fixed words, or a place in the law, in the language in which documents are being built."""
    return place(words, _ACTIVE.get()) or fixed(words, _ACTIVE.get())


def place(words: str, language: str) -> str | None:
    """A place in the law, or an ordinal, in a language: `Annex IV(1)(a)`, `Art. 9`, `Risk 1`, with what follows it.

    None where it is none, and in English.
    """
    found = _PLACE.fullmatch(words)
    if found is None or language == ENGLISH:
        return None
    after = find(found[3], language) if found[3] else ""
    if after is None:
        return None
    return f"{fixed(found[1], language)} {found[2]}{f' {after}' if after else ''}"


def places(words: str, language: str) -> str:
    """A place in the law as the register writes it, in a language: `Annex VIII, Section A, 2`."""
    shown = []
    for step in words.split(", "):
        section = step.removeprefix("Section ")
        named = f"{fixed('Section', language)} {section}" if section != step else step
        shown.append(place(step, language) or named)
    return ", ".join(shown)


def fixed(words: str, language: str) -> str:
    """Fixed words in a language; themselves where no catalogue has them."""
    found = find(words, language)
    return words if found is None else found


def find(words: str, language: str) -> str | None:
    """Fixed words as a catalogue has them; None where it lacks them, and in English."""
    return None if language == ENGLISH else catalogue(language).get(words.replace("\u00a0", " "))


RECORDED = "recorded"
"""Context of the messages that are templates of sentences in records (see `model_cards.recorded`)."""


def catalogue(language: str) -> Mapping[str, str]:
    """Words in English, blanks plain, to words in a language.

    Raises:
        MissingError: Babel is not installed.
        IntegrityError: The catalogue is missing or cannot be read.
    """
    return _catalogues(language)[0]


def recorded(language: str) -> Mapping[str, str]:
    """Templates of sentences in records, in English, to the same in a language. Raises as `catalogue`."""
    return _catalogues(language)[1]


@functools.cache
def _catalogues(language: str) -> tuple[Mapping[str, str], Mapping[str, str]]:
    """Fixed words, and templates of sentences in records."""
    try:
        from babel.messages import pofile  # noqa: PLC0415 - only documents in other languages need it
    except ImportError:
        raise errors.MissingError(
            f"documents in the language {language}: expected the package Babel, got none. "
            "Install proofline with [pipeline]."
        ) from None
    path = PLACE / f"{language}.po"
    try:
        with path.open("rb") as stream:
            messages = pofile.read_po(stream, locale=language, abort_invalid=True)
    except (OSError, ValueError, pofile.PoFileError) as error:
        raise errors.IntegrityError(
            f"message catalogue {path.name}: expected a readable catalogue, got: {error}. Install proofline again."
        ) from None
    found: tuple[dict[str, str], dict[str, str]] = ({}, {})
    for message in messages:
        if message.id and message.string:
            found[message.context == RECORDED][str(message.id)] = spaced(str(message.string), language)
    return found


def spaced(words: str, language: str) -> str:
    """Words with the spaces of their language.

    French keeps a no-break space before a semicolon, a colon, a question mark and within quotes, so that no line begins
    with one; other languages keep none.
    """
    if language != "fr":
        return words
    return re.sub(r" (?=[:;?!»])|(?<=«) |^(?=;)", "\u00a0", words)


def colon(language: str) -> str:
    """The colon after a name; French keeps a no-break space before it."""
    return "\u00a0:" if language == "fr" else ":"


def number(shown: str, language: str) -> str:
    """A number as it is shown in English, with the separators of a language."""
    if language == ENGLISH:
        return shown
    decimal, group = _separators(language)
    return shown.replace(",", "\0").replace(".", decimal).replace("\0", group)


@functools.cache
def _separators(language: str) -> tuple[str, str]:
    import babel  # noqa: PLC0415 - only documents in other languages need it

    symbols = babel.Locale(language).number_symbols["latn"]
    return symbols["decimal"], symbols["group"]


def moment(value: str, form: Moment, language: str) -> str:
    """A day or a UTC time of a record (ISO 8601) in the form of a language, the time to the second."""
    from babel import dates  # noqa: PLC0415 - only documents in other languages need it

    day = dates.format_date(dt.date.fromisoformat(value[:10]), "medium", locale=language)
    return day if form == "date" else f"{day} {value[11:19]} UTC"


def tongue(code: str, language: str) -> str:
    """The name of a natural language (ISO 639 code) in a language; the code itself where it has none there."""
    import babel  # noqa: PLC0415 - only documents of language models need it in English

    return str(babel.Locale(language).languages.get(code, code))
