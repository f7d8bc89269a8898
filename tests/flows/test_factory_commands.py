"""`factories`, `submit`, `poll` and `collect` on the command line."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from configs import errors
from configs.law import register
from factory.slurm import states
from flows import cli
from flows.commands import check, collect, factories, poll, submit


def test_factories_lists_and_explains():
    """Every site in the list; one with its facts, sources and what nobody has stated; the same as JSON."""
    said = CliRunner().invoke(factories.command, [])
    assert said.exit_code == 0
    assert {"lumi", "leonardo", "jupiter"} <= set(said.output.split())
    shown = CliRunner().invoke(factories.command, ["show", "LUMI"])
    assert "project_46XXXXXXX" in shown.output
    assert "checked on 2026-11-22" in " ".join(shown.output.split())
    assert "Not found in any source" in shown.output
    assert json.loads(CliRunner().invoke(factories.command, ["lumi", "--json"]).output)["id"] == "lumi"


@pytest.mark.parametrize("columns", ["80", "120"])
def test_the_list_of_sites_is_whole_on_a_narrow_terminal(monkeypatch, columns):
    """What a job has to say at a site is never cut: account, QoS, hours and internet of each."""
    monkeypatch.setenv("COLUMNS", columns)
    lines = {line.split()[0]: line for line in CliRunner().invoke(factories.command, []).output.splitlines() if line}
    assert lines["site"].split()[-4:] == ["account", "QoS", "job", "net"]
    assert lines["marenostrum5"].split()[-5:] == ["required", "required", "72", "h", "no"]
    assert lines["meluxina"].split()[-5:] == ["required", "required", "144", "h", "?"]
    assert lines["discoverer-plus"].split()[-5:] == ["optional", "required", "4", "h", "?"]


PROGRESS = {
    "epoch 2 of 8, loss 0.5000": {
        "epoch": 2, "epochs": 8, "train_loss": 0.5, "validation_loss": 0.6, "best_epoch": 2,
    },
    "step 3 of 6, loss 1.25": {"what": "loss 1.25", "done": 3, "of": 6},
}  # fmt: skip


@pytest.mark.parametrize("said", PROGRESS)
def test_poll_tells_where_a_job_stands(tmp_path, monkeypatch, said):
    """Epochs of a table, steps of a language model."""
    folder = tmp_path / "runs" / "a"
    (folder / "training").mkdir(parents=True)
    (folder / "ledger.jsonl").write_text("")
    (folder / "plan.yaml").write_text("")
    job = {"name": "proofline-0", "site": "vega", "script_sha256": "0", "submitted_at": "", "job_id": "7"}
    (folder / "training/job.json").write_text(json.dumps(job))
    (folder / "training/progress.json").write_text(json.dumps(PROGRESS[said]))
    monkeypatch.setattr(states, "standing", lambda job_id, place: states.Standing("running", "squeue", "RUNNING"))
    shown = CliRunner().invoke(poll.command, ["a"], obj=tmp_path, catch_exceptions=False, standalone_mode=False)
    assert said in shown.output


def test_an_unknown_site_is_answered_with_the_list():
    """One sentence."""
    with pytest.raises(errors.PlanError, match="expected one of arrhenius"):
        CliRunner().invoke(factories.command, ["moon"], catch_exceptions=False)


def test_submit_needs_a_site_with_a_scheduler():
    """A plan for this machine has nothing to submit."""
    with pytest.raises(errors.PlanError, match=r"expected a plan whose factory\.site has a scheduler, got local"):
        CliRunner().invoke(submit.command, ["diabetes_progression"], obj=Path(), catch_exceptions=False)


def test_poll_without_a_job_says_what_to_do(tmp_path):
    """A run folder without a job, and no run at all."""
    with pytest.raises(errors.MissingError, match="expected at least one run"):
        CliRunner().invoke(poll.command, [], obj=tmp_path, catch_exceptions=False)
    folder = tmp_path / "runs" / "a"
    folder.mkdir(parents=True)
    (folder / "ledger.jsonl").write_text("")
    (folder / "plan.yaml").write_text("")
    with pytest.raises(errors.MissingError, match="expected a job that was submitted, got none"):
        CliRunner().invoke(poll.command, ["a"], obj=tmp_path, catch_exceptions=False)


@pytest.mark.parametrize(("failed", "said"), [(True, r"got none \(the last one ended without"), (False, r"got none\.")])
def test_collecting_never_submits(tmp_path, failed, said):
    """A run whose job has failed, and one that never had a job."""
    folder = tmp_path / "runs" / "a"
    (folder / ("training/jobs" if failed else "training")).mkdir(parents=True)
    (folder / "ledger.jsonl").write_text("")
    with pytest.raises(errors.MissingError, match=said):
        CliRunner().invoke(collect.command, ["a"], obj=tmp_path, catch_exceptions=False)


def test_a_plan_for_slurm_is_refused_where_there_is_none(tmp_path, monkeypatch):
    """Before anything is read or made: no commands of Slurm on the PATH."""
    plan = (cli_root() / "configs/use_cases/diabetes_progression.yaml").read_text()
    path = tmp_path / "plan.yaml"
    path.write_text(plan.replace("factory: {site: local}", "factory: {site: vega}"))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(errors.MissingError, match="Slurm: expected the commands sbatch"):
        CliRunner().invoke(submit.command, [str(path)], obj=tmp_path, catch_exceptions=False)
    assert not (tmp_path / "runs").exists() or not list((tmp_path / "runs").iterdir())


def test_check_looks_at_the_factory_too(tmp_path):
    """What the profile of a site demands is asked for without a Slurm; what it can tell holds, it says."""
    plan = (cli_root() / "configs/use_cases/diabetes_progression.yaml").read_text()
    path = tmp_path / "plan.yaml"
    path.write_text(plan.replace("factory: {site: local}", "factory: {site: lumi}"))
    with pytest.raises(errors.PlanError, match=r"factory\.account: expected the account that LUMI-G bills"):
        CliRunner().invoke(check.command, [str(path), "--no-data"], catch_exceptions=False)
    path.write_text(plan.replace("factory: {site: local}", "factory: {site: lumi, account: project_465000001}"))
    said = CliRunner().invoke(check.command, [str(path), "--no-data"], catch_exceptions=False)
    assert "factory: a job that LUMI-G gives" in said.output


def test_check_warns_of_an_old_register_of_the_law(monkeypatch):
    """What the answers point to is read from a register that nobody has looked at for too long."""
    said = CliRunner().invoke(check.command, ["diabetes_progression", "--no-data"], catch_exceptions=False)
    assert ("Warning: law register" in said.stderr) == (register.load().age_in_days(_today()) > 90)
    monkeypatch.setattr(register, "STALE_AFTER_DAYS", -1)
    said = CliRunner().invoke(check.command, ["diabetes_progression", "--no-data"], catch_exceptions=False)
    assert "Warning: law register: expected one checked within" in said.stderr


def _today() -> dt.date:
    return dt.datetime.now(dt.UTC).date()


def cli_root() -> Path:
    """The repository."""
    return Path(cli.__file__).parents[1]
