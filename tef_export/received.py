"""The facility's catalogue: which bundle was received, from whom, when, verified how, measured again how.

A folder with `catalogue.db` (SQLite) and `bundles/<sha256>.zip`. The database is the truth: a file without an entry is
what an interrupted import left, and is removed at the next start. An import is one transaction that holds the database
for itself, copies the bundle into place and commits last: it is whole or not at all, also after `kill -9`.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import hashlib
import json
import os
import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from configs import errors
from evidence import clock, storage
from tef_export import archive, bag, cades, verify

DATABASE = "catalogue.db"
FOLDER = "bundles"
FORMAT = 1
"""`PRAGMA user_version` of the database."""
_APPLICATION = 0x50464C42
"""`PRAGMA application_id`: a database of somebody else is not touched."""
_OWN_FILE = re.compile(r"[0-9a-f]{64}\.(zip|part)")
WAIT = 30.0
"""Seconds to wait for another process."""
_SCHEMA = """
CREATE TABLE bundles (
  sha256 TEXT PRIMARY KEY, bundle_id TEXT NOT NULL, system_id TEXT NOT NULL, system_version TEXT NOT NULL,
  system_name TEXT NOT NULL, provider TEXT NOT NULL, created TEXT NOT NULL, run_id TEXT NOT NULL, gate TEXT NOT NULL,
  demonstration INTEGER NOT NULL, test_environment TEXT NOT NULL, size INTEGER NOT NULL, fingerprint TEXT NOT NULL,
  subject TEXT NOT NULL, imported_at TEXT NOT NULL, checks TEXT NOT NULL, accepted TEXT
);
CREATE TABLE reruns (
  sha256 TEXT NOT NULL REFERENCES bundles (sha256), at TEXT NOT NULL, status TEXT NOT NULL, origin TEXT NOT NULL,
  data_name TEXT NOT NULL, data_sha256 TEXT NOT NULL, rows INTEGER NOT NULL, runtime TEXT NOT NULL, record TEXT NOT NULL
);
"""


@dataclasses.dataclass(frozen=True)
class Entry:
    """One received bundle."""

    sha256: str
    """Of the ZIP file, which lies at `bundles/<sha256>.zip`."""
    bundle_id: str
    system_id: str
    system_version: str
    system_name: str
    provider: str
    created: str
    run_id: str
    gate: str
    demonstration: bool
    test_environment: str
    size: int
    fingerprint: str
    """Of the key that was pinned."""
    subject: str
    """Of the signer's certificate: what the signer says of itself, which nobody has checked."""
    imported_at: str
    checks: dict[str, str]
    """Check of the reader to its result."""
    accepted: str | None
    """Why it was accepted although something stood against it."""
    reruns: tuple[dict[str, Any], ...] = ()
    """Re-runs that were noted: `at`, `status`, `origin`, `data_name`, `data_sha256`, `rows`, `runtime`."""


def add(
    into: Path,
    bundle: Path,
    *,
    public_key: ec.EllipticCurvePublicKey | None = None,
    fingerprint: str | None = None,
    allow_demonstration: bool = False,
    accept: str | None = None,
    at: dt.datetime | None = None,
) -> tuple[Entry, bool]:
    """Verify a bundle and take it into the catalogue.

    Args:
        into: The catalogue's folder; made when absent.
        bundle: The ZIP file.
        public_key: The supplier's key, pinned.
        fingerprint: Its fingerprint; either of the two is needed.
        allow_demonstration: Accept a bundle that is marked as a demonstration.
        accept: Why to take it although something stands against it; the reason is kept.
        at: Time at which the signer's certificate must be valid, UTC; by default now.

    Returns:
        The entry, and whether it is new: the same file twice is one entry.

    Raises:
        VerificationError: The reader refuses the bundle; or the catalogue holds the same id with other content, a
            newer version, or the system from another key, and `accept` says nothing.
        StorageError: No room, no permission, or another process holds the catalogue.
    """
    with verify.opened(
        bundle, public_key=public_key, fingerprint=fingerprint, allow_demonstration=allow_demonstration, at=at
    ) as found:
        made = _entry(found, bundle, accept)
    with storage.explained(f"catalogue {into}"), _open(into, make=True) as database, _transaction(database, into):
        _clear(into, database)
        if (known := _find(database, made.sha256)) is not None:
            return known, False
        if against := _against(made, _all(database)):
            if accept is None:
                raise errors.VerificationError(
                    f"{' '.join(against)} Ask the sender; take it with --accept REASON, which is kept.", "unclear"
                )
        else:
            made = dataclasses.replace(made, accepted=None)
        _copy(bundle, into, made)
        _insert(database, made)
    return made, True


