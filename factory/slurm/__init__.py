"""A thin adapter to Slurm over its own commands: the job script, submission, state, logs."""
