"""Does everything in a bundle speak of the same run, model and documents?

Each claim stands in several places: on the disk, in `bundle.json`, in the evidence, in the run's record, in the
approval. Signatures only show who sealed them; here it is checked that they agree. No public tool does that.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from configs import errors
from configs.language.plan import LanguagePlan
from configs.plan import Plan
from evidence import canonical, language_records, records
from evidence.answers import AnswersRecord
from evidence.reference import ReferenceRecord
from tef_export import approval as approvals
from tef_export import archive, bag, coherence, contents, manifest, places, strict_json
from tef_export.language import reader
from tef_export.language.reader import LanguageEvidence


@dataclasses.dataclass(frozen=True)
class Bundle:
    """An unpacked bundle whose signatures hold."""

    top: str
    root: Path
    files: dict[str, archive.Unpacked]
    packed: Path | None = None
    """The ZIP file, in which a large model stays."""

    def read(self, path: str) -> bytes:
        """Content of a file that was unpacked.

        Raises:
            VerificationError: There is none of that name, or one that is too large to be read whole.
        """
        if path not in self.files:
            raise errors.VerificationError(f"file {path}: expected it in the bundle, got none. Ask for a whole bundle.")
        place = self.place(path)
        if place.path == self.packed:
            contents.check_size(path, place.size)
        with place.path.open("rb") as stream:
            stream.seek(place.offset)
            return stream.read() if place.path != self.packed else stream.read(place.size)

    def place(self, path: str) -> archive.Place:
        """Where the content of a file lies: unpacked, or in the archive."""
        found = self.files[path]
        if found.offset is None or self.packed is None:
            return archive.Place(self.root.joinpath(*path.split("/")), 0, found.size)
        return archive.Place(self.packed, found.offset, found.size)


@dataclasses.dataclass(frozen=True)
class Evidence:
    """The records that the table below compares."""

    plan: Plan
    dataset: records.DatasetRef
    quality: records.QualityRecord
    governance: records.QualityRecord
    split: records.SplitManifest
    commit: records.Commitment
    train: records.TrainingRecord
    model: records.ModelRef
    results: records.EvaluationRecord
    gate: records.GateDecision
    documents: records.DocumentsRecord
    run: records.RunRecord
    approval: records.Approval
    answers: AnswersRecord | None = None

    @property
    def checks(self) -> tuple[records.CheckResult, ...]:
        """Every result of the run, data first."""
        return (*self.quality.results, *self.governance.results, *self.results.results)


AnyEvidence = Evidence | LanguageEvidence
"""The records of a bundle of either kind."""


def check_index(bundle: Bundle, fingerprint: str | None) -> manifest.BundleManifest:
    """Read `bundle.json` and compare its list with the disk, and the signer it names with the key that signed.

    Raises:
        VerificationError: It does not follow the schema, or a file differs from what it says.
    """
    index = manifest.parse(bundle.read(manifest.PLACE))
    coherence.equal("bundle.json, bundle_id", index.bundle_id, bundle.top)
    told = bag.fields(bundle.read("bag-info.txt"))
    coherence.equal("bag-info.txt, External-Identifier", told.get("External-Identifier"), bundle.top)
    coherence.equal("bundle.json, signer_fingerprint", index.signer_fingerprint, fingerprint)
    payload = {path for path in bundle.files if path.startswith("data/")} - {manifest.PLACE, places.CRATE}
    listed = [file.path for file in index.files]
    coherence.equal("bundle.json, files", listed, sorted(payload))
    for file in index.files:
        coherence.equal(f"bundle.json, role of {file.path}", file.role, contents.role(file.path))
        coherence.equal(f"bundle.json, sha256 of {file.path}", file.sha256, bundle.files[file.path].sha256)
        coherence.equal(f"bundle.json, size of {file.path}", file.size, bundle.files[file.path].size)
    coherence.equal("bundle.json, digest of the model", index.digests.model, bundle.files[contents.MODEL].sha256)
    coherence.equal("bundle.json, digest of the plan", index.digests.plan, bundle.files[contents.PLAN].sha256)
    return index


def read_evidence(bundle: Bundle) -> AnyEvidence:
    """Read the plan and every record of the bundle.

    Raises:
        VerificationError: One is no valid record, or the plan is no valid plan.
    """
    place = contents.evidence_of(bundle.files)
    plan = coherence.read_plan(bundle.read(contents.PLAN))
    of_text = isinstance(plan, LanguagePlan)
    coherence.equal("plan, kind of model", of_text, place is contents.LANGUAGE_EVIDENCE)

    def record(path: str, kind: type[manifest.R]) -> manifest.R:
        return manifest.record(bundle.read(path), kind, path)

    if isinstance(plan, LanguagePlan):
        return LanguageEvidence(
            plan=plan,
            dataset=record(place["ingest"], language_records.CorpusRecord),
            cleaning=record(place["clean"], language_records.CleaningRecord),
            quality=record(place["validate"], records.QualityRecord),
            split=record(place["split"], records.SplitManifest),
            tokens=record(place["encode"], language_records.TokenisedData),
            commit=record(place["commit"], records.Commitment),
            train=record(place["train"], language_records.LanguageTrainingRecord),
            model=record(place["export"], language_records.LanguageModelRef),
            results=record(place["evaluate"], records.EvaluationRecord),
            gate=record(place["gate"], records.GateDecision),
            account=record(place["account"], language_records.AccountRecord),
            documents=record(place["document"], records.DocumentsRecord),
            run=record(place["close"], records.RunRecord),
            approval=record(contents.APPROVAL, records.Approval),
            answers=record(place["answers"], AnswersRecord),
        )
    if place["reference"] in bundle.files:
        record(place["reference"], ReferenceRecord)
    return Evidence(
        plan=plan,
        dataset=record(place["ingest"], records.DatasetRef),
        quality=record(place["validate"], records.QualityRecord),
        governance=record(place["govern"], records.QualityRecord),
        split=record(place["split"], records.SplitManifest),
        commit=record(place["commit"], records.Commitment),
        train=record(place["train"], records.TrainingRecord),
        model=record(place["export"], records.ModelRef),
        results=record(place["evaluate"], records.EvaluationRecord),
        gate=record(place["gate"], records.GateDecision),
        documents=record(place["document"], records.DocumentsRecord),
        run=record(place["close"], records.RunRecord),
        approval=record(contents.APPROVAL, records.Approval),
        answers=record(place["answers"], AnswersRecord) if place["answers"] in bundle.files else None,
    )


def check_evidence(bundle: Bundle, index: manifest.BundleManifest, evidence: AnyEvidence) -> None:
    """Compare every digest, name and number that stands in more than one place.

    Raises:
        VerificationError: Naming the first two places that disagree.
    """
    for check in (_check_run, _check_model, _check_commitment, _check_documents, _check_graph):
        check(bundle, index, evidence)
    coherence.check_ledger(bundle.read(contents.LEDGER), evidence.run, evidence.plan)
    coherence.check_times(evidence.run, evidence.commit, evidence.results, evidence.gate)
    coherence.check_identity(index, evidence.plan)
    _check_bag_info(bundle, index)
    if isinstance(evidence, LanguageEvidence):
        reader.check_contract(index, evidence, bundle.read(contents.CONFIG))
        reader.check_tokenizer(bundle.read(contents.TOKENIZER), evidence.model)
        reader.check_uses(evidence)
        reader.check_parity(evidence)
        reader.check_account(evidence)
    else:
        coherence.check_table(index, evidence.plan)
        _check_contract(index, evidence)
        coherence.check_uses(evidence.train, evidence.results, evidence.split)
        coherence.check_parity(evidence.model, evidence.train, evidence.split, evidence.checks)
        _check_properties(bundle, evidence)
    coherence.check_gate(evidence.plan, evidence.gate, evidence.checks)


def check_approval(bundle: Bundle, index: manifest.BundleManifest, evidence: AnyEvidence) -> str:
    """Check the approval's signature and what it is bound to; who approved, in one sentence.

    Raises:
        VerificationError: It was altered, or stands for another run or other documents.
    """
    approval, run = evidence.approval, evidence.run
    approvals.verify_approval(approval)
    coherence.equal("approval, decision", approval.decision, "approved")
    coherence.equal("approval, run", approval.run_id, run.run_id)
    coherence.equal("approval, digest of the run", approval.run_sha256, bundle.files[contents.EVIDENCE["close"]].sha256)
    coherence.equal("approval, digest of the documents", approval.documents_sha256, evidence.documents.digest)
    coherence.equal("bundle.json, digest of the approval", index.digests.approval, canonical.sha256(approval))
    if approval.demonstration and not index.demonstration:
        raise coherence.differs("bundle.json, demonstration", "false", "true, as the approval says")
    coherence.check_decision(approval, run, evidence.gate)
    _check_declaration(bundle, approval)
    coherence.not_before("bundle.json, created", index.created, "the approval", approval.at)
    key = approval.signature.fingerprint[:12] if approval.signature else "none"
    kind = "demonstration approval" if approval.demonstration else "approved"
    waivers = _accepted(approval.waivers)
    if approval.demonstration:
        waivers = f"; {len(approval.waivers)} open gates, accepted by nobody"
    return f"{kind} by {approval.person}, {approval.role}, on {approval.at}, with the key {key}…{waivers}"


def _accepted(waivers: Sequence[records.Waiver]) -> str:
    """What a person accepted and why, under each day until which it holds: mostly there is one day for all."""
    days: dict[str, list[str]] = {}
    for waiver in waivers:
        words = f"{waiver.check_id}@{waiver.slice} ({waiver.reason.rstrip('.')})"
        days.setdefault(waiver.expires, []).append(words)
    return "".join(f"; accepted until {day}: {', '.join(named)}" for day, named in days.items())


def _check_declaration(bundle: Bundle, approval: records.Approval) -> None:
    """The draft of a declaration is the one that the approval names, and none without a name."""
    named = {f"{contents.DECLARATION}/{PurePosixPath(d.path).name}": d.sha256 for d in approval.declaration}
    found = {path: f.sha256 for path, f in bundle.files.items() if path.startswith(f"{contents.DECLARATION}/")}
    for path in sorted({*named, *found}):
        coherence.equal(f"approval, sha256 of {path}", named.get(path), found.get(path))
    if approval.demonstration and named:
        raise coherence.differs("approval, declaration", "a draft beside a demonstration", "none: it approves nothing")


def check_facts(index: manifest.BundleManifest, facts: dict[str, Any]) -> None:
    """Compare the contract of `bundle.json` with the graph itself.

    Raises:
        VerificationError: The graph takes or gives something else.
    """
    contract = index.model.model_dump(mode="json")
    for name in ("opset", "ir_version", "inputs", "outputs"):
        coherence.equal(f"bundle.json, model {name}", contract[name], facts.get(name))


def _check_run(bundle: Bundle, index: manifest.BundleManifest, evidence: AnyEvidence) -> None:
    run = evidence.run
    coherence.equal("bundle.json, run_id", index.run_id, run.run_id)
    coherence.equal(
        "bundle.json, digest of the run", index.digests.run, bundle.files[contents.EVIDENCE["close"]].sha256
    )
    coherence.equal("bundle.json, system id", index.system.id, run.system_id)
    coherence.equal("bundle.json, system version", index.system.version, run.system_version)
    coherence.equal("bundle.json, software", index.software, run.software)
    coherence.equal("bundle.json, gate", index.gate, evidence.gate.outcome)
    coherence.equal("run record, outcome", run.outcome, evidence.gate.outcome)
    coherence.equal("run record, digest of the plan", run.plan_sha256, bundle.files[contents.PLAN].sha256)
    for stage, place in contents.evidence_of(bundle.files).items():
        if isinstance(evidence, Evidence) and stage in contents.LATER and stage not in run.records:
            if place in bundle.files:
                raise coherence.differs(place, "a record that the run does not name", "none")
            continue
        if stage != "close":
            recorded = run.records.get(stage)
            coherence.equal(f"run record, sha256 of {place}", recorded and recorded.sha256, bundle.files[place].sha256)
    if not index.bundle_id.endswith(f"-{index.digests.run[:8]}"):
        raise coherence.differs(
            "bundle.json, bundle_id", index.bundle_id, f"one that ends with {index.digests.run[:8]}"
        )


def _check_bag_info(bundle: Bundle, index: manifest.BundleManifest) -> None:
    told = bag.fields(bundle.read("bag-info.txt"))
    for name, value in {
        "Source-Organization": index.system.provider,
        "External-Description": f"{index.system.name} {index.system.version}",
        "Bagging-Date": index.created[:10],
    }.items():
        coherence.equal(f"bag-info.txt, {name}", told.get(name), " ".join(value.split()))


def _check_model(bundle: Bundle, index: manifest.BundleManifest, evidence: AnyEvidence) -> None:
    model = evidence.model
    references = {
        contents.MODEL: model.onnx,
        **{f"{contents.GOLDEN}/input_{i}.pb": given for i, given in enumerate(model.golden_given)},
        **{f"{contents.GOLDEN}/output_{i}.pb": output for i, output in enumerate(model.golden_outputs)},
    }
    if isinstance(model, language_records.LanguageModelRef):
        references |= {contents.TOKENIZER: model.tokenizer, contents.CONFIG: model.config}
    found = {file.path for file in index.files if file.path.startswith("data/model/")} - set(places.EDGE)
    coherence.equal("model record, files", sorted(references), sorted(found))
    for path, reference in references.items():
        coherence.equal(f"model record, sha256 of {path}", reference.sha256, bundle.files[path].sha256)
        coherence.equal(f"model record, size of {path}", reference.size, bundle.files[path].size)
    coherence.equal(
        "model record, digest of the checkpoint", model.parent_checkpoint_sha256, evidence.train.checkpoint.sha256
    )
    coherence.equal(
        f"{contents.RESULTS}, digest of the model", evidence.results.onnx_sha256, bundle.files[contents.MODEL].sha256
    )


def _check_commitment(bundle: Bundle, index: manifest.BundleManifest, evidence: AnyEvidence) -> None:
    commit, results = evidence.commit, evidence.results
    place = contents.EVIDENCE["commit"]
    # Of what stands in the file: a record of another version has other fields.
    canonical_sha256 = canonical.sha256(strict_json.parse(bundle.read(place), place))
    coherence.equal("bundle.json, digest of the commitment", index.digests.commitment, canonical_sha256)
    coherence.equal("commitment, digest of the plan", commit.plan_sha256, bundle.files[contents.PLAN].sha256)
    coherence.equal("commitment, digest of the split", commit.split_sha256, evidence.split.digest)
    coherence.equal("commitment, digest of the code", commit.code_sha256, evidence.run.code_sha256)
    if commit.split_parts:
        parts = {role: part.digests.sha256 for role, part in evidence.split.parts.items()}
        coherence.equal("commitment, digests of the parts", commit.split_parts, parts)
    if results.commitment_sha256 not in (canonical_sha256, bundle.files[place].sha256):
        raise coherence.differs(
            f"{contents.RESULTS}, digest of the commitment", results.commitment_sha256, "that of the record"
        )
    coherence.equal(f"{contents.RESULTS}, time of the commitment", results.committed_at, commit.at)


def _check_properties(bundle: Bundle, evidence: Evidence) -> None:
    """Each property that was answered is one of the plan's, and its file is here; no other file is."""
    found = {path: file.sha256 for path, file in bundle.files.items() if path.startswith(contents.PROPERTIES)}
    for path, sha256 in found.items():
        coherence.equal(f"{path}, sha256", sha256, PurePosixPath(path).stem)
    wanted = coherence.check_properties(evidence.plan, evidence.results.results)
    coherence.equal("property files", sorted(found.values()), sorted(wanted))


