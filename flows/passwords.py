"""Asking for a password: unseen on a terminal, or from a pipe; where there is neither, one sentence says so."""

from __future__ import annotations

import getpass
import warnings

import click

from configs import errors


def ask(words: str, thing: str, remedy: str) -> str:
    """The password that a person types, or the next line of what is piped in.

    Args:
        words: The question.
        thing: What the password is of, for the error.
        remedy: What to do where nobody can be asked.

    Raises:
        PlanError: There is no terminal, and no line of input.
    """
    try:
        with warnings.catch_warnings():
            # Python warns, in words of its own, that it cannot hide what comes through a pipe: nothing shows it there.
            warnings.simplefilter("error", getpass.GetPassWarning)
            try:
                found: str = click.prompt(words, hide_input=True)
            except getpass.GetPassWarning:
                found = click.prompt(words)
    except click.Abort as stopped:
        if not isinstance(stopped.__context__, EOFError):
            raise
        raise errors.PlanError(f"{thing}: expected a terminal to type it in, or input, got neither. {remedy}") from None
    return found


def of_key() -> str:
    """The password of a key that is there."""
    return ask("Password of the key", "password of the key", "Run the command in a terminal.")
