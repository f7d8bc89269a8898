"""`proofline init`: ask the questions, write a plan."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import click

from configs import errors
from configs.wording import counted

FORMATS = {".csv": "csv", ".tsv": "tsv", ".parquet": "parquet", ".xlsx": "excel"}
TEXTS = (".txt", ".md", ".jsonl", ".zip")


@click.command("init")
@click.argument("data", type=click.Path(path_type=Path))
@click.option(
    "-o", "--out", type=click.Path(dir_okay=False, path_type=Path), help="Plan file.  [default: DATA's name .yaml]"
)
@click.option("--force", is_flag=True, help="Overwrite an existing plan.")
def command(data: Path, out: Path | None, *, force: bool) -> None:
    """Ask the questions about the table DATA (CSV, TSV, Parquet, Excel) and write a plan.

    Kinds of columns, ranges and allowed values are read off the data; what the system is for, what is protected, and
    which thresholds apply is asked, because only a person knows. Press Enter for what is in brackets.
    """
    out = out or data.with_suffix(".yaml")
    if out.exists() and not force:
        raise errors.PlanError(f"plan {out}: expected no file, got one. Name another with --out, or add --force.")
    from flows import cli

    cli.require_pipeline("init")
    from flows import drafting

    table, separator = _read(data)
    click.echo(f"{data.name}: {counted(len(table), 'row')}, {counted(len(table.columns), 'column')}")
    for name in table.columns:
        values = table[name]
        click.echo(
            f"  {name:<28} {drafting.guess_kind(values):<12} {values.nunique():>7,} different, "
            f"{values.isna().sum():,} missing"
        )
    answers = _ask(table)
    text = drafting.to_yaml(drafting.draft(table, Path(data.name), answers, separator), data)
    out.write_text(text, encoding="utf-8")
    if out.parent.resolve() != data.parent.resolve():
        click.echo(f"The plan names {data.name} only: set PROOFLINE_DATA={data.parent.resolve()} when you run it.")
    click.echo(f"Written: {out}. Read it through, then `proofline check {out}` and `proofline run {out}`.")


def _read(data: Path) -> tuple[Any, str | None]:
    """The table, and the separator where it is not the one that the file's ending promises."""
    import pandas as pd

    if data.is_dir() or data.suffix.lower() in TEXTS:
        raise errors.PlanError(
            f"data {data}: expected a table in .csv, .tsv, .parquet or .xlsx, got {_what(data)}. Convert a table; for "
            "the text of a language model begin with a copy of configs/use_cases/python_documentation.yaml "
            "(docs/guide/text.md)."
        )
    if not data.is_file():
        raise errors.MissingError(f"data {data}: expected a file, got none. Check the path.")
    kind = FORMATS.get(data.suffix.lower())
    if kind is None:
        raise errors.PlanError(f"data {data}: expected .csv, .tsv, .parquet or .xlsx, got '{data.suffix}'. Convert it.")
    try:
        if kind == "parquet":
            return pd.read_parquet(data), None
        if kind == "excel":
            return pd.read_excel(data), None
        usual = "\t" if kind == "tsv" else ","
        found = _separator(data, usual)
        return pd.read_csv(data, sep=found, skipinitialspace=True), None if found == usual else found
    except (ValueError, OSError) as error:
        raise errors.DataError(
            f"data {data}: expected a readable {kind} table, got: {error}. Repair the file."
        ) from None


def _what(data: Path) -> str:
    return "a folder" if data.is_dir() else f"'{data.suffix}'"


def _separator(data: Path, usual: str) -> str:
    """The separator of the first line: the usual one, or the one that cuts it into most columns."""
    with data.open(encoding="utf-8", errors="replace") as stream:
        first = stream.readline()
    best = max((usual, ";", "\t", "|", ","), key=first.count)
    return usual if first.count(usual) else best


def _identifier(text: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9_-]{1,62}", text):
        raise click.BadParameter("lower-case letters, digits, - and _ only, two at least, a letter first")
    return text


