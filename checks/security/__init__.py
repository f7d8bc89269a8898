"""Attacks on confidentiality, on the training data and on parts of the model, and flaws of it (AI Act Art. 15(5))."""

from __future__ import annotations

from checks._subject import Subject
from checks.security import flaws, label_noise, membership, poisoning, provenance, triggers
from evidence import records

__all__ = ["measure"]


def measure(subject: Subject) -> tuple[records.CheckResult, ...]:
    """Every check of the family, in the order of the catalogue."""
    return (
        *membership.measure(subject),
        *poisoning.measure(subject),
        *label_noise.measure(subject),
        *provenance.measure(subject),
        *triggers.measure(subject),
        *flaws.measure(subject),
    )
