"""How well the model predicts: the metrics, in the order of reports."""

from __future__ import annotations

from math import inf

from checks.metrics.metric import CLASSIFICATION, EVERY_TASK, REGRESSION, Metric

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
        id="performance.calibration_error",
        title="Calibration error, debiased",
        definition=(
            "Root mean squared gap between predicted and observed share in at most 15 bins of equal count, less the "
            "part that sampling noise alone would give, 0 where noise explains it all. Binary: on the positive "
            "probability; multi-class: on the largest probability, against whether that class is the true one."
        ),
        better="lower",
        tasks=CLASSIFICATION,
        family="performance",
        reference="Kumar et al. 2019",
    ),
    Metric(
        id="performance.calibration_in_the_large",
        title="Calibration in the large",
        definition=(
            "Mean predicted less observed share, 0 is calibrated, above 0 too high. Binary: of the positive class; "
            "multi-class: of right labels, by the largest probability."
        ),
        low=-1.0,
        better="none",
        tasks=CLASSIFICATION,
        family="performance",
        reference="Cox 1958; Van Calster et al. 2016",
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
        id="performance.decile_error",
        title="Calibration error by decile, debiased",
        definition=(
            "Root mean squared gap between mean prediction and mean target in at most 10 bins of equal count of the "
            "predictions, less the part that sampling noise alone would give."
        ),
        unit="target",
        high=inf,
        better="lower",
        tasks=REGRESSION,
        family="performance",
        reference="Kumar et al. 2019",
    ),
    Metric(
        id="performance.bias",
        title="Mean error",
        definition="Mean prediction less mean target, 0 is calibrated in the large, above 0 too high.",
        unit="target",
        low=-inf,
        high=inf,
        better="none",
        tasks=REGRESSION,
        family="performance",
        reference="Willmott and Matsuura 2005",
    ),
    Metric(
        id="performance.calibration_slope",
        title="Calibration slope",
        definition=(
            "Exponent b with which the model's probabilities fit the observed classes best, P(k) proportional to "
            "exp(a_k) p_k^b (Cox's slope of two classes); regression: slope of the target on the predictions. 1 is "
            "calibrated, below 1 the outputs lie too far apart (overconfident), above 1 too close together."
        ),
        low=-inf,
        high=inf,
        better="none",
        tasks=EVERY_TASK,
        family="performance",
        reference="Cox 1958; Van Hoorde et al. 2014",
    ),
)
