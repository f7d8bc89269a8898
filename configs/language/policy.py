"""What is measured on a language model, and what is asked of it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from configs.base import Fraction, Section, Text
from configs.policy import Gate, Settings

Change = Literal["typing", "case", "confusables", "truncation"]


class TextRobustness(Section):
    """Changes of the held-out text under which perplexity is measured again."""

    changes: tuple[Change, ...] = ("typing", "case", "confusables", "truncation")
    strengths: tuple[Annotated[float, Field(gt=0, le=1)], ...] = (0.02, 0.05, 0.1)
    """Share of the characters that a typing error or a confusable takes; of a text's beginning that truncation cuts.
    `case` is the share of letters whose case is turned."""
    documents: int = Field(default=200, ge=1)
    """Held-out documents at most, drawn evenly over the languages."""


class Memorisation(Section):
    """Verbatim extraction of training text (Code of Practice, copyright measure 1.4)."""

    prefixes: tuple[int, ...] = (16, 32, 64)
    """Tokens of a training document that are given."""
    continuation: int = Field(default=32, ge=1, le=1024)
    """Tokens that must follow exactly."""
    samples: int = Field(default=200, ge=1)
    """Training sequences that are tried."""
    canaries: int = Field(default=8, ge=0, le=10_000)
    """Random strings planted in the training text, for each number of repetitions; 0 plants none."""
    canary_repetitions: tuple[int, ...] = (1, 4, 16)
    canary_candidates: int = Field(default=512, ge=16, le=1_000_000)
    """Random strings that a canary's likelihood is ranked against (exposure, Carlini et al. 2019)."""


class Harness(Section):
    """Task suites of lm-evaluation-harness, where it is installed and their data are at hand."""

    tasks: tuple[Text, ...] = ()
    limit: int | None = Field(default=None, ge=1)


class LanguagePolicy(Settings):
    """What is measured, with which confidence, and what is asked of it."""

    replicates: int = Field(default=1000, ge=100, le=100_000)
    """Bootstrap replicates of every interval; documents are drawn, not tokens."""
    seed: int = Field(default=0, ge=0)
    minimum_group_size: int = Field(default=5, ge=1)
    """A language or domain with fewer held-out documents is listed, and what depends on it is inconclusive."""
    gates: tuple[Gate, ...] = Field(min_length=1)
    """Slices: `overall`, `language`, `domain`."""
    robustness: TextRobustness = TextRobustness()
    memorisation: Memorisation = Memorisation()
    harness: Harness = Harness()
    contamination: Fraction = 0.01
    """Largest share of held-out documents that may be contaminated."""
