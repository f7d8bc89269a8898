"""A user's own network: `package.module:function` to a torch module that has been tried once.

The function is called as `function(n_features, n_outputs, features, **options)` with the plan's options and the
feature specifications in order. It returns a `torch.nn.Module` that maps float32 `(B, n_features)` (categories as
codes, missing as NaN) to `(B, n_outputs)`: logits, or for regression the standardised target (proofline puts mean
and unit back). `factory.models.TableInput` may be used as its first layer.
"""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import nn

from configs import errors
from evidence import records
from factory.progress import Stopped

WHERE = "plan model.factory"


@contextlib.contextmanager
def guarded(path: str | None, expected: str) -> Iterator[None]:
    """Around every call of the user's code: whatever it raises becomes one sentence, with its traceback as the cause.

    Args:
        path: `package.module:function` of the plan; None where the model is proofline's own, and nothing is changed.
        expected: What the user's code should have been.

    Raises:
        PlanError: The user's code raised an exception, or tried to end the process.
    """
    if path is None:
        yield
        return
    try:
        yield
    except (errors.ProoflineError, Stopped):
        raise
    except (Exception, SystemExit) as error:
        raise errors.PlanError(
            f"{WHERE} {path}: expected {expected}, got {_named(error)}. Correct the user's module."
        ) from error


def require_state(path: str | None, expected: Mapping[str, torch.Size], network: nn.Module) -> None:
    """Check that training has changed values only: a state of other shapes cannot be loaded again.

    Args:
        path: `package.module:function` of the plan.
        expected: Name and shape of each tensor before training; see `shapes`.
        network: The network as it is now.

    Raises:
        PlanError: A tensor has another shape, is new or is gone.
    """
    found = shapes(network)
    for name in sorted(expected.keys() | found.keys()):
        if found.get(name) != expected.get(name):
            before, after = (_shape(state.get(name)) for state in (expected, found))
            raise errors.PlanError(
                f"{WHERE} {path}: expected the state {name} to keep its shape {before}, got {after} after an epoch. "
                "Fill it in place (copy_), or register it with its final shape."
            )


def shapes(network: nn.Module) -> dict[str, torch.Size]:
    """Name and shape of each tensor of a network's state."""
    return {name: value.shape for name, value in network.state_dict().items() if isinstance(value, torch.Tensor)}


def build(path: str, features: Sequence[records.FeatureSpec], outputs: int, options: Mapping[str, Any]) -> nn.Module:
    """Import the function, call it, and check what it made.

    Raises:
        PlanError: When it cannot be imported or called, or its result is no module with the expected output.
    """
    function = _function(path)
    sizes = f"{len(features)} features, {outputs} outputs"
    with guarded(path, f"a network for {sizes} and the plan's model.options"):
        network = function(len(features), outputs, tuple(features), **options)
    with guarded(path, "a module whose weights and state can be read"):
        _require_module(network, path)
    _try(network, path, features, outputs)
    return network


def _require_module(network: Any, path: str) -> None:
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


def _function(path: str) -> Callable[..., Any]:
    module_name, _, name = path.partition(":")
    with guarded(path, f"the importable module {module_name}, installed or in a folder on PYTHONPATH"):
        module = importlib.import_module(module_name)
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
    with guarded(path, f"a module that takes float32 (batch, {len(features)})"), torch.no_grad():
        made = network.eval()(rows)
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


def _named(error: BaseException) -> str:
    """Type and first line of the message of an exception."""
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0][:300]}" if lines else type(error).__name__


def _shape(size: torch.Size | None) -> str:
    return "none" if size is None else str(tuple(size))
