"""Energy counters of this machine, read around every epoch: GPUs by NVML or AMD SMI, processors by RAPL.

Only counters are read, never a share of somebody else's: those of the GPUs that this job was given, RAPL of the whole
processor packages. What the counters cover is the boundary of the figure; a counter that cannot be read is a reason.
One process of a node reads (see `factory.ranks`), so that nothing counts twice.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable
from pathlib import Path

import torch

from evidence import records
from factory import ranks

RAPL = Path("/sys/class/powercap")
Reader = Callable[[], float]
"""Joules since some moment; never falls, but for a counter that starts anew at its range."""


@dataclasses.dataclass(frozen=True)
class Counter:
    """One hardware counter."""

    read: Reader
    range_joules: float | None = None
    """Where it starts anew; None where it does not."""


@dataclasses.dataclass(frozen=True)
class Meter:
    """The counters that cover this training, and in words what they cover."""

    counters: tuple[Counter, ...]
    method: str
    boundary: str

    def start(self) -> tuple[float, ...]:
        """What the counters say now."""
        return tuple(counter.read() for counter in self.counters)

    def since(self, before: tuple[float, ...]) -> float | None:
        """Joules since `start`, summed over the counters; None without counters.

        A counter that has fallen has started anew once: an epoch is shorter than its range lasts.
        """
        if not self.counters:
            return None
        total = 0.0
        for counter, earlier in zip(self.counters, before, strict=True):
            used = counter.read() - earlier
            total += used if used >= 0 or counter.range_joules is None else used + counter.range_joules
        return total

    def everywhere(self, before: tuple[float, ...], device: torch.device) -> float | None:
        """Joules since `start` over all nodes; None where one of them cannot measure it. Every rank calls this."""
        used = self.since(before)
        silent = ranks.first_of_node() and used is None
        if ranks.total(float(silent), device):
            return None
        return ranks.total(used or 0.0, device)


def of(device: torch.device, rapl: Path = RAPL) -> Meter:
    """The meter of a training on a device; without counters on all ranks of a node but the first."""
    if not ranks.first_of_node():
        return Meter((), "read by the first process of the node", "")
    return _of_gpus() if device.type == "cuda" else _of_packages(rapl)


def quantity(curve: tuple[records.EpochPoint, ...], meter: Meter) -> records.Quantity:
    """Energy of all epochs, resumed ones included, each measured once."""
    told = [point.joules for point in curve if point.joules is not None]
    if not told or len(told) < len(curve):
        missing = len(curve) - len(told)
        why = meter.method if not told else f"{missing} of {len(curve)} epochs ran where no counter could be read"
        return records.Quantity(value=None, unit="J", method=f"unmeasured: {why}", boundary=meter.boundary or "process")
    return records.Quantity(value=sum(told), unit="J", method=meter.method, boundary=meter.boundary)


OF_GPUS = "device: the GPUs of the job, without processors, memory, network and cooling"


def _of_gpus() -> Meter:
    """The GPUs that torch sees, which are those of the job: all ranks of the node together."""
    return _by_amd_smi() if torch.version.hip else _by_nvml()


def _by_nvml() -> Meter:
    try:
        import pynvml  # noqa: PLC0415 - only where there is a GPU

        pynvml.nvmlInit()
        counters = []
        for index in range(torch.cuda.device_count()):
            handle = pynvml.nvmlDeviceGetHandleByUUID(f"GPU-{torch.cuda.get_device_properties(index).uuid}")
            pynvml.nvmlDeviceGetTotalEnergyConsumption(handle)
            counters.append(Counter(_of_handle(pynvml, handle)))
        return Meter(tuple(counters), f"NVML's energy counters of {len(counters)} GPUs, summed over epochs", OF_GPUS)
    except Exception as error:
        return Meter((), f"NVML's energy counter could not be read ({type(error).__name__})", OF_GPUS)


def _by_amd_smi() -> Meter:
    """A module of two dies, which are two devices, has one counter: the other die has none, and shows 0."""
    try:
        import amdsmi  # type: ignore[import-not-found]  # noqa: PLC0415 - comes with ROCm

        amdsmi.amdsmi_init()
        devices = torch.cuda.device_count()
        readers = [
            _of_amd_handle(amdsmi, torch.cuda._get_amdsmi_handler(index))  # type: ignore[attr-defined]
            for index in range(devices)
        ]
        counters = tuple(Counter(read) for read in readers if read() > 0)
        if not counters:
            return Meter((), f"AMD SMI has no energy counter for any of the {devices} devices of the job", OF_GPUS)
        named = f"AMD SMI's energy counters of {len(counters)} of {devices} devices, summed over epochs"
        return Meter(counters, named, f"{OF_GPUS}; a counter covers its whole module")
    except Exception as error:
        return Meter((), f"AMD SMI's energy counter could not be read ({type(error).__name__})", OF_GPUS)


def _of_amd_handle(library: object, handle: object) -> Reader:
    def read() -> float:
        told = library.amdsmi_get_energy_count(handle)  # type: ignore[attr-defined]
        # The count was called `power` before ROCm 6.2; the resolution is in microjoules.
        return float(told.get("energy_accumulator", told.get("power"))) * float(told["counter_resolution"]) / 1e6

    return read


def _of_handle(library: object, handle: object) -> Reader:
    def read() -> float:
        return float(library.nvmlDeviceGetTotalEnergyConsumption(handle)) / 1000  # type: ignore[attr-defined]

    return read


def _of_packages(rapl: Path) -> Meter:
    """The processor packages of this node."""
    boundary = "node: whole processor packages, other programs on them included; without memory, network and cooling"
    counters = []
    for zone in sorted(rapl.glob("intel-rapl:*")) if rapl.is_dir() else ():
        with contextlib.suppress(OSError, ValueError):
            if not (zone / "name").read_text(encoding="utf-8").startswith("package"):
                continue
            limit = int((zone / "max_energy_range_uj").read_text(encoding="utf-8")) / 1e6
            counter = Counter(_of_zone(zone), limit)
            counter.read()
            counters.append(counter)
    if not counters:
        return Meter((), "no energy counter of the processor (RAPL) could be read", boundary)
    return Meter(tuple(counters), f"RAPL counters of {len(counters)} processor packages, summed over epochs", boundary)


def _of_zone(zone: Path) -> Reader:
    def read() -> float:
        return int((zone / "energy_uj").read_text(encoding="utf-8")) / 1e6

    return read
