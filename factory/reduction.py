"""Exponentiated gradient around our own trainer, and what ships of it: one network that is a weighted mean.

Agarwal et al. (ICML 2018) play a game: one side weighs and relabels the training rows so that a violated constraint
costs more, the other fits a classifier to them. The solution draws one of these classifiers at random for each row. A
model that ships must answer the same row the same way, so the graph holds p(x) = Σ wᵢ pᵢ(x) instead and cuts it once.
That is another classifier, and the theorem about the random one says nothing of it: it is measured like any other.

An error costs t for a false positive and 1 − t for a false negative, where t is the plan's threshold (the share of
positive rows for `balanced_accuracy`): a right probability is then cut at t. In the weighted problem the members cut at
one half, so that logit t is added to their logit of class 1, which moves their cut to t as well.
"""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
import numpy.typing as npt

from configs import errors
from configs.plan import Plan
from evidence import arrays, canonical, records
from evidence.folder import RunFolder
from evidence.mitigation_records import Ensemble, Member
from factory import checkpoints, deciding, models, opening, trainer, training_state, treated_groups, user_module
from factory.progress import ProgressCallback, StopCallback
from factory.treated_groups import Treated

Codes = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclasses.dataclass(frozen=True)
class Side:
    """The rows of a part that have a group."""

    x: npt.NDArray[np.float32]
    rows: Treated

    @classmethod
    def of(cls, plan: Plan, part: arrays.Part) -> Side:
        """Leave the rows without a group out.

        Raises:
            DataError: A group holds rows of one class only.
        """
        found = treated_groups.of(plan, part)
        kept = found.known
        return cls(part.x[kept], dataclasses.replace(found, codes=found.codes[kept], y=found.y[kept]))

    @property
    def cell(self) -> Codes:
        """(rows,): group and label of each row as one code."""
        return self.rows.codes * 2 + self.rows.y


class Networks:
    """Fits a network to each problem that the reduction poses, and keeps it in the run folder by what the problem is.

    A problem is a label and a weight for each group and label. A reduction that is taken up after a kill poses the same
    problems again and finds their networks.
    """

    def __init__(
        self,
        folder: RunFolder,
        plan: Plan,
        encoded: records.EncodedData,
        architecture: dict[str, Any],
        sides: tuple[Side, Side],
        progress: ProgressCallback | None,
        stop: StopCallback | None,
    ) -> None:
        self._folder, self._plan, self._features = folder, plan, encoded.features
        self._architecture, self._sides = architecture, sides
        self._progress, self._stop = progress, stop
        attribute = str(plan.mitigation.attribute)
        parts = [encoded.parts[role] for role in ("train", "validation")]
        self._about = {
            "training": plan.training.model_dump(mode="json", exclude=training_state.HOW),
            "architecture": architecture,
            "arrays": [[p.x.sha256, p.y.sha256, p.groups[attribute].codes.sha256] for p in parts],
        }
        self.found: dict[str, trainer.Fitted] = {}
        self.taken_up = False
        """Was a network found that an earlier process had fitted?"""

    def fit(self, labels: Codes, weights: Floats) -> tuple[str, Codes]:
        """The name of the network for labels and weights of the training rows, and the labels that it gives them."""
        label, weight = self._by_cell(labels, weights)
        problem = {**self._about, "labels": label.tolist(), "weights": weight.tolist()}
        name = canonical.sha256(problem)[:32]
        if name not in self.found:
            self.found[name] = self._stored(name) or self._fitted(name, label, weight)
        return name, self.labels(name)

    def labels(self, name: str) -> Codes:
        """The labels that a fitted network gives the training rows (rows,)."""
        network = models.build(self._architecture, self._features)
        network.load_state_dict(self.found[name].weights)
        with user_module.guarded(self._plan.model.factory, "a forward that takes a batch of any size"):
            logits = deciding.outputs(network.eval(), self._sides[0].x)
        return (logits[:, 1] >= logits[:, 0]).astype(np.int64)

    def _by_cell(self, labels: Codes, weights: Floats) -> tuple[Codes, Floats]:
        """Label and weight of each group and label; weight 0 where the training rows hold none."""
        cell = self._sides[0].cell
        count = 2 * len(self._sides[0].rows.names)
        label, weight = np.zeros(count, np.int64), np.zeros(count)
        present, first = np.unique(cell, return_index=True)
        label[present], weight[present] = labels[first], weights[first]
        if not (np.array_equal(label[cell], labels) and np.allclose(weight[cell], weights, rtol=1e-9)):
            raise ValueError("a reduction weighs rows by group and label alone")
        return label, weight

    def _fitted(self, name: str, label: Codes, weight: Floats) -> trainer.Fitted:
        rows = []
        for side in self._sides:
            cell = side.cell
            rows.append(opening.Rows(side.x, label[cell], weight[cell].astype(np.float32)))
        made = trainer.fit_in_memory(
            self._plan,
            self._architecture,
            self._features,
            (rows[0], rows[1]),
            phase=f"Mitigate, network {len(self.found) + 1}",
            progress=self._progress,
            stop=self._stop,
        )
        saved = {"curve": [point.model_dump() for point in made.curve], "best_epoch": made.best_epoch}
        checkpoints.save_network(self._folder, _path(name), made.weights, saved)
        return made

    def _stored(self, name: str) -> trainer.Fitted | None:
        loaded = checkpoints.load_network(self._folder, _path(name))
        if loaded is None:
            return None
        self.taken_up = True
        tensors, saved = loaded
        curve = tuple(records.EpochPoint.model_validate(point) for point in saved["curve"])
        return trainer.Fitted(tensors, curve, int(saved["best_epoch"]))


