"""Going through the register of risks with a person: what it can do to whom, what controls it, who accepts the rest."""

from __future__ import annotations

from typing import get_args

import click

from configs import answers, errors
from configs.answers import Acceptance, AnswersFile, By, Risk
from evidence import about, clock
from evidence.dossier import Dossier
from flows import answer_view, wrapping
from flows.answer_session import Terminal
from flows.answer_store import Answers, checked, require_check, sealed
from flows.answering import require_fit_to_leave

FIELDS: tuple[tuple[str, str], ...] = (
    ("title", "The risk in a few words"),
    ("source", "Source: what it comes from"),
    ("consequence", "Consequence: what happens to whom"),
    ("affected", "Persons affected, separated by ;"),
    ("impact_areas", f"Impact areas, separated by ; ({', '.join(get_args(answers.ImpactArea))})"),
    ("control", "Control: the measure against it"),
    ("shown_by", "Checks that show the control, separated by ;, for one group or attribute CHECK@SLICE (empty: none)"),
    ("likelihood", f"Likelihood with the control ({', '.join(get_args(answers.Likelihood))})"),
    ("severity", f"Severity with the control ({', '.join(get_args(answers.Severity))})"),
    ("in_misuse", "Does it arise in foreseeable misuse? (yes, no)"),
    ("review_on", "To be looked at again on (2027-05-31; empty: not stated)"),
)
LISTS = ("affected", "impact_areas", "shown_by")
OPTIONAL = ("shown_by", "review_on")
HELP = (
    "  a adds a risk, the number of a risk changes it, q stops. In a field, Enter keeps what is in brackets.\n"
    "  To take a risk out, edit the file by hand."
)


def go_through(store: Answers, by: By, terminal: Terminal, found: Dossier) -> bool:
    """Show the register, and add or change risks until the person stops; each risk is saved when it is whole.

    Returns:
        Did Ctrl-C end it, rather than `q` or the end of the input?

    Raises:
        PlanError: The file was spoiled meanwhile.
        StorageError: A risk cannot be written.
    """
    try:
        shown = False
        while True:
            risks = store.read().risks
            for line in () if shown else _shown(risks, store, found):
                terminal.say(line)
            terminal.say(HELP)
            word = terminal.ask("  > ").strip().lower()
            shown = True
            if word in ("q", "quit"):
                return False
            if word in ("a", "add") or (word.isdigit() and 0 < int(word) <= len(risks)):
                _ask(store, risks[int(word) - 1] if word.isdigit() else None, by, terminal)
                shown = False
    except (_QuitError, EOFError, KeyboardInterrupt, click.Abort) as stopped:
        terminal.say("\nStopped. Risks that were whole are saved.")
        return isinstance(stopped, (KeyboardInterrupt, click.Abort))


class _QuitError(Exception):
    """The person wants to stop in the middle of a risk."""


def _shown(risks: tuple[Risk, ...], store: Answers, found: Dossier) -> list[str]:
    misuse = found.plan.system.foreseeable_misuse
    lines = ["", f"Register of risks (AI Act Art. 9): {len(risks)}"]
    lines += [line for text in misuse for line in wrapping.wrapped(f"foreseeable misuse of the plan: {text}", "    ")]
    for number, (risk, entry) in enumerate(zip(risks, store.settled().risks, strict=True), start=1):
        accepted = f"{entry.acceptance.status}, {entry.acceptance.person}" if entry.acceptance else "accepted by nobody"
        lines.append(f"  {number}. {risk.title} ({risk.likelihood}, {risk.severity}; {accepted})")
    return lines


def _ask(store: Answers, before: Risk | None, by: By, terminal: Terminal) -> None:
    taken = {risk.id for risk in store.read().risks}
    content: dict[str, object] = {"id": before.id if before else None}
    for field, words in FIELDS:
        content[field] = _field(field, words, before, terminal, store.checks())
    content["id"] = content["id"] or _identifier(str(content["title"]), taken)
    accepted = _acceptance(before, by, terminal, checked(Risk, **content), store)
    store.put_risk(checked(Risk, **content, acceptance=accepted))
    terminal.say("  Saved.")


