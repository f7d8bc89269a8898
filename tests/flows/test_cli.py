"""The command line: frozen, documented, light at its start, readable in its refusals."""

from __future__ import annotations

import io
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click import testing

from checks.certified import __main__ as certified
from configs import errors
from flows import cli

ROOT = Path(__file__).resolve().parents[2]
HEAVY = ("torch", "prefect", "mlflow", "great_expectations", "sklearn", "pandas")
FROZEN = (
    "init", "check", "run", "submit", "poll", "collect", "show", "answer", "approve",
    "keys", "release", "verify", "rerun", "import", "report", "receive", "lint", "diff", "factories", "law",
)  # fmt: skip


def proofline(*arguments: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Call the command line as a person would."""
    return subprocess.run(
        [sys.executable, "-m", "flows.cli", *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), "HOME": str(cwd), "COLUMNS": "200"},
    )


def test_the_commands_are_frozen() -> None:
    """A new command needs a decision note and a change here; a new knob goes into the plan."""
    assert tuple(cli.COMMANDS) == FROZEN


@pytest.mark.parametrize("name", FROZEN)
def test_every_command_explains_itself(name: str) -> None:
    """Each command has a help text, and so has each of its options; none says what a system is before the law."""
    import click

    context = click.Context(cli.proofline)
    command = cli.proofline.get_command(context, name)
    assert command is not None
    assert command.help
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help or parameter.name == "engine", f"{name} {parameter.name}"
    shown = proofline(name, "--help").stdout
    assert not re.search(r"\b(?:compliant|certified|complies)\b", shown, re.IGNORECASE), "the tool judges no system"


def test_help_imports_nothing_heavy() -> None:
    """`--help` loads none of the pipeline's packages."""
    program = (
        "import sys\nfrom flows import cli\n"
        "try:\n    cli.main(['--help'])\nexcept SystemExit as leaving:\n    assert leaving.code == 0\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.splitlines()[-1] == "[]"


def test_a_mistyped_command_is_answered_with_the_one_that_was_meant() -> None:
    """Usage errors leave with 2."""
    done = proofline("runn")
    assert done.returncode == errors.EXIT_USAGE
    assert "Did you mean 'run'?" in done.stderr


@pytest.mark.slow
def test_a_missing_plan_leaves_with_3_and_one_sentence(tmp_path: Path) -> None:
    """No traceback, the shipped names, what to do."""
    done = proofline("check", "hospital_readmissions", cwd=tmp_path)
    assert done.returncode == errors.EXIT_MISSING
    assert "Did you mean hospital_readmission?" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_bug_keeps_its_traceback_and_leaves_with_70(capsys: pytest.CaptureFixture[str]) -> None:
    """What is not ours to explain is shown whole."""

    def bug() -> None:
        raise ZeroDivisionError

    with pytest.raises(SystemExit) as leaving:
        cli.main_with(bug)
    assert leaving.value.code == errors.EXIT_BUG
    assert "Traceback" in capsys.readouterr().err


def test_shell_completion_is_offered() -> None:
    """The line in the help text gives a script that completes."""
    done = subprocess.run(
        [sys.executable, "-c", "from flows import cli; cli.proofline.main(prog_name='proofline')"],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", "_PROOFLINE_COMPLETE": "zsh_source", "PYTHONPATH": str(ROOT)},
    )
    assert "compdef" in done.stdout


@pytest.mark.parametrize("terminal", [False, True])
def test_no_letter_ends_the_program_on_a_code_page(monkeypatch: pytest.MonkeyPatch, *, terminal: bool) -> None:
    """Into a pipe goes UTF-8, also where the system writes cp1252; such a terminal shows what it can."""
    held = io.BytesIO()
    stream = io.TextIOWrapper(held, encoding="cp1252")
    monkeypatch.setattr(stream, "isatty", lambda: terminal, raising=False)
    monkeypatch.setattr(sys, "stdout", stream)
    with pytest.raises(SystemExit):
        cli.main_with(lambda: print("Łódź ≥ 1"))
    stream.flush()
    assert held.getvalue() == ("?ód? ? 1\n".encode("cp1252") if terminal else "Łódź ≥ 1\n".encode())


def test_what_an_extra_brings_is_asked_for_in_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    """A facility with the base packages alone reads what to install, before anything else is looked at."""
    monkeypatch.setitem(sys.modules, "scipy", None)
    with pytest.raises(
        errors.MissingError, match=r'none of scipy. In the clone of the repository: `pip install "\.\[tef'
    ):
        cli.proofline.main(["rerun", "x.zip", "--key", "x.pem"], standalone_mode=False)
    said = testing.CliRunner().invoke(certified.main, ["a.onnx", "b.vnnlib"])
    assert (said.exit_code, "none of scipy" in said.output) == (errors.EXIT_MISSING, True)


@pytest.mark.slow
def test_a_workspace_behind_the_command_is_told_where_it_stands(tmp_path: Path) -> None:
    """`-w` belongs before the command; who types it behind reads so."""
    done = proofline("show", "last", "-w", str(tmp_path), cwd=tmp_path)
    assert done.returncode == 2
    assert "proofline -w DIR COMMAND" in done.stderr
