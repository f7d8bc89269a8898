"""Streams of bytes to documents: plain text, JSON Lines, Parquet. Knows nothing about archives or the run folder."""

from __future__ import annotations

import dataclasses
import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import IO, Any
from urllib.parse import urlsplit

import pyarrow as pa
import pyarrow.parquet as pq

from configs import errors
from configs.language.corpora import TextFiles
from factory import _files

MAX_DOCUMENT = 64 << 20
"""Longest document, characters."""
LINES_OF_UTF8 = 3
"""Lines from which on text that is said to be in another encoding, and is whole as UTF-8, is taken for UTF-8."""
BATCH = 256
"""Documents that are read from Parquet at once."""
_CODE = re.compile(r"[a-z]{2,3}\Z")
_NUL = "\0"


@dataclasses.dataclass(frozen=True, slots=True)
class Found:
    """A document as it stands in a file; None where the file does not say."""

    text: str
    language: str | None = None
    domain: str | None = None
    web_domain: str | None = None


def text(stream: IO[bytes], where: str, source: TextFiles, encoding: str) -> Iterator[Found]:
    """Documents of a text file.

    Args:
        stream: The file.
        where: Its name, for messages.
        source: What one document is.
        encoding: Its encoding.

    Raises:
        DataError: It is not in that encoding, holds NUL characters, or a document is too long.
    """
    held: list[str] = []
    size = 0
    for number, line in _lines(stream, where, encoding):
        if source.document == "line":
            yield from _document([line])
            continue
        if source.document == "paragraph" and not line.strip():
            yield from _document(held)
            held, size = [], 0
            continue
        held.append(line)
        size += len(line)
        if size > MAX_DOCUMENT:
            raise _too_long(where, number, "State source.document: paragraph or line.")
    yield from _document(held)


def _document(lines: list[str]) -> Iterator[Found]:
    joined = "".join(lines).strip()
    if joined:
        yield Found(joined)


def _lines(stream: IO[bytes], where: str, encoding: str) -> Iterator[tuple[int, str]]:
    """Numbered lines, ends of lines as LF."""
    number = 0
    utf8 = _Utf8(encoding)
    with _Layer(stream, encoding, where) as lines:
        try:
            while line := lines.readline(MAX_DOCUMENT + 1):
                number += 1
                if number == 1:
                    line = line.removeprefix("\ufeff")
                if len(line) > MAX_DOCUMENT:
                    raise _too_long(where, number, "Divide it.")
                if _NUL in line:
                    raise errors.DataError(
                        f"corpus file {where} line {number}: expected {encoding} text, got a NUL character: a binary "
                        "file, or another encoding. State it in source.encodings, or leave the file out."
                    )
                utf8.look(line)
                yield number, line
        except UnicodeError as error:
            raise _undecodable(where, number + 1, encoding, error) from None
    if utf8.likely:
        raise errors.DataError(
            f"corpus file {where}: expected {encoding} text, got bytes that are UTF-8 in all of the {utf8.whole} lines "
            "that can tell: every letter with an accent would become two signs. Correct source.encoding or "
            "source.encodings."
        )


class _Utf8:
    """Whether a file that is said to be in another encoding is UTF-8: its bytes decode, but to nonsense."""

    def __init__(self, encoding: str) -> None:
        self._encoding = encoding
        self._other = not encoding.lower().replace("_", "-").startswith(("utf", "ascii", "us-ascii"))
        self.whole = self._broken = 0

    def look(self, line: str) -> None:
        """Take one line into account."""
        if not self._other or self._broken or line.isascii():
            return
        try:
            line.encode(self._encoding).decode("utf-8")
            self.whole += 1
        except UnicodeError:
            self._broken += 1

    @property
    def likely(self) -> bool:
        """Text in another encoding almost never forms whole UTF-8 sequences, and not on several lines."""
        return self.whole >= LINES_OF_UTF8 and not self._broken


class _Layer:
    """A text layer over a stream that is not closed with it."""

    def __init__(self, stream: IO[bytes], encoding: str, where: str) -> None:
        try:
            self._layer = io.TextIOWrapper(stream, encoding=encoding, errors="strict")
        except LookupError:
            raise errors.PlanError(
                f"corpus file {where}: expected a known encoding of text, got {encoding!r}. "
                "Correct source.encoding or source.encodings, for example utf-8 or latin-1."
            ) from None

    def __enter__(self) -> io.TextIOWrapper:
        return self._layer

    def __exit__(self, *_: object) -> None:
        self._layer.detach()


def _undecodable(where: str, line: int, encoding: str, error: UnicodeError) -> errors.DataError:
    got = "bytes that are none"
    if isinstance(error, UnicodeDecodeError):
        got = f"byte {error.object[error.start]:#04x}"
    return errors.DataError(
        f"corpus file {where} from line {line}: expected {encoding} text, got {got}. "
        "State the file's encoding in source.encodings, for example latin-1."
    )


