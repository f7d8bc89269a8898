import sys

import pytest
import yaml

from configs.language.plan import LanguagePlan
from evidence.folder import RunFolder
from factory import launchers
from factory.slurm import jobs
from tests.conftest import ROOT
from tests.factory.language import builders as language

pytestmark = pytest.mark.slow


@pytest.fixture
def ready(tmp_path):
    """A run folder with the tokens of a language model, to be trained by a job of two ranks."""
    folder = RunFolder(tmp_path / "run")
    factory = {
        "site": "slurm-generic",
        "gpus_per_node": 0,
        "cpus_per_node": 1,
        "nodes": 2,
        "hours": 0.2,
        "python": sys.executable,
        "environment": {"PYTHONPATH": f"{ROOT}", "OMP_NUM_THREADS": "1"},
    }
    plan = language.plan(factory=factory, training={"steps": 6, "evaluate_every": 3})
    tokens = language.tokenised(folder, plan)
    folder.write_record("data/tokens.json", tokens)
    (folder.path / "plan.yaml").write_text(yaml.safe_dump(plan.model_dump(mode="json", exclude_unset=True)))
    return folder, plan, tokens


def test_a_language_model_is_trained_by_a_job_of_two_nodes(here, ready):
    """The launcher submits, follows steps and brings the record back, with the job and what it cost."""
    folder, plan, tokens = ready
    assert isinstance(plan, LanguagePlan)
    seen: list[tuple[int, int]] = []
    said: list[str] = []
    launcher = launchers.launcher_for(plan.factory)
    record = launcher.train_language(
        folder, plan, tokens, folder.path, progress=lambda what, done, of: seen.append((done, of)), say=said.append
    )
    assert record.steps == 6
    assert record.parallel.startswith("ddp, 2 ranks")
    assert record.job is not None
    assert record.job.job_id in said[0]
    assert jobs.load(folder) is not None
    assert any("step 6/6" in line for line in said)
    assert seen[-1] == (6, 6)
