from __future__ import annotations

import dataclasses
import json

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


def test_progress_of_a_job_is_told_once(tmp_path):
    """What a job has written is told when it is news, however often it is looked at; a file half-seen is no news."""
    from factory.progress import Progress
    from factory.slurm import launcher

    place, told, before = tmp_path / "progress.json", [], None
    first = Progress(1, 9, 100.0, 1.0, 0.5, 0.6, 1, 8.0)
    second = dataclasses.replace(first, epoch=2)
    contents = [json.dumps(dataclasses.asdict(first))] * 3 + ["", '{"epoch": 2'] + [json.dumps(vars(second))] * 2
    assert launcher._report(place, told.append, before) is None
    for content in contents:
        place.write_text(content)
        before = launcher._report(place, told.append, before)
    assert told == [dataclasses.asdict(first), dataclasses.asdict(second)]


@pytest.mark.parametrize(
    ("section", "warned"),
    [
        ({"site": "slurm-generic", "gpus_per_node": 2}, True),
        ({"site": "slurm-generic", "gpus_per_node": 0}, False),
        ({"site": "local"}, False),
    ],
)
def test_gpus_that_torch_cannot_use_are_not_passed_over_in_silence(caplog, monkeypatch, section, warned):
    """A job that asked for GPUs and has a torch without them says so: its hours are paid for."""
    import torch

    from factory import job

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    job._say_without_gpu(builders.plan(factory=section))
    assert ("2 GPUs of this node were asked for" in caplog.text) == warned
