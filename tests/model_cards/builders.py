"""Dossiers with numbers that were really computed: real tables, the real splits and encoding, the real checks.

Only training is a stand-in (a linear model of scikit-learn, fitted epoch by epoch), so that no test here needs torch.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np

from configs import load
from configs.answers import AnswersFile
from configs.plan import Plan
from evidence import answers, arrays, canonical, dossier, job_records, records
from evidence.folder import RunFolder
from evidence.reference import Example, ReferenceRecord

SHA = "0f" * 32
BINARY = "diabetes_progression"


@dataclasses.dataclass(frozen=True)
class Rendered:
    """A dossier with what was made of it."""

    dossier: dossier.Dossier
    record: records.DocumentsRecord
    card: str
    page: str
    annex: str
    """Of the card."""


def render(found: dossier.Dossier, place: Path) -> Rendered:
    """Render into a folder and read the documents back."""
    from model_cards import documents

    folder = RunFolder(place)
    record = documents.render(folder, found, suffixes=("md", "html"))
    card, page, annex = (
        folder.at(path).read_text(encoding="utf-8")
        for path in (documents.CARD, documents.REPORT, "documents/card_annex.md")
    )
    return Rendered(found, record, card, page, annex)


def plan_of(task: str) -> Plan:
    """The shipped binary plan, or a variant of it for another task; few replicates, so that tests stay fast."""
    text = (load.USE_CASES / f"{BINARY}.yaml").read_text(encoding="utf-8")
    plan = load.parse(text, BINARY)
    content = plan.model_dump(mode="json")
    content["policy"]["replicates"] = 200
    content["policy"]["robustness"]["attack"] |= {"auto_steps": 5, "queries": 20}
    if task == "regression":
        content["data"]["target"] = {"task": "regression", "unit": "points"}
        content["training"]["threshold"] = 0.5
        content["policy"]["gates"] = [
            {"check": "performance.rmse", "at_most": 70.0, "rationale": "Less than the spread of the target."},
            {"check": "performance.r2", "at_least": 0.4},
            {"check": "fairness.error_difference", "slice": "sex", "at_most": 15.0},
        ]
    if task == "multiclass":
        content = _wine(content)
    return Plan.model_validate(content)


def _wine(content: dict[str, Any]) -> dict[str, Any]:
    from sklearn.datasets import load_wine

    wine = load_wine()
    content["system"] |= {"id": "wine-cultivar", "name": "Wine Cultivar Recogniser", "sector": "agriculture"}
    content["system"] |= {"intended_purpose": "Tells three cultivars apart from a chemical analysis of the wine."}
    content["system"] |= {"affected_persons": [], "foreseeable_misuse": [], "limitations": []}
    content["data"] = {
        "source": {"kind": "sklearn", "name": "wine"},
        "provenance": {"title": "Wine recognition"},
        "target": {"task": "multiclass", "classes": ["0", "1", "2"]},
        "columns": [
            *({"name": n, "kind": "numeric"} for n in wine.feature_names),
            {"name": "target", "kind": "categorical", "role": "target", "allowed": ["0", "1", "2"]},
        ],
    }
    content["training"]["threshold"] = 0.5
    content["policy"]["robustness"]["shift"] = {"slices": [{"column": "alcohol", "quantiles": 2}]}
    content["policy"]["gates"] = [
        {"check": "performance.accuracy", "at_least": 0.8, "rationale": "Clearly better than the largest class."},
        {"check": "performance.ece", "at_most": 0.05},
    ]
    content["documents"] = {"licence": None}
    return content


def by_a_job(found: dossier.Dossier, *, energy: float | None) -> dossier.Dossier:
    """The same run, trained by a batch job of two attempts on two nodes; its energy is J, or unmeasured."""

    def quantity(value: float | None, unit: str, method: str = "as the test says") -> records.Quantity:
        return records.Quantity(value=value, unit=unit, method=method, boundary="device: the GPUs of the job")

    unmeasured = "unmeasured: no PUE of the site was found"
    tried = {"job_id": "4711", "nodes": 2, "gpus": 8, "cpus": 64}
    job = job_records.JobRecord(
        site="leonardo",
        profile_checked="2026-11-22",
        job_id="4711",
        job_name="proofline-0123456789abcdef",
        script_sha256=SHA,
        submitted_at="2026-11-22T09:58:00Z",
        accounting="sacct",
        attempts=tuple(
            job_records.JobAttempt(**tried, state=state, seconds=s)
            for state, s in (("REQUEUED", 600), ("COMPLETED", 900))
        ),
        gpu_hours=quantity(3.4, "GPU-hours"),
        node_hours=quantity(0.85, "node-hours"),
        cpu_hours=quantity(27.2, "CPU-hours"),
        site_energy=quantity(None, "J", unmeasured),
        emissions=quantity(None if energy is None else 460.0, "g CO2 eq."),
    )
    spread = records.Execution(ranks=8, parallel="ddp", why="as the plan says", micro_batches=2, compiled_graphs=3)
    changes = {
        "job": job,
        "execution": spread,
        "flops_otherwise": (quantity(1.8e9, "FLOP", "formula"), quantity(6e9, "FLOP", "upper bound")),
        "energy": quantity(energy, "J", "NVML" if energy else "unmeasured: no counter could be read"),
    }
    return dataclasses.replace(found, train=found.train.model_copy(update=changes))


def subject_of(*arguments: Any, **more: Any) -> Any:
    """What the checks are given."""
    from checks._subject import Subject

    return Subject(*arguments, **more)


def build(folder: RunFolder, plan: Plan, *, derivatives: bool = False) -> dossier.Dossier:
    """Take a plan through the real stages that need no torch; on demand the checks get the model's derivatives."""
    from checks import evaluate, gate, intervals
    from checks._parts import Parts
    from checks.source import Source
    from factory import encoding, ingest, splitting

    dataset = ingest.ingest(folder, plan, Path())
    manifest = splitting.split(folder, plan, dataset)
    encoded = encoding.encode(folder, plan, dataset, manifest)
    model = _Linear(encoded, {role: arrays.load(folder, encoded, role) for role in ("train", "validation", "test")})
    part = model.parts["test"]
    policy = plan.policy
    sampling = intervals.Sampling(policy.confidence, policy.replicates, policy.seed, part.entities)
    subject = subject_of(
        plan, encoded, part, model, model.score(part.x), sampling, Parts(folder, encoded, model),
        Source(
            retrain=model.retrain,
            training=model.record(plan),
            gradient=model.gradient if derivatives else None,
            logits_vjp=model.vjp if derivatives else None,
        ),
    )  # fmt: skip
    results = gate.apply(plan, evaluate.measure(subject))
    quality = records.QualityRecord(results=tuple(_missingness(dataset, plan)))
    governance = records.QualityRecord(results=tuple(_governance(folder, plan, dataset, manifest, encoded)))
    decision = gate.decide(plan, [*quality.results, *governance.results, *results])
    plan_sha256 = canonical.sha256(plan)
    nothing = AnswersFile(version=1, system=plan.system.id)
    found = {"ingest": dataset, "validate": quality, "govern": governance, "encode": encoded}
    commit = records.Commitment(
        plan_sha256=plan_sha256,
        policy_sha256=canonical.sha256(policy),
        split_sha256=manifest.digest,
        code_sha256=SHA,
        at="2026-11-22T10:00:00Z",
    )
    evaluation = records.EvaluationRecord(
        onnx_sha256=SHA,
        commitment_sha256=canonical.sha256(commit),
        committed_at=commit.at,
        started_at="2026-11-22T10:02:00Z",
        finished_at="2026-11-22T10:02:30Z",
        runtime="onnxruntime 1.31.1, CPUExecutionProvider",
        results=results,
        uses=(part.use("evaluation"),),
    )
    return dossier.Dossier(
        run_id="20261122-100000-test",
        plan=plan,
        plan_sha256=plan_sha256,
        ingest=dataset,
        validate=quality,
        split=manifest,
        encode=encoded,
        govern=governance,
        commit=commit,
        train=model.record(plan),
        export=_model_ref(encoded),
        evaluate=evaluation,
        gate=decision.model_copy(update={"at": "2026-11-22T10:03:00Z"}),
        reference=_reference(folder, plan, encoded, evaluation),
        answers=answers.settle("20261122-100000-test", plan, nothing, found),
    )


