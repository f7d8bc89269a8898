"""The register of the law on general-purpose models: Chapter V, its annexes, the forms, and thresholds of compute.

As `configs.law.register`: data with source and date, never prose or code. What no source confirms says so.
Refs: AI Act Arts 51 to 56, Annexes XI to XIII; guidelines C(2025) 5045; Code of Practice; template C(2025) 8311.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from configs.base import Fraction, Section, Text
from configs.language.corpora import Origin
from configs.law import register
from configs.law.register import PLACE, Cited, Date, Question, Requirement, Source, Supplier

FILES = (
    "general_purpose", "general_purpose_annexes", "general_purpose_form", "general_purpose_summary",
    "general_purpose_questions",
)  # fmt: skip
"""The YAML files; their top-level keys are the fields of `GeneralRegister`."""

View = Literal["ai_office", "authorities", "downstream"]
"""Who reads a view of the Model Documentation Form."""
VIEWS: tuple[View, ...] = ("ai_office", "authorities", "downstream")
Recipient = Literal["yes", "no", "unconfirmed"]
Positive = Annotated[float, Field(gt=0)]


class Point(Cited):
    """An entry that says something at a place of the law or of a form."""

    place: Text
    text: Text
    note: Text | None = None


class ComputeThreshold(Point):
    """A threshold of training compute."""

    flop: Positive | None = None
    third_of: Literal["gpai", "systemic", "base"] | None = None
    """Instead of a number: a third of another threshold, or of the original model's compute."""

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.flop is None) == (self.third_of is None):
            raise ValueError("expected exactly one of flop and third_of")
        return self


class CountedItem(Point):
    """Something that counts towards the training compute, or does not."""

    counts: bool


class FormSection(Section):
    """A heading of a form."""

    id: Text
    title: Text


class FormField(Cited):
    """A field of the Model Documentation Form."""

    section: Text
    title: Text
    enter: Text
    """What is to be entered."""
    ai_office: Recipient
    authorities: Recipient
    downstream: Recipient
    ticked: bool
    """Were the recipients read off a copy of the form? Otherwise they are derived."""
    supplier: Supplier
    words: int | None = Field(default=None, gt=0)
    """Recommended length."""
    words_confirmed: bool = True
    points: tuple[Text, ...] = ()
    """Points of Annexes XI and XII that it answers."""
    coarser_form_of: Text | None = None
    """The exact field in whose place it stands."""
    note: Text | None = None

    def shown_to(self, view: View) -> bool:
        """May it stand in this view? Unconfirmed is no, unless nothing narrower could take its place."""
        recipient: Recipient = getattr(self, view)
        return recipient == "yes" or (recipient == "unconfirmed" and self.coarser_form_of is not None)


class Range(Section):
    """One range of a field that asks for a range."""

    title: Text
    from_: float = Field(alias="from", ge=0)
    below: float | None


class Template(Section):
    """Which template of the public summary the fields follow."""

    title: Text
    version: Text
    file: Text
    sources: tuple[Text, ...]
    status: Text


class PublicList(Section):
    """When a publicly available data set is listed by name."""

    above: Fraction
    place: Text
    sources: tuple[Text, ...]
    text: Text


class DomainRule(Section):
    """How many domains of crawled content are listed."""

    share: Fraction
    share_small: Fraction
    """Of small and medium-sized enterprises."""
    most_small: int
    place: Text
    sources: tuple[Text, ...]
    text: Text
    note: Text

    def wanted(self, domains: int, *, small: bool) -> int:
        """How many of so many domains are listed, rounded up."""
        # The products are taken in whole hundredths: a float product just above a whole number would round up.
        if small:
            return min(math.ceil(round(self.share_small * 100) * domains / 100), self.most_small)
        return math.ceil(round(self.share * 100) * domains / 100)


class SizeBands(Section):
    """The bands in which the size of the training data of a modality is given."""

    modality: Literal["text", "image", "audio", "video"]
    unit: Text
    titles: tuple[Text, Text, Text]
    edges: tuple[float, float]
    sources: tuple[Text, ...]

    def of(self, size: float) -> str:
        """The band of a size; the edges belong to the middle."""
        low, high = self.edges
        return self.titles[0 if size < low else 1 if size <= high else 2]


class SummaryField(Cited):
    """A field of the public summary."""

    section: Text
    group: Text | None = None
    title: Text
    enter: Text | None = None
    supplier: Supplier
    tri_state: bool = False
    """Answered by yes or no, by a person or a declared corpus; never inferred."""
    origin: Origin | None = None
    """Corpora of this origin are a yes."""
    attestation: Text | None = None
    """Question whose answer fills it, or supplements it."""
    optional: bool = False


