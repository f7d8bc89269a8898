#!/bin/bash
# proofline: training of run example at Deucalion (GPU nodes). The training record holds this script's SHA-256.
#SBATCH --job-name=proofline-0123456789abcdef
#SBATCH --chdir=/project/runs/example
#SBATCH --output=training/job.log
#SBATCH --account=i20250001g
#SBATCH --partition=normal-a100-40
#SBATCH --nodes=1
#SBATCH --ntasks-per-node=1
#SBATCH --cpus-per-task=64
#SBATCH --gpus=2
#SBATCH --time=240
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --signal=B:USR1@120

cd /project/runs/example
# Another job has taken over this run, as after a node that was lost and came back: leave all as it is.
if [ -e training/job.json ] && ! grep -q "\"$SLURM_JOB_NAME\"" training/job.json; then
  echo "job $SLURM_JOB_ID ($SLURM_JOB_NAME) ends: another job has taken over this run"
  exit 0
fi
attempt=${SLURM_RESTART_COUNT:-0}
rm -f training/job.stop training/job.saved training/job.code training/job.ended
printf '{"event": "begun", "job": "%s", "attempt": %d, "nodes": 1, "gpus": 2, "cpus": 64, "at": %d}\n' "$SLURM_JOB_ID" "$attempt" "$(date +%s)" >> training/job.attempts
echo "job $SLURM_JOB_ID, attempt $attempt, nodes $SLURM_JOB_NODELIST, begun $(date -u +%FT%TZ)"
set -u  # only now: the module command of many sites reads variables that are not set
export PYTHONPATH=/project/proofline
export PYTHONUNBUFFERED=1
export HF_HUB_OFFLINE=1
# Since Slurm 22.05 a step does not inherit the CPUs of its job.
export SRUN_CPUS_PER_TASK=$SLURM_CPUS_PER_TASK

# Shortly before the time limit, or when preempted, the scheduler signals this shell: the training then saves
# and ends. It runs in the background because a shell looks at signals only while it waits.
trap 'echo asked to save; touch training/job.stop' USR1
trap 'echo ended by the scheduler' TERM
srun --kill-on-bad-exit=1 python -m torch.distributed.run --nnodes=1 --nproc-per-node=2 --standalone -m factory.job /project/runs/example &
child=$!
wait "$child"
# A signal ends the waiting: wait again, as long as the training runs, and once more for its own code.
while kill -0 "$child" 2>/dev/null; do wait "$child"; done
wait "$child"; code=$?
[ -s training/job.code ] && code=$(cat training/job.code)
printf '{"event": "ended", "job": "%s", "attempt": %d, "nodes": 1, "gpus": 2, "cpus": 64, "at": %d}\n' "$SLURM_JOB_ID" "$attempt" "$(date +%s)" >> training/job.attempts
if [ -e training/job.saved ] && [ "$attempt" -lt 20 ]; then
  echo "saved; requeued $(date -u +%FT%TZ)"
  scontrol requeue "$SLURM_JOB_ID" && exit 0
fi
printf '{"code": %d, "job": "%s", "attempt": %d}\n' "$code" "$SLURM_JOB_ID" "$attempt" > training/job.ended.tmp
mv training/job.ended.tmp training/job.ended
echo "ended with code $code $(date -u +%FT%TZ)"
exit "$code"