def _reference(
    folder: RunFolder, plan: Plan, encoded: records.EncodedData, evaluation: records.EvaluationRecord
) -> ReferenceRecord:
    """The real distributions; the example is made up, since no graph is exported here."""
    from checks import reference

    found = reference.reference(folder, plan, encoded, evaluation, None, role="train")
    made = {"label": 1, "probabilities": (0.25, 0.75)} if encoded.task == "binary" else {}
    if encoded.task == "regression":
        made = {"prediction": 152.5}
    if encoded.task == "multiclass":
        made = {"label": 2, "probabilities": (0.25, 0.25, 0.5)}
    x = np.array([0.0 if f.kind == "categorical" else f.mean for f in encoded.features], np.float32)
    example = Example(inputs=tuple(map(float, x)), inputs_sha256=reference.input_digest(x), **made)
    return found.model_copy(update={"example": example})


class _Linear:
    """A linear model in standardised space, fitted epoch by epoch, with the interface of the scorer."""

    def __init__(self, encoded: records.EncodedData, parts: dict[str, arrays.Part]) -> None:
        from sklearn.linear_model import SGDClassifier, SGDRegressor

        self.encoded, self.parts = encoded, parts
        train = parts["train"]
        self._centre = np.nanmean(train.x, axis=0)
        self._spread = np.nanstd(train.x, axis=0) + 1e-9
        self._regression = encoded.task == "regression"
        kind = SGDRegressor if self._regression else SGDClassifier
        loss = "squared_error" if self._regression else "log_loss"
        self._model = kind(loss=loss, random_state=0, learning_rate="constant", eta0=0.002, alpha=0.01)
        self.curve = []
        for epoch in range(1, 26):
            if self._regression:
                self._model.partial_fit(self._z(train.x), train.y)
            else:
                self._model.partial_fit(self._z(train.x), train.y, classes=np.arange(len(encoded.classes)))
            losses = [self._loss(parts[role]) for role in ("train", "validation")]
            self.curve.append(
                records.EpochPoint(
                    epoch=epoch, train_loss=losses[0], validation_loss=losses[1], learning_rate=0.002, seconds=0.01
                )
            )

    def __call__(self, x: np.ndarray) -> Any:
        """The same, as the scorer is called."""
        return self.score(x)

    def attempt(self, x: np.ndarray) -> Any:
        """Scores of altered inputs: this model answers every row."""
        from checks import scoring

        return scoring.Attempt(self.score(x), np.ones(len(x), bool))

    def score(self, x: np.ndarray) -> Any:
        """Scores as the ONNX scorer gives them."""
        from checks import scoring

        if self._regression:
            return scoring.Scores(predictions=self._model.predict(self._z(x)).astype(np.float64))
        probabilities = self._model.predict_proba(self._z(x))
        return scoring.Scores(labels=probabilities.argmax(axis=1).astype(np.int64), probabilities=probabilities)

    def retrain(self, x: np.ndarray, y: np.ndarray, *, seed: int) -> Any:
        """Another fit of the same kind, as the flow hands it over."""
        from sklearn.base import clone

        model = clone(self._model).set_params(random_state=seed)
        classes = {} if self._regression else {"classes": np.arange(len(self.encoded.classes))}
        for _ in range(10):
            model.partial_fit(self._z(x), y, **classes)
        if self._regression:
            return lambda rows: model.predict(self._z(rows))[:, None].astype(np.float64)
        return lambda rows: model.predict_proba(self._z(rows))

    def vjp(self, x: np.ndarray) -> Any:
        """Outputs with their pullback."""
        weights = (self._model.coef_ / self._spread).reshape(-1, x.shape[1])
        found = np.atleast_2d((self._z(x) @ np.atleast_2d(self._model.coef_).T + self._model.intercept_).T).T
        if not self._regression and len(weights) == 1:
            found, weights = np.concatenate([-found / 2, found / 2], axis=1), np.concatenate([-weights, weights]) / 2
        return found, lambda cotangent: cotangent @ weights

    def gradient(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Gradient of the loss, up to a positive factor for each row."""
        from checks.attacks import losses

        outputs, pullback = self.vjp(x)
        loss = losses.squared_error if self._regression else losses.cross_entropy
        return pullback(loss(outputs, y, np.zeros(len(y), np.int64))[1])

    def record(self, plan: Plan) -> records.TrainingRecord:
        """The record of this fit."""
        best = min(self.curve, key=lambda p: p.validation_loss)
        binary = self.encoded.task == "binary"
        return records.TrainingRecord(
            checkpoint=_artifact("training/best.safetensors"),
            architecture={"family": plan.model.family},
            parameters=len(self.encoded.features) + 1,
            epochs=len(self.curve),
            best_epoch=best.epoch,
            seed=plan.training.seed,
            device="cpu",
            precision="fp32",
            hardware="2 CPU cores",
            software={"scikit-learn": "1.9.1", "numpy": "2.4.6"},
            rows_per_second=10432.71,
            seconds=0.68,
            flops=records.Quantity(value=1.5e9, unit="FLOP", method="counted", boundary="process"),
            energy=records.Quantity(
                value=None, unit="kWh", method="no meter could be read on this machine", boundary="process"
            ),
            curve=tuple(self.curve),
            threshold=records.DecisionThreshold(value=0.5, criterion="stated in the plan") if binary else None,
            uses=(self.parts["train"].use("fit"), self.parts["validation"].use("early stopping")),
        )

    def _z(self, x: np.ndarray) -> np.ndarray:
        with np.errstate(over="ignore"):
            return np.clip(np.nan_to_num((x - self._centre) / self._spread), -1e6, 1e6)

    def _loss(self, part: arrays.Part) -> float:
        scores = self.score(part.x)
        if self._regression:
            return float(np.mean((scores.predictions - part.y) ** 2))
        own = scores.probabilities[np.arange(part.rows), part.y]
        return float(-np.mean(np.log(np.clip(own, 1e-9, 1))))


def _missingness(dataset: records.DatasetRef, plan: Plan) -> list[records.CheckResult]:
    found = []
    for column in dataset.columns:
        limit = plan.data.column(column.name).max_missing
        share = column.missing / dataset.rows
        found.append(
            records.CheckResult(
                check_id="data.missingness",
                title=f"{column.name}: no value missing",
                status="pass" if share <= limit else "fail",
                measures=(records.Measure(name="data.missingness", value=share, n=dataset.rows),),
                threshold=records.Threshold(at_most=limit),
                reason=f"measured {column.missing} of {dataset.rows} rows",
                details={"column": column.name},
            )
        )
    return found


def _governance(folder: RunFolder, plan: Plan, *stages: Any) -> list[records.CheckResult]:
    from checks import governance

    return list(governance.govern(folder, plan, *stages).results)


def _model_ref(encoded: records.EncodedData) -> records.ModelRef:
    return records.ModelRef(
        onnx=_artifact("model/model.onnx"),
        inputs=(records.TensorSpec(name="features", dtype="float32", shape=("batch", len(encoded.features))),),
        outputs=(records.TensorSpec(name="label", dtype="int64", shape=("batch",)),),
        opset=18,
        ir_version=10,
        parent_checkpoint_sha256=SHA,
        operators=("Gemm", "Softmax"),
        parity=records.Parity(rows=88, split="test", max_abs_difference=2.4e-7, label_agreement=1.0, tolerance=1e-5),
        golden_input=_artifact("model/input_0.pb"),
        golden_outputs=(_artifact("model/output_0.pb"),),
        exporter="torch 2.13.0",
    )


def _artifact(path: str) -> records.ArtifactRef:
    return records.ArtifactRef(path=path, sha256=SHA, size=4096, media_type="application/octet-stream")


def with_plan(found: dossier.Dossier, change: dict[str, Any]) -> dossier.Dossier:
    """The same dossier with other values in the plan's sections: `{"system": {"name": "x"}}`."""
    content = found.plan.model_dump(mode="json")
    for section, values in change.items():
        content[section] |= values
    return dataclasses.replace(found, plan=Plan.model_validate(content))
