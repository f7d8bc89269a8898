"""Limits that a process sets itself before it opens what a stranger has made."""

from __future__ import annotations

import mmap
import sys


def limit(seconds: int, memory: int) -> tuple[str, ...]:
    """Limit this process for the rest of its life; on POSIX systems it can write no file either.

    Args:
        seconds: Of computing time.
        memory: Bytes of address space; on Windows, bytes that it may commit.

    Returns:
        What this system does not hold, in words: writing on Windows, memory on macOS.
    """
    if sys.platform == "win32":
        return _limit_windows(seconds, memory)
    import resource  # noqa: PLC0415 - POSIX only

    refused = []
    for name, kind, value in (
        ("memory", resource.RLIMIT_AS, memory),
        ("computing time", resource.RLIMIT_CPU, seconds),
        ("writing", resource.RLIMIT_FSIZE, 0),
        ("core dumps", resource.RLIMIT_CORE, 0),
    ):
        hard = resource.getrlimit(kind)[1]
        lower = value if hard == resource.RLIM_INFINITY else min(value, hard)
        try:
            resource.setrlimit(kind, (lower, lower))
        except (ValueError, OSError):  # macOS refuses to limit address space
            refused.append(name)
    if "memory" not in refused and not _is_refused(memory):
        refused.insert(0, "memory")
    return tuple(refused)


def _is_refused(memory: int) -> bool:
    """Does the system refuse more address space than it was told? Some take the limit and do not hold it."""
    try:
        mmap.mmap(-1, memory).close()  # nothing is touched, so nothing is used
    except (OSError, ValueError, OverflowError):
        return True
    return False


def _limit_windows(seconds: int, memory: int) -> tuple[str, ...]:
    import ctypes  # noqa: PLC0415 - needed here alone

    from evidence import windows_job  # noqa: PLC0415

    kernel = getattr(ctypes, "WinDLL")("kernel32")  # noqa: B009 - where types are checked there is none
    return (*windows_job.limit(kernel, seconds, memory), "writing")
