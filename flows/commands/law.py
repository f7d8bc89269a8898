"""`proofline law`: browse the register of the law."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterable

import click
from rich.console import Console
from rich.markup import escape
from rich.padding import Padding

from configs import errors
from configs.law import general_purpose
from configs.law import register as law
from configs.law.general_purpose import FormField, Point, SummaryField
from configs.law.register import ApplicationDate, Item, Question, Register, Requirement, Standard

Entry = Requirement | Item | Standard | ApplicationDate | Question | Point | FormField | SummaryField
SUPPLIERS = {
    "pipeline": "the pipeline measures or records it",
    "draft": "the pipeline drafts, a named person judges",
    "person": "only a person can supply it",
}
OWNERS = {"engineer": "an engineer", "officer": "the compliance officer", "management": "the management"}
RECIPIENTS = {"ai_office": "AI Office", "authorities": "national authorities", "downstream": "downstream providers"}
_PLACED = Requirement | Item | Point
_ARTICLE = re.compile(r"(?:art(?:icle)?\.? ?)?([0-9]+[a-z]?)", re.IGNORECASE)


@click.command("law")
@click.argument("words", nargs=-1)
@click.option("--json", "as_json", is_flag=True, help="The entries as JSON.")
def command(words: tuple[str, ...], *, as_json: bool) -> int:
    """Browse the AI Act as this version of proofline knows it.

    WORDS is an identifier (HR-15.4, AIV-2g, A3-5b, MDF.prop.size), an article (15, "Art. 15"), an annex ("Annex IV"),
    or words to look for. Without WORDS: which text of the law, checked when, and the dates of application.

    \b
      proofline law 15               duties on accuracy, robustness and cybersecurity
      proofline law "Annex IV"       every point of the technical documentation
      proofline law credit           whatever speaks of credit
      proofline law 53               duties of providers of general-purpose models
      proofline law MDF              every field of the Model Documentation Form, PTS of the public summary

    Everything is paraphrase, with its source. It is no legal advice.
    """  # noqa: D301 - click reads \b as the mark of a block
    register = law.load()
    console = Console(highlight=False)
    query = " ".join(words).strip()
    found = find(register, query) if query else tuple(register.dates)
    if not found:
        raise errors.PlanError(
            f"law '{query}': expected an identifier, an article, an annex or words of the register, got none of these. "
            f"See `proofline law` for what there is, for example {register.requirements[0].id}."
        )
    stale(register, dt.datetime.now(dt.UTC).date())
    if as_json:
        _say_json(register, found)
        return errors.EXIT_PASS
    if not query:
        _overview(register, console)
        return errors.EXIT_PASS
    if (article := _ARTICLE.fullmatch(query)) and not any(_of_article(e, article[1]) for e in found):
        console.print(f"[yellow]The register has no entry for Art. {article[1]}.[/] Entries that hold these words:")
    for entry in found:
        _show(register, entry, console)
    return errors.EXIT_PASS


def find(register: Register, query: str) -> tuple[Entry, ...]:
    """The entries that a query means: one by its identifier, those of an article or annex, or by words."""
    general = general_purpose.load()
    entries: tuple[Entry, ...] = (
        *register.all_requirements, *register.all_items, *register.standards, *register.dates, *register.attestations,
        *general.all_requirements, *general.points, *general.form_fields, *general.summary_fields,
        *general.attestations,
    )  # fmt: skip
    if exact := tuple(e for e in entries if e.id.lower() == query.lower()):
        return exact
    article = _ARTICLE.fullmatch(query)
    if article and (found := tuple(e for e in entries if _of_article(e, article[1]))):
        return found
    if query.lower().startswith("annex "):
        begins = re.compile(rf"{re.escape(query)}(?![A-Za-z])", re.IGNORECASE)
        return tuple(e for e in entries if isinstance(e, _PLACED) and begins.match(e.place))
    if of_form := tuple(e for e in entries if e.id.lower().startswith((f"{query.lower()}.", f"{query.lower()}-"))):
        return of_form
    wanted = query.lower().split()
    return tuple(e for e in entries if all(word in _text(e).lower() for word in wanted))


def _of_article(entry: Entry, article: str) -> bool:
    begins = re.compile(rf"Art\. {article}(?![0-9a-z])", re.IGNORECASE)
    return isinstance(entry, _PLACED) and bool(begins.match(entry.place))


def stale(register: Register, today: dt.date) -> bool:
    """Warn on standard error where the register is older than it may be.

    Returns:
        Was there a warning?
    """
    age = register.age_in_days(today)
    if age <= law.STALE_AFTER_DAYS:
        return False
    click.echo(
        f"Warning: law register: expected one checked within {law.STALE_AFTER_DAYS} days, got one checked on "
        f"{register.checked_on}, {age} days ago. The law may have changed: update proofline, or check the entries that "
        "you use.",
        err=True,
    )
    return True


def _text(entry: Entry) -> str:
    return " ".join(str(value) for value in entry.model_dump(exclude={"sources", "evidence"}).values() if value)


def _overview(register: Register, console: Console) -> None:
    general = general_purpose.load()
    counts = {
        "duties of providers of high-risk systems": register.requirements,
        "points of Annex IV (technical documentation)": register.annex_iv,
        "fields of Annexes V, VIII and IX": (*register.annex_v, *register.annex_viii, *register.annex_ix),
        "prohibited practices": register.prohibited_practices,
        "uses of Annex III": register.annex_iii_uses,
        "products of Annex I": register.annex_i_products,
        "standards": register.standards,
        "statements that only a person can make": register.attestations,
        "duties, points of Annexes XI and XII, and copyright measures for general-purpose models": (
            general.all_requirements
        ),
        "fields of the Model Documentation Form": general.form_fields,
        "fields of the public summary of training content": general.summary_fields,
        "statements that only a person can make about a general-purpose model": general.attestations,
    }
    console.print(f"[bold]{escape(register.title)}[/]")
    console.print(
        f"CELEX {register.celex}, checked on {register.checked_on}, newest source of {register.newest_source}"
    )
    for what, entries in counts.items():
        console.print(f"  {len(entries):>4} {what}")
    console.print("\n[bold]What applies when[/]")
    for day in register.dates:
        read = f"{', '.join(day.sources)} (checked {day.checked_on})"
        _lines(console, day.date or "unresolved", day.basis, day.what, [("open", day.unresolved), ("source", read)])
    console.print("\n[bold]Sources of these dates[/]")
    for name in sorted({name for day in register.dates for name in day.sources}):
        console.print(Padding(escape(f"{name}: {register.sources[name].what}"), (0, 0, 0, 2)))


def _show(register: Register, entry: Entry, console: Console) -> None:
    match entry:
        case Requirement():
            _lines(console, entry.id, entry.place, entry.duty, _of_requirement(register, entry))
        case Item():
            details = [("applies from", entry.from_), ("who", entry.who), ("note", entry.note)]
            _lines(
                console, entry.id, entry.place, entry.text, [*details, ("source", _sources(register, entry.sources))]
            )
        case Standard():
            cited = "cited in the Official Journal" if entry.harmonised else "not cited, so it gives no presumption"
            articles = ", ".join(f"Art. {a}" for a in entry.articles)
            details = [("stage", f"{entry.stage} (checked {entry.checked})"), ("status", cited)]
            _lines(console, entry.id, articles, entry.subject, details)
        case ApplicationDate():
            read = f"{_sources(register, entry.sources)} (checked {entry.checked_on})"
            details = [("open", entry.unresolved), ("source", read)]
            _lines(console, entry.date or "unresolved", entry.basis, entry.what, details)
        case Point():
            details = [("note", entry.note), ("source", _sources(register, entry.sources))]
            _lines(console, entry.id, entry.place, entry.text, [("value", _value(entry)), *details])
        case FormField():
            _lines(console, entry.id, "Model Documentation Form", entry.title, _of_field(register, entry))
        case SummaryField():
            details = [
                ("enter", entry.enter),
                ("supplied", SUPPLIERS[entry.supplier]),
                ("asked as", _question(register, entry.attestation) if entry.attestation else None),
                ("source", _sources(register, entry.sources)),
            ]
            place = f"public summary, {entry.group or 'template'}"
            _lines(console, entry.id, place, entry.title, details)
        case Question():
            duties = (*register.all_requirements, *general_purpose.load().all_requirements)
            needed = [r.id for r in duties if f"attestation:{entry.id}" in r.evidence]
            details = [("asked of", OWNERS[entry.owner]), ("answers", ", ".join(needed))]
            _lines(console, entry.id, "statement of a person", entry.question, details)


def _of_requirement(register: Register, entry: Requirement) -> list[tuple[str, str | None]]:
    if entry.deleted or entry.power:
        asks = "nothing of a provider" if entry.power else None
        return [("asks", asks), ("note", entry.note), ("source", _sources(register, entry.sources))]
    standards = {s.id: s for s in register.standards}
    stages = "; ".join(f"{name} ({standards[name].stage})" for name in entry.standards)
    return [
        ("supplied", SUPPLIERS[entry.supplier]),
        ("answered by", _in_words(register, entry.evidence)),
        ("touched by", _in_words(register, entry.touched_by)),
        ("only for", ", ".join(entry.applies_to)),
        ("standards", stages),
        ("note", entry.note),
        ("source", _sources(register, entry.sources)),
    ]


KINDS = {
    "record": "what the stage {} of a run records",
    "check": "check {}",
    "family": "checks of {}",
    "plan": "the plan, {}",
    "document": "document {}",
    "signature": "the signature under the {}, and nothing before it",
}
"""Kinds of pointers of the register to what they lead to; an attestation is told by its question."""


def _in_words(register: Register, pointers: Iterable[str]) -> str:
    """What answers a duty, as a person reads it; `--json` keeps the identifiers."""
    said = []
    for pointer in pointers:
        kind, _, name = pointer.partition(":")
        said.append(_question(register, name) if kind == "attestation" else KINDS[kind].format(name))
    return "; ".join(said)


def _question(register: Register, name: str) -> str:
    """The question behind an attestation, and how it is answered."""
    asked = (*register.attestations, *general_purpose.load().attestations)
    question = next(q.question for q in asked if q.id == name)
    return f"a person's answer to “{question}” (proofline answer --only {name})"


def _value(entry: Point) -> str | None:
    """A threshold, or whether something counts."""
    if isinstance(entry, general_purpose.ComputeThreshold):
        return f"{entry.flop:.2g} FLOP" if entry.flop else f"a third of {entry.third_of}"
    if isinstance(entry, general_purpose.CountedItem):
        return "counts" if entry.counts else "does not count"
    return None


def _of_field(register: Register, entry: FormField) -> list[tuple[str, str | None]]:
    by_answer: dict[str, list[str]] = {"yes": [], "no": [], "unconfirmed": []}
    for view, name in RECIPIENTS.items():
        by_answer[getattr(entry, view)].append(name)
    words = None if entry.words is None else f"about {entry.words} words"
    return [
        ("enter", entry.enter),
        ("length", words if words is None or entry.words_confirmed else f"{words} (unconfirmed)"),
        ("for", ", ".join(by_answer["yes"])),
        ("not for", ", ".join(by_answer["no"])),
        ("unconfirmed for", ", ".join(by_answer["unconfirmed"])),
        ("recipients", "read off a copy of the form" if entry.ticked else "derived, not read off the form"),
        ("supplied", SUPPLIERS[entry.supplier]),
        ("answers", ", ".join(entry.points)),
        ("coarser form of", entry.coarser_form_of),
        ("note", entry.note),
        ("source", _sources(register, entry.sources)),
    ]


def _sources(register: Register, names: Iterable[str]) -> str:
    known = register.sources | general_purpose.load().sources
    return "; ".join(known[name].what for name in names)


def _lines(console: Console, name: str, place: str, text: str, details: list[tuple[str, str | None]]) -> None:
    console.print(f"[bold]{escape(name)}[/]  [dim]{escape(place)}[/]")
    console.print(Padding(escape(text), (0, 0, 0, 2)))
    for label, value in details:
        if value:
            console.print(Padding(f"[dim]{label}:[/] {escape(value)}", (0, 0, 0, 4)))


def _say_json(register: Register, found: tuple[Entry, ...]) -> None:
    content = {
        "celex": register.celex,
        "checked_on": register.checked_on,
        "entries": [e.model_dump(mode="json", by_alias=True, exclude_defaults=True) for e in found],
    }
    click.echo(json.dumps(content, indent=2, ensure_ascii=False))
