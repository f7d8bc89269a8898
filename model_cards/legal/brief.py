"""The first page for who has to sign: what it is, what was tested and how it did, what is missing, may I sign."""

from __future__ import annotations

from collections.abc import Iterable

from model_cards import about, blocks, decision, effect, gaps, given, statements, tree
from model_cards.legal import parts
from model_cards.refs import Book, Gap
from model_cards.tree import Block, Bullets, Labels, Link, Paragraph, Parts, Section

TEAM = {"engineer": "engineer", "officer": "compliance officer", "management": "management"}


def section(book: Book, chapters: Iterable[Section]) -> Section:
    """The whole page.

    Args:
        book: The records.
        chapters: The rest of the document, whose gaps are counted here.
    """
    missing = _gaps(chapters)
    return Section(
        "brief",
        "In brief",
        (Paragraph(("For the person who reads this, answers for it, and may be asked to sign.",), "note"),),
        (
            Section("brief-what", "What is this system", tuple(_what(book))),
            Section("brief-tested", "What was tested, and how did it do", tuple(_tested(book))),
            Section("brief-missing", "What is missing, and who must do it", tuple(_missing(book, missing))),
            Section("brief-sign", "May I sign", tuple(_sign(book, missing))),
        ),
    )


def identity(book: Book) -> Labels:
    """The lines by which other tools know a system."""
    system = book.plan["system"]
    provider = system["provider"]
    return Labels(
        (
            ("System name", (system["name"].fact(),)),
            ("Version", (system["version"].fact(),)),
            ("Provider", (provider["name"].fact(),)),
            ("Intended purpose", (system["intended_purpose"].fact(),)),
        )
    )


def _what(book: Book) -> list[Block]:
    states = {str(f.value["id"]): f for f in book.law["read"]["findings"]}
    items = parts.listed(
        tree.parts(item["place"].fact(), " (", item["text"].fact(), ")") for item in states["high_risk"]["items"]
    )
    classes = {
        "yes": tree.say("The answers in the plan point to high-risk use: {items}. A person must confirm.", items=items),
        "open": ("Answers on which the class depends are missing; until they are given the class stays open.",),
        "no": ("The answers in the plan do not point to high-risk use. A person must confirm.",),
    }
    route = [tree.parts(rule["place"].fact(), ": ", rule["duty"].fact()) for rule in book.law["read"]["route"]]
    shown: list[Block] = [identity(book), *given.notice(book)]
    shown.append(Paragraph(tree.say("It does {task}.", task=about.task_words(book))))
    shown.append(Paragraph(classes[str(states["high_risk"].value["state"])]))
    if route:
        shown.append(
            Paragraph(tree.say("Procedure that the answers lead to: {route}.", route=parts.listed(route, "; ")))
        )
    return shown


def _tested(book: Book) -> list[Block]:
    commit = book["commit"]
    fixed = tree.say(
        "Metrics and thresholds were fixed at {at}, before the first evaluation, which began at {began}. Measured on "
        "{rows} test rows that training did not use.",
        at=commit["at"].fact("time"),
        began=book["evaluate"]["started_at"].fact("time"),
        rows=book["split"]["parts"]["test"]["rows"].fact("count"),
    )
    shown: list[Block] = [decision.outcome(book), Paragraph(fixed), decision.headlines(book), *effect.baseline(book)]
    unsettled = [v for v in blocks.verdicts(book) if v.status in about.UNSETTLED and v.reason.value["required"]]
    if unsettled:
        shown.append(Paragraph(("Required, and not passed:",), "owner"))
        shown.append(Bullets(tuple(blocks.line(v) for v in unsettled)))
    return [*shown, parts.in_report(open="What failed or stayed open", decision="How it was decided")]


