"""The process that opens a stranger's model reaches no network and no other program, and writes no file."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import pytest

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


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (1816, "ended by Windows with 0x00000718 (it asked for too much time or memory, or broke)"),
        (0xC0000005, "ended by Windows with 0xc0000005"),
        (-15, "ended by SIGTERM"),
        (1, "an error: last"),
    ],
)
def test_how_a_process_ended_is_said_for_each_system(code: int, words: str) -> None:
    """Signals are negative codes; Windows has large ones, and one of its own for the end of the computing time."""
    done = subprocess.CompletedProcess[bytes]([], code, b"", b"first\nlast\n")
    assert words in confine.ended(done)


def test_the_limited_process_answers_in_utf_8(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the code page of its standard output, and in one line: names of groups are in any language."""
    held = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(held, encoding="cp1252"))
    sys.stdout.write("before")
    confine.say("Größe ↔ Łódź\nnext")
    sys.stdout.flush()
    assert held.getvalue() == "before\nGröße ↔ Łódź next\n".encode()
