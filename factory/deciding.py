"""From a trained network to a decision, on the validation part: first the temperature, then the threshold."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from configs.plan import Plan
from evidence import arrays, records
from evidence.mitigation_records import CalibrationRecord
from factory import models, temperature, threshold

BATCH = 8192
"""Rows per forward pass where no gradient is needed."""
UNCALIBRATED = "uncalibrated"
"""Name of the variant without the temperature."""


@dataclasses.dataclass(frozen=True)
class Decided:
    """How the network's logits become probabilities and labels."""

    architecture: dict[str, Any]
    """The network's, with the temperature where there is one."""
    calibration: CalibrationRecord | None
    threshold: records.DecisionThreshold | None
    uses: tuple[records.DataUse, ...]
    plain: tuple[dict[str, Any], records.DecisionThreshold | None]
    """Architecture and threshold without the temperature."""

    def variants(self, checkpoint: records.ArtifactRef) -> dict[str, records.Variant]:
        """The model without its temperature, where it has one."""
        if self.calibration is None:
            return {}
        architecture, cut = self.plain
        return {UNCALIBRATED: records.Variant(checkpoint=checkpoint, architecture=architecture, threshold=cut)}


def decide(
    network: nn.Module,
    architecture: dict[str, Any],
    plan: Plan,
    encoded: records.EncodedData,
    validation: arrays.Part,
) -> Decided:
    """Fit the temperature where the plan asks for it, and choose the threshold after it.

    Args:
        network: On the CPU, in evaluation mode.
        architecture: Its architecture, without a temperature.
        plan: The plan.
        encoded: The encoded data.
        validation: The validation part.

    Raises:
        DataError: The threshold cannot be chosen on these rows.
    """
    network.eval()
    uses = []
    calibration, cut = None, _threshold(network, plan, encoded, validation)
    plain = (architecture, cut)
    if plan.training.calibration == "temperature":
        calibration = temperature.fit(outputs(network, validation.x), validation.y.astype(np.int64))
        architecture = {**architecture, "temperature": calibration.temperature}
        cut = _threshold(models.calibrated(network, architecture), plan, encoded, validation)
        uses.append(validation.use("temperature"))
    if cut and cut.chosen_on:
        uses.append(validation.use("threshold"))
    return Decided(architecture, calibration, cut, tuple(uses), plain)


def positive_scores(model: models.ShippedModel, x: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Probabilities of the positive class (rows,), as the graph gives them."""
    with torch.inference_mode():
        found: npt.NDArray[np.float32] = torch.cat(
            [model(p)[1][:, 1] for p in torch.from_numpy(x).split(BATCH)]
        ).numpy()
    return found


def _threshold(
    network: nn.Module, plan: Plan, encoded: records.EncodedData, validation: arrays.Part
) -> records.DecisionThreshold | None:
    if encoded.task != "binary":
        return None
    scores = positive_scores(models.ShippedModel(network, encoded.task).eval(), validation.x)
    return threshold.choose(plan.training.threshold, scores, validation.y.astype(np.int64))


def outputs(network: nn.Module, x: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """Logits (rows, classes) of a network on the CPU in evaluation mode."""
    with torch.inference_mode():
        parts = [network(part).to(torch.float32) for part in torch.from_numpy(x).split(BATCH)]
        found: npt.NDArray[np.float64] = torch.cat(parts).numpy().astype(np.float64)
    return found