def _missing(book: Book, missing: tuple[Gap, ...]) -> list[Block]:
    if not missing:
        return [Paragraph(("Nothing that this document asks for is missing.",))]
    owners = list(dict.fromkeys(gap.who for gap in missing))
    rows = []
    for who in owners:
        mine = [gap for gap in missing if gap.who == who]
        names = parts.listed([(gap.what,) for gap in mine], "; ")
        rows.append(((who,), (gaps.number_of(len(mine)),), names))
    caption = ("Gaps of this document, by the person who can fill them",)
    table = tree.Table(caption, ("Who", "Gaps", "What"), tuple(rows), frozenset({1}), prose=True)
    how = "Gaps of the plan are filled there, and the run is made again; questions are answered with proofline answer."
    return [table, Paragraph((how,), "note")]


def _sign(book: Book, missing: tuple[Gap, ...]) -> list[Block]:
    against = [*_of_gate(book), *_of_statements(book), *_of_risks(book), *_of_class(book)]
    shown: list[Block] = []
    if against:
        shown.append(Paragraph(("Not on this evidence, as long as the following stands:",), "lead"))
        shown.append(Bullets(tuple(against)))
    elif missing:
        shown.append(Paragraph(("No gate and no statement stands against it. Gaps are left; see above.",), "lead"))
    else:
        shown.append(Paragraph(("Nothing that this document asks for stands against it.",), "lead"))
    words = (
        "Whether to sign is for the named person to judge. A signature on the run (proofline approve) lets the bundle "
        "go to a test facility and declares nothing about the law; the declaration of Art. 47 is another document."
    )
    return [*shown, Paragraph((words,), "note")]


def _of_gate(book: Book) -> list[Parts]:
    if book["gate"].value["outcome"] == "pass":
        return []
    required = [v for v in blocks.verdicts(book) if v.status in about.UNSETTLED and v.reason.value["required"]]
    number = book["gate"]["reasons"].derived(len(required), "required lines that did not pass", "count")
    link = Link("see above", "brief-tested")
    return [
        tree.say(
            "The gate says {status}: required checks that did not pass: {number} ({link}).",
            status=book["gate"]["outcome"].fact("status"),
            number=number,
            link=(link,),
        )
    ]


def _of_statements(book: Book) -> list[Parts]:
    if not book["answers"]:
        return [("No person has answered the questions that the pipeline cannot answer (proofline answer).",)]
    node, found = book["answers"]["statements"], []
    applying = [s for s in node if s.value["applies"]]
    for owner, words in TEAM.items():
        waiting = [s for s in applying if s.value["owner"] == owner and s.value["status"] == "open"]
        if waiting:
            number = node.derived(len(waiting), f"open questions of the owner {owner}", "count")
            every = node.derived(sum(s.value["owner"] == owner for s in applying), f"questions of {owner}", "count")
            found.append(
                tree.say("Questions nobody has answered: {n} of {all}, for {who}.", n=number, all=every, who=words)
            )
    waiting = list(statements.to_confirm(book))
    if waiting:
        number = node.derived(len(waiting), "statements to be confirmed", "count")
        found.append(tree.say("Statements carried over from an earlier run, to be confirmed: {n}.", n=number))
    return found


def _of_risks(book: Book) -> list[Parts]:
    if not book["answers"]:
        return []
    node = book["answers"]["risks"]
    if not node:
        return [("No risk is on record; the risk management of Art. 9 has nothing to rest on.",)]
    waiting = [r for r in node if not r["acceptance"] or r["acceptance"].value["status"] != "stated"]
    if not waiting:
        return []
    number = node.derived(len(waiting), "risks whose rest nobody has accepted in this run", "count")
    return [tree.say("Risks whose rest nobody has judged acceptable: {n} of {all}.", n=number, all=node.size("risks"))]


def _of_class(book: Book) -> list[Parts]:
    found = [f for f in book.law["read"]["findings"] if f.value["state"] == "open"]
    if not found:
        return []
    return [
        tree.say("Open on the class of the system: {names}.", names=parts.listed([(f["title"].fact(),) for f in found]))
    ]


def _gaps(chapters: Iterable[Section]) -> tuple[Gap, ...]:
    found = {p.text: p for s in chapters for p in tree.walk_section(s) if isinstance(p, Gap)}
    return tuple(found.values())
