"""Freed memory, handed back to the system."""

from __future__ import annotations

import ctypes
import functools
import sys
from collections.abc import Callable


def give_back() -> None:
    """Hand back what the C library holds for later of what was freed.

    glibc keeps it for each thread on its own, some hundred MiB after the documents of a run; with other C libraries
    nothing is to be done.
    """
    if trim := _trim():
        trim(0)


@functools.cache
def _trim() -> Callable[[int], int] | None:
    """`malloc_trim` of glibc. Ref: man 3 malloc_trim."""
    return getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
