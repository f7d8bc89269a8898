"""Thresholds that a law states, by id: the number, the scale it is stated on, and where it stands.

A ratio such as four fifths says nothing about a difference. A gate that names the rule instead of a number can only be
laid on the measures that the rule is about.
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Literal

from configs import strict_yaml
from configs.base import Fraction, Section, Text

FILE = Path(__file__).parent / "law" / "thresholds.yaml"

Rule = Literal["four_fifths"]
"""Identifiers of the register."""


class LegalThreshold(Section):
    """One threshold of the register."""

    id: Rule
    title: Text
    scale: Literal["rate", "difference", "ratio"]
    """What kind of number it bounds."""
    metrics: tuple[Text, ...]
    """Measures of the catalogue that it is about."""
    at_least: Fraction
    source: Text
    """Where it stands."""
    url: Text
    states: Text
    """What the source says, in a sentence or two."""
    jurisdiction: Text
    checked: Text | None
    """Date on which the source was read; None: it was not, and nobody should rely on the wording."""


class _Register(Section):
    version: Literal[1]
    thresholds: tuple[LegalThreshold, ...]


@functools.cache
def register() -> dict[str, LegalThreshold]:
    """Identifier to threshold."""
    found = _Register.model_validate(strict_yaml.parse(FILE.read_text(encoding="utf-8"), FILE.name))
    return {threshold.id: threshold for threshold in found.thresholds}
