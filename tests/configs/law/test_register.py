"""The register of the law is whole: no point of an annex and no paragraph of a duty is missing; every answer exists."""

import datetime as dt

import pytest

from configs import errors
from configs.law import register as law
from configs.plan import Plan

REGISTER = law.load()
ANNEX_IV = [f"AIV-1{c}" for c in "abcdefgh"] + [f"AIV-2{c}" for c in "abcdefgh"] + [f"AIV-{n}" for n in range(3, 10)]
PARAGRAPHS = {
    "4a": 2, "6": 4, "9": 10, "10": 6, "11": 3, "12": 3, "13": 3, "14": 5, "15": 5, "17": 4, "18": 3, "19": 2, "43": 6,
    "47": 5, "49": 5, "72": 4,
}  # fmt: skip
"""Article to its number of paragraphs, reliefs and powers of the Commission among them (Art. 6: those on the class)."""
DATES = {
    "2024-08-01": ["Art. 113"],
    "2025-02-02": ["Art. 113(a)"],
    "2025-08-02": ["Art. 113(b)"],
    "2026-07-27": ["Art. 113(d); Regulation (EU) 2026/1744, Art. 4"],
    "2026-08-02": ["Art. 113, second paragraph"],
    "2026-12-02": ["Art. 113(a)", "Art. 111(4)"],
    "2027-08-01": ["Art. 96(1)(g)"],
    "2027-08-02": ["Art. 111(3)", "Art. 2(13)", "Art. 57(1)"],
    "2027-09-02": ["Art. 72(3)"],
    "2027-12-02": ["Art. 113(c)(i)"],
    "2028-01-28": ["Art. 43(3)"],
    "2028-08-02": ["Art. 113(c)(ii)"],
    "2030-08-02": ["Art. 111(2)"],
    "2030-12-31": ["Art. 111(1)"],
    None: ["Art. 113 with Arts 43, 47, 49, 72 and 73"],
}
"""Day to the legal bases of what applies from then; None is what the sources leave open."""


def places(article):
    return [
        r.place for r in REGISTER.requirements if r.place == f"Art. {article}" or r.place.startswith(f"Art. {article}(")
    ]


def test_every_point_of_annex_iv_has_an_entry():
    """Annex IV holds points 1(a) to (h), 2(a) to (h) and 3 to 9."""
    assert [r.id for r in REGISTER.annex_iv] == ANNEX_IV


@pytest.mark.parametrize(("article", "paragraphs"), PARAGRAPHS.items())
def test_every_paragraph_of_a_duty_has_an_entry(article, paragraphs):
    """Each paragraph of Arts 4a, 9 to 15, 17 to 19, 43, 47, 49 and 72 is there, deleted ones included."""
    found = {place.removeprefix(f"Art. {article}(").partition(")")[0] for place in places(article)}
    assert found == {str(n) for n in range(1, paragraphs + 1)}


@pytest.mark.parametrize(
    ("place", "letters"),
    [
        ("Art. 9(2)", "abcd"), ("Art. 10(2)", "abcdefgh"), ("Art. 13(3)", "abcdef"), ("Art. 14(4)", "abcde"),
        ("Art. 17(1)", "abcdefghijklm"), ("Art. 4a(1)", "abcdef"),
    ],
)  # fmt: skip
def test_every_letter_of_a_paragraph_has_an_entry(place, letters):
    """Lettered lists are whole."""
    found = {r.place.removeprefix(f"{place}(")[0] for r in REGISTER.requirements if r.place.startswith(f"{place}(")}
    assert found == set(letters)


def test_what_asks_nothing_is_marked():
    """Powers of an authority and reliefs are browsed, and no system has to answer them."""
    powers = {r.id for r in REGISTER.all_requirements if r.power}
    assert powers == {
        "HR-11.3", "HR-15.2", "HR-17.3", "HR-17.4", "HR-18.2", "HR-43.5", "HR-43.6", "HR-47.5", "HR-72.4",
    }  # fmt: skip


