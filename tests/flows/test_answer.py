"""`proofline answer` as a process: what it does to a run, what survives a kill, what goes into the next run and out."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import pty
import select
import shutil
import signal
import sys
import time
import zipfile
from pathlib import Path

import pytest

from configs import answers_file, errors
from evidence import ledger
from evidence.answers import AnswersRecord
from flows import answering, workspace

ROOT = Path(__file__).resolve().parents[2]
SYSTEM = "quick-plan"
FILE = Path("answers") / f"{SYSTEM}.yaml"
AGAIN = ["answers", "document", "close"]
pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def call(*arguments: object) -> int:
    """Call the command line in this process."""
    from flows import cli

    with pytest.raises(SystemExit) as leaving:
        cli.main([str(a) for a in arguments])
    return int(leaving.value.code or 0)


def run_of(space: Path) -> Path:
    return next(p for p in (space / "runs").iterdir() if p.is_dir())


def by_hand(space: Path, text: str) -> None:
    """What a person would write into the file."""
    place = space / FILE
    place.parent.mkdir(exist_ok=True)
    place.write_text(
        f"version: 1\nsystem: {SYSTEM}\nby: {{person: B. Hand, role: engineer, at: '2026-11-20'}}\n"
        f"answers:\n  - id: stop\n    text: {text}\n",
        encoding="utf-8",
    )


def stages_since(run: Path, number: int) -> list[str | None]:
    return [line.stage for line in ledger.Ledger.read(run).lines[number:] if line.event == "started"]


def record(run: Path) -> AnswersRecord:
    found = workspace.dossier(run).answers
    assert found is not None
    return found


class Terminal:
    """`proofline answer` on a terminal of its own."""

    def __init__(self, space: Path, *arguments: str) -> None:
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.chdir(space)
            os.environ["PYTHONPATH"] = str(ROOT)
            os.execv(sys.executable, [sys.executable, "-m", "flows.cli", "answer", *arguments])  # noqa: S606 - no shell is wanted
        self.text, self.seen = "", 0

    def wait_for(self, words: str, seconds: float = 60) -> None:
        """Read until the words stand there, after what was read before."""
        end = time.monotonic() + seconds
        while words not in self.text[self.seen :]:
            assert time.monotonic() < end, self.text
            if select.select([self.fd], [], [], 0.1)[0]:
                self.text += os.read(self.fd, 65536).decode(errors="replace")
        self.seen = self.text.index(words, self.seen) + len(words)

    def type(self, line: str) -> None:
        """A line and Enter."""
        os.write(self.fd, f"{line}\n".encode())

    def interrupt(self, answer: str) -> None:
        """Ctrl-C until it is answered.

        Between the prompt and Python's waiting for input lies a moment in which a signal is noted and not acted upon
        before the next key. No person is that quick.
        """
        for _ in range(5):
            time.sleep(0.2)
            os.write(self.fd, b"\x03")
            with contextlib.suppress(AssertionError):
                return self.wait_for(answer, 10)
        raise AssertionError(self.text)

    def ended(self) -> int:
        """The exit code, once the process has ended by itself."""
        with contextlib.suppress(OSError):
            while True:
                self.text += os.read(self.fd, 65536).decode(errors="replace")
        os.close(self.fd)
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])

    def killed(self) -> None:
        """`kill -9`."""
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.fd)


def test_killed_while_typing_loses_only_what_was_being_typed(space: Path) -> None:
    """The answer before is whole on the disk, the lock is free, and the next session begins with the open question."""
    first = Terminal(space, "last", "--only", "stop", "--only", "oversight", "--as", "Anna Muster, officer")
    first.wait_for("1 of 2 · stop")
    first.wait_for("> ")
    first.type("It is switched off in the ward system.")
    first.type(".")
    first.wait_for("2 of 2 · oversight")
    first.wait_for("> ")
    first.type("The physician decides, and")
    first.wait_for("| ")
    first.killed()
    found = {a.id: a.text for a in answers_file.load(space / FILE, SYSTEM).answers if a.text}
    assert found == {"stop": "It is switched off in the ward system."}
    second = Terminal(space, "last", "--only", "oversight", "--as", "Anna Muster, officer")
    second.wait_for("1 of 1 · oversight")
    second.wait_for("> ")
    second.type("q")
    assert second.ended() == errors.EXIT_PASS
    assert "Documents rendered anew" in second.text
    assert record(run_of(space)).statement("stop").status == "stated"


def test_ctrl_c_saves_what_was_answered_and_says_that_it_was_stopped(space: Path) -> None:
    """The exit code is that of an interruption, so that a script does not go on as if all had been answered."""
    terminal = Terminal(space, "last", "--only", "stop", "--only", "oversight", "--as", "Anna Muster, officer")
    terminal.wait_for("1 of 2 · stop")
    terminal.wait_for("> ")
    terminal.type("It is switched off in the ward system.")
    terminal.type(".")
    terminal.wait_for("2 of 2 · oversight")
    terminal.wait_for("> ")
    terminal.interrupt("Stopped. What was answered is saved.")
    assert terminal.ended() == errors.EXIT_INTERRUPTED, terminal.text
    assert record(run_of(space)).statement("stop").status == "stated"


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Documents of one page, which says what was stated: here it matters when they are written, not how they look."""
    from evidence import records
    from evidence.dossier import Dossier
    from evidence.folder import RunFolder
    from model_cards import documents

    def render(folder: RunFolder, found: Dossier) -> records.DocumentsRecord:
        assert found.answers is not None
        page = f"# Stated\n\n{found.answers.statement('stop').text}\n".encode()
        return records.DocumentsRecord(documents=(folder.write_bytes("documents/README.md", page),))

    monkeypatch.setattr(documents, "render", render)