def fit(
    folder: RunFolder,
    plan: Plan,
    encoded: records.EncodedData,
    plain: records.TrainingRecord,
    progress: ProgressCallback | None,
    stop: StopCallback | None,
) -> tuple[records.TrainingRecord, Ensemble]:
    """Run the reduction and make the weighted mean of what it found.

    Args:
        folder: Run folder; `training/` in it receives the networks and the weights of the mean.
        plan: The plan.
        encoded: The encoded data. The test part is not opened.
        plain: The record of the network without mitigation, whose architecture the members share.
        progress: Called after every epoch of every network.
        stop: Asked after every epoch: shall it end? The network that is being fitted is lost then, the others are kept.

    Returns:
        The training record of the mean, and what it is made of.

    Raises:
        DataError: A group holds rows of one class only.
        PlanError: The reduction puts no weight on a trained network.
    """
    parts = [arrays.load(folder, encoded, role) for role in ("train", "validation")]
    sides = (Side.of(plan, parts[0]), Side.of(plan, parts[1]))
    architecture = {key: value for key, value in plain.architecture.items() if key != "temperature"}
    networks = Networks(folder, plan, encoded, architecture, sides, progress, stop)
    cut = _cut(plan, sides[0].rows.y)
    found = _reduced(plan, networks, sides[0].rows, cut)
    shape = models.ensemble(architecture, list(found.weights.values()), found.constants, math.log(cut / (1.0 - cut)))
    network = models.build(shape, encoded.features)
    tensors = {
        f"members.{i}.{key}": tensor
        for i, name in enumerate(found.weights)
        for key, tensor in networks.found[name].weights.items()
    }
    network.load_state_dict(tensors)
    with user_module.guarded(plan.model.factory, "a forward that takes a batch of any size"):
        decided = deciding.decide(network, shape, plan, encoded, parts[1])
        scores = deciding.positive_scores(models.ShippedModel(network, encoded.task).eval(), sides[0].x)
    about = _about(plan, networks, found, cut, scores, sides[0].rows, parts[0].rows)
    checkpoint = checkpoints.save_weights(folder, tensors)
    main = networks.found[max(found.weights, key=lambda name: found.weights[name])]
    changes = {
        "checkpoint": checkpoint,
        "architecture": decided.architecture,
        "parameters": len(found.weights) * plain.parameters,
        "epochs": len(main.curve),
        "best_epoch": main.best_epoch,
        "curve": main.curve,
        "threshold": decided.threshold,
        "calibration": decided.calibration,
        "variants": decided.variants(checkpoint),
        "uses": (parts[0].use("fit"), parts[1].use("early stopping"), *decided.uses),
        "resumed": max(plain.resumed, int(networks.taken_up)),
        **_cost(plain, networks, sides[0]),
    }
    return plain.model_copy(update=changes), about


