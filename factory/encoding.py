"""Encoding: the split table becomes arrays, and the contract of the model's input and output is fixed.

Categories, ranges and statistics come from the training split alone. The rows of each part are put in the order of
their digests, so that the arrays do not depend on the row order of the source.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import numpy.typing as npt
import pandas as pd

from configs.plan import Plan
from evidence import arrays, canonical, records
from evidence.folder import RunFolder
from factory import (
    _fitted,
    _groups,
    _inputs,
    _row_digests,
    _rows,
    _slices,
    _target,
    ingest,
    splitting,
)


@dataclasses.dataclass(frozen=True)
class _Known:
    """What is known of all rows, in the order of their digests."""

    y: npt.NDArray[np.int64] | npt.NDArray[np.float32]
    groups: dict[str, arrays.Groups]
    slices: dict[str, arrays.Groups]
    entities: npt.NDArray[np.int64] | None


def encode(
    folder: RunFolder, plan: Plan, dataset: records.DatasetRef, split: records.SplitManifest
) -> records.EncodedData:
    """Encode the parts of the split into `data/encoded/<role>/`.

    Groups are named over the whole table, so that every part knows the same groups. Entities are codes into the sorted
    distinct values of the entity column, equal over the parts. What is fitted is fitted column by column; then the rows
    are encoded some at a time. In memory are one column, and some numbers for each row.

    Raises:
        DataError: A feature has no value in train, a category is unseen in train where the plan refuses that, or a
            number does not fit float32.
        IntegrityError: The table or the assignment was altered.
    """
    roles = tuple(role for role in splitting.ROLES if role in split.parts)
    table = ingest.stored_table(folder, dataset)
    digests = ingest.digests_of(table)
    rows = _rows.Rows(table, digests, splitting.parts_of(folder, split, roles), roles)
    named = {role: _named(folder, role, digests[rows.order(role)]) for role in roles}
    del digests
    fitted = _fitted.fit(plan.data.features, rows)
    groups, slices = _groups.of(plan.data, rows), _slices.of(plan, rows, rows.of("train"))
    known = _Known(_y(plan, rows), groups, slices, _entity_codes(rows, plan.data.entity))
    if fitted.refused is not None:
        raise fitted.refused
    x = _inputs.write(folder, fitted.features, rows)
    parts = {role: _part(folder, plan, rows, known, fitted, (x[role], *named[role]), role) for role in roles}
    return records.EncodedData(
        task=plan.data.target.task,
        features=fitted.features,
        classes=_target.class_names(plan.data),
        target=plan.data.target_column.name,
        target_unit=plan.data.target.unit if plan.data.target.task == "regression" else None,
        parts=parts,
    )


def _part(
    folder: RunFolder,
    plan: Plan,
    rows: _rows.Rows,
    known: _Known,
    fitted: _fitted.Fitted,
    written: tuple[records.ArtifactRef, records.ArtifactRef, str],
    role: records.Role,
) -> records.EncodedPart:
    place, chosen = f"data/encoded/{role}", rows.of(role)
    y, (x, row_digests, digests_sha256) = known.y[chosen], written
    entities = None if known.entities is None else known.entities[chosen]
    shards = None
    if role == "train" and plan.training.loader == "stream":
        held = arrays.pieces(folder.checked(x)), y, digests_sha256
        shards = _inputs.sharded(folder, f"{place}/shards", plan, fitted.features, held)
    return records.EncodedPart(
        rows=len(y),
        x=x,
        y=arrays.save(folder, f"{place}/y.npy", y),
        row_digests=row_digests,
        groups={name: _group(folder, place, name, g, chosen) for name, g in known.groups.items()},
        entities=None if entities is None else arrays.save(folder, f"{place}/entities.npy", entities),
        slices={
            name: records.GroupColumn(
                codes=arrays.save(folder, f"{place}/slices/{i}.npy", found.codes[chosen]), names=found.names
            )
            for i, (name, found) in enumerate(known.slices.items())
        },
        unseen=fitted.unseen[role],
        shards=shards,
    )


def _named(folder: RunFolder, role: records.Role, digests: _row_digests.Digests) -> tuple[records.ArtifactRef, str]:
    """Write the row digests of a part; and the digest of them all."""
    place = f"data/encoded/{role}/row_digests.npy"
    with folder.replacing(place) as temporary, temporary.open("wb") as stream:
        _row_digests.save(stream, digests)
    return folder.reference(place), canonical.sha256_pieces(_row_digests.lines(digests))


def _y(plan: Plan, rows: _rows.Rows) -> npt.NDArray[np.int64] | npt.NDArray[np.float32]:
    values = rows[plan.data.target_column.name]
    if plan.data.target.task == "regression":
        return _target.numbers(values, f"column '{values.name}' (target)").astype(np.float32)
    return _target.codes(plan.data, values)


def _group(
    folder: RunFolder, place: str, name: str, groups: arrays.Groups, chosen: npt.NDArray[np.bool_]
) -> records.GroupColumn:
    file = name.replace(_groups.JOINT, "+")  # `+` stands in no attribute's name
    return records.GroupColumn(
        codes=arrays.save(folder, f"{place}/groups/{file}.npy", groups.codes[chosen]), names=groups.names
    )


def _entity_codes(rows: _rows.Rows, entity: str | None) -> npt.NDArray[np.int64] | None:
    if entity is None:
        return None
    return pd.factorize(rows[entity], sort=True)[0].astype(np.int64)
