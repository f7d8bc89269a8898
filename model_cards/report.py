"""The HTML report as a tree: summary first, then the evidence chapter by chapter."""

from __future__ import annotations

from model_cards import (
    about,
    blocks,
    data,
    decision,
    fairness,
    performance,
    provenance,
    refs,
    robustness,
    training,
    tree,
)
from model_cards.refs import Book
from model_cards.tree import Bullets, Document, Paragraph, Section

HOW_TO_READ = Section(
    "reading",
    "How to read this report",
    (
        Bullets(
            (
                ("pass: the whole interval is on the good side of the threshold.",),
                ("fail: the whole interval is on the bad side.",),
                ("inconclusive: the interval straddles the threshold, or a group is too small. It is no pass.",),
                ("not measured, not applicable: the check gave no answer; the reason stands beside it.",),
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


def tree_of(book: Book) -> Document:
    """The whole report."""
    chapters = (
        _system(book),
        data.section(book),
        training.section(book),
        performance.section(book),
        fairness.section(book),
        robustness.section(book),
        decision.section(book),
        _other_checks(book),
        about.limitations(book),
    )
    gaps = {g.text: g for s in chapters for g in tree.walk_section(s) if isinstance(g, refs.Gap)}
    summary = Section(
        "summary",
        "Summary",
        (
            Paragraph((book.plan["system"]["intended_purpose"].fact(),)),
            decision.outcome(book),
            decision.counts(book),
            decision.headlines(book),
            *decision.not_passed(book),
            decision.missing(len(gaps)),
        ),
        (HOW_TO_READ,),
    )
    end = (decision.gaps_section(tuple(gaps.values())), provenance.section(book))
    return Document(
        title=about.title(book, ": evaluation report"),
        draft=about.draft(book),
        sections=(summary, *(c for c in chapters if c.blocks or c.sections), *end),
    )


def _system(book: Book) -> Section:
    inner = (about.purpose(book), about.misuse(book), about.classification(book))
    return Section("system", "The system", (about.identity(book),), inner)


def _other_checks(book: Book) -> Section:
    shown = {"performance", "fairness", "robustness"}
    rest = [r for r in book["evaluate"]["results"] if str(r.value["check_id"]).partition(".")[0] not in shown]
    if not rest:
        return Section("other", "Other checks")
    return Section("other", "Other checks", (blocks.result_table(rest, "Other checks of the model and the run"),))
