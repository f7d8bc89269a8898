from __future__ import annotations

import contextlib
import json
import logging
import resource
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import torch

from configs import errors
from evidence.folder import RunFolder
from factory import snapshots

ROOT = Path(__file__).resolve().parents[2]
PLACE = "training/checkpoints"


def store(path, *, fingerprint="this plan", keep=3, folder=RunFolder):
    return snapshots.Snapshots(folder(path / "run"), PLACE, fingerprint=fingerprint, keep=keep)


def state(step):
    return {
        "w": torch.full((300, 7), float(step)),
        "half": torch.arange(5, dtype=torch.bfloat16) + step,
        "steps": torch.tensor(step, dtype=torch.int64),
    }


def filled(path, steps, **kwargs):
    with store(path, **kwargs) as kept:
        for step in steps:
            kept.save(step, state(step), {"sampler": {"position": step}})
    return path / "run" / PLACE


def test_what_was_saved_comes_back(tmp_path):
    """Tensors of every kind and plain data come back as they were, of the newest step."""
    filled(tmp_path, [1, 2, 30])
    found = store(tmp_path).newest()
    assert (found.step, found.meta) == (30, {"sampler": {"position": 30}})
    assert found.tensors.keys() == state(30).keys()
    assert all(torch.equal(found.tensors[name], tensor) for name, tensor in state(30).items())
    assert found.tensors["half"].dtype == torch.bfloat16


def test_nothing_saved_is_none(tmp_path):
    """Before the first snapshot there is none, and looking for it makes no folder."""
    assert store(tmp_path).newest() is None
    assert not (tmp_path / "run").exists()


def test_the_newest_stay(tmp_path):
    """As many as asked for stay, each with its digest beside it, and nothing else."""
    place = filled(tmp_path, range(1, 8), keep=2)
    assert sorted(p.name for p in place.iterdir()) == [
        f"{step:012d}.{suffix}" for step in (6, 7) for suffix in ("json", "safetensors")
    ]


def test_the_training_may_go_on_at_once(tmp_path):
    """What is changed in place after `save` returned is not in the file."""
    with store(tmp_path) as kept:
        tensors = {"w": torch.zeros(1_000_000)}
        for step in range(3):
            tensors["w"].fill_(step)
            kept.save(step, tensors, {})
            tensors["w"].fill_(-1.0)
            kept.wait()
            assert float(kept.newest().tensors["w"].unique()) == step


class _SlowFolder(RunFolder):
    """Storage that takes its time."""

    gate = threading.Event()

    @contextlib.contextmanager
    def replacing(self, relative):
        assert self.gate.wait(20)
        with super().replacing(relative) as place:
            yield place


def test_at_most_one_is_being_written(tmp_path):
    """The first save returns while storage is busy; the next waits for it, and both are written."""
    _SlowFolder.gate.clear()
    with store(tmp_path, folder=_SlowFolder) as kept:
        kept.save(1, state(1), {})
        assert kept.steps() == []
        second = threading.Thread(target=kept.save, args=(2, state(2), {}))
        second.start()
        second.join(0.2)
        assert second.is_alive()
        _SlowFolder.gate.set()
        second.join()
    assert kept.steps() == [1, 2]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda file: file.write_bytes(file.read_bytes()[: file.stat().st_size // 2]),
        lambda file: file.write_bytes(file.read_bytes()[:-1] + b"\x7f"),
        lambda file: file.unlink(),
        lambda file: file.with_suffix(".json").write_text("{"),
        lambda file: file.with_suffix(".json").write_bytes(file.parent.joinpath(f"{2:012d}.json").read_bytes()),
    ],
    ids=["torn in half", "one byte altered", "gone", "digest torn", "digest of another"],
)
def test_a_damaged_one_falls_back_to_the_one_before(tmp_path, caplog, spoil):
    """The newest that is whole is taken, the damaged one is named; it does not count as kept and goes."""
    place = filled(tmp_path, [1, 2, 3])
    spoil(place / f"{3:012d}.safetensors")
    kept = store(tmp_path)
    with caplog.at_level(logging.WARNING):
        found = kept.newest()
    assert found.step == 2
    assert torch.equal(found.tensors["w"], state(2)["w"])
    assert f"checkpoint {PLACE}/{3:012d}.safetensors: expected" in caplog.text
    assert "The one before it is taken" in caplog.text
    with kept:
        kept.save(4, state(4), {})
    assert kept.steps() == [1, 2, 4]


def test_a_file_without_its_digest_is_no_snapshot(tmp_path):
    """Killed between file and digest: the one before counts, and the leftover goes with the next save."""
    place = filled(tmp_path, [1, 2])
    (place / f"{2:012d}.json").unlink()
    (place / f".{3:012d}.safetensors.x").write_bytes(b"half")
    kept = store(tmp_path)
    assert kept.newest().step == 1
    with kept:
        kept.save(5, state(5), {})
    assert {p.stem for p in place.iterdir()} == {f"{1:012d}", f"{5:012d}"}


