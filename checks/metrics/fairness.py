"""How the model treats groups: the metrics, in the order of reports."""

from __future__ import annotations

from functools import partial
from math import inf

from checks.metrics.metric import CLASSIFICATION, REGRESSION, Metric

_SMALLEST = "; the headline of an attribute is the smallest group rate; multi-class: of any class against the rest."
_LARGEST = "; the headline of an attribute is the largest group rate; multi-class: of any class against the rest."

_rate = partial(Metric, tasks=CLASSIFICATION, family="fairness", scale="rate", sliced=True)
_difference = partial(Metric, family="fairness", scale="difference", sliced=True, better="lower")
_ratio = partial(Metric, tasks=CLASSIFICATION, family="fairness", scale="ratio", sliced=True, better="higher")

ALL: tuple[Metric, ...] = (
    _rate(
        id="fairness.selection_rate",
        title="Selection rate per group",
        definition="Share of a group's rows that are labelled positive" + _SMALLEST,
        better="none",
        reference="Fairlearn, selection_rate",
    ),
    _rate(
        id="fairness.true_positive_rate",
        title="True positive rate per group",
        definition="Share of a group's positive rows that are labelled positive" + _SMALLEST,
        better="higher",
        reference="Fairlearn, true_positive_rate",
    ),
    _rate(
        id="fairness.false_positive_rate",
        title="False positive rate per group",
        definition="Share of a group's negative rows that are labelled positive" + _LARGEST,
        better="lower",
        reference="Fairlearn, false_positive_rate",
    ),
    _rate(
        id="fairness.true_negative_rate",
        title="True negative rate per group",
        definition="Share of a group's negative rows that are labelled negative" + _SMALLEST,
        better="higher",
        reference="Fairlearn, true_negative_rate",
    ),
    _rate(
        id="fairness.false_negative_rate",
        title="False negative rate per group",
        definition="Share of a group's positive rows that are labelled negative" + _LARGEST,
        better="lower",
        reference="Fairlearn, false_negative_rate",
    ),
    _rate(
        id="fairness.precision",
        title="Precision per group",
        definition="Share of a group's rows labelled positive that are positive" + _SMALLEST,
        better="higher",
        reference="scikit-learn, precision_score, through Fairlearn, MetricFrame",
    ),
    _rate(
        id="fairness.accuracy",
        title="Accuracy per group",
        definition=(
            "Share of a group's rows whose label is right; the headline of an attribute is the smallest group rate."
        ),
        better="higher",
        reference="scikit-learn, accuracy_score, through Fairlearn, MetricFrame",
    ),
    _difference(
        id="fairness.demographic_parity_difference",
        title="Demographic parity difference",
        definition=(
            "Largest less smallest selection rate of the groups, 0 is parity; multi-class: the class with the "
            "largest gap, one against the rest."
        ),
        tasks=CLASSIFICATION,
        reference="Agarwal et al. 2018; Fairlearn",
    ),
    _ratio(
        id="fairness.demographic_parity_ratio",
        title="Demographic parity ratio",
        definition=(
            "Smallest over largest selection rate of the groups, 1 is parity; multi-class: the class with the "
            "smallest ratio."
        ),
        reference="Feldman et al. 2015; Fairlearn",
    ),
    _difference(
        id="fairness.equalized_odds_difference",
        title="Equalised odds difference",
        definition=(
            "The larger of the gaps in true and in false positive rate between the groups, 0 is parity; multi-"
            "class: the class with the largest gap, one against the rest."
        ),
        tasks=CLASSIFICATION,
        reference="Hardt et al. 2016; Fairlearn",
    ),
    _ratio(
        id="fairness.equalized_odds_ratio",
        title="Equalised odds ratio",
        definition=(
            "The smaller of the ratios of the smallest to the largest true and false positive rate of the groups, 1 is "
            "parity; multi-class: the class with the smallest ratio, one against the rest."
        ),
        reference="Hardt et al. 2016; Fairlearn",
    ),
    _difference(
        id="fairness.equal_opportunity_difference",
        title="Equal opportunity difference",
        definition=(
            "Largest less smallest true positive rate of the groups, 0 is parity; multi-class: the class with the"
            " largest gap, one against the rest."
        ),
        tasks=CLASSIFICATION,
        reference="Hardt et al. 2016; Fairlearn",
    ),
    _difference(
        id="fairness.predictive_parity_difference",
        title="Predictive parity difference",
        definition=(
            "Largest less smallest precision of the groups, 0 is parity; multi-class: the class with the largest gap, "
            "one against the rest."
        ),
        tasks=CLASSIFICATION,
        reference="Chouldechova, Big Data 5 (2017) 153; Fairlearn, MetricFrame.difference",
    ),
    _difference(
        id="fairness.accuracy_difference",
        title="Accuracy difference",
        definition="Largest less smallest accuracy of the groups, 0 is parity.",
        tasks=CLASSIFICATION,
        reference="Fairlearn, MetricFrame.difference",
    ),
    _rate(
        id="fairness.calibration_error",
        title="Calibration error per group",
        definition=(
            "Expected calibration error (15 bins of equal width) of a group's rows; the headline of an attribute is "
            "the largest. Small groups have a larger error by chance alone, which the interval allows for."
        ),
        better="lower",
        reference="Naeini et al. 2015, by group; Kleinberg et al. 2017",
    ),
    _difference(
        id="fairness.calibration_difference",
        title="Calibration difference",
        definition=(
            "Largest less smallest of the groups' mean predicted probability less observed share of the positive "
            "class (multi-class: of right labels, by the largest probability), 0 is parity."
        ),
        high=2.0,
        tasks=CLASSIFICATION,
        reference="Pleiss et al. 2017, calibration by group; calibration in the large",
    ),
    _difference(
        id="fairness.error_difference",
        title="Error difference",
        definition="Largest less smallest mean absolute error of the groups, 0 is parity.",
        unit="target",
        high=inf,
        tasks=REGRESSION,
        reference="Fairlearn, MetricFrame.difference",
    ),
    _difference(
        id="fairness.bias_difference",
        title="Bias difference",
        definition=(
            "Largest less smallest mean signed error (prediction less target) of the groups, 0 is parity: a model "
            "whose errors are equally large can still be too high for one group and too low for another."
        ),
        unit="target",
        high=inf,
        tasks=REGRESSION,
        reference="mean residual by group; Fairlearn, MetricFrame.difference",
    ),
)
