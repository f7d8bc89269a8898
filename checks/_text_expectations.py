"""What must hold of the documents of a corpus: as ingested, and as cleaned. Tables of counts, without the text."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from checks._expectations import Declared
from configs.language.corpora import PythonDocumentation
from configs.language.plan import LanguagePlan
from configs.wording import counted
from evidence import language_records
from evidence.folder import RunFolder

Table = Literal["ingested", "cleaned"]
LONGEST = 1 << 31


def of_plan(plan: LanguagePlan, table: Table, corpora: tuple[str, ...], documents: int) -> tuple[Declared, ...]:
    """The expectations on one of the two tables.

    Args:
        plan: The plan.
        table: Which table.
        corpora: Corpora that it may hold.
        documents: How many documents the record says it holds.
    """
    found = [
        Declared(
            "row_count", (), f"the {counted(documents, 'document')} of the record", "critical", documents, documents
        ),
        Declared("allowed_values", ("corpus",), "one of the corpora of the plan", "critical", values=corpora),
        Declared("range", ("characters",), "at least 1 character", "gate", low=1.0, high=float(LONGEST)),
        Declared("missingness", ("domain",), "no value missing", "gate"),
        Declared("missingness", ("language",), "no value missing", "gate"),
    ]
    if table == "cleaned":
        found.append(Declared("uniqueness", ("document",), "every document once", "gate"))
        found.append(Declared("range", ("confidence",), "between 0 and 1", "gate", low=0.0, high=1.0))
    if languages := _languages(plan):
        found.append(
            Declared("allowed_values", ("language",), "one of the declared languages", "gate", values=languages)
        )
    return tuple(found)


def _languages(plan: LanguagePlan) -> tuple[str, ...]:
    """The declared languages, where the plan declares that of every document; otherwise none."""
    if any(_undeclared(corpus) for corpus in plan.corpora):
        return ()
    return plan.declared_languages


def _undeclared(corpus: Any) -> bool:
    source = corpus.source
    if isinstance(source, PythonDocumentation):
        return bool(corpus.language == "und")
    return corpus.language == "und" or source.language_field is not None


def table(folder: RunFolder, record: language_records.CorpusRecord | language_records.CleaningRecord) -> pd.DataFrame:
    """One row for each document, in order.

    Its columns: `document` (the first 63 bits of the digest), `corpus`, `language`, `domain`, `characters`, and of
    cleaned documents `confidence` (missing where languages are not identified).

    Raises:
        IntegrityError: A shard is gone or altered.
    """
    pieces: dict[str, list[Any]] = {}
    for shard in record.shards:
        with pq.ParquetFile(folder.checked(shard)) as file:
            for group in range(file.num_row_groups):
                _take(file.read_row_group(group), pieces)
    columns = {
        name: pd.Categorical(pa.chunked_array(found, pa.string()).to_pandas())
        if name in ("corpus", "language", "domain")
        else np.concatenate(found)
        for name, found in pieces.items()
    }
    return pd.DataFrame(columns)


def _take(read: pa.Table, pieces: dict[str, list[Any]]) -> None:
    names = [int(name[:16], 16) >> 1 for name in read.column("document").to_pylist()]
    pieces.setdefault("document", []).append(np.array(names, dtype=np.int64))
    for name in ("corpus", "language", "domain"):
        pieces.setdefault(name, []).extend(read.column(name).chunks)
    lengths = pc.utf8_length(read.column("text")).to_numpy()
    pieces.setdefault("characters", []).append(lengths.astype(np.float64))
    if "confidence" in read.column_names:
        confidence = read.column("confidence").to_numpy()
        pieces.setdefault("confidence", []).append(confidence.astype(np.float64))
