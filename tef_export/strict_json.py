"""Reading JSON from a stranger: no duplicate keys, no NaN, no depth or size that hurts.

`json` of the standard library takes the last of two equal keys, so two readers can see different content in one signed
file. Here such a file is refused.
"""

from __future__ import annotations

import json
import math
from typing import Any

from configs import errors


def parse(content: bytes, name: str, largest: int = 32 << 20) -> Any:
    """Parse a JSON document.

    Args:
        content: UTF-8 bytes, without byte order mark.
        name: How to call it in an error.
        largest: Most bytes that are read.

    Raises:
        VerificationError: It is too large, no JSON, too deep, or says something twice.
    """
    if len(content) > largest:
        raise errors.VerificationError(f"{name}: expected at most {largest} bytes, got {len(content)}. Do not use it.")
    try:
        return json.loads(
            content.decode("utf-8"),
            object_pairs_hook=_without_duplicates,
            parse_constant=_refuse_constant,
            parse_float=_finite,
        )
    except UnicodeDecodeError as error:
        problem = f"a byte that is no UTF-8 at {error.start}"
    except RecursionError:
        problem = "nesting that is too deep"
    except ValueError as error:
        problem = str(error).split("\n", 1)[0]
    raise errors.VerificationError(f"{name}: expected plain JSON, got: {problem}. Do not use it.")


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"the key '{key[:40]}' twice in one object")
        found[key] = value
    return found


def _refuse_constant(text: str) -> Any:
    raise ValueError(f"the number {text}")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"the number {text[:40]}, which is too large")
    return value
