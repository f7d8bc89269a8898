"""Answers of a person about general-purpose models (AI Act Arts 51 to 56). Nothing here is inferred."""

from __future__ import annotations

import datetime as dt

from pydantic import Field

from configs.base import Answer, Section, Text


class OpenSource(Section):
    """The exemption of Art. 53(2), question by question (guidelines, section 4)."""

    licence_allows_access_use_modification_distribution: Answer = "unknown"
    monetised: Answer = "unknown"
    weights_public: Answer = "unknown"
    architecture_public: Answer = "unknown"
    usage_information_public: Answer = "unknown"


class GeneralPurpose(Section):
    """What a person states about the model and its provider."""

    significant_generality: Answer = "unknown"
    """Can it competently perform a wide range of distinct tasks (Art. 3(63))?"""
    placed_on_market: Answer = "unknown"
    """Placed on the Union market, or to be: API, hub, own product, internal use that counts (guidelines, paragraph 53)?
    """
    placed_on: dt.date | None = None
    """Day of the placing on the Union market."""
    released_on: dt.date | None = None
    """Day of the first distribution."""
    research_only: Answer = "unknown"
    """Used for research, development or prototyping before it is placed on the market?"""
    designated: Answer = "unknown"
    """Designated by the Commission as a model with systemic risk (Art. 51(1)(b))?"""
    small_or_medium: Answer = "unknown"
    """Is the provider a small or medium-sized enterprise? It decides the domain list of the public summary."""
    outside_union: Answer = "unknown"
    """Is the provider established outside the Union (Art. 54)?"""
    representative: Text | None = None
    """Authorised representative: name and contact."""
    code_signatory: Answer = "unknown"
    """Signatory of the Code of Practice?"""
    open_source: OpenSource = OpenSource()
    earlier_compute_flop: float = Field(default=0.0, ge=0)
    """Training compute of earlier runs of the same model, FLOP, that do not stand in this workspace."""
    earlier_compute_source: Text | None = None
