"""Limits that a process sets itself before it opens what a stranger has made."""

from __future__ import annotations


def limit(seconds: int, memory: int) -> tuple[str, ...]:
    """Limit this process for the rest of its life; it can write no file either.

    Args:
        seconds: Of computing time.
        memory: Bytes of address space.

    Returns:
        What this system does not let it limit, in words: all of it on Windows, memory on macOS.
    """
    try:
        import resource  # noqa: PLC0415 - POSIX only
    except ImportError:
        return ("memory", "computing time", "writing")
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
    return tuple(refused)
