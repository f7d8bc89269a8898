"""Which language a text is in, and names of languages in one form."""

from __future__ import annotations

import dataclasses
import functools

import py3langid.langid
from babel.core import get_global

SAMPLE = 300
"""Characters from the beginning of a document that are looked at."""
_MACROLANGUAGES = {"nb": "no", "nn": "no"}
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
    return canonical(language) in _labels()


def same(one: str, other: str) -> bool:
    """Whether two codes mean the same language."""
    return canonical(one) == canonical(other)


@functools.cache
def canonical(language: str) -> str:
    """One code of several for a language: `de` for `deu`, `no` for `nb` and `nn`."""
    found = str(get_global("language_aliases").get(language, language)).partition("_")[0]
    return _MACROLANGUAGES.get(found, found)


@functools.cache
def _identifier() -> py3langid.langid.LanguageIdentifier:
    # The package's own model: arrays, no pickle.
    return py3langid.langid.LanguageIdentifier.from_model_file(py3langid.langid.MODEL_FILE, norm_probs=True)


@functools.cache
def _labels() -> frozenset[str]:
    return frozenset(canonical(str(label)) for label in _identifier().labels)
