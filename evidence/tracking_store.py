"""Where the lineage is kept, and whether it can be used: addresses, files and locks. Does not import mlflow."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import urllib.parse
from collections.abc import Iterator
from pathlib import Path

from configs import errors
from evidence import lock, probe, storage

URI_VARIABLE = "MLFLOW_TRACKING_URI"
SPARE_BYTES = 16 << 20
"""A store with less free space than this is called full: a mirror would end half-way."""
_REMEDY = f"Make it usable, or set {URI_VARIABLE} to another store; the run folder has lost nothing"
_THEN = _REMEDY[0].lower() + _REMEDY[1:]


def environment() -> dict[str, str]:
    """Settings of MLflow: no telemetry, no pickles, no minutes of retries, nothing written behind our back.

    They are put into `os.environ` before mlflow is imported, where the user has not set them.
    """
    return {
        "DO_NOT_TRACK": "true",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false",
        "MLFLOW_HTTP_REQUEST_TIMEOUT": "15",
        "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
        "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
        "MLFLOW_ENABLE_ASYNC_LOGGING": "false",
        "MLFLOW_ENABLE_SYSTEM_METRICS_LOGGING": "false",
    }


def default_uri(workspace: Path) -> str:
    """Address of the lineage: the user's `MLFLOW_TRACKING_URI`, or the SQLite store of the workspace."""
    own = os.environ.get(URI_VARIABLE, "").strip()
    return own or f"sqlite:///{(workspace / '.proofline' / 'mlflow' / 'mlflow.db').resolve()}"


def public(uri: str) -> str:
    """The address without user name, password and query."""
    parts = urllib.parse.urlsplit(uri)
    if not parts.netloc:
        return uri
    host = parts.netloc.rpartition("@")[2]
    return urllib.parse.urlunsplit((parts.scheme, host, parts.path, "", ""))


def database_file(uri: str) -> Path | None:
    """The file of an SQLite address; None for every other address."""
    scheme, _, rest = uri.partition("://")
    if scheme.split("+")[0] != "sqlite":
        return None
    # sqlite:///relative.db, sqlite:////absolute.db
    return Path(urllib.parse.unquote(rest.partition("?")[0])[1:]).absolute()


def artifact_root(uri: str) -> str | None:
    """Where artefacts of an SQLite store go: beside it, never into the current folder. None leaves it to the server."""
    file = database_file(uri)
    return (file.parent / "artifacts").as_uri() if file else None


@contextlib.contextmanager
def exclusive(uri: str) -> Iterator[None]:
    """One process at a time works on an SQLite store; first use migrates it, and two migrations would race.

    Raises:
        StorageError: The folder of the store cannot be written.
    """
    file = database_file(uri)
    if file is None:
        yield
        return
    with contextlib.ExitStack() as stack:
        with storage.explained(f"MLflow store {file}", _THEN):
            stack.enter_context(lock.held(_lock_file(file), what=f"MLflow store {file}", wait=True))
        yield


def reachable(uri: str) -> None:
    """See within three seconds whether the store can take a run.

    Raises:
        MissingError: A server does not answer, or the address is none that MLflow can use.
        StorageError: The SQLite store is read-only, locked by another program, damaged, or its disk is full.
    """
    file = database_file(uri)
    if file is not None:
        try:
            _check_file(file)
        except OSError as error:
            raise errors.StorageError(
                f"MLflow store {file}: expected a place for it, got: {error.strerror}. {_REMEDY}."
            ) from error
        return
    parts = urllib.parse.urlsplit(uri)
    if parts.scheme in {"http", "https"}:
        problem = probe.http_problem(f"{public(uri).rstrip('/')}/health")
    elif parts.scheme.split("+")[0] in {"postgresql", "mysql", "mssql"}:
        problem = probe.port_problem(*_database_server(parts))
    elif parts.scheme.split("+")[0] == "databricks" or uri == "databricks":
        return
    else:
        problem = "an address that MLflow keeps no lineage at"
    if problem:
        raise errors.MissingError(
            f"MLflow server {public(uri)}: expected an answer, got {problem}. Start it or correct {URI_VARIABLE}; "
            f"without {URI_VARIABLE} the store of the workspace is used."
        )


def _database_server(parts: urllib.parse.SplitResult) -> tuple[str, int]:
    usual = {"postgresql": 5432, "mysql": 3306, "mssql": 1433}[parts.scheme.split("+")[0]]
    return parts.hostname or "localhost", parts.port or usual


def _lock_file(file: Path) -> Path:
    return file.with_name(f"{file.name}.lock")


def _check_file(file: Path) -> None:
    with storage.explained(f"MLflow store {file}", _THEN):
        file.parent.mkdir(parents=True, exist_ok=True)
        if shutil.disk_usage(file.parent).free < SPARE_BYTES:
            raise errors.StorageError(
                f"MLflow store {file}: expected {SPARE_BYTES >> 20} MiB of free disk space, got less. {_REMEDY}."
            )
        try:
            _try_to_write(file)
        except sqlite3.Error as error:
            # A run that mirrors at this moment holds our lock: the store works, and the next run waits its turn.
            if "locked" in str(error) and _in_use(_lock_file(file)):
                return
            raise errors.StorageError(
                f"MLflow store {file}: expected a database that can be written, got: {error}. {_REMEDY}."
            ) from error


def _try_to_write(file: Path) -> None:
    with contextlib.closing(sqlite3.connect(file, timeout=1.5, isolation_level=None)) as connection:
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("CREATE TABLE proofline_probe (x)")
        connection.execute("ROLLBACK")


def _in_use(lock_file: Path) -> bool:
    try:
        with lock.held(lock_file, what=str(lock_file)):
            return False
    except errors.StorageError:
        return True
