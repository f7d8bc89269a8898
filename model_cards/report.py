"""The HTML report as a tree: summary first, then the evidence chapter by chapter."""

from __future__ import annotations

from model_cards import (
    about,
    attacks,
    blocks,
    classification,
    data,
    decision,
    effect,
    explanation,
    fairness,
    gaps,
    given,
    limits,
    mitigation,
    performance,
    provenance,
    refs,
    robustness,
    security,
    stated,
    training,
    tree,
)
from model_cards.legal import frame, names
from model_cards.refs import Book
from model_cards.tree import Bullets, Document, Link, Paragraph, Section

HOW_TO_READ = Section(
    "reading",
    "How to read this report",
    (
        Bullets(
            (
                ("pass: the whole interval is on the good side of the threshold.",),
                ("fail: the whole interval is on the bad side.",),
                (
                    "inconclusive (“could not be decided”): the interval straddles the threshold, or a rate rests on "
                    "too few rows. It is no pass.",
                ),
                ("not measured, not applicable: the check gave no answer; the reason stands beside it.",),
                ("reported only: the plan does not require this gate; it does not decide the outcome.",),
                ("Gap: nobody has stated or measured it. Nothing was filled in.",),
                (
                    "An interval in brackets holds the values that the data do not rule out at the level of confidence "
                    "in the caption.",
                ),
                ("Point at a number to see all its digits and the record it comes from.",),
            )
        ),
    ),
)


SIGNATURE = Paragraph(
    (
        "A signature on this run means that a named person has read this report, accepts in writing what is open, and "
        "lets the bundle go to a test facility. It declares nothing about the law.",
    ),
    "note",
)


def tree_of(book: Book) -> Document:
    """The whole report: outcome, what is open, effect, what is missing, the class, limits; then the details."""
    front, back = first_chapters(book), details(book)
    found = all_gaps(book)
    summary = Section(
        "summary",
        "Summary",
        (
            about.STATED,
            Paragraph((book.plan["system"]["intended_purpose"].fact(),)),
            Paragraph(tree.parts("Class under the AI Act: ", classification.shortly(book))),
            decision.outcome(book),
            *given.notice(book),
            decision.counts(book),
            *effect.baseline(book),
            decision.headlines(book),
            gaps.of_run(found),
            *_may_i_sign(book),
            SIGNATURE,
        ),
    )
    open_, effect_, *rest = front
    first = (summary, open_, effect_, gaps.section(found), *rest)
    return Document(
        title=about.title(book, ": evaluation report"),
        draft=frame.draft(book),
        sections=(*first, HOW_TO_READ, *(c for c in back if c.blocks or c.sections), provenance.section(book)),
        running=frame.running(book),
    )


def _may_i_sign(book: Book) -> list[Paragraph]:
    """Where what stands against each signature is told: the report has no list of its own that could differ from it."""
    entry = names.answering(book, "technical_documentation")
    if entry is None:
        return []
    words = (
        "May I sign the run, or its declaration: what stands against each before any approval is told in {document}."
    )
    return [Paragraph(tree.say(words, document=(Link(entry.title, "brief-sign", entry.id),)))]


def first_chapters(book: Book) -> tuple[Section, ...]:
    """What a decision rests on first."""
    return (decision.not_passed(book), effect.section(book), classification.section(book), limits.section(book))


def details(book: Book) -> tuple[Section, ...]:
    """The evidence chapter by chapter."""
    return (
        _system(book),
        data.section(book),
        training.section(book),
        performance.section(book),
        fairness.section(book),
        mitigation.section(book),
        robustness.section(book),
        attacks.section(book),
        security.section(book),
        explanation.section(book),
        decision.section(book),
        stated.section(book),
        _other_checks(book),
    )


def all_gaps(book: Book) -> tuple[refs.Gap, ...]:
    """The gaps of the run, which report and card list; where nobody has gathered them, those of the report."""
    return own_gaps(book) if book.gaps is None else book.gaps


def own_gaps(book: Book) -> tuple[refs.Gap, ...]:
    """The gaps that the chapters of the report print, the open questions, and what nothing asks for."""
    return gaps.of((*first_chapters(book), *details(book)), book)


def _system(book: Book) -> Section:
    inner = (about.purpose(book), about.misuse(book))
    return Section("system", "The system", (about.identity(book),), inner)


def _other_checks(book: Book) -> Section:
    shown = {"performance", "fairness", "mitigation", "robustness", "security", "explanation"}
    rest = [r for r in book["evaluate"]["results"] if str(r.value["check_id"]).partition(".")[0] not in shown]
    if not rest:
        return Section("other", "Other checks")
    return Section("other", "Other checks", (blocks.result_table(rest, "Other checks of the model and the run"),))
