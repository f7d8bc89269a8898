"""The metrics themselves: a register, one entry each, in the order of reports."""

from __future__ import annotations

import dataclasses
from math import inf
from typing import Literal

Better = Literal["higher", "lower", "none"]
Family = Literal["performance", "fairness", "robustness", "data", "export"]

BINARY = ("binary",)
CLASSIFICATION = ("binary", "multiclass")
REGRESSION = ("regression",)
EVERY_TASK = (*CLASSIFICATION, *REGRESSION)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Metric:
    """What an identifier means."""

    id: str
    title: str
    definition: str
    better: Better
    """`none`: descriptive, cannot be gated."""
    tasks: tuple[str, ...]
    """Of `binary`, `multiclass`, `regression`."""
    family: Family
    reference: str
    unit: str = "1"
    """`1` for a share or a ratio, `target` for the unit of the target, `rows` for counts, `nat` for log loss."""
    low: float = 0.0
    """Smallest value it can take."""
    high: float = 1.0
    """Largest value it can take."""
    sliced: bool = False
    """Is it measured per protected attribute and intersection?"""


ALL: tuple[Metric, ...] = (
    Metric(
        id="performance.accuracy",
        title="Accuracy",
        definition="Share of rows whose label equals the true class.",
        better="higher",
        tasks=CLASSIFICATION,
        family="performance",
        reference="ISO/IEC TS 4213:2022, 6.2",
    ),
    Metric(
        id="performance.balanced_accuracy",
        title="Balanced accuracy",
        definition="Mean over the classes of the share of their rows that are labelled correctly.",
        better="higher",
        tasks=CLASSIFICATION,
        family="performance",
        reference="Brodersen et al. 2010",
    ),
    Metric(
        id="performance.roc_auc",
        title="Area under the ROC curve",
        definition=(
            "Probability that a random positive row is scored above a random negative one, ties counting half; "
            "multi-class: mean over the classes, one against the rest."
        ),
        better="higher",
        tasks=CLASSIFICATION,
        family="performance",
        reference="Hanley and McNeil 1982",
    ),
    Metric(
        id="performance.pr_auc",
        title="Average precision",
        definition=(
            "Precision averaged over the recall gained at each score (step-wise area under the precision-recall "
            "curve); multi-class: mean over the classes, one against the rest."
        ),
        better="higher",
        tasks=CLASSIFICATION,
        family="performance",
        reference="Davis and Goadrich 2006",
    ),
    Metric(
        id="performance.f1",
        title="F1 score",
        definition=(
            "Harmonic mean of precision and recall of the positive class, 0 where both are 0; multi-class: mean "
            "over the classes."
        ),
        better="higher",
        tasks=CLASSIFICATION,
        family="performance",
        reference="ISO/IEC TS 4213:2022, 6.2",
    ),
    Metric(
        id="performance.brier",
        title="Brier score",
        definition=(
            "Mean squared distance of the probabilities from the outcome. Binary: of the positive probability, at"
            " most 1; multi-class: summed over the classes, at most 2."
        ),
        high=2.0,
        better="lower",
        tasks=CLASSIFICATION,
        family="performance",
        reference="Brier 1950",
    ),
    Metric(
        id="performance.ece",
        title="Expected calibration error",
        definition=(
            "Mean absolute gap between predicted and observed share in 15 bins of equal width, weighted by their "
            "rows. Binary: on the positive probability; multi-class: on the largest probability, against whether "
            "that class is the true one."
        ),
        better="lower",
        tasks=CLASSIFICATION,
        family="performance",
        reference="Naeini et al. 2015; Guo et al. 2017",
    ),
    Metric(
        id="performance.log_loss",
        title="Log loss",
        definition="Mean negative natural logarithm of the probability of the true class.",
        unit="nat",
        high=inf,
        better="lower",
        tasks=CLASSIFICATION,
        family="performance",
        reference="Good 1952",
    ),
    Metric(
        id="performance.confusion_matrix",
        title="Confusion matrix",
        definition="Rows by true class and label; the headline is the number of wrong labels.",
        unit="rows",
        high=inf,
        better="none",
        tasks=CLASSIFICATION,
        family="performance",
        reference="ISO/IEC TS 4213:2022, 6.2",
    ),
    Metric(
        id="performance.mae",
        title="Mean absolute error",
        definition="Mean absolute difference between prediction and target.",
        unit="target",
        high=inf,
        better="lower",
        tasks=REGRESSION,
        family="performance",
        reference="Willmott and Matsuura 2005",
    ),
    Metric(
        id="performance.rmse",
        title="Root mean squared error",
        definition="Square root of the mean squared difference between prediction and target.",
        unit="target",
        high=inf,
        better="lower",
        tasks=REGRESSION,
        family="performance",
        reference="Willmott and Matsuura 2005",
    ),
    Metric(
        id="performance.r2",
        title="Coefficient of determination",
        definition=(
            "1 less the squared error over the squared deviation from the mean of the test rows; 1 is perfect, 0 "
            "as good as that mean."
        ),
        low=-inf,
        better="higher",
        tasks=REGRESSION,
        family="performance",
        reference="Draper and Smith 1998",
    ),
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
        id="data.range",
        title="Values within range",
        definition="Share of rows outside the declared range.",
        better="lower",
        tasks=EVERY_TASK,
        family="data",
        reference="AI Act Art. 10(2) to (4)",
    ),
    Metric(
        id="data.allowed_values",
        title="Allowed values",
        definition="Share of rows whose value is not among those declared.",
        better="lower",
        tasks=EVERY_TASK,
        family="data",
        reference="AI Act Art. 10(2) to (4)",
    ),
    Metric(
        id="data.missingness",
        title="Missing values",
        definition="Share of rows without a value.",
        better="lower",
        tasks=EVERY_TASK,
        family="data",
        reference="AI Act Art. 10(2) to (4)",
    ),
    Metric(
        id="data.uniqueness",
        title="Uniqueness",
        definition="Share of rows that repeat a value declared unique.",
        better="lower",
        tasks=EVERY_TASK,
        family="data",
        reference="AI Act Art. 10(2) to (4)",
    ),
    Metric(
        id="data.type",
        title="Column types",
        definition="Share of rows whose value is not of the declared kind.",
        better="lower",
        tasks=EVERY_TASK,
        family="data",
        reference="AI Act Art. 10(2) to (4)",
    ),
    Metric(
        id="data.pair_ordered",
        title="Ordered pair of columns",
        definition="Share of rows in which the declared order of two columns is broken.",
        better="lower",
        tasks=EVERY_TASK,
        family="data",
        reference="AI Act Art. 10(2) to (4)",
    ),
    Metric(
        id="data.compound_unique",
        title="Unique combination of columns",
        definition="Share of rows that repeat a combination declared unique.",
        better="lower",
        tasks=EVERY_TASK,
        family="data",
        reference="AI Act Art. 10(2) to (4)",
    ),
    Metric(
        id="data.row_count",
        title="Number of rows",
        definition="Rows of the table.",
        unit="rows",
        high=inf,
        better="none",
        tasks=EVERY_TASK,
        family="data",
        reference="AI Act Art. 10(2) to (4)",
    ),
    Metric(
        id="data.declared_rules",
        title="Declared rules",
        definition="Number of declared rules that do not hold.",
        high=inf,
        better="lower",
        tasks=EVERY_TASK,
        family="data",
        reference="AI Act Art. 10(2) to (4)",
    ),
    Metric(
        id="data.representativeness",
        title="Representativeness",
        definition="Largest difference between a group's share in the data and in the reference population.",
        better="lower",
        tasks=EVERY_TASK,
        family="data",
        sliced=True,
        reference="AI Act Art. 10(2) to (4)",
    ),
    Metric(
        id="data.group_sizes",
        title="Group sizes",
        definition="Test rows of the smallest group.",
        unit="rows",
        high=inf,
        better="higher",
        tasks=EVERY_TASK,
        family="data",
        sliced=True,
        reference="AI Act Art. 10(2) to (4)",
    ),
    Metric(
        id="data.class_balance",
        title="Class balance",
        definition="Share of the rarest class.",
        better="higher",
        tasks=EVERY_TASK,
        family="data",
        reference="AI Act Art. 10(2) to (4)",
    ),
    Metric(
        id="data.duplicates_across_splits",
        title="Duplicates across splits",
        definition="Rows whose content stands in more than one split.",
        unit="rows",
        high=inf,
        better="lower",
        tasks=EVERY_TASK,
        family="data",
        reference="AI Act Art. 10(2) to (4)",
    ),
    Metric(
        id="data.proxies",
        title="Proxies of protected attributes",
        definition="Largest area under the ROC curve with which a single feature tells a protected group.",
        better="lower",
        tasks=EVERY_TASK,
        family="data",
        sliced=True,
        reference="AI Act Art. 10(2) to (4)",
    ),
    Metric(
        id="data.label_balance",
        title="Label balance per group",
        definition=(
            "Largest difference between groups in positive share (regression: in standardised mean) of the target."
        ),
        high=inf,
        better="lower",
        tasks=EVERY_TASK,
        family="data",
        sliced=True,
        reference="AI Act Art. 10(2) to (4)",
    ),
    Metric(
        id="data.drift",
        title="Drift between splits",
        definition="Largest population stability index of a feature between two splits.",
        high=inf,
        better="lower",
        tasks=EVERY_TASK,
        family="data",
        reference="AI Act Art. 10(2) to (4)",
    ),
    Metric(
        id="data.unseen_categories",
        title="Unseen categories",
        definition="Rows whose category the training split does not hold.",
        unit="rows",
        high=inf,
        better="lower",
        tasks=EVERY_TASK,
        family="data",
        reference="AI Act Art. 10(2) to (4)",
    ),
    Metric(
        id="data.leakage",
        title="Leakage audit",
        definition="Steps that read rows they must not see.",
        high=inf,
        better="lower",
        tasks=EVERY_TASK,
        family="data",
        reference="AI Act Art. 10(2) to (4)",
    ),
    Metric(
        id="export.parity",
        title="Agreement of the ONNX graph with the source model",
        definition="Largest absolute difference of outputs between the ONNX graph and the source model, 0 is equal.",
        high=inf,
        better="lower",
        tasks=EVERY_TASK,
        family="export",
        reference="proofline model contract",
    ),
)
