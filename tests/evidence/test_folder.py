"""The run folder: files whole or not at all, opened again only when unaltered."""

from __future__ import annotations

import errno
import subprocess
import sys
from pathlib import Path

import pytest

from configs import errors
from evidence import canonical, lock, records, software, storage
from evidence.folder import RunFolder

ROOT = Path(__file__).resolve().parents[2]


def test_an_altered_artefact_is_not_opened(tmp_path: Path) -> None:
    """`checked` compares the digest each time."""
    folder = RunFolder(tmp_path)
    reference = folder.write_bytes("model/a.bin", b"one")
    assert folder.checked(reference).read_bytes() == b"one"
    (tmp_path / "model/a.bin").write_bytes(b"two")
    with pytest.raises(errors.IntegrityError, match="altered after it was recorded"):
        folder.checked(reference)


KILLED = """
import os, sys
from pathlib import Path
from evidence import records
from evidence.folder import RunFolder

place, when = Path(sys.argv[1]), sys.argv[2]
named = place / "named.json"
with RunFolder(place).recording("m.json", records.Measure(name="performance.accuracy", value=0.2)) as reference:
    if when == "before":
        os.kill(os.getpid(), 9)
    named.write_text(reference.model_dump_json())
    os.kill(os.getpid(), 9)
"""


@pytest.mark.parametrize(("when", "value"), [("before", 0.1), ("after", 0.2)])
def test_killed_while_a_record_is_replaced(tmp_path: Path, when: str, value: float) -> None:
    """Whatever is named last can be read, killed before it was named or after; what is left is put in its place."""
    folder, named = RunFolder(tmp_path), tmp_path / "named.json"
    with folder.recording("m.json", records.Measure(name="performance.accuracy", value=0.1)) as reference:
        named.write_text(reference.model_dump_json())
    done = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path), when], check=False, cwd=ROOT)
    assert done.returncode == -9
    reference = records.ArtifactRef.model_validate_json(named.read_text())
    assert folder.read_record(reference, records.Measure).value == value
    folder.settle(reference)
    assert folder.read_record(reference, records.Measure).value == value
    assert (tmp_path / ".m.json.named").exists() == (when == "before")  # the next write takes its place


def test_stopped_after_a_record_was_named(tmp_path: Path) -> None:
    """Ctrl-C between the line in the ledger and the end of the block: what was named can be read."""
    folder, named = RunFolder(tmp_path), []

    def stopped() -> None:
        with folder.recording("m.json", records.Measure(name="x", value=0.2)) as reference:
            named.append(reference)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stopped()
    assert folder.read_record(named[0], records.Measure).value == 0.2


@pytest.mark.parametrize("path", ["../x", "/etc/passwd", "a/../../x", "a\\..\\x"])
def test_a_path_never_leaves_the_run_folder(tmp_path: Path, path: str) -> None:
    """Records come from disk, and disks come from strangers."""
    with pytest.raises(errors.IntegrityError, match="leaves it"):
        RunFolder(tmp_path).at(path)


def test_a_failed_write_leaves_the_old_file_and_no_litter(tmp_path: Path) -> None:
    """A file is replaced whole or not at all."""
    folder = RunFolder(tmp_path)
    folder.write_bytes("a.txt", b"old")
    with pytest.raises(RuntimeError), folder.replacing("a.txt") as temporary:  # noqa: PT012
        temporary.write_bytes(b"half")
        raise RuntimeError
    assert [(p.name, p.read_bytes()) for p in tmp_path.iterdir()] == [("a.txt", b"old")]


def test_records_round_trip_and_refuse_nan(tmp_path: Path) -> None:
    """What is written is what is read; NaN never enters a record."""
    folder = RunFolder(tmp_path)
    measure = records.Measure(name="performance.accuracy", value=0.1 + 0.2, n=7)
    reference = folder.write_record("m.json", measure)
    assert folder.read_record(reference, records.Measure) == measure
    with pytest.raises(ValueError, match="finite"):
        records.Measure(name="x", value=float("nan"))


def test_a_record_of_another_form_is_refused_in_one_sentence(tmp_path: Path) -> None:
    """The refusal names the record and what to think of it."""
    folder = RunFolder(tmp_path)
    reference = folder.write_bytes("m.json", b'{"name": 3}')
    with pytest.raises(errors.IntegrityError, match=r"record m\.json name: expected a Measure"):
        folder.read_record(reference, records.Measure)


def test_canonical_json_does_not_depend_on_key_order() -> None:
    """The same content has one digest."""
    assert canonical.sha256({"a": 1, "b": [2.5, "é"]}) == canonical.sha256({"b": [2.5, "é"], "a": 1})
    with pytest.raises(ValueError, match="not JSON compliant"):
        canonical.sha256({"a": float("inf")})


def test_two_processes_never_hold_the_same_run_folder(tmp_path: Path) -> None:
    """The second is refused with the number of the first; the lock dies with its holder."""
    place = tmp_path / ".lock"
    program = (
        "import sys; from pathlib import Path; from evidence import lock\n"
        "with lock.held(Path(sys.argv[1]), what='x'): print('held', flush=True); sys.stdin.read()"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", program, str(place)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).resolve().parents[2],
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    with pytest.raises(errors.StorageError, match=f"in use by process {holder.pid}"), lock.held(place, what="run x"):
        pass
    holder.kill()
    holder.communicate()
    with lock.held(place, what="run x"):
        pass


def test_a_full_disk_is_one_sentence_and_a_bug_stays_a_bug() -> None:
    """Only the operating system's complaints about the disk are explained."""
    expected = r"stage train: expected free disk space, got a full disk\."
    with pytest.raises(errors.StorageError, match=expected), storage.explained("stage train"):
        raise OSError(errno.ENOSPC, "No space left on device")
    with pytest.raises(FileNotFoundError), storage.explained("stage train"):
        Path("/nonexistent/file").read_bytes()


def test_the_code_digest_covers_the_core() -> None:
    """It is stable within a checkout, and is no constant."""
    assert software.code_sha256() == software.code_sha256()
    assert len(software.code_sha256()) == 64
