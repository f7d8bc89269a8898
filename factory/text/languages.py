"""Which language a text is in, and names of languages in one form."""

from __future__ import annotations

import dataclasses
import functools

import py3langid.langid

SAMPLE = 300
"""Characters from the beginning of a document that are looked at."""
MACROLANGUAGES = {"nb": "no", "nn": "no"}
"""Codes that count as one language when declared and identified are compared."""


@dataclasses.dataclass(frozen=True, slots=True)
class Identified:
    """What the identifier says."""

    language: str
    """ISO 639 code."""
    confidence: float
    """Probability among the languages that it knows, 0 to 1."""


def identify(text: str) -> Identified:
    """The most probable language of a text, by its beginning."""
    language, confidence = _identifier().classify(text[:SAMPLE])
    return Identified(str(language), float(confidence))


def known(language: str) -> bool:
    """Whether the identifier knows the language."""
    return language in _labels() or MACROLANGUAGES.get(language, language) in _labels()


def same(one: str, other: str) -> bool:
    """Whether two codes mean the same language."""
    return MACROLANGUAGES.get(one, one) == MACROLANGUAGES.get(other, other)


@functools.cache
def _identifier() -> py3langid.langid.LanguageIdentifier:
    # The package's own model: arrays, no pickle.
    return py3langid.langid.LanguageIdentifier.from_model_file(py3langid.langid.MODEL_FILE, norm_probs=True)


@functools.cache
def _labels() -> frozenset[str]:
    return frozenset(str(label) for label in _identifier().labels)
