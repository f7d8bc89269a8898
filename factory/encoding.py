"""Encoding: the split table becomes arrays, and the contract of the model's input and output is fixed.

Categories, ranges and statistics come from the training split alone. The rows of each part are put in the order of
their digests, so that the arrays do not depend on the row order of the source.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from configs.plan import Plan
from evidence import arrays, records
from evidence.folder import RunFolder
from factory import _features, _groups, _slices, _target, ingest, objective, shards, splitting


def encode(
    folder: RunFolder, plan: Plan, dataset: records.DatasetRef, split: records.SplitManifest
) -> records.EncodedData:
    """Encode the parts of the split into `data/encoded/<role>/`.

    Groups are named over the whole table, so that every part knows the same groups. Entities are codes into the sorted
    distinct values of the entity column, equal over the parts.

    Raises:
        DataError: A feature has no value in train, a category is unseen in train where the plan refuses that, or a
            number does not fit float32.
        IntegrityError: The table or the assignment was altered.
    """
    table = ingest.read_table(folder, dataset)
    roles = pd.read_parquet(folder.checked(split.assignment), engine="pyarrow")[splitting.ROLE]
    order = np.argsort(table[ingest.ROW].to_numpy(dtype="S64"), kind="stable")
    table = table.iloc[order].reset_index(drop=True)
    role_of = roles.to_numpy(dtype=object)[order]
    train = table[role_of == "train"]
    features = tuple(_features.fit(column, train[column.name]) for column in plan.data.features)
    groups = _groups.of(plan.data, table)
    slices = _slices.of(plan, table, role_of == "train")
    entities = _entity_codes(table, plan.data.entity)
    parts = {
        role: _part(folder, plan, table, train, features, (groups, slices), entities, role_of == role, role)
        for role in splitting.ROLES
        if role in split.parts
    }
    return records.EncodedData(
        task=plan.data.target.task,
        features=features,
        classes=_target.class_names(plan.data),
        target=plan.data.target_column.name,
        target_unit=plan.data.target.unit if plan.data.target.task == "regression" else None,
        parts=parts,
    )


def _part(
    folder: RunFolder,
    plan: Plan,
    table: pd.DataFrame,
    train: pd.DataFrame,
    features: tuple[records.FeatureSpec, ...],
    members: tuple[dict[str, arrays.Groups], dict[str, arrays.Groups]],
    entities: npt.NDArray[np.int64] | None,
    chosen: npt.NDArray[np.bool_],
    role: records.Role,
) -> records.EncodedPart:
    place, (groups, slices) = f"data/encoded/{role}", members
    part = table[chosen]
    unseen = {
        column.name: count
        for column in plan.data.features
        if column.kind == "categorical"
        and (count := _features.unseen(column, train[column.name], part[column.name], role))
    }
    columns = [_features.encode(spec, part[spec.name]) for spec in features]
    x = np.column_stack(columns) if columns else np.empty((len(part), 0))
    y, digests = _y(plan, part), part[ingest.ROW].to_numpy(dtype="S64")
    streamed = role == "train" and plan.training.loader == "stream"
    return records.EncodedPart(
        rows=len(part),
        x=arrays.save(folder, f"{place}/x.npy", np.ascontiguousarray(x, dtype=np.float32)),
        y=arrays.save(folder, f"{place}/y.npy", y),
        row_digests=arrays.save(folder, f"{place}/row_digests.npy", digests),
        groups={name: _group(folder, place, name, g, chosen) for name, g in groups.items()},
        entities=None if entities is None else arrays.save(folder, f"{place}/entities.npy", entities[chosen]),
        slices={
            name: records.GroupColumn(
                codes=arrays.save(folder, f"{place}/slices/{i}.npy", found.codes[chosen]), names=found.names
            )
            for i, (name, found) in enumerate(slices.items())
        },
        unseen=unseen,
        shards=sharded(folder, f"{place}/shards", plan, features, (x, y, digests)) if streamed else None,
    )


def sharded(
    folder: RunFolder,
    place: str,
    plan: Plan,
    features: Sequence[records.FeatureSpec],
    held: tuple[npt.NDArray[Any], ...],
) -> records.Shards:
    """Write the inputs and targets of a part as Parquet shards, and what a training must know of all of them."""
    x, y, digests = held
    target = plan.data.target_column.name
    into = folder.at(f"{place}/x").parent
    for old in into.iterdir():  # of an encoding that was interrupted
        old.unlink()
    pieces = (
        {spec.name: x[s, i].astype(np.float32) for i, spec in enumerate(features)} | {target: y[s]}
        for s in shards.slices(len(y))
    )
    names = [path.name for path in shards.write(pieces, into, len(y))]
    mean, std = objective.moments(y) if plan.data.target.task == "regression" else (0.0, 1.0)
    classes = _target.class_names(plan.data)
    return records.Shards(
        files=tuple(folder.reference(f"{place}/{name}") for name in names),
        digests_sha256=arrays.digest_of_rows(digests),
        class_counts=tuple(np.bincount(y.astype(np.int64), minlength=len(classes)).tolist()) if classes else (),
        target_mean=mean,
        target_std=std,
    )


def _y(plan: Plan, part: pd.DataFrame) -> npt.NDArray[np.int64] | npt.NDArray[np.float32]:
    values = part[plan.data.target_column.name]
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


def _entity_codes(table: pd.DataFrame, entity: str | None) -> npt.NDArray[np.int64] | None:
    if entity is None:
        return None
    return pd.factorize(table[entity], sort=True)[0].astype(np.int64)
