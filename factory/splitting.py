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
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from configs import data, errors, modelling
from configs.plan import Plan
from evidence import arrays, records
from evidence.folder import RunFolder
from factory import _row_digests, _target, ingest

ROLES: tuple[records.Role, ...] = ("train", "validation", "test")
ASSIGNMENT = "data/assignment.parquet"
ROLE = "_role"
"""Name of the column that holds the part of a row."""
QUANTILE_BINS = 10
"""Strata of a regression target."""


def split(folder: RunFolder, plan: Plan, dataset: records.DatasetRef) -> records.SplitManifest:
    """Assign every ingested row to a part, and store the assignment and the sorted digests of each part.

    Where the plan gives predictions instead of a model, every row is a test row, and there are no other parts.

    Raises:
        DataError: A part would be empty, or a class would be missing from train.
        IntegrityError: The ingested table was altered.
    """
    entity, target = plan.data.entity, plan.data.target_column.name
    wanted = [ingest.ROW, target, *([entity] if entity else [])]
    table = ingest.read_table(folder, dataset, wanted)
    digests = table[ingest.ROW].to_numpy(dtype="S64")
    if plan.predictions is not None:
        parts = np.full(len(table), ROLES.index("test"), dtype=np.int8)
        return _manifest(folder, plan, table, digests, parts, "every row is a test row: the plan gives predictions")
    units = table[entity].map(_row_digests.text_of).to_numpy(dtype=object) if entity else digests.astype(str)
    parts = assign(units, strata(plan.data, table[target]), plan.split)
    _check_parts(parts, plan, table[target])
    return _manifest(folder, plan, table, digests, parts, _method(plan))


def _manifest(
    folder: RunFolder,
    plan: Plan,
    table: pd.DataFrame,
    digests: npt.NDArray[np.bytes_],
    parts: npt.NDArray[np.int8],
    method: str,
) -> records.SplitManifest:
    return records.SplitManifest(
        seed=plan.split.seed,
        method=method,
        parts={
            role: _part(folder, plan, table, digests, parts == i, role)
            for i, role in enumerate(ROLES)
            if plan.predictions is None or role == "test"
        },
        assignment=_store(folder, digests, parts),
    )


def strata(declared: data.Data, values: pd.Series) -> npt.NDArray[np.int64]:
    """Stratum of each row (rows,): class code, or bin of the target's quantiles for regression."""
    if declared.target.task != "regression":
        return _target.codes(declared, values)
    numbers = _target.numbers(values, f"column '{values.name}' (target)")
    bins = max(1, min(QUANTILE_BINS, len(numbers) // 10))
    edges = np.unique(np.quantile(numbers, np.linspace(0, 1, bins + 1)[1:-1]))
    return np.searchsorted(edges, numbers, side="right").astype(np.int64)


def assign(
    units: Sequence[str] | npt.NDArray[np.generic], stratum: npt.NDArray[np.int64], shares: modelling.Split
) -> npt.NDArray[np.int8]:
    """Part of each row (rows,): 0 train, 1 validation, 2 test.

    A unit with rows in several strata belongs to the rarest of them, so that rare classes are spread evenly. A unit
    goes where the middle of its rows falls.

    Args:
        units: What must stay together (rows,).
        stratum: Stratum of each row (rows,).
        shares: Declared shares, seed and whether to stratify.
    """
    codes, names = pd.factorize(np.asarray(units, dtype=object))
    sizes = np.bincount(codes, minlength=len(names))
    of_unit = _rarest(codes, stratum, len(names)) if shares.stratify else np.zeros(len(names), dtype=np.int64)
    keys = np.array([_key(shares.seed, str(name)) for name in names], dtype="S32")
    cuts = np.array([shares.train, shares.train + shares.validation])
    part = np.empty(len(names), dtype=np.int8)
    for s in np.unique(of_unit):
        members = np.flatnonzero(of_unit == s)
        members = members[np.argsort(keys[members], kind="stable")]
        ends = np.cumsum(sizes[members])
        middle = (ends - sizes[members] / 2) / ends[-1]
        part[members] = np.searchsorted(cuts, middle, side="right")
    return part[codes]


def _key(seed: int, unit: str) -> bytes:
    """32 hex digits: `S` arrays drop trailing zero bytes, hex has none."""
    return hashlib.sha256(f"{seed}:{unit}".encode()).hexdigest()[:32].encode()


def _rarest(codes: npt.NDArray[np.int64], stratum: npt.NDArray[np.int64], units: int) -> npt.NDArray[np.int64]:
    """Rarest stratum of each unit; among equally rare ones the one with the lower number."""
    values, counts = np.unique(stratum, return_counts=True)
    order = values[np.lexsort((values, counts))]  # rarest first
    rank = np.empty(int(values.max()) + 1, dtype=np.int64)
    rank[order] = np.arange(len(order))
    best = np.full(units, len(order), dtype=np.int64)
    np.minimum.at(best, codes, rank[stratum])
    return order[best]


def _check_parts(parts: npt.NDArray[np.int8], plan: Plan, target: pd.Series) -> None:
    counts = np.bincount(parts, minlength=len(ROLES))
    for role, count in zip(ROLES, counts, strict=True):
        if count == 0:
            more = f"more different values of '{plan.data.entity}'" if plan.data.entity else "more different rows"
            raise errors.DataError(
                f"split {role}: expected rows, got none out of {len(parts)}. Provide {more}, or raise split.{role}."
            )
    if plan.data.target.task == "regression":
        return
    present = set(_target.codes(plan.data, target[parts == 0]).tolist())
    for code, name in enumerate(_target.class_names(plan.data)):
        if code not in present:
            raise errors.DataError(
                f"split train: expected rows of every class, got none of '{name}'. Provide more rows of this class, "
                "remove it from data.target, or change split.train or split.seed."
            )


def _part(
    folder: RunFolder,
    plan: Plan,
    table: pd.DataFrame,
    digests: npt.NDArray[np.bytes_],
    chosen: npt.NDArray[np.bool_],
    role: records.Role,
) -> records.SplitPart:
    counts: dict[str, int] = {}
    if plan.data.target.task != "regression":
        codes = _target.codes(plan.data, table[plan.data.target_column.name][chosen])
        names = _target.class_names(plan.data)
        counts = dict(zip(names, np.bincount(codes, minlength=len(names)).tolist(), strict=True))
    return records.SplitPart(
        rows=int(chosen.sum()),
        digests=folder.write_bytes(f"data/digests/{role}.txt", arrays.lines_of_rows(digests[chosen])),
        entities=int(table[plan.data.entity][chosen].nunique()) if plan.data.entity else None,
        class_counts=counts,
    )


def _store(folder: RunFolder, digests: npt.NDArray[np.bytes_], parts: npt.NDArray[np.int8]) -> records.ArtifactRef:
    frame = pd.DataFrame(
        {
            ingest.ROW: pd.array(digests.astype(str).astype(object), dtype="string"),
            ROLE: pd.array(np.array(ROLES, dtype=object)[parts], dtype="string"),
        }
    )
    with folder.replacing(ASSIGNMENT) as temporary:
        frame.to_parquet(temporary, engine="pyarrow", index=False)
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
