"""What mitigation and calibration change: the metrics, in the order of reports. All after less before, same rows."""

from __future__ import annotations

from math import inf

from checks.metrics.metric import BINARY, CLASSIFICATION, Metric

ALL: tuple[Metric, ...] = (
    Metric(
        id="mitigation.disparity_change",
        title="Change of the gap between groups by mitigation",
        definition=(
            "Largest less smallest rate of the groups of the treated attribute after mitigation, less the same before; "
            "the rates are those of the plan's constraint, and the larger gap counts where there are two. Below 0 the "
            "gap has become smaller."
        ),
        low=-1.0,
        better="lower",
        tasks=BINARY,
        family="mitigation",
        sliced=True,
        reference="Agarwal et al. 2018; Hardt et al. 2016; interval: proofline, checks._paired",
    ),
    Metric(
        id="mitigation.accuracy_change",
        title="Change of the accuracy by mitigation",
        definition="Accuracy after mitigation less accuracy before. Below 0 is what the mitigation costs.",
        low=-1.0,
        better="higher",
        tasks=BINARY,
        family="mitigation",
        reference="Tang et al. 2010 (interval for paired shares)",
    ),
    Metric(
        id="mitigation.balanced_accuracy_change",
        title="Change of the balanced accuracy by mitigation",
        definition=(
            "Balanced accuracy after mitigation less balanced accuracy before. Below 0 is what the mitigation costs."
        ),
        low=-1.0,
        better="higher",
        tasks=BINARY,
        family="mitigation",
        reference="Tang et al. 2010 (interval for paired shares)",
    ),
    Metric(
        id="mitigation.ece_change",
        title="Change of the calibration error by temperature scaling",
        definition=(
            "Expected calibration error with the temperature less the same without it. Below 0 the probabilities have "
            "become truer."
        ),
        low=-1.0,
        better="lower",
        tasks=CLASSIFICATION,
        family="mitigation",
        reference="Guo et al. 2017",
    ),
    Metric(
        id="mitigation.log_loss_change",
        title="Change of the log loss by temperature scaling",
        definition="Log loss with the temperature less the same without it. Below 0 the probabilities are truer.",
        unit="nat",
        low=-inf,
        high=inf,
        better="lower",
        tasks=CLASSIFICATION,
        family="mitigation",
        reference="Guo et al. 2017",
    ),
)
