"""A streaming loader: every row once, the same whatever the ranks, taken up exactly, in memory that does not grow."""

from __future__ import annotations

import json

import numpy as np
import pytest

from configs import errors
from factory import shards, stream

COLUMNS = {"x": ("a", "b"), "y": "y", "tokens": "tokens"}


def written(tmp_path, rows=1_000, group=37, monkeypatch=None):
    """Shards of a table whose first column numbers the rows."""
    number = np.arange(rows, dtype=np.float32)
    table = {
        "a": number,
        "b": -number,
        "y": np.arange(rows, dtype=np.int64),
        "tokens": np.arange(rows * 5, dtype=np.int32).reshape(rows, 5),
    }
    into = tmp_path / "shards"
    into.mkdir(exist_ok=True)
    batches = ({name: values[s] for name, values in table.items()} for s in shards.slices(rows, 101))
    return shards.write(batches, into, group * shards.FEWEST_GROUPS)


@pytest.fixture
def files(tmp_path, monkeypatch):
    """A thousand rows in several files of row groups of 37."""
    monkeypatch.setattr(shards, "FILE_BYTES", 10_000)
    found = written(tmp_path)
    assert len(found) > 2
    return found


def stream_of(files, rank=0, ranks=1, **order):
    """A stream over the files."""
    asked = {"seed": 3, "batch_size": 64, "shuffle_rows": 300, "lanes": 4} | order
    return stream.Stream(shards.Shards(files, COLUMNS), stream.Order(**asked), rank=rank, ranks=ranks)


def read_all(found):
    """The tensors of all row groups, one after the other."""
    parts = [found.read(group) for group in range(len(found.group_rows))]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def flat(lists):
    """All their items."""
    return [item for found in lists for item in found]


def epoch(s):
    """The rows of each batch of the present epoch."""
    return [b.tensors["y"].tolist() for b in s]


def test_shards_hold_what_was_written(files):
    """Scalars side by side, a scalar alone, and fixed-size lists, in order, with their types."""
    found = shards.Shards(files, COLUMNS)
    whole = read_all(found)
    assert found.rows == 1_000
    assert whole["x"].dtype == np.float32
    assert whole["x"].tolist() == [[i, -i] for i in range(1_000)]
    assert whole["y"].dtype == np.int64
    assert whole["tokens"].shape == (1_000, 5)
    assert whole["tokens"][-1].tolist() == [4_995, 4_996, 4_997, 4_998, 4_999]


