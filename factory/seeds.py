"""Seeds for each purpose of each epoch, independent of each other."""

from __future__ import annotations

import hashlib


def seed_of(seed: int, epoch: int, purpose: str) -> int:
    """63 independent bits for each purpose of each epoch."""
    digest = hashlib.sha256(f"{seed}:{epoch}:{purpose}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1
