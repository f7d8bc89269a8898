"""The sections on the decision: the outcome in words, the gates, waivers, what is missing."""

from __future__ import annotations

from configs import policy
from model_cards import blocks, refs, statements, tree
from model_cards.refs import Book
from model_cards.tree import Paragraph, Part, Section, Tile, Tiles, parts

OUTCOMES = ("pass", "fail", "inconclusive")

MOST_TILES = 12
"""So many gates are shown as tiles, those that failed or stayed open first."""

FEWEST_TILES = 4
"""Tiles are filled up with passed gates to this number."""


def outcome(book: Book) -> Paragraph:
    """The three-valued answer in words, with the numbers of gates behind it."""
    node = book["gate"]["outcome"]
    found = blocks.verdicts(book)
    gates = _tally(book, [v for v in found if v.of_policy])
    others = _tally(book, [v for v in found if not v.of_policy])
    sentence = tree.say("Outcome: {status}. Gates of the plan: {gates}.", status=node.fact("status"), gates=gates)
    if len(found) > sum(v.of_policy for v in found):
        sentence += tree.say(" Further checks on data, export and declared properties: {others}.", others=others)
    return Paragraph(sentence, "lead")


def _tally(book: Book, found: list[blocks.Verdict]) -> tree.Parts:
    """`1 of 11 passed, 10 could not be decided`: nothing is left out, whatever its status."""
    if not found:
        return ("none",)
    reasons = book["gate"]["reasons"]
    passed = sum(v.status == "pass" for v in found)
    shown = tree.say(
        "{passed} of {all} passed",
        passed=reasons.derived(passed, "lines that passed", "count"),
        all=reasons.derived(len(found), "lines of this kind", "count"),
    )
    for status, words in TALLY.items():
        mine = [v for v in found if v.status == status]
        if mine:
            number = reasons.derived(len(mine), f"lines with status {status}", "count")
            shown += tree.say(", {number} {words}", number=number, words=words)
            optional = sum(not v.reason.value["required"] for v in mine)
            if optional and status in OUTCOMES:
                less = reasons.derived(optional, "lines that are not required", "count")
                shown += tree.say(" ({less} of them reported only)", less=less)
    return shown


TALLY = {
    "fail": "failed",
    "inconclusive": "could not be decided",
    "not_measured": "not measured",
    "not_applicable": "without a limit or not applicable",
}


def counts(book: Book) -> Tiles:
    """How many gates of the plan passed, failed, could not be decided; other lines beneath."""
    reasons = book["gate"]["reasons"]
    found = blocks.verdicts(book)
    gates = [v for v in found if v.of_policy]
    tiles = []
    for status in ("fail", "inconclusive", "pass", "not_measured", "not_applicable"):
        mine = [v for v in found if v.status == status]
        own = sum(v.of_policy for v in mine)
        if not own and status not in OUTCOMES:
            continue
        word = reasons.derived(status, "status that is counted", "status")
        shown = tree.say(
            "{own} of {all}",
            own=reasons.derived(own, f"gates of the plan with status {status}", "count"),
            all=reasons.derived(len(gates), "gates of the plan", "count"),
        )
        other = reasons.derived(len(mine) - own, f"other checks with status {status}", "count")
        notes = (("gates of the plan",), ("other checks: ", other))
        tiles.append(Tile((word,), shown, notes, status=status))
    return Tiles("Gates by outcome", tuple(tiles))


def headlines(book: Book) -> Tiles:
    """What failed first (checks on data too), then gates that stayed open, then passed ones while there is room.

    Of the passed ones those come first whose score falls far below that on unchanged inputs.
    """
    order = ("fail", "inconclusive", "not_measured", "not_applicable", "pass")
    found = blocks.verdicts(book)
    gates = [v for v in found if v.of_policy or (v.status == "fail" and v.reason.value["required"])]
    gates.sort(key=lambda v: (order.index(v.status), not v.reason.value["required"], not _falls_far(v)))
    unsettled = sum(v.status != "pass" for v in gates)
    return Tiles("Gates", tuple(_tile(v) for v in gates[: min(MOST_TILES, max(unsettled, FEWEST_TILES))]))


