"""The inputs of the model: the rows of each part as one array on the disk, and of a streamed training as shards."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from configs.plan import Plan
from evidence import records
from evidence.folder import RunFolder
from factory import _features, _rows, _scattered, _target, objective, shards


def write(
    folder: RunFolder, features: Sequence[records.FeatureSpec], rows: _rows.Rows
) -> dict[records.Role, records.ArtifactRef]:
    """Encode the rows some at a time, into `data/encoded/<role>/x.npy` of their part, in the order of their digests."""
    names = [spec.name for spec in features]
    places = {role: f"data/encoded/{role}/x.npy" for role in rows.roles}
    folder.clear_unfinished(*places.values())
    with contextlib.ExitStack() as opened:
        files = [
            opened.enter_context(
                _scattered.Scattered(
                    opened.enter_context(folder.replacing(places[role])),
                    (int(np.count_nonzero(rows.of(role))), len(features)),
                )
            )
            for role in rows.roles
        ]
        for frame, parts, positions in rows.as_stored(names) if names else ():
            x = np.column_stack([_features.encode(spec, frame[spec.name]) for spec in features])
            for number, file in enumerate(files):
                mine = np.flatnonzero(parts == number)
                file.add(x[mine], positions[mine])
        for file in files:
            file.put_in_order()
    return {role: folder.reference(place) for role, place in places.items()}


def sharded(
    folder: RunFolder,
    place: str,
    plan: Plan,
    features: Sequence[records.FeatureSpec],
    held: tuple[Iterable[npt.NDArray[np.float32]], npt.NDArray[Any], str],
) -> records.Shards:
    """Write the inputs and targets of a part as Parquet shards, and what a training must know of all of them.

    Args:
        folder: The run folder.
        place: Where the shards go; what is there of an encoding that was interrupted is removed.
        plan: The plan.
        features: Columns of the inputs.
        held: Inputs (rows, features) in pieces, targets (rows,), digest of the rows.
    """
    x, y, digests_sha256 = held
    target = plan.data.target_column.name
    into = folder.at(f"{place}/x").parent
    for old in into.iterdir():
        old.unlink()
    names = [path.name for path in shards.write(_pieces(features, target, x, y), into, len(y))]
    mean, std = objective.moments(y) if plan.data.target.task == "regression" else (0.0, 1.0)
    classes = _target.class_names(plan.data)
    return records.Shards(
        files=tuple(folder.reference(f"{place}/{name}") for name in names),
        digests_sha256=digests_sha256,
        class_counts=tuple(np.bincount(y.astype(np.int64), minlength=len(classes)).tolist()) if classes else (),
        target_mean=mean,
        target_std=std,
    )


def _pieces(
    features: Sequence[records.FeatureSpec], target: str, x: Iterable[npt.NDArray[np.float32]], y: npt.NDArray[Any]
) -> Iterable[dict[str, npt.NDArray[Any]]]:
    begin = 0
    for piece in x:
        end = begin + len(piece)
        yield {spec.name: piece[:, i] for i, spec in enumerate(features)} | {target: y[begin:end]}
        begin = end
