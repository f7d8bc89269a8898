"""What answers point to: tri-state, by the Act's order, never inferred; each rule with its article."""

import itertools

import pytest

from configs import errors, load
from configs.language.load import load_any
from configs.law import classify, register
from configs.system import Classification

IN_SCOPE = {"ai_system": "yes", "outside_scope": "no"}
NOTHING = IN_SCOPE | {
    "prohibited_practice": "no", "annex_i_product": "no", "annex_iii_use": "no", "derogation_claimed": "no",
    "profiling": "no", "transparency_duty": "no",
}  # fmt: skip
CREDIT = NOTHING | {"annex_iii_use": "yes", "annex_iii_point": "5(b)"}


def read(**answers):
    return classify.classify(Classification.model_validate(answers))


def test_no_answer_is_never_a_no():
    """Without answers everything is open, and no procedure or class follows."""
    found = read()
    assert {f.state for f in found.findings} == {"open"}
    assert found.route == ()
    assert set(found.open_fields) == {q.id for q in register.load().questions}
    assert len(found.documents) == len(register.load().documents)


def test_all_no_points_to_nothing():
    """Answers of no throughout: in scope, not high-risk, no documents, no dates."""
    found = read(**NOTHING)
    assert (found.scope.state, found.high_risk.state) == ("yes", "no")
    assert found.documents == found.dates == found.route == found.open_fields == ()


def test_annex_iii_without_derogation_is_high_risk_by_internal_control():
    """Points 2 to 8 lead to Art. 43(2) and to the day of Annex III."""
    found = read(**CREDIT)
    assert found.high_risk.state == "yes"
    assert [r.id for r in found.route] == ["HR-43.2"]
    assert "high-risk-annex-iii" in {d.id for d in found.dates}
    assert "registration" in {d.id for d in found.documents}


def test_biometric_uses_go_to_a_notified_body():
    """Point 1 leads to Art. 43(1), since no harmonised standard is cited."""
    found = read(**(CREDIT | {"annex_iii_point": "1(a)"}))
    assert [r.id for r in found.route] == ["HR-43.1"]


@pytest.mark.parametrize(("point", "route"), [("11", ["HR-43.3"]), ("21", []), (None, [])])
def test_annex_i_follows_its_section(point, route):
    """Section A has the sectoral procedure; machinery is in Section B since 2026; no point leads to no procedure."""
    found = read(**(NOTHING | {"annex_i_product": "yes", "annex_i_point": point}))
    assert found.high_risk.state == "yes"
    assert [r.id for r in found.route] == route
    assert ("Name the entry in annex_i_point" in found.annex_i.changes[0]) == (point is None)


@pytest.mark.parametrize(
    ("answers", "route"),
    [
        ({"annex_i_product": "unknown"}, []),
        ({"annex_i_product": "yes"}, []),
        ({"annex_i_product": "yes", "annex_i_point": "11"}, ["HR-43.3"]),
        ({"annex_i_product": "yes", "annex_i_point": "15"}, ["HR-43.2"]),
        ({"annex_i_product": "yes", "annex_i_point": "15", "derogation_claimed": "unknown"}, []),
        ({"annex_i_product": "yes", "annex_i_point": "15", "annex_iii_point": "1(b)"}, ["HR-43.1"]),
    ],
)
def test_an_open_product_leaves_the_procedure_open(answers, route):
    """Art. 43(3) takes a product of Section A even where Annex III applies: unknown does not count as no."""
    found = read(**(CREDIT | answers))
    assert found.high_risk.state == "yes"
    assert [r.id for r in found.route] == route
    if answers["annex_i_product"] == "unknown":
        assert any("classification.annex_i_product" in change for change in found.high_risk.changes)


@pytest.mark.parametrize("answers", [NOTHING, CREDIT, NOTHING | {"annex_i_product": "yes", "annex_i_point": "11"}, {}])
def test_every_finding_says_what_would_change_it(answers):
    """A settled one too, whichever way it was settled."""
    found = read(**answers)
    assert all(finding.changes for finding in found.findings)


def test_profiling_rules_the_derogation_out():
    """A system of Annex III that profiles persons is high-risk whatever is claimed (Art. 6(3))."""
    found = read(**(CREDIT | {"derogation_claimed": "yes", "derogation_conditions": ["D63-a"], "profiling": "yes"}))
    assert (found.derogation.state, found.high_risk.state) == ("no", "yes")
    assert "Profiling" in found.derogation.changes[0]


