"""The job script of every site, and what is refused before submission."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path, PurePosixPath

import pydantic
import pytest

from configs import errors
from configs.factories import profile as profiles
from configs.modelling import Factory
from factory.slurm import request, script

GOLDEN = Path(__file__).parent / "golden"
ASKED = {
    "lumi": {"account": "project_465000001", "gpus_per_node": 8, "nodes": 2, "hours": 24},
    "leonardo": {"account": "AIFAC_001", "gpus_per_node": 4, "nodes": 2, "hours": 24},
    "marenostrum5": {"account": "ehpc001", "qos": "acc_ehpc", "gpus_per_node": 4, "nodes": 2, "hours": 48},
    "meluxina": {"account": "p200001", "qos": "default", "gpus_per_node": 4, "hours": 12},
    "karolina": {"account": "OPEN-1-1", "gpus_per_node": 2},
    "vega": {"gpus_per_node": 1},
    "deucalion": {"account": "i20250001g", "gpus_per_node": 2, "hours": 4},
    "discoverer-plus": {"qos": "ehpc-aif-2026pg01-001", "gpus_per_node": 1, "hours": 4},
    "jupiter": {"account": "jaif", "gpus_per_node": 4, "nodes": 4, "hours": 12},
    "arrhenius": {"account": "naiss2026-1-gpu", "gpus_per_node": 4, "nodes": 2, "hours": 24},
    "slurm-generic": {"partition": "gpu", "gpus_per_node": 1},
}


def rendered(site: str, **more: object) -> str:
    """The script of a typical job at a site."""
    asked = Factory.model_validate({"site": site, **ASKED[site], **more})
    return script.render(
        request.request(asked, profiles.load(site)),
        job_name="proofline-0123456789abcdef",
        run_folder=PurePosixPath("/project/runs/example"),
        code=PurePosixPath("/project/proofline"),
        site=profiles.load(site).name,
    )


@pytest.mark.parametrize("site", sorted(ASKED))
def test_the_script_of_a_site_is_the_one_in_the_repository(site):
    """A change of a profile or of the script shows as a change of a file that people can read.

    Write them anew with PROOFLINE_GOLDEN=write.
    """
    golden = GOLDEN / f"{site}.sh"
    if os.environ.get("PROOFLINE_GOLDEN") == "write":
        golden.write_text(rendered(site), encoding="utf-8")
    assert rendered(site) == golden.read_text(encoding="utf-8")


def test_every_slurm_site_has_a_golden_script():
    """None of the profiles goes without."""
    assert {p.stem for p in GOLDEN.glob("*.sh")} == {
        n for n in profiles.names() if profiles.load(n).scheduler == "slurm"
    }


@pytest.mark.parametrize("site", sorted(ASKED))
def test_the_script_is_valid_bash(site):
    """Bash itself finds no fault in it."""
    done = subprocess.run(["bash", "-n"], input=rendered(site), text=True, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_container_runs_with_the_flag_of_its_stack(tmp_path):
    """Where the plan names an image, the job runs in it, with the devices of the site's stack."""
    assert "singularity exec --rocm " in rendered("lumi", image="/project/image.sif")
    assert "apptainer exec --nv " in rendered("jupiter", image="/project/image.sif")


def test_values_cannot_write_shell(tmp_path):
    """Paths and variables are quoted, whatever they hold: nothing of them is run."""
    evil = f"/x/$(touch {tmp_path}/ran)'; touch {tmp_path}/ran; '"
    text = rendered("slurm-generic", environment={"A": evil}, python=evil, image=evil)
    body = text[text.index("export A=") : text.index("\n", text.index("export A="))]
    subprocess.run(["bash", "-c", body + '\ntest "$A" = "$1"', "bash", evil], check=True)
    line = (
        next(line for line in text.splitlines() if line.startswith("srun"))
        .removesuffix(" &")
        .replace("srun", "echo", 1)
    )
    subprocess.run(["bash", "-c", line], check=True, capture_output=True)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("field", ["account", "partition", "qos", "gpu_type"])
