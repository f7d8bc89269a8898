"""The corpora of a language model, each with the provenance that the public summary of training content asks for."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from configs.base import Answer, Section, Slug, Text
from configs.data import Sha256

Language = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}$")]
"""ISO 639 code of a language, for example `de`; `und` where it is not determined."""

Origin = Literal["public", "licensed", "third_party", "crawled", "user", "synthetic", "other"]
"""Sections 2.1 to 2.6 of the public template: publicly available data set (2.1), commercially licensed by rightsholders
(2.2.1), private of another third party (2.2.2), crawled by or for the provider (2.3), user data (2.4), synthetic (2.5),
other (2.6)."""


class PythonDocumentation(Section):
    """The English text of `pydoc_data.topics`, which ships inside every CPython (PSF licence): no download."""

    kind: Literal["python_documentation"]
    document: Literal["topic", "section", "paragraph"] = "section"
    """What one document is: a topic of `help()`, what stands under one of its headings, or what stands between blank
    lines."""


class TextFiles(Section):
    """Text in files."""

    kind: Literal["files"]
    path: tuple[Text, ...] = Field(min_length=1)
    """Paths, relative to `PROOFLINE_DATA` where it is set, otherwise to the plan's folder."""
    sha256: tuple[Sha256, ...] = ()
    """Expected digest of each file, in the order of `path`. Checked when given."""
    format: Literal["text", "jsonl", "parquet"] | None = None
    """Format of the files, or of the members of a ZIP; by default taken from the ending."""
    members: tuple[Text, ...] = ()
    """Patterns of the names inside a ZIP, for example `genesis/*.txt`; by default every member with a known ending."""
    languages: dict[Text, Language] = {}
    """Pattern of a file's or member's name to the language of its text; the first that fits counts. Where none fits,
    the corpus's `language` does."""
    encoding: Text = "utf-8"
    """Encoding of text and JSON Lines."""
    encodings: dict[Text, Text] = {}
    """Pattern of a name to its encoding, where one file differs from the others."""
    character_references: Literal["keep", "replace"] = "keep"
    """References of HTML such as `&szlig;`: kept as they are, or replaced by their characters."""
    document: Literal["file", "paragraph", "line"] = "file"
    """What one document is in a text file: the whole file, what stands between blank lines, or a line."""
    text_field: Text = "text"
    """Field (JSON Lines) or column (Parquet) that holds the text."""
    language_field: Text | None = None
    domain_field: Text | None = None
    url_field: Text | None = None
    """Field with the address that a document was crawled from; only its domain is kept."""


CorpusSource = Annotated[PythonDocumentation | TextFiles, Field(discriminator="kind")]


class OptOut(Section):
    """How reservations of rights were handled (Directive (EU) 2019/790 Art. 4(3); public template 3.1)."""

    applied: Answer = "unknown"
    """Were reservations looked for and honoured?"""
    protocols: tuple[Text, ...] = ()
    """Which protocols were honoured, for example `robots.txt`."""
    evidence: Text | None = None
    """Where the evidence is kept: snapshot of robots.txt, decision log."""


class Crawl(Section):
    """How a corpus was crawled (public template 2.3)."""

    crawlers: tuple[Text, ...] = Field(min_length=1)
    """Names of the crawlers."""
    purposes: tuple[Text, ...] = ()
    behaviour: Text | None = None
    """Robots Exclusion Protocol, paywalls, captchas."""


class Synthetic(Section):
    """How synthetic text was made (public template 2.5)."""

    generators: tuple[Text, ...] = Field(min_length=1)
    """Names of the models, with links to their public summaries where they are on the market."""
    on_the_market: Answer = "unknown"
    """Are they general-purpose models on the Union market?"""
    compute_flop: float | None = Field(default=None, gt=0)
    """Compute of the forward passes that made it, discarded samples included, FLOP. It counts towards the training
    compute unless the data are publicly accessible."""


class CorpusProvenance(Section):
    """Origin of a corpus. What is not stated is a gap, never a no."""

    title: Text
    origin: Origin
    url: Text | None = None
    description: Text | None = None
    licence: Text | None = None
    """SPDX identifier where there is one. Unknown is allowed, and is a gap and a warning."""
    licence_source: Text | None = None
    """Where the licence is stated."""
    rightsholders: Text | None = None
    """With whom agreements were concluded (2.2.1), or from whom the data come (2.2.2)."""
    publicly_known: Answer = "unknown"
    """Private data of third parties: is the data set publicly known, so that its name is listed?"""
    services: tuple[Text, ...] = ()
    """User data: the services that they come from (2.4)."""
    from_model_interactions: Answer = "unknown"
    """User data: from interactions with the provider's models?"""
    acquired_from: dt.date | None = None
    acquired_to: dt.date | None = None
    """Latest date of acquisition."""
    collection_continues: Answer = "unknown"
    content_types: tuple[Text, ...] = ()
    """For example `fiction`, `press`, `scientific`, `legal`, `documentation`."""
    regions: tuple[Text, ...] = ()
    """Geographic and demographic characteristics."""
    personal_data: Answer = "unknown"
    opt_out: OptOut = OptOut()
    crawl: Crawl | None = None
    synthetic: Synthetic | None = None
    how_obtained: Text | None = None
    """How the corpus was obtained and selected (Annex XI, section 1, point 2(c))."""

    @model_validator(mode="after")
    def _coherent(self) -> Self:
        if self.acquired_from and self.acquired_to and self.acquired_from > self.acquired_to:
            raise ValueError(f"acquired_to: expected a day from {self.acquired_from} on, got {self.acquired_to}")
        for name, origin in (("crawl", "crawled"), ("synthetic", "synthetic")):
            if (getattr(self, name) is not None) and self.origin != origin:
                raise ValueError(f"{name}: expected origin: {origin} with it, got {self.origin}")
        return self


class Corpus(Section):
    """One corpus."""

    id: Slug
    source: CorpusSource
    provenance: CorpusProvenance
    language: Language = "und"
    """Language of the text where the source does not say it document by document; `und` is identified."""
    domain: Text = "general"
    """Domain of the text where the source does not say it document by document: fairness and quality are measured by
    it."""
    weight: float = Field(default=1.0, gt=0, le=100)
    """How often the corpus's sequences are seen in an epoch, on average."""
