"""Large models: the graph is parsed, and the weights stay in the file, where they are looked at piece by piece.

A model file is nested fields, each with its length. The walk copies everything but the raw data of large weights at the
top of the graph, which is where exporters put them; what remains is an ordinary small model.
"""

from __future__ import annotations

import concurrent.futures
import dataclasses
import math
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt
import onnx

from tef_export import onnx_rules
from tef_export.archive import Place

SMALL = 64 << 20
"""Bytes up to which a model file is parsed whole."""
WEIGHT = 1 << 16
"""Bytes from which on a weight of a larger file stays there."""
LARGEST_REST = 128 << 20
"""Bytes of all that is parsed of a large file."""
CHUNK = 1 << 20
_GRAPH, _INITIALIZER, _RAW_DATA = 7, 5, 9
"""Numbers of the fields in `onnx.proto`."""


@dataclasses.dataclass(frozen=True)
class Apart:
    """Raw data that was left in the file."""

    offset: int
    size: int


def load(place: Place, small: int = SMALL, weight: int = WEIGHT) -> tuple[onnx.ModelProto, dict[int, Apart]]:
    """The model, and which of its initializers are without their values, because they were checked in the file.

    Args:
        place: Where the model lies, which may be a part of a file.
        small: Bytes up to which it is parsed whole.
        weight: Bytes from which on a weight of a larger one stays in the file.

    Raises:
        VerificationError: It is too large, no ONNX, or a weight is not a finite number for each of its elements.
    """
    onnx_rules.require_size(place.size)
    with place.path.open("rb") as stream:
        if place.size <= small:
            stream.seek(place.offset)
            return onnx_rules.parsed(stream.read(place.size)), {}
        rest, apart = _Walk(stream, weight).model(place.offset, place.offset + place.size)
    model = onnx_rules.parsed(rest)
    for number, found in apart.items():
        _check_values(place.path, model.graph.initializer[number], found)
    return model, apart


def as_inputs(
    model: onnx.ModelProto, path: Path, apart: dict[int, Apart]
) -> tuple[onnx.ModelProto, dict[str, npt.NDArray[np.generic]]]:
    """The model with the weights that are apart as further inputs, and these, mapped from the file."""
    weights = {model.graph.initializer[number].name: (number, found) for number, found in apart.items()}
    mapped: dict[str, npt.NDArray[np.generic]] = {}
    for name, (number, found) in weights.items():
        tensor = model.graph.initializer[number]
        dtype = np.dtype(onnx.helper.tensor_dtype_to_np_dtype(tensor.data_type)).newbyteorder("<")
        mapped[name] = np.memmap(path, dtype, "r", found.offset, tuple(tensor.dims))
    return onnx_rules.without(model, apart), mapped


def pointing(model: onnx.ModelProto, apart: dict[int, Apart], name: str) -> bytes:
    """The model with references to where its weights stand in its own file, so that a runtime maps them from there.

    Only places that `load` has found and checked are named; a model that comes with references of its own is refused.
    """
    made = onnx.ModelProto()
    made.CopyFrom(model)
    for number, place in apart.items():
        tensor = made.graph.initializer[number]
        tensor.data_location = onnx.TensorProto.EXTERNAL
        for key, value in (("location", name), ("offset", place.offset), ("length", place.size)):
            tensor.external_data.add(key=key, value=str(value))
    content: bytes = made.SerializeToString()
    return content


