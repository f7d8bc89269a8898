"""Reading a small ONNX tensor file (`TensorProto` with raw data) without the onnx package.

The reader must not hand a stranger's bytes to a large parser in its own process; golden vectors need four fields only.
Refs: onnx.proto3, message TensorProto; protocol buffers, wire format.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from configs import errors

LARGEST = 64 << 20
_TYPES: dict[int, np.dtype[np.generic]] = {1: np.dtype("<f4"), 7: np.dtype("<i8")}
"""TensorProto.DataType: FLOAT and INT64."""
_DIMS, _TYPE, _NAME, _RAW = 1, 2, 8, 9


def read(content: bytes, thing: str) -> tuple[str, npt.NDArray[np.generic]]:
    """Name and values of a tensor.

    Raises:
        VerificationError: It is no such file.
    """
    if len(content) > LARGEST:
        raise _refused(thing, f"at most {LARGEST} bytes", str(len(content)))
    shape: list[int] = []
    kind, name, raw = 0, "", b""
    at = 0
    while at < len(content):
        tag, at = _varint(content, at, thing)
        field, wire = tag >> 3, tag & 7
        if wire == 0:
            value, at = _varint(content, at, thing)
            if field == _DIMS:
                shape.append(value)
            elif field == _TYPE:
                kind = value
            continue
        if wire != 2:
            raise _refused(thing, "a tensor with raw data", f"a field of the wire type {wire}")
        size, at = _varint(content, at, thing)
        if size > len(content) - at:
            raise _refused(thing, f"{size} more bytes", f"{len(content) - at}")
        piece, at = content[at : at + size], at + size
        if field == _DIMS:
            shape += _packed(piece, thing)
        elif field == _NAME:
            name = piece.decode("utf-8", "replace")
        elif field == _RAW:
            raw = piece
    if (
        kind not in _TYPES
        or len(shape) not in (1, 2)
        or len(raw) != _TYPES[kind].itemsize * int(np.prod(shape, dtype=object))
    ):
        raise _refused(thing, "float32 or int64 values of the stated shape", f"type {kind}, shape {shape[:4]}")
    return name, np.frombuffer(raw, _TYPES[kind]).reshape(shape)


def _packed(piece: bytes, thing: str) -> list[int]:
    found, at = [], 0
    while at < len(piece):
        value, at = _varint(piece, at, thing)
        found.append(value)
    return found


def _varint(content: bytes, at: int, thing: str) -> tuple[int, int]:
    value = 0
    for number in range(10):
        if at >= len(content):
            break
        byte = content[at]
        at += 1
        value |= (byte & 0x7F) << (7 * number)
        if byte < 0x80:
            return value, at
    raise _refused(thing, "a whole number", "the end of the file")


def _refused(thing: str, expected: str, got: str) -> errors.VerificationError:
    return errors.VerificationError(f"{thing}: expected {expected}, got {got}. Do not use the bundle.")
