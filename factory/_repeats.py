"""A table that stands in the data more than once, pasted or joined by mistake.

Copies of rows are no further evidence: every interval would be too narrow.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from configs import errors

LEAST = 20
"""Different rows from which on it cannot be chance that each of them stands a multiple of the same number of times."""


def require_once(digests: npt.NDArray[np.bytes_]) -> None:
    """Refuse rows of which every one stands there k times, 2k times and so on.

    Rows that are alike by chance are no such case: their numbers have no common factor, once there are many of them.

    Args:
        digests: (rows,) of the content of each row, a column that names the row included where one is declared.

    Raises:
        DataError: The table stands there k times.
    """
    _, counts = np.unique(digests, return_counts=True)
    times = int(np.gcd.reduce(counts)) if len(counts) else 1
    if times > 1 and len(counts) >= LEAST:
        raise errors.DataError(
            f"data: expected every row once, got each of {len(counts):,} different rows {times} times (or a multiple "
            f"of it): the table stands there {times} times. Remove the copies; if they are different cases, declare a "
            "column that names them."
        )