def test_an_epoch_gives_every_row_once_in_even_batches_and_another_order_each_time(files):
    """Nothing is lost, nothing twice, columns stay together, and batches have the asked size but for a row a lane."""
    s = stream_of(files)
    for batch in s:
        t = batch.tensors
        assert batch.rows == batch.whole == len(t["y"])
        assert t["x"][:, 0].tolist() == t["y"].tolist() == (t["tokens"][:, 0] // 5).tolist()
    first, second = epoch(stream_of(files)), epoch(s)
    assert s.state()["epoch"] == 3
    for found in (first, second):
        assert sorted(flat(found)) == list(range(1_000))
        assert all(abs(len(rows) - 1_000 / len(found)) <= 4 for rows in found)
    assert first != second
    assert first == epoch(stream_of(files))
    assert first != epoch(stream_of(files, seed=4))


@pytest.mark.parametrize(("held", "groups"), [(300, 8), (1_000, 27)])
def test_rows_are_mixed_as_far_as_the_buffer_reaches(files, held, groups):
    """Files in the order of their rows: means of batches spread no more than those of row groups drawn at random."""
    means = np.array([np.mean(rows) for rows in epoch(stream_of(files, shuffle_rows=held))])
    drawn = 1_000 / np.sqrt(12) / np.sqrt(min(groups, 64))
    assert means.std() < 1.3 * drawn
    assert means.std() < 0.5 * np.arange(1_000).reshape(-1, 50).mean(axis=1).std()


@pytest.mark.parametrize("ranks", [2, 3, 4])
def test_ranks_together_give_the_batches_of_one(files, ranks):
    """Whatever the number of ranks, batch by batch; each reads its own row groups."""
    alone = epoch(stream_of(files))
    parts = [stream_of(files, r, ranks) for r in range(ranks)]
    read: list[set[int]] = []
    for part in parts:
        seen: set[int] = set()
        inner = part._shards.read
        part._shards.read = lambda g, inner=inner, seen=seen: (seen.add(g), inner(g))[1]
        read.append(seen)
    together = [flat(p) for p in zip(*(epoch(part) for part in parts), strict=True)]
    assert [sorted(b) for b in together] == [sorted(b) for b in alone]
    own = [seen - {0} for seen in read]  # the first group shows what the columns look like
    assert sum(len(s) for s in own) == len(set().union(*own))


@pytest.mark.parametrize("after", [0, 1, 7, 15, 16, 17])
@pytest.mark.parametrize("ranks", [1, 2])
def test_a_state_is_taken_up_exactly(files, after, ranks):
    """What follows a restored state is what followed it, through the end of the epoch, also over other ranks."""
    s = stream_of(files)
    batches, states = [], [s.state()]
    while len(batches) < 40:
        for batch in s:
            batches.append(sorted(batch.tensors["y"].tolist()))
            states.append(s.state())
    kept = json.loads(json.dumps(states[after]))
    resumed = [stream_of(files, r, ranks) for r in range(ranks)]
    for r in resumed:
        r.restore(kept)
    found = []
    while len(found) < 20:
        found += [sorted(flat(p)) for p in zip(*(epoch(r) for r in resumed), strict=True)]
    assert found[:20] == batches[after : after + 20]


def test_a_state_of_other_data_or_another_order_is_refused(files, tmp_path):
    """One sentence; and so where it is no state at all."""
    kept = stream_of(files).state()
    for other in (stream_of(files, seed=4), stream_of(files, lanes=8), stream_of(files[:-1])):
        with pytest.raises(errors.IntegrityError, match="state of the data stream: expected one of these files"):
            other.restore(kept)
    for none in ({}, {**kept, "epoch": 0}, {**kept, "more": 1}, [1], None):
        with pytest.raises(errors.IntegrityError, match="state of the data stream: expected"):
            stream_of(files).restore(none)


@pytest.mark.parametrize("rows", [1, 2, 3, 65, 130])
@pytest.mark.parametrize("lanes", [1, 4, 16])
def test_few_rows_are_all_given_out(tmp_path, rows, lanes):
    """Fewer rows than lanes, or than a batch: every row comes once."""
    found = epoch(stream_of(written(tmp_path, rows, 2), lanes=lanes))
    assert sorted(flat(found)) == list(range(rows))


def test_more_ranks_than_lanes_are_refused(files):
    """Said before anything is read, with what to change."""
    with pytest.raises(errors.PlanError, match=r"training\.stream\.lanes: expected at least one for each of 5 ranks"):
        stream_of(files, 0, 5)


def test_what_is_no_shard_is_refused(files, tmp_path):
    """A damaged file, a torn one, an absent column, missing values: one sentence that names the file."""
    torn = tmp_path / "torn.parquet"
    torn.write_bytes(files[0].read_bytes()[:-100])
    with pytest.raises(errors.DataError, match=r"torn\.parquet: expected a whole Parquet file"):
        shards.Shards([torn], COLUMNS)
    with pytest.raises(errors.DataError, match="got none named z"):
        shards.Shards(files, {"x": "z"})
    content = bytearray(files[0].read_bytes())
    content[4:2_000] = bytes(1_996)
    (tmp_path / "hurt.parquet").write_bytes(content)
    hurt = shards.Shards([tmp_path / "hurt.parquet"], COLUMNS)
    with pytest.raises(errors.DataError, match=r"hurt\.parquet: expected a whole Parquet file"):
        read_all(hurt)


def test_an_error_of_the_reading_thread_reaches_the_reader(files):
    """Files that go away while they are read end the iteration with a sentence, and no thread hangs."""
    s = stream_of(files)
    batches = iter(s)
    next(batches)
    for file in files:
        file.unlink()
    s._shards.close()
    with pytest.raises(errors.DataError, match="expected a whole Parquet file"):
        list(batches)


@pytest.mark.slow
def test_an_iteration_that_is_left_stops_reading(files):
    """Leaving the loop early ends the thread."""
    import threading

    before = threading.active_count()
    s = stream_of(files)
    for _ in s:
        break
    import gc

    gc.collect()
    assert threading.active_count() == before
    assert s.state()["batch"] == 1


def test_memory_does_not_grow_with_the_data(tmp_path):
    """What the stream holds at once is the window of its lanes and what is read ahead, whatever the number of rows."""
    files = written(tmp_path, 20_000, 37)
    s = stream_of(files, shuffle_rows=1_000, lanes=4)
    held, most = {}, 0
    inner = stream._Reader._load

    def load(self, lane, window):
        nonlocal most
        found = inner(self, lane, window)
        held[lane, window] = len(found["y"])
        mine = [v for (la, w), v in held.items() if w >= self._now.get(la, (0,))[0]]
        most = max(most, sum(mine))
        return found

    stream._Reader._load = load
    try:
        assert sum(len(b) for b in epoch(s)) == 20_000
    finally:
        stream._Reader._load = inner
    assert most <= 1_000 + (stream.AHEAD + 1) * 250
