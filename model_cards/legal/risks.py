"""The risk management file (Art. 9): the provider's register of risks, each beside the tests that show its control.

The headings and labelled lines are those that tools in use read (`Risk 1`, then `Risk:`, `Source:` and so on). What the
run suggests and no risk of the register speaks of stands apart, so that nobody takes it for assessed.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import Any

from configs import answers
from model_cards import blocks, controls, decision, fairness_comparisons, limits, stated, statements, tree
from model_cards.legal import frame
from model_cards.refs import Book, Fact, Gap, Node
from model_cards.statements import said
from model_cards.tree import Bullets, Document, Labels, Pairs, Paragraph, Parts, Section, Table, parts

AREAS = {"health": "health", "safety": "safety", "fundamental_rights": "fundamental rights"}
WHERE = statements.RISKS
NAMED = Paragraph(("The provider named these tests. Whether they test the control is for a person to judge.",), "note")
BAD = ("fail", "inconclusive", "not_measured")

STATED: tuple[tuple[str, str], ...] = (
    ("The system of risk management – Art. 9(1), (10)", "risk_management_system"),
    ("Review over the life cycle – Art. 9(2)", "risk_review"),
    ("Risks in the intended use – Art. 9(2)(a), (3)", "risks_identified"),
    ("How likely and how severe, in misuse too – Art. 9(2)(b)", "risks_evaluated"),
    ("Risks seen in use – Art. 9(2)(c)", "post_market_risks"),
    ("Measures – Art. 9(2)(d)", "risk_measures"),
    ("Effects of the requirements on each other – Art. 9(4)", "trade_offs"),
    ("Residual risk of each hazard and of the whole – Art. 9(5)", "residual_risk"),
    ("Minors and other vulnerable groups – Art. 9(9)", "vulnerable_groups"),
)
"""Points of Art. 9 and the question that answers each."""


def build(book: Book) -> Document:
    """The whole document."""
    sections = (_overview(book), _system(book), _register(book), _suggested(book), _tests(book))
    return frame.document(book, "risk management file", sections)


def entries(book: Book) -> list[Node]:
    """The risks of the register, in its order."""
    return list(book["answers"]["risks"]) if book["answers"] else []


def _gap() -> Gap:
    return Gap(statements.NO_RISKS, "compliance officer", WHERE)


def _overview(book: Book) -> Section:
    found = entries(book)
    if not found:
        none = (
            "No risk is on record. The tests of this run point to some (below); which risks there are is for persons "
            "to say."
        )
        return Section("overview", "Overview", (Paragraph((none,)),))
    lines = tuple(
        (
            (risk["title"].fact(),),
            _word(risk["likelihood"]),
            _word(risk["severity"]),
            _shown_in_short(book, risk),
            _accepted_in_short(book, risk),
            _review(book, risk),
        )
        for risk in found
    )
    heads = ("Risk", "Likelihood", "Severity", "Named tests passed", "Residual risk accepted", "Review")
    caption = ("The register at a glance; likelihood and severity are those with the control in place",)
    return Section("overview", "Overview", (Table(caption, heads, lines, prose=True), NAMED))


def _system(book: Book) -> Section:
    rows = tuple((words, said(book, question)) for words, question in STATED)
    table = Pairs("Stated by persons", rows)
    return Section("system", "How risks are managed – Art. 9", (table, *_disagreement(book)), short="Art. 9")


def _disagreement(book: Book) -> list[Paragraph]:
    """That what was stated of every residual risk and the register have to agree, where they may not."""
    if unsettled_statement(book) is None:
        return []
    node = book["answers"]["risks"]
    words = tree.say(
        "The statement on the residual risk of each hazard stands beside a register in which nobody has accepted the "
        "residual risk of {n} of {all} risks as they are now. One of the two has to change, unless the statement says "
        "so itself (for the management).",
        n=node.derived(len(not_accepted(book)), "risks that nobody has accepted as they are", "count"),
        all=node.size("risks"),
    )
    return [Paragraph(words)]


def _register(book: Book) -> Section:
    found = entries(book)
    lead: Parts = (
        ("Every entry is stated by the provider. What a test found stands beneath it.",) if found else (_gap(),)
    )
    sections = tuple(_risk(book, risk, number) for number, risk in enumerate(found, start=1))
    return Section("register", "The register of risks – Art. 9(2)", (Paragraph(lead),), sections, short="Register")


def _risk(book: Book, risk: Node, number: int) -> Section:
    shown: tuple[tuple[str, Parts], ...] = (
        ("Tests that the provider named", (_sentence(book, risk),)),
        ("Identifier", (risk["id"].fact("name"),)),
    )
    lines = (*assessed(risk), *shown, *settled(book, risk))
    return Section(f"risk-{number}", f"Risk {number}", (Labels(lines), *_control(book, risk)))


def assessed(risk: Node) -> tuple[tuple[str, Parts], ...]:
    """What the register says of a risk and its control, line by line: the same in every document."""
    misuse = risk["in_misuse"]
    arises = "in reasonably foreseeable misuse" if misuse.value else "in the intended use"
    return (
        ("Risk", (risk["title"].fact(),)),
        ("Source", (risk["source"].fact(),)),
        ("Consequence", (risk["consequence"].fact(),)),
        ("Affected", _listed(risk["affected"])),
        ("Impact areas", _areas(risk["impact_areas"])),
        ("Arises", (misuse.derived(arises, "in misuse or not, in words"),)),
        ("Likelihood", _word(risk["likelihood"])),
        ("Severity", _word(risk["severity"])),
        ("Control", (risk["control"].fact(),)),
    )


def settled(book: Book, risk: Node) -> tuple[tuple[str, Parts], ...]:
    """Who accepts what remains of a risk, and when it is looked at again: the same in every document."""
    return (("Residual risk", stated.acceptance(risk, book)), ("Review", _review(book, risk)))


def _areas(node: Node) -> Parts:
    return tree.joined(area.derived(AREAS[str(area.value)], "area in words") for area in node)


def _listed(node: Node) -> Parts:
    return tree.joined((item.fact() for item in node), "; ")


def _word(node: Node) -> Parts:
    return (node.derived(str(node.value), "word of the scale"),)


def _accepted_in_short(book: Book, risk: Node) -> Parts:
    accepted = risk["acceptance"]
    if not accepted:
        return (risk["id"].derived("no", "no acceptance in the register"),)
    if accepted.value["status"] == "outdated":
        return (accepted["status"].derived("outdated", "status in words"),)
    by = tree.say("by {person}, {at}", person=accepted["person"].fact(), at=accepted["at"].fact("date"))
    return parts(by, *stated.reservation(accepted, book))


def overdue(book: Book, risk: Node) -> bool:
    """Does the review date lie before the day on which this run was decided?"""
    at = risk["review_on"].value
    if not at:
        return False
    return dt.date.fromisoformat(str(at)) < dt.datetime.fromisoformat(str(book["gate"]["at"].value)).date()


def _review(book: Book, risk: Node) -> Parts:
    if not risk["review_on"]:
        return (statements.risk_gap(risk, "day of the next review of the risk", "compliance officer"),)
    if overdue(book, risk):
        at = risk["review_on"].fact("date")
        return parts("overdue: due on ", at, ", before this run was decided")
    return parts("due on ", risk["review_on"].fact("date"))


def statuses(book: Book, risk: Node) -> list[str]:
    """The outcomes of everything that is said to show a control; a check without a threshold counts as measured."""
    return [status for control in controls.of(book, risk) for status in control.statuses]


def _shown_in_short(book: Book, risk: Node) -> Parts:
    words = _verdict(statuses(book, risk))
    return (risk["shown_by"].derived(words, "outcomes of the checks that it names"),)


def _verdict(found: list[str]) -> str:
    if not found:
        return "no test named"
    if "fail" in found:
        return "no: a test failed"
    if "not_measured" in found:
        return "no: a test was not made"
    if "inconclusive" in found:
        return "open: a test could not decide"
    if all(status == "not_applicable" for status in found):
        return "measured without a threshold"
    return "yes"


SENTENCES = {
    "no: a test failed": "This control is NOT shown: a test that is named for it failed.",
    "no: a test was not made": "This control is NOT shown: a test that is named for it was not made.",
    "open: a test could not decide": "Whether this control works is open: a test that is named for it could not "
    "decide.",
    "measured without a threshold": "The tests named for this control were made; the policy sets no threshold by "
    "which they could pass or fail.",
    "yes": "Every test with a threshold that is named for this control passed.",
}


def _sentence(book: Book, risk: Node) -> Fact | Gap:
    """Whether the tests show the control, in a sentence; a gap where none is named."""
    found = statuses(book, risk)
    if not found:
        return stated.no_check(risk)
    words = SENTENCES[_verdict(found)]
    return risk["shown_by"].derived(words, "outcomes of the checks that it names")


def _control(book: Book, risk: Node) -> list[tree.Block]:
    shown: list[tree.Block] = []
    lines: list[tuple[Parts, ...]] = []
    for control in controls.of(book, risk):
        lines += [_line_of(v) for v in control.verdicts] or [_line_without(control)]
    if lines:
        heads = ("Test", "Slice", "Measured", "Interval", "Threshold", "Rows", "Outcome")
        shown.append(
            Table(("Tests that the provider named for this control",), heads, tuple(lines), frozenset({2, 3, 5}))
        )
    return shown


def _line_of(verdict: blocks.Verdict) -> tuple[Parts, ...]:
    return (
        (verdict.title,),
        blocks.slice_words(verdict.reason),
        blocks.value(verdict.measure, verdict.bound),
        blocks.interval(verdict.measure, verdict.bound),
        blocks.threshold(verdict.threshold),
        blocks.rows(verdict.measure),
        blocks.status(verdict.reason),
    )


def _line_without(control: controls.Control) -> tuple[Parts, ...]:
    """A test that no line of the gate judges, or that the run has not made."""
    result, measure = control.result, control.measure
    if result is None:
        title, outcome = (
            control.name.fact("name"),
            control.name.derived("not made", "no check of the run has this name"),
        )
        return ((title,), *[blocks.NOTHING] * 5, (outcome,))
    judged = measure is None or control.statuses != ["not_applicable"]
    return (
        (result["title"].fact(),),
        blocks.slice_words(measure) if measure is not None else blocks.NOTHING,
        blocks.value(measure),
        blocks.interval(measure),
        blocks.NOTHING,
        blocks.rows(measure),
        blocks.status(result) if judged else ("no threshold set",),
    )


@dataclasses.dataclass(frozen=True)
class _Line:
    """A line of what the run suggests, with the check and the slice that a risk has to name to cover it."""

    check: Node
    where: str
    cells: tuple[Parts, ...]


def _in_no_risk(book: Book) -> list[_Line]:
    """What the run found and no risk of the register names, check and slice."""
    every = [*map(_hazard, _open(book)), *_worst_slice(book), *_attacks(book), *_worse(book)]
    return [line for line in every if not controls.named(book, str(line.check.value), line.where)]


def in_no_risk(book: Book) -> Parts:
    """How many findings of the run no risk of the register names, in a sentence; empty where each is named."""
    found = _in_no_risk(book)
    one, many = "{n} finding of the run is in no risk (below).", "{n} findings of the run are in no risk (below)."
    number = book["gate"]["reasons"].derived(len(found), "findings of the run that no risk names", "count")
    return tree.say(one if len(found) == 1 else many, n=number) if found else ()


def _suggested(book: Book) -> Section:
    """What the run found and no risk of the register names, check and slice, and the misuse that the plan foresees."""
    lines = _in_no_risk(book)
    shown: list[tree.Block] = []
    if lines:
        words = "The run points to these; no risk of the register names the check that found them for this slice."
        shown += [Paragraph((words,)), *_how_to_cover(book, lines)]
        heads = ("What the run points to", "Outcome", "What was found", "From")
        body = tuple(line.cells for line in lines)
        shown.append(Table(("Not yet in the register",), heads, body, prose=True))
    else:
        shown.append(
            Paragraph(("Whatever failed, stayed open or stood out in this run is named by a risk of the register.",))
        )
    return Section(
        "suggested", "Suggested by the run, not yet in the register", (*shown, *_misuse(book)), short="Suggested"
    )


def _how_to_cover(book: Book, lines: list[_Line]) -> list[tree.Block]:
    """How a risk names a slice, where one names a check of these lines and another slice or none."""
    known = {answers.check_and_slice(str(name.value))[0] for risk in entries(book) for name in risk["shown_by"]}
    line = next((line for line in lines if line.where != controls.WHOLE and line.check.value in known), None)
    if line is None:
        return []
    sentence = tree.say(
        "A risk that names a check covers its line on the whole, and one that names it with a slice, such as "
        "{example}, the lines of that slice; no other.",
        example=_named(line.check, line.where),
    )
    return [Paragraph(sentence, "note")]


def _misuse(book: Book) -> list[tree.Block]:
    """Each misuse that the plan foresees, beside the risks that arise in misuse: a person judges which covers which."""
    foreseen = book.plan["system"]["foreseeable_misuse"]
    if not foreseen:
        return []
    found = [risk for risk in entries(book) if risk.value["in_misuse"]]
    items = Bullets(tuple((item.fact(),) for item in foreseen))
    if not found:
        return [Paragraph(("The plan foresees misuse, and no risk of the register arises in misuse:",)), items]
    titles = tree.joined((tree.say("“{title}”", title=risk["title"].fact()) for risk in found), "; ")
    sentence = tree.say(
        "Risks of the register that arise in misuse: {titles}. The plan foresees the following misuse; whether these "
        "risks cover each of them is for a person to judge:",
        titles=titles,
    )
    return [Paragraph(sentence), items]


def _open(book: Book) -> list[blocks.Verdict]:
    order = {status: index for index, status in enumerate(BAD)}
    return sorted((v for v in blocks.verdicts(book) if v.status in BAD), key=lambda v: order[v.status])


def _hazard(verdict: blocks.Verdict) -> _Line:
    where: Parts = parts(" (", *blocks.slice_words(verdict.reason), ")") if blocks.adds_slice(verdict) else ()
    check, found_in = verdict.reason["check_id"], controls.slice_of(verdict)
    cells = (parts(verdict.title, *where), blocks.status(verdict.reason), blocks.measured(verdict))
    return _Line(check, found_in, (*cells, _named(check, found_in)))


def _named(check: Node, where: str) -> Parts:
    """How a risk names the check, and the slice where it is not the whole: to be copied into the register."""
    if where == controls.WHOLE:
        return (check.fact("name"),)
    return (check.derived(f"{check.value}@{where}", "check and slice as a risk names them", "name"),)


def _attacks(book: Book) -> list[_Line]:
    """Attacks without a gate that lower the result on unchanged inputs, or that find training rows."""
    gated = {v.reason.value["check_id"] for v in blocks.verdicts(book)}
    found: list[_Line] = []
    for result in (*book.family("robustness"), *book.family("security")):
        measure, check = next(iter(result["measures"]), None), str(result.value["check_id"])
        if check in gated or measure is None or not measure["interval"] or measure.value["value"] is None:
            continue
        if check in RISES and measure["interval"].value["low"] > RISES[check]:
            found.append(_attack(result, measure, (" lies above what guessing gives",)))
        clean = result["details"]["clean"] if result["details"] else None
        if (
            clean is not None
            and isinstance(clean.value, int | float)
            and measure["interval"].value["high"] < clean.value
        ):
            found.append(_attack(result, measure, (", from ", clean.fact("number"), " on unchanged inputs")))
    return found


RISES = {"security.membership_threshold": 0.5, "security.membership_likelihood": 0.5}
"""Attacks whose success is a value above guessing: area under the ROC curve, chance is one half."""


def _attack(result: Node, measure: Node, words: Parts) -> _Line:
    what = parts(*blocks.value(measure), " ", *blocks.interval(measure), *words)
    cells: tuple[Parts, ...] = (
        (result["title"].fact(),), ("no threshold set",), what, _named(result["check_id"], str(measure.value["slice"])),
    )  # fmt: skip
    return _Line(result["check_id"], str(measure.value["slice"]), cells)


def _worse(book: Book) -> list[_Line]:
    """Gaps between groups that no gate judges and whose whole interval is away from zero."""
    found: list[_Line] = []
    for result, measure in limits.apart(book):
        what = parts(*blocks.value(measure), " ", *blocks.interval(measure), *blocks.note_of(measure))
        title = parts(result["title"].fact(), " (", *blocks.slice_words(measure), ")")
        where = str(measure.value["slice"])
        cells: tuple[Parts, ...] = (title, ("no threshold set",), what, _named(result["check_id"], where))
        found.append(_Line(result["check_id"], where, cells))
    return found


def _worst_slice(book: Book) -> list[_Line]:
    """The group of rows that fares worst, where no gate judges it and it stands out on rows it was not searched on."""
    found = []
    gated = {v.reason.value["check_id"] for v in blocks.verdicts(book)}
    for result in (*book.results_of("robustness.worst_slice"), *book.results_of("robustness.worst_slice_error")):
        measure = next(iter(result["measures"]), None)
        stands_out = result["details"] and result["details"]["stands_out"].value
        if measure is None or measure.value["value"] is None or not stands_out or result.value["check_id"] in gated:
            continue
        words = tree.say(", from {start} over all rows", start=result["details"]["overall"].fact("number"))
        found.append(_attack(result, measure, (*words, *blocks.note_of(measure))))
    return found


def _tests(book: Book) -> Section:
    rests_on = fairness_comparisons.basis(book, gated=True)
    shown = (Paragraph(decision.when_fixed(book)), blocks.gate_table(book), *rests_on)
    return Section("tests", "Tests against thresholds that were fixed before – Art. 9(6), (8)", shown, short="Tests")


def data(book: Book) -> dict[str, Any]:
    """The register for programs, each risk with the outcomes of the tests named for its control."""
    return {
        "format": "proofline risk register",
        "version": 1,
        "status": "DRAFT",
        "run": book.run_id.shown,
        "risks": [
            {
                **risk.value,
                "control_shown": _verdict(statuses(book, risk)),
                "accepted_before_run": bool(risk["acceptance"]) and stated.before_run(risk["acceptance"], book),
                "review_overdue": overdue(book, risk),
                "tests": [
                    {
                        "check": control.name.value,
                        "evidence": control.result.evidence if control.result is not None else None,
                        "outcomes": control.statuses,
                    }
                    for control in controls.of(book, risk)
                ],
            }
            for risk in entries(book)
        ],
    }


def unsettled_statement(book: Book) -> Node | None:
    """What a person stated on the residual risk of each hazard, where the register holds one that nobody has accepted.

    The statement is free text: whether it contradicts the register is for a person to see.
    """
    found = statements.statement(book, "residual_risk")
    if found is None or found.value["status"] in statements.BLOCKING or not not_accepted(book):
        return None
    return found


def not_accepted(book: Book) -> list[tuple[Node, Fact | Gap]]:
    """The risks that nobody has accepted as they stand, each with what is missing."""
    found: list[tuple[Node, Fact | Gap]] = []
    for risk in entries(book):
        accepted = risk["acceptance"]
        if not accepted:
            found.append((risk, next(p for p in stated.acceptance(risk, book) if isinstance(p, Gap))))
        elif accepted.value["status"] == "outdated":
            found.append((risk, accepted["status"].derived("acceptance outdated", "status in words")))
    return found
