"""Two real versions of a small system as sides of a comparison: real rows, real checks, stored answers."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any
from unittest import mock

from checks import _subject, evaluate
from checks.changes import side as sides
from checks.changes.side import Side
from configs.plan import Plan
from evidence import canonical, records
from evidence.folder import RunFolder
from tests.model_cards import builders

BEGUN = {"a": "2026-11-22T10:00:00Z", "b": "2026-11-23T10:00:00Z"}


def plan(**changes: Any) -> Plan:
    """The diabetes plan, quick; `changes` replace whole sections or, given as a dictionary, fields of them."""
    content = builders.plan_of("binary").model_dump(mode="json")
    content["policy"]["replicates"] = 100
    for section, values in changes.items():
        content[section] = content[section] | values if isinstance(values, dict) else values
    return Plan.model_validate(content)


def build(place: Path, chosen: Plan, letter: str) -> Side:
    """One version: the stages that need no torch, with the answers to the test rows stored as a run stores them."""
    folder = RunFolder(place)
    kept: list[records.ArtifactRef] = []

    def subject(*arguments: Any, **more: Any) -> _subject.Subject:
        kept.extend(evaluate._written(folder, arguments[4]))
        return _subject.Subject(*arguments, **more, artifacts=tuple(kept))

    with mock.patch.object(builders, "subject_of", subject):
        found = builders.build(folder, chosen)
    graph = canonical.sha256([a.sha256 for a in kept])
    closed = _closed(chosen, found.plan_sha256, found.gate.outcome, letter)
    folder.write_record("run.json", closed)
    evaluated = found.evaluate.model_copy(update={"onnx_sha256": graph})
    return sides.of_run(dataclasses.replace(found, close=closed, evaluate=evaluated), folder, None)


def _closed(chosen: Plan, plan_sha256: str, outcome: Any, letter: str) -> records.RunRecord:
    """The record that closes a run."""
    return records.RunRecord(
        run_id=f"run-{letter}",
        system_id=chosen.system.id,
        system_version=chosen.system.version,
        plan_sha256=plan_sha256,
        outcome=outcome,
        started_at=BEGUN[letter],
        finished_at=BEGUN[letter],
        records={},
        ledger_lines=1,
        ledger_head="0" * 64,
        git_commit=None,
        git_dirty=None,
        code_sha256=builders.SHA,
        software={"numpy": "2.4.6"},
        platform="Linux x86_64",
        engine="plain",
    )


def stating(side: Side, *declared: dict[str, Any]) -> Side:
    """The same version, its plan declaring changes beforehand."""
    content = side.plan.model_dump(mode="json") | {"predetermined_changes": list(declared)}
    return dataclasses.replace(side, plan=Plan.model_validate(content))


def with_plan(side: Side, **changes: Any) -> Side:
    """The same version with other values in sections of the plan."""
    content = side.plan.model_dump(mode="json")
    for section, values in changes.items():
        content[section] = content[section] | values
    return dataclasses.replace(side, plan=Plan.model_validate(content))


def given(place: Path, chosen: Plan, letter: str, base: Path) -> Side:
    """One version of predictions without their model: the stages of such a plan."""
    from checks import gate, governance
    from checks import given as checks_of_given
    from evidence import commitment, dossier
    from factory import encoding, ingest, splitting
    from factory import given as taken

    folder = RunFolder(place)
    dataset = ingest.ingest(folder, chosen, base)
    split = splitting.split(folder, chosen, dataset)
    encoded = encoding.encode(folder, chosen, dataset, split)
    said = taken.store(folder, chosen, dataset, encoded)
    digest = canonical.sha256(chosen)
    committed = commitment.commit(chosen, digest, split, builders.SHA)
    measured = checks_of_given.evaluate(folder, chosen, committed, split, encoded, said)
    quality = records.QualityRecord(results=())
    governed = governance.govern(folder, chosen, dataset, split, encoded)
    decided = gate.decide(chosen, [*quality.results, *governed.results, *measured.results])
    closed = _closed(chosen, digest, decided.outcome, letter)
    folder.write_record("run.json", closed)
    found = dossier.Dossier(
        run_id=closed.run_id,
        plan=chosen,
        plan_sha256=digest,
        ingest=dataset,
        validate=quality,
        split=split,
        encode=encoded,
        govern=governed,
        commit=committed,
        evaluate=measured,
        gate=decided,
        predictions=said,
        close=closed,
    )
    return sides.of_run(found, folder, None)
