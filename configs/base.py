"""The base of every plan section: frozen, closed to unknown keys, NaN refused."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, StringConstraints

from configs.docstrings import Described

Answer = Literal["yes", "no", "unknown"]
"""A tri-state answer. Missing is `unknown`, never `no`."""

Slug = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{1,62}$")]
"""Lower-case identifier that is safe as a file name and a URL part."""

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
"""Free text that says something."""

Fraction = Annotated[float, Field(ge=0.0, le=1.0)]
"""A share between 0 and 1."""

Severity = Literal["critical", "gate"]
"""`critical`: a violation stops the run. `gate`: it is weighed at the gate."""


class Section(Described):
    """A part of a plan."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        allow_inf_nan=False,
        str_strip_whitespace=True,
    )
