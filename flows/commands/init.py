"""`proofline init`: ask the questions, write a plan."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from configs import errors
from configs.wording import counted

if TYPE_CHECKING:  # pandas takes long to import, and --help asks nothing of it
    from factory.first_look import Look
    from flows.drafting import Answers
    from flows.questions import Questions

FORMATS = (".csv", ".tsv", ".parquet", ".xlsx")
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
    which thresholds apply is asked, because only a person knows. Press Enter for what is in brackets. After Ctrl-C the
    same command offers the answers of before.
    """
    out = out or data.with_suffix(".yaml")
    if out.exists() and not force:
        raise errors.PlanError(f"plan {out}: expected no file, got one. Name another with --out, or add --force.")
    _require_table(data)
    from flows import cli

    cli.require_pipeline("init")
    from factory import first_look
    from flows import drafting, questions

    look = first_look.at(data)
    _say_look(look, data)
    asking = questions.Questions(out.with_suffix(".answers.json"))
    with asking.kept():
        answers = _ask(look, data, asking)
        text = drafting.to_yaml(drafting.draft(look, answers), data)
        out.write_text(text, encoding="utf-8")
    for name, why in drafting.ignored(look, answers).items():
        click.echo(f"Ignored: {name} (role: ignored): {why}.")
    for name, why in look.left_out.items():
        click.echo(f"Not in the plan: {name}: {why}.")
    if out.parent.resolve() != data.parent.resolve():
        click.echo(f"The plan names {data.name} only: set PROOFLINE_DATA={data.parent.resolve()} when you run it.")
    click.echo(f"Written: {out}. Read it through, then `proofline check {out}` and `proofline run {out}`.")


def _require_table(data: Path) -> None:
    if data.is_dir() or data.suffix.lower() in TEXTS:
        raise errors.PlanError(
            f"data {data}: expected a table in .csv, .tsv, .parquet or .xlsx, got {_what(data)}. Convert a table; for "
            "the text of a language model begin with a copy of configs/use_cases/python_documentation.yaml "
            "(docs/guide/text.md)."
        )
    if not data.is_file():
        raise errors.MissingError(f"data {data}: expected a file, got none. {_near(data)}Check the path.")
    if data.suffix.lower() not in FORMATS:
        raise errors.PlanError(f"data {data}: expected .csv, .tsv, .parquet or .xlsx, got '{data.suffix}'. Convert it.")


def _what(data: Path) -> str:
    return "a folder" if data.is_dir() else f"'{data.suffix}'"


def _near(data: Path) -> str:
    names = [p.name for p in data.parent.iterdir()] if data.parent.is_dir() else []
    near = difflib.get_close_matches(data.name, names, n=1)
    return f"Did you mean {near[0]}? " if near else ""


def _say_look(look: Look, data: Path) -> None:
    from factory import file_form

    click.echo(f"{data.name}: {counted(len(look.table), 'row')}, {counted(len(look.kinds), 'column')}")
    source = look.source
    if source.separator:
        click.echo(f"  separated by '{source.separator}' (data.source.separator)")
    if source.encoding != "utf-8":
        western = " (Western Windows), because it is no UTF-8" if source.encoding == file_form.WESTERN else ""
        click.echo(f"  read as {source.encoding}{western} (data.source.encoding): are names and values right?")
    if source.decimal == ",":
        click.echo("  decimals after a comma (data.source.decimal); numbers with a point are read as text")
    for name, kind in look.kinds.items():
        found = f"{look.different(name):>7,} different, {look.missing(name, kind):,} missing"
        click.echo(f"  {name:<28} {kind:<12} {found}")
        if note := look.notes.get(name):
            click.echo(f"    {note}")
    for name, why in look.left_out.items():
        click.echo(f"  {name}: left out: {why}")
    numbers = [name for name in look.kinds if re.fullmatch(r"[-+]?[0-9]*[.,]?[0-9]+", name)]
    if numbers:
        click.echo(
            f"  {counted(len(numbers), 'name')} of columns are numbers: if the first row holds values, stop here and "
            "put a row with names above it"
        )


