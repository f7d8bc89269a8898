"""The section on the class under the AI Act: a person's answers, what they point to, and what follows from that."""

from __future__ import annotations

from model_cards import blocks, tree
from model_cards.legal import names
from model_cards.refs import Book, Fact, Gap, Node
from model_cards.tree import Bullets, Paragraph, Parts, Section, Table, parts

STATES = {"yes": "yes", "no": "no", "open": "open: no answer settles it"}
NOT_INFERRED = Paragraph(("A person gives these answers in the plan. Nothing here is inferred from data.",), "note")

ROUTE_OPEN = (
    "Which procedure of conformity assessment applies (Art. 43) is open: it follows from the class and its route, "
    "which missing answers leave open, and from the entry of Annex I or III, which has to be named."
)


def section(book: Book) -> Section:
    """The whole section."""
    return Section(
        "classification",
        "Answers on the class under the AI Act",
        (
            NOT_INFERRED,
            _text_of_the_law(book),
            _answers(book),
            Bullets(tuple(_pointing(book))),
            _findings(book),
            *_route(book),
            *_dates(book),
            *_documents(book),
        ),
        short="AI Act answers",
    )


def _text_of_the_law(book: Book) -> Paragraph:
    law = book.law["register"]
    return Paragraph(
        tree.say(
            "Text of the law: {title}, CELEX {celex}, checked on {day}. Everything said of it here is paraphrase, and "
            "no legal advice.",
            title=law["title"].fact(),
            celex=law["celex"].fact("name"),
            day=law["checked_on"].fact("date"),
        )
    )


def _answers(book: Book) -> Table:
    answers = book.plan["classification"]
    lines: list[tuple[Parts, ...]] = [
        (("Role of the company that ran this",), blocks.NOTHING, _answer(answers["role"], "role of the company"))
    ]
    for question in book.law["register"]["questions"]:
        answer = answers[str(question.value["id"])]
        chosen = answers[str(question.value["chosen"])] if question.value["chosen"] else None
        asked = question["question"].derived(f"answer to “{question.value['question']}”", "question of the register")
        named = _chosen(book, question, chosen) if answer.value == "yes" and chosen is not None else ()
        lines.append(
            ((question["question"].fact(),), (question["place"].fact(),), parts(_answer(answer, asked), named))
        )
    return Table(("Answers as given",), ("Question", "Place", "Answer"), tuple(lines), prose=True)


def _answer(node: Node, asked: str | Fact) -> Parts:
    if node.value in (None, "unknown"):
        return (Gap(asked, "compliance officer", f"plan: {node.path}"),)
    return (node.fact(),)


def _chosen(book: Book, question: Node, node: Node) -> Parts:
    """The entries of an annex that an answer names, with place and text; `11` alone says nothing to a reader."""
    if not node:
        return ()
    findings = book.law["read"]["findings"]
    own = next((f for f in findings if [s["field"] for s in f.value["path"]] == [question.value["id"]]), None)
    items = list(own["items"]) if own is not None else []
    return parts(": ", tree.joined((parts(i["place"].fact(), " (", i["text"].fact(), ")") for i in items), "; "))


def high_risk_items(book: Book) -> Parts:
    """The entries of Annexes I and III that the answers point to; empty where none is named.

    For example `Annex III(5)(b), Creditworthiness …`.
    """
    found = book.law["read"]["findings"].first(id="high_risk")
    items = found["items"] if found is not None else ()
    return tree.joined((parts(item["place"].fact(), ", ", item["text"].fact()) for item in items), "; ")


def shortly(book: Book) -> Parts:
    """The class in a sentence: does what the plan answers point to high-risk use, and by which entry of an annex."""
    items = high_risk_items(book)
    state = {str(f.value["id"]): str(f.value["state"]) for f in book.law["read"]["findings"]}["high_risk"]
    if state == "yes" and items:
        return tree.say("The answers in the plan point to high-risk use: {items}. A person must confirm.", items=items)
    return (
        {
            "yes": "The answers in the plan point to high-risk use. A person must confirm.",
            "open": "Answers on which the class depends are missing; until they are given the class stays open.",
            "no": "The answers in the plan do not point to high-risk use. A person must confirm.",
        }[state],
    )


