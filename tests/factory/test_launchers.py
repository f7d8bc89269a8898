from __future__ import annotations

import pytest

from configs import errors
from configs.modelling import Factory
from tests.factory import builders


def test_an_unknown_site_names_the_known_ones():
    """A site that no launcher serves is refused with the list of those that are."""
    from factory import launchers

    with pytest.raises(errors.PlanError, match=r"expected one of arrhenius, .*got another"):
        launchers.launcher_for(Factory(site="moon"))


def test_the_local_launcher_trains_here(tmp_path):
    """The local launcher brings back the record of a training in this process."""
    from factory import launchers

    folder, encoded = builders.run_folder(tmp_path / "run")
    plan = builders.plan(training={"epochs": 1}, model={"width": 8})
    seen = []
    record = launchers.launcher_for(plan.factory).train(folder, plan, encoded, seen.append)
    assert record.epochs == 1
    assert [now.epoch for now in seen] == [1]
    assert folder.checked(record.checkpoint).is_file()
