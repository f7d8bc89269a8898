"""A query on a real PostgreSQL: the rows of the table, a piece at a time from the server, and nothing is written.

Needs Debian's `postgresql` and `psycopg` (any driver of SQLAlchemy for it); the server listens on a socket alone.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from configs import errors
from tests.factory import tables
from tests.factory.test_sources import EXPECTED, read, refusal, values

pytestmark = pytest.mark.slow
ROWS = 400_000
TABLE = """
CREATE TABLE stays (age integer, dose numeric(6, 2), ward text, outcome varchar(3));
INSERT INTO stays VALUES (34, 1.5, 'A', 'yes'), (51, 2, 'B', 'no'), (47, NULL, 'A', 'no'), (29, 0.25, NULL, 'yes');
CREATE FUNCTION spoil() RETURNS SETOF stays LANGUAGE sql AS 'DELETE FROM stays RETURNING *';
"""


def _programs() -> Path | None:
    """Where Debian keeps the programs of the newest server."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    return found[-1].parent if found and shutil.which("runuser") and os.geteuid() == 0 else None


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """The address of a server with one table, for SQLAlchemy."""
    programs = _programs()
    if programs is None:
        pytest.skip("a real PostgreSQL: this machine lacks it (Debian: postgresql; as root)")
    if importlib.util.find_spec("psycopg") is None:
        pytest.skip("a real PostgreSQL: this Python lacks its driver (pip install 'psycopg[binary]')")
    place = Path(tempfile.mkdtemp(prefix="postgresql-"))
    shutil.chown(place, "postgres")
    run = ["runuser", "-u", "postgres", "--"]
    words = [*run, f"{programs}/initdb", "-A", "trust", "-D", f"{place}/data"]
    subprocess.run(words, check=True, capture_output=True, cwd=place)
    options = f"-k {place} -c listen_addresses='' -c fsync=off"
    control = [*run, f"{programs}/pg_ctl", "-D", f"{place}/data", "-w", "-l", f"{place}/log"]
    subprocess.run([*control, "-o", options, "start"], check=True, capture_output=True, cwd=place)
    try:
        ask(place, TABLE)
        yield f"postgresql+psycopg://postgres@/postgres?host={place}"
    finally:
        subprocess.run([*control, "-m", "immediate", "stop"], check=False, capture_output=True, cwd=place)
        shutil.rmtree(place)


def ask(place: Path, statement: str) -> str:
    """What the server's own client says."""
    words = ["psql", "-h", str(place), "-U", "postgres", "-v", "ON_ERROR_STOP=1", "-At", "-c", statement]
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout.strip()


def place_of(server: str) -> Path:
    return Path(server.partition("host=")[2])


def source(server: str, query: str) -> dict[str, Any]:
    return {"kind": "sql", "url": server, "query": query}


def test_a_query_gives_the_rows_of_the_table(server, tmp_path):
    """Integers, exact decimals, texts and NULL become what the same table gives as CSV; the record names no address."""
    found = read(tmp_path, source(server, "SELECT * FROM stays"))
    assert values(tmp_path, source(server, "SELECT * FROM stays")) == EXPECTED
    assert values(tmp_path, tables.csv(tmp_path)) == EXPECTED
    (file,) = found.files
    assert file.name == "query (postgresql)"
    assert str(place_of(server)) not in repr(found.files)


def test_rows_come_from_a_cursor_of_the_server(server, tmp_path, monkeypatch):
    """While the first piece is looked at, the server still holds the rest: the client never has the whole result."""
    from configs.data import SqlSource
    from factory import _databases

    query = f"SELECT i AS age FROM generate_series(1, {ROWS}) AS i"  # noqa: S608 - ours
    monkeypatch.setattr(_databases, "rows_of_piece", lambda columns: 1000)
    table, _ = _databases.read(SqlSource.model_validate(source(server, query)), tmp_path)
    pieces = iter(table.pieces)
    first = next(pieces)
    assert list(first[0][:3]) == [1, 2, 3]
    fetching = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'FETCH FORWARD%' AND state LIKE 'idle in%'"
    assert ask(place_of(server), fetching) == "1"
    assert len(first[0]) + sum(len(piece[0]) for piece in pieces) == ROWS


def test_nothing_is_written(server, tmp_path):
    """A function that deletes is refused by the server, whose transaction only reads."""
    message = refusal(errors.DataError, tmp_path, source(server, "SELECT * FROM spoil()"))
    assert "read-only" in message
    assert ask(place_of(server), "SELECT count(*) FROM stays") == "4"


def test_what_the_server_refuses_is_one_sentence_without_the_address(server, tmp_path):
    """A name that is not there, and a server that is not there."""
    wrong = source(server, "SELECT * FROM nowhere")
    assert 'relation "nowhere" does not exist' in refusal(errors.DataError, tmp_path, wrong)
    gone = source("postgresql+psycopg://postgres@127.0.0.1:1/postgres", "SELECT 1")
    assert "Check the address" in refusal(errors.MissingError, tmp_path, gone)
