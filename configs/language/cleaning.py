"""What is done to the text before training. Every step is counted before and after."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from configs.base import Fraction, Section, Text

Fingerprint = Annotated[int, Field(ge=16, le=1024)]
PersonalKind = Literal["email", "phone", "iban"]


class NearDuplicates(Section):
    """Removal of near duplicates by MinHash and locality-sensitive hashing (Broder 1997)."""

    enabled: bool = True
    similarity: float = Field(default=0.8, gt=0, lt=1)
    """Jaccard similarity of the sets of shingles from which two documents count as one."""
    shingle: int = Field(default=5, ge=1, le=32)
    """Words of a shingle; characters in scripts without spaces."""
    permutations: Fingerprint = 128
    """Length of a signature."""


class PersonalData(Section):
    """Personal data that patterns can find: e-mail addresses, telephone numbers, IBANs with right check digits."""

    find: tuple[PersonalKind, ...] = ("email", "phone", "iban")
    action: Literal["count", "mask", "drop"] = "mask"
    """`count` leaves the text, `mask` puts a word such as `[email]` in its place, `drop` removes the document."""


class BlockList(Section):
    """Documents that hold a listed word, or come from a listed domain, are removed."""

    path: Text
    """File of one entry per line, relative to `PROOFLINE_DATA` or the plan's folder."""
    kind: Literal["words", "domains"] = "words"
    title: Text
    """What the list is and where it comes from, for the documents."""


class Contamination(Section):
    """Held-out text that also stands in the training text."""

    ngram: int = Field(default=13, ge=3, le=64)
    """Words that must follow each other alike."""
    share: Fraction = 0.2
    """From which share of a held-out document's n-grams it counts as contaminated."""
    action: Literal["drop_training", "report"] = "drop_training"
    """`drop_training` removes the training document; `report` only counts."""


class Identification(Section):
    """Identification of the language of each document."""

    enabled: bool = True
    minimum_confidence: Fraction = 0.5
    """Below it nothing is identified. A document whose language is declared keeps that; another's is `und`."""
    drop_other: bool = False
    """Remove documents whose identified language is not one of those that the plan declares."""


class Cleaning(Section):
    """Steps in this order: length, language, block lists, personal data, duplicates; contamination after the split."""

    minimum_characters: int = Field(default=1, ge=1)
    """Shorter documents are removed."""
    identification: Identification = Identification()
    block_lists: tuple[BlockList, ...] = ()
    personal_data: PersonalData = PersonalData()
    near_duplicates: NearDuplicates = NearDuplicates()
    contamination: Contamination = Contamination()
