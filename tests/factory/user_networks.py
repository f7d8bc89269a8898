"""Networks as a user might bring them: one that works, and each common mistake."""

from __future__ import annotations

import torch
from torch import nn

from factory import models

NOT_A_FUNCTION = 3


def linear(n_features, n_outputs, features, hidden=16):
    """A small network of the user's own that works."""
    first = models.TableInput(features, 2)
    return nn.Sequential(first, nn.Linear(first.width, hidden), nn.Tanh(), nn.Linear(hidden, n_outputs))


def normalised(n_features, n_outputs, features):
    """A network with batch normalisation, whose statistics are buffers."""
    first = models.TableInput(features, 2)
    return nn.Sequential(first, nn.BatchNorm1d(first.width), nn.Linear(first.width, n_outputs))


def no_module(n_features, n_outputs, features):
    """No module."""
    return "a string"


def no_weights(n_features, n_outputs, features):
    """Nothing to train."""
    return nn.Flatten()


def one_output_too_many(n_features, n_outputs, features):
    """Wrong number of outputs."""
    return linear(n_features, n_outputs + 1, features)


def wrong_width(n_features, n_outputs, features):
    """Takes more features than there are."""
    return nn.Linear(n_features + 1, n_outputs)


def passes_nan_on(n_features, n_outputs, features):
    """Does not impute."""
    return nn.Linear(n_features, n_outputs)


class _BranchesOnValues(nn.Module):
    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, x):
        return self.network(x) if torch.nan_to_num(x).sum() > 0 else -self.network(x)


def branches_on_values(n_features, n_outputs, features):
    """Cannot be traced."""
    return _BranchesOnValues(linear(n_features, n_outputs, features))


class _LooksAtTheBatch(nn.Module):
    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, x):
        return self.network(x) + torch.rand(x.shape[0], 1) * torch.tensor([0.0, 1.0])


def draws_at_random(n_features, n_outputs, features):
    """Its outputs depend on chance."""
    return _LooksAtTheBatch(linear(n_features, n_outputs, features))