def test_the_other_annexes_are_whole():
    """Annex V has 8 fields, Annex VIII 13, 9 and 5, Annex IX 5."""
    assert [r.id for r in REGISTER.annex_v] == [f"AV-{n}" for n in range(1, 9)]
    counted = {"A": 13, "B": 9, "C": 5}
    assert [r.id for r in REGISTER.annex_viii] == [
        f"AVIII-{s}{n}" for s, most in counted.items() for n in range(1, most + 1)
    ]
    assert [r.id for r in REGISTER.annex_ix] == [f"AIX-{n}" for n in range(1, 6)]


def test_the_lists_are_whole():
    """Ten prohibited practices, 25 uses, products 2 to 21, four conditions, the paragraphs of Art. 50."""
    assert [i.id for i in REGISTER.prohibited_practices] == [f"P5-{c}" for c in ("a", "b", "ba", "bb", *"cdefgh")]
    points = {1: "abc", 2: "", 3: "abcd", 4: "ab", 5: "abcd", 6: "abcde", 7: "abcd", 8: "ab"}
    assert [i.id for i in REGISTER.annex_iii_uses] == [f"A3-{n}{c}" for n, cs in points.items() for c in cs or ("",)]
    assert [i.id for i in REGISTER.annex_i_products] == [f"A1-{n}" for n in range(2, 22)]
    assert [i.id for i in REGISTER.derogation_conditions] == [f"D63-{c}" for c in "abcd"]
    places = [i.place for i in REGISTER.value_chain]
    assert [p for p in places if p.startswith("Art. 25")] == [f"Art. 25(1)({c})" for c in "abc"]
    assert {p.partition("(")[0] for p in places} == {"Art. 25", "Art. 26", "Art. 27"}
    assert [i.id for i in REGISTER.transparency_duties] == [
        f"T50-{n}" for n in ("1", "2", "3", "4a", "4b", "5", "6", "7")
    ]


def test_what_was_deleted_says_so():
    """Art. 10(5) and two points of Annex VIII fell in 2026; nothing is asked for them."""
    deleted = {r.id for r in REGISTER.all_requirements if r.deleted}
    assert deleted == {"HR-10.5", "AVIII-B7", "AVIII-B9"}


def test_dates_are_those_of_the_amended_act():
    """High-risk duties apply from 2 December 2027 and 2 August 2028; where sources disagree, no date is asserted."""
    dates = {d.id: d.date for d in REGISTER.dates}
    assert dates["high-risk-annex-iii"] == "2027-12-02"
    assert dates["high-risk-annex-i"] == "2028-08-02"
    assert dates["prohibitions-new"] == "2026-12-02"
    assert dates["conformity-registration-monitoring"] is None
    found: dict[str | None, list[str]] = {}
    for day in REGISTER.dates:
        found.setdefault(day.date, []).append(day.basis)
        assert day.checked_on <= REGISTER.checked_on
    assert {day: sorted(bases) for day, bases in found.items()} == {d: sorted(bases) for d, bases in DATES.items()}


def test_no_standard_gives_a_presumption_yet():
    """None was cited in the Official Journal when the register was checked."""
    assert not any(s.harmonised for s in REGISTER.standards)


def test_every_pointer_leads_to_something():
    """Checks, families, stages, documents and places of the plan that an entry names exist."""
    from checks import catalogue
    from evidence.dossier import STAGES
    from model_cards.legal import names

    known = {
        "check": set(catalogue.METRICS),
        "family": {m.family for m in catalogue.METRICS.values()} | {"security", "explanation"},
        "record": set(STAGES),
        "document": {"report", "card"} | {entry.id for entry in names.DOCUMENTS},
        "attestation": {q.id for q in REGISTER.attestations},
        "signature": {need.id for need in REGISTER.documents},
    }
    pointers = {p for r in REGISTER.all_requirements for p in r.evidence} | {
        p for q in REGISTER.attestations for p in q.about
    }
    for pointer in sorted(pointers):
        kind, _, name = pointer.partition(":")
        assert _in_plan(name) if kind == "plan" else name in known[kind], pointer


