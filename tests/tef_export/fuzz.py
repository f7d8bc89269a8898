"""Fuzzing everything that reads bytes of a stranger: the answer is a refusal or a right reading, never else.

Each target takes bytes, and raises only where a rule is broken: an error that is none of ours, or a reading that
another reader does not share (the standard library's `zipfile` and `json`, the parser of protocol buffers). `explore`
follows the coverage with atheris where that is installed (`pip install atheris`; it is no dependency), else it mutates
at random. What was found is kept in `findings/` and tried again by the tests.

    python -m tests.tef_export.fuzz --minutes 30 --into found          # all targets, processor minutes in total
    python -m tests.tef_export.fuzz archive --minutes 5 --into found
"""

from __future__ import annotations

import contextlib
import functools
import importlib.util
import io
import json
import os
import random
import subprocess
import sys
import tempfile
import time
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import click

from configs import errors

FINDINGS = Path(__file__).with_name("findings")
ROOT = Path(__file__).resolve().parents[2]
Target = Callable[[bytes], None]


class BrokenRuleError(AssertionError):
    """The reader accepted what another reader sees otherwise."""


@functools.cache
def _scratch() -> Path:
    for place in ("/dev/shm", None):  # noqa: S108 - memory where there is some: a file is written for each input
        if place is None or Path(place).is_dir():
            return Path(tempfile.mkdtemp(prefix="proofline-fuzz-", dir=place))
    raise AssertionError


def _written(content: bytes, name: str) -> Path:
    path = _scratch() / name
    path.write_bytes(content)
    return path


def archive_(content: bytes) -> None:
    """What the reader unpacks is what `zipfile` reads: the same names, the same bytes, checksums that hold."""
    from tef_export import archive

    path = _written(content, "x.zip")
    with contextlib.suppress(errors.VerificationError):
        listing = archive.inspect(path)
        with tempfile.TemporaryDirectory(dir=_scratch()) as into:
            archive.unpack(path, listing, Path(into))
            with zipfile.ZipFile(io.BytesIO(content)) as opened:
                if opened.namelist() != [f"{listing.top}/{entry.path}" for entry in listing.entries]:
                    raise BrokenRuleError("other names")
                for entry in listing.entries:
                    if opened.read(f"{listing.top}/{entry.path}") != Path(into, entry.path).read_bytes():
                        raise BrokenRuleError(f"another content of {entry.path}")


def json_(content: bytes) -> None:
    """What the strict reader accepts, the standard library reads alike."""
    from tef_export import strict_json

    with contextlib.suppress(errors.VerificationError):
        if strict_json.parse(content, "x") != json.loads(content):
            raise BrokenRuleError("another content")


def signature(content: bytes) -> None:
    """No bytes are a signature of a key that has signed nothing; statement and envelopes are read or refused."""
    from tef_export import bag, cades, dsse, oms

    for read in (
        lambda: oms.signed_files(content, _key().public_key(), "top"),
        lambda: dsse.opened(content, _key().public_key(), "x"),
        lambda: cades.verify(content, b"listed", _key().public_key(), _now()),
    ):
        try:
            read()
        except errors.VerificationError:
            continue
        raise BrokenRuleError("accepted")
    for parse in (oms._stated, cades.embedded_key, bag.fields, lambda c: bag._parse(c, "x")):
        with contextlib.suppress(errors.VerificationError):
            parse(content)


def stamp(content: bytes) -> None:
    """A timestamp is read or refused."""
    from tef_export import timestamp

    with contextlib.suppress(errors.VerificationError):
        timestamp.check(content, b"listed")


def index(content: bytes) -> None:
    """The index, the recipe, and every record are read or refused."""
    from evidence import dossier
    from tef_export import manifest, recipe

    kinds = [recipe.Recipe, *(kind for _, kind in dossier.STAGES.values())]
    with contextlib.suppress(errors.VerificationError):
        manifest.parse(content)
    for kind in kinds:
        with contextlib.suppress(errors.VerificationError):
            manifest.record(content, kind, "x")


