"""What the training runs on: the device, its precision, and how both are called. Never a host name."""

from __future__ import annotations

import contextlib
import os
import platform
import re
import sys
from pathlib import Path
from typing import Literal

import numpy as np
import safetensors
import torch

from configs import errors
from configs.modelling import Training


def device_of(wanted: Literal["auto", "cpu", "cuda"]) -> torch.device:
    """The device of the plan; `auto` is the GPU when there is one.

    Raises:
        MissingError: When a GPU is asked for and there is none.
    """
    present = torch.cuda.is_available()
    if wanted == "cuda" and not present:
        raise errors.MissingError(
            f"plan training.device: expected a GPU that torch {torch.__version__} can use, got none on this machine. "
            "Set training.device: auto, or run where there is one."
        )
    return torch.device("cuda" if present and wanted != "cpu" else "cpu")


def precision_of(wanted: Literal["auto", "fp32", "bf16"], device: torch.device) -> Literal["fp32", "bf16"]:
    """The precision of the plan; `auto` is bf16 on a GPU that has it, otherwise fp32.

    Raises:
        MissingError: When bf16 is asked for and the device does not have it.
    """
    able = device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)
    if wanted == "bf16" and not able:
        raise errors.MissingError(
            f"plan training.precision: expected a GPU with bf16, got {name_of(device)}. "
            "Set training.precision: auto, or run where there is one."
        )
    return "bf16" if able and wanted != "fp32" else "fp32"


def check(training: Training) -> None:
    """Can this machine train as the plan asks?

    Raises:
        MissingError: When it cannot.
    """
    precision_of(training.precision, device_of(training.device))


def name_of(device: torch.device) -> str:
    """Model of the GPU or of the processor, with the number of cores this process may use."""
    if device.type == "cuda":
        return str(torch.cuda.get_device_name(device))
    return f"{_processor()}, {_cores()} cores"


def free_memory() -> int | None:
    """Bytes that programs can still take without swapping, of the machine or of the job; None where nobody says."""
    found = []
    for path, form in (("/proc/meminfo", r"MemAvailable:\s+(\d+) kB"), ("/sys/fs/cgroup/memory.max", r"(\d+)$")):
        with contextlib.suppress(OSError):
            if told := re.search(form, Path(path).read_text(encoding="utf-8")):
                found.append(int(told[1]) * (1024 if "meminfo" in path else 1))
    return min(found, default=None)


def software() -> dict[str, str]:
    """Versions of what computes."""
    versions = {
        "python": platform.python_version(),
        "torch": str(torch.__version__),
        "numpy": np.__version__,
        "safetensors": str(safetensors.__version__),
    }
    if torch.cuda.is_available():
        versions["cuda"] = str(torch.version.cuda)
    return versions


def _cores() -> int:
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _processor() -> str:
    listing = Path("/proc/cpuinfo")
    if listing.is_file():
        for line in listing.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
