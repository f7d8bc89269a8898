from __future__ import annotations

import contextlib
import dataclasses
import sqlite3
import tempfile
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from configs import data, errors
from evidence.folder import RunFolder
from tests.factory import tables

pytest.importorskip("pyarrow")


@dataclasses.dataclass(frozen=True)
class Read:
    """What ingesting a source leaves."""

    frame: Any
    files: tuple[Any, ...]
    undeclared: tuple[str, ...]


def read(base: Path, source: dict[str, Any], **plan: Any) -> Read:
    import pandas as pd

    from factory import ingest

    with tempfile.TemporaryDirectory() as place:
        folder = RunFolder(Path(place))
        found = ingest.ingest(folder, tables.plan(source, **plan), base)
        return Read(pd.read_parquet(folder.at(found.table.path)).drop(columns="_row"), found.sources, found.undeclared)


def refusal(kind: type[errors.ProoflineError], base: Path, source: dict[str, Any], **plan: Any) -> str:
    with pytest.raises(errors.ProoflineError) as caught:
        read(base, source, **plan)
    assert type(caught.value) is kind, caught.value
    message = str(caught.value)
    assert "expected" in message
    assert "got" in message
    return message


def values(base: Path, source: dict[str, Any], **plan: Any) -> list[list[Any]]:
    frame = read(base, source, **plan).frame
    return frame.astype(object).where(frame.notna(), None).to_numpy().tolist()


EXPECTED = [[34, 1.5, "A", "yes"], [51, 2.0, "B", "no"], [47, None, "A", "no"], [29, 0.25, None, "yes"]]


def test_csv_has_the_declared_kinds(tmp_path: Path):
    """Columns come out as Int64, float64 and string, missing as missing."""
    frame = read(tmp_path, tables.csv(tmp_path)).frame
    assert [str(t) for t in frame.dtypes] == ["Int64", "float64", "string", "string"]
    assert values(tmp_path, tables.csv(tmp_path)) == EXPECTED


