"""The reference of monitoring: exact shares, no small cell, no special category, the first golden vector as example."""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
import types
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from checks import reference
from checks._governance_shift import stability_index
from configs import errors
from configs.plan import Plan
from evidence import arrays, records
from evidence.folder import RunFolder
from evidence.reference import Spread
from factory import encoding, ingest, splitting
from tests.model_cards import builders

NUMBER = records.FeatureSpec(name="x", kind="numeric")
CATEGORY = records.FeatureSpec(name="x", kind="categorical", categories=tuple("abcdef"))
LEAST = 10
MATRIX = records.CheckResult(
    check_id="performance.confusion_matrix", title="Confusion matrix", status="not_applicable", reason="measured",
    details={"labels": ["no", "yes", "maybe"], "matrix": [[60, 5, 0], [10, 15, 4], [0, 6, 0]]},
)  # fmt: skip
EVALUATION = records.EvaluationRecord(
    onnx_sha256=None, commitment_sha256="0" * 64, committed_at="2026-11-20T08:00:00Z",
    started_at="2026-11-20T08:00:01Z", finished_at="2026-11-20T08:00:02Z", runtime="none", results=(MATRIX,), uses=(),
)  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Run:
    """A real table, split and encoded."""

    folder: RunFolder
    plan: Plan
    encode: records.EncodedData


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """One for the module: nothing here changes it."""
    return _run(tmp_path_factory.mktemp("run"))


def _run(place: Path) -> Run:
    folder, plan = RunFolder(place), builders.plan_of("binary")
    dataset = ingest.ingest(folder, plan, Path())
    split = splitting.split(folder, plan, dataset)
    return Run(folder, plan, encoding.encode(folder, plan, dataset, split))


def test_shares_are_those_of_the_training_rows(run: Run) -> None:
    """Every share is the number of training rows in its cell over all of them, counted here another way."""
    part = arrays.load(run.folder, run.encode, "train")
    made = reference.reference(run.folder, run.plan, run.encode, EVALUATION, None, role="train")
    assert made.rows == part.rows
    assert [d.feature for d in made.inputs] == [f.name for f in run.encode.features]
    for i, told in enumerate(made.inputs):
        column = part.x[:, i].astype(np.float64)
        if told.kind == "categorical":
            codes = [run.encode.features[i].categories.index(c) for c in told.categories]
            counted = [(column == code).mean() for code in codes]
        else:
            bounds = [-np.inf, *told.edges, np.inf]
            counted = [((column >= a) & (column < b)).mean() for a, b in itertools.pairwise(bounds)]
            known = column[np.isfinite(column)]
            assert told.tenths == pytest.approx(np.percentile(known, range(10, 100, 10)), rel=1e-5)
        assert told.shares == pytest.approx(counted, abs=1e-6)


@settings(max_examples=60, deadline=None)
@given(
    hnp.arrays(np.float32, st.integers(1, 80), elements=st.sampled_from([np.nan, 0.0, 1.0, 2.0, 3.0, 3.5, 4.0, 9.0])),
    st.sampled_from([NUMBER, CATEGORY]),
)
def test_no_cell_is_small_and_none_can_be_told_from_the_others(values: np.ndarray, spec: records.FeatureSpec) -> None:
    """Named cells, the rest and the missing rows each hold no row or at least the fewest, and add up to all rows."""
    told = reference.distribution(spec, values, LEAST)
    rows = [round(share * told.rows) for share in _cells(told)]
    assert sum(rows) == len(values)
    if len(values) >= LEAST:
        assert all(count == 0 or count >= LEAST for count in rows)
    if told.tenths:
        assert np.isfinite(values).sum() >= 10 * LEAST


def _cells(told: Spread) -> list[float]:
    return [*told.shares, told.others or 0.0, told.missing]


@pytest.mark.parametrize(("said", "why"), [(True, reference.SPECIAL), (None, reference.UNSTATED)])
def test_special_categories_are_left_out(run: Run, said: bool | None, why: str) -> None:  # noqa: FBT001 - a case
    """Of an input that is a special category of personal data, or may be, nothing is told but that it is left out."""
    content = run.plan.model_dump(mode="json")
    content["data"]["protected"][0]["special_category"] = said
    column = content["data"]["protected"][0]["column"]
    assert column in [f.name for f in run.encode.features]
    made = reference.reference(run.folder, Plan.model_validate(content), run.encode, EVALUATION, None, role="train")
    assert [(left.feature, left.reason) for left in made.left_out] == [(column, why)]
    assert column not in [d.feature for d in made.inputs]