def test_a_derogation_is_claimed_never_granted():
    """With every answer given it stays open until a person signs the assessment; both sets of documents are named."""
    found = read(**(CREDIT | {"derogation_claimed": "yes", "derogation_conditions": ["D63-a"]}))
    assert (found.derogation.state, found.high_risk.state) == ("open", "open")
    assert "signed by a named person" in found.derogation.changes[0]
    assert {"derogation_assessment", "technical_documentation"} <= {d.id for d in found.documents}


def test_outside_the_scope_nothing_is_high_risk():
    """Research only is outside; the result says what would bring it in."""
    found = read(**(CREDIT | {"outside_scope": "yes"}))
    assert (found.scope.state, found.high_risk.state) == ("no", "no")
    assert "Placing on the market" in found.high_risk.changes[0]


def test_an_unknown_scope_leaves_the_class_open():
    """A use of Annex III is high-risk only if the Act applies."""
    found = read(**(CREDIT | {"ai_system": "unknown"}))
    assert found.high_risk.state == "open"
    assert found.high_risk.changes == ("An answer to classification.ai_system in the plan (Art. 3(1)).",)


def test_every_finding_has_its_path():
    """The path holds the answers that decided, with their places."""
    found = read(**CREDIT)
    assert [(s.field, s.answer) for s in found.derogation.path] == [
        ("annex_iii_use", "yes"), ("derogation_claimed", "no"), ("profiling", "no"),
    ]  # fmt: skip
    assert all(step.place for finding in found.findings for step in finding.path)


@pytest.mark.parametrize(
    ("answers", "message"),
    [
        ({"annex_iii_use": "yes", "annex_iii_point": "9(z)"}, r"annex_iii_point: expected one of 1\(a\)"),
        ({"annex_iii_use": "no", "annex_iii_point": "5(b)"}, "expected nothing, because annex_iii_use is no"),
        ({"transparency_duty": "yes", "transparency_duties": ["T50-9"]}, "got 'T50-9'"),
    ],
)
def test_impossible_answers_are_refused(answers, message):
    """A point that no list has, and one beside a no, end in one sentence."""
    with pytest.raises(errors.PlanError, match=message):
        read(**answers)


def test_more_answers_never_make_a_settled_class_open():
    """Kleene's rule: filling an unknown never turns a yes or no into something else (729 sets of six answers)."""
    fields = ("ai_system", "outside_scope", "annex_i_product", "annex_iii_use", "derogation_claimed", "profiling")
    for values in itertools.product(("yes", "no", "unknown"), repeat=len(fields)):
        given = dict(zip(fields, values, strict=True))
        state = read(**given).high_risk.state
        if state == "open" or "unknown" not in values:
            continue
        filled = given | {field: "no" for field, value in given.items() if value == "unknown"}
        other = given | {field: "yes" for field, value in given.items() if value == "unknown"}
        for more in (filled, other):
            assert read(**more).high_risk.state == state, (given, more)


def test_the_shipped_plans_are_answered():
    """The class of the high-risk use cases is settled, and medical devices name their point."""
    states = {p.stem: classify.classify(load_any(p).classification) for p in load.USE_CASES.glob("*.yaml")}
    assert {n for n, c in states.items() if c.high_risk.state == "yes"} == {
        "diabetes_progression", "german_credit", "hospital_readmission",
    }  # fmt: skip
    assert [r.id for r in states["hospital_readmission"].route] == ["HR-43.3"]


def test_products_of_section_b_follow_the_law_on_the_product():
    """A tractor is high-risk, but Chapter III does not bind it; with a use of Annex III beside it, the chapter does."""
    tractor = NOTHING | {"annex_i_product": "yes", "annex_i_point": "15"}
    found = read(**tractor)
    assert found.high_risk.state == "yes"
    assert found.by_product_law
    assert "Arts 102 to 112" in found.high_risk.changes[0]
    assert not found.documents
    assert {d.id for d in found.dates} == {"high-risk-annex-i"}
    both = read(**(tractor | {"annex_iii_use": "yes", "annex_iii_point": "2"}))
    assert not both.by_product_law
    assert "technical_documentation" in {d.id for d in both.documents}
    open_ = read(**(tractor | {"annex_iii_use": "unknown"}))
    assert "technical_documentation" in {d.id for d in open_.documents}
    device = read(**(NOTHING | {"annex_i_product": "yes", "annex_i_point": "11"}))
    assert not device.by_product_law
    assert "technical_documentation" in {d.id for d in device.documents}
