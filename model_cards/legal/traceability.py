"""The traceability matrix: each requirement with what answers it, and how many answers there are, article by article.

Counted are answers, never marks: no number here says how well a duty is met.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable

from model_cards import figures, gaps, language, lines, report, statements, tree
from model_cards.legal import annex_iv_points, answered, frame, parts
from model_cards.legal.answered import STATES, Answer, Places, State
from model_cards.refs import Book, Fact, Gap, Node
from model_cards.tree import Block, Bullets, Document, Figure, Figures, Paragraph, Parts, Section, Table

TITLE = "traceability matrix"
_ARTICLE = re.compile(r"^(?:Arts?\.? [0-9]+[a-z]*|Annex [IVX]+|Code of Practice, [a-z]+)")
_ANNEX_IV = "AIV-"
SHOWN: tuple[State, ...] = ("evidenced", "stated", "carried", "outdated", "gap")
"""States of the answers that are asked for, in the order of the picture."""
COUNTED: tuple[State, ...] = (*SHOWN, "touched")
"""Columns of the table: what only touches a duty stands apart."""
_GIVEN: tuple[State, ...] = ("stated", "carried", "outdated")


@dataclasses.dataclass(frozen=True)
class Row:
    """A requirement with its answers."""

    requirement: Node
    answers: tuple[Answer, ...]


@dataclasses.dataclass(frozen=True)
class Article:
    """The requirements of one article or annex."""

    name: Fact
    rows: tuple[Row, ...]
    new: frozenset[str] = frozenset()
    """Texts of the gaps that stand in no article before."""

    def count(self, state: State) -> Fact:
        """How many answers have a state."""
        number = sum(a.state == state for row in self.rows for a in row.answers)
        return Fact(number, self.name.evidence, "count", f"answers with the state {STATES[state]}")

    @property
    def asked(self) -> Fact:
        """How many answers are asked for."""
        asked = sum(a.state != "touched" for r in self.rows for a in r.answers)
        return Fact(asked, self.name.evidence, "count", "answers that are asked for")

    @property
    def once(self) -> Fact:
        """How many gaps stand here first: what is missing at several requirements is one gap."""
        return Fact(len(self.new), self.name.evidence, "count", "gaps that stand in no article before")


def build(book: Book) -> Document:
    """The whole document."""
    return frame.document(book, TITLE, sections(book, places_of(report.tree_of(book))))


def sections(book: Book, places: Places) -> tuple[Section, ...]:
    """How to read it, answers by article, each requirement with what answers it, and what persons stated."""
    found = articles(book, places)
    return (_reading(), _completeness(book, found), *(chapter(article) for article in found), _statements(book))


def places_of(document: Document) -> Places:
    """What can be linked to in a document."""
    sections: set[str] = set()
    waiting = list(document.sections)
    while waiting:
        section = waiting.pop()
        sections.add(section.id)
        waiting += section.sections
    return Places(frozenset({*sections, *lines.of(document).values()}))


def articles(book: Book, places: Places, among: Iterable[Node] | None = None) -> tuple[Article, ...]:
    """The applying requirements (or others) by article, in the order of the register, each followed to its answers."""
    grouped: dict[str, list[Row]] = {}
    first: dict[str, Node] = {}
    for requirement in book.law["read"]["requirements"] if among is None else among:
        name = _article(str(requirement.value["place"]))
        first.setdefault(name, requirement)
        grouped.setdefault(name, []).append(Row(requirement, _answers(book, requirement, places)))
    found, seen = [], frozenset[str]()
    for name, rows in grouped.items():
        gaps = frozenset(p.text for row in rows for a in row.answers for p in a.words if isinstance(p, Gap))
        found.append(Article(first[name]["place"].derived(name, "article of the place"), tuple(rows), gaps - seen))
        seen |= gaps
    return tuple(found)


def _answers(book: Book, requirement: Node, places: Places) -> tuple[Answer, ...]:
    """The answers that the register asks for; at a point of Annex IV also what its documentation finds missing there.

    So both documents name the same gaps at the same points.
    """
    own = answered.of(book, requirement, places)
    known = {p.key for answer in own for p in answer.words if isinstance(p, Gap)}
    beyond = (gap for gap in annex_iv_points.gaps_at(book, str(requirement.value["id"])) if gap.key not in known)
    return (*own, *(Answer("gap", (gap,)) for gap in beyond))


def _article(place: str) -> str:
    found = _ARTICLE.match(place)
    return found[0] if found else place


def _reading() -> Section:
    return Section(
        "reading",
        "How to read this matrix",
        (
            Bullets(
                (
                    ("Each requirement that applies to the system, or may apply, names what can answer it.",),
                    ("evidenced: measured, recorded or written by this run; a check that failed is evidence, too.",),
                    (
                        "touched: measured near the duty; it does not answer it by itself, and is not counted as an "
                        "answer.",
                    ),
                    ("stated: a person says so, in the plan or as an answer; nothing measures it.",),
                    ("carried over: stated for an earlier run, and not yet confirmed for this one.",),
                    ("outdated: stated for an earlier run, and what it speaks of has changed; to be stated anew.",),
                    ("gap: nothing answers it yet; who can is named beside it.",),
                )
            ),
            Paragraph(
                (
                    "An answer is counted when it is there. Whether it is good enough, and whether a duty is met, no "
                    "count can say: that is for a person to judge.",
                ),
                "note",
            ),
        ),
    )


def _completeness(book: Book, found: tuple[Article, ...]) -> Section:
    if not found:
        none = "The answers on the class point to no requirement of this register."
        return Section("completeness", "Answers by article", (Paragraph((none,)),))
    heads = (
        "Article",
        "Requirements",
        "Answers asked for",
        "Evidenced",
        "Stated",
        "Carried over",
        "Outdated",
        "Gaps",
        "Touched",
        "Gaps, each once",
    )
    body: tuple[tuple[Parts, ...], ...] = tuple(
        (
            (tree.Link(article.name, _anchor(article)),),
            (Fact(len(article.rows), article.name.evidence, "count", "requirements of the article that apply"),),
            (article.asked,),
            *((article.count(state),) for state in COUNTED),
            (article.once,),
        )
        for article in found
    )
    total = _total(book, found)
    lead = Paragraph(
        tree.say(
            "Requirements that apply, or may apply: {requirements}. Answers that they ask for: {asked}; evidenced: "
            "{evidenced}, stated: {stated}, carried over: {carried}, outdated: {outdated}, gaps: {gaps}.",
            **dict(
                zip(
                    ("requirements", "asked", "evidenced", "stated", "carried", "outdated", "gaps"),
                    total[1:8],
                    strict=True,
                )
            ),
        )
    )
    note = Paragraph(
        tree.say(
            "These numbers count answers, each at every requirement that asks for it. What is missing at several "
            "requirements is one gap, and one answer may lack several things: each gap counted once, where it "
            "stands first (last column), there are {once}, and the gaps by person are counted so, too. Of the "
            "answers that are stated, carried over or outdated, {given} are statements of persons, {statements} "
            "different ones; the others stand in the plan.",
            once=total[-1],
            **_of_persons(book, found),
        ),
        "note",
    )
    body += (total,)
    elsewhere = _elsewhere(book, found)
    table = Table(("Answers asked for, and what there is, by article",), heads, body, frozenset(range(1, len(heads))))
    return Section("completeness", "Answers by article", (lead, note, *elsewhere, Figures((_figure(found),)), table))


def _elsewhere(book: Book, found: tuple[Article, ...]) -> list[Block]:
    """The gaps of the run that stand at no requirement, where the gaps of all documents were gathered."""
    here = {p.key for article in found for r in article.rows for a in r.answers for p in a.words if isinstance(p, Gap)}
    others = [gap for gap in book.gaps or () if gap.key not in here]
    if not others:
        return []
    sentence = tree.say(
        "Gaps of the run over every document: {all}. At no requirement of this matrix, but in other documents, stand "
        "{n} of them: {names}.",
        all=gaps.number_of(len(book.gaps or ())),
        n=gaps.number_of(len(others)),
        names=parts.listed([(gap.what,) for gap in others], "; "),
    )
    return [Paragraph(sentence, "note")]


def _total(book: Book, found: tuple[Article, ...]) -> tuple[Parts, ...]:
    """The last line of the table."""
    node = book.law["read"]["requirements"]
    counts = [
        node.derived(sum(int(a.count(s).value) for a in found), f"answers that are {s}", "count") for s in COUNTED
    ]
    asked = node.derived(sum(int(a.asked.value) for a in found), "answers asked for", "count")
    once = node.derived(sum(len(a.new) for a in found), "different gaps", "count")
    return (("All",), (node.size("requirements"),), (asked,), *((count,) for count in counts), (once,))


def _of_persons(book: Book, found: tuple[Article, ...]) -> dict[str, Fact]:
    """How many of the answers are statements of persons, and how many different statements these are."""
    node = book.law["read"]["requirements"]
    answers = [a for article in found for row in article.rows for a in row.answers]
    given = [a.pointer for a in answers if a.pointer.startswith(parts.ATTESTATION) and a.state in _GIVEN]
    return {
        "given": node.derived(len(given), "answers that are statements of persons", "count"),
        "statements": node.derived(len(set(given)), "statements of persons that answer", "count"),
    }


def _figure(found: tuple[Article, ...]) -> Figure:
    rows = [
        figures.Stack(
            language.here(str(a.name.value)), tuple(int(a.count(state).value) for state in SHOWN), a.name.evidence
        )
        for a in found
    ]
    names = [language.here(STATES[state]) for state in SHOWN]
    most = max(found, key=lambda a: int(a.count("gap").value))
    alt = tree.say(
        "One bar for each article, as long as the answers it asks for, divided into evidenced, stated, carried over, "
        "outdated and gaps. Most answers are missing in {article}: {gaps} of the {asked} that it asks for.",
        article=most.name,
        gaps=most.count("gap"),
        asked=most.asked,
    )
    return Figure(("Answers by article",), figures.stacks(rows, names, language.here("Answers asked for")), alt)


def _anchor(article: Article) -> str:
    return "article-" + re.sub(r"[^a-z0-9]+", "-", str(article.name.value).lower()).strip("-")


def chapter(article: Article) -> Section:
    """Each requirement of an article with what answers it."""
    body: list[tuple[Parts, ...]] = []
    for row in article.rows:
        place = row.requirement["place"].fact()
        annex_iv = str(row.requirement.value["id"]).startswith(_ANNEX_IV)
        name: Parts = (tree.Link(place, str(row.requirement.value["id"]), "annex_iv"),) if annex_iv else (place,)
        for index, answer in enumerate(row.answers):
            duty = row.requirement["duty"].fact() if index == 0 else tree.AGAIN
            body.append((name, (duty,), (STATES[answer.state],), answer.words))
    caption = tree.parts(article.name, ": what is asked for, and what answers it")
    heads = ("Place", "Asked for", "State", "Answer")
    return Section(_anchor(article), str(article.name.value), (Table(caption, heads, tuple(body), prose=True),))


_STANDING: dict[str, State] = {"open": "gap", "stated": "stated", "carried": "carried", "outdated": "outdated"}
"""Standing of a statement to the state of the answer that it is."""


def _statements(book: Book) -> Section:
    lead = Paragraph(("Every question of the register that applies to the system, with what a person stated.",))
    body = []
    owners = list(statements.OWNERS)
    questions = sorted(book.law["register"]["attestations"], key=lambda q: owners.index(str(q.value["owner"])))
    for question in questions:
        name = str(question.value["id"])
        if not _asked(book, name):
            continue
        found = statements.statement(book, name)
        state: State = _STANDING[str(found.value["status"])] if found else "gap"
        owner = statements.OWNERS[str(question.value["owner"])]
        said: Parts = ("–",) if state == "gap" else statements.said(book, name)
        body.append(((question["question"].fact(),), (owner,), (STATES[state],), said))
    caption = ("Questions to persons, and what they stated",)
    table = Table(caption, ("Question", "Who is likely to know", "State", "Statement"), tuple(body), prose=True)
    blocks: list[Block] = [lead, table] if body else [Paragraph(("No question applies.",))]
    return Section("statements", "What persons stated", tuple(blocks))


def _asked(book: Book, question: str) -> bool:
    return any(question in parts.asked(r) for r in book.law["read"]["requirements"])
