"""The sections on the decision: the outcome in words, the gates, waivers, what is missing."""

from __future__ import annotations

from collections.abc import Sequence

from model_cards import blocks, refs, tree
from model_cards.refs import Book, Fact
from model_cards.tree import Bullets, Paragraph, Part, Section, Tile, Tiles, parts

OUTCOMES = {
    "pass": "Every required gate and check passed.",
    "fail": "At least one required gate or check failed.",
    "inconclusive": "No required gate or check failed, but at least one could not be decided.",
}

HEADLINES = 4


def outcome(book: Book) -> Paragraph:
    """The three-valued answer in words."""
    node = book["gate"]["outcome"]
    return Paragraph(parts("Outcome: ", node.fact("status"), ". ", OUTCOMES[node.value]), "lead")


def counts(book: Book) -> Tiles:
    """How many gates and checks passed, failed, could not be decided."""
    reasons = book["gate"]["reasons"]
    found = blocks.verdicts(book)
    tiles = []
    for status in refs.STATUS_WORDS:
        mine = [v for v in found if v.status == status]
        if mine or status in OUTCOMES:
            planned = sum(v.of_policy for v in mine)
            own = reasons.derived(len(mine) - planned, f"other checks with status {status}", "count")
            notes = (
                (reasons.derived(planned, f"gates of the plan with status {status}", "count"), " of the plan’s gates"),
                (own, " on data and export"),
            )
            word = reasons.derived(status, "status that is counted", "status")
            shown = reasons.derived(len(mine), f"lines with status {status}", "count")
            tiles.append(Tile((word,), (shown,), notes, status=status))
    return Tiles("Gates and checks by outcome", tuple(tiles))


def headlines(book: Book) -> Tiles:
    """The first measured gates with their thresholds."""
    tiles: list[Tile] = []
    for verdict in blocks.verdicts(book):
        measured = verdict.measure is not None and verdict.measure.value["value"] is not None
        if measured and verdict.of_policy and verdict.reason.value["slice"] == "overall" and len(tiles) < HEADLINES:
            ends = blocks.interval(verdict.measure, verdict.bound)
            notes = (ends, tree.say("asked: {threshold}", threshold=blocks.threshold(verdict.threshold)))
            value = blocks.value(verdict.measure, verdict.bound)
            tiles.append(Tile((verdict.title,), value, notes, status=verdict.status))
    return Tiles("Headline measures", tuple(tiles))


def not_passed(book: Book) -> list[tree.Block]:
    """The required lines of the decision that did not pass, failures first, and how many others there are."""
    order = list(refs.STATUS_WORDS)
    found = [v for v in blocks.verdicts(book) if v.status != "pass"]
    required = sorted((v for v in found if v.reason.value["required"]), key=lambda v: order.index(v.status))
    shown: list[tree.Block] = []
    if required:
        lines = tuple(
            ((v.title,), blocks.slice_words(v.reason), blocks.status(v.reason), (v.reason["text"].fact(),))
            for v in required
        )
        heads = ("Check", "Slice", "Outcome", "What was found")
        shown.append(tree.Table(("Required, and not passed",), heads, lines, prose=True))
    if rest := len(found) - len(required):
        number = book["gate"]["reasons"].derived(rest, "lines neither required nor passed", "count")
        sentence = "Not required, and not passed: {number}; they are listed under How it was decided."
        shown.append(Paragraph(tree.say(sentence, number=number)))
    return shown


def section(book: Book) -> Section:
    """How it was decided: gates, thresholds with their reasons, waivers, order of commitment and measurement."""
    evaluate = book["evaluate"]
    order = Paragraph(
        tree.say(
            "Plan, policy and splits were fixed at {fixed}; the evaluation began at {began} and ended at {ended}.",
            fixed=evaluate["committed_at"].fact("time"),
            began=evaluate["started_at"].fact("time"),
            ended=evaluate["finished_at"].fact("time"),
        )
    )
    inner = (outcome(book), order, blocks.gate_table(book), *blocks.own_table(book), *_why(book), *_waivers(book))
    return Section("decision", "How it was decided", inner)


def _why(book: Book) -> list[tree.Block]:
    gates = list(book.plan["policy"]["gates"])
    titles = {v.reason.value["check_id"]: v.title for v in blocks.verdicts(book)}
    lines = tuple(
        (
            (titles.get(g.value["check"]) or g["check"].fact("name"),),
            (g["slice"].fact(),),
            blocks.threshold(g),
            (g["rationale"].fact_or_gap("reason for this threshold"),),
        )
        for g in gates
    )
    heads: tuple[Part, ...] = ("Check", "Slice", "Threshold", "Why this threshold")
    return [tree.Table(("Thresholds of the plan and why they were chosen",), heads, lines, prose=True)]


def _waivers(book: Book) -> list[tree.Block]:
    waivers = list(book["gate"]["waivers"])
    if not waivers:
        return [Paragraph(("No waiver was given.",))]
    lines = tuple(
        tuple((w[key].fact(),) for key in ("check_id", "slice", "person", "reason", "expires")) for w in waivers
    )
    return [tree.Table(("Waivers",), ("Check", "Slice", "Person", "Reason", "Expires"), lines)]


def gaps_section(gaps: Sequence[Part]) -> Section:
    """Everything that nobody has stated or measured."""
    if not gaps:
        return Section("gaps", "Gaps", (Paragraph(("Nothing that this document asks for is missing.",)),))
    lead = Paragraph(("Nobody has stated or measured the following. Nothing was filled in for it.",))
    return Section("gaps", "Gaps", (lead, Bullets(tuple((gap,) for gap in gaps))))


def missing(count: int) -> Paragraph:
    """How much is missing, for the summary."""
    if not count:
        return Paragraph(("Nothing that this document asks for is missing.",))
    number = Fact(count, "documents/record.json#/gaps", "count", "number of gaps in this document")
    words = " thing that this document asks for has" if count == 1 else " things that this document asks for have"
    return Paragraph(parts("Missing: ", number, words, " not been stated or measured; they are listed under Gaps."))
