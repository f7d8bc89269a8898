"""Limits that a process sets itself before it opens what a stranger has made."""

from __future__ import annotations

import contextlib


def limit(seconds: int, memory: int) -> None:
    """Limit this process for the rest of its life; it can write no file either. POSIX only: elsewhere nothing happens.

    Args:
        seconds: Of computing time.
        memory: Bytes of address space.
    """
    try:
        import resource  # noqa: PLC0415 - POSIX only
    except ImportError:
        return
    for kind, value in (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        hard = resource.getrlimit(kind)[1]
        lower = value if hard == resource.RLIM_INFINITY else min(value, hard)
        with contextlib.suppress(ValueError, OSError):  # macOS refuses to limit address space
            resource.setrlimit(kind, (lower, lower))
