"""The catalogue: every metric with its definition, range and direction, and the check of a policy against it.

Light on purpose: it loads the plan's types and nothing that computes.
"""

from __future__ import annotations

import difflib
import re

from checks.metrics import ALL, CLASSIFICATION, LANGUAGE, Family, Metric
from configs import errors, legal_thresholds
from configs.language.load import AnyPlan
from configs.language.plan import SLICES, LanguagePlan
from configs.plan import Plan
from configs.policy import Gate

__all__ = ["METRICS", "Metric", "bounds", "check_policy", "name_problem", "of_family", "task_of"]

UNGATEABLE = ("data.leakage", "export.parity", "robustness.properties")
"""Checks with a limit of their own that no policy can move: a breach means that no other number can be believed."""

MEASURED_ONCE: tuple[Family, ...] = ("data", "export")
"""Families whose intervals are made before the evaluation, at the policy's level."""
FROM_PREDICTIONS: tuple[Family, ...] = ("performance", "fairness", "data")
"""Families that predictions without their model can answer."""
FROM_PROBABILITIES = tuple(
    f"performance.{name}"
    for name in (
        "roc_auc", "pr_auc", "brier", "log_loss", "ece", "calibration_error", "calibration_in_the_large",
        "calibration_slope",
    )
)  # fmt: skip
_FOUR_FIFTHS = re.compile(r"four[\s-]fifths|80\s*%\s*rule|1607\.4", re.IGNORECASE)
"""Words by which a rationale names the rule."""

METRICS: dict[str, Metric] = {metric.id: metric for metric in ALL}
"""Identifier to metric, in the order of reports."""


def of_family(family: Family) -> tuple[Metric, ...]:
    """The metrics of one family, in the order of reports."""
    return tuple(m for m in METRICS.values() if m.family == family)


def task_of(plan: AnyPlan) -> str:
    """The task by which metrics are told apart: `binary`, `multiclass`, `regression` or `language_model`."""
    return plan.task if isinstance(plan, LanguagePlan) else plan.data.target.task


def bounds(metric: Metric, task: str) -> tuple[float, float]:
    """Smallest and largest value a metric can take for a task."""
    if metric.family == "robustness" and task in CLASSIFICATION:
        return 0.0, 1.0
    if metric.id == "performance.brier" and task == "binary":
        return 0.0, 1.0
    return metric.low, metric.high


def check_policy(plan: AnyPlan) -> None:
    """Refuse gates that can never mean what they say.

    Raises:
        PlanError: A gate names an unknown metric, one of another task, one whose limit is fixed, a slice that is not
            measured, a threshold outside the metric's range, the wrong direction, a legal threshold for numbers of
            another kind (a ratio on a difference), a setting that the check does not take, or what given predictions
            cannot answer. One line for each problem.
    """
    problems = [p for index, gate in enumerate(plan.policy.gates) if (p := _problem(plan, index, gate))]
    if not any(gate.required and gate.inconclusive == "blocks" for gate in plan.policy.gates):
        problems.append(
            "policy.gates: expected at least one required gate whose inconclusive answer blocks, got none: such a "
            "policy passes without anything decided. Make one gate required, with inconclusive: blocks."
        )
    if problems:
        raise errors.PlanError("\n".join(problems))


def name_problem(plan: AnyPlan, where: str, check: str, part: str) -> str | None:
    """Why a check and a slice name nothing that is measured for this plan; None where they do.

    Args:
        plan: The plan.
        where: Begins the sentence.
        check: Identifier of the catalogue.
        part: Slice.
    """
    metric = METRICS.get(check)
    if metric is None:
        return f"{where}: expected a metric of the catalogue, got an unknown name. {_suggestion(check)}"
    task = task_of(plan)
    if task not in metric.tasks:
        return (
            f"{where}: expected a metric for the task {task}, got one for {' and '.join(metric.tasks)}. "
            f"Name another, for example one of {', '.join(_gateable(task, metric.family))}."
        )
    if isinstance(plan, LanguagePlan):
        return _language_slice_problem(where, part, metric)
    if part not in ("overall", *(plan.shift_columns if metric.by_column else ()), *plan.slices):
        known = ", ".join(("overall", *(plan.shift_columns if metric.by_column else plan.slices)))
        return f"{where}: expected a slice that is known, got '{part}'. Known are {known}."
    return _given_problem(plan, where, metric) or _slice_problem(plan, where, part, metric)


def _problem(plan: AnyPlan, index: int, gate: Gate) -> str | None:
    where = f"policy.gates[{index}] {gate.check}"
    metric = METRICS.get(gate.check)
    if metric is not None and gate.check in UNGATEABLE:
        return f"{where}: expected a check whose limit is the policy's, got one that always counts. Remove the gate."
    problem = name_problem(plan, where, gate.check, gate.slice)
    if problem is not None or metric is None:
        return problem
    return (
        _legal_problem(where, gate, metric)
        or _threshold_problem(where, gate, metric, task_of(plan))
        or _settings_problem(where, gate, metric)
    )


