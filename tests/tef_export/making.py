"""Real small runs and bundles for the tests: real records, a real ledger, a small real ONNX graph, real signatures."""

from __future__ import annotations

import base64
import dataclasses
import datetime as dt
import hashlib
import io
import itertools
import json
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np

from configs import bins, load
from configs.answers import AnswersFile
from evidence import answers, arrays, canonical, clock, dossier, ledger, records
from evidence.folder import RunFolder
from evidence.reference import ReferenceRecord
from model_cards.legal import croissant
from tef_export import approval, archive, bag, cades, contents, keys, manifest, oms, places, write

CREATED = "2026-11-20T10:00:00Z"
BEGIN = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)
NOW = dt.datetime(2026, 11, 21, tzinfo=dt.UTC)
ZERO = "0" * 64
CARD = b"---\nlicense: apache-2.0\n---\n# Card\n\nNothing is claimed here.\n"
REPORT = b"<!doctype html><html><head><style>p { color: black }</style></head><body><p>Report</p></body></html>\n"


CROISSANT = {
    "@context": croissant.CONTEXT,
    "@type": "sc:Dataset",
    "conformsTo": "http://mlcommons.org/croissant/1.0",
    "name": "diabetes",
    "description": "Diabetes progression.",
    "identifier": f"sha256:{ZERO}",
    "distribution": [
        {
            "@type": "cr:FileObject",
            "@id": "file-0",
            "name": "diabetes",
            "contentUrl": "diabetes",
            "encodingFormat": "text/csv",
            "sha256": ZERO,
        }
    ],
}


Change = Mapping[str, Callable[[Any], Any]]


@dataclasses.dataclass(frozen=True)
class Made:
    """A bundle and what it was made from."""

    path: Path
    key: keys.PrivateKey
    folder: RunFolder
    dossier: dossier.Dossier
    approval: records.Approval
    written: write.Written


def model(features: int = 10, seed: int = 0, weight: float | None = None):
    """A logistic model as ONNX: missing becomes 0, softmax over two classes, label by argmax."""
    from onnx import TensorProto, helper, numpy_helper

    values = np.random.default_rng(seed).normal(size=(features, 2)).astype(np.float32) / 10
    if weight is not None:
        values[0, 0] = weight
    nodes = [
        helper.make_node("IsNaN", ["features"], ["missing"]),
        helper.make_node("Where", ["missing", "zero", "features"], ["filled"]),
        helper.make_node("MatMul", ["filled", "weights"], ["scores"]),
        helper.make_node("Softmax", ["scores"], ["probabilities"], axis=1),
        helper.make_node("ArgMax", ["probabilities"], ["label"], axis=1, keepdims=0),
    ]
    graph = helper.make_graph(
        nodes,
        "small",
        [helper.make_tensor_value_info("features", TensorProto.FLOAT, ["batch", features])],
        [
            helper.make_tensor_value_info("label", TensorProto.INT64, ["batch"]),
            helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["batch", 2]),
        ],
        [numpy_helper.from_array(values, "weights"), numpy_helper.from_array(np.zeros(1, np.float32), "zero")],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)


def golden(content: bytes, features: int = 10) -> dict[str, bytes]:
    """Golden vectors of a model, file name to content."""
    import onnxruntime
    from onnx import numpy_helper

    x = np.random.default_rng(1).normal(size=(4, features)).astype(np.float32)
    x[0, 0] = np.nan
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    named = {"input_0.pb": ("features", x)}
    for number, output in enumerate(session.get_outputs()):
        named[f"output_{number}.pb"] = (output.name, session.run([output.name], {"features": x})[0])
    return {
        file: numpy_helper.from_array(array, name).SerializeToString(deterministic=True)
        for file, (name, array) in named.items()
    }


def run(path: Path, plan_text: str | None = None, change: Change | None = None) -> tuple[RunFolder, dossier.Dossier]:
    """A closed run folder of the embedded use case, its records made by hand.

    `change` maps a stage to what is done to its record before it is written, and `ledger` to what is done to the
    ledger's lines before the run is closed: everything that is made afterwards fits.
    """
    path.mkdir(parents=True)
    folder = RunFolder(path)
    text = (plan_text or load.plan_path("diabetes_progression").read_text(encoding="utf-8")).encode("utf-8")
    (path / "plan.yaml").write_bytes(text)
    plan, plan_sha256 = load.parse(text.decode("utf-8")), canonical.sha256_bytes(text)
    ticks = (f"2026-11-20T08:{second // 60:02}:{second % 60:02}Z" for second in itertools.count())
    with mock.patch.object(clock, "now", side_effect=ticks):
        return _ran(folder, plan, plan_sha256, change or {})


