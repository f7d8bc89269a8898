"""Energy by the machine's counters, epoch by epoch."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from evidence import records
from factory import accounting, meter, trainer
from tests.factory import builders


def zone(place: Path, number: int, name: str = "package-0", microjoules: int = 0) -> Path:
    """A RAPL zone as Linux shows it."""
    found = place / f"intel-rapl:{number}"
    found.mkdir(parents=True)
    (found / "name").write_text(f"{name}\n")
    (found / "max_energy_range_uj").write_text("10000000\n")
    (found / "energy_uj").write_text(f"{microjoules}\n")
    return found


def test_packages_are_summed_and_a_full_counter_starts_anew(tmp_path):
    """Two packages used 3 J and, over the end of its range of 10 J, 4 J. Parts of packages are not counted twice."""
    zones = [zone(tmp_path, 0, microjoules=1_000_000), zone(tmp_path, 1, microjoules=8_000_000)]
    zone(tmp_path, 2, name="psys", microjoules=5)
    found = meter.of(torch.device("cpu"), tmp_path)
    before = found.start()
    zones[0].joinpath("energy_uj").write_text("4000000")
    zones[1].joinpath("energy_uj").write_text("2000000")
    assert found.since(before) == pytest.approx(7.0)
    assert "2 processor packages" in found.method
    assert found.boundary.startswith("node")


@pytest.mark.parametrize("spoil", ["absent", "unreadable", "no number"])
def test_without_counters_energy_is_unmeasured(tmp_path, spoil):
    """No zone, none that may be read, or nonsense: no figure, and the reason."""
    if spoil == "unreadable":
        (zone(tmp_path, 0) / "energy_uj").unlink()
    elif spoil == "no number":
        (zone(tmp_path, 0) / "energy_uj").write_text("much")
    found = meter.of(torch.device("cpu"), tmp_path)
    assert found.since(found.start()) is None
    told = meter.quantity((), found)
    assert told.value is None
    assert told.method == "unmeasured: no energy counter of the processor (RAPL) could be read"


def amd(monkeypatch, counts, key="energy_accumulator"):
    """AMD SMI as it answers for devices whose counters stand at `counts`, in steps of 15.3 microjoules."""
    monkeypatch.setattr(torch.version, "hip", "7.0")
    monkeypatch.setattr(torch.cuda, "device_count", lambda: len(counts))
    monkeypatch.setattr(torch.cuda, "_get_amdsmi_handler", lambda index: index)
    library = SimpleNamespace(
        amdsmi_init=lambda: None,
        amdsmi_get_energy_count=lambda handle: {key: counts[handle], "counter_resolution": 15.3, "timestamp": 1},
    )
    monkeypatch.setitem(sys.modules, "amdsmi", library)


@pytest.mark.parametrize("key", ["energy_accumulator", "power"])
def test_counters_of_amd_count_each_module_once(monkeypatch, key):
    """Of the two dies of a module one has the counter: two modules used 306 J, whatever the name of the count."""
    counts = [1_000_000, 0, 2_000_000, 0]
    amd(monkeypatch, counts, key)
    found = meter.of(torch.device("cuda"))
    before = found.start()
    counts[0] += 10_000_000
    counts[2] += 10_000_000
    assert found.since(before) == pytest.approx(306.0)
    assert "2 of 4 devices" in found.method
    assert found.boundary.startswith("device")


def test_a_device_of_amd_without_a_counter_has_no_energy(monkeypatch):
    """Nothing but the second die of a module, and a machine without AMD SMI: unmeasured, never 0 J."""
    amd(monkeypatch, [0])
    alone = meter.of(torch.device("cuda"))
    assert alone.since(alone.start()) is None
    assert "no energy counter for any of the 1 devices" in alone.method
    monkeypatch.setitem(sys.modules, "amdsmi", None)
    absent = meter.of(torch.device("cuda"))
    assert absent.since(absent.start()) is None
    assert "could not be read" in absent.method


def test_epochs_add_up_and_a_hole_is_no_figure():
    """Epochs before and after a resume count once each; one without a figure leaves none."""

    def point(epoch: int, joules: float | None) -> records.EpochPoint:
        return records.EpochPoint(
            epoch=epoch, train_loss=1, validation_loss=1, learning_rate=1, seconds=1, joules=joules
        )

    found = meter.Meter((meter.Counter(lambda: 0.0),), "counters", "node")
    assert meter.quantity((point(1, 2.0), point(2, 3.0)), found).value == pytest.approx(5.0)
    holed = meter.quantity((point(1, 2.0), point(2, None)), found)
    assert holed.value is None
    assert "1 of 2 epochs" in holed.method


def test_a_training_measures_each_epoch(tmp_path, monkeypatch):
    """With a counter that rises by 5 J at each look, every epoch has 5 J and the record their sum."""
    looks = iter(range(0, 1000, 5))
    counted = meter.Meter((meter.Counter(lambda: float(next(looks))),), "a counter", "node")
    monkeypatch.setattr(meter, "of", lambda device: counted)
    folder, encoded = builders.run_folder(tmp_path / "run")
    record = trainer.train(folder, builders.plan(training={"epochs": 3}, model={"width": 8}), encoded)
    assert [p.joules for p in record.curve] == [5.0, 5.0, 5.0]
    assert record.energy.value == pytest.approx(15.0)


def test_three_ways_to_count_arithmetic_agree_in_size(tmp_path):
    """Formula and count are within half of each other for a dense network, and below what the device could do."""
    folder, encoded = builders.run_folder(tmp_path / "run")
    plan = builders.plan(training={"epochs": 2}, model={"width": 64, "blocks": 2})
    record = trainer.train(folder, plan, encoded)
    formula, most = (q.value for q in record.flops_otherwise)
    assert record.flops.value is not None
    assert formula is not None
    assert most is not None
    assert 0.5 < formula / record.flops.value < 2.0
    assert most > record.flops.value


def test_the_peak_is_that_of_a_real_product():
    """More than a scalar loop could do, and finite."""
    assert 1e8 < accounting.measured_peak(torch.device("cpu"), "fp32") < 1e15
