"""The command line. Each command is imported when it is called, so that `--help` costs nothing."""

from __future__ import annotations

import contextlib
import errno
import importlib
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from configs import errors
from configs.printable import write_utf8

COMMANDS = {
    "init": "Ask the questions and write a plan.",
    "check": "Check a plan, and the data it names, without running anything.",
    "run": "Take a plan from data to documents.",
    "submit": "The same in short steps: submit the training as a job, and end.",
    "poll": "Say where the job of a run stands.",
    "collect": "Go on with a run whose job has ended.",
    "show": "Show what a run found, and why it was decided so.",
    "answer": "State what only persons can state, question by question.",
    "approve": "Record a person's decision on a run, signed.",
    "keys": "Make and look at signing keys.",
    "release": "Write, sign and verify the bundle of an approved run.",
    "verify": "Check a bundle that was received. Needs no pipeline packages.",
    "rerun": "Measure a received model again, on its test rows or on yours, and compare.",
    "import": "Take a received bundle into a catalogue, and look things up in it.",
    "report": "Sign a facility's answer about a bundle.",
    "receive": "Take a facility's signed answer into the run that released the bundle.",
    "lint": "Hold documents against their evidence: numbers, claims, placeholders, articles.",
    "diff": "Compare two versions: what changed, and what of it was declared beforehand.",
    "factories": "List the sites where a training can run, and what a job has to say there.",
    "law": "Browse the AI Act: duties, annexes, dates, standards, each with its source.",
}
"""Command to one line of help. Frozen by a test: new knobs go into the plan."""


class LazyGroup(click.Group):
    """A group that imports a command's module when the command is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands in the order in which they are used."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one command."""
        if cmd_name not in COMMANDS:
            return None
        name = "import_" if cmd_name == "import" else cmd_name  # a module cannot be called like a statement
        module = importlib.import_module(f"flows.commands.{name}")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find a command, or suggest the one that was meant."""
        import difflib

        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            near = difflib.get_close_matches(args[0], COMMANDS, n=1)
            hint = f" Did you mean '{near[0]}'?" if near else " See `proofline --help`."
            ctx.fail(f"command '{args[0]}' is unknown.{hint}")
        return super().resolve_command(ctx, args)


EPILOG = """\b
Exit codes: 0 pass · 1 a gate or a verification failed · 2 wrong usage, plan or data
            3 something needed is missing (a file, a run, a package, a server, disk space)
            4 inconclusive · 70 a bug of ours · 130 stopped with Ctrl-C
