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
            "The headline is the accuracy (regression: the coefficient of determination) on the attacked test rows "
            "when each is changed as the worst of several attacks (projected gradient, AutoPGD, query-only) can within "
            "its budget; immutable and categorical features stay as they are. Never above the clean value on the same "
            "rows."
        ),
        low=-inf,
        better="higher",
        tasks=EVERY_TASK,
        family="robustness",
        reference="Madry et al. 2018; Croce and Hein 2020",
    ),
    Metric(
        id="robustness.query_attack",
        title="Accuracy under query-only attack",
        definition=(
            "The same for an attacker without the source model, who asks the graph and sees its answers: random search "
            "over subsets of the features within the same budget. Never below the accuracy under all attacks."
        ),
        low=-inf,
        better="higher",
        tasks=EVERY_TASK,
        family="robustness",
        reference="Andriushchenko et al. 2020",
    ),
)
