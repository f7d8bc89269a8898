"""From a corpus of the plan to its documents: files opened, checked against their digests, read as a stream."""

from __future__ import annotations

import dataclasses
import fnmatch
import html
import importlib.util
import re
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO

from configs import errors
from configs.language.corpora import Corpus, PythonDocumentation, TextFiles
from evidence import canonical, records
from factory import _files
from factory.text import archives, reading

FORMATS = {
    ".txt": "text",
    ".text": "text",
    ".md": "text",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
    ".parquet": "parquet",
}
"""Ending of a name to its format."""
_HEADING = re.compile(r"\n(?=[^\n]+\n(?:={3,}|\*{3,}|~{3,}|\^{3,}|-{3,})\n)")
"""Before a line that is underlined."""
_BLANK = re.compile(r"\n\s*\n")


@dataclasses.dataclass
class Reading:
    """The documents of one corpus. `files` and `empty` are complete once they have all been taken."""

    corpus: Corpus
    base: Path
    scratch: Path
    """Folder for what has to be unpacked to be read."""
    files: list[records.SourceFile] = dataclasses.field(default_factory=list)
    empty: list[str] = dataclasses.field(default_factory=list)
    """Files and members without text."""
    unescaped: int = 0
    """Documents in which character references were replaced."""

    def __iter__(self) -> Iterator[reading.Found]:
        """Every document, language and domain filled in from the plan where the file does not say them."""
        source = self.corpus.source
        found = self._packaged(source) if isinstance(source, PythonDocumentation) else self._files(source)
        for document in found:
            yield dataclasses.replace(
                document,
                language=document.language or self.corpus.language,
                domain=document.domain or self.corpus.domain,
            )

    def _packaged(self, source: PythonDocumentation) -> Iterator[reading.Found]:
        from pydoc_data import topics  # noqa: PLC0415 - 700 kB that no other corpus needs

        spec = importlib.util.find_spec("pydoc_data.topics")
        content = Path(str(spec.origin if spec else "")).read_bytes()
        self.files.append(
            records.SourceFile(name="pydoc_data/topics.py", sha256=canonical.sha256_bytes(content), size=len(content))
        )
        divided = {"topic": None, "section": _HEADING, "paragraph": _BLANK}[source.document]
        for _, body in sorted(topics.topics.items()):
            for part in divided.split(body) if divided else [body]:
                if part.strip():
                    yield reading.Found(part.strip())

    def _files(self, source: TextFiles) -> Iterator[reading.Found]:
        if source.sha256 and len(source.sha256) != len(source.path):
            raise errors.PlanError(
                f"plan corpora {self.corpus.id} source.sha256: expected {len(source.path)} digests, one for each path, "
                f"got {len(source.sha256)}. Complete the list or leave it out."
            )
        for path, expected in zip(source.path, source.sha256 or (None,) * len(source.path), strict=True):
            with _files.told(self.base, path, "corpus file", f"source.path of corpus {self.corpus.id}") as place:
                self.files.append(_checked(place, path, expected))
            if place.suffix.lower() == ".zip":
                with archives.damage_told(place):
                    for name, stream in archives.members(place, source.members, self._endings(source)):
                        yield from self._named(name, f"{place.name}/{_files.shown(name)}", stream, source)
            elif source.members:
                raise errors.PlanError(
                    f"plan corpora {self.corpus.id} source.members: expected a .zip file to take them from, got "
                    f"{place.name}. Leave `members` out."
                )
            else:
                with place.open("rb") as stream:
                    yield from self._named(place.name, place.name, stream, source)
            if place.stat().st_size != self.files[-1].size:
                raise errors.DataError(
                    f"corpus file {path}: expected the same file all along, got one that changed while it was read. "
                    "Run again when nothing writes to it."
                )

    def _named(self, name: str, where: str, stream: IO[bytes], source: TextFiles) -> Iterator[reading.Found]:
        language = next(
            (code for pattern, code in source.languages.items() if fnmatch.fnmatchcase(name, pattern)), None
        )
        any_document = False
        for document in self._unescaped(self._read(name, where, stream, source), source):
            any_document = True
            yield dataclasses.replace(document, language=document.language or language)
        if not any_document:
            self.empty.append(where)

    def _unescaped(self, found: Iterator[reading.Found], source: TextFiles) -> Iterator[reading.Found]:
        for document in found:
            text = html.unescape(document.text).strip() if source.character_references == "replace" else document.text
            if text == document.text:
                yield document
                continue
            self.unescaped += 1
            if text:
                yield dataclasses.replace(document, text=text)

    def _read(self, name: str, where: str, stream: IO[bytes], source: TextFiles) -> Iterator[reading.Found]:
        encoding = next(
            (given for pattern, given in source.encodings.items() if fnmatch.fnmatchcase(name, pattern)),
            source.encoding,
        )
        match source.format or _format(name, where):
            case "jsonl":
                yield from reading.json_lines(stream, where, source, encoding)
            case "parquet":
                with tempfile.TemporaryFile(dir=self.scratch) as unpacked:
                    if where != name:  # Parquet is read from its end, which a packed member cannot give
                        shutil.copyfileobj(stream, unpacked)
                        stream = unpacked
                    yield from reading.parquet(stream, where, source)
            case _:
                yield from reading.text(stream, where, source, encoding)

    def _endings(self, source: TextFiles) -> tuple[str, ...] | None:
        return None if source.format else tuple(FORMATS)


def _checked(place: Path, path: str, expected: str | None) -> records.SourceFile:
    if not stat.S_ISREG(place.stat().st_mode) and not place.is_dir():
        raise errors.PlanError(f"corpus file {path}: expected a file, got a device or a pipe. Name a file.")
    file = records.SourceFile(name=place.name, sha256=canonical.sha256_file(place), size=place.stat().st_size)
    if expected and file.sha256 != expected:
        raise errors.DataError(
            f"corpus file {path}: expected sha256 {expected[:12]}…, got {file.sha256[:12]}…: it is not the file that "
            "the plan was written for. Restore the file, or check it and correct source.sha256."
        )
    if not file.size:
        raise errors.DataError(f"corpus file {path}: expected text, got an empty file. Restore the file.")
    return file


def _format(name: str, where: str) -> str:
    suffix = PurePosixPath(name).suffix.lower()
    if suffix not in FORMATS:
        raise errors.PlanError(
            f"corpus file {where}: expected one of the endings {', '.join(FORMATS)}, got '{suffix}'. "
            "State source.format: text, jsonl or parquet."
        )
    return FORMATS[suffix]
