"""Names of the groups into which edges cut numbers."""

from __future__ import annotations

import itertools


def bin_names(edges: tuple[float, ...]) -> tuple[str, ...]:
    """Names of the groups between ascending edges, for example `< 30`, `30 to < 50`, `>= 50`."""
    text = [f"{edge:g}" if abs(edge) < 1e5 else f"{edge:.0f}" if edge.is_integer() else repr(edge) for edge in edges]
    middle = [f"{low} to < {high}" for low, high in itertools.pairwise(text)]
    return (f"< {text[0]}", *middle, f">= {text[-1]}")
