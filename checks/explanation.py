"""What the outputs rest on and where they hold (AI Act Art. 13): the metrics of the family `explanation`."""

from __future__ import annotations

from checks import attribution, conformal, importance, out_of_distribution
from checks._subject import Subject
from evidence import records


def measure(subject: Subject) -> tuple[records.CheckResult, ...]:
    """Prediction sets, the flag for strange inputs, and attributions, in the order of the catalogue."""
    permutation = importance.measure(subject)
    return (
        *conformal.measure(subject),
        *out_of_distribution.measure(subject),
        permutation,
        *attribution.measure(subject, permutation),
    )
