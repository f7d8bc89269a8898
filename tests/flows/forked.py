"""The command line in a process of its own, that can be killed, forked from one that has loaded the heavy libraries.

Loading them takes longer than a small run. The process forked from has computed nothing and holds no state of ours.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

from configs import errors

ROOT = Path(__file__).resolve().parents[2]
ANSWERS = (errors.EXIT_PASS, errors.EXIT_FAIL, errors.EXIT_INCONCLUSIVE)
LOADED = ("flows.assess", "flows.stages", "checks.data_quality", "checks.evaluate", "factory.fitting",
          "tef_export.export", "evidence.lineage", "onnxscript", "torch._dynamo")  # fmt: skip
FOREIGN = ("PROOFLINE_", "PREFECT_", "MLFLOW_")


class Run:
    """A call of `proofline` that has begun."""

    def __init__(self, *arguments: object, place: Path, folder: Path = ROOT, **environment: str) -> None:
        """Begin it in a folder; what it says goes to a file in `place`."""
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(list(LOADED))
        kept = {key: value for key, value in os.environ.items() if not key.startswith(FOREIGN)}
        self._said = place / f"said-{len(list(place.glob('said-*')))}.txt"
        self._said.touch()
        given = ([str(a) for a in arguments], str(self._said), str(folder), {**kept, **environment})
        self._process = context.Process(target=_called, args=given)
        self._process.start()

    @property
    def said(self) -> str:
        """Standard output and standard error so far."""
        return self._said.read_text(encoding="utf-8")

    def answer(self, seconds: float = 300) -> int:
        """The exit code, once it has ended."""
        self._process.join(seconds)
        code = self._process.exitcode
        assert code is not None, f"no end after {seconds} s:\n{self.said}"
        return code

    def kill_once(self, reached: Callable[[], bool], seconds: float = 200) -> None:
        """SIGKILL to it and all that it has started, as soon as a place is reached."""
        deadline = time.monotonic() + seconds
        while not reached():
            assert self._process.exitcode is None, f"it ended before:\n{self.said}"
            assert time.monotonic() < deadline, f"not reached in {seconds} s:\n{self.said}"
            time.sleep(0.005)
        assert self._process.pid is not None
        try:
            os.killpg(self._process.pid, signal.SIGKILL)
        except ProcessLookupError:  # it has not begun to lead a group: the place was reached before it started
            self._process.kill()
        self._process.join()
        assert self._process.exitcode == -signal.SIGKILL


def _called(arguments: list[str], said: str, folder: str, environment: dict[str, str]) -> None:
    os.setsid()
    with Path(said).open("ab") as stream:
        os.dup2(stream.fileno(), 1)
        os.dup2(stream.fileno(), 2)
    sys.stdout, sys.stderr = (os.fdopen(number, "w", encoding="utf-8", buffering=1) for number in (1, 2))
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    from flows import cli

    cli.main(arguments)
