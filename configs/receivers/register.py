"""The register of receivers: what each expects, where that is written, and when it was last looked up."""

from __future__ import annotations

import datetime as dt
import functools
from pathlib import Path
from typing import Any

import pydantic

from configs import errors, strict_yaml
from configs.base import Section, Slug, Text

FOLDER = Path(__file__).parent


class Receiver(Section):
    """One receiver's format. What may change without a change of code stands in `values`."""

    id: Slug
    name: Text
    source: Text
    """Where the format is described."""
    version: Text
    """Of the format or the tool that was looked at."""
    checked: dt.date
    """When it was looked up."""
    note: Text
    values: dict[str, Any]


@functools.cache
def load() -> dict[str, Receiver]:
    """Every receiver by its id.

    Raises:
        PlanError: A file of the register is damaged.
    """
    found = {}
    for path in sorted(FOLDER.glob("*.yaml")):
        content = strict_yaml.parse(path.read_text(encoding="utf-8"), path.name)
        try:
            receiver = Receiver.model_validate(content)
        except pydantic.ValidationError as error:
            first = error.errors(include_url=False)[0]
            where = ".".join(str(part) for part in first["loc"])
            raise errors.PlanError(
                f"receiver {path.name} {where}: expected an entry of the register, got: {first['msg']}. "
                "Install proofline again."
            ) from None
        found[receiver.id] = receiver
    return found
