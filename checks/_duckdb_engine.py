"""The plan's expectations counted by DuckDB in the file itself: tables larger than memory.

Great Expectations' own SQL engine does not work with DuckDB (its results are read after the connection is given back),
so the counts that it would make are made here; what each of them means is as in its pandas engine.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from checks._expectations import Declared

TYPES = {
    "numeric": ("DOUBLE",),
    "integer": ("BIGINT", "INTEGER", "SMALLINT", "TINYINT", "UBIGINT", "UINTEGER", "USMALLINT", "UTINYINT"),
    "categorical": ("VARCHAR",),
}
"""Kind of a column to the types that its Parquet form is read as."""


@dataclasses.dataclass(frozen=True)
class Counted:
    """What was counted for one expectation: the parts of Great Expectations' result that are kept."""

    success: bool
    result: dict[str, Any]


def count(declared: tuple[Declared, ...], table: Path, temporary: Path) -> tuple[Counted, ...]:
    """Evaluate expectations, each of which can be judged on the columns' storage.

    Args:
        declared: What must hold.
        table: The Parquet file.
        temporary: Folder for what does not fit into memory meanwhile.
    """
    import duckdb  # noqa: PLC0415 - only where the plan asks for it

    # The smallest and largest value in a Parquet file leave out NaN; DuckDB 2.0 concludes from them that there is none.
    options = {"temp_directory": str(temporary), "disabled_optimizers": "statistics_propagation"}
    with duckdb.connect(config=options) as engine:
        relation = engine.read_parquet(str(table))
        types = dict(zip(relation.columns, (str(t) for t in relation.types), strict=True))
        cells = ", ".join(_cell(name, kind) for name, kind in types.items())
        source = str(table).replace("'", "''")
        engine.execute(f"CREATE VIEW rows AS SELECT {cells} FROM read_parquet('{source}')")  # noqa: S608 - quoted
        asked: list[str] = ["count(*)"]
        given: dict[str, Any] = {}
        for number, one in enumerate(declared):
            asked += _aggregates(one, number, given)
        answer = engine.execute(f"SELECT {', '.join(asked)} FROM rows", given).fetchone()  # noqa: S608 - quoted
        assert answer is not None  # noqa: S101 - an aggregate has a row
        rows, simple = int(answer[0]), iter(answer[1:])
        return tuple(
            _counted(one, rows, types, tuple(next(simple) for _ in _aggregates(one, 0, {})), engine) for one in declared
        )


def _cell(name: str, kind: str) -> str:
    """A column as it is judged: a number that is none (NaN) is missing."""
    quoted = _quoted(name)
    return f"CASE WHEN isnan({quoted}) THEN NULL ELSE {quoted} END AS {quoted}" if kind == "DOUBLE" else quoted


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _aggregates(one: Declared, number: int, given: dict[str, Any]) -> list[str]:
    """Missing and unexpected rows, where one pass over the rows tells; `given` receives the values compared with."""
    columns = [_quoted(name) for name in one.columns]
    match one.kind:
        case "finite" | "range":
            tests = []
            for side, sign, value in (("low", ">=", one.low), ("high", "<=", one.high)):
                if value is not None:
                    given[f"{side}{number}"] = value
                    tests.append(f"{columns[0]} {sign} ${side}{number}")
            wrong = f"NOT ({' AND '.join(tests)})"
        case "allowed_values":
            given[f"values{number}"] = list(one.values)
            wrong = f"NOT list_contains($values{number}::VARCHAR[], {columns[0]})"
        case "pair_ordered":
            wrong = f"NOT ({columns[0]} {'>=' if one.or_equal else '>'} {columns[1]})"
        case "missingness" | "uniqueness":
            return [f"count(*) FILTER ({columns[0]} IS NULL)"]
        case _:
            return []
    missing = " OR ".join(f"{c} IS NULL" for c in columns)
    return [f"count(*) FILTER ({missing})", f"count(*) FILTER (NOT ({missing}) AND {wrong})"]


def _counted(one: Declared, rows: int, types: dict[str, str], simple: tuple[int, ...], engine: Any) -> Counted:
    match one.kind:
        case "type":
            found = types[one.columns[0]]
            return Counted(found in TYPES[one.values[0]], {"observed_value": found})
        case "row_count":
            inside = (one.low is None or rows >= one.low) and (one.high is None or rows <= one.high)
            return Counted(inside, {"observed_value": rows})
        case "missingness":
            kept = (rows - simple[0]) / rows if rows else 1.0
            return Counted(kept >= round(1.0 - one.tolerated, 12), _result(rows, None, simple[0]))
        case "uniqueness":
            unexpected = _repeated(engine, one.columns, f"WHERE {_quoted(one.columns[0])} IS NOT NULL")
            return Counted(not unexpected, _result(rows, simple[0], unexpected))
        case "compound_unique":
            unexpected = _repeated(engine, one.columns, "")
            return Counted(not unexpected, _result(rows, 0, unexpected))
        case _:
            return Counted(not simple[1], _result(rows, simple[0], simple[1]))


def _repeated(engine: Any, columns: tuple[str, ...], where: str) -> int:
    """Rows whose values stand in another row too."""
    names = ", ".join(_quoted(name) for name in columns)
    groups = f"SELECT count(*) AS n FROM rows {where} GROUP BY {names} HAVING count(*) > 1"  # noqa: S608 - quoted
    return int(engine.execute(f"SELECT coalesce(sum(n), 0) FROM ({groups})").fetchone()[0])  # noqa: S608 - quoted


def _result(rows: int, missing: int | None, unexpected: int) -> dict[str, Any]:
    judged = rows - (missing or 0)
    found: dict[str, Any] = {
        "element_count": rows,
        "unexpected_count": unexpected,
        "unexpected_percent": 100 * unexpected / judged if judged else 0.0,
    }
    if missing is not None:
        found |= {
            "missing_count": missing,
            "missing_percent": 100 * missing / rows if rows else 0.0,
            "unexpected_percent_total": 100 * unexpected / rows if rows else 0.0,
            "unexpected_percent_nonmissing": found["unexpected_percent"],
        }
    return found