def _too_long(where: str, line: int, do: str) -> errors.DataError:
    return errors.DataError(
        f"corpus file {where} line {line}: expected a document of at most {MAX_DOCUMENT >> 20} million characters, got "
        f"a longer one. {do}"
    )


def json_lines(stream: IO[bytes], where: str, source: TextFiles, encoding: str) -> Iterator[Found]:
    """Documents of a JSON Lines file: one object a line; blank lines are passed over.

    Raises:
        DataError: A line is no JSON object, or its text, language or address is missing or of another kind.
    """
    for number, line in _lines(stream, where, encoding):
        if not line.strip():
            continue
        at = f"corpus file {where} line {number}"
        try:
            found = json.loads(line)
        except (ValueError, RecursionError):
            raise errors.DataError(f"{at}: expected one JSON object, got a broken line. Repair or remove it.") from None
        if not isinstance(found, dict):
            raise errors.DataError(
                f"{at}: expected one JSON object, got {type(found).__name__}. Repair or remove the line."
            )
        yield from _found(found, at, source)


def parquet(stream: IO[bytes], where: str, source: TextFiles) -> Iterator[Found]:
    """Documents of a Parquet file, some at a time; `stream` can be sought in.

    Raises:
        DataError: It is damaged, lacks a column, or a value is missing or of another kind.
    """
    fields = (source.text_field, source.language_field, source.domain_field, source.url_field)
    wanted = [name for name in fields if name]
    number = 0
    try:
        # Without a buffer of its own a row group would be held whole.
        with pq.ParquetFile(stream, buffer_size=1 << 20, pre_buffer=False) as file:
            names = file.schema_arrow.names
            if absent := [name for name in wanted if name not in names]:
                raise errors.DataError(
                    f"corpus file {where}: expected the column {absent[0]}, got {_listed(names)}. Correct "
                    "source.text_field and the other fields."
                )
            for batch in file.iter_batches(BATCH, columns=wanted):
                for row in batch.to_pylist():
                    number += 1
                    yield from _found(row, f"corpus file {where} row {number}", source)
    except (pa.ArrowException, OSError, UnicodeError):
        raise errors.DataError(
            f"corpus file {where}: expected a whole Parquet file, got a damaged or different one. Fetch it again, or "
            "correct source.format."
        ) from None


def _found(row: Mapping[str, Any], at: str, source: TextFiles) -> Iterator[Found]:
    if source.text_field not in row:
        raise errors.DataError(
            f"{at}: expected the field {source.text_field}, got {_listed(row)}. "
            "Correct source.text_field, or remove the line."
        )
    body = _string(row, source.text_field, at)
    if body is None:
        raise errors.DataError(f"{at}: expected text in {source.text_field}, got null. Fill or remove it.")
    if len(body) > MAX_DOCUMENT:
        raise errors.DataError(
            f"{at}: expected a document of at most {MAX_DOCUMENT >> 20} million characters, got {len(body)}. Divide it."
        )
    try:
        body.encode("utf-8")
    except UnicodeEncodeError:
        raise errors.DataError(
            f"{at}: expected Unicode text in {source.text_field}, got half of a surrogate pair. Repair it."
        ) from None
    if not body.strip():
        return
    yield Found(
        text=body.strip(),
        language=_language(row, source.language_field, at),
        domain=_string(row, source.domain_field, at) or None,
        web_domain=_web_domain(_string(row, source.url_field, at), at),
    )


def _listed(names: Iterable[str]) -> str:
    return _files.shown(", ".join(sorted(names)[:10])) or "none"


def _string(row: Mapping[str, Any], field: str | None, at: str) -> str | None:
    value = row.get(field) if field else None
    if value is not None and not isinstance(value, str):
        raise errors.DataError(f"{at}: expected text in {field}, got {type(value).__name__}. Repair it.")
    return value


def _language(row: Mapping[str, Any], field: str | None, at: str) -> str | None:
    value = _string(row, field, at)
    if value is None or not value.strip():
        return None
    code = re.split(r"[-_]", value.strip().lower(), maxsplit=1)[0]
    if not _CODE.match(code):
        raise errors.DataError(
            f"{at}: expected an ISO 639 code such as de in {field}, got {_files.shown(value)!r}. Translate the "
            "column's values."
        )
    return code


def _web_domain(url: str | None, at: str) -> str | None:
    """Host of an address, in lower case, without a leading `www.`."""
    if url is None or not url.strip():
        return None
    try:
        host = urlsplit(url if "//" in url else f"//{url}").hostname
    except ValueError:
        host = None
    if not host:
        raise errors.DataError(
            f"{at}: expected an address such as https://example.org/a, got {_files.shown(url)!r}. Repair it."
        )
    return host.removeprefix("www.").rstrip(".")
