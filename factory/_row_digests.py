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

import hashlib

import numpy as np
import numpy.typing as npt
import pandas as pd

_SEPARATOR = b"\x1f"


def of(frame: pd.DataFrame) -> npt.NDArray[np.bytes_]:
    """Digests (rows,), `S64`, of a table whose columns have the kinds of `factory.sources`."""
    fields = [_fields(name, frame[name]) for name in sorted(frame.columns)]
    digests = [hashlib.sha256(_SEPARATOR.join(row)).hexdigest() for row in zip(*fields, strict=True)]
    return np.array(digests, dtype="S64")


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
