"""The ledger: a chain that notices what was altered, and loses nothing to a kill."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from configs import errors
from evidence import ledger
from evidence.folder import RunFolder

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def filled(tmp_path: Path) -> Path:
    """A run folder with a ledger of six lines."""
    chain = ledger.Ledger.create(tmp_path, {"run_id": "x"})
    folder = RunFolder(tmp_path)
    for number in range(5):
        reference = folder.write_bytes(f"data/{number}.txt", b"content")
        chain.append("finished", stage=f"s{number}", key="0" * 64, record=reference)
    return tmp_path


def test_a_ledger_reads_back_what_was_appended(filled: Path) -> None:
    """Opening gives the same events, and the record of each finished stage."""
    chain = ledger.Ledger.open(filled)
    assert [line.n for line in chain.lines] == list(range(6))
    found = chain.finished("s3", "0" * 64)
    assert found is not None
    assert found.path == "data/3.txt"


def test_another_key_is_other_work(filled: Path) -> None:
    """A stage that finished with other inputs does not count as finished."""
    assert ledger.Ledger.open(filled).finished("s3", "1" * 64) is None


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_changed_byte_is_noticed(filled: Path, data: st.DataObject) -> None:
    """Whichever byte of the ledger is changed, opening refuses."""
    path = filled / "ledger.jsonl"
    content = path.read_bytes()
    place = data.draw(st.integers(0, len(content) - 2))
    other = data.draw(st.integers(0, 255).filter(lambda b: b != content[place]))
    try:
        path.write_bytes(content[:place] + bytes([other]) + content[place + 1 :])
        with pytest.raises(errors.IntegrityError):
            ledger.Ledger.open(filled)
    finally:
        path.write_bytes(content)


@pytest.mark.parametrize("keep", [1, 3, 5])
def test_a_truncated_ledger_is_noticed(filled: Path, keep: int) -> None:
    """Cutting whole lines off the end is noticed although the chain of the rest holds."""
    path = filled / "ledger.jsonl"
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:keep]))
    with pytest.raises(errors.IntegrityError, match=f"expected 6 lines, got {keep}"):
        ledger.Ledger.open(filled)


def test_a_removed_middle_line_is_noticed(filled: Path) -> None:
    """Removing a line breaks the chain at the line after it."""
    path = filled / "ledger.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:2] + lines[3:]))
    with pytest.raises(errors.IntegrityError, match="line 3"):
        ledger.Ledger.open(filled)


def test_a_removed_head_is_noticed(filled: Path) -> None:
    """Without ledger.head a truncation could hide, so its absence is refused."""
    (filled / "ledger.head").unlink()
    with pytest.raises(errors.IntegrityError, match=r"ledger\.head"):
        ledger.Ledger.open(filled)


def test_a_line_half_written_at_a_kill_is_dropped_and_nothing_else(filled: Path) -> None:
    """An unfinished last line is what a kill leaves; the lines before it stay and appending goes on."""
    path = filled / "ledger.jsonl"
    with path.open("ab") as stream:
        stream.write(b'{"n":6,"at":"2026')
    chain = ledger.Ledger.open(filled)
    chain.append("finished", stage="next")
    assert [line.stage for line in ledger.Ledger.open(filled).lines][-2:] == ["s4", "next"]


def test_a_kill_between_line_and_head_loses_nothing(filled: Path) -> None:
    """A ledger one line ahead of its head is accepted and the head is brought up."""
    head = (filled / "ledger.head").read_bytes()
    ledger.Ledger.open(filled).append("finished", stage="last")
    (filled / "ledger.head").write_bytes(head)
    assert ledger.Ledger.open(filled).lines[-1].stage == "last"
    assert json.loads((filled / "ledger.head").read_bytes())["lines"] == 7


@pytest.mark.slow
def test_appending_survives_kill_9_at_any_time(tmp_path: Path) -> None:
    """A process that appends without pause and is killed leaves a ledger that holds, with every line it reported."""
    program = (
        "import sys; from pathlib import Path; from evidence import ledger\n"
        "chain = ledger.Ledger.create(Path(sys.argv[1]), {})\n"
        "while True:\n"
        "    print(chain.append('started', stage='x' * 2000).n, flush=True)\n"
    )
    for round_ in range(3):
        folder = tmp_path / str(round_)
        folder.mkdir()
        process = subprocess.Popen(
            [sys.executable, "-c", program, str(folder)], stdout=subprocess.PIPE, text=True, cwd=ROOT
        )
        assert process.stdout is not None
        reported = [int(process.stdout.readline()) for _ in range(5 + 7 * round_)]
        time.sleep(0.003 * round_)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        process.stdout.close()
        chain = ledger.Ledger.open(folder)
        assert len(chain.lines) > reported[-1]
        chain.append("resumed")
        assert ledger.Ledger.read(folder).lines[-1].event == "resumed"


@pytest.mark.slow
def test_reading_never_disturbs_a_writer(tmp_path: Path) -> None:
    """While one process appends, others read as often as they like: no torn answer, no lost line, no false alarm."""
    program = (
        "import sys; from pathlib import Path; from evidence import ledger\n"
        "chain = ledger.Ledger.create(Path(sys.argv[1]), {})\n"
        "print('begun', flush=True)\n"
        "for _ in range(300): chain.append('started', stage='x' * 500)\n"
    )
    writer = subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    assert writer.stdout is not None
    writer.stdout.readline()
    seen = [0]
    while writer.poll() is None:
        seen.append(len(ledger.Ledger.read(tmp_path).lines))
    writer.communicate()
    assert writer.returncode == 0
    assert seen == sorted(seen)
    assert len(ledger.Ledger.read(tmp_path).lines) == 301
