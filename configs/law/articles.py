"""What the articles and annexes of the AI Act are about: a register to hold citations against."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Annotated, Literal

import pydantic
from pydantic import Field

from configs import strict_yaml
from configs.base import Section, Text
from configs.errors import IntegrityError

PLACE = Path(__file__).with_name("articles.yaml")


class Subject(Section):
    """What an article or annex is about."""

    title: Text
    about: tuple[Text, ...] = ()
    """Words by which documents speak of it."""


class Former(Section):
    """A number of the 2021 proposal with what stood there, and where that is now."""

    article: Text
    about: tuple[Text, ...] = Field(min_length=1)
    now: Text


class Outdated(Section):
    """Something that the law of July 2026 changed."""

    id: Text
    now: Text
    cited: Text | None = None
    paragraph: Text | None = None
    says: tuple[Text, ...] = ()
    """Patterns, in lower case."""


class Application(Section):
    """From which days a part of the Act applies."""

    id: Text
    says: tuple[Text, ...] = Field(min_length=1)
    """Patterns of the words by which documents speak of it."""
    days: tuple[Text, ...] = Field(min_length=1)
    """Days that may be named with it, `2027-12-02`."""
    former: Text | None = None
    """The day before July 2026."""
    now: Text | None = None
    """In words, since then."""


class Period(Section):
    """How long something is kept at least, or by when it is done at the latest."""

    article: Text
    paragraph: Text | None = None
    """`6`: only where this paragraph is cited; None for any citation of the article."""
    at: Literal["least", "most"]
    period: Annotated[str, Field(pattern=r"^\d+ (days|months|years)$")]
    about: tuple[Text, ...] = Field(min_length=1)
    """Words of which a sentence on it has one."""
    when: tuple[Text, ...] = ()
    """Words of the case that it is for."""


class Articles(Section):
    """The register."""

    version: int
    checked_on: Text
    last_article: int
    lettered: tuple[Text, ...]
    """Articles with a letter, which later amendments put in; no others with one exist."""
    articles: dict[str, Subject]
    shared: dict[str, tuple[Text, ...]]
    annexes: dict[str, Subject]
    annex_points: dict[str, dict[str, tuple[Text, ...]]]
    """Annex to its points, each with the words by which documents speak of it."""
    annex_sections: dict[str, tuple[Text, ...]]
    """Section of Annex I to words for the products under it."""
    annex_of: dict[str, tuple[Text, ...]]
    """Article to the annexes that belong to it."""
    periods: tuple[Period, ...]
    proposal: tuple[Former, ...]
    outdated: tuple[Outdated, ...]
    applications: tuple[Application, ...]

    @functools.cached_property
    def subjects(self) -> dict[str, frozenset[str]]:
        """Words for a subject to the articles that may be cited for it; annexes as `Annex IV`."""
        found: dict[str, set[str]] = {}
        for name, subject in self.articles.items():
            for words in subject.about:
                found.setdefault(words, set()).add(name)
        for name, subject in self.annexes.items():
            for words in subject.about:
                found.setdefault(words, set()).add(f"Annex {name}")
        for words, names in self.shared.items():
            found.setdefault(words, set()).update(names)
        return {words: frozenset(names) for words, names in found.items()}

    def title(self, name: str) -> str:
        """The subject of an article, or of `Annex IV`; empty where the register does not hold it."""
        kind, _, number = name.rpartition(" ")
        found = (self.annexes if kind else self.articles).get(number)
        return found.title if found else ""


@functools.cache
def load() -> Articles:
    """Read the register.

    Raises:
        IntegrityError: The file is not what the types ask for.
    """
    try:
        return Articles.model_validate(strict_yaml.parse(PLACE.read_text(encoding="utf-8"), "register of articles"))
    except pydantic.ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"])) or "register"
        raise IntegrityError(
            f"register of articles {where}: expected an entry of its type, got: {first['msg']}. Correct the file."
        ) from None