def test_the_example_is_the_first_golden_vector(run: Run) -> None:
    """Inputs, output and digest of the example are those of the files that ship, and no row of the data."""
    width = len(run.encode.features)
    x = np.linspace(0, 1, 2 * width, dtype=np.float32).reshape(2, width)
    x[0, 1] = np.nan
    outputs = (np.array([1, 0], np.int64), np.array([[0.25, 0.75], [0.5, 0.5]], np.float32))
    model: Any = types.SimpleNamespace(
        golden_input=_tensor(run.folder, "model/input_0.pb", x),
        golden_outputs=tuple(_tensor(run.folder, f"model/output_{i}.pb", y) for i, y in enumerate(outputs)),
    )
    made = reference.reference(run.folder, run.plan, run.encode, EVALUATION, model)
    assert made.part == "train"
    assert made.example is not None
    assert made.example.inputs[1] is None
    assert [made.example.label, *made.example.probabilities] == [1, 0.25, 0.75]
    assert made.example.inputs_sha256 == reference.input_digest(x[0])


def test_the_digest_of_an_input_knows_one_missing_value() -> None:
    """Two rows that are equal to the model have one digest, whatever bits their missing values have."""
    odd = np.array([0x7FC00001], "<u4").view("<f4")
    assert np.isnan(odd[0])
    first, second = np.array([1.0, np.nan], np.float32), np.array([1.0, odd[0]], np.float32)
    assert reference.input_digest(first) == reference.input_digest(second)
    assert reference.input_digest(first) != reference.input_digest(np.array([1.0, 0.0], np.float32))
    written = b"\x00\x00\x80\x3f" + b"\x00\x00\xc0\x7f"  # as the guides say: little-endian float32, one form of missing
    assert reference.input_digest(second) == hashlib.sha256(written).hexdigest()


def _tensor(folder: RunFolder, path: str, array: np.ndarray) -> records.ArtifactRef:
    return folder.write_bytes(path, onnx.numpy_helper.from_array(array).SerializeToString(deterministic=True))


def test_of_given_predictions_the_one_part_is_told(run: Run) -> None:
    """Where nothing was trained the rows that were evaluated are the reference, and there is no example."""
    made = reference.reference(run.folder, run.plan, run.encode, EVALUATION, None)
    assert (made.part, made.example) == ("test", None)


def test_altered_arrays_are_refused(tmp_path: Path) -> None:
    """A reference is made only from the arrays that the run recorded."""
    run = _run(tmp_path)
    run.folder.at(run.encode.parts["train"].x.path).write_bytes(b"other")
    with pytest.raises(errors.IntegrityError, match="altered"):
        reference.reference(run.folder, run.plan, run.encode, EVALUATION, None, role="train")


def test_labels_are_counted_from_the_matrix_and_rare_ones_left_out(run: Run) -> None:
    """Rows and share of a label are the column of the matrix; one that fewer rows got than a cell holds is left out."""
    made = reference.reference(run.folder, run.plan, run.encode, EVALUATION, None)
    assert made.least == 20
    assert [(told.label, told.rows, told.share) for told in made.labels] == [("no", 70, 0.7), ("yes", 26, 0.26)]


def test_the_window_holds_back_false_alarms(run: Run) -> None:
    """In windows of the size that the record gives, an unchanged input stays below the trigger: simulated."""
    random, trigger, rows = np.random.default_rng(3), 0.2, 5000
    shares = np.array([0.3, 0.2, 0.2, 0.1, 0.1, 0.1])
    size = reference.window(len(shares), rows, trigger)
    assert size is not None
    found = [stability_index(random.multinomial(rows, shares), random.multinomial(size, shares)) for _ in range(2000)]
    assert np.mean(found) == pytest.approx(reference.NOISE * trigger, rel=0.15)
    assert np.mean(np.array(found) > trigger) < 0.002
    assert reference.window(6, 10, trigger) is None
    assert reference.window(1, 10_000, trigger) is None
    made = reference.reference(run.folder, run.plan, run.encode, EVALUATION, None, role="train")
    drift = run.plan.policy.governance.drift
    assert [t.window for t in made.inputs] == [reference.window(reference.cells(t), t.rows, drift) for t in made.inputs]
