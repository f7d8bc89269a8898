"""Block lists: documents with a listed word, or from a listed domain."""

from __future__ import annotations

import re
from pathlib import Path

from configs import errors
from configs.language.cleaning import BlockList
from factory import _files

_WORD = re.compile(r"\w+")


class Blocked:
    """One list, read."""

    def __init__(self, declared: BlockList, base: Path) -> None:
        """Read it: one entry a line, `#` begins a comment.

        Raises:
            MissingError: The file is absent.
            DataError: It is no UTF-8 text, or holds no entry.
        """
        self.declared = declared
        with _files.told(base, declared.path, "block list", "cleaning.block_lists") as place:
            content = place.read_bytes()
        try:
            lines = content.decode("utf-8-sig").splitlines()
        except UnicodeDecodeError:
            raise errors.DataError(
                f"block list {declared.path}: expected UTF-8 text, got other bytes. Save it as UTF-8."
            ) from None
        entries = {line.split("#", 1)[0].strip().lower() for line in lines} - {""}
        if not entries:
            raise errors.DataError(
                f"block list {declared.path}: expected one entry on each line, got none. Fill it or leave it out."
            )
        self.entries = len(entries)
        if declared.kind == "domains":
            self._domains = frozenset(e.removeprefix("www.") for e in entries)
            return
        self._words = frozenset(e for e in entries if _WORD.fullmatch(e))
        phrases = sorted(entries - self._words)
        self._phrases = re.compile(r"(?<!\w)(?:" + "|".join(map(re.escape, phrases)) + r")(?!\w)") if phrases else None

    def hits(self, text: str, web_domain: str | None) -> bool:
        """Whether a document is on the list."""
        if self.declared.kind == "domains":
            return web_domain is not None and self._listed(web_domain)
        lowered = text.lower()
        if not self._words.isdisjoint(_WORD.findall(lowered)):
            return True
        return self._phrases is not None and self._phrases.search(lowered) is not None

    def _listed(self, domain: str) -> bool:
        """The domain itself or one above it."""
        parts = domain.split(".")
        return any(".".join(parts[i:]) in self._domains for i in range(len(parts)))
