"""Many small matrix products: threads that wait for each other cost more than they bring."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import threadpoolctl


@contextlib.contextmanager
def one() -> Iterator[None]:
    """One thread of the linear algebra library, as on a machine with one core: also the same sums everywhere."""
    with threadpoolctl.threadpool_limits(1, user_api="blas"):
        yield