def _ask(table: Any) -> Any:
    from flows import drafting

    click.echo("\nThe system")
    system: dict[str, Any] = {
        "id": click.prompt("  Short identifier (lower case, digits, - or _)", value_proc=_identifier),
        "name": click.prompt("  Name"),
        "version": click.prompt("  Version", default="0.1.0"),
        "provider": {"name": click.prompt("  Provider (company)")},
        "intended_purpose": click.prompt("  Intended purpose, in one sentence"),
    }
    click.echo("\nIts class under the AI Act. Answer yes, no or unknown; what is unknown stays open in the documents.")
    classification = _ask_class()
    click.echo("\nThe data")
    columns = click.Choice(list(table.columns))
    special: dict[str, bool] = {}
    target = click.prompt("  Which column is predicted", type=columns, show_choices=False)
    guessed = drafting.guess_task(table[target])
    task = click.prompt("  Task", type=click.Choice(["binary", "multiclass", "regression"]), default=guessed)
    positive: tuple[str, ...] = ()
    if task == "binary":
        values = [str(v) for v in sorted(table[target].dropna().unique())]
        positive = (click.prompt("  Which value is the positive class", type=click.Choice(values)),)
    return drafting.Answers(
        system=system,
        classification=classification,
        target=target,
        task=task,
        positive=positive,
        protected=(protected := _ask_protected(table, target, special)),
        special=special,
        entity=_ask_column(table, "  Column that names the person or thing of a row (empty: none)"),
        gates=_ask_gates(task, [drafting.slug(name) for name in protected]),
    )


def _ask_class() -> dict[str, Any]:
    """The questions of the register, in its order. What only follows a `yes` is asked after one."""
    from configs.law import register as law

    register = law.load()
    tri_state = click.Choice(["yes", "no", "unknown"])
    found: dict[str, Any] = {}
    for question in register.questions:
        if question.id in ("profiling", "derogation_claimed") and found.get("annex_iii_use") == "no":
            continue
        found[question.id] = click.prompt(
            f"  {question.question} ({question.place})", type=tri_state, default="unknown"
        )
        if found[question.id] == "yes" and question.id == "annex_iii_use":
            found["annex_iii_point"] = click.prompt("  Which point of Annex III, for example 5(b)")
        if found[question.id] == "yes" and question.id == "annex_i_product":
            found["annex_i_point"] = click.prompt("  Which point of Annex I, for example 11 for medical devices")
    return found


def _ask_protected(table: Any, target: str, special: dict[str, bool]) -> dict[str, bool]:
    """Which attributes are protected, and whether the model may see each; what is known of `special` is added."""
    found: dict[str, bool] = {}
    while name := _ask_column(table, "  A protected attribute, such as sex or age (empty: no more)"):
        if name == target:
            click.echo("  The target cannot be a protected attribute.")
            continue
        found[name] = click.confirm(f"  May the model see {name}?", default=False)
        asked = f"  Is {name} a special category of personal data, such as health or ethnic origin (GDPR Art. 9)?"
        answer = click.prompt(asked, type=click.Choice(["yes", "no", "unknown"]), default="unknown")
        special |= {} if answer == "unknown" else {name: answer == "yes"}
    return found


def _ask_column(table: Any, text: str) -> str | None:
    while True:
        name: str = click.prompt(text, default="", show_default=False)
        if not name or name in table.columns:
            return name or None
        click.echo(f"  There is no column '{name}'.")


def _ask_gates(task: str, protected: list[str]) -> tuple[dict[str, Any], ...]:
    click.echo("\nThe policy. Decide before you have seen a result; the reason stands in the documents.")
    share = click.FloatRange(0.0, 1.0)
    metric = "performance.r2" if task == "regression" else "performance.balanced_accuracy"
    least = click.prompt(f"  Lowest acceptable {metric.split('.')[1]} on the test data, 0 to 1", type=share)
    gates = [{"check": metric, "at_least": least, "rationale": click.prompt("  Why")}]
    for name in protected if task == "binary" else ():
        most = click.prompt(f"  Largest acceptable difference in positive answers between groups of {name}", type=share)
        check = "fairness.demographic_parity_difference"
        gates.append({"check": check, "slice": name, "at_most": most, "rationale": click.prompt("  Why")})
    return tuple(gates)
