"""What a person sees of a comparison in the terminal: what changed, the gravest first, and by how much."""

from __future__ import annotations

from collections.abc import Callable

from rich.console import Console
from rich.markup import escape

from evidence.diff_records import Change, DiffRecord, MeasureDifference
from flows.view import COLOURS

WORDS = {
    "outside": ("red", "outside"),
    "none_declared": ("red", "nothing declared"),
    "cannot_tell": ("yellow", "cannot tell"),
    "within": ("green", "within"),
    "follows": ("dim", "follows"),
}
OUTCOMES = {
    "identical": "[green]Nothing differs.[/] Plan, rows, model, measures, gates and software are the same.",
    "within": "[green]Everything that changed lies within what was declared beforehand.[/]",
    "outside": "[red]Something changed that was not declared beforehand, or breaks a declared limit.[/]",
    "cannot_tell": "[yellow]What changed was declared; whether its limits are kept cannot be told for all of it.[/]",
}
SHOWN = {"worse": "red", "better": "green", "moved": "yellow"}
MOST = 12
"""Measures that are listed."""
LONGEST = 70


def show(record: DiffRecord, console: Console) -> None:
    """Print a comparison."""

    def say(text: str = "") -> None:
        console.print(text, highlight=False, soft_wrap=True)

    before, after = record.before, record.after
    say(f"[bold]{escape(after.system_name)}[/] {escape(before.system_version)} → {escape(after.system_version)}")
    say(f"A  {escape(before.run_id)} ({before.kind}, gate {before.outcome})")
    say(f"B  {escape(after.run_id)} ({after.kind}, gate {after.outcome})")
    for note in record.notes:
        say(f"[yellow]·[/] {note}")
    if record.outcome == "identical":
        say(f"\n{OUTCOMES['identical']}")
        return
    _changes(record, say)
    _declared(record, say)
    _gates(record, say)
    _measures(record, say)
    say(f"\n{OUTCOMES[record.outcome]}")
    say("Whether it is a substantial modification (Art. 3(23)) is for a named person to decide.")


def _changes(record: DiffRecord, say: Callable[[str], None]) -> None:
    purpose = [c for c in record.changes if c.subject in ("purpose", "classification")]
    if purpose:
        say("\n[bold red]Intended purpose or class[/]")
        _lines(purpose, say)
    rest = [c for c in record.changes if c not in purpose]
    say("\n[bold]What changed[/]")
    _lines(rest, say)
    if not rest:
        say("  nothing else")


def _lines(changes: list[Change], say: Callable[[str], None]) -> None:
    last = ""
    for change in changes:
        colour, word = WORDS[change.verdict]
        told = _told(change)
        say(f"  [{colour}]{word:<16}[/] {escape(change.title)}{': ' if told else ''}{escape(told)}")
        if change.verdict in ("outside", "cannot_tell") or (change.verdict == "within" and change.declared):
            clause = f" [{change.clause}]" if change.clause else ""
            if change.reason != last:
                say(f"{' ' * 19}[dim]{escape(change.reason + clause)}[/]")
        last = change.reason


def _told(change: Change) -> str:
    if change.removed or change.added:
        parts = [f"− {'; '.join(change.removed)}"] if change.removed else []
        parts += [f"+ {'; '.join(change.added)}"] if change.added else []
        return _short("   ".join(parts), 2 * LONGEST)
    return f"{_short(change.before or 'none')} → {_short(change.after or 'none')}"


def _short(text: str, most: int = LONGEST) -> str:
    line = " ".join(text.split())
    return line if len(line) <= most else f"{line[: most - 1]}…"


def _declared(record: DiffRecord, say: Callable[[str], None]) -> None:
    say("\n[bold]Declared beforehand[/], by A (Annex IV(2)(f))")
    if not record.declared:
        say("  nothing: see predetermined_changes in the guide")
    for one in record.declared:
        unused = "" if one.used else " [dim](nothing that changed falls under it)[/]"
        say(f"  {escape(one.id)}: {escape(one.title)}{unused}")
        for limit in one.limits if one.used else ():
            colour, word = WORDS[limit.answer]
            say(f"    [{colour}]{word:<12}[/] {escape(limit.limit)} [dim]{escape(limit.found)}[/]")


def _gates(record: DiffRecord, say: Callable[[str], None]) -> None:
    if not record.gates:
        return
    say("\n[bold]Gates of the plans[/]")
    for gate in record.gates:
        where = "" if gate.slice == "overall" else f" ({gate.slice})"
        answers = [(one or "no such gate").replace("_", " ") for one in (gate.before, gate.after)]
        told = answers[1] if answers[0] == answers[1] else f"{answers[0]} → {answers[1]}"
        colour = COLOURS.get(gate.after or "", "yellow")
        asked = (
            gate.asked_after if gate.asked_before == gate.asked_after else f"{gate.asked_before} → {gate.asked_after}"
        )
        m = None if gate.measure is None else record.measures[gate.measure]
        say(f"  [{colour}]{told:<28}[/] {escape(gate.title + where)}, {escape(asked or '')}")
        if m is not None and m.value is not None and m.before is not None and m.after is not None:
            say(f"{' ' * 31}[dim]{m.before:.4g} → {m.after:.4g}  {m.value:+.3g}{escape(_ends(m))}[/]")


def _ends(m: MeasureDifference) -> str:
    return f" [{m.low:+.3g}, {m.high:+.3g}]" if m.level is not None and m.low is not None and m.high is not None else ""


def _measures(record: DiffRecord, say: Callable[[str], None]) -> None:
    if not record.measures:
        return
    named = {(limit.check, limit.slice) for one in record.declared for limit in one.limits}
    moved = [m for m in record.measures if m.shown in SHOWN and m.level is not None]
    first = [m for m in moved if m.headline] + [m for m in moved if not m.headline]
    listed = first[:MOST] + [m for m in record.measures if (m.name, m.slice) in named and m not in first[:MOST]]
    paired = sum(m.paired for m in record.measures)
    say(
        f"\n[bold]Measures[/], B less A at {100 * record.level:g} %: {len(record.measures)} common, "
        f"{len(moved)} whose interval leaves 0 out; {paired} compared row by row"
    )
    for m in listed:
        say(f"  {_measure(m)}")
    if len(first) > MOST:
        say(f"  [dim]and {len(first) - MOST} more (--output)[/]")


def _measure(m: MeasureDifference) -> str:
    colour = SHOWN.get(m.shown, "dim")
    where = "" if m.slice == "overall" else f" ({m.slice})"
    part = m.name.removeprefix(m.check).replace("_", " ").replace(".", " · ")
    if m.value is None or m.before is None or m.after is None:
        return f"{escape(m.title + part + where)}: {escape(m.method)}"
    numbers = f"{m.before:.4g} → {m.after:.4g}  {m.value:+.3g}{_ends(m)}"
    return f"[{colour}]{m.shown.replace('_', ' '):<14}[/] {escape(m.title + part + where)}  {escape(numbers)}"
