import threading

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from checks import scoring, streaming
from configs import errors
from evidence import records
from tests.checks import model_builders

ROWS = 2500


def written(place, x, *, group=700, **columns):
    """A Parquet file of the features f0, f1, …, some of them replaced."""
    table = {f"f{j}": pa.array(column) for j, column in enumerate(x.T)} | columns
    parquet.write_table(pa.table(table), place / "t.parquet", row_group_size=group)
    return place / "t.parquet"


def made(place, outputs=2):
    """Inputs with missing cells, the features, and a linear graph."""
    x, _, _ = model_builders.simulated(ROWS, 3, 0)
    x[::11, 1] = np.nan
    coefficients = np.random.default_rng(1).normal(size=(3, outputs))
    model_builders.linear_graph(place / "m.onnx", coefficients, np.zeros(outputs))
    task = {1: "regression", 2: "binary"}.get(outputs, "multiclass")
    scorer = scoring.Scorer(place / "m.onnx", task, 3, outputs if outputs > 1 else 0)
    return x, model_builders.features(x), scorer


@pytest.mark.parametrize("outputs", [1, 2, 3])
def test_streamed_scores_are_those_of_the_whole_table(tmp_path, outputs):
    """Every row is scored once, in the order of the file, over the borders of row groups and batches."""
    x, features, scorer = made(tmp_path, outputs)
    whole = scorer(x)
    found = streaming.score(written(tmp_path, x), features, scorer, tmp_path / "out")
    assert found.rows == ROWS
    for name in ("labels", "probabilities", "predictions"):
        expected, place = getattr(whole, name), getattr(found, name)
        assert (expected is None) == (place is None)
        if expected is not None:
            np.testing.assert_allclose(np.load(place, mmap_mode="r", allow_pickle=False), expected, rtol=1e-6)
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == sorted(
        f"{n}.npy" for n in ("labels", "probabilities", "predictions") if getattr(whole, n) is not None
    )


def test_batches_have_a_size_and_hold_every_row(tmp_path):
    """No batch is larger than asked, and together they are the table, missing cells as NaN."""
    x, features, _ = made(tmp_path)
    found = list(streaming.batches(written(tmp_path, x), features, rows=333))
    assert max(len(b) for b in found) <= 333
    assert all(b.dtype == np.float32 and b.flags.c_contiguous for b in found)
    np.testing.assert_array_equal(np.concatenate(found), x)


@pytest.mark.parametrize(
    "column",
    [
        pa.array(["a", "b", None, "z"]),
        pa.array(["a", "b", None, "z"]).dictionary_encode(),
        pa.array([0, 1, None, None], pa.int8()),
        pa.array([0.0, 1.0, None, float("nan")]),
    ],
)
def test_texts_become_the_codes_of_the_model(tmp_path, column):
    """Categories come as texts or as codes; missing and unknown ones are missing."""
    spec = records.FeatureSpec(name="f0", kind="categorical", categories=("a", "b"))
    (found,) = streaming.batches(written(tmp_path, np.zeros((4, 1)), f0=column), (spec,))
    np.testing.assert_array_equal(found[:, 0], [0, 1, np.nan, np.nan])


def test_truth_values_and_nulls_are_numbers(tmp_path):
    """Booleans are 0 and 1; a null of an integer column is missing."""
    specs = tuple(records.FeatureSpec(name=f"f{j}", kind="numeric") for j in range(2))
    path = written(tmp_path, np.zeros((3, 2)), f0=pa.array([True, False, None]), f1=pa.array([7, None, 9]))
    (found,) = streaming.batches(path, specs)
    np.testing.assert_array_equal(found, [[1, 7], [0, np.nan], [np.nan, 9]])


def test_files_that_do_not_fit_end_in_a_sentence(tmp_path):
    """No Parquet file, a missing column, texts where numbers are expected: what, where, expected, got."""
    x, features, scorer = made(tmp_path)
    (tmp_path / "no.parquet").write_bytes(b"a,b\n1,2\n")
    with pytest.raises(errors.DataError, match=r"file no\.parquet: expected a Parquet file, got"):
        streaming.score(tmp_path / "no.parquet", features, scorer, tmp_path / "out")
    with pytest.raises(errors.DataError, match="got none for f2"):
        streaming.score(written(tmp_path, x[:, :2]), features, scorer, tmp_path / "out")
    texts = written(tmp_path, x, f1=pa.array(["a"] * ROWS))
    with pytest.raises(errors.DataError, match="column f1: expected numbers, got string"):
        streaming.score(texts, features, scorer, tmp_path / "out")
    assert not list(tmp_path.glob("out/*"))


def test_what_breaks_leaves_no_half_file_and_no_thread(tmp_path):
    """A graph that fails in the middle leaves nothing behind that looks whole, and the reader ends."""
    x, features, scorer = made(tmp_path)
    calls = []

    def failing(batch):
        calls.append(len(batch))
        if len(calls) == 2:
            raise errors.VerificationError("model m.onnx: expected finite probabilities, got 1 that is not. Export it.")
        return scorer(batch)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(streaming.batches, "__kwdefaults__", {"rows": 500, "ahead": 1})
        with pytest.raises(errors.VerificationError, match=r"m\.onnx"):
            streaming.score(written(tmp_path, x), features, failing, tmp_path / "out")
    assert calls == [500, 500]
    assert not list((tmp_path / "out").iterdir())
    assert "reader" not in [t.name for t in threading.enumerate()]


def test_no_more_is_read_than_may_wait(tmp_path):
    """The reader stops when its batches are not fetched: memory does not grow with the file."""
    x, features, _ = made(tmp_path)
    made_ = []
    with pytest.MonkeyPatch.context() as patch:
        whole = streaming._matrix
        patch.setattr(streaming, "_matrix", lambda *a: made_.append(1) or whole(*a))
        read = streaming.batches(written(tmp_path, x), features, rows=100, ahead=2)
        next(read)
        threading.Event().wait(0.3)
        assert len(made_) <= 4
        read.close()


def test_a_table_without_rows_gives_files_without_rows(tmp_path):
    """An empty table is scored as such."""
    x, features, scorer = made(tmp_path)
    found = streaming.score(written(tmp_path, x[:0]), features, scorer, tmp_path / "out")
    assert np.load(found.probabilities, allow_pickle=False).shape == (0, 2)
