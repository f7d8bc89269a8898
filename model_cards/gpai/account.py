"""The account of a language model: what it is by law, with the path of reasons, its compute, and what must be done."""

from __future__ import annotations

from collections.abc import Iterable

from model_cards import blocks, gaps, language, statements, tree
from model_cards.gpai import book as books
from model_cards.gpai import form, form_cost, open_source, plot, reasons, summary, values
from model_cards.legal import frame, names
from model_cards.legal import parts as legal
from model_cards.refs import Book, Fact, Gap, Node
from model_cards.tree import Block, Bullets, Document, Figure, Figures, Link, Pairs, Paragraph, Parts, Section, Table

TITLE = "account and classification of the model"
CLASSES = {
    "general_purpose": "General-purpose model",
    "systemic_risk": "With systemic risk",
    "modifier_is_provider": "Its modifier is its provider",
    "open_source_exemption": "Open-source exemption",
}
SIDES = {
    "below": "below",
    "within": "within the band around it: a person decides",
    "above": "above",
    "unknown": "unknown: not everything that counts is known",
}
NOT_BOUND = (
    "By the class that answers and figures lead to, no duty of a provider of general-purpose models follows. The "
    "documents below are drafts that stand ready, should the class be another."
)
THRESHOLDS = {
    "gpai": "indicative criterion",
    "systemic": "systemic risk",
    "modifier-gpai": "a third of the indicative criterion",
    "modifier-systemic": "a third of that of systemic risk",
    "modifier-base": "a third of the original",
}
"""Names of the thresholds."""
ORDER = ("gpai", "modifier-gpai", "systemic", "modifier-systemic", "modifier-base")
"""In which they stand beside the line of the figure."""
SHORT = THRESHOLDS | {
    "gpai": "general purpose",
    "modifier-gpai": "a third of that",
    "modifier-systemic": "a third of it",
}
"""Names beside the line of the figure, where each third stands beneath its whole."""


def build(book: Book) -> Document:
    """The whole document."""
    back = (_path(book), _compute(book), _counted(book), _energy(book), _criteria(book))
    front = (_classes(book), _due(book))
    return frame.document(book, TITLE, (*front, gaps.section(_missing(book, (*front, *back))), *back))


def _missing(book: Book, own: Iterable[Section]) -> tuple[Gap, ...]:
    """What is missing here and in the documents that are handed over or published, each once."""
    open_ = {gap.text: gap for gap in statements.open_statements(book)}
    documents = (
        form.build(book, "ai_office"),
        form.build(book, "downstream"),
        summary.build(book),
        open_source.build(book),
    )
    parts = [p for s in own for p in tree.walk_section(s)]
    parts += [p for d in documents for p in tree.walk(d)] if _is_bound(book) else []
    found = {p.text: p for p in parts if isinstance(p, Gap) and (p.kind != "Not answered" or p.text in open_)}
    return tuple((found | open_).values())


def _is_bound(book: Book) -> bool:
    """Does more than the classification apply, or may it?"""
    return any(not str(d.value).startswith("GP-51") for d in book["account"]["duties"])


def _classes(book: Book) -> Section:
    classes = book["account"]["classes"]
    rows = tuple((name, state(classes[key])) for key, name in CLASSES.items())
    shown: list[Block] = [
        Paragraph(("What the answers of persons and the figures of this run lead to. A person confirms it.",), "lead"),
        Pairs("The class of the model", rows),
        *_system(book),
        *_notify(book),
    ]
    open_ = [key for key in CLASSES if classes.value[key] == "open"]
    asked = ["gpai_generality"] if "general_purpose" in open_ else []
    asked += ["gpai_compute_judgement"] if classes.value["compute_decided"] == "open" else []
    shown += legal.stated(book, asked)
    return Section("class", "What this model is", tuple(shown))


def state(node: Node) -> Parts:
    """A class in words."""
    words = {"yes": "yes", "no": "no", "open": "open: a person decides or answers"}[str(node.value)]
    return (node.derived(words, "state in words"),)


SYSTEM = (
    "Documents under Chapter III are not made from the run of a language model: they belong to the system that it is "
    "built into."
)


def _system(book: Book) -> list[Block]:
    """That the answers point to a high-risk system, or leave it open, of which this account says nothing."""
    state = str(book.law["read"]["high_risk"].value)
    words = {
        "yes": "By the answers of the plan this is a high-risk AI system, too.",
        "open": "The answers of the plan leave open whether this is a high-risk AI system, too.",
    }
    if state not in words:
        return []
    told = book.plan["classification"].derived(words[state], "answers of the plan, by the rules of the register")
    return [Paragraph((told, " ", SYSTEM))]