def _ran(folder: RunFolder, plan, plan_sha256: str, change: Change) -> tuple[RunFolder, dossier.Dossier]:
    path = folder.path
    chain = ledger.Ledger.create(path, {"run_id": path.name, "plan_sha256": plan_sha256})
    found: dict[str, object] = {}
    for stage, made in _records(folder, plan, plan_sha256):
        record = change.get(stage, _same)(made)
        chain.append("started", stage=stage)
        found[stage] = record
        chain.append("finished", stage=stage, record=folder.write_record(dossier.STAGES[stage][0], record))
    closed = change.get("close", _same)(_close(folder, plan, plan_sha256, chain))
    if "ledger" in change:
        closed = closed.model_copy(update=_rewritten(path, change["ledger"]))
        folder.write_record("run.json", closed)
    else:
        chain.append("finished", stage="close", record=folder.write_record("run.json", closed))
    return folder, dossier.Dossier(path.name, plan, plan_sha256, **found, close=closed)  # type: ignore[arg-type]


def _same(record):
    return record


def _rewritten(path: Path, change) -> dict[str, object]:
    """The ledger with changed lines and a chain that holds; its length and end."""
    lines = [json.loads(line) for line in (path / "ledger.jsonl").read_bytes().splitlines()]
    previous, made = ZERO, []
    for line in change(lines) or lines:
        content = canonical.to_bytes({**line, "previous": previous})
        previous = sha(content)
        made.append(content)
    (path / "ledger.jsonl").write_bytes(b"\n".join(made) + b"\n")
    return {"ledger_lines": len(made), "ledger_head": previous}


def approve(folder: RunFolder, found: dossier.Dossier, key: keys.PrivateKey, **changes: object) -> records.Approval:
    """A signed approval of a run."""
    assert found.document is not None
    made = records.Approval(
        run_id=found.run_id,
        run_sha256=canonical.sha256_file(folder.path / "run.json"),
        documents_sha256=found.document.digest,
        decision="approved",
        person="Erika Muster",
        role="compliance officer",
        reason="I have read the report.",
        at="2026-11-20T09:30:00Z",
    )
    return approval.sign_approval(made.model_copy(update=changes), key)


def real_key(name: str = "supplier", begin: dt.datetime = BEGIN, days: int = 1000) -> keys.PrivateKey:
    """A key that is no demonstration key, in memory."""
    return dataclasses.replace(keys.demonstration_key(begin, days=days), demonstration=False)


def bundle(
    place: Path, key: keys.PrivateKey, change: Change | None = None, plan: str | None = None, **approval: object
) -> Made:
    """A whole bundle, sealed over whatever was changed before."""
    folder, found = run(place / "runs" / "diabetes-progression-1", plan, change=change)
    approved = approve(folder, found, key, **approval)
    written = write.write(folder, found, approved, key, place / "bundles", CREATED)
    return Made(written.path, key, folder, found, approved, written)


def unpacked(path: Path) -> tuple[str, dict[str, bytes]]:
    """Top directory, and content of each file by its path below it."""
    with zipfile.ZipFile(path) as opened:
        names = opened.namelist()
        top = names[0].split("/")[0]
        return top, {name.removeprefix(f"{top}/"): opened.read(name) for name in names}


def packed(path: Path, top: str, files: dict[str, bytes]) -> Path:
    """The archive again, in the one form that is read."""
    archive.write(path, top, dict(files))
    return path


def rebagged(files: dict[str, bytes]) -> dict[str, bytes]:
    """Manifests made new for changed content, as somebody without the key could."""
    files = dict(files)
    payload = {path: sha(content) for path, content in files.items() if path.startswith("data/")}
    sizes = [len(content) for path, content in files.items() if path.startswith("data/")]
    fields = bag.fields(files["bag-info.txt"])
    fields.pop("Payload-Oxum")
    files["bag-info.txt"] = bag.bag_info(fields, sizes)
    files[bag.MANIFEST] = bag.manifest(payload)
    files[bag.TAG_MANIFEST] = bag.manifest({name: sha(files[name]) for name in bag.TAG_FILES})
    return files


def resigned(top: str, files: dict[str, bytes], key: keys.PrivateKey, at: str = CREATED) -> dict[str, bytes]:
    """Manifests and both signatures made new: a supplier who signs whatever stands there."""
    files = rebagged(files)
    files[cades.PLACE] = cades.sign(files[bag.TAG_MANIFEST], key, dt.datetime.fromisoformat(at))
    digests = {path: sha(content) for path, content in files.items() if path != oms.PLACE}
    files[oms.PLACE] = oms.sign(digests, top, key)
    return files


