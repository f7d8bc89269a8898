"""Prefect's server for a workspace: its settings, its start in the background, and a look at a user's own.

A server that Prefect starts by itself costs every run ten seconds, because the run imports the whole server too, and
two runs then write one SQLite file through two servers. Here the first run starts one process that all runs of the
workspace share, and which ends by itself soon after the last of them (`_prefect_server.py`). This module does not
import prefect.
"""

from __future__ import annotations

import fcntl
import functools
import json
import os
import socket
import subprocess
import sys
import threading
import time
import urllib.parse
from pathlib import Path
from typing import IO

from configs import errors
from evidence import probe, storage

RESULTS_VARIABLE = "PREFECT_RESULTS_LOCAL_STORAGE_PATH"
API_VARIABLE = "PREFECT_API_URL"
START_SECONDS = 120.0
"""The first start in a workspace makes the database: 12 seconds on two cores, longer on a busy machine."""
LINGER_SECONDS = 2.0
"""How long the server waits for another run before it ends."""
_SCRIPT = Path(__file__).with_name("_prefect_server.py")
_PLAIN = "`proofline run --engine plain` does the same work without Prefect"


def own_api() -> str | None:
    """The user's own Prefect server, if `PREFECT_API_URL` names one."""
    return os.environ.get(API_VARIABLE, "").strip() or None


def home(workspace: Path) -> Path:
    """Where Prefect's files of a workspace are."""
    return (workspace / ".proofline" / "prefect").resolve()


def results(workspace: Path) -> Path:
    """Where the results of tasks are kept: the user's `PREFECT_RESULTS_LOCAL_STORAGE_PATH`, or the workspace."""
    return Path(prefect_environment(workspace).get(RESULTS_VARIABLE) or os.environ[RESULTS_VARIABLE])


def prefect_environment(workspace: Path) -> dict[str, str]:
    """Settings of Prefect for a workspace, without those that the user has set.

    They go into `os.environ` before prefect is imported. With a user's own server only what concerns this process is
    set; without one, everything lives in the workspace.
    """
    place = home(workspace)
    found = {
        "DO_NOT_TRACK": "true",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        RESULTS_VARIABLE: str(place / "storage"),
        "PREFECT_RESULTS_DEFAULT_SERIALIZER": "json",
        "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "WARNING",
        "PREFECT_LOGGING_EXTRA_LOGGERS": "proofline.factory",  # what a job writes is a log of its task
        "PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW": "ignore",
        "PREFECT_SHOW_STARTUP_TIPS": "false",
    }
    if own_api() is None:
        found |= {
            "PREFECT_HOME": str(place),
            "PREFECT_API_DATABASE_CONNECTION_URL": f"sqlite+aiosqlite:///{place / 'prefect.db'}",
            "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": f"{START_SECONDS:.0f}",
        }
    return {key: value for key, value in found.items() if _is_ours(os.environ.get(key))}


def _is_ours(value: str | None) -> bool:
    """Is it unset, or was it set by this module for a workspace, perhaps for another one?"""
    return value is None or f"{os.sep}.proofline{os.sep}prefect" in value


def reachable_prefect(url: str) -> None:
    """See within three seconds whether a Prefect server answers.

    Args:
        url: Its API address, for example `http://host:4200/api`.

    Raises:
        MissingError: It does not.
    """
    problem = probe.http_problem(f"{public(url).rstrip('/')}/health")
    if problem:
        raise errors.MissingError(
            f"Prefect server {public(url)}: expected an answer, got {problem}. Start it or correct {API_VARIABLE}; "
            f"without {API_VARIABLE} the workspace has its own server, and {_PLAIN}."
        )


def public(url: str) -> str:
    """The address without user name and password."""
    parts = urllib.parse.urlsplit(url)
    return urllib.parse.urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment=""))


