"""Task suites of lm-evaluation-harness on the exported graph, where the plan names tasks and their data are at hand.

A task is a name that the harness knows, or a YAML file of a task (relative to `PROOFLINE_DATA`, or to where the command
runs). Nothing is downloaded: the harness is told that there is no network, and a task whose data are not on this
machine is not measured and says so. A task file is read as plain YAML; one that names code is refused.
"""

from __future__ import annotations

import contextlib
import importlib.util
import logging
import os
import re
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from scipy import special

from checks._subject import measured, not_applicable, not_measured
from checks.language import harness_model
from checks.language._subject import Subject
from evidence import records

CHECK = "language.harness"
PACKAGE = "lm_eval"
MISSING = 'lm-evaluation-harness is not installed; `pip install ".[harness]"` in a clone of the repository'
OFFLINE = {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "HF_EVALUATE_OFFLINE": "1"}
_PATH = re.compile(r"(?<![\w/:])(?:/[^\s/'\",:;()]+){2,}")
"""An absolute path of two steps or more."""
_ENDINGS = (".yaml", ".yml")


def measure(subject: Subject) -> tuple[records.CheckResult, ...]:
    """The result: one measure for each metric of each task; tasks that could not run are named with the reason."""
    asked = subject.plan.policy.harness
    if not asked.tasks:
        return (not_applicable(CHECK, "the plan names no task (policy.harness.tasks)"),)
    if importlib.util.find_spec(PACKAGE) is None:
        return (not_measured(CHECK, MISSING),)
    found, failed, version = subject.once("harness", lambda: _all(subject, asked.tasks, asked.limit))
    if not found:
        return (not_measured(CHECK, "; ".join(f"{task}: {why}" for task, why in failed.items())),)
    measures = [_measure(subject, task, metric, *numbers) for task, metric, *numbers in found]
    first = measures[0]
    headline = first.model_copy(update={"name": CHECK, "note": first.name.removeprefix(f"{CHECK}.")})
    return (measured(CHECK, (headline, *measures), {"not_measured": failed, "version": version, "limit": asked.limit}),)


Found = list[tuple[str, str, float, float | None, int | None]]
"""Task, metric, value, standard error, examples."""


def _all(subject: Subject, tasks: tuple[str, ...], limit: int | None) -> tuple[Found, dict[str, str], str]:
    found: Found = []
    failed: dict[str, str] = {}
    with _offline():
        import lm_eval  # noqa: PLC0415 - optional, and slow to import

        model = harness_model.model(subject)
        for done, task in enumerate(tasks):
            subject.told(f"harness, {task}", done, len(tasks))
            try:
                found += _one(lm_eval, model, task, limit)
            except Exception as error:  # whatever a task or its data set raises is the reason why it was not measured
                failed[task] = _reason(error)
        return found, failed, str(lm_eval.__version__)


def _one(lm_eval: Any, model: Any, task: str, limit: int | None) -> Found:
    asked: Any = _read(task) if task.endswith(_ENDINGS) else task
    said = lm_eval.simple_evaluate(model=model, tasks=[asked], limit=limit, log_samples=False, bootstrap_iters=1000)
    found: Found = []
    for name, metrics in said["results"].items():
        count = said.get("n-samples", {}).get(name, {}).get("effective")
        for key, value in metrics.items():
            metric, _, how = key.partition(",")
            if not isinstance(value, int | float) or metric.endswith("_stderr") or not how:
                continue
            error = metrics.get(f"{metric}_stderr,{how}")
            found.append((name, metric, float(value), float(error) if isinstance(error, int | float) else None, count))
    return found


def _reason(error: Exception) -> str:
    """The first line of an error, without places of this machine: it goes into a record."""
    first = str(error).splitlines()[0] if str(error) else ""
    return f"{type(error).__name__}: {_PATH.sub(lambda found: f'…/{Path(found[0]).name}', first)[:160]}"


def _read(task: str) -> dict[str, Any]:
    place = Path(os.environ.get("PROOFLINE_DATA", "."), task)
    if not place.is_file():
        raise FileNotFoundError(f"expected a task file {task} in PROOFLINE_DATA, or where the command runs, got none")
    content = yaml.safe_load(place.read_text(encoding="utf-8"))
    if not isinstance(content, dict):
        raise TypeError("expected a mapping in the task's YAML")
    return content


def _measure(
    subject: Subject, task: str, metric: str, value: float, error: float | None, count: int | None
) -> records.Measure:
    interval = None
    if error is not None and error > 0:
        level = subject.sampling.level
        reach = float(special.ndtri(0.5 + level / 2)) * error
        method = "normal, standard error of lm-evaluation-harness"
        interval = records.Interval(low=value - reach, high=value + reach, level=level, method=method)
    return records.Measure(name=f"{CHECK}.{task}.{metric}", value=value, interval=interval, n=count)


@contextlib.contextmanager
def _offline() -> Iterator[None]:
    """No network, no warnings of other people's modules, and the environment as it was afterwards."""
    before = {name: os.environ.get(name) for name in OFFLINE}
    os.environ.update(OFFLINE)
    disabled = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(disabled)
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
