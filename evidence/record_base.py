"""What all records have in common, and the types that several modules of records share."""

from __future__ import annotations

import datetime as dt
import json
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints, WithJsonSchema

from configs.docstrings import Described

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
_TIME = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?Z$"


def _real_time(text: str) -> str:
    """The pattern lets a 99th month through; a time that no calendar knows is refused here."""
    try:
        dt.datetime.fromisoformat(text)
    except ValueError:
        raise ValueError("a time that is in the calendar is expected") from None
    return text


UtcTime = Annotated[
    str,
    StringConstraints(pattern=_TIME),
    AfterValidator(_real_time),
    WithJsonSchema({"type": "string", "format": "date-time", "pattern": _TIME}),
]
"""A time in UTC, ISO 8601 with `Z`, that exists."""


def schema_text(kind: type[BaseModel]) -> str:
    """The JSON Schema (2020-12) of a type as it is committed: two spaces, sorted keys, a newline."""
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **kind.model_json_schema()}
    return json.dumps(schema, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


class Record(Described):
    """Base of every record."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Quantity(Record):
    """A figure of cost with the way it was got. `value` None means unmeasured; `method` says why."""

    value: float | None
    unit: str
    method: str
    boundary: str
    """What it covers: device, node, process."""
