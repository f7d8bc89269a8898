"""A real Slurm for the tests of this folder, and run folders that are ready to be trained on it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from configs.plan import Plan
from evidence import records
from evidence.folder import RunFolder
from tests.conftest import ROOT
from tests.factory import builders
from tests.factory.slurm import cluster as clusters

Ready = tuple[RunFolder, Plan, records.EncodedData]


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[clusters.Cluster]:
    """Two nodes with two pretended GPUs each. Under CI it must be there; elsewhere the reason is said."""
    absent = clusters.missing()
    if absent and not os.environ.get("CI"):
        pytest.skip(f"a real Slurm: this machine lacks {', '.join(absent)} (Debian: slurm-wlm, munge; as root)")
    assert not absent, f"under CI a real Slurm is tested: {absent} are absent"
    with clusters.running(tmp_path_factory.mktemp("slurm")) as found:
        yield found


@pytest.fixture(scope="session")
def accounting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[clusters.Cluster]:
    """The same with slurmdbd on a MariaDB: jobs are accounted, and accounts are checked."""
    absent = clusters.missing(accounting=True)
    if absent and not os.environ.get("CI"):
        pytest.skip(
            f"a real slurmdbd: this machine lacks {', '.join(absent)} (Debian: slurmdbd, mariadb-server; as root)"
        )
    assert not absent, f"under CI a real slurmdbd is tested: {absent} are absent"
    with clusters.running(tmp_path_factory.mktemp("accounted"), accounting=True) as found:
        yield found


@pytest.fixture
def accounted(accounting: clusters.Cluster, monkeypatch: pytest.MonkeyPatch) -> Iterator[clusters.Cluster]:
    """The cluster with accounting, for one test."""
    yield from _alone(accounting, monkeypatch)


@pytest.fixture
def here(cluster: clusters.Cluster, monkeypatch: pytest.MonkeyPatch) -> Iterator[clusters.Cluster]:
    """The cluster without accounting, for one test."""
    yield from _alone(cluster, monkeypatch)


def _alone(cluster: clusters.Cluster, monkeypatch: pytest.MonkeyPatch) -> Iterator[clusters.Cluster]:
    """Slurm's commands speak to it, and no job is left behind."""
    for name, value in cluster.environment.items():
        monkeypatch.setenv(name, value)
    yield cluster
    cluster.ask("scancel", "--user=root")
    clusters.until(lambda: not cluster.ask("squeue", "-h"), "an empty queue", cluster.tail)


@pytest.fixture
def ready(tmp_path: Path) -> Callable[..., Ready]:
    """`ready("name", factory={…}, training={…}, model={…})`: a run folder with plan and encoded data."""

    def make(name: str = "run", **sections: dict[str, Any]) -> Ready:
        factory = {
            "site": "slurm-generic",
            "gpus_per_node": 0,
            "cpus_per_node": 1,
            "hours": 0.2,
            "python": sys.executable,
            "environment": {"PYTHONPATH": f"{ROOT}", "OMP_NUM_THREADS": "1"},
        } | sections.pop("factory", {})
        folder, encoded = builders.run_folder(tmp_path / name)
        plan = builders.plan(factory=factory, **{"model": {"width": 8, "dropout": 0.0}, **sections})
        if plan.training.loader == "stream":
            encoded = builders.with_shards(folder, plan, encoded)
        (folder.path / "plan.yaml").write_text(yaml.safe_dump(plan.model_dump(mode="json")), encoding="utf-8")
        folder.write_record("data/encoded.json", encoded)
        return folder, plan, encoded

    return make
