import itertools

import numpy as np
import pytest

from configs import errors
from evidence.folder import RunFolder
from factory.language import packing


def stream(*lengths):
    """Pieces of the given lengths of the stream of whole numbers from 0."""
    starts = itertools.accumulate(lengths, initial=0)
    return [np.arange(start, start + length, dtype=np.int32) for start, length in zip(starts, lengths, strict=False)]


@pytest.mark.parametrize("lengths", [(1, 2, 3, 50, 7), (9,), (40, 1), (3, 3), ()])
@pytest.mark.parametrize("block", [1, 16, 1 << 20])
def test_every_token_is_a_target_once(monkeypatch, lengths, block):
    """Whatever the lengths, each token but the first is a target exactly once, in order, or is counted as left out."""
    monkeypatch.setattr(packing, "BLOCK", block)
    packer = packing.Packer(8)
    rows = np.concatenate([*packer.rows(stream(*lengths)), np.empty((0, 9), np.int32)])
    total = sum(lengths)
    assert rows[:, 1:].reshape(-1).tolist() == list(range(1, 1 + 8 * len(rows)))
    assert rows[:, :-1].reshape(-1).tolist() == list(range(8 * len(rows)))
    assert (packer.tokens, packer.sequences) == (total, len(rows))
    assert packer.left_out == (total - 1 - 8 * len(rows) if len(rows) else total)


def test_rows_come_back_from_several_files(tmp_path, monkeypatch):
    """What was written into shards is read back whole and in order; files of an earlier attempt are gone."""
    monkeypatch.setattr(packing, "SHARD", 1)
    folder = RunFolder(tmp_path)
    folder.write_bytes("data/tokens/train/00007.parquet", b"of an earlier attempt")
    blocks = [np.arange(i, i + 15, dtype=np.int32).reshape(3, 5) for i in range(4)]
    shards = packing.write(folder, "data/tokens/train", blocks, 5)
    assert len(shards) == len(list((tmp_path / "data/tokens/train").iterdir())) == 4
    assert np.array_equal(packing.read(folder, shards, 5), np.concatenate(blocks))


def test_rows_of_another_width_are_refused(tmp_path):
    """Shards of another context are no data of this run."""
    folder = RunFolder(tmp_path)
    shards = packing.write(folder, "tokens", [np.zeros((3, 5), np.int32)], 5)
    with pytest.raises(errors.IntegrityError, match="expected rows of 9 tokens"):
        packing.read(folder, shards, 9)
