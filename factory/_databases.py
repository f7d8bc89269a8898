"""The result of a query through SQLAlchemy. No address, and so no password, ever reaches a message or a record."""

from __future__ import annotations

import os
import urllib.parse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import sqlalchemy
import sqlalchemy.exc

from configs import data, errors
from evidence import canonical, records
from factory._raw import Piece, RawTable, rows_of_piece

_FILE_DATABASES = ("sqlite", "duckdb")


def read(source: data.SqlSource, base: Path) -> tuple[RawTable, tuple[records.SourceFile, ...]]:
    """Run the query; file databases (SQLite, DuckDB) are opened read-only, their relative paths start at `base`.

    The source records name the query by its digest and, for a file database, the file.

    Raises:
        PlanError: The address is no SQLAlchemy address, or the plan itself holds a password.
        MissingError: The environment variable, the driver, the database file or the server is absent.
        DataError: The database refuses the query.
    """
    url = _url(source)
    files = [
        records.SourceFile(
            name=f"query ({url.get_backend_name()})",
            sha256=canonical.sha256_bytes(source.query.encode("utf-8")),
            size=len(source.query.encode("utf-8")),
        )
    ]
    options: dict[str, Any] = {}
    if url.get_backend_name() in _FILE_DATABASES:
        place = _database_file(url, base)
        files.append(
            records.SourceFile(name=place.name, sha256=canonical.sha256_file(place), size=place.stat().st_size)
        )
        url, options = _read_only(url, place)
    return _query(url, options, source.query), tuple(files)


def _url(source: data.SqlSource) -> sqlalchemy.URL:
    address = source.url
    if source.url_env is not None:
        address = os.environ.get(source.url_env)
        if not address:
            raise errors.MissingError(
                f"environment variable {source.url_env}: expected the address of the database, got none. Set it."
            )
    try:
        url = sqlalchemy.make_url(address or "")
    except (sqlalchemy.exc.ArgumentError, ValueError):
        where = source.url_env or "plan data.source.url"
        raise errors.PlanError(
            f"{where}: expected an SQLAlchemy address such as duckdb:///claims.duckdb, got another text. Correct it."
        ) from None
    if source.url is not None and url.password:
        raise errors.PlanError(
            "plan data.source.url: expected an address without a password, got one with it. Put the address into an "
            "environment variable and name that in url_env."
        )
    return url


def _database_file(url: sqlalchemy.URL, base: Path) -> Path:
    if not url.database or url.database == ":memory:":
        raise errors.PlanError(
            "plan data.source.url: expected the file of a database, got one in memory. Name the file."
        )
    place = base / url.database
    if not place.is_file():
        raise errors.MissingError(
            f"database {url.database}: expected it in {base}, got no such file. Correct the address, or set "
            "PROOFLINE_DATA to the folder that holds it."
        )
    return place


def _read_only(url: sqlalchemy.URL, place: Path) -> tuple[sqlalchemy.URL, dict[str, Any]]:
    if url.get_backend_name() == "duckdb":
        return url.set(database=str(place)), {"connect_args": {"read_only": True}}
    file = f"file:{urllib.parse.quote(str(place.resolve()))}?mode=ro"
    return url.set(database=file, query={"uri": "true"}), {}


def _query(url: sqlalchemy.URL, options: dict[str, Any], query: str) -> RawTable:
    backend = url.get_backend_name()
    try:
        engine = sqlalchemy.create_engine(url, **options)
    except (ModuleNotFoundError, sqlalchemy.exc.NoSuchModuleError):
        raise errors.MissingError(
            f"database driver {url.drivername}: expected an installed package for it, got none. Install the SQLAlchemy "
            "driver of your database."
        ) from None
    rows = _fetched(engine, url, query)
    names = next(rows)
    return RawTable(f"query result ({backend})", tuple(str(n) for n in names), rows)


def _fetched(engine: sqlalchemy.Engine, url: sqlalchemy.URL, query: str) -> Iterator[Piece]:
    """The names of the result, then its rows as they come from the database, a piece at a time."""
    backend = url.get_backend_name()
    try:
        with engine.connect() as connection:
            # A function that a SELECT calls may write; rolled back in any case, a server can refuse it.
            only_reads = {"postgresql_readonly": True} if backend == "postgresql" else {}
            result = connection.execution_options(stream_results=True, **only_reads).execute(sqlalchemy.text(query))
            names = tuple(result.keys())
            yield names
            for rows in result.partitions(rows_of_piece(len(names))):
                yield tuple(zip(*rows, strict=True))
    except sqlalchemy.exc.ResourceClosedError:
        raise errors.PlanError(
            "plan data.source.query: expected a query that returns rows, got a statement that returns none. "
            "Write a SELECT."
        ) from None
    except sqlalchemy.exc.OperationalError as error:
        raise errors.MissingError(
            f"database ({backend}): expected to run the query, got: {_reason(error, url)}. Check the address, the "
            "server and the names in the query."
        ) from None
    except sqlalchemy.exc.SQLAlchemyError as error:
        raise errors.DataError(
            f"database ({backend}): expected to run the query, got: {_reason(error, url)}. Correct data.source.query."
        ) from None
    finally:
        engine.dispose()


def _reason(error: sqlalchemy.exc.SQLAlchemyError, url: sqlalchemy.URL) -> str:
    """First line of the driver's message without anything secret; for errors about values their kind only."""
    original = getattr(error, "orig", None)
    if original is None or isinstance(error, (sqlalchemy.exc.DataError, sqlalchemy.exc.IntegrityError)):
        return type(original or error).__name__
    text = str(original).strip().split("\n", 1)[0].rstrip(".")
    secrets = [str(url.password or ""), url.render_as_string(hide_password=False)]
    for value in url.query.values():
        secrets.extend([value] if isinstance(value, str) else value)
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        for form in (secret, urllib.parse.quote(secret, safe=""), urllib.parse.quote_plus(secret)):
            text = text.replace(form, "***")
    return text
