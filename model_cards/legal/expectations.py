"""The gates that the duties of the system expect of its policy and that it lacks: one source for every document."""

from __future__ import annotations

from collections.abc import Iterator

from model_cards.refs import Book, Fact, Gap, Node

WHO = "engineer"
WHERE = "plan: policy.gates"
"""Who can set a gate, and where."""


def lacking(book: Book, requirement_id: str | None = None) -> Iterator[Node]:
    """The gates that are lacking, or those of them that one requirement expects."""
    for gate in book.law["read"]["gates"]:
        if requirement_id in (None, gate["requirement"].value["id"]):
            yield gate


def named(gate: Node) -> Fact:
    """A gate that is lacking, in words."""
    words = f"required gate on {gate.value['family']}"
    return gate["family"].derived(words, "family of checks on which the plan has no required gate")


def gap(gate: Node) -> Gap:
    """The same as a gap, with who can fill it."""
    return Gap(named(gate), WHO, WHERE)
