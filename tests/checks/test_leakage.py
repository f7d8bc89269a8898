from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from checks import leakage
from configs.errors import IntegrityError
from evidence import arrays, records
from evidence.folder import RunFolder
from tests.checks import data_builders

ENTITIES = np.repeat(np.arange(60), 2)
ROLES = np.repeat(np.array(["train", "validation", "test"], dtype=object), [60, 30, 30])
Run = tuple[RunFolder, records.SplitManifest, records.EncodedData]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """A split of 120 rows of 60 persons in which nothing leaks."""
    return make(tmp_path, ENTITIES)


def make(place: Path, entities: np.ndarray, encoded_roles: np.ndarray = ROLES) -> Run:
    folder = data_builders.run_folder(place)
    columns = [{"name": "a", "kind": "numeric"}, {"name": "y", "kind": "categorical", "role": "target"}]
    made = data_builders.plan(columns, {"task": "binary", "positive": ["1"], "negative": ["0"]})
    x, y = np.arange(120.0), np.arange(120) % 2
    dataset = data_builders.ingest(folder, made, pd.DataFrame({"a": x, "y": y.astype(str)}))
    split = data_builders.split(folder, dataset, ROLES, entities)
    encoded = data_builders.encode(
        folder, made, dataset, encoded_roles, x=x[:, None], y=y, classes=("0", "1"), entities=entities,
        features=(records.FeatureSpec(name="a", kind="numeric"),),
    )  # fmt: skip
    return folder, split, encoded


def use(split: records.SplitManifest, step: str, role: Any, **changes: Any) -> records.DataUse:
    part = split.parts[role]
    return records.DataUse(
        **{"step": step, "role": role, "rows": part.rows, "digests_sha256": part.digests.sha256, **changes}
    )


def clean(split: records.SplitManifest) -> list[records.DataUse]:
    steps = [("fit", "train"), ("early stopping", "validation"), ("threshold", "validation"), ("evaluation", "test")]
    return [use(split, step, role) for step, role in steps]


def test_a_clean_run_passes(run: Run) -> None:
    """Fit on train, choose on validation, evaluate on test: nothing to find."""
    folder, split, encoded = run
    result = leakage.audit(folder, split, clean(split), encoded)
    assert (result.check_id, result.status, result.measures[0].value) == ("data.leakage", "pass", 0)
    assert result.reason.endswith("only evaluation gave test rows to the model")


@pytest.mark.parametrize("step", ["fit", "early stopping", "threshold", "calibration", "mitigation", "something new"])
def test_whatever_reads_test_but_evaluation_is_a_leak(run: Run, step: str) -> None:
    """A step nobody thought of counts as one that fits or chooses."""
    folder, split, encoded = run
    result = leakage.audit(folder, split, [*clean(split), use(split, step, "test")], encoded)
    assert result.status == "fail"
    assert f"step {step} has read test" in result.reason


def test_a_step_that_states_train_but_has_read_test_is_found(run: Run) -> None:
    """What counts is the digest of the rows, not the name of the part."""
    folder, split, encoded = run
    lie = use(split, "fit", "train", digests_sha256=split.parts["test"].digests.sha256)
    result = leakage.audit(folder, split, [lie], encoded)
    assert result.status == "fail"
    assert "step fit states train, but the rows it has read are those of test" in result.reason


def test_a_step_that_has_read_other_rows_is_found(run: Run) -> None:
    """A reading that equals no part proves nothing."""
    folder, split, encoded = run
    result = leakage.audit(folder, split, [use(split, "fit", "train", digests_sha256="0" * 64)], encoded)
    assert "step fit states train, but the rows it has read are others" in result.reason
    result = leakage.audit(folder, split, [use(split, "fit", "train", rows=7)], encoded)
    assert "step fit has read 7 rows of train, which has 60" in result.reason


def test_a_row_in_two_parts_is_found(run: Run) -> None:
    """Row digests of the parts must be disjoint."""
    folder, split, encoded = run
    lines = folder.checked(split.parts["test"].digests).read_bytes().splitlines()
    lines[:2] = folder.checked(split.parts["train"].digests).read_bytes().splitlines()[:2]
    content = arrays.lines_of_rows(np.array(lines, dtype="S64"))
    test = split.parts["test"].model_copy(update={"digests": folder.write_bytes("data/split/other.txt", content)})
    tampered = split.model_copy(update={"parts": {**split.parts, "test": test}})
    result = leakage.audit(folder, tampered, clean(tampered), encoded)
    assert "train and test share 2 row digests" in result.details["broken"]
    assert "the assignment of test is not what its digest file names" in result.details["broken"]
    assert "the arrays of test hold other rows than the split" in result.details["broken"]


def test_a_person_on_two_sides_is_found(tmp_path: Path) -> None:
    """Entities, not only rows, must stay on one side; a missing entity is shared with nobody."""
    entities = ENTITIES.copy()
    entities[[0, 119]] = 7
    entities[[1, 70, 118]] = -1
    folder, split, encoded = make(tmp_path, entities)
    result = leakage.audit(folder, split, clean(split), encoded)
    assert result.details["broken"] == ["1 entities sit in both train and test"]


def test_arrays_that_are_not_those_of_the_split_are_found(tmp_path: Path) -> None:
    """The model sees the arrays: they must hold exactly the rows of the split."""
    swapped = ROLES.copy()
    swapped[[0, 1, 118, 119]] = ["test", "test", "train", "train"]
    folder, split, encoded = make(tmp_path, ENTITIES, swapped)
    result = leakage.audit(folder, split, clean(split), encoded)
    assert result.details["broken"] == [
        "the arrays of train hold other rows than the split",
        "the arrays of test hold other rows than the split",
    ]


def test_without_a_recorded_fit_nothing_is_proven(run: Run) -> None:
    """An audit of nothing is not a pass."""
    folder, split, encoded = run
    for uses in ([], [use(split, "evaluation", "test")]):
        result = leakage.audit(folder, split, uses, encoded)
        assert result.status == "not_measured"
        assert "fit has not recorded" in result.reason


def test_an_altered_digest_file_stops_the_audit(run: Run) -> None:
    """The proof rests on the files; a changed one is refused."""
    folder, split, encoded = run
    place = folder.at(split.parts["test"].digests.path)
    place.write_bytes(place.read_bytes().replace(b"a", b"b", 1))
    with pytest.raises(IntegrityError, match="it was altered"):
        leakage.audit(folder, split, clean(split), encoded)