def model(content: bytes) -> None:
    """The walk over a model's file accepts nothing that the parser and the rules refuse, and finds the same facts."""
    from tef_export import archive, onnx_large, onnx_rules

    path = _written(content, "model.onnx")
    try:
        found, apart = onnx_large.load(archive.Place(path, 0, len(content)), small=-1, weight=16)
        onnx_rules.check(found, apart)
        walked = onnx_rules.facts(found)
    except errors.VerificationError:
        walked = None
    try:
        parsed = onnx_rules.parsed(content)
        onnx_rules.check(parsed)
        facts = onnx_rules.facts(parsed)
    except errors.VerificationError:
        facts = None
    if walked is not None and walked != facts:
        raise BrokenRuleError("the walk accepts another model")


def tensor(content: bytes) -> None:
    """Golden vectors are read alike by the child and by the layouts' reader, or refused."""
    from tef_export import golden_child, tensor_file

    with contextlib.suppress(errors.VerificationError):
        _, light = tensor_file.read(content, "x")
        heavy = golden_child._tensor(_written(content, "x.pb"))
        if light.shape != heavy.shape or light.tobytes() != heavy.tobytes():
            raise BrokenRuleError("another tensor")


def document(content: bytes) -> None:
    """DOCX, PDF and texts are judged, never fatal."""
    from tef_export import contents, quiet

    quiet.acts_docx(content)
    quiet.acts_pdf(content)
    for suffix in ("md", "html", "json", "yaml", "png", "docx", "pdf"):
        with contextlib.suppress(errors.VerificationError):
            contents.check_content(f"data/documents/x.{suffix}", content)


def table(content: bytes) -> None:
    """A facility's own table is read or refused."""
    from tef_export.rerun import table as tables

    with contextlib.suppress(errors.DataError):
        tables.read(_written(content, "own.csv"))


TARGETS: dict[str, Target] = {
    "archive": archive_,
    "json": json_,
    "signature": signature,
    "stamp": stamp,
    "index": index,
    "model": model,
    "tensor": tensor,
    "document": document,
    "table": table,
}


@functools.cache
def _key():
    from tests.tef_export import making

    return making.real_key()


def _now():
    from tests.tef_export import making

    return making.NOW


def seeds(name: str) -> list[bytes]:
    """Valid inputs of a target, from which mutations start."""
    from tef_export import cades, manifest, oms, recipe
    from tests.tef_export import making

    if name == "archive":
        with tempfile.TemporaryDirectory() as place:
            path = making.packed(
                Path(place) / "x.zip", "top", {"bagit.txt": b"a" * 9, "data/a.txt": b"", "data/b/c": b"b"}
            )
            return [path.read_bytes()]
    if name == "model":
        return [making.model(3).SerializeToString(deterministic=True)]
    if name == "tensor":
        return list(making.golden(making.model().SerializeToString(deterministic=True)).values())
    if name == "table":
        return [b"age,sex,target\n1,2,3\n4,,6\n", b'a;b\n"1;2";x\n', b"\xef\xbb\xbfa\tb\n1\t2\n"]
    if name == "stamp":
        return [b"0\x80", b"0\x10\x02\x01\x00"]
    with tempfile.TemporaryDirectory() as place:
        _, files = making.unpacked(making.bundle(Path(place), _key()).path)
    if name == "document":
        return [making.CARD, making.REPORT, b"%PDF-1.7\n1 0 obj << /Type /ObjStm >> stream\nx\nendstream", _docx()]
    if name == "signature":
        return [files[oms.PLACE], files[cades.PLACE], files["bag-info.txt"], files["manifest-sha256.txt"]]
    kept = [files[manifest.PLACE], files[recipe.PLACE]]
    kept += [
        content
        for path, content in sorted(files.items())
        if path.startswith("data/evidence/") and path.endswith("json")
    ]
    return kept if name == "index" else kept[:4]


def _docx() -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as opened:
        opened.writestr("word/document.xml", "<w:document><w:instrText>PAGE</w:instrText></w:document>")
        opened.writestr("word/_rels/document.xml.rels", '<Relationship Id="1" TargetMode="External" Target="x"/>')
    return held.getvalue()


def explore(name: str, seconds: float, into: Path, seed: int) -> tuple[int, list[Path]]:
    """Try a target for some processor time; how many inputs, and what broke a rule.

    Args:
        name: Of the target.
        seconds: Of processor time.
        into: Folder for findings.
        seed: Of the mutations.
    """
    into.mkdir(parents=True, exist_ok=True)
    if importlib.util.find_spec("atheris"):
        return _followed(name, seconds, into, seed)
    return _mutated(name, seconds, into, seed)


