"""Attacks on the training data, on parts of the model and on its confidentiality (AI Act Art. 15(5)): the metrics."""

from __future__ import annotations

from math import inf

from checks.metrics.metric import CLASSIFICATION, EVERY_TASK, Metric

ALL: tuple[Metric, ...] = (
    Metric(
        id="security.membership_threshold",
        title="Membership inference by threshold",
        definition=(
            "Area under the ROC curve of an attack that calls a row a training row when the loss of its true label is "
            "small; 0.5 is chance."
        ),
        best=0.5,
        better="lower",
        tasks=EVERY_TASK,
        family="security",
        reference="Yeom et al., Privacy risk in machine learning, CSF 2018",
    ),
    Metric(
        id="security.membership_likelihood",
        title="Membership inference by likelihood ratio",
        definition=(
            "Area under the ROC curve of an attack that compares the graph's answer with those of shadow models "
            "trained with and without the row; 0.5 is chance."
        ),
        best=0.5,
        better="lower",
        tasks=EVERY_TASK,
        family="security",
        reference="Carlini et al., Membership inference attacks from first principles, IEEE S&P 2022",
    ),
    Metric(
        id="security.membership_low_fpr",
        title="Training rows found at few false positives",
        definition=(
            "Share of training rows that the likelihood-ratio attack finds where it takes no more than the declared "
            "share of other rows (one in a thousand unless declared) for training rows; that share is chance."
        ),
        better="lower",
        tasks=EVERY_TASK,
        family="security",
        reference="Carlini et al., Membership inference attacks from first principles, IEEE S&P 2022",
    ),
    Metric(
        id="security.label_flips",
        title="Loss from flipped training labels",
        definition=(
            "Accuracy (regression: coefficient of determination) that models of the plan lose, trained anew, when the "
            "largest declared share of their training labels is flipped."
        ),
        low=-inf,
        high=inf,
        better="lower",
        tasks=EVERY_TASK,
        family="security",
        reference="Biggio et al., Poisoning attacks against support vector machines, ICML 2012",
    ),
    Metric(
        id="security.suspicious_rows",
        title="Suspicious training rows",
        definition=(
            "Share of training rows whose label models trained on other rows contradict with confidence (regression: "
            "whose residual lies far out)."
        ),
        better="lower",
        tasks=EVERY_TASK,
        family="security",
        reference="Northcutt et al., Confident learning, JAIR 70, 2021",
    ),
    Metric(
        id="security.label_noise",
        title="Label noise, estimated",
        definition=(
            "Share of training labels that are wrong, estimated from the joint distribution of given and confidently "
            "predicted labels; overlap of the classes counts as noise."
        ),
        better="lower",
        tasks=CLASSIFICATION,
        family="security",
        reference="Northcutt et al., Confident learning, JAIR 70, 2021",
    ),
    Metric(
        id="security.pretrained_parts",
        title="Parts of the model trained elsewhere",
        definition="Hash and origin of weights that were not trained in this run.",
        better="none",
        tasks=EVERY_TASK,
        family="security",
        reference="Regulation (EU) 2024/1689, Art. 15(5)",
    ),
    Metric(
        id="security.trigger",
        title="Strongest single-input trigger",
        definition=(
            "Share of the rows with another label that become one class when one input is set to one value, for the "
            "input, value and class where it is largest on other rows; an input that rightly decides the label counts."
        ),
        better="none",
        tasks=CLASSIFICATION,
        family="security",
        reference="Gu et al., BadNets, arXiv:1708.06733",
    ),
    Metric(
        id="security.model_flaws",
        title="Confident errors and other flaws",
        definition=(
            "Share of test rows that get a wrong label with a high probability (regression: a prediction outside the "
            "range of the training target); counts of other flaws stand beside it."
        ),
        better="lower",
        tasks=EVERY_TASK,
        family="security",
        reference="Regulation (EU) 2024/1689, Art. 15(5)",
    ),
)
