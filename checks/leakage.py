"""Leakage audit: proves from row digests that nothing which fits or chooses has seen the test rows.

Knows no step by name but `evaluation`: whatever else has read the test part is a leak, a step nobody thought of too.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc
import pyarrow.parquet as pq

from evidence import arrays, language_records, records
from evidence.folder import RunFolder
from evidence.records import SplitManifest

CHECK, TITLE = "data.leakage", "Leakage audit"
ROLES: tuple[records.Role, ...] = ("train", "validation", "test")
FREE_STEPS = ("evaluation",)
"""Steps that neither fit nor choose, and may therefore read the test part."""
_Tokenised = language_records.TokenisedData
FITTING_STEP = "fit"
"""The step without whose rows an audit would prove nothing."""


def audit(
    folder: RunFolder,
    split: SplitManifest,
    uses: Sequence[records.DataUse],
    encoded: records.EncodedData | language_records.TokenisedData,
) -> records.CheckResult:
    """Audit a run.

    Args:
        folder: The run folder.
        split: Which row sits where.
        uses: What every step has read.
        encoded: The arrays, or the tokens, that the steps were given.

    Returns:
        `data.leakage`: pass when the parts are pairwise disjoint, no entity sits in two of them, assignment and arrays
        hold exactly the rows of the split, every step has read exactly one of its parts, and only evaluation gave test
        rows to the model. Otherwise fail, and the reason names what broke. `not_measured` when no fit has recorded its
        rows. The headline counts what broke; 0 is clean.

    Raises:
        IntegrityError: When a digest file or an array was altered.
    """
    broken = [
        *_shared_rows(folder, split),
        *_assignment(folder, split),
        *(_tokens(split, encoded) if isinstance(encoded, _Tokenised) else _arrays(folder, split, encoded)),
        *(problem for use in uses for problem in _use(split, use, _left_out(encoded))),
    ]
    steps = sorted({use.step for use in uses})
    measure = records.Measure(name=CHECK, value=float(len(broken)), n=sum(p.rows for p in split.parts.values()))
    details = {
        "rows": [{"step": u.step, "split": u.role, "rows": u.rows, "digests": u.digests_sha256} for u in uses],
        "broken": broken,
    }
    status: records.Status = "fail" if broken else "pass" if FITTING_STEP in steps else "not_measured"
    if broken:
        reason = f"measured {len(broken)} breaches, limit at most 0: {'; '.join(broken)}"
    elif status == "pass":
        reason = (
            f"measured 0 breaches, limit at most 0: {measure.n:,} rows in three disjoint parts, "
            f"{len(uses)} readings by {', '.join(steps)}; only evaluation gave test rows to the model"
        )
    else:
        reason = f"the step {FITTING_STEP} has not recorded the rows it read, so nothing is proven about it"
    return records.CheckResult(
        check_id=CHECK,
        title=TITLE,
        status=status,
        measures=(measure,),
        threshold=records.Threshold(at_most=0.0),
        reason=reason,
        severity="critical",
        details=details,
    )


def _shared_rows(folder: RunFolder, split: SplitManifest) -> list[str]:
    digests = {role: _lines(folder, split.parts[role].digests) for role in ROLES}
    problems = [
        f"{role} names {len(lines)} rows, but states {split.parts[role].rows}"
        for role, lines in digests.items()
        if len(lines) != split.parts[role].rows
    ]
    for a, b in itertools.combinations(ROLES, 2):
        shared = np.unique(digests[b][arrays.contained(digests[b], digests[a])])
        if len(shared):
            problems.append(f"{a} and {b} share {len(shared)} row digests")
    return problems


def _lines(folder: RunFolder, reference: records.ArtifactRef) -> npt.NDArray[np.bytes_]:
    with folder.checked(reference).open("rb") as stream:
        return np.fromiter((line.strip() for line in stream if line.strip()), dtype="S64")


def _assignment(folder: RunFolder, split: SplitManifest) -> list[str]:
    """The table that assigns rows must say the same as the digest files."""
    place = folder.checked(split.assignment)
    return [
        f"the assignment of {role} is not what its digest file names"
        for role in ROLES
        if arrays.digest_of_rows(_assigned(place, role)) != split.parts[role].digests.sha256
    ]


def _assigned(place: Path, role: str) -> npt.NDArray[np.bytes_]:
    """The digests that the table assigns to a part (rows of the part,), sorted."""
    held = bytearray()
    with pq.ParquetFile(place) as file:
        for batch in file.iter_batches(columns=["_row", "_role"]):
            mine = batch.filter(pc.equal(batch.column("_role"), role))
            held += np.array(mine.column("_row").to_pylist(), dtype="S64").tobytes()
    found = np.array([], dtype="S64") if not held else np.frombuffer(held, dtype="S64")
    found.sort()
    return found


def _arrays(folder: RunFolder, split: SplitManifest, encoded: records.EncodedData) -> list[str]:
    problems = [
        f"the arrays of {role} hold other rows than the split"
        for role in ROLES
        if arrays.digest_of_rows(arrays.open_array(folder, encoded.parts[role].row_digests))
        != split.parts[role].digests.sha256
    ]
    named_rows = {role: encoded.parts[role].entities for role in ROLES}
    entities = {role: None if found is None else arrays.open_array(folder, found) for role, found in named_rows.items()}
    for a, b in itertools.combinations(ROLES, 2):
        first, second = entities[a], entities[b]
        if first is None or second is None:
            continue
        # A negative code is a row whose entity is missing: it belongs to nobody else.
        shared = np.intersect1d(first[first >= 0], second[second >= 0])
        if len(shared):
            problems.append(f"{len(shared)} entities sit in both {a} and {b}")
    named = any(part.entities is not None for part in split.parts.values())
    if named and any(found is None for found in entities.values()):
        problems.append("the split names entities, but the arrays do not")
    return problems


def _tokens(split: SplitManifest, tokenised: language_records.TokenisedData) -> list[str]:
    gone = _left_out(tokenised)
    return [
        f"the tokens of {role} are of other documents than the split"
        for role in ROLES
        if tokenised.parts[role].digests_sha256 != split.parts[role].digests.sha256
        or tokenised.parts[role].documents + gone.get(role, 0) != split.parts[role].rows
    ]


def _left_out(encoded: records.EncodedData | language_records.TokenisedData) -> dict[str, int]:
    """Training documents that nothing reads, because held-out text stands in them."""
    if not isinstance(encoded, _Tokenised):
        return {}
    step = encoded.contamination
    return {"train": step.before.documents - step.after.documents}


def _use(split: SplitManifest, use: records.DataUse, left_out: Mapping[str, int]) -> list[str]:
    problems = []
    if use.role == "test" and use.step not in FREE_STEPS:
        problems.append(f"step {use.step} has read test")
    if use.digests_sha256 != split.parts[use.role].digests.sha256:
        hit = [role for role in ROLES if split.parts[role].digests.sha256 == use.digests_sha256]
        what = f"those of {hit[0]}" if hit else "others"
        problems.append(f"step {use.step} states {use.role}, but the rows it has read are {what}")
    elif use.rows != (there := split.parts[use.role].rows - left_out.get(use.role, 0)):
        problems.append(f"step {use.step} has read {use.rows} rows of {use.role}, which has {there}")
    return problems
