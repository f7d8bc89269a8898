"""The exported graph: the metrics, in the order of reports."""

from __future__ import annotations

from math import inf

from checks.metrics.metric import EVERY_TASK, Metric

ALL: tuple[Metric, ...] = (
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
