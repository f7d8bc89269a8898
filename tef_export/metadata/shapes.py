"""The part of CycloneDX 1.6 that a bill of materials of a bundle may be written in.

A public validator must find nothing in a document that the reader has accepted. The base installation has none, and
needs none: the writer uses little of the format, and what is typed here is a part of its schema.
Ref: CycloneDX 1.6 (ECMA-424), `bom-1.6.schema.json`.
"""

from __future__ import annotations

import collections
import json
import re
from collections.abc import Iterable, Iterator
from typing import Annotated, Any, Literal, TypeVar

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


S = TypeVar("S", bound="Shape")


class Shape(pydantic.BaseModel):
    """An object with these fields and no others, each of its own type."""

    model_config = pydantic.ConfigDict(extra="forbid", strict=True)


class _Named(Shape):
    name: Text


class _Property(_Named):
    value: Text


class _Hash(Shape):
    alg: Literal["SHA-256"]
    content: Sha256


class _Expression(Shape):
    expression: Text


class _Licence(Shape):
    license: _Named


class _Interval(Shape):
    lowerBound: Text  # noqa: N815 - the format's
    upperBound: Text  # noqa: N815


class _Figure(Shape):
    type: Text
    value: Text
    slice: Text
    confidenceInterval: _Interval | None = None  # noqa: N815


class _Reference(Shape):
    ref: Text
    dependsOn: list[Text] | None = None  # noqa: N815


class _Tensor(Shape):
    format: Text


class _Approach(Shape):
    type: Literal["supervised", "self-supervised"]


class _Parameters(Shape):
    approach: _Approach
    task: Text
    architectureFamily: Text  # noqa: N815
    datasets: list[_Reference]
    inputs: list[_Tensor]
    outputs: list[_Tensor]


class _Figures(Shape):
    performanceMetrics: list[_Figure]  # noqa: N815


class _Considerations(Shape):
    users: list[Text] | None = None
    useCases: list[Text] | None = None  # noqa: N815
    technicalLimitations: list[Text] | None = None  # noqa: N815


class _Card(Shape):
    bom_ref: Text = Field(alias="bom-ref")
    modelParameters: _Parameters  # noqa: N815
    quantitativeAnalysis: _Figures  # noqa: N815
    considerations: _Considerations


class _Contents(Shape):
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


class _Tools(Shape):
    components: list[_Component]


class _Lifecycle(Shape):
    phase: Literal["build", "post-build"]


class _Metadata(Shape):
    timestamp: UtcTime
    lifecycles: list[_Lifecycle]
    tools: _Tools | None = None
    supplier: _Named | None = None
    component: _Component
    properties: list[_Property] | None = None


class _Composition(Shape):
    aggregate: Literal["incomplete"]
    assemblies: list[Text]


class _Bill(Shape):
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
    read(where, content, _Bill, "CycloneDX 1.6")
    require_once(where, _names(content))


def read(where: str, content: Any, kind: type[S], standard: str) -> S:
    """The content as objects of this kind.

    Raises:
        VerificationError: Naming the first place that is written otherwise than the standard says.
    """
    try:
        return kind.model_validate(content)
    except pydantic.ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise coherence.differs(f"{where}, {place}", f"{str(first['input'])[:60]!r}", standard) from None


def require_once(where: str, names: Iterable[str]) -> None:
    """Check that no reference is given twice.

    Raises:
        VerificationError: One is.
    """
    name, count = max(collections.Counter(names).items(), key=lambda one: one[1], default=("", 0))
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
