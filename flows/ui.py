"""`make ui`: the pages of Prefect and MLflow over the stores of a workspace, on this machine only, until Ctrl-C."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from configs import errors
from evidence import probe, tracking_store
from flows import servers

PREFECT_PORT = 4200
MLFLOW_PORT = 5000
START_SECONDS = 120.0
STOP_SECONDS = 10.0


@dataclasses.dataclass(frozen=True)
class Page:
    """One UI: where it answers, and how it is started. `command` is None for a user's own server."""

    title: str
    address: str
    health: str
    command: tuple[str, ...] | None = None
    environment: Mapping[str, str] = dataclasses.field(default_factory=dict)
    log: Path | None = None


def open_uis(
    workspace: Path,
    prefect_port: int = PREFECT_PORT,
    mlflow_port: int = MLFLOW_PORT,
    say: Callable[[str], None] = print,
) -> None:
    """Serve both UIs until Ctrl-C. A user's own servers are only named, not started.

    Args:
        workspace: Folder whose stores are shown.
        prefect_port: Port on 127.0.0.1.
        mlflow_port: Port on 127.0.0.1.
        say: Takes each line for the person.

    Raises:
        MissingError: A port is taken, or a UI does not start.
        StorageError: The workspace cannot be written.
    """
    pages = (_prefect(workspace, prefect_port), _mlflow(workspace, mlflow_port))
    for page, port, option in zip(pages, (prefect_port, mlflow_port), ("PREFECT_PORT", "MLFLOW_PORT"), strict=True):
        if page.command is not None:
            _require_free(port, page.title, option)
    if pages[0].command is not None:
        # Makes the database when the workspace is new; two servers that make it at once would fail.
        servers.begin(workspace).url()
    with contextlib.ExitStack() as stack:
        running = [stack.enter_context(_started(page)) for page in pages if page.command is not None]
        _await(pages, running)
        for page in pages:
            say(f"{page.title:<8} {page.address}")
        if running:
            say("Ctrl-C ends both.")
            _watch(running)


def _prefect(workspace: Path, port: int) -> Page:
    own = servers.own_api()
    if own is not None:
        return Page("Prefect", servers.public(own).removesuffix("/api"), f"{servers.public(own).rstrip('/')}/health")
    address = f"http://127.0.0.1:{port}"
    # Runs have their own server; this one shows the same database and runs no services beside it.
    command = (sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port))
    environment = {
        **servers.prefect_environment(workspace),
        "PREFECT_UI_API_URL": f"{address}/api",
        "PREFECT_SERVER_LOGGING_LEVEL": "WARNING",
    }
    log = servers.home(workspace) / "ui.log"
    return Page("Prefect", address, f"{address}/api/health", (*command, "--no-services"), environment, log)


def _mlflow(workspace: Path, port: int) -> Page:
    uri = tracking_store.default_uri(workspace)
    if uri.startswith(("http://", "https://")):
        return Page("MLflow", tracking_store.public(uri), f"{tracking_store.public(uri).rstrip('/')}/health")
    address = f"http://127.0.0.1:{port}"
    command = (sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1")
    environment = {
        **tracking_store.environment(),
        "MLFLOW_BACKEND_STORE_URI": uri,
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    }
    root = tracking_store.artifact_root(uri)
    if root is not None:
        environment["MLFLOW_DEFAULT_ARTIFACT_ROOT"] = root
    tracking_store.reachable(uri)
    log = workspace.resolve() / ".proofline" / "mlflow" / "ui.log"
    return Page("MLflow", address, f"{address}/health", command, environment, log)


def _require_free(port: int, title: str, option: str) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind(("127.0.0.1", port))
        except (OSError, OverflowError) as error:
            raise errors.MissingError(
                f"port {port}: expected it to be free for {title}, got one that is in use or not allowed. End what "
                f"listens there, or choose another: make ui {option}={port + 1 if port < 65535 else 8080}."
            ) from error


@contextlib.contextmanager
def _started(page: Page) -> Iterator[subprocess.Popen[bytes]]:
    assert page.command is not None and page.log is not None  # noqa: S101, PT018 - for the type checker
    page.log.parent.mkdir(parents=True, exist_ok=True)
    with page.log.open("wb") as log:
        process = subprocess.Popen(
            page.command,
            env={**os.environ, **page.environment},
            cwd=page.log.parent,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            yield process
        finally:
            _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a server and the workers it has started."""
    for number, seconds in ((signal.SIGTERM, STOP_SECONDS), (signal.SIGKILL, STOP_SECONDS)):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(seconds)
            return


def _await(pages: Sequence[Page], running: Sequence[subprocess.Popen[bytes]]) -> None:
    deadline = time.monotonic() + START_SECONDS
    for page in pages:
        while (problem := probe.http_problem(page.health)) is not None:
            ended = any(process.poll() is not None for process in running)
            if ended or page.command is None or time.monotonic() > deadline:
                where = f" See {page.log}." if page.log else ""
                raise errors.MissingError(
                    f"{page.title} at {page.address}: expected an answer, got {problem}.{where} Correct that and call "
                    "`make ui` again."
                )
            time.sleep(0.2)


def _watch(running: Sequence[subprocess.Popen[bytes]]) -> None:
    with contextlib.suppress(KeyboardInterrupt):
        while all(process.poll() is None for process in running):
            time.sleep(0.5)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command behind `make ui`."""
    parser = argparse.ArgumentParser(prog="python -m flows.ui", description="Open the pages of Prefect and MLflow.")
    parser.add_argument("--workspace", type=Path, default=Path(), help="folder with runs/ and .proofline/")
    parser.add_argument("--prefect-port", type=int, default=PREFECT_PORT)
    parser.add_argument("--mlflow-port", type=int, default=MLFLOW_PORT)
    chosen = parser.parse_args(arguments)
    # `make` and service managers send SIGTERM; the servers must not stay behind.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    try:
        open_uis(chosen.workspace, chosen.prefect_port, chosen.mlflow_port, lambda line: print(line, flush=True))
    except KeyboardInterrupt:
        return errors.EXIT_PASS
    except errors.ProoflineError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return errors.EXIT_PASS


if __name__ == "__main__":
    sys.exit(main())