def page_of(run: Path) -> str:
    return (run / "documents/README.md").read_text(encoding="utf-8")


TEXTS = ("It is switched off.", "It is unplugged at night.", "It is switched off.")


@pytest.mark.usefixtures("quick")
def test_an_answer_does_three_stages_again_and_ends_the_approval(
    space: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing measured is done again; a decision on other documents no longer counts; the bundle holds the answer."""
    run = run_of(space)
    assert call("approve", "last", "--demonstration") == errors.EXIT_PASS
    before = len(ledger.Ledger.read(run).lines)
    by_hand(space, TEXTS[0])
    assert call("answer", "last", "--file") == errors.EXIT_PASS
    assert stages_since(run, before) == AGAIN
    assert answering.by_hand(run) == 0
    assert TEXTS[0] in page_of(run)
    before = len(ledger.Ledger.read(run).lines)
    assert call("answer", "last", "--file") == errors.EXIT_PASS
    assert stages_since(run, before) == []
    assert call("release", "last", "--demonstration") == errors.EXIT_FAIL
    assert "approve again" in capsys.readouterr().err
    assert call("approve", "last", "--demonstration") == errors.EXIT_PASS
    assert call("release", "last", "--demonstration") == errors.EXIT_PASS
    bundle = next((space / "bundles").glob("*.zip"))
    key = bundle.with_name(f"{bundle.stem}.pub.pem")
    assert call("verify", bundle, "--key", key, "--demonstration") == errors.EXIT_PASS
    with zipfile.ZipFile(bundle) as archive:
        place = next(name for name in archive.namelist() if name.endswith("/data/evidence/answers.json"))
        found = AnswersRecord.model_validate_json(archive.read(place)).statement("stop")
    assert (found.person, found.text) == ("B. Hand", TEXTS[-1])


@pytest.mark.usefixtures("quick")
def test_an_answer_from_before_the_run_on_what_it_measured_waits(
    space: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`--file` takes over what could be known, names what could not, and a confirmation makes it a statement."""
    run = run_of(space)
    by_hand(space, TEXTS[0])
    with (space / FILE).open("a", encoding="utf-8") as file:
        file.write("  - {id: trade_offs, text: Accuracy went before speed., at: '2020-01-01'}\n")
    assert call("answer", "last", "--file") == errors.EXIT_PASS
    assert "not taken over: trade_offs" in " ".join(capsys.readouterr().out.split())
    assert record(run).statement("stop").status == "stated"
    assert record(run).statement("trade_offs").status == "carried"
    kept = {a.id: a for a in answers_file.load(space / FILE, SYSTEM).answers}
    assert (kept["stop"].run, kept["trade_offs"].run) == (run.name, None)
    assert call("answer", "last", "--file") == errors.EXIT_PASS
    text = (space / FILE).read_text(encoding="utf-8")
    (space / FILE).write_text(text.replace("2020-01-01", dt.datetime.now(dt.UTC).date().isoformat()), encoding="utf-8")
    assert call("answer", "last", "--file") == errors.EXIT_PASS
    assert record(run).statement("trade_offs").status == "stated"


@pytest.mark.usefixtures("quick")
def test_a_run_that_goes_on_under_prefect_takes_the_last_answer(space: Path) -> None:
    """A result that Prefect remembers from an earlier answer is not taken for this one."""
    run = run_of(space)
    for text in TEXTS:
        by_hand(space, text)
        assert call("run", run, "--resume") in (errors.EXIT_PASS, errors.EXIT_FAIL, errors.EXIT_INCONCLUSIVE)
        assert record(run).statement("stop").text == text
        assert text in page_of(run)
        assert answering.by_hand(run) == 1


@pytest.mark.usefixtures("quick")
def test_answers_are_carried_into_the_next_run_and_confirmed(space: Path) -> None:
    """The next run of the system has the answer, says where it is from, and takes a letter to confirm it."""
    first = run_of(space)
    by_hand(space, TEXTS[0])
    assert call("answer", first, "--file") == errors.EXIT_PASS
    next_ = space / "runs" / f"{first.name}-next"
    shutil.copytree(first, next_)
    terminal = Terminal(space, str(next_), "--only", "stop", "--as", "Anna Muster, officer")
    terminal.wait_for(f"from run {first.name}")
    terminal.wait_for("> ")
    terminal.type("k")
    terminal.wait_for("Saved.")
    terminal.killed()
    answer = next(a for a in answers_file.load(space / FILE, SYSTEM).answers if a.id == "stop")
    assert (answer.person, answer.run, answer.text) == ("Anna Muster", next_.name, TEXTS[0])


@pytest.mark.usefixtures("quick")
def test_a_run_without_its_file_keeps_what_was_stated(space: Path) -> None:
    """A copy of the run on another machine: going on changes nothing, and one more answer loses none."""
    run = run_of(space)
    by_hand(space, TEXTS[0])
    assert call("answer", run, "--file") == errors.EXIT_PASS
    (space / FILE).unlink()
    before = (run / "run.json").read_bytes()
    assert call("run", run, "--resume", "--engine", "plain") != errors.EXIT_BUG
    assert (run / "run.json").read_bytes() == before
    terminal = Terminal(space, "last", "--only", "override", "--as", "Anna Muster, officer")
    terminal.wait_for("> ")
    terminal.type("The nurse strikes the name from the list.")
    terminal.type(".")
    terminal.wait_for("Saved.")
    terminal.killed()
    found = {a.id: a.text for a in answers_file.load(space / FILE, SYSTEM).answers if a.text}
    assert found == {"stop": TEXTS[0], "override": "The nurse strikes the name from the list."}


def test_without_a_terminal_it_says_what_to_do(space: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Neither a hang nor a crash: the list, and the file, are named."""
    assert call("answer", "last") == errors.EXIT_USAGE
    said = capsys.readouterr().err
    assert "--list" in said
    assert str(FILE) in said
    assert call("answer", "last", "--list") == errors.EXIT_PASS
    assert "Asked of the compliance officer" in capsys.readouterr().out
    assert not (space / FILE).exists()
    assert call("answer", "last", "--file") == errors.EXIT_PASS
    assert "- id: oversight" in (space / FILE).read_text(encoding="utf-8")


def test_a_spoiled_file_stops_a_run_before_it_begins(space: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nobody trains for an hour to hear that an answer has a wrong name."""
    by_hand(space, "yes")
    number = len(list((space / "runs").iterdir()))
    assert call("run", space / "plan.yaml", "--engine", "plain") == errors.EXIT_USAGE
    assert "line 6" in capsys.readouterr().err
    assert len(list((space / "runs").iterdir())) == number
