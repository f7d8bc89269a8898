"""Given predictions are read as they stand, or refused in one sentence."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from configs import errors
from configs.plan import Plan
from evidence import arrays, records
from evidence.folder import RunFolder
from tests.factory import tables
from tests.flows import prediction_plans


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    """The predictions of the tests."""
    return prediction_plans.table()


def ingested(place: Path, frame: pd.DataFrame, **given: Any) -> tuple[RunFolder, Plan, records.DatasetRef]:
    """A run folder with the ingested table; `given` changes the section predictions."""
    from factory import ingest

    content = prediction_plans.plan()
    content["predictions"] |= given
    named = {content["predictions"].get("label"), *content["predictions"]["probabilities"]}
    content["data"]["columns"] = [
        c for c in content["data"]["columns"] if c.get("role") != "prediction" or c["name"] in named
    ]
    plan = Plan.model_validate(content)
    frame.to_csv(place / "predictions.csv", index=False)
    folder = RunFolder(place / "run")
    return folder, plan, ingest.ingest(folder, plan, place)


def stored(place: Path, frame: pd.DataFrame, **given: Any) -> tuple[RunFolder, Any, records.EncodedData]:
    """What is stored of the predictions, and the encoded rows."""
    from factory import encoding, splitting
    from factory import given as factory

    folder, plan, dataset = ingested(place, frame, **given)
    split = splitting.split(folder, plan, dataset)
    encoded = encoding.encode(folder, plan, dataset, split)
    return folder, factory.store(folder, plan, dataset, encoded), encoded


def test_every_row_is_a_test_row_and_keeps_its_prediction(tmp_path: Path, table: pd.DataFrame) -> None:
    """Truth, label and probability of a row stand at the same place of their arrays; nothing is a feature."""
    folder, said, encoded = stored(tmp_path, table)
    part = arrays.load(folder, encoded, "test")
    assert list(encoded.parts) == ["test"]
    assert part.x.shape == (len(table), 0)
    probabilities = arrays.open_array(folder, said.probabilities)
    by_probability = {round(p, 12): t for p, t in zip(table.p_yes, table.truth.eq("yes").astype(int), strict=True)}
    assert len(by_probability) == len(table)
    assert [by_probability[round(p, 12)] for p in probabilities[:, 1].tolist()] == part.y.tolist()
    assert np.array_equal(arrays.open_array(folder, said.labels), probabilities[:, 1] >= 0.5)
    assert (said.labels_from, said.disagreeing) == ("given", 0)
    assert said.columns == {
        "predicted": "predicted label", "p_no": "probability of negative", "p_yes": "probability of positive",
    }  # fmt: skip


def test_labels_that_the_probabilities_do_not_lead_to_are_taken_and_counted(
    tmp_path: Path, table: pd.DataFrame
) -> None:
    """The given label is what the model said; the record tells how often it is not that of the threshold."""
    folder, said, _ = stored(tmp_path, table, threshold=0.7)
    between = table.p_yes.between(0.5, 0.7, inclusive="left").sum()
    assert said.disagreeing == between > 0
    assert arrays.open_array(folder, said.labels).sum() == table.predicted.eq("yes").sum()


def test_labels_follow_from_probabilities_where_none_are_given(tmp_path: Path, table: pd.DataFrame) -> None:
    """One column of probabilities is that of the positive class; the threshold is the stated one."""
    folder, said, _ = stored(tmp_path, table, label=None, probabilities=["p_yes"], threshold=0.7)
    assert said.labels_from == "threshold"
    assert said.threshold == records.DecisionThreshold(value=0.7, criterion="stated in the plan")
    assert arrays.open_array(folder, said.labels).sum() == table.p_yes.ge(0.7).sum()
    assert np.allclose(arrays.open_array(folder, said.probabilities).sum(axis=1), 1)


def test_labels_alone_are_enough(tmp_path: Path, table: pd.DataFrame) -> None:
    """Without probabilities there is no threshold, and nothing to disagree with."""
    _, said, _ = stored(tmp_path, table, probabilities=[], threshold=None)
    assert said.probabilities is None
    assert (said.threshold, said.disagreeing) == (None, None)


Spoil = Callable[[pd.DataFrame], pd.DataFrame]
SPOILED: dict[str, tuple[Spoil, str]] = {
    "a column is missing": (lambda t: t.drop(columns="p_yes"), "column 'p_yes': expected it as the plan declares"),
    "the file is empty": (lambda t: t.iloc[:0], "expected rows, got an empty table"),
    "a probability above 1": (lambda t: t.assign(p_yes=t.p_yes + 0.4), "expected probabilities between 0 and 1"),
    "a probability below 0": (lambda t: t.assign(p_no=-t.p_no), "expected probabilities between 0 and 1"),
    "per cent": (lambda t: t.assign(p_yes=100 * t.p_yes), "no scores or percentages"),
    "a sum that is not 1": (lambda t: t.assign(p_no=t.p_no / 2), "expected probabilities that sum to 1"),
    "a missing probability": (
        lambda t: t.assign(p_yes=t.p_yes.where(t.index != 3)),
        "column 'p_yes' (prediction): expected a value in every row, got missing (empty or NaN) in 1 of 442 rows",
    ),
    "an unknown label": (
        lambda t: t.assign(predicted=t.predicted.where(t.index != 3, "maybe")),
        "column 'predicted' (prediction): expected one of the labels 'yes', 'no', got others in 1 of 442 rows",
    ),
    "a row twice": (
        lambda t: pd.concat([t, t.iloc[:2]]),
        "column 'patient' (row_id): expected every row's name once, got 2 of 444 rows that repeat an earlier one",
    ),
    "an infinite probability": (
        lambda t: t.assign(p_yes=t.p_yes.astype(object).where(t.index != 3, "inf")), "infinite values",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", list(SPOILED))
def test_spoiled_predictions_are_refused_in_one_sentence(tmp_path: Path, table: pd.DataFrame, what: str) -> None:
    """What, where, expected, got; no value of a row is repeated."""
    spoil, said = SPOILED[what]
    with pytest.raises(errors.DataError) as caught:
        ingested(tmp_path, spoil(table))
    assert said in str(caught.value)
    assert "maybe" not in str(caught.value)


def test_two_decimals_are_close_enough_to_the_sum_one(tmp_path: Path, table: pd.DataFrame) -> None:
    """Tables are often rounded; how far the sums are from 1 is recorded."""
    rounded = table.assign(p_no=table.p_no.round(2), p_yes=(table.p_yes + 0.003).clip(upper=1).round(2))
    _, said, _ = stored(tmp_path, rounded)
    assert 0.005 < said.largest_sum_error <= 0.0101


def test_an_archive_of_arrays_is_a_table(tmp_path: Path, table: pd.DataFrame) -> None:
    """Columns of one and of two dimensions are read; images are named, not stored; text and numbers both work."""
    content = prediction_plans.plan()
    content["data"]["source"]["path"] = ["predictions.npz"]
    content["predictions"]["probabilities"] = ["probabilities.0", "probabilities.1"]
    for column, name in zip(content["data"]["columns"][3:5], ("probabilities.0", "probabilities.1"), strict=True):
        column["name"] = name
    np.savez(
        tmp_path / "predictions.npz",
        patient=table.patient.to_numpy()[:, None],
        truth=table.truth.to_numpy(dtype="U3"),
        predicted=table.predicted.to_numpy(dtype="S3"),
        probabilities=table[["p_no", "p_yes"]].to_numpy(),
        sex=table.sex.to_numpy(dtype="U6"),
        images=np.zeros((len(table), 2, 2)),
    )
    from factory import ingest

    folder = RunFolder(tmp_path / "run")
    dataset = ingest.ingest(folder, Plan.model_validate(content), tmp_path)
    read = tables.stored(folder, dataset)
    assert dataset.undeclared == ("images",)
    assert np.allclose(read["probabilities.1"], table.p_yes)
    assert read.predicted.tolist() == table.predicted.tolist()


def test_an_archive_with_a_pickle_is_not_opened(tmp_path: Path, table: pd.DataFrame) -> None:
    """Python objects in a declared array, a damaged archive and arrays of unequal length end in one sentence each."""
    from factory import ingest

    content = prediction_plans.plan()
    content["data"]["source"]["path"] = ["predictions.npz"]
    plan, place = Plan.model_validate(content), tmp_path / "predictions.npz"
    columns = {name: table[name].to_numpy(dtype="U6" if table[name].dtype == object else None) for name in table}
    plain = {name: v.astype("U6") if v.dtype.kind == "O" else v for name, v in columns.items()}
    np.savez(place, **{**plain, "truth": np.array([{"a": 1}] * len(table), dtype=object)})
    with pytest.raises(errors.DataError, match="pickles are never opened"):
        ingest.ingest(RunFolder(tmp_path / "run"), plan, tmp_path)
    np.savez(place, **{**plain, "truth": plain["truth"][:5]})
    with pytest.raises(errors.DataError, match=r"arrays of one length, got .*truth 5"):
        ingest.ingest(RunFolder(tmp_path / "run"), plan, tmp_path)
    place.write_bytes(place.read_bytes()[:200])
    with pytest.raises(errors.DataError, match="expected a whole NumPy archive"):
        ingest.ingest(RunFolder(tmp_path / "run"), plan, tmp_path)


def test_predicted_values_of_a_regression(tmp_path: Path) -> None:
    """A number in place of labels; every row keeps its own."""
    from sklearn.datasets import load_diabetes

    from factory import encoding, ingest, splitting
    from factory import given as factory

    loaded = load_diabetes(as_frame=True).frame
    pd.DataFrame({"truth": loaded.target, "said": loaded.target * 2 + 1}).to_csv(tmp_path / "p.csv", index=False)
    content = prediction_plans.plan()
    content["data"] |= {
        "source": {"kind": "file", "path": ["p.csv"]},
        "target": {"task": "regression"},
        "columns": [
            {"name": "truth", "role": "target", "kind": "numeric"},
            {"name": "said", "role": "prediction", "kind": "numeric"},
        ],
        "protected": [],
    }
    content["predictions"] = {"value": "said"}
    content["policy"]["gates"] = [{"check": "performance.mae", "at_most": 50}]
    plan, folder = Plan.model_validate(content), RunFolder(tmp_path / "run")
    dataset = ingest.ingest(folder, plan, tmp_path)
    split = splitting.split(folder, plan, dataset)
    encoded = encoding.encode(folder, plan, dataset, split)
    said = factory.store(folder, plan, dataset, encoded)
    part = arrays.load(folder, encoded, "test")
    assert np.allclose(arrays.open_array(folder, said.predictions), part.y * 2 + 1)
    assert (said.labels, said.labels_from, said.threshold) == (None, None, None)


def test_several_classes_take_the_largest_probability(tmp_path: Path) -> None:
    """One column for each class, in the order of the plan; the label is the class with the largest."""
    from factory import encoding, ingest, splitting
    from factory import given as factory

    shares = np.random.default_rng(0).dirichlet(np.ones(3), 60)
    frame = pd.DataFrame(shares, columns=["p_a", "p_b", "p_c"]).assign(truth=["a", "b", "c"] * 20)
    frame.to_csv(tmp_path / "p.csv", index=False)
    content = prediction_plans.plan()
    columns = [{"name": n, "role": "prediction", "kind": "numeric"} for n in ("p_a", "p_b", "p_c")]
    content["data"] |= {
        "source": {"kind": "file", "path": ["p.csv"]},
        "target": {"task": "multiclass", "classes": ["a", "b", "c"]},
        "columns": [{"name": "truth", "role": "target", "kind": "categorical"}, *columns],
        "protected": [],
    }
    content["predictions"] = {"probabilities": ["p_a", "p_b", "p_c"]}
    content["policy"]["gates"] = [{"check": "performance.accuracy", "at_least": 0.1}]
    plan, folder = Plan.model_validate(content), RunFolder(tmp_path / "run")
    dataset = ingest.ingest(folder, plan, tmp_path)
    split = splitting.split(folder, plan, dataset)
    said = factory.store(folder, plan, dataset, encoding.encode(folder, plan, dataset, split))
    probabilities = arrays.open_array(folder, said.probabilities)
    assert said.labels_from == "largest"
    assert np.array_equal(arrays.open_array(folder, said.labels), probabilities.argmax(axis=1))


def test_a_table_that_stands_there_twice_is_refused(tmp_path: Path, table: pd.DataFrame) -> None:
    """Without a column of names copies would narrow every interval; a few rows that are alike are no copies."""
    unnamed = {"row_id": None}
    plain = table.assign(patient=1)
    (tmp_path / "once").mkdir()
    _, _, dataset = ingested(tmp_path / "once", pd.concat([plain, plain.iloc[:30]]), **unnamed)
    assert dataset.duplicate_rows == 30
    for copies in ([plain, plain], [plain.iloc[::-1], plain, plain]):
        with pytest.raises(errors.DataError, match=rf"each of 442 different rows {len(copies)} times"):
            ingested(tmp_path, pd.concat(copies), **unnamed)


@pytest.mark.parametrize("column", ["said", "truth"])
def test_a_number_that_cannot_be_squared_is_refused(tmp_path: Path, column: str) -> None:
    """1e308 as prediction or as target ends in one sentence, before anything is measured."""
    from factory import encoding, ingest, splitting

    frame = pd.DataFrame({"truth": np.arange(60.0), "said": np.arange(60.0) + 1})
    frame.loc[7, column] = 1e308
    frame.to_csv(tmp_path / "p.csv", index=False)
    content = prediction_plans.plan()
    content["data"] |= {
        "source": {"kind": "file", "path": ["p.csv"]},
        "target": {"task": "regression"},
        "protected": [],
        "columns": [
            {"name": "truth", "role": "target", "kind": "numeric"},
            {"name": "said", "role": "prediction", "kind": "numeric"},
        ],
    }
    content["predictions"] = {"value": "said"}
    content["policy"] = {"gates": [{"check": "performance.r2", "at_least": 0.1}]}
    plan, folder = Plan.model_validate(content), RunFolder(tmp_path / "run")

    def prepared() -> None:
        dataset = ingest.ingest(folder, plan, tmp_path)
        encoding.encode(folder, plan, dataset, splitting.split(folder, plan, dataset))

    with pytest.raises(errors.DataError, match=rf"column '{column}' .*within ±1e\+18, got larger ones in 1 of 60 rows"):
        prepared()