def _tile(verdict: blocks.Verdict) -> Tile:
    where: tree.Parts = (": ", *blocks.slice_words(verdict.reason)) if blocks.adds_slice(verdict) else ()
    label = parts(verdict.title, *where)
    before = blocks.clean(verdict)
    notes = (
        parts(*blocks.interval(verdict.measure, verdict.bound), *blocks.own_level(verdict)),
        tree.say("asked: {threshold}", threshold=blocks.threshold(verdict.threshold)),
        *((("unchanged inputs: ", *before),) if before else ()),
        parts(*blocks.status(verdict.reason), *(() if verdict.reason.value["required"] else (", reported only",))),
    )
    return Tile(label, blocks.value(verdict.measure, verdict.bound), notes, status=verdict.status)


HERE = (tree.Link("How it was decided", "decision"), tree.Link("What is missing, and who can fill it", "gaps"))


def not_passed(book: Book, lists: tuple[tree.Link, tree.Link] = HERE) -> Section:
    """The required lines of the decision that did not pass, failures first, and how many others there are.

    Args:
        book: The records of the run.
        lists: Where every check is listed, and where every open question is.
    """
    order = list(refs.STATUS_WORDS)
    found = [v for v in blocks.verdicts(book) if v.status != "pass"]
    required = sorted((v for v in found if v.reason.value["required"]), key=lambda v: order.index(v.status))
    shown: list[tree.Block] = []
    if required:
        lines = tuple(
            ((v.title,), blocks.slice_words(v.reason), blocks.status(v.reason), blocks.found_by(v)) for v in required
        )
        heads = ("Check", "Slice", "Outcome", "What was found")
        shown.append(tree.Table(("Required, and not passed",), heads, lines, prose=True))
    else:
        shown.append(Paragraph(("Every required gate and check passed.",)))
    if rest := [v for v in found if not v.reason.value["required"]]:
        shown.append(Paragraph(_not_required(book, rest, lists[0])))
    shown += _fallen(book)
    if counted := statements.tally(book):
        content = tree.say("Statements that only persons can make: {counted}.", counted=counted)
        # Where none is open the pointer would lead to a list that is not there.
        if statements.open_statements(book):
            content = (*content, *tree.say(" The open ones are listed here: {where}.", where=lists[1]))
        shown.append(Paragraph(content))
    return Section("open", "What failed or stayed open", tuple(shown))


def _falls_far(verdict: blocks.Verdict) -> bool:
    """Does the decision name the score on unchanged inputs? See `checks.gate.KEPT`."""
    return "on unchanged inputs" in str(verdict.reason.value["text"])


def _fallen(book: Book) -> list[tree.Block]:
    """Gates that passed although the score falls far: a low threshold lets a collapse pass, and that must be seen."""
    lines = [
        tree.say(
            "{title}: {clean} on unchanged inputs, {value} {interval} in the test; asked was {asked}.",
            title=verdict.title,
            clean=parts(*blocks.clean(verdict)),
            value=blocks.value(verdict.measure, verdict.bound),
            interval=blocks.interval(verdict.measure, verdict.bound),
            asked=blocks.threshold(verdict.threshold),
        )
        for verdict in blocks.verdicts(book)
        if verdict.status == "pass" and _falls_far(verdict)
    ]
    if not lines:
        return []
    return [
        Paragraph(("Passed, though the score falls far below that on unchanged inputs:",)),
        tree.Bullets(tuple(lines)),
    ]


def _not_required(book: Book, rest: list[blocks.Verdict], where: tree.Link) -> tree.Parts:
    reasons = book["gate"]["reasons"]
    counted: tree.Parts = ()
    for status, words in TALLY.items():
        if mine := sum(v.status == status for v in rest):
            number = reasons.derived(mine, f"lines with status {status}, not required", "count")
            counted += tree.say("{comma}{number} {words}", comma=", " if counted else "", number=number, words=words)
    return tree.say("Not required: {counted}. They are listed here: {where}.", counted=counted, where=where)


def section(book: Book) -> Section:
    """How it was decided: gates, thresholds with their reasons, waivers, order of commitment and measurement."""
    tables = (blocks.gate_table(book), *_why(book), *blocks.own_table(book), *_limits(book))
    inner = (outcome(book), Paragraph(when_fixed(book)), *tables, *_waivers(book))
    return Section("decision", "How it was decided", inner)