def _suggestion(name: str) -> str:
    names = list(METRICS)
    tail = {m.partition(".")[2]: m for m in names}
    near = difflib.get_close_matches(name, names, n=1) or [
        tail[t] for t in difflib.get_close_matches(name.partition(".")[2], list(tail), n=1)
    ]
    return f"Did you mean {near[0]}?" if near else f"Known are {', '.join(names)}."


def _gateable(task: str, family: Family) -> list[str]:
    usual: Family = "language" if task in LANGUAGE else "performance"
    fitting = [m.id for m in of_family(family) if task in m.tasks and m.better != "none"]
    return fitting or [m.id for m in of_family(usual) if task in m.tasks and m.better != "none"]


def _given_problem(plan: Plan, where: str, metric: Metric) -> str | None:
    """What predictions without their model cannot answer: the gate would stay open whatever they are."""
    given = plan.predictions
    if given is None:
        return None
    if metric.family not in FROM_PREDICTIONS:
        return f"{where}: expected a metric of the predictions, got one that needs the model. Remove the gate."
    if metric.id in FROM_PROBABILITIES and not given.probabilities:
        return (
            f"{where}: expected a metric of the labels, got one of probabilities. Remove the gate, or name the columns "
            "of probabilities in predictions.probabilities."
        )
    return None


def _settings_problem(where: str, gate: Gate, metric: Metric) -> str | None:
    if metric.family in MEASURED_ONCE and gate.confidence is not None:
        return f"{where}: expected the policy's confidence, got {gate.confidence:g} for one check on data. Remove it."
    if metric.family not in ("fairness", "language") and gate.minimum_group_size is not None:
        return f"{where}: expected minimum_group_size on a check of groups, got it on another. Remove it."
    return None


def _language_slice_problem(where: str, part: str, metric: Metric) -> str | None:
    if metric.id == "language.bits_per_byte_gap" and part == "overall":
        return f"{where}: expected a slice, got overall. Set slice to one of {', '.join(SLICES)}."
    if not metric.sliced and part != "overall":
        return f"{where}: expected the slice overall, got '{part}': it is not measured per group. Remove slice."
    return None


def _slice_problem(plan: Plan, where: str, part: str, metric: Metric) -> str | None:
    if metric.family == "fairness" and not plan.slices:
        return f"{where}: expected protected attributes to compare, got none in data.protected. Declare them there."
    if metric.family == "fairness" and part == "overall":
        return f"{where}: expected a slice, got overall. Set slice to one of {', '.join(plan.slices)}."
    if metric.family == "mitigation":
        return _mitigation_problem(plan, where, part, metric)
    if metric.by_column and not plan.shift_columns:
        return (
            f"{where}: expected columns to slice by, got none in policy.robustness.shift.slices. Name them there, or "
            "remove the gate."
        )
    if not (metric.sliced or metric.by_column) and part != "overall":
        return f"{where}: expected the slice overall, got '{part}': it is not measured per group. Remove slice."
    return None


def _legal_problem(where: str, gate: Gate, metric: Metric) -> str | None:
    """A legal threshold on what it is not about: by its id, or by the words of the rationale."""
    named = gate.rule or ("four_fifths" if _FOUR_FIFTHS.search(gate.rationale or "") else None)
    if named is None:
        return None
    known = legal_thresholds.register()[named]
    if metric.id in known.metrics or (gate.rule is None and metric.scale != "difference"):
        return None
    got = f"a {metric.scale}" if metric.scale != "value" else "another measure"
    cited = "rule" if gate.rule else "rationale names the rule"
    return (
        f"{where}: {cited} {named} ({known.source}): expected the {known.scale} that it bounds, got {got}. "
        f"Gate {' or '.join(known.metrics)} with rule: {named}, or state a number with its own reason."
    )


def _mitigation_problem(plan: Plan, where: str, part: str, metric: Metric) -> str | None:
    """A gate on what mitigation or calibration changes needs one, and names the slice that is measured."""
    calibrated = metric.id in ("mitigation.ece_change", "mitigation.log_loss_change")
    if calibrated and plan.training.calibration == "none":
        return f"{where}: expected a plan with training.calibration, got none. State it, or remove the gate."
    if not calibrated and plan.mitigation.method == "none":
        return f"{where}: expected a plan with a mitigation, got none. State one, or remove the gate."
    wanted = str(plan.mitigation.attribute) if metric.sliced else "overall"
    if part != wanted:
        return f"{where}: expected the slice {wanted}, got '{part}'. Correct slice."
    return None


def _threshold_problem(where: str, gate: Gate, metric: Metric, task: str) -> str | None:
    direction, threshold = ("at_least", gate.at_least) if gate.at_least is not None else ("at_most", gate.at_most)
    if metric.better == "none":
        return f"{where}: expected a metric with a direction, got a descriptive one. Remove the gate."
    wanted = "at_least" if metric.better == "higher" else "at_most"
    if direction != wanted:
        return f"{where}: expected {wanted}, because {metric.better} is better, got {direction}. Write {wanted}."
    low, high = bounds(metric, task)
    if threshold is not None and not low <= threshold <= high:
        return f"{where}: expected a threshold from {low:g} to {high:g}, got {threshold:g}. Correct it."
    return None
