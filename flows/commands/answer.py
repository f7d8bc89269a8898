"""`proofline answer`: what only persons can state, asked one question at a time."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console

from configs import answers, errors, wording
from evidence.folder import RunFolder
from flows import workspace as workspaces
from flows import wrapping

if TYPE_CHECKING:
    from flows.answer_store import Answers

OWNERS = ("engineer", "officer", "management")


@click.command("answer")
@click.argument("run", default="last")
@click.option("--list", "listed", is_flag=True, help="List the questions and where they stand; ask nothing.")
@click.option("--owner", type=click.Choice(OWNERS), help="Only the questions that this person is likely to answer.")
@click.option("--only", multiple=True, metavar="ID", help="Only this question, also to change its answer. Repeatable.")
@click.option("--as", "who", metavar="'NAME, ROLE'", help="Who answers; asked for otherwise.")
@click.option("--risks", is_flag=True, help="Go through the register of risks instead of the questions.")
@click.option(
    "--file", "by_hand", is_flag=True, help="Write the file for editing by hand, or take over what was edited."
)
@click.pass_obj
def command(
    workspace: Path,
    run: str,
    *,
    listed: bool,
    owner: str | None,
    only: tuple[str, ...],
    who: str | None,
    risks: bool,
    by_hand: bool,
) -> None:
    """State what only persons can state about the system of RUN (default: the last run).

    Asks the open questions that the system's class under the AI Act leads to, then those whose answers were carried
    over from an earlier run, to be confirmed. Each answer is saved at once, with your name, role and the time, in
    answers/SYSTEM.yaml, and is kept for the next run. Afterwards the documents are rendered anew; nothing that was
    measured is done again. An approval of the run then no longer counts: it was given to other documents.

    \b
      proofline answer last --list
      proofline answer last --owner officer --as 'Anna Muster, compliance officer'
      proofline answer last --only oversight
    """  # noqa: D301 - click reads \b as the mark of a block
    from flows import answer_session, answer_store, answer_view, answering

    path = workspaces.Workspace(workspace).find(run, closed=True)
    found = workspaces.dossier(path)
    store = answer_store.Answers(found, answering.place(path, found.plan.system.id), RunFolder(path))
    if listed:
        _list(store, owner, only)
        return
    if by_hand:
        _by_hand(store, path)
        return
    if not sys.stdin.isatty():
        raise errors.PlanError(
            f"`proofline answer {run}`: expected a terminal to ask in, got none. See the questions with --list, or "
            f"write your answers into {store.path} by hand: `proofline answer {run} --file` writes that file, and "
            "afterwards takes it over."
        )
    stopped = False
    with store.held():
        asked = () if risks else answer_session.order(store.items(), owner=owner, only=only)
        if not asked and not risks:
            wrapping.say(_nothing(store))
        else:
            _warn_of_approval(path)
            by = _by(who)
            terminal = _Terminal()
            if risks:
                from flows import risk_session

                stopped = risk_session.go_through(store, by, terminal, found)
            else:
                number = wording.counted(len(asked), "question")
                wrapping.say(f"{number} about {found.plan.system.name}. {answer_view.counted(asked)}.")
                stopped = answer_session.go_through(
                    store,
                    asked,
                    by,
                    terminal,
                    lambda item: [*answer_view.changed(item, found, path), *answer_view.facts(item, found)],
                ).interrupted
    _conclude(store, path)
    if stopped:
        raise click.exceptions.Exit(errors.EXIT_INTERRUPTED)


class _Terminal:
    """The terminal of the person: lines with editing, the editor of their choice."""

    def __init__(self) -> None:
        with contextlib.suppress(ImportError):
            import readline  # noqa: F401 - input() then has arrows and history

    def ask(self, prompt: str) -> str:
        while True:
            try:
                return input(prompt)
            except UnicodeDecodeError:
                wrapping.say(
                    "  That line was not UTF-8 text and was not taken. Set the terminal to UTF-8, or use the file."
                )

    def say(self, text: str = "") -> None:
        wrapping.say(text)

    def edit(self, text: str) -> str | None:
        return click.edit(text, extension=".txt", require_save=True)


def _nothing(store: Answers) -> str:
    """Why there is nothing to ask."""
    if not any(item.statement.applies for item in store.items()):
        return (
            "By the answers on the class of the system no duty asks for a statement of a person. "
            "`--only ID` asks a question all the same; `proofline law` names them."
        )
    return "No question is open here, and none waits to be confirmed. --list shows every question."


def _by(who: str | None) -> answers.By:
    """Who answers, from the option or asked once.

    Raises:
        PlanError: The option has another form, or a name says nothing.
    """
    from evidence import clock
    from flows import answer_store

    if who is not None:
        person, comma, role = (part.strip() for part in who.rpartition(","))
        if not comma:
            raise errors.PlanError(f"--as {who}: expected a name and a role as 'Anna Muster, compliance officer'.")
        return answer_store.checked(answers.By, person=person, role=role, at=clock.now())
    said = {"person": "Demonstration", "role": "nobody", "at": clock.now()}
    for field, words in (("person", "Your name"), ("role", "Your role, for example compliance officer")):
        while True:
            said[field] = click.prompt(words)
            try:
                answer_store.checked(answers.By, **said)
                break
            except errors.PlanError as error:
                wrapping.say(f"  {error}")
    return answer_store.checked(answers.By, **said)


def _list(store: Answers, owner: str | None, only: tuple[str, ...]) -> None:
    from flows import answer_session, answer_view

    items = store.items()
    shown = answer_session.order(items, owner=None, only=only) if only else [i for i in items if i.statement.applies]
    shown = [item for item in shown if owner in (None, item.question.owner)]
    rest = sum(not item.statement.applies for item in items)
    for line in answer_view.listing(shown):
        wrapping.say(line)
    wrapping.say(
        f"\n{wording.counted(len(shown), 'question')}: {answer_view.counted(shown)}. By the class of the system {rest} "
        f"{'does' if rest == 1 else 'do'} not apply."
    )
    wrapping.say(f"Risks in the register: {len(store.read().risks)}")
    there = "" if store.path.is_file() else " (not there yet)"
    wrapping.say(f"File: {_short(store.path)}{there}")


def _by_hand(store: Answers, path: Path) -> None:
    from flows import answer_view

    with store.held():
        new = not store.path.is_file()
        count = store.complete()
    if new:
        wrapping.say(f"Written: {_short(store.path)}. Put your answers into it, then give this command again.")
        return
    new_ones = wording.counted(count, "new answer or acceptance", "new answers and acceptances")
    wrapping.say(f"{_short(store.path)}: {new_ones} taken over.")
    if early := store.foretold():
        wrapping.say(
            f"Dated before this run measured what they speak of, so not taken over: {', '.join(early)}. Confirm them "
            "with `proofline answer`, or give each the day on which its results were judged."
        )
    for line in answer_view.unread(store.items()):
        wrapping.say(line)
    _conclude(store, path)


def _warn_of_approval(path: Path) -> None:
    decision = workspaces.standing_approval(path)
    if decision is not None:
        wrapping.say(
            f"This run was {decision.decision} by {decision.person} on {decision.at[:10]}. Answers change its "
            "documents: that decision then no longer counts, and has to be made again."
        )


def _conclude(store: Answers, path: Path) -> None:
    """Render the documents where an answer changed, and say what changed and what is still open."""
    from flows import answer_view, answering

    if answering.is_behind(path, store):
        with Console().status("Render the documents anew …"):
            lines = answering.render(path, _short(store.path))
        for line in lines:
            wrapping.say(line)
    applying = [item for item in store.items() if item.statement.applies]
    wrapping.say(f"Statements: {answer_view.counted(applying)}")
    if rest := answer_view.open_by_owner(applying):
        wrapping.say(f"Still open: {rest}")
    if waiting := answer_view.risks_waiting(store):
        wrapping.say(f"{waiting} Go through them with `proofline answer {path.name} --risks`.")
    where = f"Saved in {_short(store.path)}. " if store.path.is_file() else ""
    following = f"read {_short(path)}/documents/report.html"
    if answering.is_behind(path, store):
        following = "run the plan again; the documents of this run do not hold the answers"
    wrapping.say(f"{where}Next: {following}")


def _short(path: Path) -> str:
    return os.path.relpath(path) if path.resolve().is_relative_to(Path.cwd()) else str(path)
