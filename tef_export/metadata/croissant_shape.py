"""What a Croissant description of a bundle may be written in: the part of the format that the writer uses.

Public readers follow references, and fail where one leads nowhere. Persons have approved the document as it is; here it
is only made sure that a public validator finds nothing in what the reader has accepted.
Ref: MLCommons Croissant Format Specification 1.0 (2024).
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import pydantic
from pydantic import Field

from evidence import canonical
from evidence.record_base import Sha256
from tef_export import coherence
from tef_export.metadata import shapes

CONTEXTS = frozenset(["f93c246d7eae779daf7a311e552811606c1b464014d45c8f601a86f80c32343e"])
"""SHA-256 of the canonical form of the contexts that a description may have: that of the specification."""
Text = Annotated[str, Field(strict=True, min_length=1)]


class _Id(shapes.Shape):
    id: Text = Field(alias="@id", pattern=r"^[A-Za-z0-9_./-]+$")


class _File(_Id):
    type: Literal["cr:FileObject"] = Field(alias="@type")
    name: Text
    contentUrl: Text  # noqa: N815 - the format's
    contentSize: Annotated[Text, Field(pattern=r"^[0-9]+ B$")] | None = None  # noqa: N815
    encodingFormat: Text  # noqa: N815
    sha256: Sha256


class _Extract(shapes.Shape):
    column: Text


class _Source(shapes.Shape):
    fileObject: _Id  # noqa: N815
    extract: _Extract


class _Field(_Id):
    type: Literal["cr:Field"] = Field(alias="@type")
    name: Text
    description: Text
    dataType: Literal["sc:Float", "sc:Integer", "sc:Text"]  # noqa: N815
    source: _Source


class _Records(_Id):
    type: Literal["cr:RecordSet"] = Field(alias="@type")
    name: Text
    field: list[_Field]


class _Creator(shapes.Shape):
    type: Literal["sc:Organization"] = Field(alias="@type")
    name: Text


_Core = Literal["http://mlcommons.org/croissant/1.0"]
_Responsible = Literal["http://mlcommons.org/croissant/RAI/1.0"]


class _Dataset(shapes.Shape):
    model_config = pydantic.ConfigDict(extra="allow", strict=True)

    context: dict[str, Any] = Field(alias="@context")
    type: Literal["sc:Dataset"] = Field(alias="@type")
    conformsTo: _Core | Annotated[list[_Core | _Responsible], Field(min_length=2, max_length=2)]  # noqa: N815
    name: Annotated[Text, Field(pattern=r"^[A-Za-z0-9_.-]+$")]
    description: Text
    identifier: Text
    isLiveDataset: bool | None = None  # noqa: N815
    license: Text | None = None
    url: Text | None = None
    creator: _Creator | None = None
    distribution: list[_File]
    recordSet: list[_Records] | None = None  # noqa: N815


def require(where: str, content: Any) -> None:
    """Check that a description is written in this part of the format, and that its references lead somewhere.

    Raises:
        VerificationError: Naming the first place that is not.
    """
    found = shapes.read(where, content, _Dataset, "Croissant 1.0")
    if "http://mlcommons.org/croissant/1.0" not in found.conformsTo:
        raise coherence.differs(f"{where}, conformsTo", "something else", "Croissant 1.0")
    if canonical.sha256(found.context) not in CONTEXTS:
        raise coherence.differs(f"{where}, @context", "another", "that of the specification")
    for name, value in (found.model_extra or {}).items():
        texts = value if isinstance(value, list) else [value]
        if not name.startswith("rai:") or not all(isinstance(text, str) for text in texts):
            raise coherence.differs(where, f"the field '{name[:60]}'", "fields of the format, each a text or texts")
    records = found.recordSet or []
    files = [file.id for file in found.distribution]
    named = [*files, *(one.id for one in records), *(field.id for one in records for field in one.field)]
    shapes.require_once(where, named)
    for field in (field for one in records for field in one.field):
        if field.source.fileObject.id not in files:
            raise coherence.differs(where, f"the source {field.source.fileObject.id[:60]}", "a file that is listed")
