"""Bounds of the plan that say what the smallest or the largest value in the data is.

The plan travels whole, and documents and records name its bounds. A bound that was read off the data instead of being
set tells a value of a single row: it is named before anything leaves.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from evidence import records
from evidence.dossier import Dossier
from evidence.folder import RunFolder

End = Literal["minimum", "maximum"]
MINIMUM: End = "minimum"
MAXIMUM: End = "maximum"


class Bound(records.Record):
    """One declared bound that equals an extreme of the data."""

    column: str
    end: End
    value: float
    """In the unit of the column."""
    rows: int
    """Rows that hold the value."""

    def words(self) -> str:
        """`monthly_income maximum 5847.05 (1 row)`."""
        return f"{self.column} {self.end} {self.value:.15g} ({self.rows:,} row{'' if self.rows == 1 else 's'})"


def at_extremes(folder: RunFolder, dossier: Dossier) -> tuple[Bound, ...]:
    """The declared bounds that equal the smallest or largest value of their column, in all rows or in training.

    Args:
        folder: The run folder, whose table is read column by column.
        dossier: Its records.

    Raises:
        IntegrityError: The table was altered.
    """
    import pyarrow.parquet as pq  # noqa: PLC0415 - who reads bundles has no need of it

    declared = [c for c in dossier.plan.data.columns if c.minimum is not None or c.maximum is not None]
    if not declared:
        return ()
    trained = {feature.name: feature for feature in dossier.encode.features}
    found = []
    with pq.ParquetFile(folder.checked(dossier.ingest.table)) as table:
        for column in declared:
            values = table.read(columns=[column.name]).column(0).to_numpy()
            if values.dtype.kind not in "iuf":  # stored as text: no number of it was read
                continue
            values = values[np.isfinite(values)]
            if not len(values):
                continue
            feature = trained.get(column.name)
            for end, bound, extremes in (
                (MINIMUM, column.minimum, (values.min(), feature.minimum if feature else None)),
                (MAXIMUM, column.maximum, (values.max(), feature.maximum if feature else None)),
            ):
                if bound is not None and _among(bound, *extremes):
                    rows = int((values == bound).sum())
                    found.append(Bound(column=column.name, end=end, value=bound, rows=rows))
    return tuple(found)


def _among(bound: float, of_data: float, of_training: float | None) -> bool:
    """Is the bound one of these extremes? Training rows are kept in single precision."""
    return bound == of_data or (of_training is not None and np.float32(bound) == np.float32(of_training))
