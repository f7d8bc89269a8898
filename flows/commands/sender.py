"""Whose bundle it is: how a receiver pins the sender's key, the same for every command that opens a bundle."""

from __future__ import annotations

from pathlib import Path

import click

from configs import errors

KEY = click.option(
    "--key", type=click.Path(dir_okay=False, path_type=Path), help="The sender's public key, got by another way."
)
FINGERPRINT = click.option("--fingerprint", help="Its SHA-256 fingerprint (64 hex digits), where you have only that.")
DEMONSTRATION = click.option("--demonstration", is_flag=True, help="Accept a bundle that says it is a demonstration.")


def require(command: str, key: Path | None, fingerprint: str | None) -> None:
    """Is the sender pinned by one of the two?

    Raises:
        PlanError: By neither.
    """
    if key is None and fingerprint is None:
        raise errors.PlanError(
            f"{command}: expected --key FILE or --fingerprint HEX, got neither. Ask the sender for it by another way "
            "than the bundle."
        )