def _notify(book: Book) -> list[Block]:
    until = book["account"]["notify_by"]
    if until.value is None:
        return []
    told = tree.say(
        "The Commission is to be notified under Art. 52(1) by {until}, counted from the moment at which this account "
        "found it; what was known earlier brings the day forward.",
        until=until.fact("time"),
    )
    return [Paragraph(told, "lead"), *legal.stated(book, ["gpai_notification"])]


def _due(book: Book) -> Section:
    """The documents of the run and whom they are for, then every duty that applies or may apply."""
    applying = {str(d.value) for d in book["account"]["duties"]}
    duties = [r for r in book.law["read"]["requirements"] if str(r.value["id"]) in applying]
    documents = tuple(_handed_over(book, entry) for entry in names.GENERAL_PURPOSE[1:])
    lines = tuple(((d["place"].fact(),), (d["duty"].fact(),), (_supplied(d),)) for d in duties)
    market = next((s for s in book["account"]["path"] if s.value["id"] == "market"), None)
    shown: list[Block] = [] if _is_bound(book) else [Paragraph((NOT_BOUND,))]
    if market is not None:
        shown.append(
            Paragraph(
                tree.say(
                    "Placed on the Union market: {answer}; {follows}.",
                    answer=market["answer"].fact(),
                    follows=market["follows"].fact(),
                )
            )
        )
    shown += [
        Table(
            ("Duties that apply, or may apply as long as something is open",),
            ("Place", "Duty", "Who supplies it"),
            lines,
            prose=True,
        ),
        Paragraph(("The documents of this run:",)),
        Bullets(documents),
    ]
    return Section("due", "What must be done and published", tuple(shown))


def _handed_over(book: Book, entry: names.Entry) -> Parts:
    """A document and whom it is for; of the public summary also how many of its fields are still open."""
    if entry.id != "public_summary":
        return (Link(entry.title, "", entry.id), READERS[entry.id])
    fields = book.law["general"]["summary_fields"]
    open_ = fields.derived(summary.open_fields(book), "fields that hold a gap", "count")
    told = ": to be published; {open} of its {all} fields are still open" if open_.value else TO_BE_PUBLISHED
    return (Link(entry.title, "", entry.id), *tree.say(told, open=open_, all=fields.size("fields of the template")))


TO_BE_PUBLISHED = ": to be published; none of its {all} fields is open, and a person judges whether they are right"
READERS = {
    "model_documentation_ai_office": ": on request of the AI Office",
    "model_documentation_authorities": ": on request of a national authority, through the AI Office",
    "model_documentation_downstream": ": for providers who integrate the model",
    "annexes_xi_xii": ": for the compliance officer",
    "copyright_policy": ": for the compliance officer; a summary of the policy may be published",
    "open_source": ": for the compliance officer",
}
"""Document to whom it is for."""


def _supplied(duty: Node) -> Fact:
    words = {
        "pipeline": "this run",
        "draft": "this run drafts, a person judges",
        "person": "a person",
    }[str(duty.value["supplier"])]
    return duty["supplier"].derived(words, "supplier in words")


def _path(book: Book) -> Section:
    return Section("path", "Path of reasons", (reasons.table(book["account"]["path"]),))


def _compute(book: Book) -> Section:
    account = book["account"]
    head = tree.say("What counts towards the thresholds: {flop}.", flop=_flop(account["cumulative"]))
    how = tree.say(
        "It is the {method}; boundary: {boundary}.",
        method=account["cumulative"]["method"].fact(),
        boundary=account["cumulative"]["boundary"].fact(),
    )
    estimates = tuple(
        ((form_cost.way(q),), _flop(q), (q["method"].fact(),), (q["boundary"].fact(),)) for q in account["estimates"]
    )
    lines = tuple(_comparison(c) for c in account["comparisons"])
    spread = account["spread"]
    shown: list[Block] = [Paragraph(head, "lead"), Paragraph(how)]
    if spread.value is not None:
        shown.append(
            Paragraph(tree.say("Highest estimate divided by the lowest: {spread}.", spread=spread.fact("number")))
        )
    shown += [
        Table(("Estimates of the training of this run",), ("Way", "Compute", "How", "Boundary"), estimates, prose=True),
        Table(
            ("Where the compute stands",),
            ("Held against", "FLOP", "Side", "Estimates as a share of it", "Basis"),
            lines,
            frozenset({1, 3}),
            prose=True,
        ),
        Bullets(
            tuple(
                tree.say("{name}: {meaning}.", name=_name(c), meaning=_meaning(book, c)) for c in account["comparisons"]
            )
        ),
        *_figure(book),
        Paragraph(tree.parts(book.law["general"]["band_basis"].fact(), "."), "note"),
    ]
    return Section("compute", "Training compute", tuple(shown))


