"""Going through the questions with a person: one at a time, saved after each, whatever happens next."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Protocol

import click

from configs import errors, placeholders, wording
from configs.answers import By
from flows import answer_view
from flows.answer_store import Answers, Item

COMMANDS = {
    "?": "help",
    "k": "keep",
    "e": "edit",
    "s": "skip",
    "b": "back",
    "l": "look",
    "q": "quit",
}
"""Letter to word; both are taken as the first line of an answer."""
END = "."
"""A line that ends an answer."""
HELP = f"""\
  Type the answer, in as many lines as it needs. A line with only {END} ends it;
  so do two empty lines. Instead of an answer:
    k, keep   the answer that stands there is right: confirm it in your name
    e, edit   write it in your editor ($VISUAL or $EDITOR)
    l, look   show the question again
    s, skip   leave it as it is, go on        b, back  to the question before
    q, quit   stop; what was answered stays   ?        this help
  Ctrl-C stops too, and loses only what you are typing."""
CUT = "--- What is below this line is not part of the answer. ---"


class Terminal(Protocol):
    """Where the person is."""

    def ask(self, prompt: str) -> str:
        """A line of the person's; EOFError where there are no more."""

    def say(self, text: str = "") -> None:
        """Show a line."""

    def edit(self, text: str) -> str | None:
        """The text as the person's editor left it; None where nothing was saved."""


@dataclasses.dataclass
class Tally:
    """What a session came to."""

    stated: list[str] = dataclasses.field(default_factory=list)
    confirmed: list[str] = dataclasses.field(default_factory=list)
    skipped: int = 0
    interrupted: bool = False
    """Did Ctrl-C end it, rather than the last question, `q` or the end of the input?"""

    @property
    def any(self) -> bool:
        """Was anything written?"""
        return bool(self.stated or self.confirmed)


class _QuitError(Exception):
    """The person wants to stop."""


def order(items: Sequence[Item], *, owner: str | None, only: Sequence[str]) -> list[Item]:
    """The questions to ask: open ones first, then outdated and carried ones to confirm; those named, whatever they are.

    Raises:
        PlanError: A name is that of no question.
    """
    if only:
        known = {item.question.id: item for item in items}
        for name in only:
            if name not in known:
                import difflib

                near = difflib.get_close_matches(name, known, n=1)
                hint = f"Did you mean '{near[0]}'?" if near else "`--list` shows them."
                raise errors.PlanError(f"--only {name}: expected a question of the register, got another word. {hint}")
        return [known[name] for name in dict.fromkeys(only)]
    rank = ("open", "outdated", "carried")
    asked = [i for i in items if i.statement.applies and i.statement.status in rank]
    asked = [i for i in asked if owner in (None, i.question.owner)]
    return sorted(asked, key=lambda i: rank.index(i.statement.status))


def go_through(
    store: Answers, asked: Sequence[Item], by: By, terminal: Terminal, facts: Callable[[Item], list[str]]
) -> Tally:
    """Ask one question after the other until the last one, or until the person stops.

    Args:
        store: The answers; written to after each.
        asked: The questions, in order.
        by: Who answers.
        terminal: Where the person is.
        facts: What the run has to say about a question, line by line.

    Raises:
        PlanError: The file was spoiled meanwhile by another hand.
        StorageError: An answer cannot be written.
    """
    tally, position, shown = Tally(), 0, list[str]()

    def facts_once(item: Item) -> list[str]:
        """Questions in a row often speak of the same thing: it is shown with the first of them."""
        nonlocal shown
        found, before = facts(item), shown
        shown = found
        return ["as above"] if len(found) > 1 and found == before else found

    try:
        while position < len(asked):
            step = _one(store, asked[position].question.id, (position + 1, len(asked)), by, terminal, facts_once, tally)
            position = max(0, position + step)
            shown = shown if step > 0 else []  # who goes back or looks again wants to see it
    except (_QuitError, EOFError, KeyboardInterrupt, click.Abort) as stopped:
        tally.interrupted = isinstance(stopped, (KeyboardInterrupt, click.Abort))
        terminal.say("\nStopped. What was answered is saved.")
    return tally


