"""A real Slurm on this machine: one controller, two nodes with two pretended GPUs each, no systemd, no container.

Needs Debian's `slurm-wlm` and `munge`, and root. Everything listens on loopback and lives in one folder.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

PROGRAMS = ("slurmctld", "slurmd", "munged", "sbatch", "squeue", "scontrol")

CONFIGURATION = """\
ClusterName=mini
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={port}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={base}/run/munge.sock,cred_expire=5
CredType=cred/munge
SlurmctldPidFile={base}/run/slurmctld.pid
SlurmdPidFile={base}/run/slurmd-%n.pid
SlurmdSpoolDir={base}/spool/%n
StateSaveLocation={base}/state
SlurmctldLogFile={base}/log/slurmctld.log
SlurmdLogFile={base}/log/slurmd-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerType=sched/backfill
SchedulerParameters=bf_interval=1,sched_interval=1,sched_min_interval=0,batch_sched_delay=0
MpiDefault=none
ReturnToService=2
SlurmdParameters=config_overrides
KillWait=2
MinJobAge=600
JobRequeue=1
GresTypes=gpu
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
SlurmctldParameters=preempt_send_user_signal
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=5
JobCompType=jobcomp/none
AccountingStorageType=accounting_storage/none
NodeName=gpu[1-2] NodeHostname={host} NodeAddr=127.0.0.1 Port=[{first}-{second}] CPUs=4 RealMemory=4000 Gres=gpu:a100:2
PartitionName=gpu  Nodes=ALL Default=YES MaxTime=2:00:00 DefaultTime=10 PriorityTier=1 PreemptMode=REQUEUE GraceTime=10
PartitionName=prio Nodes=ALL MaxTime=10 State=UP PriorityTier=10 PreemptMode=OFF
"""


class Cluster:
    """A running cluster; `environment` makes Slurm's commands speak to it."""

    def __init__(self, base: Path) -> None:
        self.base = base
        self.environment = {"SLURM_CONF": str(base / "slurm.conf")}
        self._daemons: dict[str, subprocess.Popen[bytes]] = {}

    def start(self) -> None:
        """Write the configuration and start all daemons; returns when both nodes are idle."""
        for name in ("run", "state", "log", "spool/gpu1", "spool/gpu2", "fake"):
            (self.base / name).mkdir(parents=True)
        for index in (0, 1):
            os.mknod(self.base / f"fake/gpu{index}", 0o600 | 0o020000, os.makedev(1, 3))
        key = self.base / "run/munge.key"
        key.write_bytes(os.urandom(1024))
        key.chmod(0o400)
        ports = _free_ports(3)
        configuration = CONFIGURATION.format(
            host=socket.gethostname().split(".")[0], base=self.base, port=ports[0], first=ports[1], second=ports[1] + 1
        )
        (self.base / "slurm.conf").write_text(configuration)
        devices = f"{self.base}/fake/gpu[0-1]"
        (self.base / "gres.conf").write_text(f"NodeName=gpu[1-2] Name=gpu Type=a100 File={devices}\n")
        (self.base / "cgroup.conf").write_text("CgroupPlugin=cgroup/v1\n")
        run = self.base / "run"
        self._start(
            "munged", "munged", "--foreground", "--force", f"--key-file={key}", f"--socket={run}/munge.sock",
            f"--pid-file={run}/munged.pid", f"--log-file={self.base}/log/munged.log", f"--seed-file={run}/munge.seed",
        )  # fmt: skip
        until((run / "munge.sock").exists, "munged")
        self.start_controller()
        for node in ("gpu1", "gpu2"):
            self._start(node, "slurmd", "-D", "-N", node)
        until(lambda: self.ask("sinfo", "-h", "-o", "%T %D").split() == ["idle", "2"], "both nodes", self.tail)

    def start_controller(self) -> None:
        """Start slurmctld, also after it was stopped."""
        self._start("slurmctld", "slurmctld", "-D")
        until(lambda: "UP" in self.ask("scontrol", "ping"), "slurmctld", self.tail)

    def stop_controller(self) -> None:
        """Kill slurmctld: jobs go on, commands get no answer."""
        self._daemons["slurmctld"].kill()
        self._daemons["slurmctld"].wait()

    def ask(self, *words: str) -> str:
        """Output of one of Slurm's commands, empty where it failed."""
        done = subprocess.run(
            words, capture_output=True, text=True, check=False, timeout=30, env={**os.environ, **self.environment}
        )
        return done.stdout if done.returncode == 0 else ""

    def stop(self) -> None:
        """End all jobs and daemons."""
        self.ask("scancel", "--user=root")
        for name in reversed(list(self._daemons)):
            self._daemons[name].terminate()
        for daemon in self._daemons.values():
            with contextlib.suppress(subprocess.TimeoutExpired):
                daemon.wait(5)
                continue
            daemon.kill()

    def tail(self) -> str:
        """The last lines of every log."""
        return "\n".join(
            f"{path.name}: {line}"
            for path in sorted((self.base / "log").glob("*.log"))
            for line in path.read_text(errors="replace").splitlines()[-5:]
        )

    def _start(self, name: str, *words: str) -> None:
        environment = {**os.environ, **self.environment}
        with (self.base / f"log/{name}.out").open("ab") as output:
            self._daemons[name] = subprocess.Popen(words, env=environment, stdout=output, stderr=output)


@contextlib.contextmanager
def running(base: Path) -> Iterator[Cluster]:
    """A cluster for the time of the block."""
    cluster = Cluster(base)
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()


def missing() -> list[str]:
    """What this machine lacks to start one."""
    found = [name for name in PROGRAMS if shutil.which(name) is None]
    return found if os.geteuid() == 0 else [*found, "root"]


def _free_ports(count: int) -> list[int]:
    """Ports on loopback that nobody listens on, the second with a free neighbour."""
    for first in range(27000 + os.getpid() % 500, 32000, count + 1):
        ports = list(range(first, first + count + 1))
        with contextlib.ExitStack() as stack:
            try:
                for port in ports:
                    stack.enter_context(socket.socket()).bind(("127.0.0.1", port))
            except OSError:
                continue
        return ports
    raise RuntimeError("no free ports")


def until(holds: object, what: str, explain: object = None, seconds: float = 40) -> None:
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        if holds():  # type: ignore[operator]
            return
        time.sleep(0.2)
    raise RuntimeError(f"{what} did not come up in {seconds} s\n{explain() if explain else ''}")  # type: ignore[operator]
