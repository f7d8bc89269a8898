"""A table as it was read, before any conversion: names and values, nothing judged."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import pyarrow as pa

Values = pa.ChunkedArray | Sequence[Any]
"""One column: an Arrow array, or Python values where types may be mixed (Excel, databases)."""


@dataclasses.dataclass(frozen=True)
class RawTable:
    """One table as read."""

    name: str
    """Name for messages."""
    names: tuple[str, ...]
    columns: tuple[Values, ...]
    rows: int
