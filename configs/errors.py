"""The one error tree of proofline.

    ProoflineError            exit code
    ├── PlanError             2   the plan or the command's arguments are wrong
    ├── DataError             2   the data are not what the plan declares
    ├── MissingError          3   something needed is absent: a file, a package, a server
    ├── UnreadableError       3   a document or evidence file of somebody cannot be read
    ├── StorageError          3   the disk is full, read-only, or the folder is in use
    ├── GateError             1   a critical check failed, or a release is refused
    ├── VerificationError     1   a bundle, signature or digest does not hold
    ├── IntegrityError        1   the run folder or its ledger was altered
    └── StoppedError        130   a person stopped the command, which says what it leaves behind

The tree stands in the lowest layer so that every layer can raise from it. Only `main` of the
command line catches `ProoflineError`; anything else is a bug and keeps its traceback (exit 70).
Messages read `<thing> <where>: expected <x>, got <y>. <what to do>`.
"""

from __future__ import annotations

from typing import Literal

from configs.printable import printable

EXIT_PASS = 0
EXIT_FAIL = 1
EXIT_USAGE = 2
EXIT_MISSING = 3
EXIT_INCONCLUSIVE = 4
EXIT_BUG = 70
EXIT_INTERRUPTED = 130

Looks = Literal["damage", "mistake", "tampering", "unclear"]
"""What a refusal looks like: damaged on its way, made wrong by whoever sealed it, altered or forged by somebody else,
or not to be told from what is there."""
LOOKS: dict[Looks, str] = {
    "damage": "looks like damage on the way",
    "mistake": "looks like a mistake of the sender",
    "tampering": "looks like tampering",
    "unclear": "cannot be told from what is there whether that is damage, a mistake or tampering",
}
"""In words, after `it`."""


class ProoflineError(Exception):
    """An expected failure that one sentence explains. What it quotes of a stranger cannot steer a terminal."""

    exit_code = EXIT_USAGE

    def __str__(self) -> str:
        """The sentence."""
        return printable(super().__str__())


class PlanError(ProoflineError):
    """The plan, or an argument of a command, is wrong."""


class DataError(ProoflineError):
    """The data are not what the plan declares."""


class MissingError(ProoflineError):
    """Something that is needed is absent: a file, a package, a server."""

    exit_code = EXIT_MISSING


class UnreadableError(ProoflineError):
    """A document or an evidence file that somebody handed over cannot be read."""

    exit_code = EXIT_MISSING


class StorageError(ProoflineError):
    """The disk is full or read-only, or another process holds the folder."""

    exit_code = EXIT_MISSING


class GateError(ProoflineError):
    """A critical check failed, or a release is refused."""

    exit_code = EXIT_FAIL


class VerificationError(ProoflineError):
    """A bundle, a signature or a digest does not hold."""

    exit_code = EXIT_FAIL

    def __init__(self, message: str, looks: Looks | None = None) -> None:
        """Make it; `looks` says what it looks like where the place that refuses knows better than its caller."""
        super().__init__(message)
        self.looks = looks


class IntegrityError(ProoflineError):
    """The run folder or its ledger was altered after it was written."""

    exit_code = EXIT_FAIL


class StoppedError(ProoflineError):
    """A person stopped the command; the sentence says what it leaves behind."""

    exit_code = EXIT_INTERRUPTED
