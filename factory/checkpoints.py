"""Weights on disk: the state to resume from after a kill, and the best weights. safetensors and JSON, never pickle.

One file holds the whole state, its JSON in the header, and it is replaced in one step: a killed process leaves the
state of one epoch, whole. Checkpoints of an epoch are not forced to the disk (a kill loses nothing by that); the
final weights are.
"""

from __future__ import annotations

import json
import os
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


def snapshot(tensors: Mapping[str, torch.Tensor]) -> Tensors:
    """Copies on the CPU that share no memory, with each other or with the model."""
    return {name: tensor.detach().to("cpu", copy=True).contiguous() for name, tensor in tensors.items()}


def state_path(place: str) -> str:
    """Where the state of a training stands, relative to the run folder."""
    return f"{place}/checkpoint.safetensors"


def save_state(folder: RunFolder, tensors: Tensors, state: Mapping[str, Any], path: str = state_path(PLACE)) -> None:
    """Replace the checkpoint.

    Args:
        folder: Run folder.
        tensors: All tensors, no two sharing memory.
        state: Plain JSON data.
        path: Where it stands, relative to the run folder.

    Raises:
        StorageError: When it cannot be written.
    """
    place = folder.at(path)
    temporary = place.with_name(f".{place.name}.{os.getpid()}")
    content = safetensors.torch.save(tensors, metadata={"state": json.dumps(state, allow_nan=False)})
    try:
        temporary.write_bytes(content)
        temporary.replace(place)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise errors.StorageError(
            f"checkpoint {path}: expected {len(content)} bytes to be written, got: {error.strerror}. "
            "Free space or make the run folder writable, then resume the run; earlier epochs are kept."
        ) from error


def load_state(folder: RunFolder, path: str = state_path(PLACE)) -> tuple[Tensors, dict[str, Any]] | None:
    """The checkpoint, or None where there is none.

    Raises:
        IntegrityError: When the file is damaged.
    """
    place = folder.at(path)
    if not place.is_file():
        return None
    try:
        with safetensors.safe_open(str(place), framework="pt", device="cpu") as opened:
            state = json.loads((opened.metadata() or {})["state"])
            return {name: opened.get_tensor(name) for name in opened.keys()}, state  # noqa: SIM118 - no mapping
    except (safetensors.SafetensorError, ValueError, KeyError) as error:
        raise errors.IntegrityError(
            f"checkpoint {path}: expected the state of a training, got a damaged file ({error}). "
            "Delete it to train from the start."
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
