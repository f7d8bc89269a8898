"""What a process that opens a stranger's model is denied: memory, time, files to write, other programs, a network.

A process limits itself after it has loaded its libraries and before it opens anything of the bundle. On Linux (x86-64
and 64-bit Arm) the kernel refuses sockets and programs from then on (seccomp, for all threads; no privileges needed).
Elsewhere there is no such means without privileges; there it is said that the network was not cut.
Ref: `Documentation/userspace-api/seccomp_filter.rst` of the Linux kernel.
"""

from __future__ import annotations

import ctypes
import os
import platform
import signal
import struct
import subprocess
import sys

from evidence import process_limits

_NOT_ENOUGH_QUOTA, _BROKEN = 1816, 0xC0000000
"""Codes with which Windows ends a process: out of its computing time; and, from there on, for its errors."""
_LOAD, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
_ALLOW, _DENY = 0x7FFF0000, 0x00050000 | 1
"""Go on; or the call answers `EPERM`."""
_NUMBER, _ARCHITECTURE = 0, 4
"""Places in the kernel's record of a call."""
_X32 = 0x40000000
"""From here on, numbers of the calls of a second interface on x86-64, denied as a whole."""
_SECCOMP = {"x86_64": 317, "aarch64": 277}
_AUDIT = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_DENIED = {
    "x86_64": (*range(41, 51), *range(53, 56), 288, 299, 307, 57, 58, 59, 322, 62, 101, 310, 311, 425, 426, 427),
    "aarch64": (*range(198, 213), 242, 243, 269, 221, 281, 129, 117, 270, 271, 425, 426, 427),
}
"""Sockets of every kind; programs; signals to, and memory of, other processes; io_uring, which has sockets too."""


def environment() -> dict[str, str]:
    """Nothing of ours but what finds libraries; one thread, so that limits and results are the same everywhere."""
    names = ("PATH", "LD_LIBRARY_PATH", "SYSTEMROOT", "TMPDIR", "TEMP")
    kept = {name: os.environ[name] for name in names if name in os.environ}
    return {**kept, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


def this_process(seconds: int, memory: int) -> str:
    """Limit this process for the rest of its life.

    Args:
        seconds: Of computing time.
        memory: Bytes of address space.

    Returns:
        In words, what became of the network, and what else could not be limited.
    """
    open_ = process_limits.limit(seconds, memory)
    also = f"; not limited by {sys.platform}: {', '.join(open_)}" if open_ else ""
    if _cut():
        return f"without a network (seccomp){also}"
    return f"the network was not cut: {sys.platform} has no means for that without privileges{also}"


def say(line: str) -> None:
    """A line on standard output, in UTF-8 whatever the code page: the reader of a limited process takes no other."""
    sys.stdout.flush()
    sys.stdout.buffer.write(b"\n" + line.replace("\r", " ").replace("\n", " ").encode("utf-8") + b"\n")
    sys.stdout.buffer.flush()


def ended(done: subprocess.CompletedProcess[bytes]) -> str:
    """How a process came to its end, in words."""
    if done.returncode == _NOT_ENOUGH_QUOTA or done.returncode >= _BROKEN:
        why = "it asked for too much time or memory, or broke"
        return f"a process that was ended by Windows with {done.returncode:#010x} ({why})"
    if done.returncode < 0:
        number = -done.returncode
        name = signal.Signals(number).name if number in set(signal.Signals) else str(number)
        return f"a process that was ended by {name} (it asked for too much time or memory, or broke)"
    lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
    return f"an error: {lines[-1][:200]}" if lines else "an error without a message"


def _cut() -> bool:
    """Have the kernel refuse what is in `_DENIED`; whether it does."""
    machine = platform.machine()
    if not sys.platform.startswith("linux") or machine not in _DENIED or sys.maxsize < 2**32:
        return False
    filters = _filters(machine)
    content = b"".join(struct.pack("=HBBI", *one) for one in filters)
    held = ctypes.create_string_buffer(content, len(content))
    program = ctypes.create_string_buffer(struct.pack("=H6xQ", len(filters), ctypes.addressof(held)))
    libc = ctypes.CDLL(None, use_errno=True)
    privileges, mode, threads = 38, 1, 1
    if libc.prctl(privileges, *map(ctypes.c_ulong, (1, 0, 0, 0))) != 0:
        return False
    numbers = (ctypes.c_long(_SECCOMP[machine]), ctypes.c_ulong(mode), ctypes.c_ulong(threads))
    return bool(libc.syscall(*numbers, ctypes.byref(program)) == 0)


def _filters(machine: str) -> list[tuple[int, int, int, int]]:
    """The rules: operation, steps over when true, when false, value."""
    denied = sorted(_DENIED[machine])
    to_deny = len(denied) + 1
    rules = [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_EQUAL, 0, to_deny + 2, _AUDIT[machine]),
        (_LOAD, 0, 0, _NUMBER),
        (_AT_LEAST, to_deny, 0, _X32),
    ]
    rules += [(_EQUAL, to_deny - 1 - number, 0, call) for number, call in enumerate(denied)]
    return [*rules, (_RETURN, 0, 0, _ALLOW), (_RETURN, 0, 0, _DENY)]