Completion: eval "$(_PROOFLINE_COMPLETE=bash_source proofline)"   (zsh_source, fish_source)"""


@click.group(cls=LazyGroup, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="proofline", prog_name="proofline")
@click.option(
    "-w",
    "--workspace",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=Path(),
    envvar="PROOFLINE_WORKSPACE",
    help="Folder that holds runs/ and the local stores.  [default: the current folder]",
)
@click.pass_context
def proofline(ctx: click.Context, workspace: Path) -> None:
    """Take a model from data to a signed bundle that a test facility can check for itself.

    \b
    A first run, with data that ship inside the packages:
      proofline run diabetes_progression
      proofline show last
    """  # noqa: D301 - click reads \b as the mark of a block
    ctx.obj = workspace


def main(arguments: list[str] | None = None) -> None:
    """Entry point of the command line."""
    main_with(lambda: proofline.main(args=arguments, prog_name="proofline", standalone_mode=False))


def program() -> None:
    """The command line as a program of its own.

    `proofline verify` leaves without taking the interpreter apart: all that it opened is closed by then, and that would
    be a twentieth of the time that a bundle of two gigabytes takes.
    """
    try:
        main()
    except SystemExit as leaving:
        if sys.argv[1:2] == ["verify"] and isinstance(leaving.code, int):
            with contextlib.suppress(OSError):  # a closed pipe or a full disk: the usual way out says so
                sys.stdout.flush()
                sys.stderr.flush()
                os._exit(leaving.code)
        raise


def main_with(body: Callable[..., Any], *arguments: Any) -> None:
    """Run a body, print our own errors as one sentence, and exit with the design's code."""
    os.environ.setdefault("DO_NOT_TRACK", "true")
    # Plugins of pydantic would be code of whatever is installed; looking for them takes a tenth of the start.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    # Read when torch and NumPy load. Threads that spin while they wait slow a small training thirtyfold on a busy
    # machine, and NumPy's small products threefold on a quiet one; the numbers are the same.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ.setdefault("OPENBLAS_THREAD_TIMEOUT", "4")
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("PREFECT_SERVER_ANALYTICS_ENABLED", "false")
    write_utf8()
    try:
        code = body(*arguments)
    except errors.ProoflineError as error:
        _say(str(error))
        if isinstance(error, errors.VerificationError) and error.looks:
            click.echo(f"           It {errors.LOOKS[error.looks]}.", err=True)
        sys.exit(error.exit_code)
    except click.exceptions.Exit as leaving:
        sys.exit(leaving.exit_code)
    except click.ClickException as error:
        error.show()
        if isinstance(error, click.NoSuchOption) and error.option_name in ("-w", "--workspace"):
            _say("the workspace stands before the command: proofline -w DIR COMMAND …")
        sys.exit(errors.EXIT_USAGE)
    except (KeyboardInterrupt, click.Abort) as stopped:
        if isinstance(stopped.__context__, EOFError):  # click asked, and there was nobody to answer
            _say("expected an answer to the question, got the end of the input. Give it as an option, see --help.")
            sys.exit(errors.EXIT_USAGE)
        _say("stopped by you. A run that was interrupted goes on with --resume; nothing else was begun.")
        sys.exit(errors.EXIT_INTERRUPTED)
    except SystemExit as leaving:
        if _pipe_was_closed(leaving):
            sys.exit(errors.EXIT_FAIL)  # click's own way out of a closed pipe, as in `proofline show | head`
        _say(f"something called by proofline ended the program (code {leaving.code}). Nothing was decided by that.")
        sys.exit(errors.EXIT_BUG)
    except Exception as bug:
        _show_bug(bug)
        sys.exit(errors.EXIT_BUG)
    sys.exit(code if isinstance(code, int) else errors.EXIT_PASS)


def _pipe_was_closed(leaving: SystemExit) -> bool:
    """Did nobody read on? Older versions of click raise from the error, newer ones put a wrapper around the output."""
    cause = leaving.__context__
    raised = isinstance(cause, OSError) and cause.errno == errno.EPIPE
    return raised or type(sys.stdout).__name__ == "_PacifyFlushWrapper"


def _say(text: str) -> None:
    click.echo(f"{click.style('proofline:', fg='red', bold=True)} {text}", err=True)


def _show_bug(bug: Exception) -> None:
    import traceback

    traceback.print_exception(bug)
    _say(f"this is a bug of proofline ({type(bug).__name__}). Please report it with the lines above.")


def require_pipeline(feature: str) -> None:
    """Refuse with one sentence when the packages of the pipeline are absent, or clash.

    Raises:
        MissingError: Naming what to install.
    """
    import importlib.util

    from evidence import software

    needed: dict[str, Any] = {"pandas": None, "torch": None, "onnxruntime": None, "great_expectations": None}
    absent = [name for name in needed if importlib.util.find_spec(name) is None]
    if absent:
        raise errors.MissingError(
            f"`proofline {feature}`: expected the packages of the pipeline, got none of {', '.join(absent)}. "
            'In a clone of the repository: `pip install ".[pipeline]" -c requirements.lock`.'
        )
    clash = software.one_runtime()
    if clash:
        raise errors.MissingError(clash)


if __name__ == "__main__":
    program()
