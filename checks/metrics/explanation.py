"""What the outputs rest on, and where they hold (AI Act Art. 13): the metrics, in the order of reports."""

from __future__ import annotations

from checks.metrics.metric import Metric

ALL: tuple[Metric, ...] = ()
