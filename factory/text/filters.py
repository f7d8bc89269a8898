"""The steps of the cleaning that look at one document: length, language, block lists, personal data."""

from __future__ import annotations

import abc
import dataclasses
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from configs.language.cleaning import Cleaning, Identification, PersonalData
from evidence import language_records
from factory.text import blocking, languages, personal, tally

UNDETERMINED = "und"
Name = Literal["length", "language", "block_list", "personal_data"]


@dataclasses.dataclass(slots=True)
class Document:
    """A document on its way through the steps."""

    text: str
    corpus: str
    declared: str
    domain: str
    web_domain: str | None
    size: int
    """Bytes of its UTF-8 form."""
    language: str = UNDETERMINED
    identified: str | None = None
    confidence: float | None = None
    changed: bool = False


class Filter(abc.ABC):
    """One step: keeps count, and says whether a document stays."""

    step: Name
    title: str
    method: str

    def __init__(self) -> None:
        self.before, self.after = tally.Tally(), tally.Tally()
        self.found: Counter[str] = Counter()
        self.changed = 0

    @abc.abstractmethod
    def admits(self, document: Document) -> bool:
        """Whether the document stays; it may be altered."""

    def __call__(self, document: Document) -> bool:
        """Count the document, and say whether it stays."""
        self.before.add(len(document.text), document.size)
        if not self.admits(document):
            return False
        self.after.add(len(document.text), document.size)
        return True

    @property
    def record(self) -> language_records.CleaningStep:
        """What the step did so far."""
        return language_records.CleaningStep(
            step=self.step,
            title=self.title,
            method=self.method,
            before=self.before.counts,
            after=self.after.counts,
            changed=self.changed,
            found=dict(sorted(self.found.items())),
        )


class Length(Filter):
    """Documents with too few characters are removed."""

    step: Name = "length"
    title = "Short documents removed"

    def __init__(self, minimum: int) -> None:
        super().__init__()
        self._minimum = minimum
        self.method = f"documents with fewer than {minimum} {'character' if minimum == 1 else 'characters'}"

    def admits(self, document: Document) -> bool:
        """Whether it is long enough."""
        return len(document.text) >= self._minimum


class Language(Filter):
    """The language of each document is identified; the declared one stands where there is one."""

    step: Name = "language"
    title = "Languages identified"

    def __init__(self, settings: Identification, declared: Sequence[str]) -> None:
        super().__init__()
        self._settings, self._declared = settings, tuple(declared)
        removed = (
            f"; documents identified as another language than {', '.join(declared)} are removed"
            if settings.drop_other and declared
            else ""
        )
        self.method = (
            f"py3langid on the first {languages.SAMPLE} characters, from a confidence of "
            f"{settings.minimum_confidence:g}{removed}"
            if settings.enabled
            else "not done: the plan turns it off"
        )

    def admits(self, document: Document) -> bool:
        """Whether its language is one of those that are wanted."""
        document.language = document.declared
        if not self._settings.enabled:
            return True
        found = languages.identify(document.text)
        document.confidence = found.confidence
        if found.confidence < self._settings.minimum_confidence:
            self.found["undecided"] += 1
            return True
        document.identified = found.language
        self.found["identified"] += 1
        if document.declared == UNDETERMINED:
            document.language = found.language
        elif not languages.known(document.declared):
            self.found["declared_unknown_to_identifier"] += 1
        else:
            self.found["compared"] += 1
            self.found["agreed"] += languages.same(document.declared, found.language)
        wanted = not self._declared or any(languages.same(found.language, code) for code in self._declared)
        return wanted or not self._settings.drop_other

    @property
    def agreement(self) -> float | None:
        """Share of the compared documents whose identified language is the declared one."""
        compared = self.found["compared"]
        return self.found["agreed"] / compared if compared else None


class Blocked(Filter):
    """Documents on a block list are removed."""

    step: Name = "block_list"

    def __init__(self, blocked: blocking.Blocked) -> None:
        super().__init__()
        self._blocked = blocked
        self.title = f"Block list: {blocked.declared.title}"
        what = "a listed word" if blocked.declared.kind == "words" else "a listed domain, or one below it,"
        self.method = f"documents with {what} are removed; {blocked.entries} entries"

    def admits(self, document: Document) -> bool:
        """Whether it is not on the list."""
        hit = self._blocked.hits(document.text, document.web_domain)
        self.found["hits"] += hit
        return not hit


class Personal(Filter):
    """Personal data are counted, masked, or their documents removed."""

    step: Name = "personal_data"
    title = "Personal data searched"

    def __init__(self, settings: PersonalData) -> None:
        super().__init__()
        self._settings = settings
        done = {"count": "counted", "mask": "masked", "drop": "their documents removed"}[settings.action]
        how = {
            "email": "e-mail addresses by pattern",
            "phone": "telephone numbers by the numbering plans of phonenumbers",
            "iban": "IBANs by pattern and check digits",
        }
        self.found.update(dict.fromkeys(settings.find, 0))
        self.method = (
            f"{', '.join(how[kind] for kind in settings.find)}; {done}"
            if settings.find
            else "not done: the plan turns it off"
        )

    def admits(self, document: Document) -> bool:
        """Whether it stays, masked where the plan wants that."""
        found = personal.spans(document.text, self._settings.find, document.language) if self._settings.find else []
        if not found:
            return True
        self.found.update(personal.count(found))
        self.found["documents"] += 1
        if self._settings.action == "mask":
            document.text = personal.mask(document.text, found)
            document.size = len(document.text.encode("utf-8"))
            document.changed = True
            self.changed += 1
        return self._settings.action != "drop"


def of_plan(cleaning: Cleaning, declared: Sequence[str], base: Path) -> tuple[Filter, ...]:
    """The steps of the plan, in order.

    Raises:
        MissingError: A block list is absent.
        DataError: A block list cannot be read.
    """
    return (
        Length(cleaning.minimum_characters),
        Language(cleaning.identification, declared),
        *(Blocked(blocking.Blocked(declared_list, base)) for declared_list in cleaning.block_lists),
        Personal(cleaning.personal_data),
    )
