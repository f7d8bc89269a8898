"""Energy by the machine's counters, epoch by epoch."""

from __future__ import annotations

from pathlib import Path

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
