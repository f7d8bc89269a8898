"""The section on what persons have stated, with their names, and on the risks that they see."""

from __future__ import annotations

import datetime as dt

from model_cards import controls, statements, tree
from model_cards.refs import Book, Gap, Node
from model_cards.tree import Paragraph, Parts, Section, Table, parts

LEAD = Paragraph(
    (
        "Nothing here was measured. Each statement is that of the person named with it; where it was carried over from "
        "an earlier run, or where what it speaks of has changed since, it says so.",
    ),
    "note",
)


def section(book: Book) -> Section:
    """Every statement that was made, and the register of risks. Empty where nobody has stated anything."""
    given = book["answers"]["statements"] if book["answers"] else ()
    answered = {str(s.value["id"]) for s in given if s.value["status"] != "open"}
    inner = tuple(_risk(risk, number, book) for number, risk in enumerate(_risks(book), start=1))
    shown: list[tree.Block] = [LEAD] if answered or inner else []
    if answered:
        register = book.law["register"]["attestations"]
        questions = {str(q.value["id"]): q["question"].fact() for q in register}
        lines = tuple(((questions[q],), statements.said(book, q)) for q in statements.order(book) if q in answered)
        shown.append(Table(("Statements of persons",), ("Question", "Statement"), lines, prose=True))
    return Section("stated", "What persons have stated", tuple(shown), inner, short="Statements")


def _risks(book: Book) -> list[Node]:
    return list(book["answers"]["risks"]) if book["answers"] else []


def _risk(risk: Node, number: int, book: Book) -> Section:
    """One risk, under the labels by which other tools read registers of risks."""
    misuse = "in foreseeable misuse" if risk.value["in_misuse"] else "in the intended use"
    rows: tuple[tuple[str, Parts], ...] = (
        ("Risk", parts(risk["title"].fact(), " (", risk["in_misuse"].derived(misuse, "in words"), ")")),
        ("Source", (risk["source"].fact(),)),
        ("Consequence", (risk["consequence"].fact(),)),
        ("Affected", listed(risk["affected"])),
        ("Impact areas", listed(risk["impact_areas"])),
        ("Likelihood, with the control", (risk["likelihood"].fact(),)),
        ("Severity, with the control", (risk["severity"].fact(),)),
        ("Control", (risk["control"].fact(),)),
        ("Shown by", shown_by(risk, book)),
        ("What remains", acceptance(risk, book)),
        ("To be looked at again on", review(risk, book)),
    )
    return Section(f"risk-{risk.value['id']}", f"Risk {number}", (tree.Pairs("What it is and what controls it", rows),))


def listed(node: Node) -> Parts:
    """The items of a list on one line."""
    items = [
        item.derived(str(item.value).replace("_", " "), "name in words") if "_" in str(item.value) else item.fact()
        for item in node
    ]
    return tree.joined(items, "; ")


def no_check(risk: Node) -> Gap:
    """The gap that a risk leaves that names no check (Art. 9(6)): the same words wherever it is told."""
    return statements.risk_gap(risk, "check that shows the control of the risk", "provider")


def shown_by(risk: Node, book: Book) -> Parts:
    """The checks that show the control with their outcome; a gap where none is named or a named one was not made."""
    if not risk["shown_by"]:
        return (no_check(risk),)
    return controls.words(risk, book)


def acceptance(risk: Node, book: Book) -> Parts:
    """Who accepts what remains of a risk, why, and with which reservation; a gap where nobody does."""
    accepted = risk["acceptance"]
    if not accepted:
        return (statements.risk_gap(risk, "acceptance of what remains of the risk", "management"),)
    return parts("accepted: ", accepted["reason"].fact(), *statements.signed(accepted), *reservation(accepted, book))


def reservation(accepted: Node, book: Book) -> Parts:
    """What is to be known beside an acceptance: outdated, carried over, or given before the run it judges; or nothing.

    Wherever an acceptance is told, in a table of a glance too, this stands with it.
    """
    status = accepted.value["status"]
    if status == "outdated":
        return (" – outdated: the risk or a test of its control has changed since; to be judged again",)
    if status == "carried":
        return statements.standing(accepted)
    return (" – given before this run",) if before_run(accepted, book) else ()


def before_run(accepted: Node, book: Book) -> bool:
    """Was an acceptance given on a day before the tests that it judges were made?"""
    return dt.date.fromisoformat(str(accepted["at"].value)[:10]) < tested_on(book)


def tested_on(book: Book) -> dt.date:
    """The day on which the evaluation of the run began."""
    return dt.datetime.fromisoformat(str(book["evaluate"]["started_at"].value)).date()


def review(risk: Node, book: Book) -> Parts:
    """The day on which a risk is looked at again, and whether the run was decided after it; or the gap."""
    if not risk["review_on"]:
        return (statements.risk_gap(risk, "day of the next review of the risk", "compliance officer"),)
    late = dt.date.fromisoformat(str(risk["review_on"].value)) < decided_on(book)
    return parts(risk["review_on"].fact("date"), *((": overdue when this run was decided",) if late else ()))


def decided_on(book: Book) -> dt.date:
    """The day on which the run was decided."""
    return dt.datetime.fromisoformat(str(book["gate"]["at"].value)).date()
