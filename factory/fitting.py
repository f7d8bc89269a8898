"""The whole fitting of a plan: the network, what the plan does about groups, and the same without it for comparison.

Reads train and validation only; every reading is a use in the record. The network without mitigation is trained with
the same seed on the same rows, so that before and after differ in the mitigation alone.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from configs.plan import Plan
from evidence import arrays, records
from evidence.folder import RunFolder
from evidence.mitigation_records import MitigationRecord
from factory import checkpoints, deciding, group_cuts, reduction, reweighing, trainer, treated_groups
from factory.progress import Calls, ProgressCallback, StopCallback

UNMITIGATED = "unmitigated"
"""Name of the variant without mitigation, and of its folder below `training/`."""


ROLES: dict[str, tuple[records.Role, ...]] = {
    "reweighing": ("train",),
    "exponentiated_gradient": ("train", "validation"),
    "threshold_optimizer": ("train", "validation"),
}
"""The parts in which a method needs both classes in every group."""


def fit(
    folder: RunFolder,
    plan: Plan,
    encoded: records.EncodedData,
    *,
    progress: ProgressCallback | None = None,
    stop: StopCallback | None = None,
) -> records.TrainingRecord:
    """Train the plan's model with its mitigation, or take it up where the checkpoints of this run folder stand.

    Args:
        folder: Run folder; `training/` in it receives checkpoints and weights.
        plan: The plan.
        encoded: The encoded data. The test part is not opened.
        progress: Called after every epoch of every network.
        stop: Asked now and then: shall the training save and end?

    Raises:
        DataError: A treated group holds rows of one class only. See also `factory.trainer.train`.
        Stopped: It was asked to end.
    """
    calls: Calls = {"progress": progress, "stop": stop}
    method = plan.mitigation.method
    if method == "none":
        return trainer.train(folder, plan, encoded, **calls)
    for role in ROLES[method]:
        treated_groups.of(plan, arrays.load(folder, encoded, role))
    treat = {
        "reweighing": _reweighed,
        "exponentiated_gradient": _reduced,
        "threshold_optimizer": _cut_by_group,
    }[method]
    return treat(folder, plan, encoded, calls)


def _reweighed(folder: RunFolder, plan: Plan, encoded: records.EncodedData, calls: Calls) -> records.TrainingRecord:
    part = arrays.load(folder, encoded, "train")
    found = reweighing.weights(treated_groups.rows_of(plan, part))
    plain = _untreated(folder, plan, encoded, calls)

    def weigh(rows: arrays.Part) -> npt.NDArray[np.float64]:
        return reweighing.of_rows(found, treated_groups.rows_of(plan, rows))

    treated = trainer.train(folder, plan, encoded, **calls, weigh=weigh)
    return _with(treated, plain, _about(plan, weights=found), [part.use("weights of the mitigation")])


def _reduced(folder: RunFolder, plan: Plan, encoded: records.EncodedData, calls: Calls) -> records.TrainingRecord:
    plain = _untreated(folder, plan, encoded, calls)
    treated, ensemble = reduction.fit(folder, plan, encoded, plain, **calls)
    return _with(treated, plain, _about(plan, ensemble=ensemble), [])


def _cut_by_group(folder: RunFolder, plan: Plan, encoded: records.EncodedData, calls: Calls) -> records.TrainingRecord:
    part = arrays.load(folder, encoded, "validation")
    rows = treated_groups.rows_of(plan, part)
    plain = trainer.train(folder, plan, encoded, **calls)
    if plain.threshold is None:
        raise TypeError("a binary classifier has a threshold")
    scores = deciding.positive_scores(checkpoints.shipped(folder, plain, encoded), part.x)
    found = group_cuts.fit(plan, encoded, rows, scores, plain.threshold.value)
    group_cuts.require_same_groups(found, encoded, part.x, rows)
    threshold = plain.threshold.model_copy(update={"groups": found, "chosen_on": "validation"})
    treated = plain.model_copy(update={"threshold": threshold})
    return _with(treated, plain, _about(plan), [part.use("thresholds of the groups")])


def _untreated(folder: RunFolder, plan: Plan, encoded: records.EncodedData, calls: Calls) -> records.TrainingRecord:
    place = f"{checkpoints.PLACE}/{UNMITIGATED}"
    return trainer.train(folder, plan, encoded, **calls, place=place)


def _about(plan: Plan, **found: object) -> MitigationRecord:
    stated = plan.mitigation
    return MitigationRecord.model_validate(
        {"method": stated.method, "attribute": stated.attribute, "constraint": stated.constraint, **found}
    )


def _with(
    treated: records.TrainingRecord,
    plain: records.TrainingRecord,
    about: MitigationRecord,
    uses: Iterable[records.DataUse],
) -> records.TrainingRecord:
    """The record of the model that ships, with the one without mitigation beside it."""
    before = records.Variant(checkpoint=plain.checkpoint, architecture=plain.architecture, threshold=plain.threshold)
    changes = {
        "mitigation": about,
        "variants": {**treated.variants, UNMITIGATED: before},
        "uses": (*treated.uses, *uses),
    }
    if treated.checkpoint != plain.checkpoint:
        others = [use.model_copy(update={"step": f"{UNMITIGATED}: {use.step}"}) for use in plain.uses]
        left_out = f"{treated.flops.boundary}; the network trained without mitigation for comparison is left out"
        changes |= {
            "uses": (*treated.uses, *uses, *others),
            "flops": treated.flops.model_copy(update={"boundary": left_out}),
            "resumed": max(treated.resumed, plain.resumed),
        }
    return treated.model_copy(update=changes)
