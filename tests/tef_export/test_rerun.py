"""A re-run measures what was declared, and says where it cannot."""

from __future__ import annotations

from pathlib import Path

import pytest

from configs import errors
from evidence import records, software
from tef_export import manifest, recipe, verify
from tef_export.rerun import compare, instruments, run
from tests.tef_export import making, rerunnable


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> making.Made:
    return rerunnable.bundle(tmp_path_factory.mktemp("honest"), making.real_key())


def again(made: making.Made, **more):
    return run.rerun(made.path, public_key=made.key.public_key(), at=making.NOW, **more)


@pytest.mark.slow
def test_the_same_rows_give_the_same_values(honest: making.Made) -> None:
    """Values and intervals of the declared checks come back; thresholds are judged anew."""
    found = again(honest)
    assert [c for c in found.comparisons if c.status != "reproduced"] == []
    assert found.status == "reproduced"
    assert {"performance", "fairness", "robustness"} <= {c.check_id.split(".")[0] for c in found.comparisons}
    assert found.data.origin == "bundle"
    assert {t.check_id for t in found.thresholds} <= set(rerunnable.MEASURED)
    assert found.thresholds


@pytest.mark.slow
def test_the_outcome_says_whether_code_and_packages_are_the_committed_ones(honest: making.Made) -> None:
    """Another digest of the code, or another version of what computes, is named; equal ones are the provider's."""
    committed = honest.dossier.commit.model_copy(
        update={"code_sha256": software.code_sha256(), "packages": {**software.packages(), "numpy": "0.1"}}
    )
    run_record = honest.dossier.close
    assert run_record is not None
    told = instruments.compared(committed, run_record, own_model=False)
    assert told.startswith("measured by the committed code of proofline, with the provider's onnxruntime")
    assert f"numpy {software.version('numpy')} (there 0.1)" in told
    other = committed.model_copy(update={"code_sha256": "0" * 64, "packages": {}})
    told = instruments.compared(other, run_record, own_model=False)
    assert told.startswith("measured by another code of proofline than committed (000000000000…, here ")
    assert "(there not named)" in told
    assert "cannot be compared" in instruments.compared(other, run_record, own_model=True)
    assert again(honest).measured_with.startswith("measured by another code")


@pytest.mark.slow
def test_a_value_that_was_not_measured_is_found(tmp_path: Path) -> None:
    """A supplier seals a nicer accuracy: every signature holds, the re-run says that it differs."""

    def nicer(result: records.CheckResult) -> records.CheckResult:
        if result.check_id != "performance.accuracy":
            return result
        head = result.measures[0]
        up = head.model_copy(update={"value": min(1.0, (head.value or 0) + 0.02)})
        return result.model_copy(update={"measures": (up, *result.measures[1:])})

    found = again(rerunnable.bundle(tmp_path, making.real_key(), nicer))
    assert found.status == "differs"
    assert [c.name for c in found.comparisons if c.status == "differs"] == ["performance.accuracy"]


@pytest.mark.slow
def test_a_measure_that_was_made_up_or_left_out_is_found(tmp_path: Path) -> None:
    """A nice figure of a group that nobody measured, and a bad one that is not declared: both differ."""

    def edited(result: records.CheckResult) -> records.CheckResult:
        if result.check_id == "performance.roc_auc":
            added = result.measures[0].model_copy(update={"slice": "sex=everybody", "value": 0.99})
            return result.model_copy(update={"measures": (*result.measures, added)})
        if result.check_id == "fairness.demographic_parity_difference":
            return result.model_copy(update={"measures": result.measures[:-1]})
        return result

    found = again(rerunnable.bundle(tmp_path, making.real_key(), edited))
    bad = {c.check_id: (c.declared is None, c.measured is None) for c in found.comparisons if c.status == "differs"}
    assert bad == {
        "performance.roc_auc": (False, True),
        "fairness.demographic_parity_difference": (True, False),
    }


