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
from factory import checkpoints, reweighing, trainer, treated_groups

UNMITIGATED = "unmitigated"
"""Name of the variant without mitigation, and of its folder below `training/`."""


def fit(
    folder: RunFolder,
    plan: Plan,
    encoded: records.EncodedData,
    *,
    progress: trainer.ProgressCallback | None = None,
) -> records.TrainingRecord:
    """Train the plan's model with its mitigation, or take it up where the checkpoints of this run folder stand.

    Args:
        folder: Run folder; `training/` in it receives checkpoints and weights.
        plan: The plan.
        encoded: The encoded data. The test part is not opened.
        progress: Called after every epoch of every network.

    Raises:
        DataError: A treated group holds rows of one class only. See also `factory.trainer.train`.
    """
    method = plan.mitigation.method
    if method == "none":
        return trainer.train(folder, plan, encoded, progress=progress)
    return _reweighed(folder, plan, encoded, progress)


def _reweighed(
    folder: RunFolder, plan: Plan, encoded: records.EncodedData, progress: trainer.ProgressCallback | None
) -> records.TrainingRecord:
    part = arrays.load(folder, encoded, "train")
    found = reweighing.weights(treated_groups.of(plan, part))
    plain = trainer.train(folder, plan, encoded, progress=progress, place=f"{checkpoints.PLACE}/{UNMITIGATED}")

    def weigh(rows: arrays.Part) -> npt.NDArray[np.float64]:
        return reweighing.of_rows(found, treated_groups.rows_of(plan, rows))

    treated = trainer.train(folder, plan, encoded, progress=progress, weigh=weigh)
    return _with(treated, plain, _about(plan, weights=found), [part.use("weights of the mitigation")])


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
    others = [use.model_copy(update={"step": f"{UNMITIGATED}: {use.step}"}) for use in plain.uses]
    return treated.model_copy(
        update={
            "mitigation": about,
            "variants": {**treated.variants, UNMITIGATED: before},
            "uses": (*treated.uses, *uses, *others),
        }
    )
