"""A user's own network that takes its time: jobs long enough to be disturbed."""

from __future__ import annotations

import time

from torch import nn

from tests.factory import user_networks


class Slow(nn.Module):
    """A small network whose training passes wait."""

    def __init__(self, inner: nn.Module, seconds: float) -> None:
        super().__init__()
        self.inner = inner
        self.seconds = seconds

    def forward(self, x):
        """Wait, then pass on."""
        if self.training:
            time.sleep(self.seconds)
        return self.inner(x)


def build(n_features, n_outputs, features, seconds=0.1):
    """A linear network that waits `seconds` in every training pass."""
    return Slow(user_networks.linear(n_features, n_outputs, features), seconds)
