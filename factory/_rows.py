"""The ingested rows in the order of their digests, a column at a time, and the part to which each belongs."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pandas as pd

from evidence import records
from factory import _row_digests, _stored

Places = npt.NDArray[np.int64]


class Rows:
    """All rows. Holds their order and their parts; what else is asked for is read."""

    def __init__(
        self,
        table: _stored.Stored,
        digests: _row_digests.Digests,
        parts: npt.NDArray[np.int8],
        roles: tuple[records.Role, ...],
    ) -> None:
        """Of each stored row: its digest, and the index of its part into `roles`."""
        self.roles = roles
        self._table, self._parts = table, parts
        self._order = np.argsort(digests, kind="stable")
        self._ordered_parts = parts[self._order]

    def __getitem__(self, name: str) -> pd.Series:
        """A column (rows,), of its declared kind."""
        return self._table.column(name).iloc[self._order].reset_index(drop=True)

    def order(self, role: records.Role) -> Places:
        """The stored rows of a part in the order of their digests (rows of the part,)."""
        return self._order[self.of(role)]

    def of(self, role: records.Role) -> npt.NDArray[np.bool_]:
        """Which rows are of a part (rows,): none where there is no such part."""
        return self._ordered_parts == (self.roles.index(role) if role in self.roles else -1)

    def as_stored(self, names: list[str]) -> Iterator[tuple[pd.DataFrame, npt.NDArray[np.int8], Places]]:
        """Consecutive stored rows of some columns, the part of each, and its place among the rows of the part."""
        ordered = np.empty(len(self._order), dtype=np.int64)
        for index in range(len(self.roles)):
            mine = self._ordered_parts == index
            ordered[mine] = np.arange(np.count_nonzero(mine))
        places = np.empty_like(ordered)
        places[self._order] = ordered
        del ordered
        begin = 0
        for frame in self._table.frames(names):
            rows = slice(begin, begin + len(frame))
            yield frame, self._parts[rows], places[rows]
            begin = rows.stop
