"""The job script: readable, whole, and evidence itself. The same request gives the same bytes."""

from __future__ import annotations

import shlex
from pathlib import PurePosixPath

from factory.slurm import files
from factory.slurm.files import ATTEMPTS, CODE, ENDED, JOB, LOG, SAVED, STOP
from factory.slurm.request import Request


def render(ask: Request, *, job_name: str, run_folder: PurePosixPath, code: PurePosixPath, site: str) -> str:
    """The script for `sbatch`.

    Args:
        ask: What the job asks for.
        job_name: Unique: by it a job is found again whose number was lost.
        run_folder: On storage that login and compute nodes share.
        code: Folder that holds proofline's packages, put on the job's PYTHONPATH.
        site: Name of the profile, for the reader.
    """
    return "\n".join([*_head(ask, job_name, run_folder, site), "", *_body(ask, run_folder, code)]) + "\n"


def directives(ask: Request) -> list[str]:
    """What is asked of the scheduler, as options of `sbatch`."""
    lines = [
        *_named("account", ask.account),
        *_named("partition", ask.partition),
        *_named("qos", ask.qos),
        f"--nodes={ask.nodes}",
        "--ntasks-per-node=1",
        f"--cpus-per-task={ask.cpus_per_node}",
        *_gpus(ask),
    ]
    if ask.memory_gb is not None:
        lines.append(f"--mem={round(ask.memory_gb * 1024)}M")
    lines += [f"--time={ask.minutes}", "--requeue", "--open-mode=append", f"--signal=B:USR1@{ask.warn_seconds}"]
    return [*lines, *ask.directives]


def _head(ask: Request, job_name: str, run_folder: PurePosixPath, site: str) -> list[str]:
    options = [f"--job-name={job_name}", f"--chdir={run_folder}", f"--output={LOG}", *directives(ask)]
    return [
        "#!/bin/bash",
        f"# proofline: training of run {run_folder.name} at {site}. The training record holds this script's SHA-256.",
        *(f"#SBATCH {option}" for option in options),
    ]


def _named(name: str, value: str | None) -> list[str]:
    return [f"--{name}={value}"] if value else []


def _gpus(ask: Request) -> list[str]:
    if not ask.gpus_per_node:
        return []
    kind = f"{ask.gpu_type}:" if ask.gpu_type else ""
    match ask.gpu_flag:
        case "gpus":
            return [f"--gpus={kind}{ask.gpus_per_node * ask.nodes}"]
        case "gpus-per-node":
            return [f"--gpus-per-node={kind}{ask.gpus_per_node}"]
        case _:
            return [f"--gres=gpu:{kind}{ask.gpus_per_node}"]


def _body(ask: Request, run_folder: PurePosixPath, code: PurePosixPath) -> list[str]:
    exports = {"PYTHONPATH": str(code), "PYTHONUNBUFFERED": "1", "HF_HUB_OFFLINE": "1", **ask.environment}
    return [
        f"cd {shlex.quote(str(run_folder))}",
        "# Another job has taken over this run, as after a node that was lost and came back: leave all as it is.",
        f'if [ -e {JOB} ] && ! grep -q "\\"$SLURM_JOB_NAME\\"" {JOB}; then',
        '  echo "job $SLURM_JOB_ID ($SLURM_JOB_NAME) ends: another job has taken over this run"',
        "  exit 0",
        "fi",
        "attempt=${SLURM_RESTART_COUNT:-0}",
        f"rm -f {STOP} {SAVED} {CODE} {ENDED}",
        *_note("begun", ask),
        'echo "job $SLURM_JOB_ID, attempt $attempt, nodes $SLURM_JOB_NODELIST, begun $(date -u +%FT%TZ)"',
        *([f"module use {shlex.quote(ask.module_path)}"] if ask.module_path else []),
        *(f"module load {shlex.quote(name)}" for name in ask.modules),
        "set -u  # only now: the module command of many sites reads variables that are not set",
        *(f"export {name}={shlex.quote(value)}" for name, value in exports.items()),
        "# Since Slurm 22.05 a step does not inherit the CPUs of its job.",
        "export SRUN_CPUS_PER_TASK=$SLURM_CPUS_PER_TASK",
        *_rendezvous(ask),
        "",
        "# Shortly before the time limit, or when preempted, the scheduler signals this shell: the training then saves",
        "# and ends. It runs in the background because a shell looks at signals only while it waits.",
        f"trap 'echo asked to save; touch {STOP}' USR1",
        "trap 'echo ended by the scheduler' TERM",
        f"{_command(ask, run_folder)} &",
        "child=$!",
        'wait "$child"',
        "# A signal ends the waiting: wait again, as long as the training runs, and once more for its own code.",
        'while kill -0 "$child" 2>/dev/null; do wait "$child"; done',
        'wait "$child"; code=$?',
        f"[ -s {CODE} ] && code=$(cat {CODE})",
        *_note("ended", ask),
        f'if [ -e {SAVED} ] && [ "$attempt" -lt {ask.restarts} ]; then',
        '  echo "saved; requeued $(date -u +%FT%TZ)"',
        '  scontrol requeue "$SLURM_JOB_ID" && exit 0',
        "fi",
        f'printf \'{{"code": %d, "job": "%s", "attempt": %d}}\\n\' "$code" "$SLURM_JOB_ID" "$attempt" > {ENDED}.tmp',
        f"mv {ENDED}.tmp {ENDED}",
        'echo "ended with code $code $(date -u +%FT%TZ)"',
        'exit "$code"',
    ]


def _note(event: str, ask: Request) -> list[str]:
    """A line of JSON with the time, for the hours that the attempt took."""
    gpus, cpus = ask.gpus_per_node * ask.nodes, ask.cpus_per_node * ask.nodes
    size = f'"nodes": {ask.nodes}, "gpus": {gpus}, "cpus": {cpus}'
    line = f'{{"event": "{event}", "job": "%s", "attempt": %d, {size}'
    return [f'printf \'{line}, "at": %d}}\\n\' "$SLURM_JOB_ID" "$attempt" "$(date +%s)" >> {ATTEMPTS}']


def _rendezvous(ask: Request) -> list[str]:
    """Where the ranks meet: the first node, by address where its name does not resolve."""
    if ask.nodes == 1:
        return []
    return [
        'head=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1)',
        'getent hosts "$head" >/dev/null || head=127.0.0.1',
        "port=$((20000 + SLURM_JOB_ID % 20000))",
    ]


def _command(ask: Request, run_folder: PurePosixPath) -> str:
    words = ["srun", "--kill-on-bad-exit=1"]
    if ask.image and ask.runtime:
        words += [ask.runtime, "exec", *([ask.runtime_flag] if ask.runtime_flag else [])]
        seen = [str(run_folder), *([ask.environment[files.DATA]] if files.DATA in ask.environment else [])]
        words += ["--bind", shlex.quote(",".join(seen)), shlex.quote(ask.image)]
    words.append(shlex.quote(ask.python))
    processes = max(1, ask.gpus_per_node)
    if ask.nodes > 1 or processes > 1:
        words += ["-m", "torch.distributed.run", f"--nnodes={ask.nodes}", f"--nproc-per-node={processes}"]
        if ask.nodes > 1:
            words += ["--rdzv-backend=c10d", '--rdzv-id="$SLURM_JOB_ID.$attempt"', '--rdzv-endpoint="$head:$port"']
        else:
            words.append("--standalone")
    return " ".join([*words, "-m", "factory.job", shlex.quote(str(run_folder))])
