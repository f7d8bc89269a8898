"""The part of CycloneDX 1.6 that a bill of materials of a bundle may be written in.

A public validator must find nothing in a document that the reader has accepted. The base installation has none, and
needs none: the writer uses little of the format, and what is typed here is a part of its schema.
Ref: CycloneDX 1.6 (ECMA-424), `bom-1.6.schema.json`.
"""

from __future__ import annotations

import collections
import json
import re
from collections.abc import Iterator
from typing import Annotated, Any, Literal

import pydantic
from pydantic import Field

from evidence.record_base import Sha256, UtcTime
from tef_export import coherence

_UNIQUE = ("components", "dependencies", "dependsOn", "assemblies", "compositions", "lifecycles")
"""Lists in which the format lets nothing stand twice."""
Text = Annotated[str, Field(strict=True)]
ADDRESS = re.compile(r"(?:[^\s<>\"{}|\\^`%\[\]]|%[0-9A-Fa-f]{2})+")
"""An address that public validators take for one; another one in a plan stays in the plan."""
Address = Annotated[str, Field(strict=True, pattern=f"^{ADDRESS.pattern}$")]


class _Shape(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="forbid", strict=True)


class _Named(_Shape):
    name: Text


class _Property(_Named):
    value: Text


class _Hash(_Shape):
    alg: Literal["SHA-256"]
    content: Sha256


class _Expression(_Shape):
    expression: Text


class _Licence(_Shape):
    license: _Named


class _Interval(_Shape):
    lowerBound: Text  # noqa: N815 - the format's
    upperBound: Text  # noqa: N815


class _Figure(_Shape):
    type: Text
    value: Text
    slice: Text
    confidenceInterval: _Interval | None = None  # noqa: N815


class _Reference(_Shape):
    ref: Text
    dependsOn: Annotated[list[Text], Field(min_length=0)] | None = None  # noqa: N815


class _Tensor(_Shape):
    format: Text


class _Approach(_Shape):
    type: Literal["supervised", "self-supervised"]


class _Parameters(_Shape):
    approach: _Approach
    task: Text
    architectureFamily: Text  # noqa: N815
    datasets: list[_Reference]
    inputs: list[_Tensor]
    outputs: list[_Tensor]


class _Figures(_Shape):
    performanceMetrics: list[_Figure]  # noqa: N815


class _Considerations(_Shape):
    users: list[Text] | None = None
    useCases: list[Text] | None = None  # noqa: N815
    technicalLimitations: list[Text] | None = None  # noqa: N815


class _Card(_Shape):
    bom_ref: Text = Field(alias="bom-ref")
    modelParameters: _Parameters  # noqa: N815
    quantitativeAnalysis: _Figures  # noqa: N815
    considerations: _Considerations


class _Contents(_Shape):
    properties: list[_Property]
    url: Address | None = None


class _Dataset(_Named):
    type: Literal["dataset"]
    contents: _Contents
    classification: Text
    sensitiveData: list[Text] | None = None  # noqa: N815
    description: Text | None = None


class _Component(_Named):
    type: Literal["application", "machine-learning-model", "data", "file", "library"]
    bom_ref: Text | None = Field(default=None, alias="bom-ref", min_length=1)
    supplier: _Named | None = None
    version: Text | None = None
    description: Text | None = None
    hashes: list[_Hash] | None = None
    licenses: Annotated[list[_Expression | _Licence], Field(min_length=1, max_length=1)] | None = None
    purl: Text | None = None
    components: list[_Component] | None = None
    data: list[_Dataset] | None = None
    modelCard: _Card | None = None  # noqa: N815
    properties: list[_Property] | None = None


class _Tools(_Shape):
    components: list[_Component]


class _Lifecycle(_Shape):
    phase: Literal["build", "post-build"]


class _Metadata(_Shape):
    timestamp: UtcTime
    lifecycles: list[_Lifecycle]
    tools: _Tools | None = None
    supplier: _Named | None = None
    component: _Component
    properties: list[_Property] | None = None


class _Composition(_Shape):
    aggregate: Literal["incomplete"]
    assemblies: list[Text]


class _Bill(_Shape):
    schema_: Literal["http://cyclonedx.org/schema/bom-1.6.schema.json"] = Field(alias="$schema")
    bomFormat: Literal["CycloneDX"]  # noqa: N815
    specVersion: Literal["1.6"]  # noqa: N815
    serialNumber: Text  # noqa: N815
    version: int = Field(ge=1, le=1)
    metadata: _Metadata
    components: list[_Component]
    dependencies: list[_Reference]
    compositions: list[_Composition] | None = None


def require(where: str, content: Any) -> None:
    """Check that a bill of materials is written in this part of the format, every reference of it once.

    Raises:
        VerificationError: Naming the first place that is not.
    """
    for place, found, expected in _odd(content):
        raise coherence.differs(f"{where}, {place}", found, expected)
    try:
        _Bill.model_validate(content)
    except pydantic.ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise coherence.differs(f"{where}, {place}", f"{str(first['input'])[:60]!r}", "CycloneDX 1.6") from None
    name, count = max(collections.Counter(_names(content)).items(), key=lambda one: one[1])
    if count > 1:
        raise coherence.differs(where, f"the reference {name[:60]} twice", "each once")


def _odd(value: Any, place: str = "") -> Iterator[tuple[str, str, str]]:
    """Places that hold nothing, or one thing twice; what stands there, and what is expected."""
    if value is None:
        yield place, "null", "a value, or no such field"
    elif isinstance(value, dict | list):
        unique = isinstance(value, list) and place.rpartition(".")[2] in _UNIQUE
        if unique and len({json.dumps(one, sort_keys=True) for one in value}) < len(value):
            yield place, "one of them twice", "each once"
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _odd(inner, f"{place}.{key}".lstrip("."))


def _names(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if "bom-ref" in value:
            yield value["bom-ref"]
        for inner in value.values():
            yield from _names(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _names(inner)
