"""Do the probabilities of next tokens mean what they say? The likeliest token against how often it comes.

As with classifiers (`checks.calibration`): bins of equal count, the error without what noise adds, the interval by
asking how often gaps as large as the measured ones would be seen, with documents as the units that are independent.
"""

from __future__ import annotations

import numpy as np

from checks import _gaps
from checks._subject import measured, not_measured
from checks.language._subject import Subject, held_out
from evidence import records

CHECK = "language.calibration"


def measure(subject: Subject) -> tuple[records.CheckResult, ...]:
    """The result, before the policy is laid on it."""
    found = held_out(subject)
    if not len(found.confidence):
        return (not_measured(CHECK, "there is no held-out text"),)
    predicted, observed = found.confidence.astype(np.float64), found.greedy.astype(np.float64)
    units = int(found.owner[-1]) + 1
    codes = _gaps.equal_count(predicted, len(predicted))
    gaps = _gaps.gaps(predicted, observed, codes, found.owner, shares=True)
    value, interval = _gaps.root_mean_square(gaps), None
    sampling = subject.sampling
    if units > 1:
        low, high = _gaps.interval_of(gaps, sampling, CHECK)
        draws = max(_gaps.DRAWS, sampling.replicates)
        interval = records.Interval(
            low=min(low, value),
            high=max(high, value),
            level=sampling.level,
            method=f"inverted distribution of the gaps, Student's t noise over {units:,} documents, {draws} draws, "
            f"seed {sampling.seed}",
        )
    expected = float(gaps.weights @ np.abs(gaps.gaps))
    measures = (
        records.Measure(
            name=CHECK, value=value, interval=interval, n=len(predicted), split="test",
            note=f"{len(gaps.rows)} bins of equal count over {units:,} documents",
        ),
        records.Measure(
            name=f"{CHECK}.expected_error", value=expected, n=len(predicted), split="test",
            note="mean absolute gap over the same bins, noise included",
        ),
    )  # fmt: skip
    bins = [
        {"predicted": float(p), "observed": float(o), "count": int(n), "reach": float(r)}
        for p, o, n, r in zip(gaps.predicted, gaps.observed, gaps.rows, np.sqrt(np.diag(gaps.cautious)), strict=True)
    ]
    accuracy = float(observed.mean())
    details = {"bins": bins, "next_token_accuracy": accuracy, "mean_confidence": float(predicted.mean())}
    return (measured(CHECK, measures, details, subject.artifacts),)
