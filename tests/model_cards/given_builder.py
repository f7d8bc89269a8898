"""A dossier of given predictions: real measurements, the real stages, and gates with settings of their own."""

from __future__ import annotations

from pathlib import Path

from configs.plan import Plan
from evidence import canonical, commitment, records
from evidence.dossier import Dossier
from evidence.folder import RunFolder
from tests.flows import prediction_plans

SHA = "0f" * 32


def plan() -> Plan:
    """The plan of the tests with a level, an owner and a meaning of inconclusive."""
    content = prediction_plans.plan()
    content["policy"]["gates"] = [
        {"check": "performance.roc_auc", "at_least": 0.6, "owner": "Head of testing"},
        {"check": "performance.accuracy", "at_least": 0.75, "confidence": 0.99, "inconclusive": "reports"},
        {
            "check": "fairness.equal_opportunity_difference", "slice": "sex", "at_most": 0.2, "minimum_group_size": 40,
            "rationale": "Nobody must be overlooked.",
        },
    ]  # fmt: skip
    return Plan.model_validate(content)


def build(place: Path) -> Dossier:
    """Take the predictions through the stages, quality checks apart."""
    from checks import gate, given, governance
    from factory import encoding, ingest, splitting
    from factory import given as factory

    prediction_plans.write(place)
    chosen, folder = plan(), RunFolder(place / "run")
    dataset = ingest.ingest(folder, chosen, place)
    split = splitting.split(folder, chosen, dataset)
    encoded = encoding.encode(folder, chosen, dataset, split)
    said = factory.store(folder, chosen, dataset, encoded)
    governed = governance.govern(folder, chosen, dataset, split, encoded)
    fixed = commitment.commit(chosen, SHA, split, SHA)
    measured = given.evaluate(folder, chosen, fixed, split, encoded, said)
    results = (given.parity(), *measured.results, given.leakage(chosen))
    return Dossier(
        run_id="given-test",
        plan=chosen,
        plan_sha256=canonical.sha256(chosen),
        ingest=dataset,
        validate=records.QualityRecord(results=()),
        split=split,
        encode=encoded,
        govern=governed,
        commit=fixed,
        evaluate=measured.model_copy(update={"results": results}),
        gate=gate.decide(chosen, [*governed.results, *results]),
        predictions=said,
    )