def _identifier(text: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9_-]{1,62}", text):
        raise click.BadParameter(
            f"expected lower-case letters, digits, - and _ only, two at least, a letter first, got '{text[:60]}'."
        )
    return text


def _ask(look: Look, data: Path, asking: Questions) -> Answers:
    from flows import drafting, questions

    if asking.goes_on:
        click.echo("\nYour answers of before stand in brackets: Enter takes them.")
    click.echo("\nThe system")
    ask, words = asking.ask, questions.words
    system: dict[str, Any] = {
        "id": ask("system.id", "  Short identifier (lower case, digits, - or _)", _identifier),
        "name": ask("system.name", "  Name", words),
        "version": ask("system.version", "  Version", words, "0.1.0"),
        "provider": {"name": ask("system.provider", "  Provider (company)", words)},
        "intended_purpose": ask("system.purpose", "  Intended purpose, in one sentence", questions.sentence),
    }
    click.echo("\nIts class under the AI Act. Answer yes, no or unknown; what is unknown stays open in the documents.")
    classification = _ask_class(asking)
    click.echo("\nThe data")
    title = drafting.title_of(data) or ask("data.title", "  Title of the data", words)
    answers = _ask_data(look, asking, drafting.Answers(system, classification, title, "", ""))
    gates = _ask_gates(answers.task, drafting.slugs(list(answers.protected)), asking)
    return drafting.replaced(answers, gates=gates)


def _ask_class(asking: Questions) -> dict[str, Any]:
    """The questions of the register, in its order. What only follows a `yes` is asked after one."""
    from configs.law import classify
    from configs.law import register as law
    from flows import questions

    register = law.load()
    found: dict[str, Any] = {}
    for question in register.questions:
        if question.id in ("profiling", "derogation_claimed") and found.get("annex_iii_use") == "no":
            continue
        key, words = f"classification.{question.id}", f"  {question.question} ({question.place})"
        found[question.id] = asking.ask(key, words, questions.yes_no_unknown, "unknown")
        points = {
            "annex_iii_use": ("annex_iii_point", "III, for example 5(b)", register.annex_iii_uses),
            "annex_i_product": ("annex_i_point", "I, for example 11 for medical devices", register.annex_i_products),
        }
        if found[question.id] == "yes" and question.id in points:
            field, named, items = points[question.id]
            take = _point_of(named.partition(",")[0], [classify.point(item) for item in items])
            words = f"  Which point of Annex {named} (empty: still open)"
            if point := asking.ask(f"classification.{field}", words, take, ""):
                found[field] = point
    return found


def _point_of(annex: str, known: list[str]) -> Callable[[str], str]:
    def take(text: str) -> str:
        if not text or text in known:
            return text
        letters = re.sub(rf"^annex{annex.lower()}|[^a-z0-9]", "", re.sub(r"\s", "", text.lower()))
        near = [point for point in known if re.sub(r"[()]", "", point) == letters]
        hint = f"Did you mean {near[0]}?" if near else f"`proofline law annex_{annex.lower()}` lists them."
        raise click.BadParameter(f"expected a point of Annex {annex} such as {known[0]}, got '{text[:60]}'. {hint}")

    return take


