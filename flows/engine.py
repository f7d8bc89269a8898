"""Prefect around plain functions: tasks for stages, flows for bodies, artifacts for people.

The core stays as it is; nothing here changes a function or what it returns. Import this module after the settings of
`servers.prefect_environment` are in `os.environ`.
"""

from __future__ import annotations

import dataclasses
import errno
import functools
import http.client
import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path, PurePath
from typing import Any, ParamSpec, TypeVar

import httpx
import prefect
import pydantic
from prefect.artifacts import create_markdown_artifact, create_table_artifact
from prefect.cache_policies import CacheKeyFnPolicy
from prefect.exceptions import PrefectHTTPStatusError
from prefect.settings import (
    PREFECT_API_URL,
    PREFECT_FLOWS_HEARTBEAT_FREQUENCY,
    PREFECT_LOGGING_EXTRA_LOGGERS,
    PREFECT_RESULTS_LOCAL_STORAGE_PATH,
    temporary_settings,
)

from configs import errors
from evidence import canonical
from evidence.folder import RunFolder
from flows import servers

P = ParamSpec("P")
R = TypeVar("R")

RETRY_DELAYS = (1.0, 4.0, 15.0)
"""Seconds before each new attempt of a stage that reads from outside."""
_LASTING = {
    errno.ENOSPC,
    errno.EDQUOT,
    errno.EROFS,
    errno.EACCES,
    errno.EPERM,
    errno.ENOENT,
    errno.EISDIR,
    errno.ENOTDIR,
}
_SERVER_ERRORS = (httpx.TransportError, PrefectHTTPStatusError)
_WORKERS = {"EventsWorker", "APILogWorker"}
_log = logging.getLogger(__name__)


def stage_task(name: str, function: Callable[P, R], *, code: str, retries_on_io: bool = False) -> Callable[P, R]:
    """A Prefect task around one stage.

    Prefect sees a digest of the arguments, never the arguments. Its cache key is that digest with the stage's name and
    `code`; results are kept as JSON, so the stage returns a record.

    Args:
        name: Name of the stage.
        function: The stage. It is called with the arguments as they are.
        code: What else the result depends on: the digest of the code, and the identity of the run folder. A folder
            that is made anew must have another identity, or results of the old one would be taken for it.
        retries_on_io: Try again after input or output errors that may pass.

    Returns:
        A function with the signature of `function`, to be called inside `run_flow`.
    """

    @functools.wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        def stage(inputs_sha256: str) -> R:
            return function(*args, **kwargs)

        task = prefect.task(
            name=name,
            task_run_name=name,
            persist_result=True,
            result_serializer="json",
            cache_policy=CacheKeyFnPolicy(cache_key_fn=functools.partial(_cache_key, name, code)),
            retries=len(RETRY_DELAYS) if retries_on_io else 0,
            retry_delay_seconds=list(RETRY_DELAYS),
            retry_condition_fn=_may_pass if retries_on_io else None,
        )(stage)
        return task(inputs_sha256=_digest(name, args, kwargs))

    return call


def run_flow(name: str, body: Callable[[], R], *, workspace: Path) -> R:
    """Run a plain function as a Prefect flow.

    Args:
        name: Name of the flow.
        body: Calls stage tasks, one after the other.
        workspace: Folder whose server is used, unless `PREFECT_API_URL` names the user's own.

    Returns:
        What `body` returns. If only Prefect's note of the end is lost, that is a warning.

    Raises:
        MissingError: The server does not start or does not answer.
        BaseException: Whatever `body` raises, as it is.
    """
    returned: list[R] = []

    def run() -> None:
        returned.append(body())

    flow = prefect.flow(name=name, persist_result=False, result_serializer="json", validate_parameters=False)(run)
    # The heartbeat's thread is joined at the end and sleeps in steps of a second.
    settings = {
        PREFECT_API_URL: servers.begin(workspace).url(),
        PREFECT_RESULTS_LOCAL_STORAGE_PATH: servers.results(workspace),
        PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None,
    }
    _calm_terminal()
    _hear_jobs()
    with temporary_settings(settings):
        try:
            flow()
        except _SERVER_ERRORS as error:
            if not returned:
                raise _server_lost(error) from error
            _log.warning("Prefect did not take the end of flow %s: %s. The run itself is whole.", name, error)
    return returned[0]


def publish_markdown(key: str, markdown: str, description: str) -> None:
    """Show a document beside the flow run. `key` (lower case, digits, dashes) keeps its history over runs."""
    create_markdown_artifact(markdown, key=key, description=description)


def publish_table(key: str, rows: Sequence[Mapping[str, Any]], description: str) -> None:
    """Show a table beside the flow run, one mapping per row. `key` keeps its history over runs."""
    create_table_artifact([dict(row) for row in rows], key=key, description=description)


def _server_lost(error: Exception) -> errors.MissingError:
    reason = (str(error) or type(error).__name__).splitlines()[0]
    return errors.MissingError(
        f"Prefect server: expected it to take the flow, got: {reason}. What was finished is in the run folder: run "
        "again with --resume, or with --engine plain to do without Prefect."
    )


def _cache_key(name: str, code: str, _context: Any, parameters: Mapping[str, Any]) -> str:
    return canonical.sha256({"stage": name, "code": code, "inputs": parameters["inputs_sha256"]})


def _digest(name: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> str:
    return canonical.sha256(_plain({"stage": name, "args": list(args), "kwargs": dict(kwargs)}))


def _plain(value: Any) -> Any:
    """A value as JSON data, with the type where two types could look the same."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, pydantic.BaseModel):
        return {type(value).__name__: value.model_dump(mode="json")}
    if isinstance(value, RunFolder):
        return {"run": value.run_id}
    if isinstance(value, PurePath):
        return {"path": value.as_posix()}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {type(value).__name__: {f.name: _plain(getattr(value, f.name)) for f in dataclasses.fields(value)}}
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    raise TypeError(f"argument of a stage: expected a record, a path or plain data, got {type(value).__name__}")


def _may_pass(_task: Any, _run: Any, state: Any) -> bool:
    """Is the failure one that another attempt may not meet?"""
    error = state.data
    if isinstance(error, OSError):
        return error.errno not in _LASTING
    return isinstance(error, http.client.HTTPException)


class _Calm(logging.Filter):
    """Keeps from the terminal what comes back to the caller as an exception, and the count of events still to send.

    Prefect's own log, which its page shows, has it all.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        if record.name in _WORKERS:
            return record.levelno > logging.WARNING
        if not record.name.startswith("prefect"):
            return True
        return not record.exc_info and not str(record.msg).startswith(("Finished in state", "Crash detected"))


def _hear_jobs() -> None:
    """Lines of a batch job go to the log of its task: Prefect adds its handler to their logger, and no level."""
    for name in PREFECT_LOGGING_EXTRA_LOGGERS.value():
        logger = logging.getLogger(name)
        if logger.level == logging.NOTSET:
            logger.setLevel(logging.INFO)


def _calm_terminal() -> None:
    for handler in logging.getLogger().handlers:
        ours = any(isinstance(known, _Calm) for known in handler.filters)
        if type(handler).__module__ == "prefect.logging.handlers" and not ours:
            handler.addFilter(_Calm())