def entries(into: Path, words: str = "") -> tuple[Entry, ...]:
    """The entries that hold every one of these words in any of their texts, the latest first.

    Raises:
        MissingError: There is no catalogue.
    """
    with _open(into) as database:
        found = _all(database)
    wanted = words.lower().split()
    return tuple(e for e in found if all(word in _text(e) for word in wanted))


def show(into: Path, name: str) -> Entry:
    """The entry with this bundle id or digest (or an unambiguous beginning of one).

    Raises:
        MissingError: There is none, or more than one.
    """
    found = [e for e in entries(into) if name and (e.bundle_id.startswith(name) or e.sha256.startswith(name))]
    exact = [e for e in found if name in (e.bundle_id, e.sha256)]
    found = exact or found
    if len(found) != 1:
        what = "none" if not found else f"{len(found)}: {', '.join(e.sha256[:12] for e in found[:5])}"
        raise errors.MissingError(
            f"catalogue {into}: expected one bundle '{name[:80]}', got {what}. See `proofline import --list`."
        )
    return found[0]


def note(into: Path, rerun: dict[str, Any], record: str) -> None:
    """Note the outcome of a re-run beside its bundle.

    Args:
        into: The catalogue's folder.
        rerun: `bundle_sha256`, `at`, `status`, `runtime` and `data` of the outcome.
        record: The whole outcome as JSON.

    Raises:
        MissingError: The bundle is not in the catalogue.
        StorageError: No room, no permission, or another process holds the catalogue.
    """
    data, sha256 = rerun["data"], rerun["bundle_sha256"]
    with storage.explained(f"catalogue {into}"), _open(into) as database, _transaction(database, into):
        if _find(database, sha256) is None:
            raise errors.MissingError(
                f"catalogue {into}: expected the bundle {sha256[:12]}…, got none. Import it first: `proofline import`."
            )
        row = (sha256, rerun["at"], rerun["status"], data["origin"], data["name"], data["sha256"], data["rows"])
        database.execute("INSERT INTO reruns VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", (*row, rerun["runtime"], record))


def require_here(into: Path, sha256: str) -> None:
    """Refuse before any work is done when a bundle is not in the catalogue.

    Raises:
        MissingError: It is not.
    """
    with _open(into) as database:
        if _find(database, sha256) is None:
            raise errors.MissingError(
                f"catalogue {into}: expected the bundle {sha256[:12]}…, got none. Import it first: `proofline import`."
            )


def _entry(found: verify.Opened, bundle: Path, accept: str | None) -> Entry:
    index, answer = found.manifest, found.verification
    signed = cades.read(found.files.read(cades.PLACE), found.files.read(bag.TAG_MANIFEST))
    if accept is not None and not accept.strip():
        raise errors.PlanError("--accept: expected a reason, got nothing. Say why; it is kept in the catalogue.")
    return Entry(
        sha256=answer.sha256,
        bundle_id=index.bundle_id,
        system_id=index.system.id,
        system_version=index.system.version,
        system_name=index.system.name,
        provider=index.system.provider,
        created=index.created,
        run_id=index.run_id,
        gate=index.gate,
        demonstration=index.demonstration,
        test_environment=index.test_environment,
        size=bundle.stat().st_size,
        fingerprint=answer.key_fingerprint or index.signer_fingerprint,
        subject=signed.certificate.subject.rfc4514_string(),
        imported_at=clock.now(),
        checks={check.name: check.status for check in answer.checks},
        accepted=accept,
    )