def test_nothing_whole_is_refused(tmp_path):
    """Damaged files only are no reason to start again silently."""
    place = filled(tmp_path, [1, 2])
    for file in place.glob("*.safetensors"):
        file.write_bytes(b"")
    with pytest.raises(errors.IntegrityError, match=r"expected a whole one among 2, .* Delete this folder"):
        store(tmp_path).newest()


def test_another_training_is_refused(tmp_path):
    """A snapshot of another plan is refused, also where an older one would fit."""
    filled(tmp_path, [1])
    filled(tmp_path, [2], fingerprint="another plan")
    with pytest.raises(errors.IntegrityError, match="expected one of this plan and these data, got one of others"):
        store(tmp_path).newest()


def test_a_file_under_another_name_is_refused(tmp_path):
    """An old state renamed to look new is not taken for it: the step stands inside as well."""
    place = filled(tmp_path, [1, 2])
    for suffix in ("safetensors", "json"):
        (place / f"{1:012d}.{suffix}").rename(place / f"{9:012d}.{suffix}")
    note = place / f"{9:012d}.json"
    note.write_text(json.dumps(json.loads(note.read_text()) | {"step": 9}))
    with pytest.raises(errors.IntegrityError, match="got one of others"):
        store(tmp_path).newest()


@contextlib.contextmanager
def files_of_at_most(size):
    """The system refuses longer files, as a full disk does."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def save_one_after_another(path, steps):
    with files_of_at_most(5_000):
        filled(path, steps)


@pytest.mark.parametrize("steps", [[2], [2, 3]], ids=["at the end", "at the next save"])
def test_what_the_writer_could_not_do_is_said(tmp_path, steps):
    """No space: the next save says so, or the end; nothing half-written stays, the one before does."""
    place = filled(tmp_path, [1])
    with pytest.raises(errors.StorageError, match=r"bytes to be written, got: .*too large.* earlier ones are kept"):
        save_one_after_another(tmp_path, steps)
    assert {p.stem for p in place.iterdir()} == {f"{1:012d}"}
    assert store(tmp_path).newest().step == 1


def test_the_error_that_ends_a_training_is_not_hidden(tmp_path, caplog):
    """When training fails while a snapshot cannot be written, its own error ends the block and both are told."""

    def steps():
        yield 2
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        save_one_after_another(tmp_path, steps())
    assert "bytes to be written" in caplog.text


def test_a_schedule_counts_steps_and_seconds(monkeypatch):
    """Due after so many steps or so many seconds, whichever comes first, counted from the last snapshot."""
    now = 100.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    schedule = snapshots.Schedule(every=3, seconds=10)
    assert [schedule.due(step) for step in (1, 2, 3)] == [False, False, True]
    schedule.taken(3)
    now = 109.0
    assert [schedule.due(step) for step in (4, 5)] == [False, False]
    now = 110.0
    assert schedule.due(5)
    schedule.taken(5)
    assert not schedule.due(6)
    assert not snapshots.Schedule().due(1_000_000)


ENDLESS = """
import sys, torch
from pathlib import Path
from evidence.folder import RunFolder
from factory import snapshots
with snapshots.Snapshots(RunFolder(Path(sys.argv[1])), "training/checkpoints", fingerprint="this plan", keep=2) as kept:
    found = kept.newest()
    start = found.step if found else 0
    w = found.tensors["w"] if found else torch.zeros(200_000)
    print("begins", start, int(w[0]), flush=True)
    for step in range(start + 1, 10**9):
        w += 1
        kept.save(step, {"w": w}, {"sum": step})
        print("saved", step, flush=True)
"""


@pytest.mark.slow
def test_a_kill_loses_one_snapshot_at_most(tmp_path):
    """SIGKILL at any moment of writing: the next start finds a whole one, no older than the one before the last."""
    last = 0
    for after in (1, 2, 3, 5, 8, 13):
        running = subprocess.Popen(
            [sys.executable, "-c", ENDLESS, str(tmp_path / "run")], cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        words = running.stdout.readline().split()
        assert words[0] == "begins"
        assert words[1] == words[2]
        assert int(words[1]) >= last - 1
        for _ in range(after):
            last = int(running.stdout.readline().split()[1])
        time.sleep(0.0007 * after)
        running.send_signal(signal.SIGKILL)
        rest = running.stdout.read()
        running.wait()
        last = max([last, *(int(line.split()[1]) for line in rest.splitlines() if len(line.split()) == 2)])
        running.stdout.close()
    found = store(tmp_path).newest()
    assert found.step >= last - 1
    assert found.meta == {"sum": found.step}
    assert bool((found.tensors["w"] == found.step).all())
