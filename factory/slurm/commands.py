"""Slurm's own commands with a time limit. A command that hangs or fails says nothing about a job."""

from __future__ import annotations

import dataclasses
import os
import shutil
import subprocess

from configs.errors import MissingError

PATIENCE = 20.0
"""Seconds after which a command counts as hanging."""
SILENCE = ("did not answer", "Unable to contact slurm controller", "Socket timed out", "Connection refused")
"""What stands in the problem of a command that reached nobody."""
NEEDED = ("sbatch", "squeue", "scontrol", "scancel")


@dataclasses.dataclass(frozen=True)
class Answer:
    """What a command said; `text` None where it failed or hung."""

    text: str | None
    problem: str = ""

    @property
    def silent(self) -> bool:
        """Was there nobody to answer, as opposed to an answer that is no?"""
        return self.text is None and any(words in self.problem for words in SILENCE)

    @property
    def lines(self) -> list[str]:
        """Lines that are not empty; none where there is no answer."""
        return [line for line in (self.text or "").splitlines() if line.strip()]


def require() -> None:
    """Is there a Slurm to talk to?

    Raises:
        MissingError: Its commands are not on the PATH.
    """
    absent = [name for name in NEEDED if shutil.which(name) is None]
    if absent:
        raise MissingError(
            f"Slurm: expected the commands {', '.join(NEEDED)} on the PATH, got none of {', '.join(absent)}. "
            "Run proofline on the login node of the site, or set factory.site: local."
        )


def ask(*words: str, patience: float | None = None) -> Answer:
    """Run one command of Slurm; never raises for what it says."""
    patience = PATIENCE if patience is None else patience
    # Inside a job these variables would make sbatch and squeue speak of that job.
    environment = {
        k: v for k, v in os.environ.items() if not k.startswith(("SLURM_", "SBATCH_")) or k in ("SLURM_CONF",)
    }
    try:
        done = subprocess.run(
            words, capture_output=True, text=True, timeout=patience, check=False, env=environment, errors="replace"
        )
    except subprocess.TimeoutExpired:
        return Answer(None, f"`{words[0]}` did not answer within {patience:g} s")
    except OSError as error:
        return Answer(None, f"`{words[0]}` could not be started: {error.strerror}")
    if done.returncode != 0:
        return Answer(None, (done.stderr or done.stdout).strip() or f"`{words[0]}` ended with {done.returncode}")
    return Answer(done.stdout)