def _field(field: str, words: str, before: Risk | None, terminal: Terminal, known: set[str]) -> object:
    old = _typed(getattr(before, field)) if before else ""
    while True:
        shown = f" [{answer_view.short(old)}]" if old else ""
        typed = terminal.ask(f"  {words}{shown}: ").strip() or old
        if typed.lower() in ("q", "quit"):
            terminal.say("    Nothing of this risk was saved.")
            raise _QuitError
        if not typed and field not in OPTIONAL:
            terminal.say("    Something is needed here. Ctrl-C stops without saving this risk.")
            continue
        try:
            return _value(field, typed, known)
        except errors.PlanError as error:
            terminal.say(f"    {error}")


def _typed(value: object) -> str:
    if isinstance(value, tuple):
        return "; ".join(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value or "")


def _value(field: str, typed: str, known: set[str]) -> object:
    """What was typed as the field has it.

    Raises:
        PlanError: It is none of what the field takes.
    """
    if field in LISTS:
        parts = tuple(part.strip() for part in typed.split(";") if part.strip())
        if field == "shown_by":
            for part in parts:
                require_check(part, known)
            return parts
        return _checked_field(field, parts)
    if field == "in_misuse":
        if typed.lower() not in ("yes", "no", "y", "n"):
            raise errors.PlanError(f"expected yes or no, got {typed!r}.")
        return typed.lower().startswith("y")
    return _checked_field(field, typed or None)


def _checked_field(field: str, value: object) -> object:
    """Check one field as the register will, by putting it into a risk that is otherwise in order."""
    sound: dict[str, object] = {
        "id": "of-this-field", "title": "title", "source": "source", "consequence": "consequence", "affected": ("all",),
        "impact_areas": ("health",), "likelihood": "rare", "severity": "minor", "control": "control",
    }  # fmt: skip
    _require_fit(checked(Risk, **{**sound, field: value}))
    return value


def _require_fit(risk: Risk) -> None:
    require_fit_to_leave(AnswersFile(version=1, system="of-this-register", risks=(risk,)), "register")


def _acceptance(before: Risk | None, by: By, terminal: Terminal, risk: Risk, store: Answers) -> Acceptance | None:
    """Ask whether what remains is accepted; a risk that was changed has to be accepted again."""
    old = before.acceptance if before else None
    words = "  Accept what remains of it, because (empty: nobody has accepted it yet)"
    if old is not None:
        said = f"{answer_view.short(old.reason)} ({old.person}, {(old.at or '')[:10]})"
        words = f"  Accepted so far, because: {said}\n  Enter leaves it, k says it in your name, w withdraws it, or why"
    while True:
        typed = terminal.ask(f"{words}: ").strip()
        if not typed or (old is not None and typed.lower() in ("w", "withdraw")):
            return None if typed else old
        if typed.lower() in ("k", "keep") and old is not None:
            typed = old.reason
        try:
            accepted = sealed(
                checked(
                    Acceptance,
                    reason=typed,
                    person=by.person,
                    role=by.role,
                    at=clock.now(),
                    run=store.run_id,
                    about_sha256=about.of_risk(risk, store.plan, store.records),
                )
            )
            _require_fit(risk.model_copy(update={"acceptance": accepted}))
            return accepted
        except errors.PlanError as error:
            terminal.say(f"    {error}")


def _identifier(title: str, taken: set[str]) -> str:
    """An identifier made of a title, unlike those that are taken."""
    made = "".join(c if c.isascii() and c.isalnum() else "-" for c in title.lower())
    made = "-".join(part for part in made.split("-") if part)[:48].strip("-")
    if len(made) < 2 or not made[0].isalpha():
        made = f"risk-{made}".strip("-")
    names = [made, *(f"{made}-{number}" for number in range(2, len(taken) + 2))]
    return next(name for name in names if name not in taken)
