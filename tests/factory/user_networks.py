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


class _Raises(nn.Module):
    """Works when it is tried; raises in training, or as soon as the batch is another than the first one's."""

    def __init__(self, network, error):
        super().__init__()
        self.network = network
        self.error = error

    def forward(self, x):
        if self.training:
            raise self.error
        return self.network(x)


def raises_in_training(n_features, n_outputs, features, error="ZeroDivisionError"):
    """Fails only when it is trained."""
    kinds = {kind.__name__: kind for kind in (ZeroDivisionError, AttributeError, SystemExit, KeyboardInterrupt)}
    return _Raises(linear(n_features, n_outputs, features), kinds[error]("the user's own words"))


def raises(n_features, n_outputs, features, error="RuntimeError"):
    """Fails when it is called."""
    if error == "RecursionError":
        return raises(n_features, n_outputs, features, error)
    kinds = (RuntimeError, AssertionError, ZeroDivisionError, AttributeError, SystemExit, KeyboardInterrupt, OSError)
    raise {kind.__name__: kind for kind in kinds}[error]("the user's own words\nand more of them")


class _BufferGrows(nn.Module):
    def __init__(self, network):
        super().__init__()
        self.network = network
        self.register_buffer("seen", torch.zeros(1))

    def forward(self, x):
        if self.training:
            self.seen = torch.zeros(len(x))
        return self.network(x)


def buffer_grows(n_features, n_outputs, features):
    """Replaces a buffer by one of another shape in training."""
    return _BufferGrows(linear(n_features, n_outputs, features))


class _AcrossRows(nn.Module):
    def __init__(self, network, kind):
        super().__init__()
        self.network = network
        self.kind = kind

    def forward(self, x):
        out = self.network(x)
        if self.kind == "mean":
            return out - out.mean(0)
        if self.kind == "softmax":
            return out + torch.softmax(out, 0)
        return out + torch.cumsum(out, 0)


def across_rows(n_features, n_outputs, features, kind="mean"):
    """A row's answer depends on the other rows of its batch."""
    return _AcrossRows(linear(n_features, n_outputs, features), kind)