def _ask_data(look: Look, asking: Questions, answers: Answers) -> Answers:
    """The questions on the table. An answer with which a run would not begin is refused at its question."""
    from flows import drafting, questions

    def with_target(name: str) -> Answers:
        _require_column(look, name)
        task = drafting.guess_task(look, name)
        return _agreed(look, _trial(drafting.replaced(answers, target=name, task=task)))

    def _trial(found: Answers) -> Answers:
        """The answers with the first class as the positive one, until a person has named it."""
        if drafting.needs_threshold(look, found.target, found.task):
            return drafting.replaced(found, above=float(look.table[found.target].min()))
        first = drafting.classes(look, found.target)[:1] if found.task == "binary" else ()
        return drafting.replaced(found, positive=first, above=None)

    def with_task(task: str) -> Answers:
        questions.one_of(("binary", "multiclass", "regression"))(task)
        return _agreed(look, _trial(drafting.replaced(answers, task=task)))

    answers = asking.ask("data.target", "  Which column is predicted", with_target)
    answers = asking.ask("data.task", "  Task", with_task, answers.task)
    if answers.above is not None:

        def with_threshold(text: str) -> Answers:
            try:
                return _agreed(look, drafting.replaced(answers, above=float(text)))
            except ValueError:
                raise questions.refused("a number", text) from None

        answers = asking.ask("data.above", "  Positive where it is above which value", with_threshold)
    elif answers.task == "binary":
        take = questions.one_of(drafting.classes(look, answers.target))
        positive = asking.ask("data.positive", "  Which value is the positive class", take)
        answers = drafting.replaced(answers, positive=(positive,))
    answers = _ask_protected(look, asking, answers)

    def with_entity(name: str) -> Answers:
        if not name:
            return answers
        _require_column(look, name)
        if name == answers.target:
            raise click.BadParameter("expected another column, got the target.")
        return _agreed(look, drafting.replaced(answers, entity=name))

    words = "  Column that names the person or thing of a row (empty: none)"
    return asking.ask("data.entity", words, with_entity, "")


def _ask_protected(look: Look, asking: Questions, answers: Answers) -> Answers:
    from flows import drafting, questions

    def column(name: str) -> str:
        if not name:
            return name
        _require_column(look, name)
        if name == answers.target:
            raise click.BadParameter("expected a protected attribute, got the target. It cannot be one.")
        if name in answers.protected:
            raise click.BadParameter(f"expected another column, got '{name}' again.")
        if not look.different(name):
            raise click.BadParameter(f"expected a column with values, got '{name}', which has none.")
        return name

    def added(seen: str) -> Answers:
        protected = {**answers.protected, name: questions.yes_no(seen) == "yes"}
        return _agreed(look, drafting.replaced(answers, protected=protected))

    words = "  A protected attribute, such as sex or age (empty: no more)"
    while name := asking.ask(f"data.protected.{len(answers.protected)}", words, column, ""):
        key = f"data.protected.{len(answers.protected)}.seen"
        answers = asking.ask(key, f"  May the model see {name}", added, "no")
        asked = f"  Is {name} a special category of personal data, such as health or ethnic origin (GDPR Art. 9)"
        special = asking.ask(f"{key.removesuffix('seen')}special", asked, questions.yes_no_unknown, "unknown")
        if special != "unknown":
            answers = drafting.replaced(answers, special={**answers.special, name: special == "yes"})
    return answers


def _agreed(look: Look, answers: Answers) -> Answers:
    from flows import drafting

    if why := drafting.refusal(look, answers):
        raise click.BadParameter(why)
    return answers


def _require_column(look: Look, name: str) -> None:
    if name in look.kinds:
        return
    from flows import questions

    if why := look.left_out.get(name):
        raise click.BadParameter(f"expected a column that a plan can declare, got '{name}': {why}.")
    near = questions.near(name, look.kinds)
    raise click.BadParameter(
        f"expected a column of the table, got '{name[:60]}'. {near or 'Its columns are listed above.'}"
    )


def _ask_gates(task: str, protected: list[str], asking: Questions) -> tuple[dict[str, Any], ...]:
    from flows import questions

    click.echo("\nThe policy. Decide before you have seen a result; the reason stands in the documents.")
    metric = "performance.r2" if task == "regression" else "performance.balanced_accuracy"
    least = asking.ask(
        f"policy.{metric}", f"  Lowest acceptable {metric.split('.')[1]} on the test data, 0 to 1", questions.share
    )
    why = asking.ask(f"policy.{metric}.why", "  Why", questions.sentence)
    gates = [{"check": metric, "at_least": least, "rationale": why}]
    for name in protected if task == "binary" else ():
        check = "fairness.demographic_parity_difference"
        key = f"policy.{check}.{name}"
        words = f"  Largest acceptable difference in positive answers between groups of {name}"
        most = asking.ask(key, words, questions.share)
        why = asking.ask(f"{key}.why", "  Why", questions.sentence)
        gates.append({"check": check, "slice": name, "at_most": most, "rationale": why})
    return tuple(gates)