def _one(
    store: Answers,
    question: str,
    progress: tuple[int, int],
    by: By,
    terminal: Terminal,
    facts: Callable[[Item], list[str]],
    tally: Tally,
) -> int:
    """Ask one question.

    Returns:
        How many questions to go on: 1, 0 or −1.
    """
    item = next(i for i in store.items() if i.question.id == question)
    for line in answer_view.question(item, progress, facts(item)):
        terminal.say(line)
    for line in answer_view.notice(item, by.role):
        terminal.say(line)
    last, draft = item.statement.text, ""
    while True:
        text = _read(terminal)
        word = text.strip().lower()
        command = COMMANDS.get(word, word)
        if command == "help":
            terminal.say(HELP)
        elif command == "look":
            return 0
        elif command in ("skip", "back"):
            tally.skipped += command == "skip"
            return 1 if command == "skip" else -1
        elif command == "quit":
            raise _QuitError
        elif command == "keep":
            if last is None:
                terminal.say("  There is no answer yet that could be kept.")
            elif _save(store, item, last, by, terminal):
                tally.confirmed.append(question)
                return 1
        else:
            if command == "edit":
                edited = _edit(terminal, item, draft or last or "")
                if edited is None:
                    terminal.say("  Nothing was saved in the editor; the answer stays as it was.")
                    continue
                text = edited
            if not text.strip():
                terminal.say("  Nothing was typed. s skips the question, ? helps.")
            elif _save(store, item, text, by, terminal):
                tally.stated.append(question)
                return 1
            else:
                draft = text


def _read(terminal: Terminal) -> str:
    """An answer of several lines, or the one line of a command."""
    lines: list[str] = []
    while True:
        try:
            line = terminal.ask("  | " if lines else "  > ")
        except KeyboardInterrupt:
            if any(found.strip() for found in lines):
                terminal.say("\n  What you were typing was not taken.")
            raise
        except EOFError:
            if not any(found.strip() for found in lines):
                raise
            return "\n".join(lines).strip()
        if not lines and (line.strip().lower() in COMMANDS or line.strip().lower() in COMMANDS.values()):
            return line
        if lines and line.strip() == "?":
            terminal.say(f"  Not taken: ?. A line with only {END} ends the answer; then ? shows the help.")
            continue
        if line.strip() == END or (not line.strip() and (not lines or not lines[-1].strip())):
            return "\n".join(lines).strip()
        if lines and line.strip().lower() in COMMANDS:
            terminal.say(f"  Taken as a line of the answer: {line.strip()} is a command only in its first line.")
        lines.append(line.rstrip())


def _save(store: Answers, item: Item, text: str, by: By, terminal: Terminal) -> bool:
    """Write the answer down; False, and why, where it is none."""
    if blank := placeholders.in_sentence(text):
        terminal.say(
            f"  That is a placeholder, no answer: {blank!r}. Leave the question open with s: it then stands as a gap. "
            "A reason has to stand beside it: “Not applicable: the system has no …” and “Unknown, because …” are "
            "answers. e opens what you typed."
        )
        return False
    if not wording.answers(text, short=item.question.short):
        terminal.say(
            f"  That is too short to stand in a document: {text.strip()!r}. Say it in a sentence of "
            f"{wording.FEWEST_WORDS} words or more, with its reason: “Not applicable: the system has no …” is one. e "
            "opens what you typed."
        )
        return False
    try:
        store.state(item.question, text, by)
    except errors.PlanError as error:
        if not store.is_sound():
            raise
        terminal.say(f"  {error}")
        return False
    terminal.say("  Saved.")
    if answer_view.is_unread(item.question, text):
        terminal.say(
            "  It begins with neither yes nor no: what hangs on that stays open in the documents. "
            f"b goes back to it; later, --only {item.question.id} does."
        )
    return True


def _edit(terminal: Terminal, item: Item, text: str) -> str | None:
    note = "\n".join(("", "", CUT, item.question.question, *(f"{r.place}: {r.duty}" for r in item.duties)))
    try:
        found = terminal.edit(text + note)
    except click.ClickException as error:
        terminal.say(f"  The editor did not start ({error.format_message()}). Set EDITOR, or type the answer here.")
        return None
    return None if found is None else found.partition(CUT)[0].strip()
