"""`init` writes plans that their own table passes, asks nobody twice, and refuses an answer at its question."""

from __future__ import annotations

import datetime
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pandas as pd
import pytest
from click.testing import CliRunner

from checks import data_quality
from configs import errors, load, plan_texts
from configs.plan import Plan
from evidence.folder import RunFolder
from factory import first_look, ingest
from flows import cli, drafting

SYSTEM = ("try-out", "Try-out", "", "Example Ltd", "To try this out.")
CLASS = ("", "", "", "", "n", "")
GATE = ("0.6", "Better than chance.")
ROWS = 60


def said(folder: Path, table: Any, *answers: str, name: str = "t.csv") -> tuple[int, str]:
    """What `init` says of a table to somebody who types these answers: exit code, both outputs."""
    write(folder / name, table)
    done = CliRunner().invoke(_in_main(), ["init", str(folder / name)], input="".join(f"{a}\n" for a in answers))
    return done.exit_code, done.output


def _in_main() -> click.Command:
    """The command line with its own way out, under click's runner."""

    @click.command(context_settings={"ignore_unknown_options": True})
    @click.argument("words", nargs=-1, type=click.UNPROCESSED)
    def whole(words: tuple[str, ...]) -> None:
        cli.main(list(words))

    return whole


def write(path: Path, table: Any) -> None:
    """A table as bytes, text, or a frame by the file's ending."""
    if isinstance(table, bytes):
        path.write_bytes(table)
    elif isinstance(table, str):
        path.write_text(table, encoding="utf-8")
    elif path.suffix == ".xlsx":
        table.to_excel(path, index=False)
    elif path.suffix == ".parquet":
        table.to_parquet(path, index=False)
    else:
        table.to_csv(path, index=False)


def drafted(look: first_look.Look, target: str, **answers: Any) -> tuple[str, drafting.Answers]:
    """The plan of somebody who takes what is proposed, the first class as the positive one."""
    system = {
        "id": "try-out", "name": "Try-out", "version": "1", "provider": {"name": "Example"},
        "intended_purpose": "To try this out.",
    }  # fmt: skip
    task = drafting.guess_task(look, target)
    first = drafting.classes(look, target)[:1] if task == "binary" else ()
    gates = ({"check": "performance.accuracy", "at_least": 0.5, "rationale": "Better than chance."},)
    found = drafting.Answers(system, {}, "Table", target, task, positive=first, gates=gates, **answers)
    return drafting.to_yaml(drafting.draft(look, found), look.folder / look.source.path[0]), found


def broken(plan: Plan, path: Path, folder: Path) -> list[str]:
    """What `check` finds wrong with the data of a plan."""
    run = RunFolder(folder)
    quality = data_quality.validate(run, plan, ingest.ingest(run, plan, path.parent))
    return [f"{r.title}: {r.reason}" for r in quality.results if r.status != "pass"]


# A plan passes its own table ------------------------------------------------------------------------------------------

KINDS: dict[str, Callable[[random.Random], Any]] = {
    "true and false": lambda r: r.choice(["true", "false"]),
    "booleans": lambda r: r.choice([True, False]),
    "whole numbers with gaps": lambda r: r.choice([0, 1, 1, 2, None]),
    "whole numbers written as reals": lambda r: r.choice(["3.0", "4.0", "12"]),
    "dates": lambda r: datetime.datetime(2024, 1, r.randint(1, 5)),  # noqa: DTZ001 - a spreadsheet has no zone
    "numbers and words": lambda r: r.choice([0, "no"]),
    "numbers and booleans": lambda r: r.choice([0, True, "yes"]),
    "words that YAML reads as something else": lambda r: r.choice(["yes", "no", "1e3", "null ", "~", "0x1f", "- a"]),
    "texts with breaks": lambda r: r.choice(["a\nb", "a: b", "# c", "'", "é\u2028"]),
    "free text": lambda r: f"text {r.random()}",
    "reals": lambda r: r.uniform(-1e-3, 1e6),
    "large whole numbers": lambda r: r.randint(-(2**62), 2**62),
    "tiny reals": lambda r: r.uniform(1e-9, 2e-9),
    "one value": lambda _: 7,
    "nothing": lambda _: None,
    "mostly nothing": lambda r: r.choice([None] * 9 + [1.5]),
    "places": lambda r: r.choice(["/home/somebody", "/home/nobody"]),
}


