"""The process that opens a stranger's model reaches no network and no other program, and writes no file."""

from __future__ import annotations

import subprocess
import sys
import types
from pathlib import Path

import pytest

from evidence import process_limits
from tef_export import confine

ROOT = Path(__file__).resolve().parents[2]
LINUX = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="seccomp is Linux's")
TRY = """
import ctypes, os, socket, subprocess, sys, threading
from tef_export import confine
before = threading.Event()
def beside():
    before.wait()
    attempt("thread", socket.socket)
def attempt(name, call):
    try:
        call()
        said.append(f"{name}: allowed")
    except OSError as error:
        said.append(f"{name}: {type(error).__name__}")
said = []
other = threading.Thread(target=beside, daemon=True)
other.start()
said.append(confine.this_process(30, 8 << 30))
before.set()
other.join(10)
attempt("socket", socket.socket)
attempt("unix", lambda: socket.socket(socket.AF_UNIX))
attempt("program", lambda: subprocess.run(["true"]))
attempt("signal", lambda: os.kill(os.getppid(), 0))
attempt("file", lambda: open(sys.argv[1], "wb", buffering=0).write(b"x"))
attempt("read", lambda: open("/dev/null", "rb").close())
print("\\n".join(said))
"""


@LINUX
def test_what_is_denied(tmp_path: Path) -> None:
    """Sockets, also in a thread that ran before; programs; signals; writing. Reading stays."""
    done = subprocess.run(
        [sys.executable, "-c", TRY, str(tmp_path / "x")], cwd=ROOT, capture_output=True, text=True, check=False
    )
    lines = done.stdout.splitlines()
    assert lines[0] == "without a network (seccomp)", done.stderr
    denied = [f"{what}: PermissionError" for what in ("thread", "socket", "unix", "program", "signal")]
    assert lines[1:] == [*denied, "file: OSError", "read: allowed"]


def test_where_nothing_can_be_cut_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """On macOS, Windows and other processors the answer says that the network was not cut, and what is not limited."""
    open_: tuple[str, ...] = ()
    monkeypatch.setattr(confine.process_limits, "limit", lambda *_: open_)
    monkeypatch.setattr(sys, "platform", "darwin")
    not_cut = "the network was not cut: darwin has no means for that without privileges"
    assert confine.this_process(1, 1) == not_cut
    open_ = ("memory",)
    assert confine.this_process(1, 1) == f"{not_cut}; not limited by darwin: memory"


def test_a_system_without_limits_of_processes_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows has no module `resource`: nothing is limited there, and each limit is named."""
    monkeypatch.setitem(sys.modules, "resource", None)
    assert process_limits.limit(1, 1) == ("memory", "computing time", "writing")


def test_a_limit_that_the_system_refuses_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """On macOS there are the limits and the one of memory is refused; the others hold."""
    given = types.ModuleType("resource")
    for number, name in enumerate(("RLIMIT_AS", "RLIMIT_CPU", "RLIMIT_FSIZE", "RLIMIT_CORE")):
        setattr(given, name, number)
    held: list[int] = []

    def setrlimit(kind: int, _: tuple[int, int]) -> None:
        if kind == 0:
            raise ValueError("current limit exceeds maximum limit")
        held.append(kind)

    given.__dict__.update(RLIM_INFINITY=-1, getrlimit=lambda _: (-1, -1), setrlimit=setrlimit)
    monkeypatch.setitem(sys.modules, "resource", given)
    assert process_limits.limit(1, 1) == ("memory",)
    assert held == [1, 2, 3]
