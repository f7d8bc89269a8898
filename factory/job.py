"""The training as a job of its own: `python -m factory.job RUN_FOLDER`.

Reads `plan.yaml` and `data/encoded.json` (of a language model `data/tokens.json`) of the run folder and writes
`training/record.json`. This is what a batch system calls, once or once for each rank (`torch.distributed.run`); a job
that was killed is simply started again. After every epoch, or every second, it writes where it stands. Every second it
looks whether it was asked to stop: it then saves, leaves a file that says so, and ends.
"""

from __future__ import annotations

import dataclasses
import json
import logging
import os
import sys
from pathlib import Path
from typing import TypeVar

import pydantic
import torch

from configs import errors
from configs.factories import profile as profiles
from configs.language import load
from configs.language.plan import LanguagePlan
from configs.plan import Plan
from evidence import folder as run_folder
from evidence import language_records, records
from factory import ranks
from factory.progress import Progress, Stopped
from factory.slurm import files

log = logging.getLogger("proofline.job")
R = TypeVar("R", bound=pydantic.BaseModel)


def run(folder: run_folder.RunFolder) -> pydantic.BaseModel:
    """Train the model of a run folder from its files alone; a base model is looked for in `PROOFLINE_DATA`.

    Raises:
        MissingError: When a file is absent.
        ProoflineError: See `factory.fitting.fit` and `factory.language.train.train`.
        Stopped: The job was asked to end, and the training is saved.
    """
    plan = load.load_any(folder.path / "plan.yaml")
    _say_without_gpu(plan)
    record = _language(folder, plan) if isinstance(plan, LanguagePlan) else _tables(folder, plan)
    if ranks.first():
        folder.write_record(files.RECORD, record)
    return record


def _say_without_gpu(plan: Plan | LanguagePlan) -> None:
    """GPUs that were asked for are paid for, whether torch can use them or not: say it where it cannot."""
    asked = plan.factory.gpus_per_node
    if profiles.load(plan.factory.site).scheduler == "none" or not asked or torch.cuda.is_available():
        return
    if ranks.first():
        log.warning(
            "warning: %d GPUs of this node were asked for and torch %s can use none: the training runs on processors. "
            "Take a torch for the GPUs of this site (CUDA or ROCm, and the node's architecture), or ask for "
            "gpus_per_node: 0",
            asked,
            torch.__version__,
        )


def _encoded(folder: run_folder.RunFolder, name: str, kind: type[R]) -> R:
    place = folder.path / name
    if not place.is_file():
        raise errors.MissingError(f"run folder {folder.run_id}: expected {name}, got none. Encode the data first.")
    return run_folder.parse_record(place.read_bytes(), kind, name)


def _language(folder: run_folder.RunFolder, plan: LanguagePlan) -> language_records.LanguageTrainingRecord:
    from factory.language import train  # noqa: PLC0415 - transformers takes seconds to import

    tokenised = _encoded(folder, "data/tokens.json", language_records.TokenisedData)

    def progress(what: str, done: int, of: int) -> None:
        if ranks.first():
            log.info("step %d/%d, %s", done, of, what)
            folder.write_bytes(files.PROGRESS, json.dumps({"what": what, "done": done, "of": of}).encode())

    base = Path(os.environ.get(files.DATA, folder.path))
    return train.train(folder, plan, tokenised, base, progress=progress, stop=(folder.path / files.STOP).exists)


def _tables(folder: run_folder.RunFolder, plan: Plan) -> records.TrainingRecord:
    from factory import fitting  # noqa: PLC0415 - a language model needs nothing of it

    encoded = _encoded(folder, "data/encoded.json", records.EncodedData)

    def after_epoch(now: Progress) -> None:
        if ranks.first():
            _log(now)
            folder.write_bytes(files.PROGRESS, json.dumps(dataclasses.asdict(now)).encode())

    def stop() -> bool:
        return (folder.path / files.STOP).exists()

    return fitting.fit(folder, plan, encoded, progress=after_epoch, stop=stop)


def _run(folder: run_folder.RunFolder) -> None:
    """Train, or leave word that the training was asked to end and is saved."""
    try:
        run(folder)
    except Stopped:
        if ranks.first():
            folder.write_bytes(files.SAVED, b"saved\n")


def _log(now: Progress) -> None:
    log.info(
        "%s: epoch %d/%d, %.0f rows/s, loss %.5f, validation %.5f, best %d, at most %.0f s left",
        now.phase,
        now.epoch,
        now.epochs,
        now.rows_per_second,
        now.train_loss,
        now.validation_loss,
        now.best_epoch,
        now.eta_seconds,
    )


def main(arguments: list[str]) -> int:
    """Run the job and return its exit code; progress and errors go to standard error."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    try:
        if len(arguments) != 1:
            raise errors.PlanError(
                f"factory.job: expected the run folder as its one argument, got {len(arguments)} arguments. "
                "Run python -m factory.job RUN_FOLDER."
            )
        with ranks.joined():
            _run(run_folder.RunFolder(Path(arguments[0])))
    except errors.ProoflineError as error:
        log.error("%s", error)  # noqa: TRY400 - the sentence is the whole message
        if arguments and Path(arguments[0]).is_dir():
            run_folder.RunFolder(Path(arguments[0])).write_bytes(files.CODE, f"{error.exit_code}\n".encode())
        return error.exit_code
    return errors.EXIT_PASS


if __name__ == "__main__":
    ranks.leave(main(sys.argv[1:]))