@pytest.mark.parametrize("ending", ["csv", "xlsx", "parquet"])
@pytest.mark.parametrize("seed", range(4))
def test_a_plan_passes_its_own_table(tmp_path: Path, ending: str, seed: int) -> None:
    """Whatever the columns hold, ingestion and every declared rule pass on the table that the plan was drafted from."""
    random_ = random.Random(seed)  # noqa: S311 - no secret
    columns = {name: [make(random_) for _ in range(ROWS)] for name, make in KINDS.items()}
    if ending == "parquet":  # a column there has one type
        columns = {n: v if "and" not in n or n == "true and false" else [str(x) for x in v] for n, v in columns.items()}
    columns["plain"] = [random_.random() for _ in range(ROWS)]
    path = tmp_path / f"t.{ending}"
    write(path, pd.DataFrame({name: pd.Series(values, dtype=None) for name, values in columns.items()}))
    look = first_look.at(path)
    assert set(look.kinds) == set(columns)
    targets = [name for name in look.kinds if drafting.refusal(look, drafted_answers(look, name)) is None]
    assert len(targets) >= 10
    for target in random_.sample(targets, 3):
        others = [name for name in look.kinds if name != target and look.different(name)]
        protected = dict.fromkeys(random_.sample(others, 2), False)
        text, _ = drafted(look, target, protected=protected)
        plan = load.parse(text)
        plan_texts.require(plan, "plan")
        (tmp_path / target).mkdir()
        assert broken(plan, path, tmp_path / target) == [], target


def drafted_answers(look: first_look.Look, target: str) -> drafting.Answers:
    """The answers alone."""
    if look.different(target) < 2:
        return drafting.Answers({}, {}, "", target, "regression")
    return drafted(look, target)[1]


def test_a_target_is_read_as_the_text_that_a_run_reads(tmp_path: Path) -> None:
    """A text `true` stays, 0 beside an empty cell too, and a date of a spreadsheet has the form of ISO 8601."""
    rows = {"flag": ["true", "false"] * 20, "code": [0, 1] * 19 + [None, None], "x": range(40)}
    write(tmp_path / "t.csv", pd.DataFrame(rows).astype({"code": "Int64"}))
    look = first_look.at(tmp_path / "t.csv")
    assert drafting.classes(look, "flag") == ("false", "true")
    assert drafting.classes(look, "code") == ("0", "1")
    day = datetime.datetime(2024, 1, 1)  # noqa: DTZ001 - the same
    write(tmp_path / "t.xlsx", pd.DataFrame({"day": [day] * 3, "x": [1, 2, 3]}))
    assert drafting.classes(first_look.at(tmp_path / "t.xlsx"), "day") == ("2024-01-01T00:00:00",)


def test_a_target_of_numbers_and_words_is_taken(tmp_path: Path) -> None:
    """A column of a spreadsheet that holds `0` and `no` has two classes."""
    table = pd.DataFrame({"x": range(40), "y": [0, "no"] * 20})
    code, output = said(tmp_path, table, *SYSTEM, *CLASS, "y", "", "no", "", "", *GATE, name="t.xlsx")
    assert code == 0, output
    assert load.load(tmp_path / "t.yaml").data.target.negative == ("0",)


def test_bounds_are_rounded_outward(tmp_path: Path) -> None:
    """The plan leaves with the bundle: smallest and largest values of the table do not stand in it."""
    assert drafting.bounds(17, 88) == (10, 90)
    assert drafting.bounds(0, 1) == (0, 1)
    assert drafting.bounds(-0.1377, 0.1706) == (-0.2, 0.2)
    assert drafting.bounds(12310, 48213.5) == (10000, 50000)
    assert drafting.bounds(43, 43) == (40, 50)
    write(tmp_path / "t.csv", "wage,x,y\n" + "".join(f"{12345 + 7 * i},1,{i % 2}\n" for i in range(40)))
    text, _ = drafted(first_look.at(tmp_path / "t.csv"), "y", protected={"wage": False})
    assert "12345" not in text
    assert "rounded outward" in text


# Files as they come ---------------------------------------------------------------------------------------------------


def test_encoding_separator_and_decimals_are_found_and_said(tmp_path: Path) -> None:
    """A table as spreadsheets in Europe save it is read as it is meant, and the plan says how."""
    text = "größe;y\n" + "".join(f"1,{i}5;{'ja' if i % 2 else 'nein'}\n" for i in range(40))
    code, output = said(tmp_path, text.encode("latin-1"), *SYSTEM, *CLASS, "y", "", "ja", "", "", *GATE)
    assert code == 0, output
    assert "cp1252" in output
    assert "decimals after a comma" in output
    plan = load.load(tmp_path / "t.yaml")
    source: Any = plan.data.source
    assert (source.separator, source.encoding, source.decimal) == (";", "cp1252", ",")
    assert plan.data.columns[0].kind == "numeric"
    assert broken(plan, tmp_path / "t.csv", tmp_path) == []