def reindexed(files: dict[str, bytes]) -> dict[str, bytes]:
    """`bundle.json` with list, sizes and digests made new for changed content."""
    files = dict(files)
    index = json.loads(files[manifest.PLACE])
    listed = []
    for path in sorted(p for p in files if p.startswith("data/") and p not in (manifest.PLACE, places.CRATE)):
        entry = next((e for e in index["files"] if e["path"] == path), None)
        entry = entry or {"path": path, "role": contents.role(path) or "document", "media_type": "text/plain"}
        listed.append({**entry, "sha256": sha(files[path]), "size": len(files[path])})
    index["files"] = listed
    files[manifest.PLACE] = json.dumps(index).encode()
    return recrated(files)


def recrated(files: dict[str, bytes]) -> dict[str, bytes]:
    """The RO-Crate with what it says of each file made new for changed content, in the writer's order."""
    described = json.loads(files[places.CRATE])
    index = {file["path"]: file for file in json.loads(files[manifest.PLACE])["files"]}
    payload = sorted(p for p in files if p.startswith("data/") and p != places.CRATE)
    kept = [entity for entity in described["@graph"] if entity["@type"] != "File"]
    root = next(entity for entity in kept if entity["@id"] == "./")
    root["hasPart"] = [{"@id": path.removeprefix("data/")} for path in payload]
    own = {"role": "evidence", "media_type": "application/json"}
    kept += [
        {
            "@id": path.removeprefix("data/"),
            "@type": "File",
            "name": path.removeprefix("data/"),
            "description": index.get(path, own)["role"].replace("_", " "),
            "encodingFormat": index.get(path, own)["media_type"],
            "contentSize": str(len(files[path])),
            "sha256": sha(files[path]),
        }
        for path in payload
    ]
    described["@graph"] = kept
    return {**files, places.CRATE: json.dumps(described).encode()}


def edited_statement(content: bytes, key: keys.PrivateKey | None, change) -> bytes:
    """The model signature with its statement changed; signed again where a key is given."""
    from tef_export import signing

    document = json.loads(content)
    envelope = document["dsseEnvelope"]
    statement = json.loads(base64.b64decode(envelope["payload"]))
    statement = change(statement) or statement
    payload = json.dumps(statement, sort_keys=True).encode()
    envelope["payload"] = base64.b64encode(payload).decode()
    if key is not None:
        value = signing.sign(key.private, signing.pre_authentication(envelope["payloadType"], payload))
        envelope["signatures"][0]["sig"] = base64.b64encode(value).decode()
    return json.dumps(document).encode()


def whole(path: Path) -> archive.Place:
    """A whole file as a place."""
    return archive.Place(path, 0, path.stat().st_size)


def sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def raw_rows(names: list[str], low: float = 0.0, high: float = 1.0) -> bytes:
    """A table of numbers in every column, from the smallest to the largest of them, as Parquet."""
    import pyarrow as pa
    from pyarrow import parquet

    target = io.BytesIO()
    parquet.write_table(pa.table({name: np.linspace(low, high, 50) for name in names}), target)
    return target.getvalue()


