"""The facility's catalogue: whole entries only, nothing exchanged or rolled back unseen, no file of others touched."""

from __future__ import annotations

import contextlib
import errno
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from configs import errors
from tef_export import golden_check, received
from tests.tef_export import making

ROOT = Path(__file__).resolve().parents[2]
KILL = 15 if sys.platform == "win32" else 9
"""Ends a process at once: on Windows it becomes the exit code, elsewhere it is the signal."""
Attack = Callable[..., None]


@pytest.fixture(autouse=True)
def models_stay_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Opening the model is the subject of other tests, and takes most of a verification's time."""
    passed = golden_check.Opened({}, dict.fromkeys(golden_check.CHECKS, "passed"), None)
    monkeypatch.setattr(golden_check, "run", lambda *_: passed)


def take(into: Path, made: making.Made, **more):
    return received.add(into, made.path, public_key=made.key.public_key(), at=making.NOW, **more)


def test_what_was_received_is_found_again(made: making.Made, tmp_path: Path) -> None:
    """From whom, when, verified how; the bundle itself lies beside it; the same file twice is one entry."""
    entry, new = take(tmp_path / "c", made)
    assert new
    assert entry.fingerprint == made.key.fingerprint
    assert set(entry.checks.values()) == {"pass"}
    assert (tmp_path / "c" / "bundles" / f"{entry.sha256}.zip").read_bytes() == made.path.read_bytes()
    assert take(tmp_path / "c", made) == (entry, False)
    assert received.entries(tmp_path / "c") == (entry,)
    assert received.show(tmp_path / "c", entry.bundle_id[:12]) == entry
    assert received.entries(tmp_path / "c", f"{entry.system_id} PASS") == (entry,)
    assert received.entries(tmp_path / "c", "nothing of the kind") == ()


