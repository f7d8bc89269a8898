r"""Row digests: one SHA-256 for the content of each row, the same whatever the file's form or the order of its rows.

Canonical text of a row: for every declared column, in the order of the sorted column names (Unicode code points), one
field

    <name> "=" <text>     a value
    <name>                a missing value

and the fields joined by U+001F (unit separator). Texts: `numeric` is Python's `repr` of the float64 (shortest form
that reads back as the same number; −0 is 0), `integer` its decimal digits, `categorical` the stripped text. In names
and texts a backslash is written `\\`, U+001F `\u`, and in names `=` is written `\e`, so that no two different rows
share a text. The digest is the SHA-256 of the text in UTF-8, as 64 hex digits.
"""

from __future__ import annotations

import binascii
import hashlib
from collections.abc import Iterator
from typing import BinaryIO

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

_SEPARATOR = b"\x1f"


Digests = npt.NDArray[np.bytes_]
"""(rows,) SHA-256 as 32 bytes each, `S32`: half of what hex takes. Sorted as hex would be."""
_SLICE = 1 << 16


def of(frame: pd.DataFrame) -> bytes:
    """Digests of the rows, 32 bytes each, of a table whose columns have the kinds of `factory.sources`."""
    fields = [_fields(name, frame[name]) for name in sorted(frame.columns)]
    return b"".join([hashlib.sha256(_SEPARATOR.join(row)).digest() for row in zip(*fields, strict=True)])


def array(content: bytes | bytearray) -> Digests:
    """Digests one after the other as an array."""
    return np.frombuffer(content, dtype="S32") if content else np.empty(0, dtype="S32")


def hexadecimal(digests: Digests) -> bytes:
    """The digests in hex, 64 digits each, one after the other."""
    return binascii.hexlify(np.ascontiguousarray(digests).tobytes())


def texts(digests: Digests) -> list[str]:
    """The digests in hex, one by one."""
    text = hexadecimal(digests).decode()
    return [text[begin : begin + 64] for begin in range(0, len(text), 64)]


def read(values: pa.Array) -> bytes:
    """Digests out of a column of text that holds them in hex."""
    if not len(values):
        return b""
    _, offsets, content = values.cast(pa.large_string()).buffers()
    ends = np.frombuffer(offsets, dtype=np.int64)[values.offset : values.offset + len(values) + 1]
    return binascii.unhexlify(memoryview(content)[ends[0] : ends[-1]])


def strings(digests: Digests) -> pa.Array:
    """The digests in hex as a column of text."""
    offsets = np.arange(len(digests) + 1, dtype=np.int64) * 64
    content = pa.py_buffer(hexadecimal(digests))
    return pa.Array.from_buffers(pa.large_string(), len(digests), [None, pa.py_buffer(offsets), content])


def save(stream: BinaryIO, digests: Digests) -> None:
    """Write the digests in hex as `.npy`, (rows,) `S64`."""
    header = {"descr": "|S64", "fortran_order": False, "shape": digests.shape}
    np.lib.format.write_array_header_1_0(stream, header)
    for begin in range(0, len(digests), _SLICE):
        stream.write(hexadecimal(digests[begin : begin + _SLICE]))


def lines(sorted_digests: Digests) -> Iterator[bytes]:
    """Digests in hex, one a line, each line ended: the content of which the digest of a set of rows is made."""
    for begin in range(0, len(sorted_digests), _SLICE):
        text = binascii.hexlify(sorted_digests[begin : begin + _SLICE].tobytes(), b"\n", -32)
        yield text + b"\n"


def times(sorted_digests: Digests) -> npt.NDArray[np.int64]:
    """How often each different digest stands there."""
    different = np.ones(len(sorted_digests) + 1, dtype=np.bool_)
    different[1:-1] = sorted_digests[1:] != sorted_digests[:-1]
    return np.diff(np.flatnonzero(different)).astype(np.int64)


def text_of(value: object) -> str:
    """The canonical text of one value that is not missing."""
    return repr(float(value)) if isinstance(value, (float, np.floating)) else str(value)


def _fields(name: str, values: pd.Series) -> list[bytes]:
    head = _escaped(name).replace("=", "\\e")
    codes, uniques = pd.factorize(values, use_na_sentinel=True)
    encoded = [f"{head}={_escaped(text_of(value))}".encode() for value in uniques]
    encoded.append(head.encode())
    return [encoded[code] for code in codes.tolist()]  # code −1, missing, takes the last


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\x1f", "\\u")