def _records(folder: RunFolder, plan, plan_sha256: str):
    """Records of all stages but the last, in order."""
    table = folder.write_bytes("data/table.parquet", raw_rows([c.name for c in plan.data.columns]))
    rows = np.sort(np.array([sha(bytes([i])) for i in range(100)], "S64"))
    digests = folder.write_bytes("data/rows.txt", arrays.lines_of_rows(rows))
    names = [column.name for column in plan.data.features]
    columns = tuple(records.ColumnSchema(name=n, kind="numeric", role="feature", missing=0, distinct=9) for n in names)
    yield (
        "ingest",
        records.DatasetRef(
            title=plan.data.provenance.title,
            sources=(records.SourceFile(name="diabetes", sha256=ZERO, size=1),),
            table=table,
            rows=442,
            columns=columns,
            schema_sha256=ZERO,
            rows_sha256=ZERO,
            duplicate_rows=0,
        ),
    )
    check = records.CheckResult(check_id="data_quality.types", title="Types", status="pass", reason="as declared")
    yield "validate", records.QualityRecord(results=(check,))
    part = records.SplitPart(rows=100, digests=digests, class_counts={"0": 50, "1": 50})
    split = records.SplitManifest(
        seed=0, method="hash", parts=dict.fromkeys(("train", "validation", "test"), part), assignment=table
    )
    yield "split", split
    features = tuple(_feature(column) for column in plan.data.features)
    encoded = encoded_part(folder, plan, rows)
    yield (
        "encode",
        records.EncodedData(
            task="binary",
            features=features,
            classes=(plan.data.target.negative_label, plan.data.target.positive_label),
            target="target",
            parts=dict.fromkeys(("train", "validation", "test"), encoded),
        ),
    )
    yield "govern", records.QualityRecord(results=(check,))
    commit = records.Commitment(
        plan_sha256=plan_sha256,
        policy_sha256=canonical.sha256(plan.policy),
        split_sha256=split.digest,
        code_sha256=ZERO,
        at="2026-11-20T08:00:01.500000Z",
    )
    yield "commit", commit
    checkpoint = folder.write_bytes("training/best.safetensors", b"checkpoint bytes")
    cost = records.Quantity(value=None, unit="J", method="not metered", boundary="process")
    yield (
        "train",
        records.TrainingRecord(
            checkpoint=checkpoint,
            architecture={"family": "residual_mlp"},
            parameters=20,
            epochs=1,
            best_epoch=1,
            seed=0,
            device="cpu",
            precision="fp32",
            hardware="CPU",
            software={},
            rows_per_second=1.0,
            seconds=1.0,
            flops=cost,
            energy=cost,
            curve=(),
            threshold=records.DecisionThreshold(value=0.5, criterion="stated"),
            uses=(_use("fit", "train", digests), _use("early stopping", "validation", digests)),
        ),
    )
    exported = _export(folder, len(names), checkpoint.sha256)
    yield "export", exported
    results = tuple(_result(check, plan) for check in dict.fromkeys(gate.check for gate in plan.policy.gates))
    critical = (_critical("export.parity", 1e-4), _critical("data.leakage", 0.0))
    yield (
        "evaluate",
        records.EvaluationRecord(
            onnx_sha256=exported.onnx.sha256,
            commitment_sha256=canonical.sha256(commit),
            committed_at=commit.at,
            started_at="2026-11-20T08:05:00Z",
            finished_at="2026-11-20T08:06:00Z",
            runtime="ONNX Runtime, CPU",
            results=(critical[0], *results, critical[1]),
            uses=(_use("evaluation", "test", digests),),
        ),
    )
    reasons = [
        records.GateReason(
            check_id=g.check, slice=g.slice, status="pass", required=g.required, text="as asked, n = 100"
        )
        for g in plan.policy.gates
    ]
    reasons += [
        records.GateReason(check_id=r.check_id, slice="overall", status="pass", required=True, text=r.reason)
        for r in critical
    ]
    yield "gate", records.GateDecision(outcome="pass", reasons=tuple(reasons), at="2026-11-20T08:07:00Z")
    yield "reference", ReferenceRecord(part="train", rows=300, least=20, inputs=())
    yield "answers", answers.settle(folder.run_id, plan, AnswersFile(version=1, system=plan.system.id), {})
    documents = (
        folder.write_bytes("documents/README.md", CARD),
        folder.write_bytes("documents/croissant.json", json.dumps(CROISSANT).encode()),
        folder.write_bytes("documents/report.html", REPORT),
    )
    yield "document", records.DocumentsRecord(documents=documents, gaps=("contact of the provider",))


def encoded_part(folder: RunFolder, plan, row_digests: np.ndarray) -> records.EncodedPart:
    """Arrays of as many rows as there are digests: every third value missing, groups and slices of every kind."""
    random, count = np.random.default_rng(3), len(row_digests)
    x = random.normal(30, 9, (count, len(plan.data.features))).astype(np.float32)
    for j, column in enumerate(plan.data.features):
        if column.kind == "categorical":
            x[:, j] = random.integers(0, len(column.allowed), count)
    x[random.random(x.shape) < 0.3] = np.nan

    def members(name: str, groups: tuple[str, ...]) -> records.GroupColumn:
        codes = random.integers(-1, len(groups), count).astype(np.int16)
        file = f"data/{name.replace(' × ', '+')}.npy"
        return records.GroupColumn(codes=arrays.save(folder, file, codes), names=groups)

    single = {a.name: members(a.name, _groups(plan, a)) for a in plan.data.protected}
    joint = {}
    for names in plan.data.intersections:
        found = [arrays.open_array(folder, single[n].codes) for n in names]
        several = list(itertools.product(*(single[n].names for n in names)))
        place = {text: i for i, text in enumerate(" × ".join(s) for s in several)}
        codes = [
            -1 if min(row) < 0 else place[" × ".join(single[n].names[c] for n, c in zip(names, row, strict=True))]
            for row in zip(*found, strict=True)
        ]
        file = f"data/{'+'.join(names)}.npy"
        column = arrays.save(folder, file, np.array(codes, np.int16))
        joint[" × ".join(names)] = records.GroupColumn(codes=column, names=tuple(place))
    slices = {
        s.column: members(f"slice-{s.column}", bins.bin_names(s.bins)) for s in plan.policy.robustness.shift.columns
    }
    return records.EncodedPart(
        rows=count,
        x=arrays.save(folder, "data/x.npy", x),
        y=arrays.save(folder, "data/y.npy", random.integers(0, 2, count)),
        row_digests=arrays.save(folder, "data/row_digests.npy", row_digests),
        groups=single | joint,
        entities=arrays.save(folder, "data/entities.npy", random.integers(0, 40, count)) if plan.data.entity else None,
        slices=slices,
    )


