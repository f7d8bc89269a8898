"""What a person is shown before a bundle leaves."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from configs.wording import counted
from tef_export import leaving

SEALED = "what is made while sealing (index, RO-Crate, attestations, manifests, signatures) is not counted"
"""Why the ZIP holds more files than leave."""


def show(found: leaving.Leaving, console: Console, *, every_file: bool = False) -> None:
    """Print the report of what leaves.

    Args:
        found: The report.
        console: Where to.
        every_file: One line for each file instead of one for each kind.
    """
    table = Table(title=f"What leaves in {found.bundle_id}", title_justify="left")
    table.add_column("Kind")
    table.add_column("File" if every_file else "Files", justify="left" if every_file else "right", overflow="fold")
    table.add_column("Size", justify="right")
    table.add_column("SHA-256" if every_file else "What it says", overflow="fold")
    if every_file:
        for file in found.files:
            table.add_row(file.role.replace("_", " "), file.path, _size(file.size), f"{file.sha256[:16]}…")
    else:
        for role, (count, size) in found.by_role().items():
            table.add_row(role.replace("_", " "), str(count), _size(size), leaving.WORDS[role])
    console.print(table)
    extremes = ", smallest and largest value" if found.extremes else ""
    said = {
        "Test rows": f"{found.test_rows:,}" if found.test_rows else "none",
        "Their columns": ", ".join(found.test_columns),
        "Of training": f"standard deviation, median{extremes} of {', '.join(found.statistics_of)}",
        "Of the plan": _bounds(found),
        "Persons named": "; ".join(found.persons),
        "Stays here": "; ".join(found.stays),
        "To be tested": found.test_environment.replace("_", " "),
        "In all": f"{counted(len(found.files), 'file')}, {_size(found.bytes)}; {SEALED}",
    }
    lines = Table.grid(padding=(0, 2))
    lines.add_column(no_wrap=True)
    lines.add_column(overflow="fold")
    for name, text in said.items():
        if text and not (name == "Of training" and not found.statistics_of):
            lines.add_row(name, escape(text))
    console.print(lines)


def _bounds(found: leaving.Leaving) -> str:
    """Bounds that tell an extreme of the data; none gives nothing."""
    if not found.bounds:
        return ""
    named = ", ".join(bound.words() for bound in found.bounds)
    return (
        f"bounds of the plan that are the very smallest or largest value: {named}; they travel with the plan, and with "
        "each document and record that names them. Set a bound that the subject gives, and run again"
    )


def _size(size: int) -> str:
    return f"{size:,} B" if size < 10_000 else f"{size / 1e3:,.0f} kB" if size < 10_000_000 else f"{size / 1e6:,.0f} MB"