@pytest.mark.slow
def test_a_whole_check_that_was_left_out_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A check without a gate is in neither results nor recipe: the same rows and version find it, else it is listed."""

    def without(results: tuple[records.CheckResult, ...]) -> tuple[records.CheckResult, ...]:
        return tuple(result for result in results if result.check_id != "performance.brier")

    made = rerunnable.bundle(tmp_path, making.real_key(), select=without)
    found = again(made)
    bad = [c for c in found.comparisons if c.status == "differs"]
    assert {c.name for c in bad} == {"performance.brier"}
    assert found.status == "differs"
    assert "left out" in bad[0].reason
    monkeypatch.setattr(run.software, "version", lambda _: "9.9")
    later = again(made)
    assert later.status == "reproduced"
    assert "ask the sender" in next(one.reason for one in later.not_repeated if one.check_id == "performance.brier")


@pytest.mark.slow
def test_what_needs_groups_is_not_repeated_without_them(tmp_path: Path) -> None:
    """The plan lets rows leave and no codes: performance is reproduced, fairness is listed with the reason."""
    found = again(rerunnable.bundle(tmp_path, making.real_key(), include_groups=False))
    assert found.status == "reproduced"
    assert not any(c.check_id.startswith("fairness.") for c in found.comparisons)
    reasons = {one.check_id: one.reason for one in found.not_repeated}
    assert reasons["fairness.demographic_parity_difference"].endswith("what the rows belong to did not travel")


def test_nothing_is_measured_of_a_bundle_that_does_not_hold(honest: making.Made, monkeypatch) -> None:
    """A foreign key: refused before anything is opened."""
    from tef_export.rerun import process

    monkeypatch.setattr(process, "measure", lambda *_: pytest.fail("it was measured"))
    with pytest.raises(errors.VerificationError, match="not accepted"):
        run.rerun(honest.path, public_key=making.real_key().public_key(), at=making.NOW)


@pytest.mark.slow
def test_without_rows_of_either_side_nothing_can_be_measured(made: making.Made) -> None:
    """A bundle without test rows needs a table of the facility's own, and the error says so."""
    with pytest.raises(errors.VerificationError, match=r"--data table\.csv.*include_test_data: true"):
        again(made)


def test_what_is_told_beside_the_worst_of_several_faults_is_compared_at_the_same_fault_only() -> None:
    """On other rows another fault may be the worst: its accuracy is compared, another score at it cannot be."""
    check = "robustness.out_of_range"
    made = records.CheckResult(check_id=check, title="t", status="pass", reason="r", details={"worst": "age above"})
    other = made.model_copy(update={"details": {"worst": "bmi below"}})
    beside = f"{check}.balanced_accuracy"
    assert "at age above, measured on these rows that at bmi below" in str(
        compare._of_another(made, other, beside, "overall")
    )
    assert compare._of_another(made, made, beside, "overall") is None
    for name in (check, f"{check}.clean"):
        assert compare._of_another(made, other, name, "overall") is None


def one(value: float | None, low: float = 0.0, high: float = 0.0, n: int = 1000) -> records.Measure:
    interval = None if value is None else records.Interval(low=low, high=high, level=0.95, method="exact")
    return records.Measure(name="performance.accuracy", value=value, interval=interval, n=n)


@pytest.mark.parametrize(
    ("now", "status"),
    [
        (one(0.81, 0.79, 0.83), "reproduced"),
        (one(0.835, 0.815, 0.855), "cannot_tell"),  # beyond its own interval, within that of 300 comparisons
        (one(0.60, 0.58, 0.62), "differs"),
        (one(0.60, 0.58, 0.62, n=10), "cannot_tell"),  # a small group
        (one(0.80, 0.5, 1.0), "cannot_tell"),  # agrees with anything
        (one(None), "cannot_tell"),
    ],
)
def test_other_rows_are_compared_by_intervals(now: records.Measure, status: str) -> None:
    """What chance explains is no difference, and an interval that says nothing reproduces nothing."""
    pair = ("performance.accuracy", one(0.80, 0.78, 0.82), now)
    assert compare._other(pair, 0.95, 300, 30).status == status


