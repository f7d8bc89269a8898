"""The plan of a language model, whole in itself. It shares system, factory, documents and bundle with other plans."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import Field, model_validator

from configs import changes
from configs.base import Section
from configs.bundle import Bundle
from configs.language.cleaning import Cleaning
from configs.language.corpora import Corpus
from configs.language.general_purpose import GeneralPurpose
from configs.language.modelling import Architecture, LanguageTraining, TextSplit, Tokenizer
from configs.language.policy import LanguagePolicy
from configs.modelling import Factory
from configs.policy import Documents
from configs.system import Classification, System

TASK = "language_model"
SLICES = ("language", "domain")
"""Names by which gates can address slices, beside `overall`."""


class LanguagePlan(Section):
    """Everything that is decided before a run."""

    version: Literal[1]
    """Version of the plan format."""
    task: Literal["language_model"]
    system: System
    """The model: here `intended_purpose` says what it is meant for."""
    classification: Classification = Classification()
    general_purpose: GeneralPurpose = GeneralPurpose()
    corpora: tuple[Corpus, ...] = Field(min_length=1)
    cleaning: Cleaning = Cleaning()
    split: TextSplit = TextSplit()
    tokenizer: Tokenizer = Tokenizer()
    model: Architecture = Architecture()
    training: LanguageTraining
    policy: LanguagePolicy
    factory: Factory = Factory()
    documents: Documents = Documents()
    bundle: Bundle = Bundle(receivers=())
    predetermined_changes: tuple[changes.PredeterminedChange, ...] = ()

    @property
    def slices(self) -> tuple[str, ...]:
        """Names by which gates can address slices."""
        return SLICES

    @property
    def declared_languages(self) -> tuple[str, ...]:
        """Languages that the corpora declare, sorted; without `und`."""
        declared = {corpus.language for corpus in self.corpora}
        for corpus in self.corpora:
            declared |= set(getattr(corpus.source, "languages", {}).values())
        return tuple(sorted(declared - {"und"}))

    @model_validator(mode="before")
    @classmethod
    def _no_layouts(cls, content: Any) -> Any:
        """The default receivers are those of tables."""
        bundle = content.get("bundle") if isinstance(content, dict) else None
        return {**content, "bundle": {"receivers": (), **bundle}} if isinstance(bundle, dict) else content

    @model_validator(mode="after")
    def _coherent(self) -> Self:
        ids = [corpus.id for corpus in self.corpora]
        if twice := next((i for i in ids if ids.count(i) > 1), None):
            raise ValueError(f"corpora: id '{twice}' is used twice; give each corpus its own")
        for gate in self.policy.gates:
            if gate.slice not in ("overall", *SLICES):
                raise ValueError(
                    f"policy gate {gate.check}: slice '{gate.slice}' is unknown; known are overall, {', '.join(SLICES)}"
                )
        asked = [(gate.check, gate.slice) for gate in self.policy.gates]
        if doubled := next((pair for pair in asked if asked.count(pair) > 1), None):
            raise ValueError(f"policy gate {doubled[0]}: slice '{doubled[1]}' is gated twice; keep one threshold")
        if self.bundle.receivers:
            raise ValueError("bundle.receivers: expected none, as the receivers' layouts are made for tables")
        persons = next((c.id for c in self.corpora if c.provenance.personal_data != "no"), None)
        if self.bundle.include_test_data and persons is not None:
            raise ValueError(
                f"bundle.include_test_data: expected personal_data: no of every corpus, got another answer "
                f"for {persons}; the facility measures on text of its own"
            )
        if self.bundle.include_groups:
            raise ValueError(
                "bundle.include_groups: belongs to tables; language and domain of held-out text go with it"
            )
        return self
