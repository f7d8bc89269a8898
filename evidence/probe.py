"""Does a server answer? A quick look with the standard library, before anything heavy is imported."""

from __future__ import annotations

import http.client
import socket
import threading
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable

SECONDS = 3.0
"""How long a server may take. Name resolution has no time limit of its own, so the whole look runs under this one."""


def http_problem(url: str, seconds: float = SECONDS) -> str | None:
    """Ask an HTTP server for one page.

    Args:
        url: Address of the page, `http://` or `https://`.
        seconds: Longest wait.

    Returns:
        None when the server answers with anything below status 500, otherwise what is wrong, in a few words.
    """
    if urllib.parse.urlsplit(url).scheme not in {"http", "https"}:
        return "an address that is neither http nor https"
    return _within(seconds, lambda: _get(url, seconds))


def port_problem(host: str, port: int, seconds: float = SECONDS) -> str | None:
    """Open a TCP connection and close it again.

    Returns:
        None when something listens there, otherwise what is wrong, in a few words.
    """
    return _within(seconds, lambda: _connect(host, port, seconds))


def _get(url: str, seconds: float) -> str | None:
    try:
        with urllib.request.urlopen(url, timeout=seconds):  # noqa: S310 - the scheme is checked above
            return None
    except urllib.error.HTTPError as error:
        error.close()
        return f"HTTP status {error.code}" if error.code >= 500 else None
    except urllib.error.URLError as error:
        return _reason(error.reason)
    except (OSError, http.client.HTTPException, ValueError) as error:
        return _reason(error)


def _connect(host: str, port: int, seconds: float) -> str | None:
    try:
        socket.create_connection((host, port), timeout=seconds).close()
    except OSError as error:
        return _reason(error)
    return None


def _reason(error: object) -> str:
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    return str(error) or type(error).__name__


def _within(seconds: float, look: Callable[[], str | None]) -> str | None:
    outcome: list[str | None] = []
    thread = threading.Thread(target=lambda: outcome.append(look()), daemon=True)
    thread.start()
    thread.join(seconds)
    return outcome[0] if outcome else f"no answer within {seconds:g} seconds"
