"""A small, whole run: a real folder with real files, a real ONNX graph, and the records that name them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from configs import load
from evidence import canonical, records
from evidence.dossier import STAGES, Dossier
from evidence.folder import RunFolder

A_DIGEST = "a" * 64
TIMES = tuple(f"2026-01-02T03:04:{second:02d}.000000Z" for second in range(60))
PLAN = """
version: 1
system:
  id: {system}
  name: Small risk
  version: 1.0.0
  provider: {{name: Example Ltd}}
  intended_purpose: Show how a run is mirrored
classification: {{}}
data:
  source: {{kind: sklearn, name: diabetes}}
  provenance: {{title: Diabetes}}
  target: {{task: binary, above: 140}}
  columns:
    - {{name: age, kind: integer, role: feature}}
    - {{name: bmi, kind: numeric, role: feature}}
    - {{name: progression, kind: numeric, role: target}}
policy:
  gates:
    - {{check: performance.roc_auc, at_least: 0.7}}
"""


def dossier(root: Path, run_id: str = "small-1", system: str = "small-risk") -> tuple[RunFolder, Dossier]:
    """Write a closed run below `root`, and return its folder and records."""
    folder = RunFolder(root / "runs" / run_id)
    plan_file = folder.write_bytes("plan.yaml", PLAN.format(system=system).encode())
    plan = load.parse(folder.checked(plan_file).read_text(encoding="utf-8"), "plan.yaml")
    made: dict[str, Any] = {**_data(folder), **_model(folder), **_evaluation(folder)}
    document = folder.write_bytes("documents/README.md", b"# Small risk\n")
    made["document"] = records.DocumentsRecord(documents=(document,))
    written = {stage: folder.write_record(STAGES[stage][0], record) for stage, record in made.items()}
    made["close"] = records.RunRecord(
        run_id=run_id,
        system_id=system,
        system_version="1.0.0",
        plan_sha256=plan_file.sha256,
        outcome="pass",
        started_at=TIMES[0],
        finished_at=TIMES[50],
        records=written,
        ledger_lines=3,
        ledger_head=A_DIGEST,
        git_commit="0123456789abcdef0123456789abcdef01234567",
        git_dirty=False,
        code_sha256=A_DIGEST,
        software={},
        platform="test",
        engine="plain",
    )
    folder.write_record("run.json", made["close"])
    return folder, Dossier(run_id=run_id, plan=plan, plan_sha256=plan_file.sha256, **made)


def _data(folder: RunFolder) -> dict[str, Any]:
    parts, encoded = {}, {}
    roles: tuple[records.Role, ...] = ("train", "validation", "test")
    for role in roles:
        file = folder.write_bytes(f"data/{role}.txt", f"{role}\n".encode())
        parts[role] = records.SplitPart(rows=10, digests=file, class_counts={"0": 6, "1": 4})
        encoded[role] = records.EncodedPart(rows=10, x=file, y=file, row_digests=file, groups={})
    table = folder.write_bytes("data/table.parquet", b"rows of persons")
    quality = records.CheckResult(check_id="data.ranges", title="Ranges", status="pass", reason="all in range")
    split = records.SplitManifest(seed=0, method="test", parts=parts, assignment=table)
    return {
        "ingest": records.DatasetRef(
            title="Diabetes",
            sources=(records.SourceFile(name="diabetes.csv", sha256=A_DIGEST, size=1),),
            table=table,
            rows=30,
            columns=(),
            schema_sha256=A_DIGEST,
            rows_sha256="b" * 64,
            duplicate_rows=0,
        ),
        "validate": records.QualityRecord(results=(quality,)),
        "split": split,
        "encode": records.EncodedData(
            task="binary",
            features=tuple(records.FeatureSpec(name=name, kind="numeric") for name in ("age", "bmi")),
            classes=("negative", "positive"),
            target="progression",
            parts=encoded,
        ),
        "govern": records.QualityRecord(results=()),
        "commit": records.Commitment(
            plan_sha256=A_DIGEST, policy_sha256=A_DIGEST, split_sha256=split.digest, code_sha256=A_DIGEST, at=TIMES[1]
        ),
    }


def _model(folder: RunFolder) -> dict[str, Any]:
    file = folder.write_bytes("model/model.onnx", _graph())
    weights = folder.write_bytes("training/best.safetensors", b"weights")
    golden = folder.write_bytes("model/golden_input.pb", b"tensor")
    cost = records.Quantity(value=None, unit="J", method="not measured", boundary="process")
    curve = tuple(
        records.EpochPoint(
            epoch=e, train_loss=0.7 - 0.1 * e, validation_loss=0.8 - 0.1 * e, learning_rate=1e-3, seconds=1
        )
        for e in (1, 2, 3)
    )
    return {
        "train": records.TrainingRecord(
            checkpoint=weights,
            architecture={},
            parameters=6,
            epochs=3,
            best_epoch=3,
            seed=0,
            device="cpu",
            precision="fp32",
            hardware="test",
            software={},
            rows_per_second=100.0,
            seconds=3.0,
            flops=cost,
            energy=cost,
            curve=curve,
            threshold=records.DecisionThreshold(value=0.5, criterion="fixed"),
            uses=(),
        ),
        "export": records.ModelRef(
            onnx=file,
            inputs=(records.TensorSpec(name="features", dtype="float32", shape=("batch", 2)),),
            outputs=(
                records.TensorSpec(name="label", dtype="int64", shape=("batch",)),
                records.TensorSpec(name="probabilities", dtype="float32", shape=("batch", 2)),
            ),
            opset=17,
            ir_version=8,
            parent_checkpoint_sha256=weights.sha256,
            operators=("ArgMax", "MatMul", "Softmax"),
            parity=records.Parity(rows=10, split="test", max_abs_difference=0.0, label_agreement=1.0, tolerance=1e-5),
            golden_input=golden,
            golden_outputs=(),
            exporter="test",
        ),
    }


def _evaluation(folder: RunFolder) -> dict[str, Any]:
    def result(check: str, value: float | None, slice_: str = "overall") -> records.CheckResult:
        measure = records.Measure(
            name=check, value=value, slice=slice_, split="test", n=10, note=None if value else "-"
        )
        status: records.Status = "pass" if value else "not_measured"
        return records.CheckResult(check_id=check, title=check, status=status, measures=(measure,), reason="measured")

    results = (
        result("performance.roc_auc", 0.81),
        result("fairness.selection_rate_gap", 0.04, "sex × age_group"),
        result("fairness.selection_rate", 0.4, "sex=female"),
        result("performance.pr_auc", None),
    )
    commitment = canonical.sha256_bytes((folder.path / "plan.yaml").read_bytes())
    return {
        "evaluate": records.EvaluationRecord(
            onnx_sha256=canonical.sha256_file(folder.path / "model/model.onnx"),
            commitment_sha256=commitment,
            committed_at=TIMES[1],
            started_at=TIMES[30],
            finished_at=TIMES[40],
            runtime="test",
            results=results,
            uses=(),
        ),
        "gate": records.GateDecision(outcome="pass", reasons=(), at=TIMES[41]),
    }


def _graph() -> bytes:
    import numpy as np
    from onnx import TensorProto, helper, numpy_helper

    weights = numpy_helper.from_array(np.array([[1.0, -1.0], [0.5, -0.5]], np.float32), "weights")
    nodes = [
        helper.make_node("MatMul", ["features", "weights"], ["scores"]),
        helper.make_node("Softmax", ["scores"], ["probabilities"], axis=1),
        helper.make_node("ArgMax", ["probabilities"], ["label"], axis=1, keepdims=0),
    ]
    graph = helper.make_graph(
        nodes,
        "small",
        [helper.make_tensor_value_info("features", TensorProto.FLOAT, ["batch", 2])],
        [
            helper.make_tensor_value_info("label", TensorProto.INT64, ["batch"]),
            helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["batch", 2]),
        ],
        [weights],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return bytes(model.SerializeToString(deterministic=True))