def _pointing(book: Book) -> list[Parts]:
    """What the answers point to, for a person to confirm. No class is given to the system here."""
    states = {str(f.value["id"]): str(f.value["state"]) for f in book.law["read"]["findings"]}
    answers = book.plan["classification"].value
    found: list[Parts] = []
    if states["scope"] == "no":
        found.append(("The answers say that the system is outside the scope of the Act; a person must confirm.",))
    if states["prohibited"] == "yes":
        found.append(("The answers point to a prohibited practice; a person must settle this before anything else.",))
    if states["high_risk"] == "yes":
        named = high_risk_items(book)
        sentence = "The answers point to high-risk use{colon}{items}; a person must confirm."
        found.append(tree.say(sentence, colon=": " if named else "", items=named))
    if answers["derogation_claimed"] == "yes" and states["annex_iii"] != "no":
        found.append(("The answers claim the derogation; a person must give the reasons and confirm.",))
        if answers["profiling"] == "yes":
            found.append(("The answers also say that persons are profiled, which rules the derogation out.",))
    if states["transparency"] == "yes":
        found.append(("The answers point to duties of transparency; a person must confirm how they are met.",))
    if "open" in (states["prohibited"], states["high_risk"]):
        found.append(("Answers on which the class depends are missing; the class stays open.",))
    none = "None of the answers points to a prohibited practice or to high-risk use; a person must confirm."
    return found or [(none,)]


def _findings(book: Book) -> Table:
    lines: list[tuple[Parts, ...]] = []
    for finding in book.law["read"]["findings"]:
        items = tree.joined(((item["place"].fact(), ", ", item["text"].fact()) for item in finding["items"]), "; ")
        steps = tree.joined(((step["place"].fact(), ": ", step["answer"].fact()) for step in finding["path"]), "; ")
        changes = tree.joined((change.fact() for change in finding["changes"]), " ")
        state = finding["state"].derived(STATES[finding.value["state"]], "state in words")
        pointed: Parts = parts(state, ". ", items) if items else (state,)
        lines.append(((finding["title"].fact(),), pointed, steps, changes or blocks.NOTHING))
    heads = ("Point", "The answers point to", "By these answers", "What settles or changes it")
    return Table(("What the answers point to, and by which path",), heads, tuple(lines), prose=True)


def _route(book: Book) -> list[tree.Block]:
    lines = [
        ((rule["place"].fact(),), (rule["duty"].fact(),), (rule["note"].fact(),) if rule["note"] else blocks.NOTHING)
        for rule in book.law["read"]["route"]
    ]
    if not lines:
        # A product of Section B has none of these procedures, and then no document of Chapter III is needed either.
        asked = book.law["read"]["documents"].first(id="technical_documentation") is not None
        return [Paragraph((ROUTE_OPEN,))] if asked else []
    return [Table(("Procedure that the answers lead to",), ("Place", "Rule", "Note"), tuple(lines), prose=True)]


def _dates(book: Book) -> list[tree.Block]:
    lines: list[tuple[Parts, ...]] = []
    for day in book.law["read"]["dates"]:
        when = _day(day)
        what = parts(day["what"].fact(), *((". ", day["unresolved"].fact()) if day["unresolved"] else ()))
        lines.append((when, what, (day["basis"].fact(),), (day["checked_on"].fact("date"),)))
    if not lines:
        return []
    return [
        Table(
            ("What applies from when, as far as the answers concern it",),
            ("Day", "What", "Basis", "Checked"),
            tuple(lines),
            prose=True,
        )
    ]


def applies_from(book: Book) -> Parts:
    """From which day the duties of high risk apply, and for which of them the register asserts no day.

    Empty where the answers do not point to high-risk use.
    """
    found = [d for d in book.law["read"]["dates"] if str(d.value["id"]).startswith("high-risk") or not d["date"]]
    each = [tree.say("{day}: {what}", day=_day(day), what=day["what"].fact()) for day in found]
    words = "From which day the duties for this class apply: {days}."
    return tree.say(words, days=tree.joined(each, "; ")) if each else ()


def _day(day: Node) -> Parts:
    return (day["date"].fact("date"),) if day["date"] else ("unresolved",)


def _documents(book: Book) -> list[tree.Block]:
    lines = [
        ((need["title"].fact(),), (need["place"].fact(),), (_written(book, need),))
        for need in book.law["read"]["documents"]
    ]
    if not lines:
        return []
    caption = "Documents that the Act asks for, as far as the answers point to them or leave it open"
    note = (
        "What is written with a run is a draft for a person to judge. What is not written remains the work of persons. "
        "The document declaration says what stands against a declaration; it is none itself."
    )
    heads = ("Document", "Place", "Written with this run")
    return [Table((caption,), heads, tuple(lines)), Paragraph((note,), "note")]


def _written(book: Book, need: Node) -> str:
    """A declaration is never written with a run: only what stands against one, or what a draft would be made from."""
    name = str(need.value["id"])
    if names.answering(book, name) is None:
        return "no"
    return "its status only" if name == "declaration" else "yes"
