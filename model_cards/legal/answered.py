"""What answers a requirement: a measurement or record of the run, a statement of a person, or nothing yet.

Each requirement of the register names what can answer it (`evidence`). Every such name is followed here to the records
of one run. Whether an answer is good enough is nobody's but a person's to judge: a failed check is evidence, too.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Literal

from model_cards import blocks, given, lines, refs, statements, tree
from model_cards.legal import expectations, names, parts, signature
from model_cards.legal.names import Entry
from model_cards.refs import Book, Fact, Gap, Node
from model_cards.tree import Link, Parts

State = Literal["evidenced", "touched", "stated", "carried", "outdated", "gap"]
STATES: dict[State, str] = {
    "evidenced": "evidenced",
    "touched": "touched",
    "stated": "stated",
    "carried": "carried over",
    "outdated": "outdated",
    "gap": "gap",
}
"""`evidenced`: measured, recorded or written by the run. `touched`: measured near the duty, which it does not answer.
`stated`: by a person, in the plan or as an answer. `carried`: stated for an earlier run and not yet confirmed.
`outdated`: stated for an earlier run, and what it speaks of has changed."""

SECTIONS = {
    "performance": "performance",
    "fairness": "fairness",
    "mitigation": "mitigation",
    "robustness": "robustness",
    "security": "security",
    "explanation": "explanation",
    "data": "data",
}
"""Family of checks to its chapter of the report."""
STAGES = {
    "ingest": ("data", "the data as read"),
    "validate": ("quality", "checks of quality"),
    "govern": ("governance", "checks of governance"),
    "split": ("splits", "how the rows were split"),
    "encode": ("columns", "features and their encoding"),
    "commit": ("decision", "what was fixed before the evaluation"),
    "train": ("training", "the training"),
    "export": ("parity", "the graph as exported"),
    "evaluate": ("performance", "the evaluation"),
    "gate": ("decision", "the decision of the gate"),
    "document": ("summary", "the documents of this run"),
    "close": ("provenance", "run, code and software"),
}
"""Stage to its chapter of the report, and what its record holds."""
MOST_LISTED = 5
"""Passed results of one check, beyond which they are counted instead of listed: there may be one for every column."""
LAST = {"document": "documents/record.json#", "close": "run.json#"}
"""Stages that come after this document is written, and where their records will stand."""


@dataclasses.dataclass(frozen=True)
class Answer:
    """One answer that a requirement asks for."""

    state: State
    words: Parts
    pointer: str = ""
    """Name in the register of what answers, for example `attestation:oversight`."""


@dataclasses.dataclass(frozen=True)
class Places:
    """Lines and sections of the report that can be linked to."""

    names: frozenset[str]
    stages: Mapping[str, tuple[str, str]] = dataclasses.field(default_factory=lambda: STAGES)
    """Stage to the chapter that shows it, and what its record holds."""
    chapters: Mapping[str, str] = dataclasses.field(default_factory=lambda: SECTIONS)
    """Family of checks to its chapter."""
    documents: Mapping[str, Entry] = dataclasses.field(default_factory=dict)
    """Documents that answer beside those that the register of systems names."""
    statements: str | None = ""
    """Document in which what persons stated is listed; empty for the one that is being built, None for none."""

    def link(self, words: str | Fact, evidence: str, section: str) -> Link:
        """To the line that shows a place of a record, or to the chapter where no line is named after it."""
        line = lines.name(evidence)
        return Link(words, line if line in self.names else section, parts.REPORT)


def of(book: Book, requirement: Node, places: Places) -> tuple[Answer, ...]:
    """The answers to a requirement, one for each that it asks for, in the register's order; then what touches it.

    A gate that it expects and that the policy lacks is an answer that is asked for and missing.
    """
    own = [_answer(book, pointer, places) for pointer in requirement["evidence"]]
    near = [_answer(book, pointer, places) for pointer in requirement["touched_by"]]
    own += [Answer("gap", (expectations.gap(gate),)) for gate in expectations.lacking(book, requirement.value["id"])]
    return (*own, *(dataclasses.replace(a, state="touched") for a in near if a.state == "evidenced"))


def _answer(book: Book, pointer: Node, places: Places) -> Answer:
    kind, _, name = str(pointer.value).partition(":")
    return dataclasses.replace(_KINDS[kind](book, name, places), pointer=str(pointer.value))


def _record(book: Book, stage: str, places: Places) -> Answer:
    section, words = places.stages[stage]
    if stage in LAST:
        return Answer("evidenced", tree.parts(places.link(words, "", section), " ", _place(LAST[stage])))
    node = book[stage]
    if not node:
        if stage in ("train", "export") and not given.has_model(book):
            gap = Gap(words, "engineer", "a run of a plan with the model", "Not measured")
            return Answer("gap", (gap,))
        return Answer("gap", (Gap(words, "engineer", "a whole run", "Not measured"),))
    return Answer("evidenced", tree.parts(places.link(words, "", section), " ", _place(f"{node.record}#")))


def _check(book: Book, check_id: str, places: Places) -> Answer:
    found = [r for r in book.results() if r.value["check_id"] == check_id]
    made = [r for r in found if _made(r)]
    if not made:
        if found:
            return Answer("gap", parts.listed([blocks.found(r) for r in found], " "))
        title = Fact(check_id, "plan.yaml#/policy", "name", "a check by its name")
        return Answer("gap", (Gap(title, "engineer", f"check {check_id}", "Not measured"),))
    section = places.chapters.get(check_id.partition(".")[0], "other")
    passed = [r for r in made if r.value["status"] == "pass"]
    if len(passed) <= MOST_LISTED:
        passed = []
    each = [_result(r, places.link(r["title"].fact(), r.evidence, section)) for r in made if r not in passed]
    if passed:
        number = Fact(len(passed), passed[0].evidence, "count", f"results of {check_id} that passed")
        first = places.link(passed[0]["title"].fact(), passed[0].evidence, section)
        all_of_them = (
            tree.say("{n} more results of this check passed, beginning with {first}", n=(number,), first=(first,))
            if each
            else tree.say("{n} results of this check passed, beginning with {first}", n=(number,), first=(first,))
        )
        each.append(tree.parts(all_of_them, " ", _place(passed[0].evidence)))
    return Answer("evidenced", parts.listed(each, "; "))


def _made(result: Node) -> bool:
    """Did a check measure something? What does not apply and has no measures is no evidence."""
    status = result.value["status"]
    return bool(status != "not_measured" and (status != "not_applicable" or result["measures"]))


def _result(result: Node, link: Link) -> Parts:
    return tree.parts(link, ": ", blocks.outcome(result), " ", _place(result.evidence))


def _family(book: Book, family: str, places: Places) -> Answer:
    found = book.family(family)
    made = [r for r in found if _made(r)]
    if not made:
        return Answer("gap", (Gap(f"checks of {family}", "engineer", "plan: policy", "Not measured"),))
    counted = []
    for words in (*refs.STATUS_WORDS.values(), blocks.NO_THRESHOLD):
        mine = [r for r in found if blocks.outcome(r).shown == words]
        if mine:
            number = Fact(len(mine), mine[0].evidence, "count", f"checks of {family} with this status")
            counted.append(tree.parts(number, " ", blocks.outcome(mine[0])))
    link = places.link(f"checks of {family}", "", places.chapters.get(family, "other"))
    record = _place(f"{made[0].record}#/results")
    return Answer("evidenced", tree.parts(link, ": ", parts.listed(counted, "; "), " ", record))


GENERAL = {
    "general_purpose.code_signatory": ("whether the provider is a signatory of the Code of Practice", "management"),
    "general_purpose.outside_union": ("whether the provider is established outside the Union", "compliance officer"),
    "general_purpose.significant_generality": ("whether the model shows significant generality", "compliance officer"),
    "general_purpose.released_on": ("day of the first release", "provider"),
    "documents.licence": ("licence of the model", "provider"),
    "system.type": ("type of the system", "provider"),
}
"""Parts of the plan whose own names say too little: what is missing and who fills it, as other documents say."""


def _plan(book: Book, path: str, _: Places) -> Answer:
    node = book.plan
    for step in path.split("."):
        node = node[step]
    if not node or node.value == "unknown":
        if path == "predetermined_changes":
            # Whether none is meant is asked of a person; the plan without any is no second gap.
            return Answer("stated", tree.parts("the plan declares none ", _place(node.evidence)))
        what, who = GENERAL.get(path, (path.rpartition(".")[2].replace("_", " "), "provider"))
        return Answer("gap", (Gap(what, who, f"plan: {path}"),))
    if path == "corpora" and (silent := _crawled_in_silence(node)):
        return Answer("gap", (Gap("behaviour of the crawlers", "engineer", f"plan: {silent}"),))
    return Answer("stated", tree.parts("in the plan ", _place(node.evidence)))


def _crawled_in_silence(corpora: Node) -> str | None:
    """Where the plan would say how crawlers behaved and does not: to name a corpus as crawled says nothing on that."""
    for corpus in corpora:
        crawl = corpus["provenance"]["crawl"]
        if corpus["provenance"].value["origin"] == "crawled" and not (crawl and crawl["behaviour"]):
            return f"{crawl.path}.behaviour"
    return None


def _document(book: Book, name: str, places: Places) -> Answer:
    if name == "report":
        return Answer("evidenced", (Link("evaluation report", "", parts.REPORT),))
    entry = places.documents.get(name) or next((e for e in names.needed(book) if name in (e.id, *e.needs)), None)
    if entry is None:
        return Answer("gap", (Gap(f"document {name.replace('_', ' ')}", "provider", "a document of its own"),))
    return Answer("evidenced", tree.parts(Link(entry.title, "", entry.id), " (a draft)"))


_STANDING: Mapping[str, State] = {"stated": "stated", "carried": "carried", "outdated": "outdated"}
"""Standing of a statement that is there to the state of the answer that it is."""


def _attestation(book: Book, question: str, places: Places) -> Answer:
    found = statements.statement(book, question)
    if found is None or found.value["status"] == "open":
        return Answer("gap", (statements.gap(book, question),))
    link: tree.Part = "statement"
    if places.statements is not None:
        link = Link("statement", lines.name(parts.question_of(book, question).evidence), places.statements)
    name = found["id"].derived(question.replace("_", " "), "name of the question in words")
    state = _STANDING[str(found.value["status"])]
    words = tree.say("{link} on {name}{who}", link=(link,), name=name, who=statements.signed(found))
    return Answer(state, tree.parts(words, " ", _place(found.evidence)))


def _place(evidence: str) -> Fact:
    return Fact(evidence, evidence, "name", "place of the record")


def _signature(_: Book, __: str, ___: Places) -> Answer:
    """Nobody signs a document of a run: what only a signature states stays open in all of them."""
    return Answer("gap", signature.answer())


_KINDS: Mapping[str, Callable[[Book, str, Places], Answer]] = {
    "record": _record,
    "check": _check,
    "family": _family,
    "plan": _plan,
    "document": _document,
    "attestation": _attestation,
    "signature": _signature,
}
"""Kind of pointer of the register to what follows it."""
