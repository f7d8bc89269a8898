"""What a layout is made of: the parts of a bundle that are known before it is sealed."""

from __future__ import annotations

import dataclasses

import numpy as np
import numpy.typing as npt

from configs.plan import Plan
from tef_export import manifest


@dataclasses.dataclass(frozen=True)
class Subject:
    """A model on its way to receivers."""

    plan: Plan
    bundle_id: str
    created: str
    contract: manifest.ModelContract
    model_sha256: str
    model_size: int
    """Bytes."""
    golden: dict[str, npt.NDArray[np.generic]]
    """Golden vectors by name of the tensor: the input, then the outputs."""
