"""What is proven about the model: the time it may take, and properties that must hold."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from configs.base import Section, Text


class Certification(Section):
    """Proofs that no admissible change of the inputs changes the label, for the rows and budgets of the attack."""

    seconds: float = Field(default=20.0, gt=0, le=86_400)
    """Longest time for all rows together; rows that it does not reach are unknown."""
    boxes: int = Field(default=32, ge=1, le=1_000_000)
    """Largest number of parts into which the admissible inputs of a row are split. 1 does not split."""


class DeclaredProperty(Section):
    """A VNN-LIB file over the inputs and outputs of the exported graph, which says what must not happen."""

    file: Text
    """Relative to the data folder (`PROOFLINE_DATA`, or the plan's own folder)."""
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
    """Of the file (`sha256sum`), so that the property is committed with the plan, before anything is measured."""
    seconds: float = Field(default=20.0, gt=0, le=86_400)
    """Time after which it is unknown."""