def _groups(plan, attribute) -> tuple[str, ...]:
    column = plan.data.column(attribute.column)
    if attribute.bins:
        return bins.bin_names(attribute.bins)
    return tuple(attribute.groups) or tuple(column.labels.get(v, v) for v in column.allowed)


def _feature(column) -> records.FeatureSpec:
    if column.kind == "categorical":
        labels = {value: column.labels[value] for value in column.allowed if value in column.labels}
        return records.FeatureSpec(name=column.name, kind="categorical", categories=column.allowed, labels=labels)
    return records.FeatureSpec(name=column.name, kind="numeric", unit=column.unit, minimum=0, maximum=1, mean=0, std=1)


def _use(step: str, role: records.Role, digests: records.ArtifactRef) -> records.DataUse:
    return records.DataUse(step=step, role=role, rows=100, digests_sha256=digests.sha256)


def _result(check: str, plan) -> records.CheckResult:
    """A result that is clearly on the right side of each of its gates."""
    gates = [gate for gate in plan.policy.gates if gate.check == check]
    return records.CheckResult(
        check_id=check,
        title=check,
        status="pass",
        reason="as asked",
        measures=tuple(
            records.Measure(
                name=check,
                value=value,
                interval=records.Interval(low=value, high=value, level=0.95, method="exact"),
                n=100,
                slice=gate.slice,
                split="test",
            )
            for gate in gates
            for value in [gate.at_least if gate.at_least is not None else gate.at_most]
        ),
    )


def _critical(check: str, limit: float) -> records.CheckResult:
    return records.CheckResult(
        check_id=check,
        title=check,
        status="pass",
        severity="critical",
        reason="measured 0",
        measures=(records.Measure(name=check, value=0.0, n=100),),
        threshold=records.Threshold(at_most=limit),
    )


def _export(folder: RunFolder, features: int, checkpoint: str) -> records.ModelRef:
    content = model(features).SerializeToString(deterministic=True)
    vectors = golden(content, features)
    written = {name: folder.write_bytes(f"model/test_data_set_0/{name}", value) for name, value in vectors.items()}
    return records.ModelRef(
        onnx=folder.write_bytes("model/model.onnx", content),
        inputs=(records.TensorSpec(name="features", dtype="float32", shape=("batch", features)),),
        outputs=(
            records.TensorSpec(name="label", dtype="int64", shape=("batch",)),
            records.TensorSpec(name="probabilities", dtype="float32", shape=("batch", 2)),
        ),
        opset=18,
        ir_version=8,
        parent_checkpoint_sha256=checkpoint,
        operators=("ArgMax", "IsNaN", "MatMul", "Softmax", "Where"),
        parity=records.Parity(
            rows=100, split="validation", max_abs_difference=0.0, label_agreement=1.0, tolerance=1e-4
        ),
        golden_input=written["input_0.pb"],
        golden_outputs=(written["output_0.pb"], written["output_1.pb"]),
        exporter="onnx.helper",
    )


def _close(folder: RunFolder, plan, plan_sha256: str, chain: ledger.Ledger) -> records.RunRecord:
    finished = {stage: chain.finished(stage) for stage in dossier.STAGES if stage != "close"}
    return records.RunRecord(
        run_id=folder.run_id,
        system_id=plan.system.id,
        system_version=plan.system.version,
        plan_sha256=plan_sha256,
        outcome="pass",
        started_at=chain.lines[0].at,
        finished_at="2026-11-20T09:00:00Z",
        records={stage: reference for stage, reference in finished.items() if reference},
        ledger_lines=len(chain.lines),
        ledger_head=chain.head,
        git_commit=None,
        git_dirty=None,
        code_sha256=ZERO,
        software={"proofline": "0.1.0"},
        platform="Linux x86_64",
        engine="plain",
    )
