"""Packages that only some need, asked for in one sentence before they are imported."""

from __future__ import annotations

import importlib.util

from configs import errors

RERUN = ("onnxruntime", "scipy", "tokenizers")
"""Of the extra `[tef]`, for measuring a received model again."""
PROOF = ("onnxruntime", "scipy", "threadpoolctl")
"""The same for proving its properties."""


def require(what: str, packages: tuple[str, ...], extra: str) -> None:
    """Refuse when a package is absent.

    Args:
        what: What needs it, as it is typed.
        packages: Names as they are imported.
        extra: Of `pyproject.toml`, which brings them.

    Raises:
        MissingError: Naming what is absent and what to type.
    """
    absent = [name for name in packages if importlib.util.find_spec(name) is None]
    if absent:
        raise errors.MissingError(
            f"`{what}`: expected the packages of the extra [{extra}], got none of {', '.join(absent)}. In the clone of "
            f'the repository: `pip install ".[{extra}]"`.'
        )