def _followed(name: str, seconds: float, into: Path, seed: int) -> tuple[int, list[Path]]:
    corpus = into / f"corpus-{name}"
    corpus.mkdir(exist_ok=True)
    for number, content in enumerate(seeds(name)):
        (corpus / f"seed-{number}").write_bytes(content)
    code = f"from tests.tef_export import fuzz; fuzz.follow({name!r})"
    tried, left, found = 0, seconds, list[Path]()
    while left > 1 and len(found) < 5:
        limits = (f"-max_total_time={int(2 * left) + 5}", "-timeout=20", "-rss_limit_mb=4096")
        options = (*limits, f"-seed={seed + len(found)}", f"-artifact_prefix={into}/{name}-",
                   "-print_final_stats=1", "-verbosity=0", corpus)  # fmt: skip
        begun = _children()
        command = [sys.executable, "-c", code, *map(str, options)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        left -= max(1.0, _children() - begun)
        counted = [line.rpartition(":")[2] for line in done.stderr.splitlines() if "number_of_executed_units" in line]
        tried += int(counted[-1]) if counted else 0
        if done.returncode == 0:  # its time is that of the clock: on a busy machine some is left
            continue
        (into / f"{name}-{len(found)}.log").write_text(done.stderr, encoding="utf-8")
        found = [path for path in into.glob(f"{name}-*") if path.suffix != ".log"]
    return tried, found


def _children() -> float:
    """Processor time of processes that have ended, in seconds."""
    used = os.times()
    return used.children_user + used.children_system


def follow(name: str) -> None:
    """Never comes back: atheris ends the process. Options of libFuzzer stand in `sys.argv`."""
    import atheris

    with atheris.instrument_imports(include=["tef_export", "json"]):
        import tef_export.golden_child
        import tef_export.rerun.table
        import tef_export.verify  # noqa: F401
    _key()
    atheris.Setup(sys.argv, TARGETS[name])
    atheris.Fuzz()


def _mutated(name: str, seconds: float, into: Path, seed: int) -> tuple[int, list[Path]]:
    drawn, pool, tried, found = random.Random(seed), seeds(name), 0, list[Path]()  # noqa: S311 - no secret
    end = time.process_time() + seconds
    while time.process_time() < end and len(found) < 5:
        content = mutate(drawn.choice(pool), drawn)
        tried += 1
        try:
            TARGETS[name](content)
        except Exception as error:
            path = into / f"{name}-{zlib.crc32(content):08x}"
            path.write_bytes(content)
            path.with_suffix(".log").write_text(f"{type(error).__name__}: {error}", encoding="utf-8")
            found.append(path)
    return tried, found


def mutate(content: bytes, drawn: random.Random) -> bytes:
    """A few places changed, cut out, doubled or exchanged."""
    made = bytearray(content)
    for _ in range(drawn.randint(1, 4)):
        at, size = drawn.randrange(len(made) + 1), drawn.choice((1, 1, 2, 4, 8, 32))
        kind = drawn.randrange(6)
        if kind == 0:
            made[at : at + size] = drawn.randbytes(size)
        elif kind == 1:
            del made[at : at + size]
        elif kind == 2:
            made[at:at] = made[at : at + size]
        elif kind == 3 and at < len(made):
            made[at] ^= 1 << drawn.randrange(8)
        elif kind == 4:
            made[at : at + size] = drawn.choice((b"\x00", b"\xff")) * size
        else:
            other = drawn.randrange(len(made) + 1)
            made[at : at + size] = made[other : other + size]
    return bytes(made)


@click.command()
@click.argument("names", nargs=-1, type=click.Choice(sorted(TARGETS)))
@click.option("--minutes", default=30.0, show_default=True, help="Of processor time, in total.")
@click.option("--into", type=click.Path(path_type=Path), required=True, help="Folder for findings.")
@click.option("--seed", default=1, show_default=True)
def main(names: tuple[str, ...], minutes: float, into: Path, seed: int) -> None:
    """Fuzz these targets (default: all), one after the other; exit code 1 where something was found."""
    chosen = names or tuple(TARGETS)
    broken = 0
    for name in chosen:
        tried, found = explore(name, 60 * minutes / len(chosen), into.resolve(), seed)
        broken += len(found)
        print(f"{name:>10}: {tried:>10,} inputs, {len(found)} findings {[path.name for path in found]}", flush=True)
    sys.exit(bool(broken))


if __name__ == "__main__":
    main()
