"""The tests that a risk of the register names for its control, `check` or `check@slice`, and what the run found."""

from __future__ import annotations

import dataclasses

from configs import answers
from model_cards import blocks, tree
from model_cards.refs import Book, Gap, Node
from model_cards.tree import Parts, parts

WHOLE = "overall"


@dataclasses.dataclass(frozen=True)
class Control:
    """A result that an entry of `shown_by` leads to; without one, the run has made no such check."""

    name: Node
    """The entry, in the register."""
    result: Node | None
    measure: Node | None
    """The first measure of the slice that is named, or of the check."""
    verdicts: tuple[blocks.Verdict, ...]
    """Lines of the gate that lay a threshold on it."""

    @property
    def statuses(self) -> list[str]:
        """The outcomes; what was measured and is judged by no threshold is `not_applicable`."""
        if self.result is None:
            return ["not_measured"]
        if self.verdicts:
            return [v.status for v in self.verdicts]
        status = str(self.result.value["status"])
        return [status if self.measure is None or not _sliced(self.name) else "not_applicable"]


def of(book: Book, risk: Node) -> list[Control]:
    """What the entries of a risk lead to, in their order; an entry may lead to several results."""
    lines = blocks.verdicts(book)
    found: list[Control] = []
    for name in risk["shown_by"]:
        check, where = answers.check_and_slice(str(name.value))
        results = [r for r in book.results_of(check) if where is None or _speaks_of(r, where)]
        found += [_control(name, result, where, lines) for result in results] or [Control(name, None, None, ())]
    return found


def _control(name: Node, result: Node, where: str | None, lines: list[blocks.Verdict]) -> Control:
    own = [v for v in lines if v.result is not None and v.result.evidence == result.evidence]
    mine = tuple(v for v in own if where is None or within(slice_of(v), where))
    measures = [m for m in result["measures"] if where is None or within(str(m.value["slice"]), where)]
    return Control(name, result, next(iter(measures), None), mine)


def _speaks_of(result: Node, where: str) -> bool:
    slices = [str(m.value["slice"]) for m in result["measures"]]
    return any(within(each, where) for each in (*slices, _own_slice(result)))


def _sliced(name: Node) -> bool:
    return answers.check_and_slice(str(name.value))[1] is not None


def within(where: str, named: str) -> bool:
    """Is a slice the one that is named, or a group of the attribute that is named?"""
    return where == named or where.startswith(f"{named}=")


def slice_of(verdict: blocks.Verdict) -> str:
    """The slice that a line of the gate speaks of; some checks have a result for each, which names it itself."""
    recorded = str(verdict.reason.value["slice"])
    return (_own_slice(verdict.result) if verdict.result is not None and recorded == WHOLE else "") or recorded


def _own_slice(result: Node) -> str:
    return str((result.value["details"] or {}).get("slice", ""))


def named(book: Book, check: str, where: str) -> bool:
    """Does a risk of the register name this check for this slice?

    An entry without a slice names the line on the whole alone: a risk about one group says nothing of another.
    """
    risks = book["answers"]["risks"] if book["answers"] else ()
    entries = (answers.check_and_slice(str(name.value)) for risk in risks for name in risk["shown_by"])
    return any(check == each and within(where, slice_ or WHOLE) for each, slice_ in entries)


MOST_LISTED = 5
"""Passed results of one check, beyond which they are counted instead of listed: there may be one for every column."""


def words(risk: Node, book: Book) -> Parts:
    """The tests with their outcomes on one line; a gap for each that the run has not made."""
    found = of(book, risk)
    passed: dict[str, list[Control]] = {}
    for control in found:
        if control.statuses == ["pass"]:
            passed.setdefault(str(control.name.value), []).append(control)
    many = {name: mine for name, mine in passed.items() if len(mine) > MOST_LISTED}
    shown = [_words(c) for c in found if c.statuses != ["pass"] or str(c.name.value) not in many]
    return tree.joined((*shown, *map(_counted, many.values())), "; ")


def _counted(passed: list[Control]) -> Parts:
    return tree.say(
        "{n} results of this check passed, beginning with {first}",
        n=passed[0].name.derived(len(passed), "results of the check that passed", "count"),
        first=_words(passed[0]),
    )


def _words(control: Control) -> Parts:
    if control.result is None:
        return (Gap(control.name.fact("name"), "engineer", "a run that makes this check", "Not measured"),)
    _, where = answers.check_and_slice(str(control.name.value))
    title = control.result["title"].fact()
    if where is None:
        return parts(title, ": ", blocks.outcome(control.result))
    inside = () if title.shown.endswith(where) else (" (", control.name.derived(where, "slice that is named"), ")")
    return parts(title, *inside, ": ", *_outcome(control))


def _outcome(control: Control) -> Parts:
    """The outcome of a test for one slice."""
    if control.verdicts:
        return tree.joined(blocks.status_of(v) for v in control.verdicts)
    if control.measure is None or control.result is None:
        return (control.name.derived("not measured", "status in words"),)
    return (control.result["status"].derived(blocks.NO_THRESHOLD, "no threshold judges this slice"),)