@pytest.mark.slow
def test_counts_are_not_compared_across_tables(honest: making.Made) -> None:
    """A confusion matrix of other rows agrees with nothing: it is listed, and makes no answer `cannot tell`."""
    declared = next(r for r in honest.dossier.results() if r.check_id == "performance.confusion_matrix")
    with verify.opened(honest.path, public_key=honest.key.public_key(), at=making.NOW) as opened:
        asked = manifest.record(opened.files.read(recipe.PLACE), recipe.Recipe, recipe.PLACE)
    asked = asked.model_copy(update={"checks": tuple(c for c in asked.checks if c.id == declared.check_id)})
    made, listed = compare.compare(
        asked, (declared,), (declared,), same_rows=False, same_entities=True, there=(), absent={}
    )
    assert made == ()
    assert "counts: numbers of rows" in next(one.reason for one in listed if one.check_id == declared.check_id)


@pytest.mark.slow
def test_a_figure_that_other_rows_do_not_give_is_named_and_no_group_is_called_absent(honest: making.Made) -> None:
    """What rests on which groups are small is named as such; the group itself is among the rows and was compared."""
    measured = next(r for r in honest.dossier.results() if r.check_id == "fairness.selection_rate")
    one = next(m for m in measured.measures if "=" not in m.slice)
    extra = one.model_copy(update={"name": f"{measured.check_id}.without_small_groups"})
    kept = tuple(m for m in measured.measures if m.name != extra.name)
    now = measured.model_copy(update={"measures": kept})
    declared = measured.model_copy(update={"measures": (*kept, extra)})
    with verify.opened(honest.path, public_key=honest.key.public_key(), at=making.NOW) as opened:
        asked = manifest.record(opened.files.read(recipe.PLACE), recipe.Recipe, recipe.PLACE)
    asked = asked.model_copy(update={"checks": tuple(c for c in asked.checks if c.id == declared.check_id)})
    there = {a.name for a in asked.attributes} | {i.name for i in asked.intersections}
    made, listed = compare.compare(
        asked, (declared,), (now,), same_rows=False, same_entities=True, there=there, absent={}
    )
    assert one.slice in {pair.slice for pair in made}
    reasons = [left.reason for left in listed if left.check_id == declared.check_id]
    assert reasons == [
        f"{one.slice}, without_small_groups: these rows give no such figure: other groups are small, "
        "or another value is the worst"
    ]


@pytest.mark.slow
def test_rates_of_two_classes_are_not_compared(honest: making.Made) -> None:
    """Of several classes the one whose groups differ most is shown: on other rows that may be another class."""
    found = honest.dossier.results()
    declared = next(r for r in found if r.check_id == "fairness.demographic_parity_difference")
    rates = {name: f"{rate} of class a" for name, rate in declared.details["rate"].items()}
    measured = declared.model_copy(update={"details": {**declared.details, "rate": rates}})
    with verify.opened(honest.path, public_key=honest.key.public_key(), at=making.NOW) as opened:
        asked = manifest.record(opened.files.read(recipe.PLACE), recipe.Recipe, recipe.PLACE)
    asked = asked.model_copy(update={"checks": tuple(c for c in asked.checks if c.id == declared.check_id)})
    there = {a.name for a in asked.attributes} | {i.name for i in asked.intersections}

    def status(now: records.CheckResult) -> set[str]:
        made, _ = compare.compare(
            asked, (declared,), (now,), same_rows=False, same_entities=True, there=there, absent={}
        )
        return {one.status for one in made if "=" in one.slice and (one.measured_n or 0) >= asked.minimum_group_size}

    assert status(declared) == {"reproduced"}
    assert status(measured) == {"cannot_tell"}
