"""The split of the documents: to each part by a seeded hash, within each language, spread evenly over its domains.

Within a language the documents of each domain are put in the order of SHA-256(seed, digest); a document's place is its
rank divided by the number of the domain's documents. In the order of these places the language is cut at the counts of
`TextSplit.counts`, so that every language with enough documents has held-out text, and every domain is held out at
about its share. The result depends on the documents and the seed, never on their order.
"""

from __future__ import annotations

import hashlib

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from configs import errors
from configs.language.modelling import LEAST_SPLIT, TextSplit
from configs.language.plan import LanguagePlan
from evidence import arrays, language_records, records
from evidence.folder import RunFolder
from factory.splitting import ASSIGNMENT, ROLE, ROLES
from factory.text import shards

ROW = "_row"


def split(folder: RunFolder, plan: LanguagePlan, cleaning: language_records.CleaningRecord) -> records.SplitManifest:
    """Assign every cleaned document to a part; store the assignment and the sorted digests of each part.

    Raises:
        DataError: A part would be empty.
        IntegrityError: The cleaned documents were altered.
    """
    columns = ("document", "language", "domain")
    tables = list(shards.read(folder, cleaning.shards, columns))
    names, languages, domains = (
        np.concatenate([np.array(table.column(name).to_pylist(), dtype=object) for table in tables]) for name in columns
    )
    parts = assign(names, languages, domains, plan.split)
    for role, count in zip(ROLES, np.bincount(parts, minlength=len(ROLES)), strict=True):
        if not count:
            raise errors.DataError(
                f"split {role}: expected documents, got none out of {len(names)}. Provide more documents (from "
                f"{LEAST_SPLIT} in a language on it has some in each part), for example with source.document: "
                "paragraph."
            )
    digests = names.astype("S64")
    return records.SplitManifest(
        seed=plan.split.seed,
        method=(
            "order of the seeded SHA-256 of the document digest, cut at the declared shares within the languages, "
            f"spread over the domains; seed {plan.split.seed}"
        ),
        parts={role: _part(folder, digests[parts == i], languages[parts == i], role) for i, role in enumerate(ROLES)},
        assignment=_store(folder, names, parts),
    )


def assign(
    names: npt.NDArray[np.object_],
    languages: npt.NDArray[np.object_],
    domains: npt.NDArray[np.object_],
    shares: TextSplit,
) -> npt.NDArray[np.int8]:
    """Part of each document (documents,): 0 train, 1 validation, 2 test.

    Args:
        names: Digests (documents,), all different.
        languages: Language of each (documents,).
        domains: Domain of each (documents,).
        shares: Shares and seed.
    """
    keys = np.array([hashlib.sha256(f"{shares.seed}:{name}".encode()).hexdigest()[:32] for name in names], dtype="S32")
    parts = np.zeros(len(names), dtype=np.int8)
    for language in np.unique(languages.astype(str)):
        members = np.flatnonzero(languages == language)
        place = np.empty(len(members))
        for domain in np.unique(domains[members].astype(str)):
            own = np.flatnonzero(domains[members] == domain)
            own = own[np.argsort(keys[members[own]])]
            place[own] = (np.arange(len(own)) + 0.5) / len(own)
        order = members[np.lexsort((keys[members], place))]
        train, validation, _ = shares.counts(len(order))
        parts[order[train : train + validation]] = 1
        parts[order[train + validation :]] = 2
    return parts


def _part(
    folder: RunFolder, digests: npt.NDArray[np.bytes_], languages: npt.NDArray[np.object_], role: records.Role
) -> records.SplitPart:
    found, counts = np.unique(languages.astype(str), return_counts=True)
    return records.SplitPart(
        rows=len(digests),
        digests=folder.write_bytes(f"data/digests/{role}.txt", arrays.lines_of_rows(digests)),
        class_counts=dict(zip(found.tolist(), counts.tolist(), strict=True)),
    )


def _store(folder: RunFolder, names: npt.NDArray[np.object_], parts: npt.NDArray[np.int8]) -> records.ArtifactRef:
    roles = np.array(ROLES, dtype=object)[parts]
    with folder.replacing(ASSIGNMENT) as temporary:
        pq.write_table(pa.table({ROW: pa.array(names, pa.string()), ROLE: pa.array(roles, pa.string())}), temporary)
    return folder.reference(ASSIGNMENT)


def roles(folder: RunFolder, manifest: records.SplitManifest) -> npt.NDArray[np.int8]:
    """Part of each document (documents,), in the order of the cleaned shards: index into `ROLES`.

    Raises:
        IntegrityError: The assignment was altered.
    """
    column = pq.read_table(folder.checked(manifest.assignment), columns=[ROLE]).column(ROLE)
    return np.array([ROLES.index(role) for role in column.to_pylist()], dtype=np.int8)
