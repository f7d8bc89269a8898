"""What the limited process measures: the checks of the recipe on the rows it was given. Started by `process` alone.

Every check is the one that the provider's run used (`checks`), laid on the received graph under ONNX Runtime. Only the
checks' own parameters come from the plan; where the test rows travel, so do the seeds, and the values are the same.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np

from checks import deployment, fairness, gate, intervals, performance, robustness, scoring, shift, variants
from checks._parts import Parts
from checks._subject import Subject
from configs import errors, load
from configs.plan import Plan
from evidence import arrays, records
from evidence.folder import RunFolder
from tef_export import confine, manifest, recipe, recipe_rules
from tef_export.rerun import process, text_child

FAMILIES: tuple[Callable[[Subject], tuple[records.CheckResult, ...]], ...] = (
    performance.measure,
    fairness.measure,
    robustness.measure,
    shift.measure,
    deployment.measure,
)
"""Families whose checks a recipe may list."""


def main(folder: str) -> None:
    """Measure; the last line on standard output is the answer as JSON. Exit code 2 and a sentence for a refusal."""
    place = Path(folder)
    size = (place / process.MODEL).stat().st_size
    network = confine.this_process(process.CPU_SECONDS, process.MEMORY + 4 * size)
    try:
        answer = text_child.measured(place, network) if (place / process.TEXT).exists() else _measured(place, network)
    except errors.ProoflineError as error:
        confine.say(str(error))
        sys.exit(2)
    confine.say(answer.model_dump_json())


def _measured(place: Path, network: str) -> process.Answer:
    plan = load.parse((place / process.PLAN).read_text(encoding="utf-8"))
    asked = recipe.Recipe.model_validate_json((place / process.RECIPE).read_bytes())
    contract = manifest.ModelContract.model_validate_json((place / process.CONTRACT).read_bytes())
    subject = _subject(place, plan, asked, contract)
    wanted = {check.id for check in asked.checks}
    extremes = all(s.minimum is not None and s.maximum is not None for s in asked.statistics)
    without = set() if extremes else {check.id for check in asked.checks if "training_range" in check.needs}
    results = tuple(result for family in FAMILIES for result in variants.measure(subject, family))
    # What can be measured and is not in the recipe was perhaps left out on purpose: `compare` says so.
    undeclared = {check.id for check in recipe_rules.checks(results)[0]} - {one.id for one in asked.left_out}
    kept = tuple(r for r in results if r.check_id in (wanted | undeclared) - without)
    return process.Answer(runtime=subject.scorer.runtime, limits=network, results=gate.apply(plan, kept))


def _subject(place: Path, plan: Plan, asked: recipe.Recipe, contract: manifest.ModelContract) -> Subject:
    part = _part(place, asked)
    encoded = encoded_data(contract, asked)
    scorer = scoring.open_model(place / process.MODEL, encoded)
    drawn = asked.sampling
    return Subject(
        plan=plan,
        encoded=encoded,
        part=part,
        scorer=scorer,
        scores=scorer(part.x),
        sampling=intervals.Sampling(drawn.level, drawn.replicates, drawn.seed, part.entities),
        parts=Parts(RunFolder(place), encoded, scorer),
        graph=place / process.MODEL,
    )


def encoded_data(contract: manifest.ModelContract, asked: recipe.Recipe) -> records.EncodedData:
    """The contract as the checks know it, with the statistics of the training rows as far as they travel."""
    known = {one.name: one for one in asked.statistics}
    features = []
    for feature in contract.features:
        told = known.get(feature.name)
        features.append(
            records.FeatureSpec(
                name=feature.name,
                kind=feature.kind,
                integer=feature.integer,
                unit=feature.unit,
                categories=feature.categories,
                labels=feature.labels,
                **({} if told is None else told.model_dump(exclude={"name"})),
            )
        )
    return records.EncodedData(
        task=contract.task,
        features=tuple(features),
        classes=contract.classes,
        target=contract.target,
        target_unit=contract.target_unit,
        parts={},
    )


def _part(place: Path, asked: recipe.Recipe) -> arrays.Part:
    names = process.GroupNames.model_validate_json((place / process.GROUPS).read_bytes())
    with np.load(place / process.ROWS, allow_pickle=False) as held:
        return arrays.Part(
            role="test",
            x=held["x"],
            y=held["y"],
            row_digests=np.empty(0, "S64"),
            groups={n: arrays.Groups(held[f"group{i}"], g) for i, (n, g) in enumerate(names.groups.items())},
            entities=held["entities"] if "entities" in held.files else None,
            digests_sha256="0" * 64,
            slices={n: arrays.Groups(held[f"slice{i}"], g) for i, (n, g) in enumerate(names.slices.items())},
        )
