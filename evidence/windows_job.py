"""Limits of a process on Windows: a job object into which it puts itself, for the rest of its life.

Whatever else runs a Windows program (an emulation, for example) may take the limits without holding them. So they are
asked back, and only those that come back as they were set count as held.
Ref: Job Objects, `JOBOBJECT_EXTENDED_LIMIT_INFORMATION`, Windows API.
"""

from __future__ import annotations

import ctypes
from ctypes import wintypes
from typing import Any

_KIND = 9
"""`JobObjectExtendedLimitInformation`."""
_TIME, _PROCESSES, _MEMORY, _END_WHEN_BROKEN = 0x2, 0x8, 0x100, 0x400
_QUIETLY = 0x1 | 0x2
"""`SEM_FAILCRITICALERRORS` and `SEM_NOGPFAULTERRORBOX`: a process that breaks ends, and no window waits for a click."""
_TICKS = 10_000_000
"""100 nanoseconds each, in a second."""


class _Basic(ctypes.Structure):
    _fields_ = [
        ("time", ctypes.c_int64),
        ("time_of_all", ctypes.c_int64),
        ("flags", ctypes.c_uint32),
        ("smallest_set", ctypes.c_size_t),
        ("largest_set", ctypes.c_size_t),
        ("processes", ctypes.c_uint32),
        ("processors", ctypes.c_size_t),
        ("priority", ctypes.c_uint32),
        ("scheduling", ctypes.c_uint32),
    ]


class Limits(ctypes.Structure):
    """What the system is told, and what it answers."""

    _fields_ = [
        ("basic", _Basic),
        ("counters", ctypes.c_uint64 * 6),
        ("memory", ctypes.c_size_t),
        ("memory_of_all", ctypes.c_size_t),
        ("most_memory", ctypes.c_size_t),
        ("most_memory_of_all", ctypes.c_size_t),
    ]


def limit(kernel: Any, seconds: int, memory: int) -> tuple[str, ...]:
    """Put this process into a job of its own.

    Args:
        kernel: `kernel32.dll`.
        seconds: Of computing time, outside of the system's own code.
        memory: Bytes that it may commit.

    Returns:
        What is not held, in words: of memory, computing time and other programs.
    """
    kernel.SetErrorMode(_QUIETLY)
    wanted, found = Limits(), Limits()
    wanted.basic.flags = _TIME | _PROCESSES | _MEMORY | _END_WHEN_BROKEN
    wanted.basic.time, wanted.basic.processes, wanted.memory = seconds * _TICKS, 1, memory
    kernel.CreateJobObjectW.restype = kernel.GetCurrentProcess.restype = wintypes.HANDLE
    job = wintypes.HANDLE(kernel.CreateJobObjectW(None, None))
    size = ctypes.sizeof(Limits)
    inside = (
        job.value
        and kernel.SetInformationJobObject(job, _KIND, ctypes.byref(wanted), size)
        and kernel.AssignProcessToJobObject(job, wintypes.HANDLE(kernel.GetCurrentProcess()))
        and kernel.QueryInformationJobObject(job, _KIND, ctypes.byref(found), size, None)
    )
    held = {
        "memory": (_MEMORY, found.memory == memory),
        "computing time": (_TIME, found.basic.time == wanted.basic.time),
        "other programs": (_PROCESSES, found.basic.processes == 1),
    }
    return tuple(name for name, (flag, same) in held.items() if not (inside and found.basic.flags & flag and same))
