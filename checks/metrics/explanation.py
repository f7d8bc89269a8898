"""What the outputs rest on, and where they hold (AI Act Art. 13): the metrics, in the order of reports."""

from __future__ import annotations

from math import inf

from checks.metrics.metric import CLASSIFICATION, EVERY_TASK, REGRESSION, Metric

ALL: tuple[Metric, ...] = (
    Metric(
        id="explanation.conformal_coverage",
        title="Coverage of prediction sets",
        definition=(
            "Share of the test rows whose true class (regression: target) lies in the prediction set (interval) "
            "calibrated on the validation part for the plan's nominal level; the headline of an attribute is the "
            "smallest group share."
        ),
        better="higher",
        tasks=EVERY_TASK,
        family="explanation",
        sliced=True,
        reference="Vovk et al. 2005; Sadinle et al. 2019; Romano et al. 2020",
    ),
    Metric(
        id="explanation.set_size",
        title="Size of prediction sets",
        definition="Mean number of classes in the prediction set; an empty set says that no class fits well enough.",
        unit="classes",
        high=inf,
        better="lower",
        tasks=CLASSIFICATION,
        family="explanation",
        reference="Sadinle et al. 2019",
    ),
    Metric(
        id="explanation.interval_width",
        title="Width of prediction intervals",
        definition="Upper less lower end of the prediction interval, the same for every row.",
        unit="target",
        high=inf,
        better="lower",
        tasks=REGRESSION,
        family="explanation",
        reference="Lei et al. 2018",
    ),
    Metric(
        id="explanation.ood_false_alarms",
        title="False alarms of the flag for strange inputs",
        definition=(
            "Share of the unaltered test rows that are flagged: numeric features further from the training mean "
            "(Mahalanobis distance) than the plan's share of the training rows, or a category that is none of the "
            "model's."
        ),
        better="lower",
        tasks=EVERY_TASK,
        family="explanation",
        reference="Mahalanobis 1936; Lee et al. 2018",
    ),
    Metric(
        id="explanation.ood_detection",
        title="Probability that a strange input ranks above a usual one",
        definition=(
            "Probability that a test row whose features were shuffled independently (each value is usual, the "
            "combination is not) has a larger distance than an unaltered one, ties counting half; 0.5 is guessing."
        ),
        better="higher",
        tasks=EVERY_TASK,
        family="explanation",
        reference="Hendrycks and Gimpel 2017",
    ),
    Metric(
        id="explanation.permutation_importance",
        title="Permutation importance",
        definition=(
            "Mean rise of the loss when one feature is shuffled between the test rows: of the log loss, in nats; "
            "regression: of the squared error, in variances of the target. The headline is the largest of a single "
            "feature. A feature whose work others can do has little of its own."
        ),
        unit="loss",
        low=-inf,
        high=inf,
        better="none",
        tasks=EVERY_TASK,
        family="explanation",
        reference="Breiman 2001; Fisher et al. 2019",
    ),
    Metric(
        id="explanation.integrated_gradients",
        title="Integrated gradients",
        definition=(
            "Mean size of what a numeric feature adds to a single output between its training median and its value; "
            "the headline is the largest of a single feature. Outputs: log odds of the positive class; multi-class: "
            "log odds of the label against the next class; regression: the prediction."
        ),
        unit="output",
        high=inf,
        better="none",
        tasks=EVERY_TASK,
        family="explanation",
        reference="Sundararajan et al. 2017",
    ),
    Metric(
        id="explanation.completeness",
        title="Completeness of the attributions",
        definition=(
            "Mean size of the difference between the summed integrated gradients of a row and the change of the ONNX "
            "graph's output from the baseline, over the mean size of that change; 0 is complete."
        ),
        high=inf,
        better="lower",
        tasks=EVERY_TASK,
        family="explanation",
        reference="Sundararajan et al. 2017, axiom of completeness",
    ),
    Metric(
        id="explanation.attribution_agreement",
        title="Agreement of the two attributions",
        definition=(
            "Rank correlation between permutation importance and integrated gradients over the numeric features; the "
            "two ask different questions, so that little agreement is no fault."
        ),
        low=-1.0,
        better="none",
        tasks=EVERY_TASK,
        family="explanation",
        reference="Spearman 1904; Krishna et al. 2022",
    ),
)