def _against(made: Entry, known: tuple[Entry, ...]) -> list[str]:
    """What of the catalogue stands against an entry, a sentence each: whoever accepts it has read them all."""
    # A demonstration has a throw-away key and approves nothing: it stands against no bundle, and none against it.
    same = [o for o in known if o.system_id == made.system_id and not o.demonstration and not made.demonstration]
    named = next((o for o in known if o.bundle_id == made.bundle_id), None)
    sender = next((o for o in same if o.fingerprint != made.fingerprint), None)
    newer = next((o for o in same if _older(made, o)), None)
    found = (
        f"the content {named.sha256[:12]}…, got {made.sha256[:12]}…: the same id, another file" if named else None,
        f"the system '{made.system_id}' from the key {sender.fingerprint[:12]}…, got it from {made.fingerprint[:12]}…: "
        "another sender, or a new key" if sender else None,
        f"a version after {newer.system_version} of {newer.created}, got {made.system_version} of {made.created}: "
        "a rollback" if newer else None,
    )  # fmt: skip
    return [f"bundle {made.bundle_id}: expected {what}." for what in found if what]


def _older(made: Entry, other: Entry) -> bool:
    versions = [_number(e.system_version) for e in (made, other)]
    if None not in versions and versions[0] != versions[1]:
        return versions[0] < versions[1]  # type: ignore[operator]
    return dt.datetime.fromisoformat(made.created) < dt.datetime.fromisoformat(other.created)


def _number(version: str) -> tuple[int, ...] | None:
    pieces = version.split(".")
    if not all(piece.isascii() and piece.isdigit() and len(piece) < 10 for piece in pieces):
        return None
    numbers = [int(piece) for piece in pieces]
    while len(numbers) > 1 and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)


def _copy(bundle: Path, into: Path, made: Entry) -> None:
    """The bundle into its place, whole: hashed on the way, in case another file stands there by now.

    Raises:
        VerificationError: It is no longer the file that was verified.
    """
    part, place = (into / FOLDER / f"{made.sha256}.{ending}" for ending in ("part", "zip"))
    digest = hashlib.sha256()
    try:
        with bundle.open("rb") as source, part.open("wb") as target:
            while piece := source.read(archive.CHUNK):
                digest.update(piece)
                target.write(piece)
            target.flush()
            os.fsync(target.fileno())
        if digest.hexdigest() == made.sha256:
            part.replace(place)
            return
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    part.unlink()
    raise errors.VerificationError(
        f"bundle {bundle.name}: expected the file that was verified, got another: it was changed meanwhile. "
        "Import it again.",
        "unclear",
    )


@contextlib.contextmanager
def _open(into: Path, *, make: bool = False) -> Iterator[sqlite3.Connection]:
    place, folder = into / DATABASE, into / FOLDER
    if not make and not place.is_file():
        raise errors.MissingError(f"catalogue {into}: expected {DATABASE}, got none. Import a bundle into it first.")
    if into.exists() and not into.is_dir():
        raise errors.PlanError(f"catalogue {into}: expected a folder, got a file. Name another place.")
    for ours in (place, folder):
        if ours.is_symlink():
            raise errors.PlanError(f"catalogue {into}: expected {ours.name} itself, got a link. Remove the link.")
    if make:
        folder.mkdir(parents=True, exist_ok=True)
    try:
        database = sqlite3.connect(place, timeout=WAIT, isolation_level=None)
    except sqlite3.Error as error:
        raise _broken(into, error) from None
    with contextlib.closing(database):
        try:
            database.execute("PRAGMA synchronous = FULL")
            # A first import that was interrupted leaves a database without tables, which is no catalogue yet.
            if not make and not database.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
                raise errors.MissingError(
                    f"catalogue {into}: expected a bundle in it, got none: an import did not end well. Repeat it."
                )
            yield database
        except sqlite3.Error as error:
            raise _broken(into, error) from None


