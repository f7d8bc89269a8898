"""The rows of two versions: how many they share, how the groups' shares moved, how far the test parts lie apart."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from checks import _governance_splits, _governance_statistics
from checks.changes import matching
from checks.changes.side import Side
from evidence import arrays, diff_records, records

Floats32 = npt.NDArray[np.float32]
ROLES: tuple[records.Role, ...] = ("train", "validation", "test")


def compare(before: Side, after: Side, level: float) -> diff_records.RowsCompared:
    """What the rows, or where they are not at hand their digests, say.

    Raises:
        IntegrityError: An array was altered.
    """
    digests = [side.split.parts["test"].digests.sha256 for side in (before, after)]
    first, second = (_parts(side) for side in (before, after))
    known = bool(first and second)
    matched = matching.match(before, after, (first[-1], second[-1])) if known else None
    same_test = digests[0] == digests[1] or matched is not None
    return diff_records.RowsCompared(
        before=before.dataset.rows,
        after=after.dataset.rows,
        content_equal=before.dataset.rows_sha256 == after.dataset.rows_sha256,
        same_test_rows=same_test,
        matched_by=matched.by if matched is not None else None,
        shared=_shared(_all(first), _all(second)) if known else None,
        shared_test=_shared(first[-1].row_digests, second[-1].row_digests) if known else None,
        level=level,
        groups=_groups(first, second) if known else (),
        drift=_drift(before, after, first[-1], second[-1], level) if known and not same_test else (),
    )


def _parts(side: Side) -> list[arrays.Part]:
    """The parts that are at hand, the test part last; a plan that gives predictions has no other."""
    return [part for role in ROLES if (part := side.part(role)) is not None]


def _all(parts: list[arrays.Part]) -> npt.NDArray[np.bytes_]:
    return np.concatenate([part.row_digests for part in parts])


def _shared(first: npt.NDArray[np.bytes_], second: npt.NDArray[np.bytes_]) -> int:
    return int(np.isin(first, second).sum())


def _groups(first: list[arrays.Part], second: list[arrays.Part]) -> tuple[diff_records.GroupShare, ...]:
    """Shares of every group of each attribute that both versions have, over all rows with a known group."""
    found = []
    for attribute in first[0].groups:
        if attribute not in second[0].groups:
            continue
        shares = [_shares(parts, attribute) for parts in (first, second)]
        for group in dict.fromkeys([*shares[0], *shares[1]]):
            ends = [side.get(group, 0.0) for side in shares]
            found.append(
                diff_records.GroupShare(
                    attribute=attribute, group=group, before=ends[0], after=ends[1], value=ends[1] - ends[0]
                )
            )
    return tuple(found)


def _shares(parts: list[arrays.Part], attribute: str) -> dict[str, float]:
    names = parts[0].groups[attribute].names
    codes = np.concatenate([part.groups[attribute].codes for part in parts])
    counts = np.bincount(codes[codes >= 0], minlength=len(names))
    total = max(int(counts.sum()), 1)
    return {name: float(count) / total for name, count in zip(names, counts, strict=True)}


def _drift(
    before: Side, after: Side, first: arrays.Part, second: arrays.Part, level: float
) -> tuple[diff_records.FeatureDrift, ...]:
    """The index of every feature of both, the largest first; the intervals hold together (Bonferroni)."""
    if before.encoded is None or after.encoded is None:
        return ()
    specs = [{spec.name: (i, spec) for i, spec in enumerate(side.features)} for side in (before.encoded, after.encoded)]
    shared = [name for name in specs[0] if name in specs[1] and specs[1][name][1].kind == specs[0][name][1].kind]
    at = _governance_statistics.levels(level, len(shared))
    marks = np.arange(first.rows + second.rows) < first.rows
    clusters = None
    if first.entities is not None and second.entities is not None:
        # Entities are coded anew in each run: those of different runs are held apart.
        clusters = np.concatenate([first.entities, second.entities + first.entities.max(initial=0) + 1])
    found = []
    for name in shared:
        (i, old), (j, new) = specs[0][name], specs[1][name]
        values = np.concatenate([first.x[:, i], _recoded(second.x[:, j], new, old)])
        made = _governance_splits.between(values, marks, ~marks, at, clusters, categorical=old.kind == "categorical")
        if made.cells > 1:
            low, high = made.estimate.family
            found.append(
                diff_records.FeatureDrift(
                    feature=name, value=made.estimate.value, low=low, high=high, n=made.estimate.n
                )
            )
    return tuple(sorted(found, key=lambda d: (-d.value, d.feature)))


def _recoded(values: Floats32, own: records.FeatureSpec, other: records.FeatureSpec) -> Floats32:
    """Codes of categories as the other version has them; a category it lacks comes after its own."""
    if own.kind != "categorical" or own.categories == other.categories:
        return values
    names = dict.fromkeys([*other.categories, *own.categories])
    place = {name: code for code, name in enumerate(names)}
    table = np.array([place[name] for name in own.categories], dtype=np.float32)
    known = np.isfinite(values)
    found = values.copy()
    found[known] = table[values[known].astype(np.int64)]
    return found
