"""The report of what changed: purpose first, nothing without a record, no judgement that is a person's."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path
from typing import Any

import pytest

from configs.plan import Plan
from evidence.diff_records import (
    Change,
    ComparedSide,
    DeclaredChange,
    DiffRecord,
    FeatureDrift,
    GateCompared,
    GroupShare,
    LimitAnswer,
    MeasureDifference,
    RowsCompared,
)  # fmt: skip
from evidence.dossier import Dossier
from model_cards import refs, tree
from model_cards.legal import annex_iv
from model_cards.modification import document, listed, write
from tests.model_cards import pages

ARTICLES = ("sha256", "Art. 3(23)", "Art. 43(4)", "Art. 25(1)(b)", "Art. 111(2)", "Annex IV(2)(f)")


def side(letter: str, version: str) -> ComparedSide:
    return ComparedSide(
        kind="run", run_id=f"run-{letter}", system_id="s", system_name="Scorer <b>", system_version=version,
        plan_sha256="a" * 64, run_sha256="b" * 64, started_at="2026-11-22T10:00:00Z",
        finished_at="2026-11-22T10:01:00Z", outcome="pass", test_rows=200,
    )  # fmt: skip


def change(subject: str, place: str, verdict: str, **more: Any) -> Change:
    known = {"title": place.removeprefix("plan: "), "before": "0.5", "after": "0.7", "reason": "as said", "clause": ""}
    return Change(subject=subject, place=place, verdict=verdict, **(known | more))


def measure(name: str, value: float, low: float, high: float, shown: str, **more: Any) -> MeasureDifference:
    known = {"title": name, "check": name, "slice": "overall", "split": "test", "unit": "1", "better": "higher"}
    known |= {"headline": True, "before": 0.7, "after": 0.7 + value, "level": 0.95, "method": "paired", "judged": True}
    return MeasureDifference(name=name, value=value, low=low, high=high, shown=shown, **(known | more))


def record(**changes: Any) -> DiffRecord:
    """A comparison in which everything happens."""
    limit = LimitAnswer(
        limit="performance.roc_auc worse by at most 0.05", answer="cannot_tell", found="moved by −0.02 [−0.07, 0.03]",
        check="performance.roc_auc", slice="overall", bound=0.05, kind="worse_by_at_most",
    )  # fmt: skip
    known: dict[str, Any] = {
        "before": side("a", "1.0"),
        "after": side("b", "1.1"),
        "outcome": "outside",
        "declared": (
            DeclaredChange(id="yearly", title="Retraining", rationale="Slow drift.", clause="Annex IV(2)(f)",
                           covers=("data",), used=True, limits=(limit,)),
        ),
        "changes": (
            change("purpose", "plan: system.intended_purpose", "outside", removed=("credit",), added=("rent", "loan"),
                   clause="Art. 3(23)"),
            change("model", "plan: training.threshold", "cannot_tell", declared=("yearly",)),
            change("gate", "evaluation/gate.json: performance.roc_auc@overall", "follows"),
        ),
        "rows": RowsCompared(
            before=800, after=1000, content_equal=False, same_test_rows=False, shared=800, shared_test=150, level=0.95,
            groups=(GroupShare(attribute="sex", group="female", before=0.3, after=0.35, value=0.05),),
            drift=(FeatureDrift(feature="age", value=0.01, low=0.0, high=0.08, n=360),),
        ),
        "measures": (
            measure("performance.accuracy", -0.1, -0.15, -0.05, "worse"),
            measure("performance.roc_auc", -0.02, -0.07, 0.03, "no_difference"),
            measure("performance.log_loss", 0.1, -0.1, 0.3, "no_difference", unit="nat", better="lower"),
        ),
        "gates": (
            GateCompared(check="performance.roc_auc", title="Area under the ROC curve", slice="overall", before="pass",
                         after="inconclusive", asked_before="at least 0.6", asked_after="at least 0.7", measure=1),
            GateCompared(check="performance.f1", title="F1 score", slice="overall", before="pass", after=None,
                         asked_before="at least 0.5", asked_after=None, measure=None),
        ),
        "only_before": ("performance.f1@overall",),
        "verdicts": {"outside": 1, "cannot_tell": 1, "follows": 1},
        "methods": {"paired": 3},
        "judged": 2,
        "level": 0.95,
        "notes": ("The second version is older.",),
    }  # fmt: skip
    return DiffRecord(**(known | changes))


IDENTICAL: dict[str, Any] = {
    "outcome": "identical",
    "changes": (),
    "measures": (),
    "gates": (),
    "verdicts": {},
    "methods": {},
}


def parts(found: DiffRecord) -> list[tree.Part]:
    return list(tree.walk(document.tree_of(found)))


@pytest.mark.parametrize("changes", [{}, IDENTICAL, {"declared": ()}])
def test_fixed_text_claims_no_number(changes: dict[str, Any]) -> None:
    """The words that the program brings along hold no digit but those of named articles."""
    for part in parts(record(**changes)):
        if isinstance(part, str):
            rest = part
            for known in ARTICLES:
                rest = rest.replace(known, "")
            assert not re.search(r"\d", rest), part


@pytest.mark.parametrize("outcome", ["identical", "within", "outside", "cannot_tell"])
def test_never_judges_what_a_person_decides(outcome: str) -> None:
    """No outcome says that it is, or is not, a substantial modification; each says who decides."""
    found = record(outcome=outcome)
    words = " ".join(p if isinstance(p, str) else getattr(p, "shown", "") for p in parts(found))
    assert not re.search(r"(is|are|was|were) (not )?(a |no )substantial modification[ .](?!in the sense)", words)
    assert "is decided by a named person, not here" in words
    assert not re.search(r"complian|certif", words.lower())
    assert any(isinstance(p, refs.Gap) and "substantial modification" in p.text for p in parts(found))


def test_the_purpose_stands_first() -> None:
    """Before any other change, in the summary and as a chapter of its own."""
    page = document.tree_of(record())
    assert [s.id for s in page.sections[:3]] == ["summary", "purpose", "changes"]
    bullets = next(b for b in page.sections[0].blocks if isinstance(b, tree.Bullets))
    assert getattr(bullets.items[0][0], "shown", "") == "system.intended_purpose"


def test_the_gates_stand_in_the_summary() -> None:
    """Both answers with what was asked; a gate that is gone has a dash."""
    summary = document.tree_of(record()).sections[0]
    table = next(b for b in summary.blocks if isinstance(b, tree.Table))
    said = [["".join(getattr(p, "shown", str(p)) for p in cell) for cell in row] for row in table.rows]
    assert said[0][1:4] == ["pass (at least 0.6)", "inconclusive (at least 0.7)", "0.700 → 0.680"]
    assert said[1][2:4] == ["–", "–"]


def test_nothing_declared_is_a_gap() -> None:
    """Who can fill it, and where."""
    gaps = [p.text for p in parts(record(declared=())) if isinstance(p, refs.Gap)]
    assert any("changes determined beforehand" in gap and "predetermined_changes" in gap for gap in gaps)


def test_identical_versions_are_called_so() -> None:
    """One sentence, no table."""
    page = document.tree_of(record(**IDENTICAL))
    words = " ".join(getattr(p, "shown", str(p)) for p in tree.walk(page))
    assert "Nothing differs" in words


def test_every_reference_leads_into_the_record(tmp_path: Path) -> None:
    """Each number of the page carries a place in modification.json, which holds that very value there."""
    write.write(record(), tmp_path, ("html",))
    content = json.loads((tmp_path / "modification.json").read_text(encoding="utf-8"))
    page = pages.Page((tmp_path / "modification.html").read_text(encoding="utf-8"))
    seen = 0
    for element in page.elements:
        where = element.attributes.get("data-evidence", "")
        if not where.startswith("modification.json#"):
            continue
        value: Any = content
        for step in where.partition("#")[2].split("/")[1:]:
            value = value[int(step)] if isinstance(value, list) else value[step]
        if element.tag == "data" and "data-derivation" not in element.attributes:
            assert element.attributes["value"] == (repr(value) if isinstance(value, float) else str(value))
            seen += 1
    assert seen > 20


def test_names_are_escaped_and_both_formats_are_drafts(tmp_path: Path) -> None:
    """A name cannot become markup; every page says that it is a draft, of which law and which runs."""
    write.write(record(), tmp_path, ("html", "md"))
    html, markdown = ((tmp_path / f"modification.{kind}").read_text(encoding="utf-8") for kind in ("html", "md"))
    assert "Scorer &lt;b&gt;" in html
    assert "Scorer <b>" not in html + markdown
    for text in (html, markdown):
        assert "Draft, not a declaration." in text
        assert "run-a" in text
        assert "run-b" in text
        assert "02024R1689-20260727" in text


def test_the_plot_draws_each_unit_and_the_declared_limit() -> None:
    """One drawing for shares with the limit's tick on the worse side, one for nats."""
    found = [f for s in document.tree_of(record()).sections for b in s.blocks if isinstance(b, tree.Figures)
             for f in b.figures]  # fmt: skip
    assert len(found) == 2
    ticks = re.findall(r'<line x1="([\d.]+)" [^>]*class="bound"', found[0].svg)
    zero = re.findall(r'<line x1="([\d.]+)" [^>]*class="reference"', found[0].svg)
    assert len(ticks) == len(zero) == 1
    assert float(ticks[0]) < float(zero[0])
    assert 'class="bound"' not in found[1].svg


