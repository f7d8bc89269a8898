"""The process of a workspace's own Prefect server: started by the first run, shared by all, gone with the last.

Called as a script: `_prefect_server.py STATE_FOLDER LINGER_SECONDS`. Imports nothing of proofline.
Two locks, which the kernel drops when a process dies, keep the books:

- `server.lock` is held by the server as long as it lives: there is at most one.
- `users.lock` is held, shared, by every process that uses the server. When the server gets it for itself, nobody is
  left, and it ends.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import socket
import sys
import threading
import time
from pathlib import Path
from typing import IO

import uvicorn

SERVER_LOCK = "server.lock"
USERS_LOCK = "users.lock"
ADDRESS = "server.json"
POLL_SECONDS = 0.25
SHUTDOWN_SECONDS = 5.0


def main(state: Path, linger: float) -> int:
    """Become the server, unless there is one."""
    guard = (state / SERVER_LOCK).open("a")
    try:
        fcntl.flock(guard, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return 0
    (state / ADDRESS).unlink(missing_ok=True)
    if os.fork():
        # The lock passes to the child, which nobody has to wait for: it may outlive the run that started it.
        os._exit(0)
    os.setsid()
    _serve(state, linger)
    guard.close()
    return 0


def _serve(state: Path, linger: float) -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(
        "prefect.server.api.server:create_app",
        factory=True,
        log_level="error",
        access_log=False,
        lifespan="on",
        timeout_graceful_shutdown=2,
    )
    server = uvicorn.Server(config)
    watch = threading.Thread(target=_watch, args=(server, state, listener.getsockname()[1], linger), daemon=True)
    watch.start()
    server.run(sockets=[listener])


def _watch(server: uvicorn.Server, state: Path, port: int, linger: float) -> None:
    announced = False
    idle_since: float | None = None
    with (state / USERS_LOCK).open("a") as users:
        while idle_since is None or time.monotonic() - idle_since < linger:
            time.sleep(POLL_SECONDS if announced else 0.05)
            if server.started and not announced:
                _announce(state, port)
                announced = True
            idle_since = (idle_since or time.monotonic()) if _unused(users) else None
        # From here on newcomers wait for this process to end, and then start their own server.
        fcntl.flock(users, fcntl.LOCK_EX)
        (state / ADDRESS).unlink(missing_ok=True)
        server.should_exit = True
        time.sleep(SHUTDOWN_SECONDS)
        os._exit(0)


def _unused(users: IO[str]) -> bool:
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    fcntl.flock(users, fcntl.LOCK_UN)
    return True


def _announce(state: Path, port: int) -> None:
    temporary = state / f".{ADDRESS}.{os.getpid()}"
    temporary.write_text(json.dumps({"host": socket.gethostname(), "pid": os.getpid(), "port": port}), encoding="utf-8")
    temporary.replace(state / ADDRESS)


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        sys.exit(main(Path(sys.argv[1]), float(sys.argv[2])))