def test_commas_that_may_be_thousands_are_not_read_as_decimals(tmp_path: Path) -> None:
    """`1,234` is not silently read as 1.234; the column is shown with what to do, and listed where it is not used."""
    text = "wage,y\n" + "".join(f'"1,{100 + i}",{i % 2}\n' for i in range(80))
    code, output = said(tmp_path, text + "2,1\n", *SYSTEM, *CLASS, "y")
    assert code == errors.EXIT_USAGE
    assert "commas that may be decimals or thousands" in output
    both = "wage;share;y\n" + "".join(f"1,{i:02};0.{i};{i % 2}\n" for i in range(80))
    look = first_look.at(_written(tmp_path, both))
    assert look.source.decimal == "."
    assert "write all with points" in look.notes["wage"]
    assert "write all with points" in drafting.ignored(look, drafted_answers(look, "y"))["wage"]


def _written(folder: Path, text: str) -> Path:
    write(folder / "t.csv", text)
    return folder / "t.csv"


def test_a_column_of_numbers_is_not_ignored_in_silence(tmp_path: Path) -> None:
    """Few values that are no numbers are named by the first row, beside the column and at the end."""
    text = "a,x,y\n" + "".join(f"{i},{'k.A.' if i == 4 else i * 1.5},{i % 2}\n" for i in range(80))
    code, output = said(tmp_path, text, *SYSTEM, *CLASS, "y", "", "1", "", "", *GATE)
    assert code == 0, output
    assert output.count("1 of 80 values are no numbers, first in row 5") == 2
    assert "Ignored: x (role: ignored)" in output


REFUSED = {
    "two columns of a name": ("a,a,b\n1,2,3\n", "t.csv", "column 'a': expected it once, got it twice"),
    "no rows": ("a,b\n", "t.csv", "expected rows below the names, got none"),
    "one column": ("a\n1\n", "t.csv", "expected at least two columns, separated by one of"),
    "a ragged row": ("a,b\n1,2\n1,2,3\n", "t.csv", "row 2: expected 2 columns, got 3"),
    "no spreadsheet": ("a,b\n", "t.xlsx", "expected a whole Excel file (.xlsx), got a damaged"),
    "no encoding": (
        b"a,b\n\x81,1\n",
        "t.csv",
        "expected text in UTF-8 or cp1252 (Western Windows), got",
    ),
}


@pytest.mark.parametrize(("table", "name", "expected"), REFUSED.values(), ids=REFUSED)
def test_a_table_that_no_run_reads_is_refused_before_any_question(
    tmp_path: Path, table: Any, name: str, expected: str
) -> None:
    """In one sentence of ours, and nothing is written."""
    write(tmp_path / name, table)
    code, output = _plain(tmp_path / name)
    assert code == errors.EXIT_USAGE
    assert expected in output
    assert "Short identifier" not in output
    assert not (tmp_path / "t.yaml").exists()


def _plain(path: Path, answers: str = "") -> tuple[int, str]:
    done = CliRunner().invoke(_in_main(), ["init", str(path)], input=answers)
    return done.exit_code, done.output


def test_columns_that_no_plan_can_name_are_left_out_and_told(tmp_path: Path) -> None:
    """Such as the row numbers that pandas writes without a name."""
    write(tmp_path / "t.csv", ",_row_x,a,y\n0,1,1,p\n1,2,3,q\n2,2,3,q\n")
    look = first_look.at(tmp_path / "t.csv")
    assert list(look.kinds) == ["a", "y"]
    assert set(look.left_out) == {"column 1 (without a name)", "_row_x"}


def test_a_table_without_names_is_told_before_any_question(tmp_path: Path) -> None:
    """Its first row would become the names, and so leave with the plan."""
    write(tmp_path / "t.csv", "39,Male,77516\n" + "".join(f"{i},Male,{i}\n" for i in range(9)))
    _, output = _plain(tmp_path / "t.csv")
    assert (
        "2 names of columns are numbers: if the first row holds values, stop here" in output.partition("The system")[0]
    )


# Answers --------------------------------------------------------------------------------------------------------------

TABLE = "id,x,y,gap\n" + "".join(
    f"{i % 7},{i}.5,{'ja' if i % 2 else 'nein'},{'' if i == 3 else i % 2}\n" for i in range(40)
)