@pytest.mark.slow
def test_formats_agree(tmp_path: Path):
    """The same table as CSV, TSV, Parquet, Excel, in a ZIP, from SQLite and DuckDB reads the same."""
    import duckdb
    import pandas as pd

    csv = tables.csv(tmp_path)
    frame = pd.read_csv(tmp_path / "rows.csv")
    frame.to_csv(tmp_path / "rows.tsv", sep="\t", index=False)
    frame.to_parquet(tmp_path / "rows.parquet")
    frame.to_excel(tmp_path / "rows.xlsx", index=False)
    with zipfile.ZipFile(tmp_path / "rows.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(tmp_path / "rows.csv", "deep/rows.csv")
        archive.writestr("__MACOSX/deep/._rows.csv", b"\0")
    with sqlite3.connect(tmp_path / "rows.sqlite") as database:
        frame.to_sql("stays", database, index=False)
    database.close()
    with duckdb.connect(str(tmp_path / "rows.duckdb")) as connection:
        connection.execute("CREATE TABLE stays AS SELECT * FROM frame")
    assert values(tmp_path, csv) == EXPECTED
    for name in ("rows.tsv", "rows.parquet", "rows.xlsx", "rows.zip"):
        assert values(tmp_path, {"kind": "file", "path": [name]}) == EXPECTED, name
    for url in ("sqlite:///rows.sqlite", "duckdb:///rows.duckdb"):
        assert values(tmp_path, {"kind": "sql", "url": url, "query": "SELECT * FROM stays"}) == EXPECTED, url


def test_files_without_header_are_read_one_after_the_other(tmp_path: Path):
    """Without a header the declared columns name the values; each file is recorded with its digest."""
    lines = tables.ROWS.splitlines(keepends=True)[1:]
    tables.csv(tmp_path, "".join(lines[:2]), "a.csv")
    tables.csv(tmp_path, " " + " ".join(lines[2:]) + "\n\n", "b.csv")
    table = read(tmp_path, {"kind": "file", "path": ["a.csv", "b.csv"], "header": False})
    assert values(tmp_path, {"kind": "file", "path": ["a.csv", "b.csv"], "header": False}) == EXPECTED
    assert [f.name for f in table.files] == ["a.csv", "b.csv"]
    assert table.files[0].sha256 != table.files[1].sha256


def test_undeclared_columns_are_listed_and_not_kept(tmp_path: Path):
    """A column that the plan does not declare is named; with `refuse` it is an error."""
    text = tables.ROWS.replace("outcome\n", "outcome,name\n").replace("yes\n", "yes,x\n").replace("no\n", "no,x\n")
    table = read(tmp_path, tables.csv(tmp_path, text))
    assert table.undeclared == ("name",)
    assert list(table.frame.columns) == ["age", "dose", "ward", "outcome"]
    message = refusal(errors.DataError, tmp_path, tables.csv(tmp_path, text), undeclared="refuse")
    assert "'name'" in message


def test_decimal_commas_are_read_where_the_plan_says_so(tmp_path: Path):
    """Then a point is no part of a number: what separates thousands is refused, never read as decimals."""
    text = tables.ROWS.replace(",", ";").replace("1.5", "1,5").replace("0.25", "-2,5e-1")
    source = tables.csv(tmp_path, text, separator=";", decimal=",")
    assert {row[1] for row in values(tmp_path, source)} >= {1.5, 2.0, -0.25}
    message = refusal(errors.DataError, tmp_path, tables.csv(tmp_path, text, separator=";"))
    assert "set data.source.decimal: ','" in message
    source = tables.csv(tmp_path, text.replace("1,5", "1.500"), separator=";", decimal=",")
    assert "no separator of thousands" in refusal(errors.DataError, tmp_path, source)


@pytest.mark.parametrize(
    ("change", "kind", "said"),
    [
        (("", ""), None, ""),
        (("age", "years"), errors.DataError, "'age'"),
        (("ward,", "Ward,"), errors.DataError, "Did you mean 'Ward'?"),
        (("ward,", "dose,"), errors.DataError, "twice"),
        (("51", "5l"), errors.DataError, "'age'"),
        (("51", "51.5"), errors.DataError, "whole numbers"),
        (("51", "1_000"), errors.DataError, "row 2"),
        (("1.5", '"1,5"'), errors.DataError, "Write decimals with a point"),
        (("1.5", "inf"), errors.DataError, "infinite"),
        (("0.25", "1e999"), errors.DataError, "infinite"),
        (("51,2,B,no", "51,2,B,no,9"), errors.DataError, "row 2: expected 4 columns, got 5"),
        (("51,2,B,no", "51,2,B"), errors.DataError, "row 2: expected 4 columns, got 3"),
        (("B,no", "B,nein"), errors.DataError, "expected one of 'yes', 'no'"),
        (("B,no", "B,"), errors.DataError, "(target): expected a value in every row"),
        (("B,no", "B,NaN"), errors.DataError, "(target): expected a value in every row"),
        ((tables.ROWS.split("\n", 1)[1], ""), errors.DataError, "empty table"),
        ((tables.ROWS, ""), errors.DataError, "empty file"),
        ((tables.ROWS, "\n\n"), errors.DataError, "blank"),
    ],
)
def test_bad_tables_are_refused_in_one_sentence(
    tmp_path: Path, change: tuple[str, str], kind: type[errors.ProoflineError] | None, said: str
):
    """Each way in which a table can be wrong has its own readable sentence."""
    text = tables.ROWS.replace(*change, 1) if change[0] else tables.ROWS
    source = tables.csv(tmp_path, text)
    if kind is None:
        assert len(read(tmp_path, source).frame) == 4
        return
    assert said in refusal(kind, tmp_path, source)


def test_messages_hold_no_values(tmp_path: Path):
    """What stands in a person's row is in no message, neither for a wrong kind nor for a ragged row."""
    for row in ("secret-7,2,B,no", "51,2,B,no,secret-7", "51,2,B,secret-7", '51,"secret-7'):
        source = tables.csv(tmp_path, tables.ROWS.replace("51,2,B,no", row))
        assert "secret-7" not in refusal(errors.DataError, tmp_path, source)


@pytest.mark.parametrize(
    ("separator", "said"), [(";", "separator: ';'"), ("\t", "format: tsv"), ("|", "separator: '|'")]
)
def test_a_wrong_separator_is_named(tmp_path: Path, separator: str, said: str):
    """A table in one column: the message names the separator that works, and that one works."""
    source = tables.csv(tmp_path, tables.ROWS.replace(",", separator))
    assert said in refusal(errors.DataError, tmp_path, source)
    right = {"format": "tsv"} if separator == "\t" else {"separator": separator}
    assert values(tmp_path, source | right) == EXPECTED


def test_a_wrong_separator_is_seen_behind_decimal_commas(tmp_path: Path):
    """Decimal commas make several columns out of nothing; the header gives the separator away."""
    source = tables.csv(tmp_path, "age;dose,mg;ward;outcome\n34;1,5;A;yes\n51;2,5;B;no\n")
    assert "separator: ';'" in refusal(errors.DataError, tmp_path, source)


def test_misspelt_columns_are_told_with_those_that_were_meant(tmp_path: Path):
    """All that are missing and all that are not declared stand in one message; a first row of values is not quoted."""
    message = refusal(errors.DataError, tmp_path, tables.csv(tmp_path, tables.ROWS.replace("age,dose", "agee,dosis")))
    assert "columns 'age', 'dose': expected them as the plan declares, got no such columns among 4" in message
    assert "where the plan does not declare 'agee', 'dosis'" in message
    assert "Did you mean 'agee' for 'age'?" in message
    bare = tables.csv(tmp_path, tables.ROWS.partition("\n")[2], "bare.csv")
    message = refusal(errors.DataError, tmp_path, bare)
    assert "If its first row holds no names, set data.source.header: false" in message
    assert "'34'" not in message


def test_one_class_only_and_all_missing(tmp_path: Path):
    """A target with one class, and a used column without values, end the run; an ignored one does not."""
    one = tables.csv(tmp_path, tables.ROWS.replace("yes", "no"))
    assert "at least two classes" in refusal(errors.DataError, tmp_path, one)
    empty = tables.csv(tmp_path, "age,dose,ward,outcome\n3,,A,yes\n4,NA,B,no\n")
    assert "all 2 rows are missing" in refusal(errors.DataError, tmp_path, empty)
    ignored = [c | {"role": "ignored"} if c["name"] == "dose" else c for c in tables.COLUMNS]
    assert len(read(tmp_path, empty, columns=ignored).frame) == 2


def test_a_numeric_target_must_be_finite_and_vary(tmp_path: Path):
    """Regression: infinite, missing and constant targets are refused."""
    columns = [*tables.COLUMNS[:3], {"name": "outcome", "kind": "numeric", "role": "target"}]
    for outcomes, said in ((("1", "inf"), "infinite"), (("1", ""), "missing"), (("1", "1"), "the same")):
        text = "age,dose,ward,outcome\n" + "".join(f"{i},1,A,{v}\n" for i, v in enumerate(outcomes))
        message = refusal(
            errors.DataError, tmp_path, tables.csv(tmp_path, text), columns=columns, target={"task": "regression"}
        )
        assert said in message
        assert "(target)" in message


def test_a_missing_file_names_proofline_data(tmp_path: Path):
    """The message of an absent file says where it was looked for, a near name, and PROOFLINE_DATA."""
    tables.csv(tmp_path)
    message = refusal(errors.MissingError, tmp_path, {"kind": "file", "path": ["row.csv"]})
    assert "PROOFLINE_DATA" in message
    assert "Did you mean rows.csv?" in message


def test_a_digest_that_differs_is_refused(tmp_path: Path):
    """A file that is not the declared one is not read; a list of digests must be complete."""
    source = tables.csv(tmp_path)
    assert "sha256" in refusal(errors.DataError, tmp_path, source | {"sha256": ["0" * 64]})
    assert "1 digests" in refusal(errors.PlanError, tmp_path, source | {"sha256": ["0" * 64] * 2})


def test_encodings(tmp_path: Path):
    """Text of another encoding is named, and read once declared; a byte-order mark is no part of a name."""
    text = tables.ROWS.replace("A", "Ä")
    for encoding, hint in (("cp1252", "cp1252"), ("utf-16", "utf-16")):
        (tmp_path / "rows.csv").write_bytes(text.encode(encoding))
        source = {"kind": "file", "path": ["rows.csv"]}
        assert hint in refusal(errors.PlanError, tmp_path, source)
        assert values(tmp_path, source | {"encoding": encoding})[0][2] == "Ä"
    (tmp_path / "rows.csv").write_bytes(text.encode("utf-8-sig"))
    assert values(tmp_path, {"kind": "file", "path": ["rows.csv"]})[0][0] == 34
    assert "known encoding" in refusal(errors.PlanError, tmp_path, source | {"encoding": "klingon"})


@pytest.mark.parametrize("ending", [".zip", ".xlsx", ".parquet"])
def test_damaged_files_are_refused(tmp_path: Path, ending: str):
    """A truncated archive, workbook or Parquet file, and one whose bytes were changed, end in a sentence."""
    import pandas as pd

    csv = tables.csv(tmp_path)
    frame = pd.read_csv(tmp_path / "rows.csv")
    place = tmp_path / f"table{ending}"
    if ending == ".zip":
        with zipfile.ZipFile(place, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("rows.csv", tables.ROWS * 50)
    elif ending == ".xlsx":
        frame.to_excel(place, index=False)
    else:
        frame.to_parquet(place)
    whole = place.read_bytes()
    source = csv | {"path": [place.name]}
    start = 40
    if ending != ".parquet":
        with zipfile.ZipFile(place) as archive:
            start = archive.getinfo("rows.csv" if ending == ".zip" else "xl/worksheets/sheet1.xml").header_offset + 60
    for bad in (whole[: len(whole) // 2], whole[:start] + bytes(20) + whole[start + 20 :], b"no table", b"PK\3\4"):
        place.write_bytes(bad)
        with pytest.raises(errors.DataError, match="damaged"):
            read(tmp_path, source)


def test_whatever_byte_of_an_archive_is_damaged_is_told(tmp_path: Path) -> None:
    """Offsets before the beginning, names that are none: one sentence, whatever the library makes of it."""
    place = tmp_path / "t.zip"
    with zipfile.ZipFile(place, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("rows.csv", "a,b\n" + "1,2\n" * 50)
    from factory import _files

    whole = place.read_bytes()
    source = data.FileSource.model_validate({"kind": "file", "path": ["t.zip"]})
    for at in range(len(whole)):
        for value in (0, 1, 0x80, 0xFF):
            content = bytearray(whole)
            content[at] = value
            place.write_bytes(bytes(content))
            with contextlib.suppress(errors.DataError, errors.PlanError):
                (opened,) = _files.open_all(source, tmp_path)
                assert opened.content().startswith(b"a,b")


def test_archives_with_several_or_unsafe_members(tmp_path: Path):
    """Several tables need a name; a wrong name, a bomb, and a member outside the archive are refused."""
    source = {"kind": "file", "path": ["t.zip"]}

    def write(**members: bytes) -> None:
        with zipfile.ZipFile(tmp_path / "t.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in members.items():
                archive.writestr(name, content)

    write(**{"a.csv": tables.ROWS.encode(), "b.csv": b"x"})
    assert "a.csv, b.csv" in refusal(errors.PlanError, tmp_path, source)
    assert values(tmp_path, source | {"member": "a.csv"}) == EXPECTED
    assert "Did you mean a.csv?" in refusal(errors.PlanError, tmp_path, source | {"member": "a.cvs"})
    write(**{"../a.csv": tables.ROWS.encode()})
    assert "leaves its folder" in refusal(errors.DataError, tmp_path, source)
    write(**{"a.csv": b"0" * 20_000_000})
    assert "to 1" in refusal(errors.DataError, tmp_path, source)


def test_a_member_that_stands_twice_is_refused(tmp_path: Path):
    """Two members of one name are two tables; which one was meant is not guessed."""
    with zipfile.ZipFile(tmp_path / "t.zip", "w") as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        archive.writestr("a.csv", tables.ROWS)
        archive.writestr("a.csv", tables.ROWS.replace("yes", "no"))
    for member in ({}, {"member": "a.csv"}):
        said = refusal(errors.DataError, tmp_path, {"kind": "file", "path": ["t.zip"], **member})
        assert "got several of that name" in said


def rewritten(place: Path, member: str, change: Callable[[bytes], bytes]) -> None:
    """Put another content into one member of an archive."""
    with zipfile.ZipFile(place) as archive:
        parts = {info.filename: archive.read(info) for info in archive.infolist()}
    parts[member] = change(parts[member])
    with zipfile.ZipFile(place, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)


@pytest.mark.parametrize(
    ("member", "change"),
    [
        ("xl/worksheets/sheet1.xml", lambda xml: xml.replace(b"<v>34</v>", b"<v>abc</v>")),
        ("xl/worksheets/sheet1.xml", lambda xml: xml.replace(b"<v>34</v>", b"<v>1e</v>")),
        ("xl/workbook.xml", lambda xml: xml.replace(b"<sheets>", b"<!--").replace(b"</sheets>", b"-->")),
        ("xl/workbook.xml", lambda _: b"<workbook/>"),
        ("xl/workbook.xml", lambda _: b""),
    ],
)
def test_a_workbook_that_is_inconsistent_is_refused(tmp_path: Path, member: str, change: Callable[[bytes], bytes]):
    """A number cell without a number and a workbook without its parts end in a sentence."""
    import openpyxl

    book = openpyxl.Workbook()
    for row in (["age", "dose", "ward", "outcome"], [34, 1.5, "A", "yes"], [51, 2, "B", "no"]):
        book.active.append(row)
    book.save(tmp_path / "t.xlsx")
    rewritten(tmp_path / "t.xlsx", member, change)
    assert "damaged" in refusal(errors.DataError, tmp_path, {"kind": "file", "path": ["t.xlsx"]})


def test_a_chart_is_no_table(tmp_path: Path):
    """A sheet that holds a chart has no cells to read."""
    import openpyxl
    from openpyxl.chart import BarChart

    book = openpyxl.Workbook()
    book.create_chartsheet("Plot").add_chart(BarChart())
    book.save(tmp_path / "t.xlsx")
    said = refusal(errors.PlanError, tmp_path, {"kind": "file", "path": ["t.xlsx"], "sheet": "Plot"})
    assert "the chart 'Plot'" in said


@pytest.mark.parametrize(
    ("path", "kind", "said"),
    [
        ("rows.csv/x", errors.MissingError, "Not a directory"),
        ("a" * 5000, errors.MissingError, "too long"),
        ("a\0b", errors.PlanError, "NUL"),
    ],
)
def test_impossible_paths_are_refused(tmp_path: Path, path: str, kind: type[errors.ProoflineError], said: str):
    """A file taken for a folder, a name beyond what a disk holds and a NUL character end in a short sentence."""
    message = refusal(kind, tmp_path, tables.csv(tmp_path) | {"path": [path]})
    assert said in message
    assert len(message) < 500


def test_encodings_that_are_none_are_refused(tmp_path: Path):
    """A NUL in the name, a codec that makes no text."""
    for encoding in ("utf-8\0x", "base64"):
        said = refusal(errors.PlanError, tmp_path, tables.csv(tmp_path, encoding=encoding))
        assert "\0" not in said


def test_a_header_without_end_is_refused(tmp_path: Path):
    """A quote that is never closed and a name of many thousand characters are said, not quoted."""
    for header in (
        '"age,dose,ward,outcome\n' + "1,2,A,yes\n" * 20_000,
        "a" * 200_000 + ",dose,ward,outcome\n1,2,A,yes\n",
    ):
        message = refusal(errors.DataError, tmp_path, tables.csv(tmp_path, header))
        assert "a quote that is not closed" in message
        assert len(message) < 500


def test_endless_digits_are_no_whole_number(tmp_path: Path):
    """Thousands of digits are refused, leading zeros are not counted."""
    said = refusal(errors.DataError, tmp_path, tables.csv(tmp_path, tables.ROWS.replace("51", "9" * 5000)))
    assert "whole numbers" in said
    zeros = tables.csv(tmp_path, tables.ROWS.replace("51", "0" * 5000 + "51"))
    assert values(tmp_path, zeros) == EXPECTED


def test_dates_beyond_the_calendar_are_refused(tmp_path: Path):
    """Time stamps after the year 9999 and text that is not UTF-8 name the column."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    broken = pa.StringArray.from_buffers(1, pa.array([0, 1], pa.int32()).buffers()[1], pa.py_buffer(b"\xff"))
    for ward in (pa.array([2**62], pa.timestamp("us")), broken):
        table = pa.table({"age": [1], "dose": [1.0], "ward": ward, "outcome": ["yes"]})
        pq.write_table(table, tmp_path / "t.parquet")
        said = refusal(errors.DataError, tmp_path, {"kind": "file", "path": ["t.parquet"]})
        assert "column 'ward'" in said


def test_missing_texts_are_declared(tmp_path: Path):
    """A text means missing where the plan says so, in a number column also as the equal number."""
    text = "age,dose,ward,outcome\n34,-9,?,yes\n51,-9.0,B,no\n40,1,None,no\n"
    columns = [c | {"missing_values": ["-9"]} if c["name"] == "dose" else c for c in tables.COLUMNS]
    found = values(tmp_path, tables.csv(tmp_path, text), columns=columns, missing_values=["?"])
    assert [row[1] for row in found] == [None, None, 1.0]
    assert [row[2] for row in found] == [None, "B", "None"]


def test_nothing_becomes_missing_on_its_own(tmp_path: Path):
    """Where the plan declares no text as missing, an empty number is an error, not a gap."""
    message = refusal(errors.DataError, tmp_path, tables.csv(tmp_path), missing_values=[])
    assert "'dose'" in message
    assert "1 of 4 rows, first in row 3" in message


def test_no_password_in_any_message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Addresses with secrets come from the environment, and no message repeats them."""
    url = "sqlite:///rows.sqlite?key=hunter2"
    sqlite3.connect(tmp_path / "rows.sqlite").close()
    source = {"kind": "sql", "url_env": "TEST_DATABASE", "query": "SELECT * FROM hunter2"}
    assert "TEST_DATABASE" in refusal(errors.MissingError, tmp_path, source)
    for address, kind in (
        (url, errors.MissingError),
        ("nosuch://me:hunter2@host/db", errors.MissingError),
        ("hunter2", errors.PlanError),
    ):
        monkeypatch.setenv("TEST_DATABASE", address)
        message = refusal(kind, tmp_path, source | {"query": "SELECT * FROM nothing"})
        assert "hunter2" not in message
    inside = {"kind": "sql", "url": "postgresql://me:hunter2@host/db", "query": "SELECT 1"}
    message = refusal(errors.PlanError, tmp_path, inside)
    assert "hunter2" not in message
    assert "url_env" in message


def test_databases_are_only_read(tmp_path: Path):
    """An absent database file is not made, and a statement that writes is refused."""
    source = {"kind": "sql", "url": "sqlite:///none.sqlite", "query": "SELECT 1"}
    assert "PROOFLINE_DATA" in refusal(errors.MissingError, tmp_path, source)
    assert not (tmp_path / "none.sqlite").exists()
    with sqlite3.connect(tmp_path / "rows.sqlite") as database:
        database.execute("CREATE TABLE stays (age INTEGER)")
    database.close()
    writing = {"kind": "sql", "url": "sqlite:///rows.sqlite", "query": "DROP TABLE stays"}
    with pytest.raises(errors.ProoflineError):
        read(tmp_path, writing)
    with sqlite3.connect(tmp_path / "rows.sqlite") as database:
        assert database.execute("SELECT count(*) FROM stays").fetchone() == (0,)
    database.close()


@pytest.mark.parametrize(("failure", "kind"), [("unreachable", errors.MissingError), ("unknown", errors.DataError)])
def test_openml_without_internet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failure: str, kind: type):
    """An unreachable service is something missing; a data set that it does not have is a wrong plan."""
    import urllib.error

    import sklearn.datasets

    def fetch(*_: Any, **__: Any) -> None:
        if failure == "unreachable":
            raise urllib.error.URLError("no route")
        raise sklearn.datasets._openml.OpenMLError("unknown")

    monkeypatch.setattr(sklearn.datasets, "fetch_openml", fetch)
    message = refusal(kind, tmp_path, {"kind": "openml", "name": "adult", "dataset_version": 2})
    assert "adult version 2" in message


def test_sklearn_tables_name_their_files():
    """The embedded data set has its published size, and its files are recorded."""
    import pandas as pd

    from configs import load
    from factory import sources

    plan = load.load(load.plan_path("diabetes_progression"))
    table = sources.read(plan.data.source, plan.data, Path("/nowhere"))
    frame = pd.concat(table.frames())
    assert frame.shape == (442, 11)
    assert sorted(frame["sex"].unique()) == ["1", "2"]
    assert [f.name for f in table.files] == [
        "scikit-learn/diabetes_data_raw.csv.gz",
        "scikit-learn/diabetes_target.csv.gz",
    ]


def test_typed_columns_of_parquet(tmp_path: Path):
    """Categories, decimals, truth values, dates and odd number types convert; nested values are refused."""
    import datetime
    import decimal

    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    day = datetime.date(2020, 1, 31)
    halves = pa.chunked_array([pa.array(["a", None]).dictionary_encode(), pa.array(["b"]).dictionary_encode()])
    columns = {
        "category": (halves, "categorical", ["a", None, "b"]),
        "decimal": (pa.array([decimal.Decimal("1.50"), None, decimal.Decimal(2)]), "numeric", [1.5, None, 2.0]),
        "truth": (pa.array([True, None, False]), "categorical", ["True", None, "False"]),
        "flag": (pa.array([True, None, False]), "numeric", [1.0, None, 0.0]),
        "half": (pa.array(np.array([1, 2, 3], np.float16)), "numeric", [1.0, 2.0, 3.0]),
        "single": (pa.array([0.1, float("nan"), -0.0], pa.float32()), "numeric", [float(np.float32(0.1)), None, 0.0]),
        "day": (pa.array([day, None, day]), "categorical", ["2020-01-31", None, "2020-01-31"]),
        "count": (pa.array([1, 2, 3], pa.uint64()), "integer", [1, 2, 3]),
        "whole": (pa.array([1.0, None, 3.0]), "integer", [1, None, 3]),
        "outcome": (pa.array(["yes", " no", "no "]), "categorical", ["yes", "no", "no"]),
    }
    table = pa.table({name: values for name, (values, _, _) in columns.items()})
    pq.write_table(table, tmp_path / "t.parquet")
    source = {"kind": "file", "path": ["t.parquet"]}
    declared = [
        {"name": name, "kind": kind, "role": "target" if name == "outcome" else "feature"}
        for name, (_, kind, _) in columns.items()
    ]
    found = zip(*values(tmp_path, source, columns=declared), strict=True)
    assert [list(column) for column in found] == [expected for _, _, expected in columns.values()]
    pq.write_table(table.set_column(0, "category", pa.array([[1], [2], [3]])), tmp_path / "t.parquet")
    assert "nested" in refusal(errors.DataError, tmp_path, source, columns=declared)
