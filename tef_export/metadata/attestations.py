"""Signed statements about the model (in-toto Statement v1 in DSSE): how it was made, and how its tests ended.

`build`: SLSA provenance v1, the plan as its parameter, data and code as what it was made from. `evaluation`: test
result v0.1, each line of the gate a test. Both are signed with the key that seals the bundle.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from evidence import canonical, language_records, records
from tef_export import contents, dsse, keys
from tef_export.places import BUILD, EVALUATION

STATEMENT = "https://in-toto.io/Statement/v1"
PROVENANCE = "https://slsa.dev/provenance/v1"
TEST_RESULT = "https://in-toto.io/attestation/test-result/v0.1"
BUILD_TYPE = "urn:proofline:assess:v1"
BUILDER = "urn:proofline:builder:v1"
_RESULT = {"pass": "PASSED", "fail": "FAILED", "inconclusive": "WARNED"}
_LIST = {"pass": "passedTests", "fail": "failedTests"}


@dataclasses.dataclass(frozen=True)
class Facts:
    """The records that both statements are made of."""

    run: records.RunRecord
    train: records.TrainingRecord | language_records.LanguageTrainingRecord
    dataset: records.DatasetRef | language_records.CorpusRecord
    gate: records.GateDecision
    plan_sha256: str
    model_sha256: str


def sealed(facts: Facts, key: keys.PrivateKey) -> dict[str, bytes]:
    """Both attestations, signed: place in the bundle to envelope."""
    return {
        place: dsse.seal(canonical.to_bytes(statement), dsse.IN_TOTO, key)
        for place, statement in statements(facts).items()
    }


def statements(facts: Facts) -> dict[str, dict[str, Any]]:
    """Both statements, unsigned: place in the bundle to statement."""
    subject = [{"name": contents.MODEL, "digest": {"sha256": facts.model_sha256}}]
    predicates = {BUILD: (PROVENANCE, _provenance(facts)), EVALUATION: (TEST_RESULT, _test_result(facts))}
    return {
        place: {"_type": STATEMENT, "subject": subject, "predicateType": kind, "predicate": predicate}
        for place, (kind, predicate) in predicates.items()
    }


def _provenance(facts: Facts) -> dict[str, Any]:
    run, train = facts.run, facts.train
    if isinstance(facts.dataset, language_records.CorpusRecord):
        sources = [source for corpus in facts.dataset.corpora for source in corpus.sources]
        whole = {"name": "documents of the corpora", "digest": {"sha256": facts.dataset.documents_sha256}}
    else:
        sources = list(facts.dataset.sources)
        whole = {"name": "rows of the data", "digest": {"sha256": facts.dataset.rows_sha256}}
    materials: list[dict[str, Any]] = [
        *({"name": source.name, "digest": {"sha256": source.sha256}} for source in sources),
        whole,
    ]
    materials.append({"name": "code of proofline", "digest": {"sha256": run.code_sha256}})
    if run.documents_by:
        written_by = {"sha256": run.documents_by.code_sha256}
        materials.append({"name": "code of proofline that wrote the documents", "digest": written_by})
    if run.git_commit:
        materials.append({"name": "source repository", "digest": {"gitCommit": run.git_commit}})
    return {
        "buildDefinition": {
            "buildType": BUILD_TYPE,
            "externalParameters": {"plan": {"name": contents.PLAN, "digest": {"sha256": facts.plan_sha256}}},
            "internalParameters": {"seed": train.seed, "device": train.device, "precision": train.precision},
            "resolvedDependencies": materials,
        },
        "runDetails": {
            "builder": {"id": BUILDER, "version": dict(sorted(run.software.items()))},
            "metadata": {
                "invocationId": run.run_id,
                "startedOn": run.started_at,
                "finishedOn": run.finished_at,
            },
            "byproducts": [
                {"name": "checkpoint", "digest": {"sha256": train.checkpoint.sha256}},
                {"name": contents.EVIDENCE["commit"], "digest": {"sha256": run.records["commit"].sha256}},
            ],
        },
    }


def _test_result(facts: Facts) -> dict[str, Any]:
    """Each line of the gate by its answer; one that is open, or that did not run, is a warning and never a pass."""
    tests = dict[str, list[str]](passedTests=[], warnedTests=[], failedTests=[])
    for reason in facts.gate.reasons:
        tests[_LIST.get(reason.status, "warnedTests")].append(f"{reason.check_id}@{reason.slice}")
    recorded = {"commit": contents.EVIDENCE["commit"], "evaluate": contents.RESULTS, "gate": contents.EVIDENCE["gate"]}
    configuration = [{"name": contents.PLAN, "digest": {"sha256": facts.plan_sha256}}]
    configuration += [
        {"name": place, "digest": {"sha256": facts.run.records[stage].sha256}} for stage, place in recorded.items()
    ]
    return {"result": _RESULT[facts.gate.outcome], "configuration": configuration, **tests}
