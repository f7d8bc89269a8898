"""Bundles bent where two readers could differ: in the ZIP's own fields, in the bag's text files, in what JSON says.

Each is sealed anew with the supplier's key above the place that was bent, so that the bent place itself is read.
"""

from __future__ import annotations

import copy
import datetime as dt
import json
import random
import struct
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

from tef_export import bag, cades, contents, manifest, oms, places
from tests.tef_export import making

Files = dict[str, bytes]
Bend = Callable[[Files, str, making.Made, random.Random], bytes]
_LOCAL, _CENTRAL, _END = (
    struct.Struct("<4sHHHHHIIIHH"),
    struct.Struct("<4sHHHHHHIIIHHHHHII"),
    struct.Struct("<4sHHHHIIH"),
)
_LOCAL_FIELDS = {"version": 1, "flags": 2, "method": 3, "time": 4, "date": 5, "crc": 6, "packed": 7, "size": 8}
_CENTRAL_FIELDS = {
    "made by": 1, "version": 2, "flags": 3, "method": 4, "time": 5, "date": 6, "crc": 7, "packed": 8, "size": 9,
    "disk": 13, "internal": 14, "external": 15, "offset": 16,
}  # fmt: skip
VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1.5, 1e308, 10**30, "", "x", "é", "\u200b", "a\u0000b", "\ud7ff", "../x", "/etc/passwd",
    "https://evil.example/x", "0" * 64, "A" * 64, [], [None], {}, {"x": 1}, ["x", "x"],
)  # fmt: skip
"""What stands in place of a value of a document."""


def bent(made: making.Made, drawn: random.Random) -> bytes:
    """One bundle, bent in one or two places of one layer."""
    top, files = making.unpacked(made.path)
    return drawn.choice(BENDS)(files, top, made, drawn)


def _zip(_files: Files, _top: str, made: making.Made, drawn: random.Random) -> bytes:
    content = bytearray(made.path.read_bytes())
    end = len(content) - _END.size
    count, start = (_END.unpack_from(content, end)[i] for i in (4, 6))
    at, entries = start, []
    for _ in range(count):
        fields = _CENTRAL.unpack_from(content, at)
        entries.append((at, fields[16]))
        at += _CENTRAL.size + fields[10] + fields[11] + fields[12]
    central, local = drawn.choice(entries)
    which = drawn.randrange(6)
    if which == 0:
        _set(content, _CENTRAL, central, drawn.choice(list(_CENTRAL_FIELDS.values())), drawn)
    elif which == 1:
        _set(content, _LOCAL, local, drawn.choice(list(_LOCAL_FIELDS.values())), drawn)
    elif which == 2:  # the same in both places
        name = drawn.choice([n for n in _LOCAL_FIELDS if n in _CENTRAL_FIELDS])
        value = _set(content, _CENTRAL, central, _CENTRAL_FIELDS[name], drawn)
        _set(content, _LOCAL, local, _LOCAL_FIELDS[name], drawn, value)
    elif which == 3:
        _set(content, _END, end, drawn.randrange(1, 8), drawn)
    elif which == 4:  # a letter of a name, in both places
        position = drawn.randrange(_CENTRAL.unpack_from(content, central)[10])
        letter = drawn.choice(b"aA0./\\\0 \xc3_-")
        content[central + _CENTRAL.size + position] = letter
        content[local + _LOCAL.size + position] = letter
    else:  # something between, before or behind
        place = drawn.choice((0, start, end, len(content), local))
        content[place:place] = drawn.choice(
            (b"\0", b"PK\x05\x06", b"PK\x06\x06" + bytes(52), b"PK\x06\x07" + bytes(16))
        )
    return bytes(content)


def _set(
    content: bytearray, kind: struct.Struct, at: int, field: int, drawn: random.Random, value: int | None = None
) -> int:
    fields = list(kind.unpack_from(content, at))
    letters = kind.format.removeprefix("<4")
    limit = 0xFFFF if letters[field] == "H" else 0xFFFFFFFF
    chosen = drawn.choice((0, 1, 8, 9, 20, 45, 0x800, fields[field] + 1, fields[field] ^ 1, limit, limit - 1))
    fields[field] = min(limit, max(0, chosen if value is None else value))
    kind.pack_into(content, at, *fields)
    return int(fields[field])


def _bag(files: Files, top: str, made: making.Made, drawn: random.Random) -> bytes:
    name = drawn.choice((bag.MANIFEST, bag.TAG_MANIFEST, "bag-info.txt", "bagit.txt"))
    lines = files[name].split(b"\n")
    at = drawn.randrange(max(1, len(lines) - 1))
    line = lines[at]
    changes: tuple[Callable[[], Any], ...] = (
        line.upper,
        lambda: line.replace(b"  ", drawn.choice((b" ", b"\t", b"   ", b" *"))),
        lambda: line.replace(b"data/", drawn.choice((b"./data/", b"data//", b"data/./", b"data\\", b"data/x/../"))),
        lambda: line + drawn.choice((b"\r", b" ", b"\t", b"\x0c")),
        lambda: line + b"\n" + line,
        lambda: b"",
        lambda: b"\xef\xbb\xbf" + line,
        lambda: line.replace(b".", b"%2E", 1),
        lambda: line.replace(b":", drawn.choice((b" :", b":  ", b": x\n "))),
        lambda: line + b"\nX-More: y",
        lambda: line.replace(b"1.0", b"0.97").replace(b"UTF-8", b"ISO-8859-1"),
    )
    lines[at] = drawn.choice(changes)()
    if drawn.random() < 0.2:
        drawn.shuffle(lines)
    files[name] = b"\n".join(lines)
    if name != bag.TAG_MANIFEST:
        files[bag.TAG_MANIFEST] = bag.manifest({tag: making.sha(files[tag]) for tag in bag.TAG_FILES})
    return _sealed(files, top, made)


