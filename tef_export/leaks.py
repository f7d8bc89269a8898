"""What must not leave by accident: places on the maker's machine, its name, and its users' names."""

from __future__ import annotations

import getpass
import os
import re
import socket
from pathlib import Path

from configs import errors

_ROOTS = "home|root|Users|tmp|var|private|mnt|media|opt|usr|workspace|work|scratch|projects?|srv|gpfs|lustre"
_PLACES = re.compile(
    rf":/{{3,4}}(?:{_ROOTS})/"
    r"|(?<![A-Za-z0-9_.:/~-])(?:"
    rf"/(?:{_ROOTS})/[A-Za-z0-9._-]+"
    r"|[A-Za-z]:\\{1,2}[A-Za-z0-9._-]+"
    r"|file://[^\s\"'<>]+)"
)
_COMMON = frozenset(
    [
        *("root", "user", "admin", "ubuntu", "runner", "debian", "docker", "localhost", "local", "host", "build"),
        *("data", "node", "test", "vm", "home", "work"),
    ]
)
"""Names that say nothing about anybody, and that documents use as words."""


def private_words(declared: str) -> tuple[str, ...]:
    """Names of this machine and of its user that must not stand in a bundle.

    Args:
        declared: Text of the plan and the approval. What a person has written there, such as a contact, may leave.
    """
    words = {socket.gethostname(), socket.gethostname().partition(".")[0], _user(), Path.home().name}
    return tuple(sorted(w for w in words if len(w) >= 3 and w.lower() not in _COMMON and not _word(w).search(declared)))


def require_none(path: str, text: str, words: tuple[str, ...], folders: tuple[Path, ...] = ()) -> None:
    """Check the text of one file that is to leave.

    Args:
        path: Its place in the bundle.
        text: Its content.
        words: See `private_words`.
        folders: Folders of this machine whose absolute path must not occur.

    Raises:
        GateError: With the kind of thing found and its line; the thing itself stays on this machine.
    """
    found = _PLACES.search(text)
    position, thing = (found.start(), "an absolute path of this machine") if found else (-1, "")
    for folder in folders:
        if len(folder.parts) > 2 and (at := text.find(str(folder))) >= 0:
            position, thing = at, "an absolute path of this machine"
    for word in words:
        if match := _word(word).search(text):
            position, thing = match.start(), "the name of this machine or of its user"
    if thing:
        line = text.count("\n", 0, position) + 1
        raise errors.GateError(
            f"file {path} line {line}: expected nothing about the machine it was made on, got {thing}. "
            "Remove it at its source (the plan, a record or a document) and run again; nothing was written."
        )


def _word(word: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![A-Za-z0-9_]){re.escape(word)}(?![A-Za-z0-9_])")


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return os.environ.get("USER", "")
