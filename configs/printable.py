"""Text for a terminal, a pipe or a file: a stranger's steers nothing, and none of it ends the program."""

from __future__ import annotations

import codecs
import io
import re
import sys

_STEERING = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def printable(text: str) -> str:
    r"""The text with control and direction characters written as `\x1b` or `\u202e`; tab and line feed stay."""
    return _STEERING.sub(lambda found: ascii(found[0])[1:-1], text)


def write_utf8() -> None:
    """Into a file or a pipe goes UTF-8, whatever the code page; a terminal of another encoding shows what it can.

    JSON is read by machines, and no name of a bundle may end the program.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and codecs.lookup(stream.encoding).name != "utf-8":
            if stream.isatty():
                stream.reconfigure(errors="replace")
            else:
                stream.reconfigure(encoding="utf-8")