def when_fixed(book: Book) -> tree.Parts:
    """What was fixed when, and what had run by then: the same sentences in every document."""
    evaluate = book["evaluate"]
    if book.opened_at:
        words = "The plan with its thresholds was fixed when the run began, at {at} (plan sha256 {plan})."
        plan = tree.say(words, at=book.opened_at, plan=book.plan_sha256)
    else:  # an old ledger lacks the time
        plan = tree.say(
            "The plan with its thresholds was fixed when the run began (plan sha256 {plan}).", plan=book.plan_sha256
        )
    rest = tree.say(
        " Policy, split, code and package versions were committed at {fixed}, before the first evaluation, which began "
        "at {began} and ended at {ended}. The checks of the data ran before the commitment.",
        fixed=evaluate["committed_at"].fact("time"),
        began=evaluate["started_at"].fact("time"),
        ended=evaluate["finished_at"].fact("time"),
    )
    return parts(plan, rest)


def _why(book: Book) -> list[tree.Block]:
    gates = list(book.plan["policy"]["gates"])
    titles = {v.reason.value["check_id"]: v.title for v in blocks.verdicts(book)}
    lines: tuple[tuple[tree.Parts, ...], ...] = tuple(
        (
            (titles.get(g.value["check"]) or g["check"].fact("name"),),
            (g["slice"].fact(),),
            blocks.threshold(g),
            _settings(g),
            (g["rationale"].fact_or_gap("reason for this threshold"),),
        )
        for g in gates
    )
    heads: tuple[Part, ...] = ("Check", "Slice", "Threshold", "Settings of its own", "Why this threshold")
    if all(line[3] == blocks.NOTHING for line in lines):
        heads, lines = (*heads[:3], heads[4]), tuple((*line[:3], line[4]) for line in lines)
    return [tree.Table(("Thresholds of the plan and why they were chosen",), heads, lines, prose=True)]


def _settings(gate: refs.Node) -> tree.Parts:
    """What a gate asks for besides its threshold: level, group size, what inconclusive means, who answers for it."""
    found: list[tree.Parts] = []
    if gate["confidence"]:
        found.append(tree.say("interval at {level}", level=gate["confidence"].fact("level")))
    if gate["minimum_group_size"]:
        found.append(tree.say("at least {rows} rows per rate", rows=gate["minimum_group_size"].fact("count")))
    if gate["inconclusive"].value == "reports":
        found.append((gate["inconclusive"].derived("inconclusive is reported only", "meaning in words"),))
    if gate["owner"]:
        found.append(tree.say("owner: {owner}", owner=gate["owner"].fact()))
    return tree.joined(found, "; ") if found else blocks.NOTHING


LIMITS = {
    "representativeness_gap": "Largest difference of a group's share from the reference population",
    "minority_class": "Smallest share of the rarest class",
    "proxy_auc": "Area under the ROC curve from which a feature counts as a proxy",
    "missing_group": "Largest share of test rows that belong to no group of an attribute",
    "label_gap": "Largest difference of the target between groups",
    "drift": "Largest population stability index between two splits",
}


def _limits(book: Book) -> list[tree.Block]:
    """The limits by which the checks on data count. The plan has no place for their reasons, and this says so."""
    limits = book.plan["policy"]["governance"]
    if not limits:
        return []  # a language model's policy has no such section
    defaults = {name: field.default for name, field in policy.Governance.model_fields.items()}
    rows = [
        ((LIMITS[name],), (limits[name].fact("exact"),), (_origin(limits[name], defaults[name]),))
        for name in LIMITS
        if limits[name].value is not None
    ]
    size = book.plan["policy"]["minimum_group_size"]
    default = policy.Policy.model_fields["minimum_group_size"].default
    rows.append((("Fewest test rows that a rate may rest on",), (size.fact("count"),), (_origin(size, default),)))
    heads = ("Limit", "Value", "Why this limit")
    return [tree.Table(("Limits of the checks on data",), heads, tuple(rows), frozenset({1}), prose=True)]


def _origin(node: refs.Node, default: object) -> Part:
    if node.value == default:
        return node.derived("default of the tool; no rationale stated", "compared with the default")
    return node.derived("limit of the plan; no rationale stated", "compared with the default")


def _waivers(book: Book) -> list[tree.Block]:
    waivers = list(book["gate"]["waivers"])
    later = Paragraph(
        (
            "Waivers are given with the approval, after this document was written; they stand in the approval "
            "(approvals/ of the run) and in the bundle, not here.",
        )
    )
    if not waivers:
        return [later]
    lines = tuple(
        tuple((w[key].fact(),) for key in ("check_id", "slice", "person", "reason", "expires")) for w in waivers
    )
    return [tree.Table(("Waivers",), ("Check", "Slice", "Person", "Reason", "Expires"), lines), later]