def test_answers_are_refused_at_their_question(tmp_path: Path) -> None:
    """With what was expected, and what was probably meant; letters do for yes, no and unknown."""
    answers = (
        *("Sys", *SYSTEM), *("y", "n", "u", "no", "perhaps", "y", "5b", "5(b)", "n", "n", "n"),
        *("Y", "gap", "y", "four", "regression", "", "vielleicht", "ja", "x", "maybe", "n", "u", "y", ""),
        *("id", "70%", "0.7", "TBD", "Better than chance.", "2", "0.2", "One in five would be felt."),
    )  # fmt: skip
    code, output = said(tmp_path, TABLE, *answers)
    assert code == 0, output
    for expected in (
        "expected lower-case letters, digits, - and _ only, two at least, a letter first, got 'Sys'.",
        "expected one of yes, no, unknown, got 'perhaps'.",
        "expected a point of Annex III such as 1(a), got '5b'. Did you mean 5(b)?",
        "expected a column of the table, got 'Y'. Did you mean y?",
        "expected a value in every row, got missing (empty or NaN) in 1 of 40 rows, first in row 4.",
        "expected one of binary, multiclass, regression, got 'four'.",
        "expected a numeric column, got categorical",
        "expected one of ja, nein, got 'vielleicht'.",
        "expected one of yes, no, got 'maybe'.",
        "expected a protected attribute, got the target. It cannot be one.",
        "expected a number from 0 to 1, got '70%'. Did you mean 0.7?",
        "expected a statement, got 'TBD'.",
        "expected a number from 0 to 1, got '2'. Did you mean 0.02?",
    ):
        assert expected in output, output
    assert "is not one of" not in output
    assert "valid" not in output
    plan = load.load(tmp_path / "t.yaml")
    assert plan.classification.ai_system == "yes"
    assert plan.classification.prohibited_practice == "unknown"
    assert plan.classification.annex_iii_point == "5(b)"
    assert plan.data.entity == "id"


def test_a_number_of_many_values_gets_a_threshold(tmp_path: Path) -> None:
    """Two classes of a number are made by a value that lies between."""
    answers = (*SYSTEM, *CLASS, "x", "binary", "many", "500", "20", "", "", *GATE)
    code, output = said(tmp_path, TABLE, *answers)
    assert code == 0, output
    assert "expected a number, got 'many'" in output
    assert "expected at least two classes" in output
    plan = load.load(tmp_path / "t.yaml")
    assert plan.data.target.above == 20
    assert broken(plan, tmp_path / "t.csv", tmp_path) == []


def test_answers_outlive_the_command(tmp_path: Path) -> None:
    """Where the input ends or a person stops, no plan is written; the same command offers what was said."""
    code, output = said(tmp_path, TABLE, *SYSTEM, "y")
    assert code == errors.EXIT_USAGE
    assert "No plan was written; your answers are in" in output
    assert "--resume" not in output
    assert not (tmp_path / "t.yaml").exists()
    assert (tmp_path / "t.answers.json").is_file()
    again = ("", "", "", "", "", *CLASS, "y", "", "ja", "", "", *GATE)
    code, output = said(tmp_path, TABLE, *again)
    assert code == 0, output
    plan = load.load(tmp_path / "t.yaml")
    assert plan.system.provider.name == "Example Ltd"
    assert plan.classification.ai_system == "yes"
    assert not (tmp_path / "t.answers.json").exists()


def test_a_person_who_stops_is_told_what_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C at the second question keeps the first answer, and speaks of no run."""
    asked = iter(["try-out"])

    def typed(*_: object, **__: object) -> str:
        try:
            return next(asked)
        except StopIteration:
            raise KeyboardInterrupt from None

    monkeypatch.setattr("click.termui.visible_prompt_func", typed)
    write(tmp_path / "t.csv", TABLE)
    with pytest.raises(SystemExit) as leaving:
        cli.main(["init", str(tmp_path / "t.csv")])
    assert leaving.value.code == errors.EXIT_INTERRUPTED
    assert '"system.id": "try-out"' in (tmp_path / "t.answers.json").read_text()


def test_an_answer_of_before_can_be_taken_back(tmp_path: Path) -> None:
    """`-` says none where Enter would take the column of before."""
    said(tmp_path, TABLE, *SYSTEM, *CLASS, "y", "", "ja", "x", "n")
    answers = ("",) * 11 + ("", "", "", "-", "", *GATE)
    code, output = said(tmp_path, TABLE, *answers)
    assert code == 0, output
    assert load.load(tmp_path / "t.yaml").data.protected == ()
