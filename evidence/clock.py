"""The time, always UTC and in one form."""

from __future__ import annotations

import datetime


def now() -> str:
    """UTC now, ISO 8601 with microseconds and `Z`."""
    return datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
