"""What a limited process is told, and how it finds out what its system does not hold."""

from __future__ import annotations

import ctypes
import sys
import types
from typing import Any

import pytest

from evidence import process_limits, windows_job

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="limits of POSIX")


@pytest.fixture
def limits(monkeypatch: pytest.MonkeyPatch) -> types.ModuleType:
    """The module `resource` of a system that takes every limit and holds none."""
    given = types.ModuleType("resource")
    for number, name in enumerate(("RLIMIT_AS", "RLIMIT_CPU", "RLIMIT_FSIZE", "RLIMIT_CORE")):
        setattr(given, name, number)
    given.__dict__.update(RLIM_INFINITY=-1, getrlimit=lambda _: (-1, -1), setrlimit=lambda *_: None)
    monkeypatch.setitem(sys.modules, "resource", given)
    return given


@POSIX
def test_a_limit_that_the_system_refuses_is_named(limits: types.ModuleType) -> None:
    """On macOS there are the limits and the one of memory is refused; the others hold."""
    held: list[int] = []

    def setrlimit(kind: int, _: tuple[int, int]) -> None:
        if kind == 0:
            raise ValueError("current limit exceeds maximum limit")
        held.append(kind)

    limits.__dict__.update(setrlimit=setrlimit)
    assert process_limits.limit(1, 1) == ("memory",)
    assert held == [1, 2, 3]


@POSIX
@pytest.mark.usefixtures("limits")
def test_a_limit_that_is_taken_and_not_held_is_named() -> None:
    """Some systems take a limit of address space and give more: it is tried."""
    assert process_limits.limit(1, 1 << 20) == ("memory",)


class Kernel:
    """`kernel32.dll` as far as jobs are concerned; `answers` changes what is asked back."""

    def __init__(self, answers: dict[str, int] | None = None, refuses: str = "") -> None:
        self.refuses, self.answers = refuses, answers or {}
        self.told, self.calls = windows_job.Limits(), list[str]()

    def __getattr__(self, name: str) -> Any:
        def call(*arguments: Any) -> int:
            self.calls.append(name)
            if name == "SetInformationJobObject":
                ctypes.memmove(ctypes.byref(self.told), arguments[2], arguments[3])
            if name == "QueryInformationJobObject":
                ctypes.memmove(arguments[2], ctypes.byref(self._answer()), arguments[3])
            return int(name != self.refuses)

        setattr(self, name, call)
        return call

    def _answer(self) -> windows_job.Limits:
        answer = windows_job.Limits.from_buffer_copy(self.told)
        if "memory" in self.answers:
            answer.memory = self.answers["memory"]
        for name in {"time", "processes", "flags"} & set(self.answers):
            setattr(answer.basic, name, self.answers[name])
        return answer


def test_windows_is_told_memory_time_and_that_there_are_no_other_programs() -> None:
    """In the system's units: bytes, 100 nanoseconds; a process that breaks shows no window."""
    kernel = Kernel()
    assert windows_job.limit(kernel, 60, 4 << 30) == ()
    assert kernel.told.memory == 4 << 30
    assert kernel.told.basic.time == 60 * 10**7
    assert kernel.told.basic.processes == 1
    assert kernel.told.basic.flags == 0x2 | 0x8 | 0x100 | 0x400
    assert kernel.calls[0] == "SetErrorMode"


def test_the_record_has_the_size_that_windows_expects() -> None:
    """144 bytes where addresses have 64 bits: another size is refused there."""
    assert ctypes.sizeof(windows_job.Limits) == 144


@pytest.mark.parametrize(
    ("kernel", "open_"),
    [
        (Kernel({"memory": 0, "time": 0, "processes": 0}), ("memory", "computing time", "other programs")),
        (Kernel({"memory": 0}), ("memory",)),
        (Kernel({"flags": 0x8}), ("memory", "computing time")),
        (Kernel(refuses="CreateJobObjectW"), ("memory", "computing time", "other programs")),
        (Kernel(refuses="AssignProcessToJobObject"), ("memory", "computing time", "other programs")),
    ],
    ids=["taken and forgotten", "memory forgotten", "flags forgotten", "no job", "not in the job"],
)
def test_what_does_not_come_back_is_not_held(kernel: Kernel, open_: tuple[str, ...]) -> None:
    """A system that takes a limit and forgets it, as emulations of Windows do, holds nothing."""
    assert windows_job.limit(kernel, 1, 1) == open_