class Condition(Point):
    """A condition of the open-source exemption."""

    answers: dict[Text, Text]
    """Fields under `general_purpose.open_source` of the plan, each with its question."""
    wanted: Literal["yes", "no"]


class GeneralRegister(Section):
    """Everything that the tool knows of the law on general-purpose models."""

    version: Literal[1]
    checked_on: Date
    newest_source: Date
    sources: dict[str, Source]
    band: Fraction
    """Share of a threshold around it within which a person decides."""
    band_basis: Text
    notification_weeks: int
    modifier_share: int
    """A modification counts from one such part of the original's compute."""
    thresholds: tuple[ComputeThreshold, ...]
    compute_items: tuple[CountedItem, ...]
    formulas: tuple[Point, ...]
    rules: tuple[Point, ...]
    penalties: tuple[Point, ...]
    requirements: tuple[Requirement, ...]
    annex_xi: tuple[Requirement, ...]
    annex_xii: tuple[Requirement, ...]
    annex_xiii: tuple[Point, ...]
    form_status: Text
    form_sections: tuple[FormSection, ...]
    form_fields: tuple[FormField, ...]
    size_ranges: tuple[Range, ...]
    time_ranges: tuple[Range, ...]
    """Seconds; a month is a twelfth of a mean year."""
    template: Template
    refresh_months: int
    summary_rules: tuple[Point, ...]
    public_list: PublicList
    domain_rule: DomainRule
    size_bands: tuple[SizeBands, ...]
    summary_sections: tuple[FormSection, ...]
    summary_fields: tuple[SummaryField, ...]
    copyright_measures: tuple[Requirement, ...]
    copyright_without_crawl: Text
    open_source: tuple[Condition, ...]
    open_source_remains: Text
    attestations: tuple[Question, ...]

    @property
    def all_requirements(self) -> tuple[Requirement, ...]:
        """Duties first, then the annexes, then the copyright chapter."""
        return (*self.requirements, *self.annex_xi, *self.annex_xii, *self.copyright_measures)

    @property
    def points(self) -> tuple[Point, ...]:
        """Thresholds, what counts, formulas, rules, criteria, conditions."""
        return (
            *self.thresholds, *self.compute_items, *self.formulas, *self.rules, *self.annex_xiii, *self.summary_rules,
            *self.open_source, *self.penalties,
        )  # fmt: skip

    @property
    def cited(self) -> Iterator[Cited]:
        """Every entry with an identifier and sources of its own."""
        yield from self.all_requirements
        yield from self.points
        yield from self.form_fields
        yield from self.summary_fields

    def threshold(self, name: str) -> ComputeThreshold:
        """The threshold of that identifier.

        Raises:
            KeyError: There is none.
        """
        return {t.id: t for t in self.thresholds}[name]

    def flop(self, name: str) -> float:
        """The number of a threshold that does not depend on the original model, FLOP.

        Raises:
            KeyError: There is none, or it depends on it.
        """
        found = self.threshold(name)
        if found.flop is not None:
            return found.flop
        return self.flop(str(found.third_of)) / self.modifier_share

    @model_validator(mode="after")
    def _coherent(self) -> Self:
        ids = [*(e.id for e in self.cited), *(q.id for q in self.attestations)]
        if twice := sorted({name for name in ids if ids.count(name) > 1}):
            raise ValueError(f"the identifier {twice[0]} stands twice")
        for entry in self.cited:
            if unknown := set(entry.sources) - set(self.sources):
                raise ValueError(f"{entry.id} cites the unknown source {min(unknown)}")
        questions = {q.id for q in self.attestations}
        asked = {p for r in self.all_requirements for p in r.evidence if p.startswith("attestation:")}
        named = {p.partition(":")[2] for p in asked} | {f.attestation for f in self.summary_fields if f.attestation}
        if unknown := named - questions:
            raise ValueError(f"an entry names the unknown question {min(unknown)}")
        fields = {f.id for f in self.form_fields}
        points = {r.id for r in (*self.annex_xi, *self.annex_xii)}
        for field in self.form_fields:
            if field.coarser_form_of and field.coarser_form_of not in fields:
                raise ValueError(f"{field.id} names the unknown field {field.coarser_form_of}")
            if unknown := set(field.points) - points:
                raise ValueError(f"{field.id} names the unknown point {min(unknown)}")
        return self


@functools.cache
def load(place: Path = PLACE) -> GeneralRegister:
    """Read the register.

    Raises:
        IntegrityError: A file is missing or is not what the types ask for.
    """
    return register.read(place, FILES, GeneralRegister)


def range_of(ranges: tuple[Range, ...], value: float) -> Range:
    """The range in which a value lies.

    Raises:
        ValueError: In none.
    """
    for found in ranges:
        if value >= found.from_ and (found.below is None or value < found.below):
            return found
    raise ValueError(f"expected a value within the ranges, got {value:g}")
