"""Pieces that several sections share: intervals, thresholds, verdicts, tables out of records."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from configs import policy
from model_cards import refs, text, tree
from model_cards.refs import Book, Fact, Gap, Node
from model_cards.tree import Parts, parts

FIELDS = {
    "by_chance": "index expected by chance",
    "cells": "ranges or categories compared",
    "own_column": "is the column of the attribute itself",
    "scored_by": "read as",
    "also_in": "and in",
}
"""Names of fields in words, for the heads of tables out of details."""

VALUES = {"category, out of fold": "category, scored from other rows", "number": "number"}
"""Words for values of `scored_by`."""

NO_THRESHOLD = "measured, no threshold"
"""Of a check that was made and that no threshold judges."""
TOO_FEW = "to be measured on"
"""In the reason of a gate that names the groups with too few rows."""
LONG = 12
"""Tables with more rows than this are folded."""

NOTHING: Parts = ("–",)

COLUMNS = (
    "step", "feature", "group", "class", "in", "also_in", "split", "outcome", "scored_by", "own_column", "train",
    "validation", "test", "rows", "reference", "index", "value", "low", "high", "n",
)  # fmt: skip
"""Order of the columns of tables out of details: what it is, then counts, then the number with its interval."""


@dataclasses.dataclass(frozen=True)
class Verdict:
    """One line of the gate with what it rests on."""

    reason: Node
    """In `evaluation/gate.json`."""
    result: Node | None
    measure: Node | None
    threshold: Node | None
    of_policy: bool
    """Is it a gate of the plan, or a check on data, export or a declared property that counts by its own status?"""

    @property
    def status(self) -> str:
        """Status as recorded."""
        return str(self.reason.value["status"])

    @property
    def title(self) -> Fact:
        """What was checked, in words."""
        return self.result["title"].fact() if self.result else self.reason["check_id"].fact("name")

    @property
    def bound(self) -> float | None:
        """The number of the threshold."""
        if self.threshold is None or self.threshold.value is None:
            return None
        value = self.threshold.value
        found = value.get("at_least") if value.get("at_least") is not None else value.get("at_most")
        return None if found is None else float(found)


def verdicts(book: Book) -> list[Verdict]:
    """Every line of the gate, in the order of the record, with its result, measure and threshold."""
    gated = {gate["check"] for gate in book.plan.value["policy"]["gates"]}
    seen: dict[str, int] = {}
    found = []
    for reason in book["gate"]["reasons"]:
        check_id = reason.value["check_id"]
        if check_id in gated:
            found.append(_of_policy(book, reason))
        else:
            found.append(_of_result(book, reason, seen.get(check_id, 0)))
            seen[check_id] = seen.get(check_id, 0) + 1
    return found


def _of_policy(book: Book, reason: Node) -> Verdict:
    """A line that lays a gate of the plan on a measure."""
    check_id, where = reason.value["check_id"], reason.value["slice"]
    result = book.result(check_id)
    gate = book.plan["policy"]["gates"].first(check=check_id, slice=where)
    measure = result["measures"].first(name=check_id + variant(book, gate), slice=where) if result else None
    return Verdict(reason, result, measure, gate, of_policy=True)


def variant(book: Book, gate: Node | None) -> str:
    """How the names of the measures end that a gate with its own level or group size is laid on."""
    if gate is None or (gate.value["confidence"] is None and gate.value["minimum_group_size"] is None):
        return ""
    content = book.plan.value["policy"]
    own = {name: content[name] for name in policy.Settings.model_fields if name in content}
    return policy.Settings.model_validate(own).variant(policy.Gate.model_validate(gate.value))


def of_variant(measure: Node) -> bool:
    """Was the measure made for a gate with its own level or group size?"""
    last = str(measure.value["name"]).rpartition(".")[2]
    return last.startswith(("confidence_", "groups_of_"))


def own_level(verdict: Verdict) -> Parts:
    """` at 99 %` for the interval of a gate that asks for its own level."""
    if not verdict.of_policy or not verdict.threshold or not verdict.threshold["confidence"]:
        return ()
    if verdict.measure is None or not verdict.measure["interval"]:
        return ()
    return (" at ", verdict.threshold["confidence"].fact("level"))


def _of_result(book: Book, reason: Node, index: int) -> Verdict:
    """A line by which a check counts on its own: the lines of a check stand in the order of its results."""
    results = book.results_of(reason.value["check_id"])
    result = results[index] if index < len(results) else None
    if result is None or result.value["reason"] != reason.value["text"]:
        return Verdict(reason, None, None, None, of_policy=False)
    return Verdict(reason, result, next(iter(result["measures"]), None), result["threshold"], of_policy=False)


def interval(measure: Node | None, apart_from: float | None = None) -> Parts:
    """The interval of a measure in brackets, or a dash."""
    if measure is None or not measure["interval"]:
        return NOTHING
    ends = measure["interval"]
    return ("[", ends["low"].fact("number", apart_from), ", ", ends["high"].fact("number", apart_from), "]")


def level(book: Book) -> Fact:
    """The confidence level of the intervals."""
    return book.plan["policy"]["confidence"].fact("level")


def value(measure: Node | None, apart_from: float | None = None) -> Parts:
    """The value of a measure with its unit, or why there is none."""
    if measure is None:
        return NOTHING
    if measure.value["value"] is None:
        return _undefined(measure)
    if measure.value["name"] == "performance.confusion_matrix" and measure["n"]:
        wrong, every = measure["value"].fact("count"), measure["n"].fact("count")
        return tree.say("wrong labels: {wrong} of {all}", wrong=wrong, all=every)
    unit: Parts = () if measure.value["unit"] in ("1", "") else ("\u00a0", measure["unit"].fact())
    whole = float(measure.value["value"]).is_integer() and measure.value["unit"] == "rows"
    form: refs.Form = "count" if whole else "number"
    return parts(measure["value"].fact(form, apart_from), unit)


def rows(measure: Node | None) -> Parts:
    """The number of rows of a measure, or a dash."""
    return (measure["n"].fact("count"),) if measure is not None and measure["n"] else NOTHING


def threshold(node: Node | None) -> Parts:
    """What is asked, in words, or a dash."""
    if node is None or not node:
        return NOTHING
    for key, words in (("at_least", "at\u00a0least\u00a0"), ("at_most", "at\u00a0most\u00a0")):
        if node.value.get(key) is not None:
            return (words, node[key].fact("exact"))
    return NOTHING


def line(verdict: Verdict) -> Parts:
    """A gate in a sentence: what, where, outcome, and the words of the decision."""
    optional = () if verdict.reason.value["required"] else ("reported only",)
    inside = parts(slice_words(verdict.reason) if adds_slice(verdict) else (), *optional)
    if len(inside) > 1:
        inside = parts(inside[0], ", ", inside[1])
    return tree.say(
        "{title}{where}: {status}; {text}",
        title=verdict.title,
        where=parts(" (", inside, ")") if inside else (),
        status=status(verdict.reason),
        text=found_by(verdict),
    )


def _undefined(measure: Node) -> Parts:
    """Why a measure has no value; notes of checks mostly begin with the word themselves."""
    if not measure["note"]:
        return ("undefined",)
    note = measure["note"].fact()
    return (note,) if str(measure["note"].value).startswith("undefined") else parts("undefined: ", note)


def measured(verdict: Verdict) -> Parts:
    """Value, interval and threshold of a gate, with the note of its measure; of any other line, its reason."""
    if not verdict.of_policy or verdict.measure is None or verdict.measure.value["value"] is None:
        return (verdict.reason["text"].fact(),)
    numbers = tree.say(
        "{value} {interval}, asked: {threshold}",
        value=value(verdict.measure, verdict.bound),
        interval=interval(verdict.measure, verdict.bound),
        threshold=threshold(verdict.threshold),
    )
    return parts(numbers, *note_of(verdict.measure))


def adds_slice(verdict: Verdict) -> bool:
    """Does the slice say something that the title does not?"""
    where = str(verdict.reason.value["slice"])
    return where != "overall" and not verdict.title.shown.endswith(where)


def line_of_result(result: Node) -> Parts:
    """A check in a sentence: what, outcome, reason; of one that has measures and no threshold, what was measured."""
    measure = next(iter(result["measures"]), None)
    if outcome(result).shown == NO_THRESHOLD and measure is not None and measure.value["value"] is not None:
        words = (
            "{title}: {value} {interval}; no threshold set"
            if measure["interval"]
            else "{title}: {value}; no threshold set"
        )
        places = {"title": (result["title"].fact(),), "value": value(measure), "interval": interval(measure)}
        return tree.say(words, **places)
    return tree.say(
        "{title}: {status}; {reason}",
        title=result["title"].fact(),
        status=(outcome(result),),
        reason=result["reason"].fact(),
    )


def outcome(result: Node) -> Fact:
    """The status of a check; one that has measures and no threshold was measured, and says so."""
    if result.value["status"] == "not_applicable" and result["measures"]:
        return result["status"].derived(NO_THRESHOLD, "status of a check that has measures, in words")
    return result["status"].fact("status")


def ends(low: Node, high: Node) -> Parts:
    """Two ends in brackets, or a dash where one is unknown."""
    if low.value is None or high.value is None:
        return NOTHING
    return ("[", low.fact("number"), ", ", high.fact("number"), "]")


def number(node: Node) -> Parts:
    """A measured number, or the word that it is undefined."""
    return (node.fact("number"),) if node.value is not None else ("undefined",)


def found(result: Node) -> Parts:
    """The reason of a result with the note of its headline; of a check that was not measured, the gap that it is."""
    reason = result["reason"].fact()
    if result.value["status"] != "not_measured":
        return parts(reason, *note_of(next(iter(result["measures"]), None), result.value["reason"]))
    where = f"check {result.value['check_id']}"
    who = "engineer"
    if result.value["check_id"] == "data.representativeness":
        attribute = (result.value["details"] or {}).get("slice", "…")
        who, where = "provider", f"plan: data.protected, {text.plain(attribute)}, reference"
    return (Gap(result["title"].fact(), who, where, "Not measured", reason),)


def found_by(verdict: Verdict) -> Parts:
    """The words of the decision on one line, with the note of its measure."""
    before = () if "on unchanged inputs" in str(verdict.reason.value["text"]) else clean(verdict)
    start: Parts = ("; on unchanged inputs ", *before) if before else ()
    return parts(verdict.reason["text"].fact(), start, *note_of(verdict.measure, verdict.reason.value["text"]))


def clean(verdict: Verdict) -> Parts:
    """The score on unchanged inputs beside which a robustness gate must be read; nothing for other checks."""
    details = verdict.result["details"] if verdict.result else None
    found = details["clean"] if details else None
    return (found.fact("number"),) if found is not None and isinstance(found.value, int | float) else ()


def note_of(measure: Node | None, said: str = "") -> Parts:
    """`; which groups or feature it concerns`, where the measure says so and the reason (`said`) does not."""
    if measure is None or not measure["note"]:
        return ()
    note = str(measure["note"].value)
    pieces = [piece for piece in note.split("; ") if piece not in said]
    if TOO_FEW in said:
        pieces = [piece for piece in pieces if not piece.startswith("too few rows in ")]
    if not pieces:
        return ()
    whole = measure["note"].fact() if len(pieces) == note.count("; ") + 1 else None
    return ("; ", whole or measure["note"].derived("; ".join(pieces), "the note, less what the reason says"))


def status(result: Node) -> Parts:
    """The status of a result or gate reason."""
    return (result["status"].fact("status"),)


def status_of(verdict: Verdict) -> Parts:
    """The status of a line, in the words that every table has for its check: what was measured says so."""
    free = verdict.status == "not_applicable" and verdict.result is not None and not verdict.of_policy
    return (outcome(verdict.result),) if free and verdict.result is not None else status(verdict.reason)


def slice_words(node: Node) -> Parts:
    """The slice of a measure or gate reason."""
    return (node["slice"].fact(),)


def gate_table(book: Book) -> tree.Table:
    """Measured value, interval, threshold, rows and outcome of every gate of the plan."""
    lines = []
    for verdict in (v for v in verdicts(book) if v.of_policy):
        bound = verdict.bound
        lines.append(
            (
                (verdict.title,),
                slice_words(verdict.reason),
                value(verdict.measure, bound),
                parts(*interval(verdict.measure, bound), *own_level(verdict)),
                threshold(verdict.threshold),
                rows(verdict.measure),
                _required(verdict),
                status(verdict.reason),
            )
        )
    return tree.Table(
        caption=tree.say(
            "Gates of the plan: what was asked and what was found, intervals at level {level} where none is named",
            level=level(book),
        ),
        columns=("Check", "Slice", "Measured", "Interval", "Threshold", "Rows", "Required", "Outcome"),
        rows=tuple(lines),
        numeric=frozenset({2, 3, 5}),
        prose=True,
    )


def own_table(book: Book) -> list[tree.Block]:
    """The checks on data and export, and declared properties, that count without a gate of the plan."""
    found = [v for v in verdicts(book) if not v.of_policy]
    lines = tuple(((v.title,), slice_words(v.reason), _required(v), status_of(v), found_by(v)) for v in found)
    if not lines:
        return []
    caption = ("Checks on the data, the export and declared properties that count by their own limits",)
    heads = ("Check", "Slice", "Required", "Outcome", "What was found")
    return [tree.Table(caption, heads, lines, prose=True, fold=len(lines) > LONG)]


def result_table(results: list[Node], caption: str, *, fold: bool = False) -> tree.Table:
    """Checks with their outcome and the reason in words."""
    return tree.Table(
        caption=(caption,),
        columns=("Check", "Outcome", "What was found"),
        rows=tuple(((r["title"].fact(),), (outcome(r),), found(r)) for r in results),
        prose=True,
        fold=fold,
    )


def record_table(node: Node, caption: Parts, order: Sequence[int] | None = None) -> tree.Table:
    """A table out of a list of flat JSON objects; the columns are their keys, in the order of `COLUMNS`.

    Args:
        node: The list.
        caption: Its caption.
        order: Indices of the rows in the order in which they are shown; absent, that of the record.
    """
    known = {key for row in node for key in row.value}
    keys = [key for key in COLUMNS if key in known] + sorted(known.difference(COLUMNS))
    names = tuple(node.derived(_head(key), "name of the field") for key in keys)
    numeric = {i for i, key in enumerate(keys) if any(_is_number(row.value.get(key)) for row in node)}
    shown = list(node) if order is None else [node[index] for index in order]
    lines = tuple(tuple(_cell(row[key]) for key in keys) for row in shown)
    return tree.Table(caption, names, lines, frozenset(numeric), fold=True)


def headed(table: tree.Table, node: Node, most: str) -> tuple[tree.Table, ...]:
    """A long table in two: the first rows open to view, the others folded, each caption with how many it holds.

    Args:
        table: The table, its rows already in the order in which they matter.
        node: The list behind it.
        most: What the first rows are, for example `strongest`.
    """
    rest = len(table.rows) - LONG
    if rest <= 0:
        return (dataclasses.replace(table, fold=False),)
    first = tree.say(
        "{caption}: the {first} {most} of {all}; the other {rest} follow",
        caption=table.caption,
        first=node.derived(LONG, "rows shown first", "count"),
        most=most,
        all=node.derived(len(table.rows), "rows of the table", "count"),
        rest=node.derived(rest, "rows that follow", "count"),
    )
    others = tree.say(
        "{caption}: the other {rest}",
        caption=table.caption,
        rest=node.derived(rest, "rows that follow", "count"),
    )
    return (
        dataclasses.replace(table, caption=first, rows=table.rows[:LONG], fold=False),
        dataclasses.replace(table, caption=others, rows=table.rows[LONG:], fold=True),
    )


def largest_first(node: Node, key: str = "value") -> list[int]:
    """Indices of the items of a list by a number that they hold, the largest first, those without one last."""
    held = [row.get(key) for row in node.value]
    return sorted(range(len(held)), key=lambda i: (held[i] is None, -(held[i] or 0.0)))


def _head(key: str) -> str:
    words = FIELDS.get(key, key.replace("_", " "))
    return words if len(words) == 1 else words[0].upper() + words[1:]


def cost(node: Node, what: str) -> Parts:
    """A quantity with method and boundary, or the gap that it is."""
    if node.value["value"] is None:
        why = node["method"].derived(str(node["method"].value).removeprefix("unmeasured: "), "the reason alone")
        return (Gap(what, "engineer", "a machine with a meter", "Not measured", why),)
    return tree.say(
        "{value}\u00a0{unit} ({method}; boundary: {boundary})",
        value=node["value"].fact("number"),
        unit=node["unit"].fact(),
        method=node["method"].fact(),
        boundary=node["boundary"].fact(),
    )


def listing(node: Node, what: str, who: str = "provider") -> tree.Block:
    """A list of stated texts, or its gap."""
    if not node:
        return tree.Paragraph((Gap(what, who, f"plan: {node.path}"),))
    return tree.Bullets(tuple((item.fact(),) for item in node))


def _required(verdict: Verdict) -> Parts:
    return (verdict.reason["required"].fact(),)


def _is_number(cell: object) -> bool:
    return isinstance(cell, int | float) and not isinstance(cell, bool)


def _cell(node: Node) -> Parts:
    if node.value is None:
        return NOTHING
    if isinstance(node.value, dict):
        return _joined([parts(name, " ", _cell(inner)) for name, inner in node.items()])
    if isinstance(node.value, list):
        return _joined([_cell(inner) for inner in node])
    if isinstance(node.value, str) and node.value in VALUES and node.pointer.endswith("/scored_by"):
        return (node.derived(VALUES[node.value], "value in words"),)
    if isinstance(node.value, bool) or not _is_number(node.value):
        return (node.fact(),)
    return (node.fact("count" if isinstance(node.value, int) else "number"),)


def _joined(items: list[Parts]) -> Parts:
    return tree.joined(items) or NOTHING
