"""Findings for a person at a terminal: by document, each with its sentence, a mark, and what to do."""

from __future__ import annotations

import collections
import itertools

from rich.console import Console
from rich.text import Text

from model_cards.lint.model import CONFIDENCES, Finding
from model_cards.lint.run import Outcome

_STYLES = {"high": "bold red", "medium": "yellow", "low": "dim"}
INDENT = 4


def show(outcome: Outcome, console: Console) -> None:
    """Print everything that was found."""
    for file, group in itertools.groupby(outcome.findings, key=lambda f: f.sentence.place.file):
        found = list(group)
        console.print(Text.assemble((file, "bold underline"), f"  {_counted(found)}"), soft_wrap=True)
        heading: tuple[str, ...] = ("",)
        for finding in found:
            if finding.sentence.place.heading != heading:
                heading = finding.sentence.place.heading
                console.print(
                    Text("  " + (" › ".join(heading) or "before the first heading"), style="dim"), soft_wrap=True
                )
            _finding(finding, console)
        console.print()
    _summary(outcome, console)


def _finding(finding: Finding, console: Console) -> None:
    place = finding.sentence.place.short
    console.print(
        Text.assemble(
            "  ", (finding.confidence, _STYLES[finding.confidence]), f"  {place}  ", (finding.rule.id, "cyan")
        ),
        soft_wrap=True,
    )
    if finding.sentence.context:
        console.print(Text(f"{' ' * INDENT}{finding.sentence.context[:100]}:", style="dim"), soft_wrap=True)
    width = max(40, console.width - INDENT - 1)
    shown, begin, end = window(finding.sentence.text, *finding.span, width)
    line = Text(" " * INDENT + shown)
    line.stylize(_STYLES[finding.confidence], INDENT + begin, INDENT + end)
    console.print(line, soft_wrap=True)
    if end > begin and (begin, end) != (0, len(shown)):
        console.print(
            Text(" " * (INDENT + begin) + "^" * (end - begin), style=_STYLES[finding.confidence]), soft_wrap=True
        )
    console.print(Text(" " * INDENT + finding.message), soft_wrap=True)
    if finding.proof:
        console.print(Text.assemble(" " * INDENT, ("evidence  ", "dim"), finding.proof.shown), soft_wrap=True)
    console.print(Text.assemble(" " * INDENT, ("to do     ", "dim"), finding.advice), soft_wrap=True)


def window(text: str, begin: int, end: int, width: int) -> tuple[str, int, int]:
    """As much of a sentence around some characters as fits into a line, with where they stand in it."""
    if len(text) <= width:
        return text, begin, end
    room = max(10, width - 2)
    length = min(end - begin, room)
    low = max(0, min(begin - (room - length) // 2, len(text) - room))
    high = min(len(text), low + room)
    shown = ("…" if low else "") + text[low:high] + ("…" if high < len(text) else "")
    shift = (1 if low else 0) - low
    return shown, begin + shift, min(begin + length, high) + shift


def _counted(findings: list[Finding]) -> str:
    counts = collections.Counter(f.confidence for f in findings)
    said = ", ".join(f"{counts[c]} {c}" for c in CONFIDENCES if counts[c])
    return f"{len(findings)} {'finding' if len(findings) == 1 else 'findings'} ({said})"


def _summary(outcome: Outcome, console: Console) -> None:
    if not outcome.documents:
        console.print("No document could be read.", soft_wrap=True)
        return
    sentences = sum(len(document.sentences) for document in outcome.documents)
    looked = f"{_many(len(outcome.documents), 'document')} with {sentences:,} sentences and cells"
    against = f" against {_many(len(outcome.evidence), 'evidence file')}" if outcome.evidence else ""
    if outcome.findings:
        console.print(f"{_counted(list(outcome.findings))} in {looked}{against}.", soft_wrap=True)
    else:
        console.print(
            (f"No finding in {looked}{against}. That shows no contradiction; it does not show that all is true."),
            soft_wrap=True,
        )
    if not outcome.evidence:
        console.print("No evidence was given: numbers, names and claims were not checked.", soft_wrap=True)
    if outcome.hidden:
        console.print(
            f"{_many(outcome.hidden, 'more')} of less confidence: --min-confidence low shows them.", soft_wrap=True
        )


def _many(count: int, what: str) -> str:
    return f"{count:,} {what}" + ("" if count == 1 or what == "more" else "s")
