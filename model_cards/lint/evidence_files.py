"""Evidence of anybody as plain values: JSON, JSON Lines, YAML, CSV, bundles. Bounded; no tag constructs anything."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from configs import errors
from model_cards.lint import packed
from model_cards.lint.packed import Place
from model_cards.lint.readers import text_files

MOST_BYTES = 60_000_000
MOST_YAML = 10_000_000
MOST_VALUES = 2_000_000
DEEPEST = 60
ENDINGS = (".json", ".jsonl", ".ndjson", ".yaml", ".yml", ".csv", ".tsv")
_DECIMAL_COMMA = re.compile(r"-?\d+,\d+")


def expand(paths: tuple[Path, ...]) -> list[Place]:
    """Files; a folder, or a bundle, stands for the evidence files within it, in the order of their names.

    Raises:
        UnreadableError: A folder or a bundle holds none.
    """
    found: list[Place] = []
    for path in paths:
        if path.suffix.lower() == ".zip" and path.is_file():
            found += packed.evidence_of(path)
            continue
        if not path.is_dir():
            found.append(path)
            continue
        inside = sorted(
            p
            for p in path.rglob("*")
            if p.suffix.lower() in ENDINGS and p.is_file() and not p.is_symlink() and not _is_rendered(p)
        )
        if not inside:
            raise errors.UnreadableError(
                f"evidence {path}: expected JSON, YAML or CSV files in the folder, got none. Name the files."
            )
        found += inside
    return list(dict.fromkeys(found))


def _is_rendered(path: Path) -> bool:
    """Is it a document of a run in JSON, which would bear itself out, or a vocabulary, which measures nothing?"""
    folder, above = path.parent, path.parent.parent
    if path.name == "tokenizer.json":
        return True
    if folder.name == "documents":
        in_run = (above / "ledger.jsonl").is_file() and path.name not in {"record.json", "answers.json"}
        return in_run or (above / "evidence" / "documents.json").is_file()
    return folder.name == "declaration" and above.name == "evidence"


def read(path: Place) -> Any:
    """The content of an evidence file as dicts, lists and scalars. CSV is a list of rows.

    Raises:
        UnreadableError: It is absent, damaged, too large, or of another format.
    """
    what = f"evidence {path}"
    suffix = Path(path.name).suffix.lower()
    if suffix not in ENDINGS:
        raise errors.UnreadableError(
            f"{what}: expected JSON, YAML or CSV, got {suffix or 'a name without an ending'}. Save it in one of these."
        )
    text = text_files.decode(packed.read_bytes(path, what, MOST_BYTES), what)
    try:
        if suffix == ".json":
            return json.loads(text, parse_constant=str)
        if suffix in {".jsonl", ".ndjson"}:
            return [json.loads(line, parse_constant=str) for line in text.splitlines() if line.strip()]
        if suffix in {".yaml", ".yml"}:
            return _yaml(text)
        return _csv(text, what)
    except json.JSONDecodeError as error:
        raise errors.UnreadableError(
            f"{what} line {error.lineno}: expected JSON, got: {error.msg}. Correct it."
        ) from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" line {mark.line + 1}" if mark else ""
        reason = getattr(error, "problem", None) or str(error)
        raise errors.UnreadableError(f"{what}{where}: expected YAML, got: {reason}. Correct it.") from None
    except (ValueError, RecursionError) as error:
        reason = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)[:150]
        raise errors.UnreadableError(f"{what}: expected {suffix[1:].upper()}, got: {reason}. Correct it.") from None


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """Safe YAML in which `6.1e6` and `1e-4` are numbers, as everybody who writes them means."""


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    # No more digits: `1234e56` may be the digest of a commit.
    re.compile(r"[-+]?(?:\d+\.\d*|\d{1,2})[eE][-+]?\d{1,2}$"),
    list("-+0123456789"),
)


def _yaml(text: str) -> Any:
    if len(text) > MOST_YAML:
        raise ValueError(f"more than {MOST_YAML:,} characters; save it as JSON")
    # An alias gives the same object again and costs nothing here; `leaves` counts what it stands for.
    documents = list(yaml.load_all(text, Loader=_Loader))
    return documents[0] if len(documents) == 1 else documents


def _csv(text: str, what: str) -> list[dict[str, Any]]:
    first = text.splitlines()[0] if text.strip() else ""
    if not first:
        raise errors.UnreadableError(f"{what}: expected a table with a header, got an empty file. Name the right one.")
    delimiter = max((",", ";", "\t", "|"), key=first.count)
    csv.field_size_limit(1_000_000)
    try:
        rows = list(csv.reader(io.StringIO(text), delimiter=delimiter, strict=True))
    except csv.Error as error:
        raise errors.UnreadableError(f"{what}: expected CSV, got: {error}. Correct it.") from None
    header = [name.strip() or f"column {position}" for position, name in enumerate(rows[0], start=1)]
    if len(rows) * len(header) > MOST_VALUES:
        raise errors.UnreadableError(f"{what}: expected at most {MOST_VALUES:,} values, got more. Summarise the table.")
    return [
        {name: _scalar(cell, delimiter) for name, cell in zip(header, row, strict=False)}
        for row in rows[1:]
        if any(cell.strip() for cell in row)
    ]


def _scalar(cell: str, delimiter: str) -> Any:
    cell = cell.strip()
    number = cell.replace(",", ".") if delimiter != "," and _DECIMAL_COMMA.fullmatch(cell) else cell
    for kind in (int, float):
        try:
            return kind(number)
        except ValueError:
            continue
    return {"": None, "true": True, "false": False}.get(cell.lower(), cell)


def leaves(content: Any, what: str) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    """Every place of a content with its value, containers first, in reading order.

    Raises:
        UnreadableError: It is too large or nested too deeply.
    """
    stack: list[tuple[tuple[str | int, ...], Any]] = [((), content)]
    seen = 0
    while stack:
        path, value = stack.pop()
        seen += 1
        if seen > MOST_VALUES or len(path) > DEEPEST:
            raise errors.UnreadableError(
                f"{what}: expected at most {MOST_VALUES:,} values in {DEEPEST} levels, got more. Summarise it."
            )
        yield path, value.isoformat() if isinstance(value, dt.date | dt.datetime) else value
        if isinstance(value, dict):
            stack.extend(((*path, str(key)), value[key]) for key in reversed(list(value)))
        elif isinstance(value, list | tuple):
            stack.extend(((*path, position), value[position]) for position in reversed(range(len(value))))
