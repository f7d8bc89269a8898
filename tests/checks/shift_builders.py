"""Subjects whose scores are given, for the checks that compare slices: no graph is needed to count its hits."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from configs.plan import Plan
from evidence import arrays, records
from tests.checks import model_builders

Codes = tuple[np.ndarray, tuple[str, ...]]


@dataclasses.dataclass(frozen=True)
class Parts:
    """Other parts with what the graph says of them."""

    given: dict[str, tuple[arrays.Part, Any]]

    def part(self, role: str) -> arrays.Part | None:
        """The arrays of a part."""
        return self.given[role][0] if role in self.given else None

    def scores(self, role: str) -> Any:
        """What the graph says of it."""
        return self.given[role][1] if role in self.given else None


def part(
    role: records.Role, x: np.ndarray, y: np.ndarray, *, slices: dict[str, Codes] | None = None,
    groups: dict[str, Codes] | None = None, entities: np.ndarray | None = None,
) -> arrays.Part:  # fmt: skip
    """Arrays of a part."""

    def of(given: dict[str, Codes] | None) -> dict[str, arrays.Groups]:
        return {n: arrays.Groups(c.astype(np.int16), names) for n, (c, names) in (given or {}).items()}

    digests = np.array([f"{i:064x}".encode() for i in range(len(y))], dtype="S64")
    return arrays.Part(role, x.astype(np.float32), y, digests, of(groups), entities, "0" * 64, of(slices))


def scores(y: np.ndarray, hit: np.ndarray, classes: int = 2) -> Any:
    """Labels that are right where `hit` is true."""
    from checks import scoring

    labels = np.where(hit, y, (y + 1) % classes).astype(np.int64)
    return scoring.Scores(labels=labels, probabilities=np.full((len(y), classes), 1 / classes))


def plan(task: str = "binary", *, shift: dict[str, Any] | None = None, **policy: Any) -> Plan:
    """A plan whose column `f0` can be sliced; `shift` and other settings of the robustness section are given."""
    robustness = {"shift": shift or {}, **policy.pop("robustness", {})}
    return model_builders.plan(task, policy.pop("gates", None), robustness=robustness, **policy)


def subject(
    chosen: Plan, test: arrays.Part, given: Any, *, validation: tuple[arrays.Part, Any] | None = None,
    specs: tuple[records.FeatureSpec, ...] | None = None, replicates: int = 200,
) -> Any:  # fmt: skip
    """A subject with given scores."""
    from checks import _subject, intervals

    task = chosen.data.target.task
    encoded = records.EncodedData(
        task=task,
        features=specs or model_builders.features(test.x),
        classes={"binary": ("no", "yes"), "multiclass": ("a", "b", "c"), "regression": ()}[task],
        target="y",
        target_unit=chosen.data.target.unit,
        parts={},
    )
    sampling = intervals.Sampling(chosen.policy.confidence, replicates, 0, test.entities)
    parts = Parts({"validation": validation} if validation else {})
    return _subject.Subject(chosen, encoded, test, None, given, sampling, parts)  # type: ignore[arg-type]
