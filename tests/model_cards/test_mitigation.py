"""The chapter on mitigation says what the records hold, and draws before beside after."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from evidence import mitigation_records as parts
from evidence import records
from evidence.dossier import Dossier
from model_cards import card, mitigation, refs, report, tree
from tests.model_cards import builders, pages
from tests.model_cards.test_evidence import contents, resolve

SHA = "0f" * 32
FOUND: dict[str, dict[str, Any]] = {
    "reweighing": {
        "weights": (
            parts.GroupWeights(group="female", negative=0.93, positive=1.07, negative_rows=61, positive_rows=47),
            parts.GroupWeights(group="male", negative=1.05, positive=0.94, negative_rows=70, positive_rows=86),
        )
    },
    "exponentiated_gradient": {
        "ensemble": parts.Ensemble(
            members=(
                parts.Member(weight=0.7, epochs=12, best_epoch=8),
                parts.Member(weight=0.3, epochs=0, best_epoch=0, constant=1),
            ),
            fitted=17, iterations=5, converged=False, gap=0.013, cut=0.5, violation_random=0.011,
            violation_shipped=0.024, missing_rows=0,
        )
    },
    "threshold_optimizer": {},
}  # fmt: skip


def interval(low: float, high: float) -> records.Interval:
    return records.Interval(low=low, high=high, level=0.95, method="paired")


def result(name: str, values: tuple[float, float, float], part: str = "overall") -> records.CheckResult:
    """Change, before, after."""
    names = (name, f"{name}.before", f"{name}.after")
    details: dict[str, Any] = {}
    if name == "mitigation.disparity_change":
        row = {"rate": "selection rate", "group": "female", "n": 40}
        row |= {
            "before": 0.31,
            "before_low": 0.2,
            "before_high": 0.43,
            "after": 0.41,
            "after_low": 0.29,
            "after_high": 0.5,
        }
        details = {"rate": "selection rate", "groups": [row], "small_groups": []}
    return records.CheckResult(
        check_id=name,
        title=f"Title of {name}",
        status="not_applicable",
        measures=tuple(
            records.Measure(name=n, value=v, interval=interval(v - 0.1, v + 0.1), n=88, slice=part, split="test")
            for n, v in zip(names, values, strict=True)
        ),
        reason="measured; the policy sets no threshold",
        details=details,
    )


def mitigated(found: Dossier, method: str) -> Dossier:
    """The dossier as if its plan had mitigated by sex."""
    stated = {"method": method, "attribute": "sex", "attribute_in_operation": method == "threshold_optimizer"}
    training = {"calibration": "temperature"}
    changed = builders.with_plan(found, {"mitigation": stated, "training": training})
    about = parts.MitigationRecord.model_validate(
        {"method": method, "attribute": "sex", "constraint": "demographic_parity", **FOUND[method]}
    )
    calibration = parts.CalibrationRecord(temperature=1.31, rows=88, log_loss_before=0.52, log_loss_after=0.49)
    threshold = found.train.threshold
    if method == "threshold_optimizer":
        one = parts.GroupThreshold(
            group="female", value=0.47, rates={"selection_rate": 0.44}, wanted={"selection_rate": 0.45}, rows=41
        )
        cuts = parts.GroupThresholds(attribute="sex", feature="sex", groups=(one,), codes=(0, -1))
        threshold = threshold.model_copy(update={"groups": cuts})
    train = found.train.model_copy(update={"mitigation": about, "calibration": calibration, "threshold": threshold})
    other = records.ArtifactRef(path="model/unmitigated.onnx", sha256=SHA, size=1, media_type="application/onnx")
    results = [r for r in found.evaluate.results if not r.check_id.startswith("mitigation.")]
    results += [
        result("mitigation.disparity_change", (-0.05, 0.21, 0.16), "sex"),
        result("mitigation.accuracy_change", (-0.01, 0.74, 0.73)),
        result("mitigation.log_loss_change", (-0.02, 0.51, 0.49)),
    ]
    return dataclasses.replace(
        changed,
        train=train,
        export=found.export.model_copy(update={"comparisons": {"unmitigated": other}}),
        evaluate=found.evaluate.model_copy(update={"results": tuple(results)}),
    )


@pytest.mark.slow
@pytest.mark.parametrize("method", sorted(FOUND))
def test_every_number_of_a_mitigated_report_equals_its_record(dossiers, tmp_path, method):
    """Weights, members, thresholds, temperature, before and after: each number carries the place that holds it."""
    found = mitigated(dossiers["binary"], method)
    rendered = builders.render(found, tmp_path)
    held = contents(found)
    cited = [e for e in pages.read(rendered.page).all("data") if "data-derivation" not in e.attributes]
    for element in cited:
        value = resolve(held, element.attributes["data-evidence"])
        assert element.attributes["value"] == (repr(value) if isinstance(value, float) else str(value))
    places = {e.attributes["data-evidence"] for e in cited}
    assert "training/record.json#/calibration/temperature" in places
    expected = {
        "reweighing": "training/record.json#/mitigation/weights/1/positive",
        "exponentiated_gradient": "training/record.json#/mitigation/ensemble/violation_shipped",
        "threshold_optimizer": "training/record.json#/threshold/groups/groups/0/value",
    }
    assert expected[method] in places


def test_before_after_and_change_stand_in_one_row(dossiers):
    """The table has a line for each measure with three intervals; the log loss, which is no share, is not drawn."""
    book = refs.book(mitigated(dossiers["binary"], "reweighing"))
    (table,) = mitigation.changes(book)
    assert isinstance(table, tree.Table)
    assert len(table.rows) == 3
    assert [f.title[0] for f in mitigation.drawn(book)] == ["Treated groups", "Before and after", "What changed"]
    assert all("log loss" not in f.svg for f in mitigation.drawn(book))
    assert "gap between groups, before" in mitigation.drawn(book)[1].svg


def test_the_report_says_what_the_mean_is_not(dossiers):
    """A reader of a reduction is told that the theory speaks of another classifier; of thresholds, that they decide."""
    said = {
        method: " ".join(
            str(p) for p in tree.walk_section(mitigation.section(refs.book(mitigated(dossiers["binary"], method))))
        )
        for method in FOUND
    }
    assert "The theory says nothing of it" in said["exponentiated_gradient"]
    assert "did not converge within its rounds" in said["exponentiated_gradient"]
    assert "The attribute decides over the label in operation" in said["threshold_optimizer"]


def test_without_mitigation_the_chapter_says_so(dossiers):
    """Report and card say that the plan asks for none; nothing is drawn."""
    book = refs.book(dossiers["binary"])
    for document in (report.tree_of(book), card.tree_of(book)):
        (section,) = [s for s in document.sections if s.id == "mitigation"]
        assert "The plan asks for no mitigation of differences between groups." in list(tree.walk_section(section))
    assert mitigation.drawn(book) == []