@dataclasses.dataclass(frozen=True)
class _Found:
    """What the reduction put weight on."""

    weights: dict[str, float]
    """Network to weight."""
    constants: tuple[float, float]
    """Weight of always giving class 0, and class 1."""
    iterations: int
    gap: float
    converged: bool


def _reduced(plan: Plan, networks: Networks, rows: Treated, cut: float) -> _Found:
    from factory import _fairlearn  # noqa: PLC0415 - takes seconds, and few plans need it

    bound = plan.mitigation.difference_bound
    found = _fairlearn.reduce(
        networks.fit,
        rows.y,
        rows.codes,
        plan.mitigation.constraint,
        difference_bound=bound,
        costs=(cut, 1.0 - cut),
        max_iterations=plan.mitigation.max_iterations,
    )
    weights = {name: weight for name, weight in found.weights.items() if name in networks.found}
    if not weights:
        raise errors.PlanError(
            "mitigation exponentiated_gradient: expected a combination of networks, got constants only: nothing that "
            f"was learned keeps the bound {bound:g}. Raise mitigation.difference_bound or max_iterations."
        )
    none, every = (found.weights.get(f"{_fairlearn.CONSTANT} {k}", 0.0) for k in (0, 1))
    return _Found(weights, (none, every), found.iterations, found.gap, found.converged)


def _cut(plan: Plan, y: Codes) -> float:
    """The probability from which the members' labels are positive."""
    wanted = plan.training.threshold
    return float(y.mean()) if isinstance(wanted, str) else float(wanted)


def _about(
    plan: Plan,
    networks: Networks,
    found: _Found,
    cut: float,
    scores: npt.NDArray[np.float32],
    rows: Treated,
    train_rows: int,
) -> Ensemble:
    constraint = plan.mitigation.constraint
    drawn = sum((w * networks.labels(name) for name, w in found.weights.items()), np.full(len(rows.y), 0.0))
    cut_once = (scores >= np.float32(cut)).astype(np.float64)
    fitted = [
        Member(weight=w, epochs=len(networks.found[name].curve), best_epoch=networks.found[name].best_epoch)
        for name, w in found.weights.items()
    ]
    constants = [Member(weight=w, epochs=0, best_epoch=0, constant=k) for k, w in enumerate(found.constants) if w]
    return Ensemble(
        members=(*fitted, *constants),
        fitted=len(networks.found),
        iterations=found.iterations,
        converged=found.converged,
        gap=found.gap,
        cut=cut,
        violation_random=treated_groups.violation(drawn + found.constants[1], rows, constraint),
        violation_shipped=treated_groups.violation(cut_once, rows, constraint),
        missing_rows=train_rows - len(rows.y),
    )


def _cost(plain: records.TrainingRecord, networks: Networks, side: Side) -> dict[str, Any]:
    """Time and arithmetic of every network that was fitted, also of those that got no weight."""
    epochs = sum(len(made.curve) for made in networks.found.values())
    seconds = sum(point.seconds for made in networks.found.values() for point in made.curve)
    flops = plain.flops
    if flops.value is not None:
        # The networks share one architecture and their rows: only the epochs differ.
        flops = flops.model_copy(update={"value": float(round(flops.value * epochs / plain.epochs))})
    return {"seconds": seconds, "rows_per_second": epochs * len(side.x) / seconds, "flops": flops}


def _path(name: str) -> str:
    return f"{checkpoints.PLACE}/networks/{name}.safetensors"
