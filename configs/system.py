"""Who provides which system for what purpose, and what has been answered about its class."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from configs.base import Answer, Section, Slug, Text


class Provider(Section):
    """The natural or legal person who places the system on the market (AI Act Art. 3(3))."""

    name: Text
    """Name or trade name."""
    address: Text | None = None
    """Postal address. A gap in the documents when absent."""
    contact: Text | None = None
    """E-mail address or telephone number for questions about the system."""


class System(Section):
    """Identity and intended purpose of the system (AI Act Annex IV(1)(a))."""

    id: Slug
    """Identifier of the system, stable over its versions."""
    name: Text
    """Name as people know it."""
    type: Text | None = Field(default=None, exclude_if=lambda said: said is None)
    """Type of the system, as its declaration and its marking name it (AI Act Annex V(1)). A gap when absent, and then
    left out of the canonical form: plans of earlier versions keep their digests."""
    version: Text
    """Version of the system, for example `1.0.0`."""
    provider: Provider
    intended_purpose: Text
    """The use for which the provider intends the system (AI Act Art. 3(12))."""
    intended_users: tuple[Text, ...] = ()
    """Who operates the system."""
    affected_persons: tuple[Text, ...] = ()
    """Who is affected by its output."""
    foreseeable_misuse: tuple[Text, ...] = ()
    """Reasonably foreseeable misuse (AI Act Art. 3(13))."""
    limitations: tuple[Text, ...] = ()
    """Known limits, stated by the provider."""
    sector: Text | None = None
    """Field of use, for example `health` or `manufacturing`."""


class Classification(Section):
    """Answers of a person about the AI Act class of the system. Nothing here is inferred.

    The questions, their order and the lists they choose from stand in `configs/law/questionnaire.yaml` and
    `lists.yaml`; `configs.law.classify` reads what the answers point to.
    """

    ai_system: Answer = "unknown"
    """Is it an AI system (Art. 3(1))?"""
    outside_scope: Answer = "unknown"
    """Is it outside the scope of the Act (Art. 2(6), (8))?"""
    role: Literal["provider", "deployer", "importer", "distributor", "unknown"] = "unknown"
    """Role of the company that runs the pipeline (AI Act Art. 3(3) to (7))."""
    prohibited_practice: Answer = "unknown"
    """Does the use fall under Art. 5?"""
    prohibited_practices: tuple[Text, ...] = ()
    """Which practices, for example `P5-f`."""
    annex_i_product: Answer = "unknown"
    """Is it a safety component of, or itself, a product under Annex I with third-party assessment?"""
    annex_i_point: Text | None = None
    """Which point of Annex I, for example `11` for medical devices."""
    annex_iii_use: Answer = "unknown"
    """Is the use listed in Annex III?"""
    annex_iii_point: Text | None = None
    """Which point, for example `5(b)`. Needed when `annex_iii_use` is `yes`."""
    derogation_claimed: Answer = "unknown"
    """Does the provider claim the derogation of Art. 6(3)?"""
    derogation_conditions: tuple[Text, ...] = ()
    """On which conditions, for example `D63-a`."""
    profiling: Answer = "unknown"
    """Does it profile natural persons? Profiling rules the derogation out (Art. 6(3), last subparagraph)."""
    transparency_duty: Answer = "unknown"
    """Does Art. 50 apply?"""
    transparency_duties: tuple[Text, ...] = ()
    """Which duties, for example `T50-1`."""
