"""`proofline lint`: documents of anybody against evidence of anybody."""

from __future__ import annotations

import contextlib
import io
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from configs import errors
from flows import workspace as workspaces


class _Spread(click.Command):
    """Takes `--evidence a b c` as well as `--evidence a --evidence b`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Give each value its own option before click looks."""
        given: list[str] = []
        spreading = False
        for word in args:
            if word in {"--evidence", "-e"}:
                spreading = True
            elif spreading and not word.startswith("-"):
                given += ["--evidence", word]
            else:
                spreading = False
                given.append(word)
        if args and args[-1] in {"--evidence", "-e"}:
            given.append("--evidence")
        return super().parse_args(ctx, given)


@click.command("lint", cls=_Spread)
@click.argument("documents", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="DOCUMENT...")
@click.option(
    "-e",
    "--evidence",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="FILE...",
    help="JSON, YAML or CSV files, folders with such files, a bundle, or a run: its folder, its name or `last`. "
    "Without any, only placeholders, citations of the law and disagreement between the documents are checked.",
)
@click.option(
    "--format",
    "kind",
    type=click.Choice(["text", "json", "sarif"]),
    default="text",
    help="How findings are written.  [default: text]",
)
@click.option(
    "--output", type=click.Path(dir_okay=False, path_type=Path), help="File to write to instead of the terminal."
)
@click.option(
    "--min-confidence",
    "least",
    type=click.Choice(["high", "medium", "low"]),
    default="medium",
    help="Report findings of this confidence and above.  [default: medium]",
)
@click.pass_obj
def command(
    workspace: Path, documents: tuple[Path, ...], evidence: tuple[Path, ...], kind: str, output: Path | None, least: Any
) -> int:
    """Hold documents against their evidence.

    DOCUMENT is Markdown, HTML, DOCX or PDF, of proofline or of anybody. Reported are numbers that the evidence does not
    carry, placeholders, counts, names, versions and dates that disagree, claims without evidence, articles that do not
    say what the text says, and declarations beside failed criteria; in a document of the run that is given as evidence,
    every sentence and table row that is not as the run wrote it.

    \b
      proofline lint technical_file.docx card.md --evidence metrics.json groups.csv
      proofline lint runs/RUN/documents/*.html --evidence RUN

    \b
    Confidence: high    the evidence, or the law, says otherwise
                medium  nothing carries it, where something should
                low     it may well be harmless
    Exit codes: 0 nothing found · 1 findings · 2 wrong usage · 3 a file cannot be read
    """  # noqa: D301 - click reads \b as the mark of a block
    from model_cards.lint import run

    with _waiting() as told:
        outcome = run.files(documents, [_evidence(workspace, given) for given in evidence], least, told)
    text = _written(outcome, kind, to_file=output is not None)
    if output is None:
        click.echo(text, nl=False)
    else:
        _write(output, text)
        click.echo(f"{len(outcome.findings)} findings written to {output}", err=True)
    for sentence in outcome.unreadable:
        click.echo(f"{click.style('proofline:', fg='red', bold=True)} {sentence}", err=True)
    return outcome.exit_code


def _evidence(workspace: Path, given: Path) -> Path:
    """What was given as evidence: a file or folder that is there, or else a run, as other commands take it."""
    space = workspaces.Workspace(workspace)
    if not given.exists() and (str(given) == "last" or (space.runs / given).is_dir()):
        return space.find(str(given))
    return given


def _written(outcome: Any, kind: str, *, to_file: bool) -> str:
    from model_cards.lint import report_json, report_text, sarif

    if kind == "text":
        colours = not to_file and sys.stdout.isatty()
        target = io.StringIO()
        width = 100 if to_file else Console().width
        report_text.show(outcome, Console(file=target, force_terminal=colours, width=width, highlight=False))
        return target.getvalue()
    content = report_json.to_json(outcome) if kind == "json" else sarif.to_sarif(outcome)
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise errors.StorageError(
            f"output {path}: expected a file that can be written, got: {error.strerror}."
        ) from None


@contextlib.contextmanager
def _waiting() -> Iterator[Callable[[str], object]]:
    """Says on standard error what is being done, where a person looks."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda _: None
        return
    with console.status("") as status:
        yield status.update
