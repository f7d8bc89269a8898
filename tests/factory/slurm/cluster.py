"""A real Slurm on this machine: one controller, two nodes with two pretended GPUs each, no systemd, no container.

Needs Debian's `slurm-wlm` and `munge`, and root; with accounting also `slurmdbd` and `mariadb-server`. Everything
listens on loopback and lives in one folder.
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
ACCOUNTING = ("slurmdbd", "mariadbd", "mariadb-install-db", "mariadb", "sacct", "sacctmgr")

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
{accounting}
NodeName=gpu[1-2] NodeHostname={host} NodeAddr=127.0.0.1 Port=[{first}-{second}] CPUs=4 RealMemory=4000 Gres=gpu:a100:2
PartitionName=gpu  Nodes=ALL Default=YES MaxTime=2:00:00 DefaultTime=10 PriorityTier=1 PreemptMode=REQUEUE GraceTime=10
PartitionName=prio Nodes=ALL MaxTime=10 State=UP PriorityTier=10 PreemptMode=OFF
"""


WITHOUT_ACCOUNTING = "AccountingStorageType=accounting_storage/none"
WITH_ACCOUNTING = """\
AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost=localhost
AccountingStoragePort={port}
AccountingStoragePass={base}/run/munge.sock
AccountingStorageTRES=gres/gpu,energy
AccountingStorageEnforce=associations,limits,qos"""
DATABASE_DAEMON = """\
AuthType=auth/munge
AuthInfo=socket={base}/run/munge.sock
DbdHost=localhost
DbdPort={port}
SlurmUser=root
StorageType=accounting_storage/mysql
StorageHost=localhost
StorageUser=root
StorageLoc=accounts
LogFile={base}/log/slurmdbd.log
PidFile={base}/run/slurmdbd.pid
"""
ACCOUNT = "project_1"
"""The account that may submit to a cluster with accounting."""


class Cluster:
    """A running cluster; `environment` makes Slurm's commands speak to it."""

    def __init__(self, base: Path, *, accounting: bool = False) -> None:
        self.base = base
        self.accounting = accounting
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
        ports = _free_ports(4)
        accounts = WITH_ACCOUNTING.format(port=ports[3], base=self.base) if self.accounting else WITHOUT_ACCOUNTING
        configuration = CONFIGURATION.format(
            host=socket.gethostname().split(".")[0], base=self.base, port=ports[0], first=ports[1], second=ports[2],
            accounting=accounts,
        )  # fmt: skip
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
        if self.accounting:
            self._start_accounting(ports[3])
        self.start_controller()
        for node in ("gpu1", "gpu2"):
            self._start(node, "slurmd", "-D", "-N", node)
        until(lambda: self.ask("sinfo", "-h", "-o", "%T %D").split() == ["idle", "2"], "both nodes", self.tail)

    def start_controller(self) -> None:
        """Start slurmctld, also after it was stopped."""
        self._start("slurmctld", "slurmctld", "-D")
        until(lambda: "UP" in self.ask("scontrol", "ping"), "slurmctld", self.tail)

    def _start_accounting(self, port: int) -> None:
        """A MariaDB that speaks by its socket alone, slurmdbd on it, and one account with this user."""
        data, at = self.base / "db", self.base / "run/mariadb.sock"
        options = ["--no-defaults", f"--datadir={data}", "--user=root"]
        words = ["mariadb-install-db", *options, "--auth-root-authentication-method=socket", "--skip-test-db"]
        subprocess.run(words, check=True, capture_output=True, timeout=120)
        quick = ["--innodb-flush-log-at-trx-commit=0", "--innodb-buffer-pool-size=32M", "--skip-log-bin"]
        self._start("mariadb", "mariadbd", *options, f"--socket={at}", "--skip-networking", *quick)
        until(lambda: self.sql("SELECT 1") is not None, "mariadbd", self.tail)
        conf = self.base / "slurmdbd.conf"
        conf.write_text(DATABASE_DAEMON.format(base=self.base, port=port))
        conf.chmod(0o600)
        self.resume_accounting()
        self._added("cluster", "mini")
        self._added("account", ACCOUNT)
        self._added("user", "root", f"account={ACCOUNT}")

    def resume_accounting(self) -> None:
        """Start slurmdbd, also after it was stopped."""
        self.environment["MYSQL_UNIX_PORT"] = f"{self.base}/run/mariadb.sock"
        self._start("slurmdbd", "slurmdbd", "-D")
        until(lambda: "normal" in self.ask("sacctmgr", "-n", "show", "qos"), "slurmdbd", self.tail)

    def stop_accounting(self) -> None:
        """Kill slurmdbd: the controller keeps what it would tell it."""
        self._daemons["slurmdbd"].kill()
        self._daemons["slurmdbd"].wait()

    def until_accounted(self, job: str) -> int:
        """Wait until accounting has the end of a job; its seconds."""
        words = ("sacct", "-X", "-P", "-n", "-j", job, "--format", "State,ElapsedRaw")
        until(lambda: self.ask(*words).startswith("COMPLETED"), f"accounting of job {job}", self.tail)
        return int(self.ask(*words).split("|")[1])

    def set_energy(self, job: str, joules: int) -> None:
        """Put a figure into the accounting's own table; energy is resource 3 there."""
        kept = "REGEXP_REPLACE(tres_alloc, ',3=[0-9]+', '')"
        told = f"UPDATE accounts.mini_job_table SET tres_alloc = CONCAT({kept}, ',3={joules}')"  # noqa: S608 - ours
        if self.sql(f"{told} WHERE id_job = {job}") is None:
            raise RuntimeError("the accounting's table was not written")

    def _added(self, *words: str) -> str:
        return self.ask("sacctmgr", "-i", "add", *words)

    def sql(self, statement: str) -> str | None:
        """Output of a statement on the accounting's own database, None where it failed."""
        words = ["mariadb", "--no-defaults", f"--socket={self.base}/run/mariadb.sock", "-N", "-B", "-e", statement]
        done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=30)
        return done.stdout if done.returncode == 0 else None

    def stop_controller(self) -> None:
        """Stop slurmctld, which saves its state first: jobs go on, commands get no answer.

        Killed within seconds of a job's start, before it has saved that, it would wait for that job for ever.
        """
        self._daemons["slurmctld"].terminate()
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
def running(base: Path, *, accounting: bool = False) -> Iterator[Cluster]:
    """A cluster for the time of the block."""
    cluster = Cluster(base, accounting=accounting)
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()


def missing(*, accounting: bool = False) -> list[str]:
    """What this machine lacks to start one."""
    found = [name for name in (*PROGRAMS, *(ACCOUNTING if accounting else ())) if shutil.which(name) is None]
    return found if os.geteuid() == 0 else [*found, "root"]


def _free_ports(count: int) -> list[int]:
    """Neighbouring ports on loopback that nobody listens on."""
    for first in range(27000 + 8 * (os.getpid() % 500), 32000, count):
        ports = list(range(first, first + count))
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
