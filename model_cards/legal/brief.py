"""The first page for who has to sign: what it is, what was tested and how it did, what is missing, may I sign what."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from model_cards import about, blocks, classification, decision, effect, gaps, given, limits, report, statements, tree
from model_cards.legal import declaration, expectations, names, parts, risks, signing
from model_cards.refs import Book, Fact, Gap, Node
from model_cards.tree import Block, Bullets, Labels, Link, Pairs, Paragraph, Parts, Section, Table

WHAT = "What is this system"
TESTED = "What was tested, and how did it do"
MISSING = "What is missing, and who must do it"
SIGN = "May I sign"


def section(book: Book, chapters: Sequence[Section]) -> Section:
    """The answers on one page, then what they rest on.

    Args:
        book: The records.
        chapters: The rest of the document, whose gaps are counted here.
    """
    missing = gaps_of(chapters)
    against = _against(book, (Link("which", "brief-tested"),))
    answers = Pairs(
        "The questions of the person who answers for this",
        (
            (WHAT, what_shortly(book)),
            (TESTED, tested_shortly(book)),
            (MISSING, _missing_shortly(book, missing)),
            (signing.RUN, signing.run(book, (Link("which", "brief-tested"),))),
            (signing.DECLARATION, signing.declared(book, (Link("which", "brief-sign"),))),
        ),
    )
    return Section(
        "brief",
        "In brief",
        (answers,),
        (
            Section("brief-what", WHAT, tuple(_what(book))),
            Section("brief-tested", TESTED, tuple(_tested(book))),
            Section("brief-missing", MISSING, tuple(_missing(book, chapters, missing))),
            Section("brief-sign", SIGN, tuple(_sign(book, against))),
        ),
    )


def for_card(book: Book) -> Section:
    """The answers of the model card to whoever is to sign the run, or the declaration where the class asks for one.

    Where it asks for none, only the gate, open questions and the class can stand against a signature.
    """
    asked = names.answering(book, "declaration") is not None
    run = Paragraph(signing.run(book, ("see below, what failed or stayed open",)))
    shown: list[Block] = [Paragraph((signing.RUN,), "owner"), run]
    if asked:
        # The card is copied to where no other document lies: it names them, and links to none.
        each = "Each of them, with who can change it and where, stands in the document declaration."
        shown += _declared(book, _against(book, ("see below, what failed or stayed open",)), (each,))
        return Section("sign", SIGN, (*shown, *signing.days(book), Paragraph((DECIDES,), "note")))
    waiting = bool(book["answers"]) and any(s.value["applies"] for s in book["answers"]["statements"])
    if found := [*(_of_statements(book) if waiting else ()), *_of_class(book)]:
        shown += [Paragraph(("What is open beside the gate:",)), Bullets(tuple(found))]
    if carried := statements.carried_words(book):
        shown.append(Paragraph(carried))
    return Section("sign", SIGN, (*shown, Paragraph((DECIDES_RUN,), "note")))


def _declared(book: Book, against: list[Parts], each: Parts) -> list[Block]:
    """What stands against the declaration, a line each, where each is told whole, and what only waits."""
    shown: list[Block] = [Paragraph((signing.DECLARATION,), "owner")]
    if not against:
        return [*shown, Paragraph(signing.declared(book, ()))]
    shown.append(Paragraph(("Before any approval, not on this evidence, as long as the following stands:",)))
    shown.append(Bullets(tuple(against)))
    if carried := statements.carried_words(book):
        shown.append(Paragraph(carried))
    return [*shown, Paragraph(each)]


EACH = "Each of them, with what was found and where it is changed: {where}."
DECIDES_RUN = (
    "Whether to sign is for the named person to judge. A signature on the run (proofline approve) lets the bundle "
    "go to a test facility and declares nothing about the law."
)
DECIDES = (
    "Whether to sign is for the named person to judge. A signature on the run (proofline approve) lets the bundle "
    "go to a test facility and declares nothing about the law; the declaration of Art. 47 is another document."
)


def what_shortly(book: Book) -> Parts:
    """Name, version, provider and purpose in two sentences."""
    system = book.plan["system"]
    return tree.say(
        "{name} {version} of {provider}. {purpose}",
        name=system["name"].fact(),
        version=system["version"].fact(),
        provider=system["provider"]["name"].fact(),
        purpose=system["intended_purpose"].fact(),
    )


def tested_shortly(book: Book) -> Parts:
    """The outcome of the decision, then what it means for persons: who is labelled wrongly, and against what rule."""
    effects = effect.shortly(book)
    return tree.parts(*decision.outcome(book).content, *((" ", *effects) if effects else ()))


def _missing_shortly(book: Book, missing: tuple[Gap, ...]) -> Parts:
    found = _of_run(book, missing)
    old = statements.outdated_words(book)
    every = tree.say(
        " In every document together: {all} gaps, of which open questions for persons: {questions}, of the plan and "
        "the data: {lacking}, covered by no question and no check of this run: {rest}.",
        all=number_of(found),
        **_kinds(found),
    )
    every = tree.parts(every, *((" ", *old) if old else ()))
    if not missing:
        return tree.parts("Nothing that this document asks for.", every)
    link = Link("who and what", "brief-missing")
    one, many = (
        "{n} gap in this document: {each} ({link}).",
        "{n} gaps in this document, each counted once: {each} ({link}).",
    )
    words = one if len(missing) == 1 else many
    return tree.parts(tree.say(words, n=number_of(missing), each=by_owner(missing), link=(link,)), every)


def number_of(missing: Sequence[Gap]) -> Fact:
    """How many gaps there are."""
    return gaps.number_of(len(missing))


def by_owner(missing: Sequence[Gap]) -> Parts:
    """How many of some gaps each person can fill."""
    owners = dict.fromkeys(gap.who for gap in missing)
    each = (
        tree.say("{n} for the {who}", n=gaps.number_of(sum(g.who == who for g in missing)), who=who) for who in owners
    )
    return parts.listed(each)


def _of_run(book: Book, missing: tuple[Gap, ...]) -> tuple[Gap, ...]:
    """The gaps of the run; where nobody has gathered them, those of the report and of this document."""
    return gaps.each_once((*report.own_gaps(book), *missing)) if book.gaps is None else book.gaps


def _kinds(found: tuple[Gap, ...]) -> dict[str, Fact]:
    """The three numbers of which the total consists."""
    return {
        "questions": gaps.number_of(sum(gap.kind == "Not answered" for gap in found)),
        "lacking": gaps.number_of(gaps.of_plan(found)),
        "rest": gaps.number_of(sum(gap.kind == "Not covered" for gap in found)),
    }


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
            ("Task", (about.task_words(book),)),
        )
    )


def _what(book: Book) -> list[Block]:
    route = [tree.parts(rule["place"].fact(), ": ", rule["duty"].fact()) for rule in book.law["read"]["route"]]
    shown: list[Block] = [*given.notice(book), Paragraph(tree.say("Task: {task}.", task=(about.task_words(book),)))]
    shown.append(Paragraph(classification.shortly(book)))
    if route:
        shown.append(
            Paragraph(tree.say("Procedure that the answers lead to: {route}.", route=parts.listed(route, "; ")))
        )
    return shown


def _tested(book: Book) -> list[Block]:
    rows = tree.say(
        " Measured on {rows} test rows that training did not use.",
        rows=book["split"]["parts"]["test"]["rows"].fact("count"),
    )
    shown: list[Block] = [Paragraph(tree.parts(decision.when_fixed(book), rows)), *effect.baseline(book)]
    waiting = unsettled(book)
    if waiting:
        lines = tuple(
            (
                (v.title,),
                blocks.slice_words(v.reason),
                blocks.value(v.measure, v.bound),
                blocks.interval(v.measure, v.bound),
                blocks.threshold(v.threshold),
                blocks.status(v.reason),
            )
            for v in waiting
        )
        heads = ("Check", "Slice", "Measured", "Interval", "Asked", "Outcome")
        shown.append(Table(("Required, and not passed",), heads, lines, frozenset({2, 3, 4}), prose=True))
        if any(v.status == "inconclusive" for v in waiting):
            words = "Inconclusive: the interval lies on both sides of what is asked, or there are too few rows to tell."
            shown.append(Paragraph((words,), "note"))
    return [*shown, parts.in_report(open="What failed or stayed open", decision="How it was decided")]


def unsettled(book: Book) -> list[blocks.Verdict]:
    """The required lines of the decision that did not pass, failures first."""
    found = [v for v in blocks.verdicts(book) if v.status in limits.UNSETTLED and v.reason.value["required"]]
    return sorted(found, key=lambda v: limits.UNSETTLED.index(v.status))


def _missing(book: Book, chapters: Sequence[Section], missing: tuple[Gap, ...]) -> list[Block]:
    if not missing:
        nothing = Paragraph(("Nothing that this document asks for is missing.",))
        return [nothing, *_to_confirm(book), _in_all(book, missing)]
    where = _sections_of(chapters)
    rows = []
    for who in dict.fromkeys(gap.who for gap in missing):
        mine = [gap for gap in missing if gap.who == who]
        names = parts.listed([(Link(_short(book, gap), where[gap.text]),) for gap in mine], "; ")
        rows.append(((who,), (gaps.number_of(len(mine)),), names))
    caption = ("Gaps of this document, by the person who can fill them",)
    table = Table(caption, ("Who", "Gaps", "What, each a link to its place"), tuple(rows), frozenset({1}), prose=True)
    how = (
        "Gaps of the plan are filled in the plan, and the run is made again; questions are answered, and what remains "
        "of a risk is accepted, with proofline answer."
    )
    return [table, *_to_confirm(book), _in_all(book, missing), Paragraph((how,), "note")]


def _to_confirm(book: Book) -> list[Block]:
    """What was stated for an earlier run and waits to be confirmed or stated anew, by person: work, and no gap."""
    rows: list[tuple[Parts, ...]] = []
    for standing in ("outdated", "carried"):
        for who, found in statements.waiting(book, standing).items():
            names = parts.listed([(_question(node),) for node in found], "; ")
            rows.append(_confirm(who, standing, found, names))
        accepted = [r for r in risks.entries(book) if r["acceptance"]]
        if mine := [r for r in accepted if r["acceptance"].value["status"] == standing]:
            titles = parts.listed([("“", r["title"].fact(), "”") for r in mine], "; ")
            names = tree.say("acceptance of what remains of {titles}", titles=titles)
            rows.append(_confirm(statements.OWNERS["management"], standing, mine, names))
    if not rows:
        return []
    lead = Paragraph(("These were stated for an earlier run, and wait to be confirmed or stated anew:",))
    caption = ("Statements to be confirmed, by the person who is likely to know",)
    return [lead, Table(caption, ("Who", "Standing", "Statements", "On what"), tuple(rows), frozenset({2}), prose=True)]


def _confirm(who: str, standing: str, found: Sequence[Node], names: Parts) -> tuple[Parts, ...]:
    words = {"outdated": "outdated", "carried": "carried over"}[standing]
    number = found[0].derived(len(found), f"statements that are {words}", "count")
    return ((who,), (words,), (number,), names)


def _question(statement: Node) -> Fact:
    return statement["id"].derived(str(statement.value["id"]).replace("_", " "), "name of the question in words")


def _in_all(book: Book, missing: tuple[Gap, ...]) -> Paragraph:
    """What is open beyond this document: questions by owner, and what the plan and the data lack."""
    found = _of_run(book, missing)
    waiting = [gap for gap in found if gap.kind == "Not answered"]
    each = [
        tree.say("{n} for the {who}", n=gaps.number_of(sum(g.who == who for g in waiting)), who=who)
        for who in statements.OWNERS.values()
        if any(g.who == who for g in waiting)
    ]
    kinds = _kinds(found)
    places: dict[str, Parts] = {
        "all": (number_of(found),),
        "lacking": (kinds["lacking"],),
        "rest": (kinds["rest"],),
        "matrix": (Link("Traceability matrix", "", "traceability"),),
        "report": (Link("evaluation report", "gaps", parts.REPORT),),
    }
    if not waiting:
        return Paragraph(
            tree.say(
                "Gaps of the run, over every document: {all}. No question for persons is open; gaps of the plan and "
                "the data: {lacking}; covered by no question and no check of this run: {rest}. Every question and "
                "requirement: {matrix}; every gap of the run: {report}.",
                **places,
            )
        )
    return Paragraph(
        tree.say(
            "Gaps of the run, over every document: {all}. Questions for persons that are open: {questions} ({each}); "
            "gaps of the plan and the data: {lacking}; covered by no question and no check of this run: {rest}. Every "
            "question and requirement: {matrix}; every gap of the run: {report}.",
            questions=kinds["questions"],
            each=parts.listed(each),
            **places,
        )
    )


def _short(book: Book, gap: Gap) -> str | Fact:
    """A few words for a gap: of a question its name, of others what is missing."""
    name = gap.where.removeprefix(f"{statements.WHERE} --only ")
    question = book.law["register"]["attestations"].first(id=name)
    return question["id"].derived(name.replace("_", " "), "name of the question in words") if question else gap.what


def _sections_of(chapters: Sequence[Section]) -> dict[str, str]:
    """Text of a gap to the section in which it stands first."""
    found: dict[str, str] = {}
    waiting = list(chapters)
    while waiting:
        section = waiting.pop(0)
        for block in section.blocks:
            for part in tree.walk_block(block):
                if isinstance(part, Gap):
                    found.setdefault(part.text, section.id)
        waiting = [*section.sections, *waiting]
    return found


def _against(book: Book, which: Parts) -> list[Parts]:
    """What stands against a declaration, a sentence each: the same things that its document lists one by one.

    Args:
        book: The records.
        which: Where the required lines that did not pass are told one by one.
    """
    return [
        *signing.practice(book),
        *_of_gate(book, which),
        *_of_expected(book),
        *_of_statements(book),
        *_of_risks(book),
        *_of_class(book),
        *_of_plan(book),
        *_of_model(book),
    ]


def _sign(book: Book, against: list[Parts]) -> list[Block]:
    each = tree.say(EACH, where=parts.other(book, "declaration", "not among the documents of this run"))
    run = Paragraph(signing.run(book, (Link("which", "brief-tested"),)))
    said = _declared(book, against, each)
    return [Paragraph((signing.RUN,), "owner"), run, *said, *signing.days(book), Paragraph((DECIDES,), "note")]


def _of_gate(book: Book, which: Parts) -> list[Parts]:
    """What the gate says, and where the reader finds the checks it speaks of."""
    if not declaration.gates(book):
        return []
    return [
        tree.say(
            "The gate says {status}; required and not passed: {counted} ({link}); the engineer improves them, or "
            "whoever approves waives them with a reason.",
            status=book["gate"]["outcome"].fact("status"),
            counted=declaration.made_of(book),
            link=which,
        )
    ]


def _of_statements(book: Book) -> list[Parts]:
    if not book["answers"]:
        return [("No person has answered the questions that the pipeline cannot answer (proofline answer).",)]
    node, found = book["answers"]["statements"], []
    applying = [s for s in node if s.value["applies"]]
    waiting = [s for s in applying if s.value["status"] == "open"]
    each = []
    for owner, words in statements.OWNERS.items():
        if mine := sum(s.value["owner"] == owner for s in waiting):
            number = node.derived(mine, f"open questions of the owner {owner}", "count")
            each.append(tree.say("{n} for the {who}", n=number, who=words))
    if waiting:
        found.append(
            tree.say(
                "Questions nobody has answered: {n} of {all} ({each}).",
                n=node.derived(len(waiting), "open questions", "count"),
                all=node.derived(len(applying), "questions that apply", "count"),
                each=parts.listed(each),
            )
        )
    old = statements.outdated_words(book)
    return [*found, old] if old else found


def _of_risks(book: Book) -> list[Parts]:
    if not risks.entries(book):
        none = (
            "No risk is on record; the risk management of Art. 9 has nothing to rest on (for the compliance officer)."
        )
        return [(none,)]
    node = book["answers"]["risks"]
    found: list[Parts] = []
    if waiting := risks.not_accepted(book):
        number = node.derived(len(waiting), "risks whose rest nobody has accepted in this run", "count")
        words = "Risks whose rest nobody has judged acceptable: {n} of {all} (for the management)."
        found.append(tree.say(words, n=number, all=node.size("risks")))
    if risks.unsettled_statement(book) is not None:
        words = (
            "The statement on the residual risk of each hazard stands beside a register in which one is not accepted: "
            "they have to agree (for the management)."
        )
        found.append((words,))
    if late := [r for r in risks.entries(book) if risks.overdue(book, r)]:
        number = node.derived(len(late), "risks whose review was due before this run was decided", "count")
        words = "Risks whose review is overdue: {n} of {all} (for the compliance officer)."
        found.append(tree.say(words, n=number, all=node.size("risks")))
    return found


def _of_class(book: Book) -> list[Parts]:
    found = [f for f in book.law["read"]["findings"] if f.value["state"] == "open"]
    if not found:
        return []
    return [
        tree.say(
            "Open on the class of the system: {names} (for the compliance officer).",
            names=parts.listed([(f["title"].fact(),) for f in found]),
        )
    ]


def _of_expected(book: Book) -> list[Parts]:
    """The gates that the duties expect and the plan lacks: no decision was taken on what they would judge."""
    found = [
        tree.parts(expectations.named(gate), " (", gate["requirement"]["place"].fact(), ")")
        for gate in expectations.lacking(book)
    ]
    return [tree.say("Lacking in the policy: {names} (for the engineer).", names=parts.listed(found))] if found else []


def _of_model(book: Book) -> list[Parts]:
    return [tree.parts("Missing: ", *o.what, ".") for o in declaration.of_model(book)]


def _of_plan(book: Book) -> list[Parts]:
    found = declaration.of_plan(book)
    if not found:
        return []
    names = parts.listed([objection.what for objection in found], "; ")
    return [tree.say("Not stated in the plan: {names} (for the provider).", names=names)]


def gaps_of(chapters: Iterable[Section]) -> tuple[Gap, ...]:
    """The gaps that some sections print, each once."""
    found = {p.text: p for s in chapters for p in tree.walk_section(s) if isinstance(p, Gap)}
    return tuple(found.values())