@pytest.mark.parametrize("value", ["a b", "a\n#SBATCH --exclusive", "a;b", "$(x)", "a'b", ""])
def test_words_of_the_scheduler_hold_no_second_word(field, value):
    """A value cannot add a line or an option to the script."""
    with pytest.raises(pydantic.ValidationError):
        Factory.model_validate({field: value})


REFUSED = {
    "no account": ("lumi", {}, "account: expected the account that LUMI-G bills, of the form project_46"),
    "no QoS": ("marenostrum5", {"account": "a"}, "qos: expected a quality of service, which MareNostrum"),
    "too many GPUs": ("leonardo", {"account": "a", "gpus_per_node": 8}, "gpus_per_node: expected at most 4"),
    "too long": ("jupiter", {"account": "a", "hours": 13}, "hours: expected at most 12, the limit of partition b"),
    "too long for the QoS": (
        "marenostrum5", {"account": "a", "qos": "acc_debug", "hours": 3}, "hours: expected at most 2, the limit of QoS",
    ),
    "too long where no partition is known": (
        "discoverer-plus", {"qos": "mine", "hours": 5}, r"hours: expected at most 4, the limit of Discoverer\+",
    ),
    "too many nodes": (
        "deucalion", {"account": "a", "partition": "dev-a100-40", "nodes": 2}, "nodes: expected at most 1, the limit",
    ),
    "memory where none is named": (
        "marenostrum5", {"account": "a", "qos": "acc_ehpc", "memory_gb": 10}, "memory_gb: expected none, because",
    ),
    "CPUs of a number of its own": (
        "marenostrum5", {"account": "a", "qos": "acc_ehpc", "cpus_per_node": 10}, "cpus_per_node: expected exactly 20",
    ),
    "a warning longer than the job": ("vega", {"hours": 0.01, "warn_seconds": 60}, "warn_seconds: expected less than"),
}  # fmt: skip


@pytest.mark.parametrize("case", sorted(REFUSED))
def test_what_a_site_cannot_give_is_refused_before_submission(case):
    """One sentence that names the field, what the site wants, and what was asked."""
    site, asked, sentence = REFUSED[case]
    with pytest.raises(errors.PlanError, match=f"^plan factory.{sentence}"):
        request.request(Factory.model_validate({"site": site, **asked}), profiles.load(site))


def test_a_limit_of_gpu_jobs_is_none_of_jobs_without():
    """The free quality of service for processors has limits of its own, which the profile does not know."""
    asked = Factory.model_validate(
        {"site": "discoverer-plus", "qos": "2cpu-single-host", "gpus_per_node": 0, "hours": 9}
    )
    assert request.request(asked, profiles.load("discoverer-plus")).minutes == 540


@pytest.mark.parametrize("site", ["jupiter", "deucalion"])
def test_what_nobody_stated_of_a_site_is_unknown(site):
    """Processors of login nodes beside GPU nodes of another kind are asked for, not guessed."""
    fact = profiles.load(site).login_architecture
    assert fact.value is None
    assert "uname" in (fact.note or "")


def test_every_site_has_a_grid_with_a_source_and_its_caveat():
    """Emissions rest on dated data; what a site buys is not what its country generates."""
    for name in profiles.names():
        profile = profiles.load(name)
        if profile.country != "–":
            fact = profile.grid_g_per_kwh
            assert fact.value is not None
            assert profile.sources[fact.source or ""].checked >= "2026-11-30"
            assert "not what the site buys" in (fact.note or "")
            assert not fact.confirmed


def test_a_place_comes_from_the_environment(monkeypatch):
    """`$NAME` keeps a place of the machine out of the plan; unset, one sentence says what to do."""
    monkeypatch.setenv("SITE_PYTHON", "/project/venv/bin/python")
    assert "srun --kill-on-bad-exit=1 /project/venv/bin/python " in rendered("vega", python="$SITE_PYTHON")
    monkeypatch.delenv("SITE_PYTHON")
    with pytest.raises(errors.MissingError, match=r"plan factory\.python: expected the variable SITE_PYTHON"):
        rendered("vega", python="$SITE_PYTHON")
