"""Weights on disk, and the model that is rebuilt from them. safetensors and JSON, never pickle.

The state of a training that goes on is kept by `factory.snapshots`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import safetensors
import safetensors.torch
import torch
from torch import nn

from configs import errors
from evidence import records
from evidence.folder import RunFolder
from factory import decisions, models, ranks

PLACE = "training"
"""Folder of a training in the run folder, unless another one is named."""

Tensors = dict[str, torch.Tensor]


def save_network(folder: RunFolder, path: str, weights: Tensors, about: Mapping[str, Any]) -> None:
    """Write a network that was fitted, and what is known of it, as one file that is there whole or not at all.

    Args:
        folder: Run folder.
        path: Where it stands, relative to the run folder.
        weights: No two sharing memory.
        about: Plain JSON data.

    Raises:
        StorageError: When it cannot be written.
    """
    try:
        with folder.replacing(path) as temporary:
            safetensors.torch.save_file(weights, temporary, metadata={"about": json.dumps(about, allow_nan=False)})
    except (OSError, safetensors.SafetensorError) as error:
        raise errors.StorageError(
            f"network {path}: expected it to be written, got: {getattr(error, 'strerror', None) or error}. "
            "Free space or make the run folder writable, then resume the run; earlier ones are kept."
        ) from error


def load_network(folder: RunFolder, path: str) -> tuple[Tensors, dict[str, Any]] | None:
    """The network and what is known of it, or None where there is none.

    Raises:
        IntegrityError: When the file is damaged.
    """
    place = folder.at(path)
    if not place.is_file():
        return None
    try:
        with safetensors.safe_open(str(place), framework="pt", device="cpu") as opened:
            about = json.loads((opened.metadata() or {})["about"])
            return {name: opened.get_tensor(name) for name in opened.keys()}, about  # noqa: SIM118 - no mapping
    except (safetensors.SafetensorError, ValueError, KeyError) as error:
        raise errors.IntegrityError(
            f"network {path}: expected a fitted network, got a damaged file ({error}). Delete it to fit it again."
        ) from None


def save_weights(folder: RunFolder, weights: Tensors, place: str = PLACE) -> records.ArtifactRef:
    """Write the final weights; the same weights give the same bytes. Of several ranks the first writes."""
    path = f"{place}/model.safetensors"
    if ranks.first():
        folder.write_bytes(path, safetensors.torch.save(weights))
    ranks.wait()
    return folder.reference(path)


Trained = records.TrainingRecord | records.Variant
"""What a model can be rebuilt from."""


def restore(folder: RunFolder, training: Trained, encoded: records.EncodedData) -> nn.Module:
    """The trained network on the CPU, in evaluation mode, from the run folder alone.

    Of an ensemble, all members as one network; with a temperature, its logits are those after it.

    Raises:
        IntegrityError: When the weights were altered or do not fit the recorded architecture.
    """
    place = folder.checked(training.checkpoint)
    network = models.build(training.architecture, encoded.features)
    try:
        network.load_state_dict(safetensors.torch.load_file(place))
    except (safetensors.SafetensorError, RuntimeError) as error:
        raise errors.IntegrityError(
            f"weights {training.checkpoint.path}: expected those of the recorded architecture, got: "
            f"{str(error).splitlines()[-1].strip()} Train again into a new folder."
        ) from None
    return models.calibrated(network, training.architecture).eval()


def shipped(folder: RunFolder, training: Trained, encoded: records.EncodedData) -> models.ShippedModel:
    """The trained network with its output contract and its decision threshold, or thresholds."""
    network = restore(folder, training, encoded)
    return models.ShippedModel(network, encoded.task, *decisions.parts(training.threshold, encoded.features)).eval()
