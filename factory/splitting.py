"""Splitting: every row goes to train, validation or test by a seeded hash of its content.

The unit that is assigned is the row digest, so that identical rows stay together, or the value of the entity column
where the plan names one, so that a person never sits on both sides. Within each stratum (class of the target, or decile
for regression) the units are put in the order of SHA-256(seed, unit) and cut at the declared shares. The result depends
on the content of the table and on the seed, never on the order of the rows. Rank instead of a bare threshold on the
hash keeps the shares and the classes close to what is declared even in small tables; the price is that adding rows can
move units that lie at a cut.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from configs import data, errors, modelling
from configs.plan import Plan
from evidence import records
from evidence.folder import RunFolder
from factory import _row_digests, _stored, _target, ingest, shards

ROLES: tuple[records.Role, ...] = ("train", "validation", "test")
ASSIGNMENT = "data/assignment.parquet"
ROLE = "_role"
"""Name of the column that holds the part of a row."""
QUANTILE_BINS = 10
"""Strata of a regression target."""
Units = npt.NDArray[np.bytes_]
"""(rows,) key of the unit of each row, `S16`: two units have the same with a probability of 2⁻¹²⁸."""


def split(folder: RunFolder, plan: Plan, dataset: records.DatasetRef) -> records.SplitManifest:
    """Assign every ingested row to a part, and store the assignment and the sorted digests of each part.

    Where the plan gives predictions instead of a model, every row is a test row, and there are no other parts.
    In memory are the digest, the unit and the target of each row.

    Raises:
        DataError: A part would be empty, or a class would be missing from train.
        IntegrityError: The ingested table was altered.
    """
    table = ingest.stored_table(folder, dataset)
    codes, stratum = _targets(table, plan.data)
    units = _units(table, plan.data.entity, plan.split.seed)
    if plan.predictions is not None:
        parts = np.full(table.rows, ROLES.index("test"), dtype=np.int8)
        method = "every row is a test row: the plan gives predictions"
    else:
        parts = assign(units, stratum, plan.split)
        _check_parts(parts, plan, codes)
        method = _method(plan)
    entities = units if plan.data.entity else None
    del units, stratum
    digests = ingest.digests_of(table)
    return records.SplitManifest(
        seed=plan.split.seed,
        method=method,
        parts={
            role: _part(folder, plan, (digests, codes, entities), parts == i, role)
            for i, role in enumerate(ROLES)
            if plan.predictions is None or role == "test"
        },
        assignment=_store(folder, digests, parts),
    )


def _targets(table: _stored.Stored, declared: data.Data) -> tuple[npt.NDArray[np.int64] | None, npt.NDArray[np.int64]]:
    """Class codes (rows,), None for regression, and the stratum of each row (rows,)."""
    values = table.column(declared.target_column.name)
    if declared.target.task == "regression":
        return None, strata(declared, values)
    codes = _target.codes(declared, values)
    return codes, codes


def parts_of(
    folder: RunFolder, manifest: records.SplitManifest, roles: tuple[records.Role, ...]
) -> npt.NDArray[np.int8]:
    """The part of each ingested row (rows,): index into `roles`.

    Raises:
        IntegrityError: The assignment was altered.
    """
    table = _stored.Stored(folder.checked(manifest.assignment))
    found = []
    for frame in table.frames([ROLE]):
        codes, different = pd.factorize(frame[ROLE])
        found.append(np.array([roles.index(role) for role in different], dtype=np.int8)[codes])
    return np.concatenate(found)


def _units(table: _stored.Stored, entity: str | None, seed: int) -> Units:
    """What each row must stay together with (rows,)."""
    found = bytearray()
    for batch in table.batches([entity or ingest.ROW]):
        different = batch.column(0).dictionary_encode()
        names = [_row_digests.text_of(value) for value in different.dictionary.to_pylist()]
        found += keys(seed, names)[different.indices.to_numpy()].tobytes()
    return np.frombuffer(found, dtype="S16")


def keys(seed: int, units: Iterable[str]) -> Units:
    """Half of SHA-256(seed, unit) for each unit: by its order the units are cut, and it stands for the unit."""
    return np.frombuffer(b"".join([hashlib.sha256(f"{seed}:{unit}".encode()).digest()[:16] for unit in units]), "S16")


def strata(declared: data.Data, values: pd.Series) -> npt.NDArray[np.int64]:
    """Bin of the target's quantiles of each row of a regression (rows,)."""
    numbers = _target.numbers(values, f"column '{values.name}' (target)")
    bins = max(1, min(QUANTILE_BINS, len(numbers) // 10))
    edges = np.unique(np.quantile(numbers, np.linspace(0, 1, bins + 1)[1:-1]))
    return np.searchsorted(edges, numbers, side="right").astype(np.int64)


def assign(units: Units, stratum: npt.NDArray[np.int64], shares: modelling.Split) -> npt.NDArray[np.int8]:
    """Part of each row (rows,): 0 train, 1 validation, 2 test.

    A unit with rows in several strata belongs to the rarest of them, so that rare classes are spread evenly. A unit
    goes where the middle of its rows falls.

    Args:
        units: What must stay together (rows,), as `keys` gives it.
        stratum: Stratum of each row (rows,).
        shares: Declared shares, and whether to stratify.
    """
    different, codes = np.unique(units, return_inverse=True)  # in the order of the keys
    sizes = np.bincount(codes, minlength=len(different))
    of_unit = _rarest(codes, stratum, len(different)) if shares.stratify else np.zeros(len(different), dtype=np.int64)
    cuts = np.array([shares.train, shares.train + shares.validation])
    part = np.empty(len(different), dtype=np.int8)
    for s in np.unique(of_unit):
        members = np.flatnonzero(of_unit == s)
        ends = np.cumsum(sizes[members])
        middle = (ends - sizes[members] / 2) / ends[-1]
        part[members] = np.searchsorted(cuts, middle, side="right")
    return part[codes]


def _rarest(codes: npt.NDArray[np.int64], stratum: npt.NDArray[np.int64], units: int) -> npt.NDArray[np.int64]:
    """Rarest stratum of each unit; among equally rare ones the one with the lower number."""
    values, counts = np.unique(stratum, return_counts=True)
    order = values[np.lexsort((values, counts))]  # rarest first
    rank = np.empty(int(values.max()) + 1, dtype=np.int64)
    rank[order] = np.arange(len(order))
    best = np.full(units, len(order), dtype=np.int64)
    np.minimum.at(best, codes, rank[stratum])
    return order[best]


def _check_parts(parts: npt.NDArray[np.int8], plan: Plan, codes: npt.NDArray[np.int64] | None) -> None:
    counts = np.bincount(parts, minlength=len(ROLES))
    for role, count in zip(ROLES, counts, strict=True):
        if count == 0:
            more = f"more different values of '{plan.data.entity}'" if plan.data.entity else "more different rows"
            raise errors.DataError(
                f"split {role}: expected rows, got none out of {len(parts)}. Provide {more}, or raise split.{role}."
            )
    if codes is None:
        return
    present = set(np.unique(codes[parts == 0]).tolist())
    for code, name in enumerate(_target.class_names(plan.data)):
        if code not in present:
            raise errors.DataError(
                f"split train: expected rows of every class, got none of '{name}'. Provide more rows of this class, "
                "remove it from data.target, or change split.train or split.seed."
            )


def _part(
    folder: RunFolder,
    plan: Plan,
    rows: tuple[_row_digests.Digests, npt.NDArray[np.int64] | None, Units | None],
    chosen: npt.NDArray[np.bool_],
    role: records.Role,
) -> records.SplitPart:
    digests, codes, entities = rows
    counts: dict[str, int] = {}
    if codes is not None:
        names = _target.class_names(plan.data)
        counts = dict(zip(names, np.bincount(codes[chosen], minlength=len(names)).tolist(), strict=True))
    mine, place = digests[chosen], f"data/digests/{role}.txt"
    mine.sort()
    with folder.replacing(place) as temporary, temporary.open("wb") as stream:
        stream.writelines(_row_digests.lines(mine))
    return records.SplitPart(
        rows=len(mine),
        digests=folder.reference(place),
        entities=None if entities is None else len(np.unique(entities[chosen])),
        class_counts=counts,
    )


def _store(folder: RunFolder, digests: _row_digests.Digests, parts: npt.NDArray[np.int8]) -> records.ArtifactRef:
    empty = {name: pd.Series([], dtype="string") for name in (ingest.ROW, ROLE)}
    schema = pa.Schema.from_pandas(pd.DataFrame(empty), preserve_index=False)
    folder.clear_unfinished(ASSIGNMENT)
    with folder.replacing(ASSIGNMENT) as temporary, _stored.Writer(temporary, schema) as writer:
        for rows in shards.slices(len(parts)):
            roles = pa.DictionaryArray.from_arrays(parts[rows], pa.array(ROLES))
            table = pa.table({ingest.ROW: _row_digests.strings(digests[rows]), ROLE: roles})
            writer.write(table.cast(schema))
    return folder.reference(ASSIGNMENT)


def _method(plan: Plan) -> str:
    unit = f"the entity '{plan.data.entity}'" if plan.data.entity else "the row digest"
    if not plan.split.stratify:
        within = "over the whole table"
    elif plan.data.target.task == "regression":
        within = "within quantile bins of the target"
    else:
        within = "within the classes of the target"
    return f"order of the seeded SHA-256 of {unit}, cut at the declared shares {within}; seed {plan.split.seed}"
