"""A user's own network: `package.module:function` to a torch module that has been tried once.

The function is called as `function(n_features, n_outputs, features, **options)` with the plan's options and the
feature specifications in order. It returns a `torch.nn.Module` that maps float32 `(B, n_features)` (categories as
codes, missing as NaN) to `(B, n_outputs)`: logits, or for regression the standardised target (proofline puts mean
and unit back). `factory.models.TableInput` may be used as its first layer.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import nn

from configs import errors
from evidence import records

WHERE = "plan model.factory"


def build(path: str, features: Sequence[records.FeatureSpec], outputs: int, options: Mapping[str, Any]) -> nn.Module:
    """Import the function, call it, and check what it made.

    Raises:
        PlanError: When it cannot be imported or called, or its result is no module with the expected output.
    """
    function = _function(path)
    try:
        network = function(len(features), outputs, tuple(features), **options)
    except (TypeError, ValueError, KeyError) as error:
        raise errors.PlanError(
            f"{WHERE} {path}: expected a network for {len(features)} features, {outputs} outputs and the plan's "
            f"model.options, got {type(error).__name__}: {error}. Correct the function, or model.options."
        ) from error
    if not isinstance(network, nn.Module):
        raise errors.PlanError(
            f"{WHERE} {path}: expected a torch.nn.Module, got {type(network).__name__}. Return the module itself."
        )
    if not any(p.requires_grad for p in network.parameters()):
        raise errors.PlanError(f"{WHERE} {path}: expected weights to train, got none. Give the module parameters.")
    if not all(isinstance(value, torch.Tensor) for value in network.state_dict().values()):
        raise errors.PlanError(
            f"{WHERE} {path}: expected a state of tensors only, got extra state. Keep it in buffers of the module."
        )
    _try(network, path, features, outputs)
    return network


def _function(path: str) -> Callable[..., Any]:
    module_name, _, name = path.partition(":")
    try:
        module = importlib.import_module(module_name)
    except (ImportError, SyntaxError) as error:
        raise errors.PlanError(
            f"{WHERE} {path}: expected the importable module {module_name}, got {type(error).__name__}: {error}. "
            "Install it, or put its folder on PYTHONPATH."
        ) from error
    function = getattr(module, name, None)
    if not callable(function):
        found = "no such name" if function is None else f"a {type(function).__name__}"
        raise errors.PlanError(
            f"{WHERE} {path}: expected the function {name} in {module_name}, got {found}. Correct the name."
        )
    checked: Callable[..., Any] = function
    return checked


def _try(network: nn.Module, path: str, features: Sequence[records.FeatureSpec], outputs: int) -> None:
    """Run three rows, one of them with every value missing."""
    rows = torch.zeros(3, len(features))
    rows[2] = torch.nan
    was_training = network.training
    try:
        with torch.no_grad():
            made = network.eval()(rows)
    except (RuntimeError, TypeError, ValueError, IndexError, NotImplementedError) as error:
        raise errors.PlanError(
            f"{WHERE} {path}: expected a module that takes float32 (batch, {len(features)}), got "
            f"{type(error).__name__}: {str(error).splitlines()[0]}. Correct its forward."
        ) from error
    network.train(was_training)
    if not isinstance(made, torch.Tensor) or tuple(made.shape) != (3, outputs):
        got = tuple(made.shape) if isinstance(made, torch.Tensor) else type(made).__name__
        raise errors.PlanError(
            f"{WHERE} {path}: expected an output of shape (3, {outputs}) for 3 rows, got {got}. Correct its forward."
        )
    if not made.is_floating_point() or not torch.isfinite(made).all():
        raise errors.PlanError(
            f"{WHERE} {path}: expected finite floating-point outputs also where inputs are missing (NaN), got "
            "others. Impute inside the module, for example with factory.models.TableInput."
        )
