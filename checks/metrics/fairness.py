"""How the model treats groups: the metrics, in the order of reports."""

from __future__ import annotations

from math import inf

from checks.metrics.metric import BINARY, CLASSIFICATION, REGRESSION, Metric

ALL: tuple[Metric, ...] = (
    Metric(
        id="fairness.selection_rate",
        title="Selection rate per group",
        definition=(
            "Share of a group's rows that are labelled positive; the headline of an attribute is the smallest "
            "group rate."
        ),
        better="none",
        tasks=BINARY,
        family="fairness",
        sliced=True,
        reference="Fairlearn, selection_rate",
    ),
    Metric(
        id="fairness.true_positive_rate",
        title="True positive rate per group",
        definition=(
            "Share of a group's positive rows that are labelled positive; the headline of an attribute is the "
            "smallest group rate."
        ),
        better="higher",
        tasks=BINARY,
        family="fairness",
        sliced=True,
        reference="Fairlearn, true_positive_rate",
    ),
    Metric(
        id="fairness.false_positive_rate",
        title="False positive rate per group",
        definition=(
            "Share of a group's negative rows that are labelled positive; the headline of an attribute is the "
            "largest group rate."
        ),
        better="lower",
        tasks=BINARY,
        family="fairness",
        sliced=True,
        reference="Fairlearn, false_positive_rate",
    ),
    Metric(
        id="fairness.demographic_parity_difference",
        title="Demographic parity difference",
        definition=(
            "Largest less smallest selection rate of the groups, 0 is parity; multi-class: the class with the "
            "largest gap, one against the rest."
        ),
        better="lower",
        tasks=CLASSIFICATION,
        family="fairness",
        sliced=True,
        reference="Agarwal et al. 2018; Fairlearn",
    ),
    Metric(
        id="fairness.demographic_parity_ratio",
        title="Demographic parity ratio",
        definition=(
            "Smallest over largest selection rate of the groups, 1 is parity; multi-class: the class with the "
            "smallest ratio."
        ),
        better="higher",
        tasks=CLASSIFICATION,
        family="fairness",
        sliced=True,
        reference="Feldman et al. 2015; Fairlearn",
    ),
    Metric(
        id="fairness.equalized_odds_difference",
        title="Equalised odds difference",
        definition=(
            "The larger of the gaps in true and in false positive rate between the groups, 0 is parity; multi-"
            "class: the class with the largest gap, one against the rest."
        ),
        better="lower",
        tasks=CLASSIFICATION,
        family="fairness",
        sliced=True,
        reference="Hardt et al. 2016; Fairlearn",
    ),
    Metric(
        id="fairness.equal_opportunity_difference",
        title="Equal opportunity difference",
        definition=(
            "Largest less smallest true positive rate of the groups, 0 is parity; multi-class: the class with the"
            " largest gap, one against the rest."
        ),
        better="lower",
        tasks=CLASSIFICATION,
        family="fairness",
        sliced=True,
        reference="Hardt et al. 2016; Fairlearn",
    ),
    Metric(
        id="fairness.accuracy_difference",
        title="Accuracy difference",
        definition="Largest less smallest accuracy of the groups, 0 is parity.",
        better="lower",
        tasks=CLASSIFICATION,
        family="fairness",
        sliced=True,
        reference="Fairlearn, MetricFrame.difference",
    ),
    Metric(
        id="fairness.error_difference",
        title="Error difference",
        definition="Largest less smallest mean absolute error of the groups, 0 is parity.",
        unit="target",
        high=inf,
        better="lower",
        tasks=REGRESSION,
        family="fairness",
        sliced=True,
        reference="Fairlearn, MetricFrame.difference",
    ),
)
