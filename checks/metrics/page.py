"""The page on which every metric stands once, made of the register: `python -m checks.metrics.page` writes it.

A test holds `docs/metrics.md` equal to what is generated.
"""

from __future__ import annotations

import itertools
import math
import textwrap
from pathlib import Path

from checks import catalogue
from checks.metrics import Metric
from checks.metrics.metric import CLASSIFICATION, EVERY_TASK, LANGUAGE, Family

WIDTH = 120

FILE = Path(__file__).parents[2] / "docs" / "metrics.md"

HEAD = """\
# Metrics

Every metric of proofline, from the register in `checks/metrics/`. Documents print these definitions. Written by
`python -m checks.metrics.page`; change the register, not this page.

Each is measured on the exported ONNX graph (those of `data.` on the data), with an interval where it is taken from a
sample. A gate of the plan names the identifier. Metrics without a direction are descriptive and cannot be gated. With
*per group*, a gate may name a protected attribute or an intersection as its slice.

## How far intervals hold

95 % intervals are laid on simulated test sets whose truth is known; the tests hold the figures. Shares and gaps between
groups cover 93 to 97 %, more where a gap is small beside its noise. The area under the ROC curve covers at least 92 %
with ten positives, the average precision at least 91 % (its intervals are wide rather than short with few positives).

Errors and log losses can have a long tail, whose largest rows a sample rarely holds. Their intervals are studentised,
on the logarithmic scale, with a lognormal tail beyond the largest row. With normal, Laplace or lognormal errors (the
logarithm with a standard deviation of up to 1) they cover at least 92 % from 200 rows on, where percentiles of the same
replicates covered 61 to 90 %. **With fewer rows they may not:** 50 rows of such errors cover 88 to 97 %, 30 rows of
centred lognormal errors 80 %, because the rows that make the mean large are in few samples of that size. **Where the
variance of the squared errors is infinite** (tails heavier than a power of four, for RMSE and R²; heavier than a power
of two, for MAE) **no interval holds at its level, however many rows there are**: look at the largest errors, and gate a
bounded metric as well.

Of language models documents are the units, never tokens. Bits per byte and perplexity cover 93 to 98.5 % with five
documents or more, whether their lengths vary little or by a factor of ten; the gap between languages at least 93 %, and
its upper end misses no more often than that of a single language; increases under changes of the text 92 to 98 %.
"""
FAMILIES: dict[Family, str] = {
    "performance": "How well the model predicts",
    "fairness": "How it treats groups",
    "mitigation": "What mitigation and calibration changed",
    "robustness": "How it stands faults, shifts and attacks on its inputs",
    "security": "Other attacks (AI Act Art. 15(5))",
    "explanation": "What its outputs rest on, and where they hold (AI Act Art. 13)",
    "language": "Language models",
    "data": "The data",
    "export": "The exported graph",
}
DIRECTIONS = {"higher": "higher is better", "lower": "lower is better", "none": "descriptive"}
UNITS = {
    "target": "unit of the target",
    "loss": "nats; regression: variances of the target",
    "output": "log odds; regression: unit of the target",
}
"""Units that say too little by themselves."""


def text() -> str:
    """The page as it is committed."""
    sections = [
        "\n".join([f"## {FAMILIES[family]}", "", *(line for m in metrics for line in _entry(m))])
        for family, metrics in itertools.groupby(catalogue.METRICS.values(), key=lambda m: m.family)
    ]
    return "\n".join([HEAD, *sections]).rstrip() + "\n"


def _entry(metric: Metric) -> list[str]:
    facts = [DIRECTIONS[metric.better], _range(metric)]
    if metric.unit != "1":
        facts.append(f"unit: {UNITS.get(metric.unit, metric.unit)}")
    facts.append(_tasks(metric.tasks))
    if metric.sliced:
        facts.append("per language and domain" if metric.tasks == LANGUAGE else "per group")
    return [
        f"### {metric.title}",
        "",
        f"`{metric.id}` · {' · '.join(facts)}",
        "",
        *textwrap.wrap(metric.definition, WIDTH),
        "",
        f"Reference: {metric.reference}.",
        "",
    ]


def _range(metric: Metric) -> str:
    if math.isinf(metric.low):
        return "any number" if math.isinf(metric.high) else f"at most {metric.high:g}"
    return f"{metric.low:g} or more" if math.isinf(metric.high) else f"{metric.low:g} to {metric.high:g}"


def _tasks(tasks: tuple[str, ...]) -> str:
    if tasks == LANGUAGE:
        return "language models"
    if set(tasks) == set(EVERY_TASK):
        return "every task"
    return "classification" if set(tasks) == set(CLASSIFICATION) else " and ".join(tasks)


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