@contextlib.contextmanager
def _transaction(database: sqlite3.Connection, into: Path) -> Iterator[None]:
    """One transaction that keeps every other process out from its beginning."""
    database.execute("BEGIN IMMEDIATE")
    try:
        _prepare(database, into)
        yield
        database.execute("COMMIT")
    except BaseException:
        with contextlib.suppress(sqlite3.Error):
            database.execute("ROLLBACK")
        raise


def _prepare(database: sqlite3.Connection, into: Path) -> None:
    """Make the tables of a new catalogue; refuse a database of another kind or a later version."""
    kind = database.execute("PRAGMA application_id").fetchone()[0]
    version = database.execute("PRAGMA user_version").fetchone()[0]
    empty = not database.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    if empty:
        for statement in _SCHEMA.split(";"):
            database.execute(statement)
        database.execute(f"PRAGMA application_id = {_APPLICATION}")
        database.execute(f"PRAGMA user_version = {FORMAT}")
    elif (kind, version) != (_APPLICATION, FORMAT):
        raise errors.PlanError(
            f"catalogue {into}: expected a catalogue of format {FORMAT}, got another database. Name another folder."
        )


def _clear(into: Path, database: sqlite3.Connection) -> None:
    """Remove what an interrupted import left: files of ours without an entry."""
    known = {f"{row[0]}.zip" for row in database.execute("SELECT sha256 FROM bundles")}
    for file in (into / FOLDER).iterdir():
        if _OWN_FILE.fullmatch(file.name) and file.name not in known:
            file.unlink()


def _insert(database: sqlite3.Connection, made: Entry) -> None:
    values = dataclasses.asdict(made) | {"checks": json.dumps(made.checks), "demonstration": int(made.demonstration)}
    values.pop("reruns")
    places = ", ".join(f":{name}" for name in values)
    database.execute(f"INSERT INTO bundles ({', '.join(values)}) VALUES ({places})", values)  # noqa: S608 - own names


def _all(database: sqlite3.Connection) -> tuple[Entry, ...]:
    names = [f.name for f in dataclasses.fields(Entry) if f.name != "reruns"]
    rows = database.execute(f"SELECT {', '.join(names)} FROM bundles ORDER BY imported_at DESC")  # noqa: S608 - own names
    found = []
    for row in rows.fetchall():
        values = dict(zip(names, row, strict=True))
        values |= {"checks": json.loads(values["checks"]), "demonstration": bool(values["demonstration"])}
        found.append(Entry(**values, reruns=_reruns(database, values["sha256"])))
    return tuple(found)


def _find(database: sqlite3.Connection, sha256: str) -> Entry | None:
    return next((entry for entry in _all(database) if entry.sha256 == sha256), None)


def _reruns(database: sqlite3.Connection, sha256: str) -> tuple[dict[str, Any], ...]:
    names = ("at", "status", "origin", "data_name", "data_sha256", "rows", "runtime")
    query = f"SELECT {', '.join(names)} FROM reruns WHERE sha256 = ? ORDER BY at"  # noqa: S608 - own names
    return tuple(dict(zip(names, row, strict=True)) for row in database.execute(query, (sha256,)).fetchall())


def _text(entry: Entry) -> str:
    return json.dumps(dataclasses.asdict(entry), ensure_ascii=False).lower()


def _broken(into: Path, error: sqlite3.Error) -> errors.ProoflineError:
    text = str(error).split("\n", 1)[0][:120]
    if "full" in text:
        return errors.StorageError(f"catalogue {into}: expected free disk space, got a full disk. Free some space.")
    if "locked" in text or "readonly" in text or "unable to open" in text:
        return errors.StorageError(f"catalogue {into}: expected to open and write it, got: {text}. Try again later.")
    return errors.IntegrityError(f"catalogue {into}: expected a database that can be read, got: {text}. Restore it.")
