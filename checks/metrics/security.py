"""Attacks on the training data, on parts of the model and on its confidentiality (AI Act Art. 15(5)): the metrics."""

from __future__ import annotations

from checks.metrics.metric import Metric

ALL: tuple[Metric, ...] = ()
