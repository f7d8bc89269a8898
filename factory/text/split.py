"""The split of the documents: to each part by a seeded hash, within each language, spread evenly over its domains.

Within a language the documents of each domain are put in the order of SHA-256(seed, digest); a document's place is its
rank divided by the number of the domain's documents. In the order of these places the language is cut at the counts of
`TextSplit.counts`, so that every language with enough documents has held-out text, and every domain is held out at
about its share. The result depends on the documents and the seed, never on their order.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
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
    tables = list(shards.read(folder, cleaning.shards, ("document", "language", "domain")))
    names = np.concatenate([np.array(table.column("document").to_pylist(), dtype="S64") for table in tables])
    (languages, known), (domains, _) = (_codes(tables, column) for column in ("language", "domain"))
    parts = assign(names, languages, domains, plan.split)
    for role, count in zip(ROLES, np.bincount(parts, minlength=len(ROLES)), strict=True):
        if not count:
            raise errors.DataError(
                f"split {role}: expected documents, got none out of {len(names)}. Provide more documents (from "
                f"{LEAST_SPLIT} in a language on it has some in each part), for example with source.document: "
                "paragraph."
            )
    return records.SplitManifest(
        seed=plan.split.seed,
        method=(
            "order of the seeded SHA-256 of the document digest, cut at the declared shares within the languages, "
            f"spread over the domains; seed {plan.split.seed}"
        ),
        parts={
            role: _part(folder, names[parts == i], languages[parts == i], known, role) for i, role in enumerate(ROLES)
        },
        assignment=_store(folder, names, parts),
    )


def _codes(tables: Sequence[pa.Table], column: str) -> tuple[npt.NDArray[np.int32], list[str]]:
    """A column as numbers (documents,), and what they stand for."""
    chunks = [chunk for table in tables for chunk in table.column(column).chunks]
    encoded = pa.chunked_array(chunks, pa.string()).combine_chunks().dictionary_encode()
    return encoded.indices.to_numpy(), encoded.dictionary.to_pylist()


def assign(
    names: npt.NDArray[np.bytes_],
    languages: npt.NDArray[np.int32],
    domains: npt.NDArray[np.int32],
    shares: TextSplit,
) -> npt.NDArray[np.int8]:
    """Part of each document (documents,): 0 train, 1 validation, 2 test.

    Args:
        names: Digests (documents,), all different.
        languages: Number of the language of each (documents,).
        domains: Number of the domain of each (documents,).
        shares: Shares and seed.
    """
    keys = _keys(names, shares.seed)
    parts = np.zeros(len(names), dtype=np.int8)
    for language in np.unique(languages):
        members = np.flatnonzero(languages == language)
        place = np.empty(len(members))
        for domain in np.unique(domains[members]):
            own = np.flatnonzero(domains[members] == domain)
            own = own[np.argsort(keys[members[own]])]
            place[own] = (np.arange(len(own)) + 0.5) / len(own)
        order = members[np.lexsort((keys[members], place))]
        train, validation, _ = shares.counts(len(order))
        parts[order[train : train + validation]] = 1
        parts[order[train + validation :]] = 2
    return parts


def _keys(names: npt.NDArray[np.bytes_], seed: int) -> npt.NDArray[np.bytes_]:
    """The first 16 bytes of SHA-256(seed, digest) of each document (documents,)."""
    raw, begin = bytearray(), f"{seed}:".encode()
    for name in names.tolist():
        raw += hashlib.sha256(begin + name).digest()[:16]
    return np.frombuffer(bytes(raw), dtype="S16")


def _part(
    folder: RunFolder,
    digests: npt.NDArray[np.bytes_],
    languages: npt.NDArray[np.int32],
    known: list[str],
    role: records.Role,
) -> records.SplitPart:
    counts = dict(zip(known, np.bincount(languages, minlength=len(known)).tolist(), strict=True))
    return records.SplitPart(
        rows=len(digests),
        digests=folder.write_bytes(f"data/digests/{role}.txt", arrays.lines_of_rows(digests)),
        class_counts={name: count for name, count in sorted(counts.items()) if count},
    )


def _store(folder: RunFolder, names: npt.NDArray[np.bytes_], parts: npt.NDArray[np.int8]) -> records.ArtifactRef:
    roles = pa.DictionaryArray.from_arrays(pa.array(parts), pa.array(ROLES)).cast(pa.string())
    with folder.replacing(ASSIGNMENT) as temporary:
        pq.write_table(pa.table({ROW: pa.array(names, pa.string()), ROLE: roles}), temporary)
    return folder.reference(ASSIGNMENT)


def roles(folder: RunFolder, manifest: records.SplitManifest) -> npt.NDArray[np.int8]:
    """Part of each document (documents,), in the order of the cleaned shards: index into `ROLES`.

    Raises:
        IntegrityError: The assignment was altered.
    """
    column = pq.read_table(folder.checked(manifest.assignment), columns=[ROLE]).column(ROLE)
    found = pc.index_in(column, pa.array(ROLES))
    return found.to_numpy().astype(np.int8)