def test_what_does_not_hold_is_not_taken(made: making.Made, tmp_path: Path) -> None:
    """A foreign key and a damaged file leave no entry, and not even a folder."""
    with pytest.raises(errors.VerificationError, match="not accepted"):
        received.add(tmp_path / "c", made.path, public_key=making.real_key().public_key(), at=making.NOW)
    damaged = tmp_path / "damaged.zip"
    content = bytearray(made.path.read_bytes())
    content[len(content) // 2] ^= 1
    damaged.write_bytes(content)
    with pytest.raises(errors.VerificationError, match="not accepted"):
        received.add(tmp_path / "c", damaged, public_key=made.key.public_key(), at=making.NOW)
    assert not (tmp_path / "c").exists()


@pytest.mark.slow
@pytest.mark.parametrize("moment", ["_copy", "_insert"])
def test_a_killed_import_leaves_no_half_entry(made: making.Made, tmp_path: Path, moment: str) -> None:
    """Killed while the bundle is copied, or when it lies in place but is not entered: the next start clears up."""
    into = tmp_path / "c"
    program = (
        "import os, sys, datetime, pathlib\n"
        "from tef_export import keys, received\n"
        "real = received._copy\n"
        "def killed(*_):\n"
        f"    if {moment!r} == '_copy':\n"
        f"        pathlib.Path({str(into)!r}, 'bundles', 'a' * 64 + '.part').write_bytes(b'half')\n"
        f"    os.kill(os.getpid(), {KILL})\n"
        f"received.{moment} = killed\n"
        f"key = keys.load_public(pathlib.Path({str(made.written.public_key)!r}))\n"
        f"at = datetime.datetime.fromisoformat({making.NOW.isoformat()!r})\n"
        f"received.add(pathlib.Path({str(into)!r}), pathlib.Path({str(made.path)!r}), public_key=key, at=at)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, check=False)
    assert done.returncode == (KILL if sys.platform == "win32" else -KILL), done.stderr
    assert len(list((into / "bundles").iterdir())) == 1
    entry, new = take(into, made)
    assert new
    assert [f.name for f in (into / "bundles").iterdir()] == [f"{entry.sha256}.zip"]
    assert received.entries(into) == (entry,)


@pytest.mark.slow
def test_a_full_disk_leaves_no_half_entry(made: making.Made, tmp_path: Path, monkeypatch) -> None:
    """One sentence, no file, no entry."""

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    take(tmp_path / "c", making.bundle(tmp_path / "other", made.key, plan=_renamed("another")))
    monkeypatch.setattr(received.os, "fsync", full)
    with pytest.raises(errors.StorageError, match="full disk"):
        take(tmp_path / "c", made)
    assert len(received.entries(tmp_path / "c")) == 1
    assert len(list((tmp_path / "c" / "bundles").iterdir())) == 1


def _renamed(system: str, version: str = "0.1.0") -> str:
    import yaml

    from configs import load

    plan = yaml.safe_load(load.plan_path("diabetes_progression").read_text(encoding="utf-8"))
    plan["system"] |= {"id": system, "version": version}
    return yaml.safe_dump(plan, allow_unicode=True)


@pytest.mark.attack("catalogue", "B32 the same id with other content")
def test_the_same_id_with_other_content_needs_a_reason(made: making.Made, tmp_path: Path, attack: Attack) -> None:
    """Sealed again by the same key: both files hold, and only one can be what was sent."""
    top, files = making.unpacked(made.path)
    other = making.packed(tmp_path / "other.zip", top, making.resigned(top, files, made.key, "2026-11-20T11:00:00Z"))
    take(tmp_path / "c", made)
    arguments = {"public_key": made.key.public_key(), "at": making.NOW}
    with pytest.raises(errors.VerificationError, match="the same id, another file") as caught:
        received.add(tmp_path / "c", other, **arguments)
    attack(caught.value, "catalogue")
    entry, _ = received.add(tmp_path / "c", other, accept="sealed anew on our request", **arguments)
    assert entry.accepted == "sealed anew on our request"
    assert len(received.entries(tmp_path / "c")) == 2


@pytest.mark.slow
@pytest.mark.attack("catalogue", "rollback")
def test_a_rollback_and_another_sender_need_a_reason(tmp_path: Path, attack: Attack) -> None:
    """An older version after a newer one, and the same system from another key; 0.10 is newer than 0.9."""
    key = making.real_key()
    old, new = (making.bundle(tmp_path / v, key, plan=_renamed("scoring", v)) for v in ("0.9.0", "0.10.0"))
    take(tmp_path / "c", new)
    with pytest.raises(errors.VerificationError, match=r"expected a version after 0\.10\.0 .* a rollback") as caught:
        take(tmp_path / "c", old)
    attack(caught.value, "catalogue", what="A16 an older version after a newer one")
    assert take(tmp_path / "c", old, accept="needed for a comparison")[0].accepted
    foreign = making.bundle(tmp_path / "foreign", making.real_key(), plan=_renamed("scoring", "0.11.0"))
    with pytest.raises(errors.VerificationError, match="another sender, or a new key") as caught:
        take(tmp_path / "c", foreign)
    attack(caught.value, "catalogue", what="a known system from another key")
    both = making.bundle(tmp_path / "both", making.real_key(), plan=_renamed("scoring", "0.1.0"))
    with pytest.raises(errors.VerificationError, match=r"a new key\. .* a rollback"):  # one reason accepts both
        take(tmp_path / "c", both)
    with pytest.raises(errors.PlanError, match="--accept: expected a reason"):
        take(tmp_path / "c", foreign, accept="  ")


@pytest.mark.slow
def test_places_that_are_no_catalogue_are_refused(made: making.Made, tmp_path: Path) -> None:
    """A file, links that lead elsewhere, a database of somebody else, no database: nothing of them is changed."""
    (tmp_path / "file").write_text("mine")
    with pytest.raises(errors.PlanError, match="expected a folder"):
        take(tmp_path / "file", made)
    for name in () if sys.platform == "win32" else ("bundles", "catalogue.db"):  # there a link needs a privilege
        linked, target = tmp_path / f"linked-{name}", tmp_path / f"target-{name}"
        linked.mkdir()
        (linked / name).symlink_to(target)
        with pytest.raises(errors.PlanError, match="got a link"):
            take(linked, made)
        assert not target.exists()
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    with contextlib.closing(sqlite3.connect(foreign / "catalogue.db")) as database:
        database.execute("CREATE TABLE mine (x)")
    before = (foreign / "catalogue.db").read_bytes()
    with pytest.raises(errors.PlanError, match="another database"):
        take(foreign, made)
    assert (foreign / "catalogue.db").read_bytes() == before
    torn = tmp_path / "torn"
    torn.mkdir()
    (torn / "catalogue.db").write_bytes(b"no database at all, but long enough to be one" * 30)
    with pytest.raises(errors.IntegrityError, match="Restore it"):
        take(torn, made)
    with pytest.raises(errors.MissingError, match="Import a bundle into it first"):
        received.entries(tmp_path / "absent")


def test_files_of_others_stay_where_they_are(made: making.Made, tmp_path: Path) -> None:
    """Only files that an import could have left are cleared away."""
    (tmp_path / "c" / "bundles").mkdir(parents=True)
    mine = tmp_path / "c" / "bundles" / "notes.zip"
    mine.write_text("mine")
    take(tmp_path / "c", made)
    assert mine.read_text() == "mine"


def test_words_of_a_search_are_no_statement(made: making.Made, tmp_path: Path) -> None:
    """Neither in a search nor as an id."""
    take(tmp_path / "c", made)
    for text in ("'; DROP TABLE bundles; --", '" OR 1=1', "%", "_"):
        received.entries(tmp_path / "c", text)
        with pytest.raises(errors.MissingError):
            received.show(tmp_path / "c", text)
    assert len(received.entries(tmp_path / "c")) == 1


def test_a_bundle_exchanged_while_it_is_imported_is_refused(made: making.Made, tmp_path: Path, monkeypatch) -> None:
    """What is copied is hashed again: it must be what was verified."""
    sent = tmp_path / "sent.zip"
    shutil.copyfile(made.path, sent)
    real = received._copy

    def exchanged(bundle: Path, *rest) -> None:
        bundle.write_bytes(b"another")
        real(bundle, *rest)

    monkeypatch.setattr(received, "_copy", exchanged)
    with pytest.raises(errors.VerificationError, match="changed meanwhile"):
        received.add(tmp_path / "c", sent, public_key=made.key.public_key(), at=making.NOW)
    assert received.entries(tmp_path / "c") == () if (tmp_path / "c" / "catalogue.db").stat().st_size else True
    assert list((tmp_path / "c" / "bundles").iterdir()) == []


def test_a_rerun_is_noted_beside_its_bundle(made: making.Made, tmp_path: Path) -> None:
    """And refused where the bundle was not received."""
    entry, _ = take(tmp_path / "c", made)
    data = {"origin": "facility", "name": "own.csv", "sha256": making.ZERO, "rows": 100}
    outcome = {"bundle_sha256": entry.sha256, "at": making.CREATED, "status": "differs", "runtime": "r", "data": data}
    received.note(tmp_path / "c", outcome, "{}")
    assert [r["status"] for r in received.show(tmp_path / "c", entry.sha256).reruns] == ["differs"]
    with pytest.raises(errors.MissingError, match="Import it first"):
        received.note(tmp_path / "c", {**outcome, "bundle_sha256": making.ZERO}, "{}")


TINY = """
mount -t tmpfs -o size=100k none "$1" || exit 77
"$2" -c '
import datetime, pathlib, sys
from configs import errors
from tef_export import keys, received
place, bundle, key, at = sys.argv[1:]
for _ in range(2):
    try:
        received.add(pathlib.Path(place, "c"), pathlib.Path(bundle), public_key=keys.load_public(pathlib.Path(key)),
                     at=datetime.datetime.fromisoformat(at))
    except errors.StorageError as error:
        print(error)
try:
    print(received.entries(pathlib.Path(place, "c")))
except errors.MissingError as error:
    print(error)
print([p.name for p in pathlib.Path(place, "c", "bundles").iterdir()])
' "$1" "$3" "$4" "$5"
"""


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("unshare"), reason="no unshare: a small disk of one's own needs Linux")
def test_a_disk_that_is_really_full_leaves_no_half_entry(made: making.Made, tmp_path: Path) -> None:
    """On a file system smaller than the bundle: one sentence each time, an empty catalogue, no file left over."""
    place = tmp_path / "small"
    place.mkdir()
    words = ("bash", "-c", TINY, "x", place, sys.executable, made.path, made.written.public_key, making.NOW.isoformat())
    done = subprocess.run(["unshare", "-rm", *map(str, words)], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode == 77 or "unshare" in done.stderr:
        pytest.skip("this system lets nobody mount a small disk")
    lines = done.stdout.splitlines()
    assert len(lines) == 4, done.stderr
    assert all("full disk" in line for line in lines[:2])
    assert "an import did not end well" in lines[2]
    assert lines[3] == "[]"
