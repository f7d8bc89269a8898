"""Real ONNX graphs and real encoded data in a run folder, for the tests of what is measured on them."""

from __future__ import annotations

import dataclasses
import hashlib
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from configs.plan import Plan
from evidence import arrays, canonical, records
from evidence.folder import RunFolder

OPSET, IR = 20, 10


def linear_graph(
    path: Path,
    coefficients: np.ndarray,
    intercept: np.ndarray,
    *,
    fill: np.ndarray | None = None,
    threshold: float = 0.5,
) -> None:
    """A linear model under the contract: missing cells are filled, then Gemm, then Softmax and the label.

    One column of coefficients is a regressor, two a binary classifier with a threshold in the graph, more a multi-class
    one with ArgMax.
    """
    features, outputs = coefficients.shape
    fill = np.zeros(features) if fill is None else fill
    constants = {"fill": fill, "weights": coefficients, "bias": intercept, "threshold": np.array(threshold)}
    nodes = [
        helper.make_node("IsNaN", ["features"], ["absent"]),
        helper.make_node("Where", ["absent", "fill", "features"], ["filled"]),
        helper.make_node("Gemm", ["filled", "weights", "bias"], ["prediction" if outputs == 1 else "logits"]),
    ]
    found = [helper.make_tensor_value_info("prediction", TensorProto.FLOAT, ["batch", 1])]
    if outputs > 1:
        nodes += [helper.make_node("Softmax", ["logits"], ["probabilities"], axis=1), *_label(outputs)]
        constants |= {"one": np.array(1), "axis": np.array([1])}
        found = [
            helper.make_tensor_value_info("label", TensorProto.INT64, ["batch"]),
            helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["batch", outputs]),
        ]
    save(path, nodes, features, found, constants)


def _label(outputs: int) -> list[onnx.NodeProto]:
    if outputs > 2:
        return [helper.make_node("ArgMax", ["probabilities"], ["label"], axis=1, keepdims=0)]
    return [
        helper.make_node("Gather", ["probabilities", "one"], ["positive"], axis=1),
        helper.make_node("GreaterOrEqual", ["positive", "threshold"], ["above"]),
        helper.make_node("Cast", ["above"], ["label"], to=TensorProto.INT64),
    ]


