"""Bundles bent in many small ways: whatever our reader accepts, the public tools accept too.

    python -m tests.tef_export.mutate --minutes 10

Bytes of the archive are changed, and files, whose manifests and signatures are then made anew with the supplier's own
key, or are not. Most are refused; each that is accepted is shown to `zipfile`, `unzip`, `7z`, `sha256sum`, `bagit`,
`bagit_profile`, `openssl cms`, `model_signing` and `onnx.checker`. `--targeted` bends where readers could differ
(`targeted`), and asks the validators of the descriptions too, in this process (`inside`).
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import tempfile
from collections.abc import Callable
from pathlib import Path

import click

from tef_export import contents, manifest, places, verify
from tests.tef_export import fuzz, inside, making, validators
from tests.tef_export import targeted as narrow

JSON = (manifest.PLACE, places.BOM, places.CRATE, places.CROISSANT, contents.RESULTS)


def bent(made: making.Made, drawn: random.Random) -> bytes:
    """One bundle that differs a little from a good one."""
    content = made.path.read_bytes()
    kind = drawn.randrange(5)
    if kind == 0:
        return fuzz.mutate(content, drawn)
    if kind == 1:  # the structure at the end, or the first header
        at = drawn.choice((len(content) - drawn.randrange(1, 6000), drawn.randrange(64)))
        return content[:at] + bytes([drawn.randrange(256)]) + content[at + 1 :]
    top, files = making.unpacked(made.path)
    path = drawn.choice(sorted(files))
    if kind == 2:
        files[path] = fuzz.mutate(files[path], drawn)
    elif kind == 3:
        files[drawn.choice(("data/documents/more.md", "data/documents/x.svg", "x.txt"))] = b"# More\n"
    else:
        path = drawn.choice(JSON)
        document = json.loads(files[path])
        document[drawn.choice(sorted(document))] = drawn.choice((None, [], "x", 1, {}))
        files[path] = json.dumps(document).encode()
    if drawn.random() < 0.8:
        with contextlib.suppress(Exception):  # what cannot be made anew is sealed as it is
            files = making.reindexed(files)
        with contextlib.suppress(Exception):
            files = making.resigned(top, files, made.key)
    with tempfile.TemporaryDirectory() as place:
        try:
            return making.packed(Path(place) / "x.zip", top, files).read_bytes()
        except UnicodeEncodeError:
            return content


def doubted(path: Path, made: making.Made) -> list[str]:
    """The public tools that do not accept a bundle."""
    certificate = made.written.certificate
    at = int(making.NOW.timestamp())
    with tempfile.TemporaryDirectory() as place:
        return validators.quick(path, certificate, Path(place), at)


Bend = Callable[[making.Made, random.Random], bytes]
Doubt = Callable[[Path, making.Made], list[str]]


def doubted_here(path: Path, made: making.Made) -> list[str]:
    """The same, asked in this process, with the validators of the descriptions."""
    with tempfile.TemporaryDirectory() as place, inside.silent():
        (Path(place) / "x.zip").write_bytes(path.read_bytes())
        (Path(place) / "unpacked").mkdir()
        unpacked, at = Path(place) / "unpacked", int(making.NOW.timestamp())
        return inside.refused(Path(place) / "x.zip", made.written.certificate, unpacked, at)


def go(
    made: making.Made, seconds: float, seed: int, least: int = 0, bend: Bend = bent, doubt: Doubt = doubted
) -> tuple[int, int, list[str]]:
    """Bend bundles for some processor time; how many were read, accepted, and what a public tool refused of these."""
    drawn, begun = random.Random(seed), _spent()  # noqa: S311 - no secret
    read = accepted = 0
    wrong: list[str] = []
    original = made.path.read_bytes()
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / f"{made.written.bundle_id}.zip"
        while read < least or _spent() - begun < seconds:
            content = bend(made, drawn)
            path.write_bytes(content)
            read += 1
            found = verify.verify(path, public_key=made.key.public_key(), at=making.NOW)
            if not found.ok:
                continue
            accepted += 1
            if content != original:
                for said in doubt(path, made):
                    wrong.append(f"seed {seed}, number {read}: {said}")
                    print(wrong[-1], flush=True)
    return read, accepted, wrong


def _spent() -> float:
    """Processor seconds of this process and of the programs that it has asked."""
    return sum(os.times()[:4])


@click.command()
@click.option("--minutes", default=10.0, show_default=True, help="Of processor time, the programs asked included.")
@click.option("--seed", default=1, show_default=True)
@click.option("--targeted", is_flag=True, help="Bend where readers could differ.")
def main(minutes: float, seed: int, *, targeted: bool) -> None:
    """Bend bundles and compare the reader with the public tools."""
    with tempfile.TemporaryDirectory() as place:
        made = making.bundle(Path(place), making.real_key())
        if targeted:
            read, accepted, wrong = go(made, 60 * minutes, seed, bend=narrow.bent, doubt=doubted_here)
        else:
            read, accepted, wrong = go(made, 60 * minutes, seed)
    print(f"{read:,} bundles, {accepted:,} accepted by the reader, {len(wrong)} of these refused by a public tool")
    raise SystemExit(bool(wrong))


if __name__ == "__main__":
    main()
