"""`proofline init`: ask the questions, write a plan."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from configs import errors

CLASSIFICATION = {
    "prohibited_practice": "Does the use fall under the prohibited practices of Art. 5?",
    "annex_i_product": "Is it a safety component of a product under Annex I, with third-party assessment?",
    "annex_iii_use": "Is the use listed in Annex III (Art. 6(2))?",
    "profiling": "Does it profile natural persons (Art. 6(3))?",
    "transparency_duty": "Does it interact with persons or generate content (Art. 50)?",
}
FORMATS = {".csv": "csv", ".tsv": "tsv", ".parquet": "parquet", ".xlsx": "excel"}


@click.command("init")
@click.argument("data", type=click.Path(dir_okay=False, path_type=Path))
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

    table = _read(data)
    click.echo(f"{data.name}: {len(table):,} rows, {len(table.columns)} columns")
    for name in table.columns:
        values = table[name]
        click.echo(
            f"  {name:<28} {drafting.guess_kind(values):<12} {values.nunique():>7,} different, "
            f"{values.isna().sum():,} missing"
        )
    answers = _ask(table)
    schema = Path(__file__).resolve().parents[2] / "configs" / "plan.schema.json"
    path = Path(data.name) if out.parent.resolve() == data.parent.resolve() else data.resolve()
    text = drafting.to_yaml(drafting.draft(table, path, answers), data, schema.as_uri())
    out.write_text(text, encoding="utf-8")
    click.echo(f"Written: {out}. Read it through, then `proofline check {out}` and `proofline run {out}`.")


def _read(data: Path) -> Any:
    import pandas as pd

    if not data.is_file():
        raise errors.MissingError(f"data {data}: expected a file, got none. Check the path.")
    kind = FORMATS.get(data.suffix.lower())
    if kind is None:
        raise errors.PlanError(f"data {data}: expected .csv, .tsv, .parquet or .xlsx, got '{data.suffix}'. Convert it.")
    try:
        if kind == "parquet":
            return pd.read_parquet(data)
        if kind == "excel":
            return pd.read_excel(data)
        return pd.read_csv(data, sep="\t" if kind == "tsv" else ",", skipinitialspace=True)
    except (ValueError, OSError) as error:
        raise errors.DataError(
            f"data {data}: expected a readable {kind} table, got: {error}. Repair the file."
        ) from None


def _ask(table: Any) -> Any:
    from flows import drafting

    click.echo("\nThe system")
    system: dict[str, Any] = {
        "id": click.prompt("  Short identifier (lower case, digits, - or _)"),
        "name": click.prompt("  Name"),
        "version": click.prompt("  Version", default="0.1.0"),
        "provider": {"name": click.prompt("  Provider (company)")},
        "intended_purpose": click.prompt("  Intended purpose, in one sentence"),
    }
    click.echo("\nIts class under the AI Act. Answer yes, no or unknown; what is unknown stays open in the documents.")
    tri_state = click.Choice(["yes", "no", "unknown"])
    classification = {k: click.prompt(f"  {q}", type=tri_state, default="unknown") for k, q in CLASSIFICATION.items()}
    if classification["annex_iii_use"] == "yes":
        classification["annex_iii_point"] = click.prompt("  Which point of Annex III, for example 5(b)")
    click.echo("\nThe data")
    columns = click.Choice(list(table.columns))
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
        protected=_ask_protected(table, target),
        entity=_ask_column(table, "  Column that names the person or thing of a row (empty: none)"),
        gates=_ask_gates(task),
    )


def _ask_protected(table: Any, target: str) -> dict[str, bool]:
    found: dict[str, bool] = {}
    while name := _ask_column(table, "  A protected attribute, such as sex or age (empty: no more)"):
        if name == target:
            click.echo("  The target cannot be a protected attribute.")
            continue
        found[name] = click.confirm(f"  May the model see {name}?", default=False)
    return found


def _ask_column(table: Any, text: str) -> str | None:
    while True:
        name: str = click.prompt(text, default="", show_default=False)
        if not name or name in table.columns:
            return name or None
        click.echo(f"  There is no column '{name}'.")


def _ask_gates(task: str) -> tuple[dict[str, Any], ...]:
    metric = "performance.r2" if task == "regression" else "performance.balanced_accuracy"
    least = click.prompt(f"\nThe policy\n  Lowest acceptable {metric.split('.')[1]} on the test data", type=float)
    return ({"check": metric, "at_least": least},)