def save(
    path: Path,
    nodes: list[onnx.NodeProto],
    features: int,
    outputs: list[onnx.ValueInfoProto],
    constants: dict[str, np.ndarray],
) -> None:
    """Write a checked graph with the input of the contract."""
    initializers = [
        numpy_helper.from_array(v.astype(np.int64 if k in ("one", "axis") else np.float32), k)
        for k, v in constants.items()
        if any(k in node.input for node in nodes)
    ]
    graph = helper.make_graph(
        nodes,
        "model",
        [helper.make_tensor_value_info("features", TensorProto.FLOAT, ["batch", features])],
        outputs,
        initializers,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR)
    onnx.checker.check_model(model, full_check=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(model.SerializeToString())


@dataclasses.dataclass(frozen=True)
class Case:
    """A run folder as it stands before the evaluation."""

    folder: RunFolder
    plan: Plan
    commitment: records.Commitment
    split: records.SplitManifest
    encoded: records.EncodedData
    model: records.ModelRef

    @property
    def arguments(self) -> tuple[object, ...]:
        """What `evaluate.evaluate` takes."""
        return (self.folder, self.plan, self.commitment, self.split, self.encoded, self.model)


QUICK = {"attack": {"auto_steps": 5, "queries": 10}}
"""Attacks that take no time."""


def plan(task: str = "binary", gates: list[dict] | None = None, **policy: object) -> Plan:
    """A plan with two protected attributes and their intersection, and quick attacks."""
    target = {
        "binary": {"task": "binary", "positive": ["yes"], "negative": ["no"]},
        "multiclass": {"task": "multiclass", "classes": ["a", "b", "c"]},
        "regression": {"task": "regression", "unit": "mm"},
    }[task]
    default = {"check": "performance.r2" if task == "regression" else "performance.accuracy", "at_least": 0.5}
    return Plan.model_validate(
        {
            "version": 1,
            "system": {
                "id": "case", "name": "Case", "version": "1", "provider": {"name": "Provider"},
                "intended_purpose": "To be measured.",
            },
            "classification": {},
            "data": {
                "source": {"kind": "sklearn", "name": "iris"},
                "provenance": {"title": "Simulated"},
                "target": target,
                "columns": [
                    *({"name": f"f{j}", "kind": "numeric"} for j in range(4)),
                    {"name": "sex", "kind": "categorical", "role": "protected"},
                    {"name": "region", "kind": "categorical", "role": "protected"},
                    {"name": "y", "kind": "numeric" if task == "regression" else "categorical", "role": "target"},
                ],
                "protected": [
                    {"name": "sex", "column": "sex", "use_in_model": False},
                    {"name": "region", "column": "region", "use_in_model": False},
                ],
                "intersections": [["sex", "region"]],
            },
            "policy": {"gates": gates or [default], "robustness": QUICK, **policy},
        }
    )  # fmt: skip


def features(x: np.ndarray, **changes: dict[int, object]) -> tuple[records.FeatureSpec, ...]:
    """Numeric feature specifications from training rows; `changes` maps a field to feature index and value."""
    specs = [
        records.FeatureSpec(
            name=f"f{j}",
            kind="numeric",
            minimum=float(np.nanmin(column)),
            maximum=float(np.nanmax(column)),
            mean=float(np.nanmean(column)),
            std=float(np.nanstd(column)) or 1.0,
            median=float(np.nanmedian(column)),
        )
        for j, column in enumerate(x.T)
    ]
    for field, values in changes.items():
        for j, value in values.items():
            specs[j] = specs[j].model_copy(update={field: value})
    return tuple(specs)


def case(
    place: Path,
    chosen: Plan,
    x: np.ndarray,
    y: np.ndarray,
    groups: dict[str, tuple[np.ndarray, tuple[str, ...]]],
    *,
    specs: tuple[records.FeatureSpec, ...] | None = None,
    entities: np.ndarray | None = None,
) -> Case:
    """Write the test part and name the graph, which must stand in `model/model.onnx` of the folder already."""
    folder, task = RunFolder(place), chosen.data.target.task
    digests = np.array([hashlib.sha256(str(i).encode()).hexdigest().encode() for i in range(len(y))], dtype="S64")
    part = records.EncodedPart(
        rows=len(y),
        x=arrays.save(folder, "data/test/x.npy", x.astype(np.float32)),
        y=arrays.save(folder, "data/test/y.npy", y.astype(np.float32 if task == "regression" else np.int64)),
        row_digests=arrays.save(folder, "data/test/rows.npy", digests),
        groups={
            name: records.GroupColumn(
                codes=arrays.save(folder, f"data/test/group{i}.npy", codes.astype(np.int16)), names=names
            )
            for i, (name, (codes, names)) in enumerate(groups.items())
        },
        entities=None if entities is None else arrays.save(folder, "data/test/entities.npy", entities.astype(np.int64)),
    )
    encoded = records.EncodedData(
        task=task,
        features=specs or features(x),
        classes={"binary": ("no", "yes"), "multiclass": ("a", "b", "c"), "regression": ()}[task],
        target="y",
        target_unit=chosen.data.target.unit,
        parts={"test": part},
    )
    listed = folder.write_bytes("data/test.txt", arrays.lines_of_rows(digests))
    split = records.SplitManifest(
        seed=0, method="hash", parts={"test": records.SplitPart(rows=len(y), digests=listed)}, assignment=listed
    )
    return Case(folder, chosen, _commitment(split), split, encoded, model_ref(folder))


def model_ref(folder: RunFolder) -> records.ModelRef:
    """The record of `model/model.onnx`."""
    onnx_file = folder.reference("model/model.onnx")
    return records.ModelRef(
        onnx=onnx_file,
        inputs=(),
        outputs=(),
        opset=OPSET,
        ir_version=IR,
        parent_checkpoint_sha256="0" * 64,
        operators=(),
        parity=records.Parity(rows=1, split="test", max_abs_difference=0, label_agreement=1, tolerance=1e-5),
        golden_input=onnx_file,
        golden_outputs=(),
        exporter="test",
    )


def _commitment(split: records.SplitManifest) -> records.Commitment:
    zero = canonical.sha256_bytes(b"")
    return records.Commitment(
        plan_sha256=zero, policy_sha256=zero, split_sha256=split.digest, code_sha256=zero, at="2026-01-01T00:00:00Z"
    )


def simulated(rows: int, features_: int, seed: int, *, classes: int = 2) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Inputs, coefficients (features, classes) and labels drawn from that very model."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, features_)).astype(np.float32)
    coefficients = rng.normal(size=(features_, classes)) * 0.8
    logits = x @ coefficients
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    y = (shares.cumsum(axis=1) < rng.random((rows, 1))).sum(axis=1)
    return x, coefficients, np.minimum(y, classes - 1)


def membership(rows: int, seed: int, *, rare: int = 0) -> dict[str, tuple[np.ndarray, tuple[str, ...]]]:
    """Groups of two attributes and their intersection; `rare` rows are of a third sex, and some regions are missing."""
    rng = np.random.default_rng(seed)
    sexes, regions = ("female", "male", "other"), ("north", "south")
    sex, region = rng.integers(0, 2, rows), rng.choice([-1, 0, 1], size=rows, p=[0.05, 0.35, 0.6])
    sex[:rare] = 2
    if not rare:
        sexes = sexes[:2]
    both = np.where(region >= 0, sex * len(regions) + region, -1)
    names = tuple(f"{s} × {r}" for s in sexes for r in regions)
    return {"sex": (sex, sexes), "region": (region, regions), "sex × region": (both, names)}
