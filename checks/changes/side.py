"""One of the two versions of a comparison: the records of a run folder, or those out of a verified bundle."""

from __future__ import annotations

import dataclasses
from typing import Literal

from checks import scoring
from configs import errors
from configs.plan import Plan
from evidence import arrays, canonical, given, records
from evidence.answers import AnswersRecord
from evidence.dossier import Dossier
from evidence.folder import RunFolder

SCORES = ("labels", "probabilities", "predictions")


@dataclasses.dataclass(frozen=True)
class Side:
    """What is known of one version. A bundle holds no rows: its `folder` and `encoded` are None."""

    kind: Literal["run", "bundle"]
    plan: Plan
    plan_sha256: str
    dataset: records.DatasetRef
    quality: records.QualityRecord
    governance: records.QualityRecord
    split: records.SplitManifest
    commit: records.Commitment
    evaluate: records.EvaluationRecord
    gate: records.GateDecision
    close: records.RunRecord
    run_sha256: str
    train: records.TrainingRecord | None = None
    model: records.ModelRef | None = None
    predictions: given.GivenPredictions | None = None
    documents: records.DocumentsRecord | None = None
    answers: AnswersRecord | None = None
    approval: records.Approval | None = None
    encoded: records.EncodedData | None = None
    folder: RunFolder | None = None
    key_fingerprint: str | None = None
    demonstration: bool = False

    @property
    def results(self) -> tuple[records.CheckResult, ...]:
        """Every result of the run, data first."""
        return (*self.quality.results, *self.governance.results, *self.evaluate.results)

    @property
    def task(self) -> str:
        """`binary`, `multiclass` or `regression`."""
        return self.plan.data.target.task

    def part(self, role: records.Role) -> arrays.Part | None:
        """The rows of one part; None where they are not at hand.

        Raises:
            IntegrityError: An array was altered.
        """
        if self.folder is None or self.encoded is None or role not in self.encoded.parts:
            return None
        return arrays.load(self.folder, self.encoded, role)

    def scores(self) -> scoring.Scores | None:
        """What the version says of its test rows, as it was stored; None where that is not at hand.

        Raises:
            IntegrityError: An array was altered.
        """
        if self.folder is None:
            return None
        if self.predictions is not None:
            stored = {name: getattr(self.predictions, name) for name in SCORES}
        else:
            named = {a.path: a for result in self.evaluate.results for a in result.artifacts}
            stored = {name: named.get(f"evaluation/{name}.npy") for name in SCORES}
        opened = {name: arrays.open_array(self.folder, ref) for name, ref in stored.items() if ref is not None}
        return scoring.Scores(**opened) if opened else None


def of_run(dossier: Dossier, folder: RunFolder, approval: records.Approval | None) -> Side:
    """The version that a run folder holds.

    Raises:
        MissingError: The run is not finished.
    """
    if dossier.close is None:
        raise errors.MissingError(
            f"run {dossier.run_id}: expected a finished run, got one that is not closed. "
            f"Complete it with `proofline run {folder.path} --resume`."
        )
    return Side(
        kind="run",
        plan=dossier.plan,
        plan_sha256=dossier.plan_sha256,
        dataset=dossier.ingest,
        quality=dossier.validate,
        governance=dossier.govern,
        split=dossier.split,
        commit=dossier.commit,
        evaluate=dossier.evaluate,
        gate=dossier.gate,
        close=dossier.close,
        run_sha256=canonical.sha256_file(folder.path / "run.json"),
        train=dossier.train,
        model=dossier.export,
        predictions=dossier.predictions,
        documents=dossier.document,
        answers=dossier.answers,
        approval=approval,
        encoded=dossier.encode,
        folder=folder,
    )