class _Walk:
    """One pass over the fields of a file."""

    def __init__(self, stream: BinaryIO, weight: int) -> None:
        self.stream, self.weight, self.kept = stream, weight, 0

    def model(self, start: int, end: int) -> tuple[bytes, dict[int, Apart]]:
        made, apart, graphs = bytearray(), dict[int, Apart](), 0
        for number, begin, content, stop in self.fields(start, end, _GRAPH):
            if number == _GRAPH:
                graphs += 1
                graph = self.graph(content, stop, apart)
                made += _field(_GRAPH, graph)
            else:
                made += self.copy(begin, stop)
        if graphs != 1:
            raise onnx_rules.refusal("one graph", f"{graphs}")
        return bytes(made), apart

    def graph(self, begin: int, end: int, apart: dict[int, Apart]) -> bytes:
        made, count = bytearray(), 0
        for number, at, content, stop in self.fields(begin, end, _INITIALIZER):
            if number == _INITIALIZER and stop - content >= self.weight:
                tensor, found = self.tensor(content, stop)
                made += _field(_INITIALIZER, tensor)
                if found:
                    apart[count] = found
            else:
                made += self.copy(at, stop)
            count += number == _INITIALIZER
        return bytes(made)

    def tensor(self, begin: int, end: int) -> tuple[bytes, Apart | None]:
        made, found = bytearray(), None
        for number, at, content, stop in self.fields(begin, end, _RAW_DATA):
            if number != _RAW_DATA:
                made += self.copy(at, stop)
            elif found is not None:
                raise onnx_rules.refusal("raw data once for each weight", "them twice")
            else:
                found = Apart(content, stop - content)
        return bytes(made), found

    def fields(self, begin: int, end: int, nested: int) -> Iterator[tuple[int, int, int, int]]:
        """Number, begin, begin of the content, and end of each field; `nested` must have a length."""
        at = begin
        while at < end:
            tag, content = self.varint(at, end)
            number, kind = tag >> 3, tag & 7
            if kind == 0:
                stop = self.varint(content, end)[1]
            elif kind == 2:
                length, content = self.varint(content, end)
                stop = content + length
            elif kind in (1, 5):
                stop = content + (8 if kind == 1 else 4)
            else:
                raise onnx_rules.refusal("an ONNX file", "a field of no known kind")
            if stop > end or number == 0 or (number == nested and kind != 2):
                raise onnx_rules.refusal("an ONNX file", "a field that does not fit")
            yield number, at, content, stop
            at = stop

    def varint(self, at: int, end: int) -> tuple[int, int]:
        self.stream.seek(at)
        value = 0
        for number, byte in enumerate(self.stream.read(min(10, end - at))):
            value |= (byte & 0x7F) << (7 * number)
            if byte < 0x80:
                return value, at + number + 1
        raise onnx_rules.refusal("an ONNX file", "one that was cut off or is none")

    def copy(self, begin: int, end: int) -> bytes:
        self.kept += end - begin
        if self.kept > LARGEST_REST:
            raise onnx_rules.refusal(f"at most {LARGEST_REST} bytes besides the raw data of weights", "more")
        self.stream.seek(begin)
        return self.stream.read(end - begin)


def _field(number: int, content: bytes) -> bytes:
    made, length = bytearray([number << 3 | 2]), len(content)
    while length > 0x7F:
        made.append(length & 0x7F | 0x80)
        length >>= 7
    made.append(length)
    return bytes(made) + content


def _check_values(path: Path, tensor: onnx.TensorProto, place: Apart) -> None:
    """The raw data fit the shape, and every number is finite."""
    where = f"weight {tensor.name[:80]}"
    other = ("float_data", "int32_data", "string_data", "int64_data", "double_data", "uint64_data")
    if any(len(getattr(tensor, name)) for name in other):
        raise onnx_rules.refusal("values in one form", f"{where} with raw data and others")
    try:
        dtype = np.dtype(onnx.helper.tensor_dtype_to_np_dtype(tensor.data_type))
    except (KeyError, TypeError):
        dtype = np.dtype(object)
    if dtype.kind not in "biufc" or math.prod(tensor.dims) * dtype.itemsize != place.size:
        raise onnx_rules.refusal("readable weights", f"{where} with {place.size} bytes for {list(tensor.dims)[:8]}")
    if dtype.kind in "fc" and not _finite(path, dtype.newbyteorder("<"), place):
        raise onnx_rules.refusal("finite weights", f"{where} with NaN or infinite values")


def _finite(path: Path, dtype: np.dtype[np.generic], place: Apart) -> bool:
    """Is every number finite? In two halves at once, as the reader's other work is done by now."""
    half = place.size // 2 // dtype.itemsize * dtype.itemsize
    parts = ((place.offset, half), (place.offset + half, place.size - half))

    def one(part: tuple[int, int]) -> bool:
        (at, left), buffer = part, bytearray(CHUNK)
        with path.open("rb", buffering=0) as stream:
            stream.seek(at)
            while left:
                piece = memoryview(buffer)[: min(CHUNK, left)]
                if stream.readinto(piece) != len(piece) or not np.isfinite(np.frombuffer(piece, dtype)).all():
                    return False
                left -= len(piece)
        return True

    with concurrent.futures.ThreadPoolExecutor(2) as both:
        return all(both.map(one, parts))
