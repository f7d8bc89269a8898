"""The same numbers every time: seeded generators and deterministic operators."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

import torch

from factory.seeds import seed_of


def reseed(seed: int, device: torch.device) -> None:
    """As `torch.manual_seed`, for this device only; that one walks the stack for every other kind of device."""
    torch.default_generator.manual_seed(seed)
    if device.type == "cuda":
        torch.cuda.default_generators[torch.cuda.current_device()].manual_seed(seed)


@contextlib.contextmanager
def reproducible(seed: int, device: torch.device) -> Iterator[None]:
    """Seeded generators and deterministic operators inside; the caller's own afterwards."""
    before = torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled()
    fill = torch.utils.deterministic.fill_uninitialized_memory
    devices = [torch.cuda.current_device()] if device.type == "cuda" else []
    if devices:
        # cuBLAS reads this when it starts; without it its sums may differ from run to run.
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    with torch.random.fork_rng(devices=devices):
        reseed(seed_of(seed, 0, "weights"), device)
        torch.use_deterministic_algorithms(mode=True, warn_only=True)
        torch.utils.deterministic.fill_uninitialized_memory = False
        try:
            yield
        finally:
            torch.use_deterministic_algorithms(mode=before[0], warn_only=before[1])
            torch.utils.deterministic.fill_uninitialized_memory = fill