def _in_plan(path):
    model = Plan
    for part in path.split("."):
        if part not in model.model_fields:
            return False
        model = model.model_fields[part].annotation
    return True


def test_every_question_answers_something():
    """A statement that no requirement needs is not asked for."""
    asked = {p for r in REGISTER.all_requirements for p in r.evidence}
    assert all(f"attestation:{q.id}" in asked for q in REGISTER.attestations)


def test_the_register_never_judges():
    """No entry says of a system that it is compliant or certified."""
    content = REGISTER.model_dump_json().lower()
    assert "compliant" not in content
    assert "certified" not in content


@pytest.mark.slow
def test_a_broken_register_is_refused_in_one_sentence(tmp_path):
    """A missing file, an unknown source and an identifier that stands twice are named."""
    for name in law.FILES:
        (tmp_path / f"{name}.yaml").write_bytes((law.PLACE / f"{name}.yaml").read_bytes())
    text = (law.PLACE / "dates.yaml").read_text()
    (tmp_path / "dates.yaml").write_text(text.replace("sources: [C],", "sources: [X],", 1))
    with pytest.raises(errors.IntegrityError, match="unknown source X"):
        law.load(tmp_path)
    (tmp_path / "dates.yaml").write_text(text.replace("id: gpai,", "id: general,"))
    law.load.cache_clear()
    with pytest.raises(errors.IntegrityError, match="general stands twice"):
        law.load(tmp_path)
    (tmp_path / "dates.yaml").unlink()
    law.load.cache_clear()
    with pytest.raises(errors.IntegrityError, match=r"dates\.yaml: expected a file, got none"):
        law.load(tmp_path)


def test_age_counts_days():
    """The age is that of the day on which the register was checked."""
    checked = dt.date.fromisoformat(REGISTER.checked_on)
    assert REGISTER.age_in_days(checked) == 0
    assert REGISTER.age_in_days(checked + dt.timedelta(days=91)) == 91


@pytest.mark.parametrize(
    ("name", "before", "after", "words"),
    [
        ("dates", b"basis: Art. 113,", b"", "dates.yaml, entry-into-force, basis: expected a value, got none"),
        (
            "high_risk",
            b"supplier: person",
            b"supplier: nobody",
            "high_risk.yaml, HR-6.1, supplier: expected 'pipeline'",
        ),
        ("standards", b"harmonised: false", b"harmonised: false, extra: 1", "EN 18286:2026, extra: expected no such"),
        ("register", b"celex:", b"celex: 1 #", "register.yaml, celex: expected"),
        ("attestations", b"Who answers", b"Wer \xe4ntwortet", "attestations.yaml: expected UTF-8 text, got byte 0xe4"),
    ],
)
def test_a_register_that_fails_its_types_names_file_entry_and_field(tmp_path, name, before, after, words):
    """Whoever corrects the register finds the place: the file, the identifier of the entry, the field."""
    for each in law.FILES:
        (tmp_path / f"{each}.yaml").write_bytes((law.PLACE / f"{each}.yaml").read_bytes())
    place = tmp_path / f"{name}.yaml"
    assert before in place.read_bytes()
    place.write_bytes(place.read_bytes().replace(before, after, 1))
    with pytest.raises(errors.IntegrityError) as caught:
        law.load(tmp_path)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_answer_is_asked_for_by_the_duty_that_it_answers() -> None:
    """That measures of oversight are there does not show them effective; a list of misuse evaluates no risk."""
    asked = {r.id: set(r.evidence) for r in REGISTER.all_requirements}
    for duty in ("HR-14.1", "HR-14.2", "HR-14.3", "HR-14.4.a", "AIV-2e"):
        assert "attestation:oversight_assessed" in asked[duty]
    naming = {duty for duty, pointers in asked.items() if "attestation:oversight" in pointers}
    assert naming == {"HR-13.3.d", "AIV-2e", "AIV-3"}
    assert asked["HR-9.2.b"] == {"attestation:risks_evaluated"}
