"""How the model stands faults, shifts and attacks on its inputs: the metrics, in the order of reports."""

from __future__ import annotations

from math import inf

from checks.metrics.metric import EVERY_TASK, Metric

ALL: tuple[Metric, ...] = (
    Metric(
        id="robustness.noise",
        title="Robustness to noise",
        definition=(
            "The headline is the accuracy (regression: the coefficient of determination) at the largest declared "
            "noise: Gaussian, in training standard deviations, on every numeric feature; integers are rounded."
        ),
        low=-inf,
        better="higher",
        tasks=EVERY_TASK,
        family="robustness",
        reference="ISO/IEC TR 24029-1:2021",
    ),
    Metric(
        id="robustness.missing",
        title="Robustness to missing values",
        definition=(
            "The headline is the accuracy (regression: the coefficient of determination) when the largest "
            "declared share of the inputs is made missing at random."
        ),
        low=-inf,
        better="higher",
        tasks=EVERY_TASK,
        family="robustness",
        reference="ISO/IEC TR 24029-1:2021",
    ),
    Metric(
        id="robustness.out_of_range",
        title="Robustness to out-of-range inputs",
        definition=(
            "The headline is the accuracy (regression: the coefficient of determination) for the worst single "
            "numeric feature, pushed in every row beyond either end of its training range by the largest declared"
            " multiple of that range."
        ),
        low=-inf,
        better="higher",
        tasks=EVERY_TASK,
        family="robustness",
        reference="ISO/IEC TR 24029-1:2021",
    ),
    Metric(
        id="robustness.evasion",
        title="Accuracy under evasion attack",
        definition=(
            "The headline is the accuracy (regression: the coefficient of determination) on the attacked test "
            "rows after a projected-gradient attack within epsilon training standard deviations per feature; "
            "immutable and categorical features stay as they are. Never above the clean value on the same rows."
        ),
        low=-inf,
        better="higher",
        tasks=EVERY_TASK,
        family="robustness",
        reference="Madry et al. 2018",
    ),
    Metric(
        id="robustness.certified",
        title="Certified accuracy",
        definition=(
            "The share of the attacked test rows that are right and whose label is proven to stay so for every "
            "admissible change of the inputs within epsilon training standard deviations per feature (regression: the "
            "coefficient of determination with the largest error that the proven bounds allow each row). Whole numbers "
            "are treated as continuous. What could not be proven in time counts as not certified, so the value is "
            "never above the one under attack on the same rows."
        ),
        low=-inf,
        better="higher",
        tasks=EVERY_TASK,
        family="robustness",
        reference="Zhang et al. 2018 (CROWN); ISO/IEC 24029-2:2023",
    ),
    Metric(
        id="robustness.properties",
        title="Declared properties",
        definition=(
            "The share of the properties declared in the plan (VNN-LIB files over the graph's inputs and outputs) that "
            "are proven to hold. One that is violated fails the check, with an input that the graph confirms; one that "
            "is neither proven nor violated in its time leaves it inconclusive."
        ),
        better="higher",
        tasks=EVERY_TASK,
        family="robustness",
        reference="VNN-LIB 1.0; ISO/IEC 24029-2:2023",
    ),
)