def _flop(quantity: Node) -> Parts:
    if quantity["value"].value is None:
        return (Gap("compute", "engineer", "a run that counts operations", "Not measured", quantity["method"].fact()),)
    return tree.parts(quantity["value"].fact("figures"), "\u00a0", quantity["unit"].fact())


def _name(comparison: Node) -> Fact:
    """The short name of a threshold."""
    return comparison["threshold"].derived(THRESHOLDS[str(comparison.value["threshold"])], "name in words")


def _meaning(book: Book, comparison: Node) -> Parts:
    return (books.entry(book, "thresholds", str(comparison.value["threshold"]))["text"].fact(),)


def _comparison(comparison: Node) -> tuple[Parts, ...]:
    ends = [comparison[key] for key in ("ratio_low", "ratio_high")]
    shares = tree.joined(e.fact("figures") for e in ends if e.value is not None) or blocks.NOTHING
    return (
        (_name(comparison),),
        (comparison["flop"].fact("figures"),),
        (comparison["verdict"].derived(SIDES[str(comparison.value["verdict"])], "side in words"),),
        shares,
        (comparison["basis"].fact(),),
    )


def _figure(book: Book) -> list[Block]:
    """Compute and thresholds on one logarithmic line."""
    account = book["account"]
    total = account["cumulative"]["value"]
    if total.value is None or not total.value > 0:
        return []
    low = account["low"].value or total.value
    marks = [
        plot.Mark(language.here(SHORT[str(c.value["threshold"])]), float(c.value["flop"]), c.evidence)
        for c in sorted(account["comparisons"], key=lambda c: ORDER.index(str(c.value["threshold"])))
    ]
    own = plot.Mark(language.here("this model"), float(total.value), total.evidence, float(low), own=True)
    alt = tree.say(
        "A logarithmic line: this model at {flop} FLOP, beside the limits of the law and of the guidelines.",
        flop=total.fact("figures"),
    )
    svg = plot.powers([own, *marks], language.here("Training compute, FLOP"))
    return [Figures((Figure(("Compute and thresholds",), svg, alt),))]


def _counted(book: Book) -> Section:
    lines: list[tuple[Parts, ...]] = []
    for item in book["account"]["items"]:
        flop = item["flop"]
        shown: Parts = ("not known",) if flop.value is None else (flop.fact("figures"),)
        note: Parts = tree.parts("; ", item["note"].fact()) if item["note"] else ()
        lines.append(
            (
                (item["title"].fact(),),
                (item["counts"].derived("counts" if item.value["counts"] else "does not count", "in words"),),
                shown,
                tree.parts(item["method"].fact(), note),
            )
        )
    heads = ("Item", "Counts?", "FLOP", "How it is known")
    table = Table(
        ("What counts towards the training compute, and what does not",),
        heads,
        tuple(lines),
        frozenset({2}),
        prose=True,
    )
    return Section("items", "What counts and what does not", (table, *legal.stated(book, ["gpai_earlier_runs"])))


def _energy(book: Book) -> Section:
    node = book["account"]["energy"]
    rows: list[tuple[str, Parts]] = [
        ("Energy of the training", form_cost.energy(book)),
        ("How it was measured", (node["method"].fact(),)),
        ("Boundary", (node["boundary"].fact(),)),
        ("Time by the clock", values.exact(book["account"]["wall_time"]["value"], "days")),
        ("Time times devices", values.exact(book["account"]["hardware_time"]["value"], "days")),
    ]
    return Section("energy", "Energy and time", (Pairs("Energy and time", tuple(rows)),))


def _criteria(book: Book) -> Section:
    """The criteria of Annex XIII, by which the Commission could designate the model."""
    part = book["encode"]["parts"]["train"]
    known: dict[str, Parts] = {
        "XIII-a": tree.say("{n} parameters", n=book["train"]["parameters"].fact("count")),
        "XIII-b": tree.say("{n} tokens of training text", n=part["tokens"].fact("count")),
        "XIII-c": _flop(book["account"]["cumulative"]),
        "XIII-d": ("text in, text out",),
        "XIII-e": tree.parts("see ", Link("evaluation report", "language", legal.REPORT)),
    }
    who = ("management", "a statement of a person, outside this document")
    lines = tuple(
        (
            (c["place"].fact(),),
            (c["text"].fact(),),
            known.get(str(c.value["id"])) or (Gap(c["text"].fact(), *who, "Not covered"),),
        )
        for c in book.law["general"]["annex_xiii"]
    )
    heads = ("Place", "Criterion", "Known of this model")
    table = Table(("Criteria by which the Commission can designate a model",), heads, lines, prose=True)
    return Section("criteria", "Criteria of Annex XIII", (table,))
