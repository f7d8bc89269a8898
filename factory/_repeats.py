"""A table that stands in the data more than once, pasted or joined by mistake.

Copies of rows are no further evidence: every interval would be too narrow.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from configs import errors

LEAST = 20
"""Different rows from which on it cannot be chance that each of them stands a multiple of the same number of times."""


def require_once(times: npt.NDArray[np.int64]) -> None:
    """Refuse rows of which every one stands there k times, 2k times and so on.

    Rows that are alike by chance are no such case: their numbers have no common factor, once there are many of them.

    Args:
        times: (different rows,) how often each stands there; a column that names the row, where one is declared, is
            part of it.

    Raises:
        DataError: The table stands there k times.
    """
    common = int(np.gcd.reduce(times)) if len(times) else 1
    if common > 1 and len(times) >= LEAST:
        raise errors.DataError(
            f"data: expected every row once, got each of {len(times):,} different rows {common} times (or a multiple "
            f"of it): the table stands there {common} times. Remove the copies; if they are different cases, declare a "
            "column that names them."
        )
