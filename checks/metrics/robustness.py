"""How the model stands faults, shifts and attacks on its inputs: the metrics, in the order of reports."""

from __future__ import annotations

from math import inf

from checks.metrics.metric import CLASSIFICATION, EVERY_TASK, REGRESSION, Metric

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
        id="robustness.rescaled",
        title="Robustness to wrong units",
        definition=(
            "The headline is the accuracy (regression: the coefficient of determination) when the worst single numeric "
            "feature is entered in another unit, that is multiplied by the worst of the factors for its unit, in the "
            "largest declared share of the rows; integers are rounded."
        ),
        low=-inf,
        better="higher",
        tasks=EVERY_TASK,
        family="robustness",
        reference="ISO/IEC TR 24029-1:2021; factors from NIST SP 811",
    ),
    Metric(
        id="robustness.exchanged",
        title="Robustness to exchanged columns",
        definition=(
            "The headline is the accuracy (regression: the coefficient of determination) when the worst pair of "
            "numeric features with the same unit of measure is exchanged in the largest declared share of the rows."
        ),
        low=-inf,
        better="higher",
        tasks=EVERY_TASK,
        family="robustness",
        reference="ISO/IEC TR 24029-1:2021",
    ),
    Metric(
        id="robustness.unseen_category",
        title="Robustness to unseen categories",
        definition=(
            "The headline is the accuracy (regression: the coefficient of determination) when the worst single "
            "categorical feature has a code that no category has, in the largest declared share of the rows."
        ),
        low=-inf,
        better="higher",
        tasks=EVERY_TASK,
        family="robustness",
        reference="ISO/IEC TR 24029-1:2021",
    ),
    Metric(
        id="robustness.stuck",
        title="Robustness to stuck values",
        definition=(
            "The headline is the accuracy (regression: the coefficient of determination) when the worst single numeric "
            "feature is frozen at one value (training minimum, median, maximum, or the value of one test row) in the "
            "largest declared share of the rows."
        ),
        low=-inf,
        better="higher",
        tasks=EVERY_TASK,
        family="robustness",
        reference="ISO/IEC TR 24029-1:2021",
    ),
    Metric(
        id="robustness.rounding",
        title="Robustness to rounding",
        definition=(
            "The headline is the accuracy (regression: the coefficient of determination) when every numeric feature "
            "is rounded to the coarsest declared grid, in training standard deviations."
        ),
        low=-inf,
        better="higher",
        tasks=EVERY_TASK,
        family="robustness",
        reference="ISO/IEC TR 24029-1:2021",
    ),
    Metric(
        id="robustness.shift",
        title="Accuracy by slice",
        definition=(
            "The headline is the smallest accuracy among the slices of the columns that the policy names (sites, "
            "times, kinds), or of one such column. Slices with fewer test rows than the policy's minimum are left out "
            "and listed."
        ),
        better="higher",
        tasks=CLASSIFICATION,
        family="robustness",
        reference="ISO/IEC TR 24029-1:2021",
        by_column=True,
    ),
    Metric(
        id="robustness.shift_error",
        title="Error by slice",
        definition=(
            "The headline is the largest mean absolute error among the slices of the columns that the policy names "
            "(sites, times, kinds), or of one such column. Slices with fewer test rows than the policy's minimum are "
            "left out and listed."
        ),
        unit="target",
        high=inf,
        better="lower",
        tasks=REGRESSION,
        family="robustness",
        reference="ISO/IEC TR 24029-1:2021",
        by_column=True,
    ),
    Metric(
        id="robustness.deployment",
        title="Performance under the target distribution",
        definition=(
            "The headline is the accuracy (regression: the coefficient of determination) of the test rows weighted to "
            "the shares that the policy expects where the system is used; within a slice, rows are taken to be as "
            "those to come."
        ),
        low=-inf,
        better="higher",
        tasks=EVERY_TASK,
        family="robustness",
        reference="Shimodaira 2000",
    ),
    Metric(
        id="robustness.worst_slice",
        title="Accuracy of the worst slice found",
        definition=(
            "The headline is the accuracy, on the test part, of the slice that a search over conjunctions of "
            "conditions on features and protected groups found worst on the validation part."
        ),
        better="higher",
        tasks=CLASSIFICATION,
        family="robustness",
        reference="Chung et al. 2020; Pastor et al. 2021",
    ),
    Metric(
        id="robustness.worst_slice_error",
        title="Error of the worst slice found",
        definition=(
            "The headline is the mean absolute error, on the test part, of the slice that a search over conjunctions "
            "of conditions on features and protected groups found worst on the validation part."
        ),
        unit="target",
        high=inf,
        better="lower",
        tasks=REGRESSION,
        family="robustness",
        reference="Chung et al. 2020; Pastor et al. 2021",
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
    Metric(
        id="robustness.certified",
        title="Proven accuracy (no admissible change turns the label)",
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