def _check_documents(bundle: Bundle, index: manifest.BundleManifest, evidence: AnyEvidence) -> None:
    recorded = {f"data/{d.path}": d.sha256 for d in evidence.documents.documents}
    found = {file.path: file.sha256 for file in index.files if file.role == "document"}
    for path in sorted(recorded.keys() | found.keys()):
        coherence.equal(f"documents record, sha256 of {path}", recorded.get(path), found.get(path))
    if bundle.files[contents.CARD].sha256 not in found.values():
        raise coherence.differs(contents.CARD, "a card that is none of the documents", "the card that was approved")
    coherence.equal("bundle.json, digest of the documents", index.digests.documents, evidence.documents.digest)


def _check_graph(bundle: Bundle, index: manifest.BundleManifest, evidence: AnyEvidence) -> None:
    contract, model = index.model, evidence.model
    for name in ("opset", "ir_version", "inputs", "outputs"):
        coherence.equal(f"bundle.json, model {name}", getattr(contract, name), getattr(model, name))
    if any(not tensor.shape or isinstance(tensor.shape[0], int) for tensor in (*contract.inputs, *contract.outputs)):
        raise coherence.differs("bundle.json, model inputs and outputs", "a batch of fixed size", "one of any size")


def _check_contract(index: manifest.BundleManifest, evidence: Evidence) -> None:
    contract = index.model
    coherence.equal("bundle.json, model threshold", contract.threshold, evidence.train.threshold)
    if len(contract.inputs) != 1:
        raise coherence.differs("bundle.json, model inputs", f"{len(contract.inputs)}", "one")
    expected = [("float32", len(contract.features))]
    outputs = {output.name: (output.dtype, output.shape[1:]) for output in contract.outputs}
    wanted: dict[str, tuple[str, tuple[str | int, ...]]] = {"prediction": ("float32", (1,))}
    if contract.task != "regression":
        wanted = {"label": ("int64", ()), "probabilities": ("float32", (len(contract.classes),))}
    shape = contract.inputs[0].shape
    coherence.equal(
        "bundle.json, model input", [(contract.inputs[0].dtype, shape[1] if len(shape) == 2 else None)], expected
    )
    coherence.equal("bundle.json, model outputs", outputs, wanted)
