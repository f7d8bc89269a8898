"""A bundle whose declared values were really measured on its test rows: by the checks that a re-run uses."""

from __future__ import annotations

import tempfile
from pathlib import Path

import yaml

from checks import gate
from configs import load
from evidence import records
from tef_export import manifest, recipe, rows, verify
from tef_export.rerun import process
from tests.tef_export import making

MEASURED = ("performance.accuracy", "performance.roc_auc", "fairness.demographic_parity_difference", "robustness.noise")


def plan_text(gates: tuple[str, ...] = MEASURED, **bundle: bool) -> str:
    """The embedded use case with gates that nothing fails, and test rows that may leave."""
    plan = yaml.safe_load(load.plan_path("diabetes_progression").read_text(encoding="utf-8"))
    plan["bundle"] |= {"include_test_data": True, "include_groups": True, **bundle}
    plan["policy"]["replicates"] = 200
    slices = {"fairness": plan["data"]["protected"][0]["name"]}
    plan["policy"]["gates"] = [
        {
            "check": name,
            "slice": slices.get(name.partition(".")[0], "overall"),
            **({"at_most": 1.0} if name.endswith("difference") else {"at_least": 0.0001}),
            "rationale": "For a test of the re-run alone.",
            "required": name.startswith("performance."),
        }
        for name in gates
    ]
    return yaml.safe_dump(plan, allow_unicode=True)


def bundle(
    place: Path, key: making.keys.PrivateKey, alter=lambda result: result, select=lambda results: results, **what: bool
) -> making.Made:
    """Measure, then seal what was measured.

    `alter` changes results before they are declared, `select` leaves some out, `what` is the plan's section `bundle`.
    """
    text = plan_text()
    first = making.bundle(place / "first", key, plan=text)
    with verify.opened(first.path, public_key=key.public_key(), at=making.NOW) as found:
        asked = manifest.record(found.files.read(recipe.PLACE), recipe.Recipe, recipe.PLACE)
        part = rows.read(found.files.read(recipe.TEST_ROWS), asked, found.manifest.model)
        with tempfile.TemporaryDirectory() as scratch:
            answer = process.measure(found.files, found.manifest.model, part, Path(scratch))
        plan, critical = found.evidence.plan, [r for r in found.evidence.results.results if r.severity == "critical"]
    results = (critical[0], *(alter(result) for result in select(answer.results)), critical[1])

    def evaluated(record: records.EvaluationRecord) -> records.EvaluationRecord:
        return record.model_copy(update={"results": results})

    def decided(record: records.GateDecision) -> records.GateDecision:
        everything = (*first.dossier.results()[:2], *results)
        made = gate.decide(plan, everything)
        return record.model_copy(update={"reasons": made.reasons, "outcome": made.outcome})

    return making.bundle(place / "second", key, plan=plan_text(**what), change={"evaluate": evaluated, "gate": decided})
