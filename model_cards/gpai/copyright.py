"""The copyright policy: the measures of the Code of Practice as a checklist, each with what shows it.

It is no policy. The policy is a text of the provider; this says which measure has evidence, a statement, or a gap.
"""

from __future__ import annotations

import dataclasses

from model_cards import blocks, tree
from model_cards.gpai import values
from model_cards.legal import answered, frame
from model_cards.legal import parts as legal
from model_cards.legal.answered import STATES, Places
from model_cards.refs import Book, Gap, Node
from model_cards.tree import Block, Bullets, Document, Paragraph, Parts, Section, Table

TITLE = "copyright policy: checklist and evidence"
START = "CP-"


def build(book: Book, places: Places) -> Document:
    """The whole document."""
    measures = legal.points(book, START)
    # What persons stated on measures that do not apply is not listed elsewhere.
    places = dataclasses.replace(places, statements="annexes_xi_xii" if measures else None)
    first: tuple[Section, ...] = ()
    if not measures:
        none = (
            "By the class of the model no measure of the copyright chapter applies. What stands ready for them, should "
            "the class be another:"
        )
        first = (Section("none", "No measure applies", (Paragraph((none,)),)),)
        measures = list(book.law["general"]["copyright_measures"])
    chapters = tuple(_measure(book, m, places) for m in measures)
    return frame.document(book, TITLE, (*first, _overview(book, measures, places), *chapters, _corpora(book)))


def _overview(book: Book, measures: list[Node], places: Places) -> Section:
    lines: list[tuple[Parts, ...]] = []
    for measure in measures:
        answers = answered.of(book, measure, places)
        for index, answer in enumerate(answers):
            duty = measure["duty"].fact() if index == 0 else tree.AGAIN
            name: Parts = (tree.Link(measure["place"].fact(), _anchor(measure)),)
            lines.append((name, (duty,), (STATES[answer.state],), answer.words))
    lead = Paragraph(
        (
            "Art. 53(1)(c) asks for a copyright policy. These are the measures of the Code of "
            "Practice; whoever is no signatory shows other adequate means. Whether an answer is good enough is for a "
            "person to judge.",
        )
    )
    without = Paragraph(tree.parts(book.law["general"]["copyright_without_crawl"].fact(), "."), "note")
    heads = ("Measure", "Asked for", "State", "Answer")
    return Section(
        "checklist",
        "Checklist",
        (lead, without, Table(("Measures and what shows them",), heads, tuple(lines), prose=True)),
    )


def _anchor(measure: Node) -> str:
    return str(measure.value["id"]).replace(".", "-")


def _measure(book: Book, measure: Node, places: Places) -> Section:
    found = answered.of(book, measure, places)
    measured = tuple(a.words for a in found if a.state == "evidenced")
    shown: list[Block] = [legal.duty(measure)]
    if measure.value["id"] == "CP-1.2":
        shown += _crawl(book)
    if measured:
        shown += [Paragraph(("Measured or recorded by this run:",)), Bullets(measured)]
    shown += legal.stated(book, legal.asked(measure))
    return Section(_anchor(measure), str(measure.value["place"]), tuple(shown))


def _crawl(book: Book) -> list[Block]:
    crawled = values.corpora(book, "crawled")
    if not crawled:
        node = book.plan["corpora"]
        none = node.derived("No corpus of the plan was crawled by the provider or on its behalf.", "no such origin")
        return [Paragraph((none,))]
    items = []
    for corpus in crawled:
        crawl = corpus["provenance"]["crawl"]
        where = f"plan: {crawl.path}.behaviour"
        behaviour = crawl["behaviour"] if crawl else crawl
        told = behaviour.fact() if behaviour else Gap("behaviour of the crawlers", "engineer", where)
        items.append(tree.parts(values.title(corpus), ": ", told))
    return [Bullets(tuple(items))]


def _corpora(book: Book) -> Section:
    """Licence and reservations of rights, corpus by corpus."""
    lines: list[tuple[Parts, ...]] = []
    for corpus in values.corpora(book):
        provenance = corpus["provenance"]
        said = provenance["opt_out"]
        protocols = tree.joined((p.fact() for p in said["protocols"]), "; ") or blocks.NOTHING
        evidence: Parts = (said["evidence"].fact(),) if said["evidence"] else blocks.NOTHING
        lines.append(
            (
                (values.title(corpus),),
                (provenance["origin"].derived(values.ORIGINS[str(provenance["origin"].value)], "origin in words"),),
                (provenance["licence"].fact_or_gap("licence of the data set", "engineer"),),
                (values.answer(said["applied"], "whether reservations of rights were looked for and honoured"),),
                protocols,
                evidence,
            )
        )
    heads = ("Corpus", "Origin", "Licence", "Reservations honoured", "Protocols", "Evidence")
    table = Table(("Licence and reservations of rights of each corpus",), heads, tuple(lines), prose=True)
    return Section("corpora", "Corpora", (table,))