class PrefectServer:
    """This process's share in the server of a workspace. The server lives at least as long as one share is open."""

    def __init__(self, workspace: Path) -> None:
        self._state = home(workspace)
        self._own = own_api()
        self._share: IO[str] | None = None
        self._url: str | None = self._own
        self._problem: errors.ProoflineError | None = None
        self._thread: threading.Thread | None = None

    def begin(self) -> None:
        """Start or join the server in the background, and return at once."""
        if self._thread is None and self._own is None:
            self._thread = threading.Thread(target=self._join, name="prefect-server", daemon=True)
            self._thread.start()

    def url(self) -> str:
        """The address of the API, once the server answers.

        Raises:
            MissingError: It does not start, or does not answer.
            StorageError: The workspace cannot be written.
        """
        if self._own is not None:
            reachable_prefect(self._own)
            return self._own
        self.begin()
        assert self._thread is not None  # noqa: S101 - for the type checker; begin made it
        self._thread.join()
        if self._problem is not None:
            raise self._problem
        assert self._url is not None  # noqa: S101 - for the type checker; _join sets one of the two
        return self._url

    def close(self) -> None:
        """Give the share back. `begin` takes a new one."""
        if self._thread is not None:
            self._thread.join()
        self._thread, self._url, self._problem = None, self._own, None
        if self._share is not None:
            self._share.close()
            self._share = None

    def _join(self) -> None:
        try:
            with storage.explained(f"Prefect's folder {self._state}"):
                self._state.mkdir(parents=True, exist_ok=True)
                self._share = (self._state / "users.lock").open("a")
                fcntl.flock(self._share, fcntl.LOCK_SH)
                with (self._state / "start.lock").open("a") as turn:
                    fcntl.flock(turn, fcntl.LOCK_EX)
                    self._url = self._running() or self._start()
        except errors.ProoflineError as error:
            self._problem = error
        except OSError as error:
            self._problem = errors.StorageError(
                f"Prefect's folder {self._state}: expected to write and lock files there, got: {error.strerror}. "
                f"Correct that or use another workspace; {_PLAIN}."
            )

    def _running(self) -> str | None:
        """The address of a server that others have started."""
        if not self._alive():
            return None
        return self._await_address()

    def _start(self) -> str:
        log = self._state / "server.log"
        with log.open("w") as stream:
            subprocess.run(
                [sys.executable, "-P", str(_SCRIPT), str(self._state), str(LINGER_SECONDS)],
                env=self._server_environment(),
                cwd=self._state,
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=stream,
                check=False,
            )
        return self._await_address()

    def _server_environment(self) -> dict[str, str]:
        found = {key: value for key, value in os.environ.items() if key != API_VARIABLE}
        found |= prefect_environment(self._state.parents[1])
        return found | {
            "PREFECT_UI_ENABLED": "false",
            "PREFECT__SERVER_EPHEMERAL": "1",
            "PREFECT__SERVER_FINAL": "1",
            # Nothing here is scheduled, automated or deployed; the recorder of task runs stays.
            "PREFECT_SERVER_SERVICES_TRIGGERS_ENABLED": "false",
            "PREFECT_API_BLOCKS_REGISTER_ON_START": "false",
        }

    def _await_address(self) -> str:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            address = self._address()
            if address is not None:
                return address
            if not self._alive():
                raise errors.MissingError(
                    f"Prefect's local server: expected it to start, got: {self._last_words()}. See "
                    f"{self._state / 'server.log'}; {_PLAIN}."
                )
            time.sleep(0.05)
        raise errors.MissingError(
            f"Prefect's local server: expected an answer within {START_SECONDS:.0f} seconds, got none. See "
            f"{self._state / 'server.log'}; {_PLAIN}."
        )

    def _address(self) -> str | None:
        try:
            found = json.loads((self._state / "server.json").read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return None
        if found["host"] != socket.gethostname():
            raise errors.MissingError(
                f"Prefect's local server: expected one on this machine, got one that a run on {found['host']} uses. "
                f"Wait for that run, use another workspace, or set {API_VARIABLE}; {_PLAIN}."
            )
        return f"http://127.0.0.1:{found['port']}/api"

    def _alive(self) -> bool:
        with (self._state / "server.lock").open("a") as probe_lock:
            try:
                fcntl.flock(probe_lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
        return False

    def _last_words(self) -> str:
        lines = (self._state / "server.log").read_text(encoding="utf-8", errors="replace").strip().splitlines()
        return lines[-1][:300] if lines else "no word from it"


@functools.cache
def _share(workspace: Path) -> PrefectServer:
    return PrefectServer(workspace)


def begin(workspace: Path) -> PrefectServer:
    """This process's share in the workspace's server, begun in the background. The same one at every call.

    Call it early: the server then starts while heavy libraries are imported. The share ends with the process.
    """
    server = _share(workspace.resolve())
    server.begin()
    return server