@pytest.mark.slow
def test_the_same_record_gives_the_same_bytes(tmp_path: Path) -> None:
    """No time of rendering, no order by chance."""
    first, second = (write.write(record(), tmp_path / name) for name in ("one", "two"))
    assert [p.read_bytes() for p in first] == [p.read_bytes() for p in second]


@pytest.mark.slow
def test_the_technical_documentation_holds_what_is_determined_beforehand(dossiers: dict[str, Dossier]) -> None:
    """Annex IV(2)(f): each declaration with what it covers, its limits and its reason; else that there is none."""
    found = dossiers["binary"]
    content = found.plan.model_dump(mode="json")
    content["predetermined_changes"] = [
        {
            "id": "yearly",
            "title": "Retraining once a year",
            "may_change": {"data": True, "retraining": True, "plan": ["training.seed"]},
            "limits": {
                "rows_grow_by_at_most": 0.3,
                "metrics": [{"check": "performance.roc_auc", "worse_by_at_most": 0.05}],
            },
            "rationale": "Habits drift slowly.",
        }
    ]
    for plan, words in (
        (found.plan, ["The plan declares no change beforehand."]),
        (Plan.model_validate(content), ["Retraining once a year", "training.seed; other rows; retraining",
         "rows grow by at most 30.0\u00a0%", "performance.roc_auc worse by at most 0.05", "Habits drift slowly."]),
    ):  # fmt: skip
        document_ = annex_iv.build(refs.book(dataclasses.replace(found, plan=plan)))
        point = next(s for c in document_.sections for s in c.sections if s.id == "AIV-2f")
        said = "".join(getattr(p, "shown", p if isinstance(p, str) else "") for p in tree.walk_section(point))
        for word in words:
            assert word in said, word


def test_a_long_list_does_not_fill_a_page() -> None:
    """Of ninety files that one side lacks, a cell names some, and says how many more and where they stand."""
    change = refs.Node(
        "modification.json", "/changes/0", {"before": None, "removed": [f"file {n}" for n in range(90)], "added": []}
    )
    said = tree.plain(listed._side(change, "before", "removed", whole=False))
    assert "file 0" in said
    assert "file 89" not in said
    assert "and 78 more, in modification.json" in said
