"""The declaration: nothing is drafted while anything stands against it, and a draft declares nothing itself."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from configs.law import register as law
from evidence.dossier import Dossier
from model_cards import gaps, inventory, localise, refs, statements, tree
from model_cards import language as catalogues
from model_cards.legal import accepted, annex_iv, annexes, answered, brief, declaration, registration, traceability
from model_cards.refs import Node
from tests.model_cards import builders
from tests.model_cards.legal import stating

REASON = "Release to the test facility only, no use on persons."


def _approval(*waivers: dict[str, str]) -> Node:
    """An approval with these waivers, as the place that a draft is made beside."""
    said = {"person": "Erika Muster", "role": "compliance officer", "at": "2026-11-29T10:00:00Z", "reason": REASON}
    return Node("approvals/001.json", "", said | {"waivers": list(waivers)})


NONE = _approval()


@pytest.fixture(scope="module")
def ready(dossiers: dict[str, Dossier]) -> Dossier:
    """A run against which nothing stands: gate passed, everything answered, the one risk accepted."""
    return stating.answered(stating.passing(dossiers["binary"]), stating.RISK)


def _what(found: Dossier, waived: tuple[tuple[str, str], ...] = ()) -> list[str]:
    return [tree.plain(o.what) for o in declaration.against(refs.book(found), waived)]


def test_nothing_stands_against_what_is_ready(ready: Dossier) -> None:
    """With gate, answers and register in order a draft is made, field by field of Annex V, and the status says so."""
    assert _what(ready) == []
    book = refs.book(ready)
    titles = [section.title for section in declaration.draft(book, NONE).sections]
    assert [title.partition(" – ")[0] for title in titles[1:-2]] == [r.place for r in law.load().annex_v]
    assert declaration.data(book)["against"] == []
    assert "EU declaration of conformity: status before any approval" in tree.plain(declaration.build(book).title)


@pytest.mark.parametrize("status", ["fail", "inconclusive", "not_measured"])
def test_an_open_required_gate_stands_against_it_until_waived(ready: Dossier, status: str) -> None:
    """Whatever is not a pass blocks; the waiver of exactly this line lifts it; one not required blocks nothing."""
    index = next(i for i, r in enumerate(ready.gate.reasons) if r.required)
    line = ready.gate.reasons[index]
    optional = next(i for i, r in enumerate(ready.gate.reasons) if not r.required)
    reasons = list(ready.gate.reasons)
    reasons[index] = line.model_copy(update={"status": status})
    reasons[optional] = reasons[optional].model_copy(update={"status": status})
    changed = dataclasses.replace(ready, gate=ready.gate.model_copy(update={"reasons": tuple(reasons)}))
    (only,) = declaration.against(refs.book(changed))
    assert only.who == "engineer, or whoever approves"
    assert _what(changed, ((line.check_id, line.slice),)) == []
    waiver = {"check_id": line.check_id, "slice": line.slice, "person": "P", "reason": "Why.", "expires": "2027-01-01"}
    draft = declaration.draft(refs.book(changed), _approval(waiver))
    shown = {p.value for p in tree.walk_section(draft.sections[-2]) if isinstance(p, refs.Fact)}
    assert {status, "P", "Why.", "2027-01-01"} <= shown
    text = tree.plain(tuple(tree.walk_section(draft.sections[-2])))
    assert "After it this draft must not be signed without a new decision." in text
    assert len(_what(changed, ((line.check_id, "another"),))) == 1
    with pytest.raises(ValueError, match="expected nothing that stands against it"):
        declaration.draft(refs.book(changed), NONE)


def test_what_did_not_pass_is_counted_by_where_its_limit_stands(ready: Dossier) -> None:
    """Gates of the plan and further checks are counted apart, in words and by what each line begins with."""
    plan = {gate.check for gate in ready.plan.policy.gates}
    reasons = tuple(r.model_copy(update={"status": "inconclusive"}) if r.required else r for r in ready.gate.reasons)
    changed = dataclasses.replace(ready, gate=ready.gate.model_copy(update={"reasons": reasons}))
    required = [r.check_id for r in reasons if r.required]
    gates = sum(name in plan for name in required)
    assert 0 < gates < len(required)
    said = _what(changed)
    assert sum(words.startswith("gate of the plan: ") for words in said) == gates
    assert sum(words.startswith("further required check: ") for words in said) == len(required) - gates
    words = f"{len(required)}, of which gates of the plan: {gates}, further checks on data, export and declared"
    book = refs.book(changed)
    for document in (declaration.build(book), annex_iv.build(book)):
        assert words in "".join(tree.plain((part,)) for part in tree.walk(document))


def test_each_missing_statement_stands_against_it(dossiers: dict[str, Dossier], ready: Dossier) -> None:
    """Every question that applies and is open is listed with its owner; one that applies to nobody is not."""
    asked = [s.id for s in ready.answers.statements if s.applies] if ready.answers else []
    assert len(asked) > 40
    high = stating.passing(dossiers["binary"])
    for question in (asked[0], asked[-1]):
        (only,) = declaration.against(refs.book(stating.answered(high, stating.RISK, leave=(question,))))
        assert tree.plain(only.what) == next(q.question for q in law.load().attestations if q.id == question)
        assert (only.who, tree.plain(only.where)) == (_owner(question), f"proofline answer --only {question}")
    bare = builders.with_plan(high, stating.HIGH_RISK)
    assert len([o for o in declaration.against(refs.book(bare)) if "answer --only" in tree.plain(o.where)]) > 40


def _owner(question: str) -> str:
    return statements.OWNERS[next(q.owner for q in law.load().attestations if q.id == question)]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"acceptance": None}, ("residual risk of", "statement on the residual risk")),
        ({"review_on": "2026-11-01"}, ("review of",)),
    ],
)
def test_a_risk_that_is_not_settled_stands_against_it(
    ready: Dossier, change: dict[str, Any], words: tuple[str, ...]
) -> None:
    """A residual risk that nobody accepted, with what was stated of every residual risk; a review that is overdue."""
    found = _what(stating.answered(ready, stating.RISK | change))
    assert len(found) == len(words)
    assert all(what.startswith(start) for what, start in zip(found, words, strict=True))


def test_an_outdated_acceptance_and_an_empty_register_stand_against_it(ready: Dossier) -> None:
    """An acceptance of what has changed since is none; a register without risks rests on nothing."""
    assert ready.answers is not None
    risk = ready.answers.risks[0]
    assert risk.acceptance is not None
    old = risk.model_copy(update={"acceptance": risk.acceptance.model_copy(update={"status": "outdated"})})
    changed = dataclasses.replace(ready, answers=ready.answers.model_copy(update={"risks": (old,)}))
    assert [w for w in _what(changed) if w.startswith("residual risk of")]
    assert _what(stating.answered(ready)) == ["the register of risks"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"classification": {"annex_i_product": "unknown"}}, "the class of the system"),
        ({"system": {"provider": {"name": "X"}}}, "address of the provider"),
        ({"data": {"provenance": {"title": "X", "personal_data": "unknown"}}}, "whether the data are personal"),
    ],
)
def test_what_annex_v_needs_of_the_plan_stands_against_it(ready: Dossier, change: dict[str, Any], words: str) -> None:
    """An open class, no address, and no word on personal data."""
    changed = builders.with_plan(ready, change)
    assert any(what.startswith(words) for what in _what(changed))


def test_the_document_of_a_run_is_the_list_of_what_is_open(dossiers: dict[str, Dossier]) -> None:
    """A run that is not ready gets no draft but the list, each line with who can change it; so does the JSON."""
    book = refs.book(builders.with_plan(dossiers["binary"], stating.HIGH_RISK))
    document, data = declaration.build(book), declaration.data(book)
    assert "not rendered" in tree.plain(document.title)
    assert not data["rendered"]
    found = declaration.against(book)
    assert len(data["against"]) == len(found) > 10
    assert all(o["who"] and o["where"] and o["what"] for o in data["against"])
    text = tree.plain(tuple(tree.walk(document)))
    assert all(tree.plain(o.what) in text for o in found)
    assert "sole responsibility" not in text.partition("Fields of Annex V")[0]


def test_a_draft_states_nothing_itself(ready: Dossier) -> None:
    """What the form wants stated is said of the signatory, in words that a signature alone makes a statement."""
    words = "".join(part for part in tree.walk(declaration.draft(refs.book(ready), NONE)) if isinstance(part, str))
    assert "By signing, the signatory states that the system named above is in conformity" in words
    assert "The tool that wrote it declares nothing." in words
    data = declaration.draft_data(refs.book(ready), NONE)
    assert (data["status"], data["signed"]) == ("DRAFT - not a declaration", False)
    assert [f["id"] for f in data["fields"]] == [r.id for r in law.load().annex_v]
    only_signed = ("AV-3", "AV-4", "AV-8")
    states = {f["id"]: f["state"] for f in data["fields"] if f["id"] != "AV-1"}
    assert states == {name: "by signature" if name in only_signed else "filled" for name in states}
    assert all(f["text"] and (f["evidence"] or f["id"] == "AV-3") for f in data["fields"])
    stated = {f["id"] for f in data["fields"] if f["stated_by_signing"]}
    assert stated == {"AV-3", "AV-4", "AV-5"}


def _stating(ready: Dossier, question: str, text: str) -> Dossier:
    """The same run with another answer to a question."""
    assert ready.answers is not None
    changed = tuple(s.model_copy(update={"text": text}) if s.id == question else s for s in ready.answers.statements)
    return dataclasses.replace(ready, answers=ready.answers.model_copy(update={"statements": changed}))


def _field(book: refs.Book, name: str) -> str:
    document = declaration.draft(book, NONE)
    (section,) = [s for s in document.sections if s.id == f"field-{name.lower()}"]
    return tree.plain(tuple(tree.walk_section(section)))


def test_a_name_is_no_statement_of_the_law(ready: Dossier) -> None:
    """Who will sign fills the field on the signature alone; responsibility and conformity stay open until it is there.

    Nor does a draft list them as open, for the signature under it states them.
    """
    book = refs.book(_stating(ready, "declaration", "Karl Vogt signs for the company."))
    assert "Karl Vogt" in _field(book, "AV-8")
    found = {f["id"]: f for f in annexes.plain([*annexes.fields(book, "AV-"), *annexes.fields(book, "AVIII-A")])}
    assert "Karl Vogt" in found.pop("AV-8")["text"]
    assert not any("Karl Vogt" in field["text"] for field in found.values())
    for name in ("AV-3", "AV-4"):
        assert "Karl Vogt" not in _field(book, name)
        requirement = book.law["read"]["requirements"].first(id=name)
        assert requirement is not None
        assert answered.of(book, requirement, answered.Places(frozenset()))[-1].state == "gap"
    listed = [o["asked_by"] for o in declaration.draft_data(book, NONE)["accepted_by_signature"]["open"]]
    assert not any("AV-3" in asked or "AV-8" in asked for asked in listed)


@pytest.mark.parametrize(
    ("answer", "none"),
    [
        ("None applies: the scorer is no product under other harmonisation law.", True),
        ("Keiner gilt: Das System ist kein Produkt.", True),
        ("Aucun ne s’applique : le système n’est pas un produit.", True),
        ("Not applicable: it is no machine and no radio equipment.", True),
        ("Regulation (EU) 2017/745 on medical devices applies.", False),
        ("None applies except Regulation (EU) 2017/745.", False),
    ],
)
def test_the_sentence_on_conformity_follows_the_answer_on_other_law(ready: Dossier, answer: str, *, none: bool) -> None:
    """It names other Union law only where a person named some, and the answer stands beneath it."""
    said = _field(refs.book(_stating(ready, "other_union_law", answer)), "AV-4")
    assert ("does not apply" in said) is none
    assert ("and with other Union law as far as" in said) is not none
    assert answer in said


@pytest.mark.parametrize(("said", "shown"), [("Credit scoring software", "Credit scoring software"), (None, "type of")])
def test_the_type_of_the_system_stands_in_the_first_field(ready: Dossier, said: str | None, shown: str) -> None:
    """Annex V(1) asks for it: from the plan, or a gap that the draft lists. A plan without it keeps its digest."""
    book = refs.book(builders.with_plan(ready, {"system": {"type": said}} if said else {}))
    assert shown in _field(book, "AV-1")
    open_ = [
        o["what"]
        for o in declaration.draft_data(book, NONE)["accepted_by_signature"]["open"]
        if "AV-1" in o["asked_by"]
    ]
    assert open_ == ([] if said else ["Not stated: type of the system. To be filled by: provider (plan: system.type)."])
    assert ("type" in ready.plan.model_dump()["system"]) is False


def _carried(ready: Dossier) -> Dossier:
    """The same run with the acceptance of its risk and one statement carried over from an earlier run."""
    assert ready.answers is not None
    (risk,) = ready.answers.risks
    assert risk.acceptance is not None
    old = risk.acceptance.model_copy(update={"status": "carried", "carried_from": "run-1"})
    statements_ = tuple(
        s.model_copy(update={"status": "carried", "carried_from": "run-1"}) if s.id == "stop" else s
        for s in ready.answers.statements
    )
    risks = (risk.model_copy(update={"acceptance": old}),)
    return dataclasses.replace(
        ready, answers=ready.answers.model_copy(update={"risks": risks, "statements": statements_})
    )


def _text(dossier: Dossier, question: str) -> str:
    assert dossier.answers is not None
    return next(str(s.text) for s in dossier.answers.statements if s.id == question)


def test_the_draft_prints_the_approval_beside_which_it_was_made(ready: Dossier) -> None:
    """Who, in which role, when, and the whole reason stand in the head: an approval may allow less than a signature."""
    head = declaration.draft(refs.book(ready), NONE).sections[0]
    text = tree.plain(tuple(tree.walk_section(head)))
    assert "2026-11-29 10:00:00 UTC by Erika Muster, compliance officer. Whoever signs the declaration accepts" in text
    assert f"more than the approval did: read its reason.Reason of the approval: {REASON}" in text
    shown = {p.evidence for p in tree.walk_section(head) if isinstance(p, refs.Fact)}
    assert {f"approvals/001.json#/{name}" for name in ("person", "role", "at", "reason")} <= shown
    said = declaration.draft_data(refs.book(ready), NONE)["beside_approval"]
    assert (said["person"], said["reason"]) == ("Erika Muster", REASON)


@pytest.mark.parametrize("other", ["en", "de", "fr"])
def test_the_draft_lists_what_is_open_and_what_nobody_confirmed(ready: Dossier, other: str) -> None:
    """Every gap of a requirement and of the run, with the requirement that asks; acceptances that are carried over."""
    assert ready.answers is not None
    dossier = _carried(ready)
    book = inventory.gathered(refs.book(dossier))
    places = answered.Places(frozenset())
    rows = [row for article in traceability.articles(book, places) for row in article.rows]
    asking = {
        tree.plain((part,)): str(row.requirement.value["place"])
        for row in rows
        for answer in row.answers
        if answer.state == "gap"
        for part in answer.words
        if isinstance(part, refs.Gap)
    }
    assert asking
    assert set(asking) <= {gap.text for gap in book.gaps or ()}
    document = localise.build(lambda read: declaration.draft(inventory.gathered(read), NONE), book, other)
    last = document.sections[-1]
    gaps, carried = (block for block in last.blocks if isinstance(block, tree.Table))
    assert len(gaps.rows) == len(book.gaps or ())
    (risk,) = dossier.answers.risks if dossier.answers else ()
    assert [risk.title in tree.plain(row[0]) for row in carried.rows] == [True, False]
    assert all("run-1" in tree.plain(row[-1]) for row in carried.rows)
    texts = [risk.acceptance.reason if risk.acceptance else "", _text(dossier, "stop")]
    assert [tree.plain(row[1]) for row in carried.rows] == texts
    head = tree.plain(tuple(tree.walk_section(document.sections[0])))
    assert all(str(number) in head for number in (len(gaps.rows), len(carried.rows)))
    if other == "en":
        shown = {tree.plain(row[0]): tree.plain(row[1]) for row in gaps.rows}
        assert all(place in shown[gap] for gap, place in asking.items())
    found = declaration.draft_data(book, NONE)["accepted_by_signature"]
    assert [o["text"] for o in found["not_confirmed"]] == texts
    assert [len(found["open"]), len(found["not_confirmed"])] == [len(gaps.rows), len(carried.rows)]
    assert [o["what"] for o in found["open"] if o["asked_by"]] == list(dict.fromkeys(asking))


USE = {"annex_i_product": "no", "annex_i_point": None, "annex_iii_use": "yes", "annex_iii_point": "5(b)"}


@pytest.mark.parametrize(("point", "asked"), [("5(b)", True), ("2", False), (None, False)])
def test_what_no_question_covers_carries_the_duty_that_asks_for_it(
    dossiers: dict[str, Dossier], point: str | None, *, asked: bool
) -> None:
    """Art. 27(1) asks deployers for the impact on fundamental rights, not for Annex III(2); the run says so."""
    answers = USE | {"annex_iii_point": point} if point else {}
    book = refs.book(builders.with_plan(dossiers["binary"], {"classification": answers}))
    found = dataclasses.replace(book, gaps=gaps.not_covered(book))
    (rights,) = [o for o in accepted.still_open(found) if "impact on fundamental rights (" in tree.plain(o.what)] or [
        None
    ]
    assert (rights is not None) == asked
    rows = {tree.plain(o.what): tree.plain(accepted.asked_by(o)) for o in accepted.still_open(found)}
    if rights is not None:
        (duty,) = (item for item in law.load().value_chain if item.id == "DP-27.1")
        assert rows[tree.plain(rights.what)] == f"{duty.place}: {duty.text}"
        assert f"({duty.place}, asked of those that it names as deployers" in tree.plain(rights.what)
    none = {words for what, words in rows.items() if what.startswith("Not covered") and "Art. 27(1)" not in what}
    assert none == {"covered by no question and no check of this run"}


@pytest.mark.parametrize("other", ["en", "de", "fr"])
def test_may_i_sign_says_from_which_day_the_duties_apply(dossiers: dict[str, Dossier], other: str) -> None:
    """The days of the register for the class, and that it asserts none where it has none."""
    book = refs.book(builders.with_plan(dossiers["binary"], {"classification": USE}))
    document = localise.build(annex_iv.build, book, other)
    (section,) = [s for s in document.sections[0].sections if s.id == "brief-sign"]
    days = {d.id: d for d in law.load().dates}
    wanted = [days["high-risk-annex-iii"], days["conformity-registration-monitoring"]]
    values = [p.value for p in tree.walk_section(section) if isinstance(p, refs.Fact)]
    assert wanted[0].date in values
    assert days["high-risk-annex-i"].date not in values
    said = tree.plain(tuple(tree.walk_section(section)))
    for day in wanted:
        assert catalogues.fixed(day.what, other) in said
    assert catalogues.fixed("unresolved", other) in said


@pytest.mark.parametrize(
    ("answers", "environment", "forms"),
    [
        (USE, "lab", ["a"]),
        (USE | {"derogation_claimed": "yes", "profiling": "no"}, "lab", ["a", "b"]),
        (USE | {"role": "deployer"}, "lab", ["a", "c"]),
        ({"annex_i_product": "yes", "annex_iii_use": "no"}, "lab", []),
        ({"annex_i_product": "yes", "annex_iii_use": "no"}, "real_world", ["ix"]),
    ],
)
def test_registration_follows_the_class(
    dossiers: dict[str, Dossier], answers: dict[str, Any], environment: str, forms: list[str]
) -> None:
    """Section A for Annex III, B for a claimed derogation, C for a deployer, Annex IX for a test in the real world."""
    changed = {"classification": answers, "bundle": {"test_environment": environment}}
    found = builders.with_plan(dossiers["binary"], changed)
    data = registration.data(refs.book(found))
    assert [form["id"] for form in data["forms"]] == forms
    known = {r.id for r in (*law.load().annex_viii, *law.load().annex_ix) if not r.deleted}
    for form in data["forms"]:
        assert {f["id"] for f in form["fields"]} <= known
        assert all(f["state"] in ("filled", "by signature", "in part", "missing") for f in form["fields"])


def test_no_answer_fills_two_fields_of_the_registration(ready: Dossier) -> None:
    """Who submits, status, Member States and web address are asked one by one: a form repeats no answer."""
    answers = {"classification": USE | {"role": "deployer"}}
    found = stating.answered(builders.with_plan(ready, answers), stating.RISK)
    for form in registration.data(refs.book(found))["forms"]:
        stated = [f["text"] for f in form["fields"] if "What the company says on registration" in f["text"]]
        assert len(stated) == len(set(stated)) >= 3
    register = law.load()
    for section in ("AVIII-A", "AVIII-B", "AVIII-C"):
        asked = [p for r in register.annex_viii if r.id.startswith(section) for p in r.evidence if "regist" in p]
        assert len(asked) == len(set(asked))


@pytest.mark.parametrize("other", ["en", "de", "fr"])
def test_no_certificate_is_missing_where_no_notified_body_takes_part(ready: Dossier, other: str) -> None:
    """Internal control (Art. 43(2)) leaves the fields of the certificate empty; any other route asks them."""
    for point, applies in (("5(b)", False), ("1(a)", True), (None, True)):
        answers = {"classification": USE | {"annex_iii_point": point}}
        book = refs.book(builders.with_plan(dataclasses.replace(ready, answers=None), answers))
        found = {f.requirement.value["id"]: f.state for f in annexes.fields(book, "AVIII-A")}
        assert [found["AVIII-A8"], found["AVIII-A9"]] == (["missing"] * 2 if applies else ["filled"] * 2)
        if not applies:
            document = localise.build(registration.build, book, other)
            assert localise.missing(document) == () or other == "en"
            words = {"en": "Not applicable", "de": "Nicht anwendbar", "fr": "Non applicable"}[other]
            assert tree.plain(tuple(tree.walk(document))).count(words) == 2


def test_every_pointer_of_the_forms_leads_somewhere(ready: Dossier) -> None:
    """Each field of Annexes V, VIII and IX can be filled: no pointer of the register is unknown to the forms."""
    register = law.load()
    book = refs.book(ready)
    for requirement in (*register.annex_v, *register.annex_viii, *register.annex_ix):
        for pointer in requirement.evidence:
            assert annexes.value(book, pointer)


def test_every_open_question_on_the_class_stands_against_it(ready: Dossier) -> None:
    """Not only the question of high risk: an unanswered duty of transparency keeps the class open, too."""
    changed = builders.with_plan(ready, {"classification": {"transparency_duty": "unknown"}})
    assert _what(changed) == ["open on the class of the system: Duty of transparency"]


@pytest.mark.parametrize(
    ("language", "words"), [("en", "a prohibited practice"), ("de", "verbotene"), ("fr", "interdite")]
)
def test_a_prohibited_practice_stands_against_it_in_every_document(ready: Dossier, language: str, words: str) -> None:
    """The refusal, its status for programs, the annex and the card name the practice, before anything else."""
    answers = {"classification": {"prohibited_practice": "yes", "prohibited_practices": ["P5-c"]}}
    changed = builders.with_plan(ready, answers)
    assert _what(changed) == ["a prohibited practice (Art. 5)"]
    book = refs.book(changed)
    (said,) = declaration.data(book)["against"]
    assert "Art. 5(1)(c)" in said["why"]
    assert any("findings" in place for place in said["evidence"])
    for builder in (declaration.build, annex_iv.build):
        document = localise.build(builder, book, language)
        assert language == "en" or localise.missing(document) == ()
        text = "".join(tree.plain((part,)) for part in tree.walk(document))
        assert words in text.partition("Art. 5(1)(c)")[0]
    first = brief.for_card(book).blocks[1]
    assert isinstance(first, tree.Paragraph)
    assert tree.plain(first.content).startswith("The answers point to a prohibited practice: the answers point to it")


@pytest.mark.parametrize("family", ["performance", "fairness", "robustness"])
@pytest.mark.parametrize("language", ["en", "de", "fr"])
def test_a_gate_that_the_class_expects_and_the_plan_lacks_is_told(ready: Dossier, family: str, language: str) -> None:
    """It stands against the declaration, is a gap of the annex and of the matrix, and names who can set it."""
    kept = [g.model_dump(mode="json") for g in ready.plan.policy.gates if not g.check.startswith(f"{family}.")]
    changed = builders.with_plan(ready, {"policy": {"gates": kept}})
    assert f"required gate on {family}" in _what(changed)
    book = refs.book(changed)
    (only,) = [o for o in declaration.against(book) if tree.plain(o.what) == f"required gate on {family}"]
    assert (only.who, tree.plain(only.where)) == ("engineer", "plan: policy.gates")
    (requirement,) = [g["requirement"] for g in book.law["read"]["gates"]]
    row = next(
        row
        for article in traceability.articles(book, answered.Places(frozenset()))
        for row in article.rows
        if row.requirement.value["id"] == requirement.value["id"]
    )
    gaps = [p for a in row.answers if a.state == "gap" for p in a.words if isinstance(p, refs.Gap)]
    (gap,) = [gap for gap in gaps if gap.key[0] == f"required gate on {family}"]
    assert (gap.who, gap.where) == ("engineer", "plan: policy.gates")
    document = localise.build(annex_iv.build, book, language)
    assert language == "en" or localise.missing(document) == ()
    word = gap.key[0] if language == "en" else catalogues.find(gap.key[0], language)
    point = next(s for s in document.sections if s.id == "AIV-4")
    assert any(isinstance(p, refs.Gap) and word and word in p.text for p in tree.walk_section(point))
    assert any(word and word in tree.plain((p,)) for p in tree.walk_section(document.sections[0]))


@pytest.mark.parametrize("other", ["en", "de", "fr"])
def test_two_signatures_are_two_questions(ready: Dossier, other: str) -> None:
    """A run whose gate is open can be approved with waivers, and they settle what stands against its declaration.

    One that passed needs no waiver, and an open question stands against its declaration alone.
    """
    reasons = tuple(r.model_copy(update={"status": "fail"}) if r.required else r for r in ready.gate.reasons)
    failed = dataclasses.replace(ready, gate=ready.gate.model_copy(update={"reasons": reasons}))
    opened = stating.answered(stating.passing(ready), stating.RISK, leave=("stop",))
    required = sum(r.required for r in reasons)
    words = [
        f"only with waivers: {required} required gates and checks did not pass",
        f"{required} things stand against it (which); of these waivers with the approval would settle {required}.",
        "without a waiver: every required gate and check passed.",
        "1 thing stands against it (which); of these a waiver with the approval would settle 0.",
    ]
    said = []
    for dossier in (failed, opened):
        document = localise.build(annex_iv.build, inventory.gathered(refs.book(dossier)), other)
        assert other == "en" or localise.missing(document) == ()
        (pairs,) = (b for b in document.sections[0].blocks if isinstance(b, tree.Pairs))
        said += [tree.plain(content) for _, content in pairs.rows[-2:]]
        (section,) = [s for s in document.sections[0].sections if s.id == "brief-sign"]
        assert sum(isinstance(b, tree.Bullets) for b in section.blocks) == 1
    if other == "en":
        assert all(text.startswith("Before any approval, ") for text in said)
        assert all(found in text for found, text in zip(words, said, strict=True)), said
    else:
        assert not any("erzicht" in text for text in said), "what is waived is accepted: hinnehmen"
        before = {"de": "Solange nichts freigegeben ist", "fr": "Avant toute approbation"}[other]
        assert all(text.startswith(before) for text in said)


@pytest.mark.slow
def test_carried_over_waits_and_outdated_blocks(ready: Dossier) -> None:
    """One rule for both documents: what is outdated stands against it, what is carried over only waits; both count."""
    assert ready.answers is not None
    asked = [s.id for s in ready.answers.statements if s.applies][:3]
    standing = dict(zip(asked, ("carried", "carried", "outdated"), strict=True))
    changed = dataclasses.replace(
        ready,
        answers=ready.answers.model_copy(
            update={
                "statements": tuple(
                    s.model_copy(update={"status": standing.get(s.id, s.status)}) for s in ready.answers.statements
                )
            }
        ),
    )
    book = refs.book(changed)
    (only,) = declaration.against(book)
    assert "what it speaks of has changed since" in tree.plain(only.why)
    for document in (declaration.build(book), annex_iv.build(book)):
        text = "".join(tree.plain((part,)) for part in tree.walk(document))
        assert "Outdated statements, waiting for confirmation or another answer: 1." in text
        assert (
            "Statements carried over from an earlier run, not yet confirmed: 2; these do not stand against a signature."
            in text
        )
        assert "before any approval" in text
    sign = next(s for s in annex_iv.build(book).sections[0].sections if s.id == "brief-sign")
    (reasons,) = [b for b in sign.blocks if isinstance(b, tree.Bullets)]
    assert [tree.plain(item) for item in reasons.items if "carried over" in tree.plain(item)] == []


@pytest.mark.slow
def test_annex_iv_says_how_many_things_stand_against_the_declaration(dossiers: dict[str, Dossier]) -> None:
    """The point of the annex names the same number as the document it leads to, and where a draft will stand."""
    book = refs.book(builders.with_plan(dossiers["binary"], stating.HIGH_RISK))
    point = next(s for s in annex_iv.build(book).sections if s.id == "AIV-8")
    text = tree.plain(tuple(tree.walk_section(point)))
    assert f"stand against it before any approval: {len(declaration.against(book))} (" in text
    assert "the draft stands beside the approval" in text
    first = declaration.build(book).sections[0].blocks[0]
    assert isinstance(first, tree.Paragraph)
    assert "the status before any approval, and no draft" in tree.plain(first.content)
    assert "stands in approvals/, in a folder beside the signed approval" in tree.plain(first.content)
    assert "not rendered: status before any approval" in tree.plain(declaration.build(book).title)


def test_the_draft_names_who_stated_the_signatory(ready: Dossier) -> None:
    """The last field shows person and role, and that name and function of the signatory have to be completed."""
    field = declaration.draft(refs.book(ready), NONE).sections[-3]
    text = tree.plain(tuple(tree.walk_section(field)))
    assert f"Stated by {stating.BY['person']}, {stating.BY['role']}. Name and function of the signatory" in text


@pytest.mark.parametrize("other", ["de", "fr"])
def test_the_draft_speaks_the_languages_of_the_plan(ready: Dossier, other: str) -> None:
    """Its fixed words, what the signatory would state among them, are in the catalogues."""
    for dossier in (ready, _carried(ready)):
        document = localise.build(
            lambda book: declaration.draft(inventory.gathered(book), NONE), refs.book(dossier), other
        )
        assert localise.missing(document) == ()
        assert document.language == other