def _json(files: Files, top: str, made: making.Made, drawn: random.Random) -> bytes:
    path = drawn.choice([p for p in files if p.endswith(".json") and p.startswith("data/")])
    document = json.loads(files[path])
    for _ in range(drawn.choice((1, 1, 2))):
        _bend_value(document, drawn)
    text = json.dumps(document, ensure_ascii=drawn.random() < 0.5)
    if drawn.random() < 0.1:
        text = text.replace("{", drawn.choice(('{"x": 1, "x": 2, ', "{ \n", "\ufeff{")), 1)
    files[path] = text.encode("utf-8", "surrogatepass")
    return _resealed(files, path, top, made)


def _bend_value(document: Any, drawn: random.Random) -> None:
    """One value of a document exchanged, removed, doubled or moved."""
    node = document
    while isinstance(node, dict | list) and node:
        keys = list(node) if isinstance(node, dict) else list(range(len(node)))
        key = drawn.choice(keys)
        inner = node[key]
        if isinstance(inner, dict | list) and inner and drawn.random() < 0.85:
            node = inner
            continue
        what = drawn.randrange(5)
        if what == 0:
            del node[key]
        elif what == 1 and isinstance(node, dict):
            node[drawn.choice(("extra", f"{key}x", str(key).upper()))] = copy.deepcopy(inner)
        elif what == 2 and isinstance(node, list):
            node.insert(drawn.randrange(len(node) + 1), copy.deepcopy(drawn.choice(node)))
        elif what == 3 and isinstance(inner, str):
            node[key] = drawn.choice(
                (inner + " ", inner.upper(), inner[:-1], inner + "\u200b", inner.replace("1", "2"))
            )
        else:
            node[key] = copy.deepcopy(drawn.choice(VALUES))
        return


def _text(files: Files, top: str, made: making.Made, drawn: random.Random) -> bytes:
    """The card, a document or the plan with a line changed, or a document more."""
    path = drawn.choice((contents.CARD, contents.PLAN, "data/documents/report.html", "data/documents/more.md"))
    lines = files.get(path, b"# More\n\nText.\n").split(b"\n")
    at = drawn.randrange(len(lines))
    lines[at] = drawn.choice(
        (b"---", b"", b"license: mit", b"- x", b"tags: [a, b", b"\xc3\xa9", b"<b>x</b>", b"a: &x [*x]", b"x: !!int 1",
         lines[at] + b" #", lines[at] * 2, b"\t" + lines[at], lines[at].replace(b"\n", b"\r\n") + b"\r")
    )  # fmt: skip
    files[path] = b"\n".join(lines)
    if path == contents.CARD:
        files["data/documents/README.md"] = files[path]
    return _resealed(files, path, top, made)


def _croissant(_files: Files, _top: str, made: making.Made, drawn: random.Random) -> bytes:
    """The description of the data bent before anybody approved it: only what it says is read."""
    described = copy.deepcopy(making.CROISSANT)
    columns = [f.name for f in made.dossier.encode.features]
    fields = [
        {
            "@type": "cr:Field", "@id": f"table/{name}", "name": name, "description": "a column",
            "dataType": "sc:Float",
            "source": {"fileObject": {"@id": "file-0"}, "extract": {"column": name}},
        }
        for name in columns[:3]
    ]  # fmt: skip
    described |= {"recordSet": [{"@type": "cr:RecordSet", "@id": "table", "name": "table", "field": fields}]}
    described |= {"creator": {"@type": "sc:Organization", "name": "x"}, "license": "MIT", "rai:dataBiases": ["none"]}
    for _ in range(drawn.choice((0, 1, 1, 1, 2))):
        _bend_value(described, drawn)
    with tempfile.TemporaryDirectory() as place, mock.patch.object(making, "CROISSANT", described):
        return making.bundle(Path(place), made.key).path.read_bytes()


def _resealed(files: Files, path: str, top: str, made: making.Made) -> bytes:
    """Index, crate, bag and signatures made anew, as far as they are not what was bent."""
    try:
        if path not in (manifest.PLACE, places.CRATE):
            files = making.reindexed(files)
        elif path == manifest.PLACE:
            files = making.recrated(files)
        return _packed(making.resigned(top, files, made.key), top)
    except (KeyError, TypeError, ValueError, AttributeError, StopIteration):
        return _sealed(making.rebagged(files), top, made)


def _sealed(files: Files, top: str, made: making.Made) -> bytes:
    """Both signatures over whatever the bag says."""
    at = dt.datetime.fromisoformat(making.CREATED)
    files = {**files, cades.PLACE: cades.sign(files[bag.TAG_MANIFEST], made.key, at)}
    digests = {path: making.sha(content) for path, content in files.items() if path != oms.PLACE}
    return _packed({**files, oms.PLACE: oms.sign(digests, top, made.key)}, top)


def _packed(files: Files, top: str) -> bytes:
    with tempfile.TemporaryDirectory() as place:
        return making.packed(Path(place) / "x.zip", top, files).read_bytes()


BENDS: tuple[Bend, ...] = (_zip, _bag, _json, _json, _json, _text, _croissant)
