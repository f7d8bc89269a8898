"""Do the records of a bundle agree with each other and with the plan, not only in their digests?

A supplier could seal a gate that passes although its lines do not, a decision dated before the run, or an index that
names another purpose than the plan. Each rule here compares two places that must say the same. Where a rule and the
gate could differ in a case that was not thought of, the rule asks for less than the gate does: it never accepts a pass
that the numbers do not carry.
"""

from __future__ import annotations

import collections
import datetime as dt
import itertools
import math
from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath
from typing import Any

from configs import errors, policy
from configs.data import Column
from configs.language.load import AnyPlan, parse_any
from configs.plan import Plan
from evidence import canonical, ledger, records
from evidence.dossier import stages_of
from tef_export import contents, manifest, real_world, strict_json

TOLERANCE = 1e-4
"""Largest difference of a probability, or of a prediction in standard deviations of the training target."""
OWN_SAY = ("data.", "export.")
"""Families of checks that count at the gate by their own status, whatever the policy asks."""
PROPERTIES = "robustness.properties"
"""The plan's declared properties: they count like a required gate wherever some are declared."""
CRITICAL = ("data.leakage", "export.parity")
"""Checks without which no result can be relied on."""
LONGEST_WAIVER = dt.timedelta(days=366)
LARGEST_PLAN = 512 << 10
"""Bytes; a plan has some thousand."""
LARGEST_LINE = 1 << 20
_SEVEREST: tuple[records.Status, ...] = ("fail", "not_measured", "not_applicable", "inconclusive", "pass")
Key = tuple[str, str]
"""Check and slice."""


def read_plan(content: bytes) -> AnyPlan:
    """The plan of a bundle.

    Raises:
        VerificationError: It is too large, or no valid plan.
    """
    if len(content) > LARGEST_PLAN:
        raise differs(contents.PLAN, f"{len(content)} bytes", f"at most {LARGEST_PLAN}")
    try:
        return parse_any(content.decode("utf-8"), contents.PLAN)
    except UnicodeDecodeError:
        raise differs(contents.PLAN, "other bytes", "UTF-8 text") from None
    except errors.PlanError as error:
        raise errors.VerificationError(f"{str(error).splitlines()[0]} Do not use the bundle.") from None


def check_identity(index: manifest.BundleManifest, plan: AnyPlan) -> None:
    """Compare what `bundle.json` says about the system with the plan.

    Raises:
        VerificationError: Naming the field that differs.
    """
    system = plan.system
    equal("bundle.json, system id", index.system.id, system.id)
    equal("bundle.json, system name", index.system.name, system.name)
    equal("bundle.json, system version", index.system.version, system.version)
    equal("bundle.json, provider", index.system.provider, system.provider.name)
    equal("bundle.json, intended purpose", index.system.intended_purpose, system.intended_purpose)
    equal("bundle.json, test environment", index.test_environment, plan.bundle.test_environment)
    equal("bundle.json, papers of the real-world test", index.real_world, manifest.RealWorldPapers.of(plan))
    if missing := real_world.missing_papers(plan):
        raise errors.VerificationError(missing)


def check_table(index: manifest.BundleManifest, plan: Plan) -> None:
    """Compare what `bundle.json` says about features, classes and thresholds with the plan of a model on tables.

    Raises:
        VerificationError: Naming the field that differs.
    """
    contract, target = index.model, plan.data.target
    equal("bundle.json, contract of a language model", contract.language, None)
    equal("bundle.json, task", contract.task, target.task)
    equal("bundle.json, target", contract.target, plan.data.target_column.name)
    equal("bundle.json, unit of the target", contract.target_unit, target.unit if target.task == "regression" else None)
    equal("bundle.json, classes", contract.classes, _classes(plan))
    equal("bundle.json, features", [f.name for f in contract.features], [c.name for c in plan.data.features])
    for feature, column in zip(contract.features, plan.data.features, strict=True):
        _check_feature(feature, column)
    stated, used = plan.training.threshold, contract.threshold
    is_stated = isinstance(stated, float) and target.task == "binary"
    if is_stated and not (used is not None and math.isclose(used.value, float(stated), rel_tol=1e-6)):
        raise differs("bundle.json, model threshold", str(used and used.value), f"{stated}, as the plan states")
    _check_group_thresholds(used, plan)


def _check_group_thresholds(used: records.DecisionThreshold | None, plan: Plan) -> None:
    """The graph cuts groups apart exactly where the plan says that their attribute may decide in operation."""
    groups, stated = used.groups if used is not None else None, plan.mitigation
    allowed = stated.method == "threshold_optimizer" and stated.attribute_in_operation
    if (groups is not None) != allowed:
        found = "none" if groups is None else f"some by {groups.attribute}"
        raise differs("bundle.json, thresholds of groups", found, "those that the plan allows")
    if groups is not None:
        equal("bundle.json, attribute of the thresholds", groups.attribute, stated.attribute)
        columns = {attribute.name: attribute.column for attribute in plan.data.protected}
        equal("bundle.json, feature of the thresholds", groups.feature, columns.get(str(stated.attribute)))


def check_gate(plan: AnyPlan, decision: records.GateDecision, results: Sequence[records.CheckResult]) -> None:
    """Does the outcome follow from the lines of the gate, and do these follow from the plan and the results?

    Args:
        plan: The plan.
        decision: The gate's decision.
        results: Every result of the run: quality, governance, evaluation.

    Raises:
        VerificationError: A line is missing, one too many, not required although it must be, or better than its
            results.
    """
    required = [reason.status for reason in decision.reasons if reason.required]
    outcome = "fail" if "fail" in required else "pass" if all(s == "pass" for s in required) else "inconclusive"
    equal("gate, outcome", decision.outcome, f"{outcome}")
    own = [result for result in results if result.check_id.startswith(OWN_SAY) or _declared(result)]
    asked = [(gate.check, gate.slice) for gate in plan.policy.gates]
    _same_lines(decision, [*asked, *((r.check_id, _slice(r)) for r in own)])
    _check_required(decision, plan, own)
    for gate in plan.policy.gates:
        _check_carried(gate, plan.policy, decision, results)
    for result in own:
        lines = [r for r in decision.reasons if _key(r) == (result.check_id, _slice(result))]
        if not any(line.status == result.status for line in lines):
            raise differs(f"gate, {result.check_id}", " and ".join(line.status for line in lines), result.status)
    _check_statuses(decision, results)


def check_uses(train: records.TrainingRecord, results: records.EvaluationRecord, split: records.SplitManifest) -> None:
    """Each step read one whole part of the split, and only the evaluation read the test part.

    Raises:
        VerificationError: Another step read test rows, or rows that are no part of the split.
    """
    for use in (*train.uses, *results.uses):
        if use.role == "test" and (use.step != "evaluation" or use in train.uses):
            raise differs(f"step {use.step}", "a reading of the test part", "none: only the evaluation reads it")
        part = split.parts.get(use.role)
        equal(f"step {use.step}, rows of {use.role}", use.rows, part and part.rows)
        equal(f"step {use.step}, digest of {use.role}", use.digests_sha256, part and part.digests.sha256)
    if train.threshold is not None and train.threshold.chosen_on == "test":
        raise differs("training record, threshold", "chosen on test", "chosen on validation, or stated")


def check_parity(
    model: records.ModelRef,
    train: records.TrainingRecord,
    split: records.SplitManifest,
    results: Iterable[records.CheckResult],
) -> None:
    """The graph agreed with its source within the tolerance of the format, and the results say the same.

    Raises:
        VerificationError: It did not, or the tolerance is another.
    """
    parity, width = model.parity, train.architecture.get("target_std", 1.0)
    limit = TOLERANCE * width if isinstance(width, int | float) else 0.0
    if not parity.tolerance <= limit * (1 + 1e-9):
        raise differs("model record, tolerance of the parity", f"{parity.tolerance:g}", f"at most {limit:g}")
    found = max(parity.max_abs_difference, parity.max_batch_difference or 0.0)
    if not 0 <= found <= parity.tolerance:
        raise differs("model record, parity", f"a difference of {found:g}", f"at most {parity.tolerance:g}")
    if not 0 <= 1.0 - parity.label_agreement <= TOLERANCE:
        raise differs("model record, parity", f"{parity.label_agreement:.2%} equal labels", "100 %")
    part = split.parts.get(parity.split)
    equal("model record, rows of the parity", parity.rows, part and part.rows)
    for result in results:
        if result.check_id == "export.parity" and result.measures:
            equal("result export.parity", result.measures[0].value, parity.max_abs_difference)


def check_properties(plan: Plan, results: Iterable[records.CheckResult]) -> set[str]:
    """The plan's declared properties are answered, one by one, and the check says what the answers come to.

    Returns:
        Digests of the property files that were read, which must be in the bundle.

    Raises:
        VerificationError: A property was left out or exchanged, or one is answered whose file was not kept.
    """
    declared, of_them = plan.policy.robustness.properties, [r for r in results if _declared(r)]
    equal(f"results of {PROPERTIES}", len(of_them), 1 if declared else 0)
    if not declared:
        return set()
    (result,) = of_them
    kept = {artifact.sha256 for artifact in result.artifacts}
    told = result.details.get("properties")
    rows = [row for row in told if isinstance(row, dict)] if isinstance(told, list) else []
    if result.status == "not_measured" and not rows and not kept:
        return set()
    wanted = [(PurePosixPath(one.file).name, one.sha256) for one in declared]
    equal(f"result {PROPERTIES}, properties", [(row.get("name"), row.get("sha256")) for row in rows], wanted)
    answers = [str(row.get("answer")) for row in rows]
    status = "fail" if "violated" in answers else "pass" if set(answers) == {"holds"} else "inconclusive"
    if not any(gate.check == PROPERTIES for gate in plan.policy.gates):
        equal(f"result {PROPERTIES}, status", result.status, status)
    value = result.measures[0].value if result.measures else None
    equal(f"result {PROPERTIES}, value", value, answers.count("holds") / len(answers))
    answered = {one.sha256 for one, answer in zip(declared, answers, strict=True) if answer in ("holds", "violated")}
    if not answered <= kept <= {one.sha256 for one in declared}:
        raise differs(f"result {PROPERTIES}, files", _shown(sorted(kept)), "each file that was answered, and no other")
    return kept


def check_times(
    run: records.RunRecord, commit: records.Commitment, results: records.EvaluationRecord, gate: records.GateDecision
) -> None:
    """Commitment, evaluation and gate lie within the run, in this order.

    Raises:
        VerificationError: Naming the first two that do not.
    """
    order = {
        "begin of the run": run.started_at,
        "commitment": commit.at,
        "begin of the evaluation": results.started_at,
        "end of the evaluation": results.finished_at,
        "gate": gate.at,
        "end of the run": run.finished_at,
    }
    for before, after in itertools.pairwise(order):
        not_before(after, order[after], f"the {before}", order[before])


def check_decision(approval: records.Approval, run: records.RunRecord, gate: records.GateDecision) -> None:
    """A person, named with role and reason, decided after the run, and accepted each open gate for a limited time.

    Raises:
        VerificationError: Naming the field, or the gate without waiver.
    """
    for name in ("person", "role", "reason"):
        _words(f"approval, {name}", getattr(approval, name))
    not_before("approval", approval.at, "the end of the run", run.finished_at)
    unmet = {_key(r): r.status for r in gate.reasons if r.required and r.status != "pass"}
    waived = {(waiver.check_id, waiver.slice): waiver for waiver in approval.waivers}
    for (check, part), status in unmet.items():
        if (check, part) not in waived:
            raise differs("approval, waivers", "none", f"one for {check}@{part} ({status})")
    if len(waived) != len(approval.waivers):
        raise differs("approval, waivers", "two for one gate", "one for each")
    for key, waiver in waived.items():
        if key not in unmet:
            raise differs(f"approval, waiver of {key[0]}@{key[1]}", "a gate that is not open", "a required open gate")
        _check_waiver(waiver, approval)


def check_ledger(content: bytes, run: records.RunRecord, plan: AnyPlan) -> None:
    """The chain of the ledger, its numbers and times, its end as the run's record names it, and its records.

    Raises:
        VerificationError: Naming the line.
    """
    raw = content.split(b"\n")
    equal("ledger, number of lines", len(raw) - 1 if raw[-1] == b"" else None, run.ledger_lines)
    known = stages_of(plan)
    previous, finished, evaluated = ledger.ZERO, dict[str, records.ArtifactRef](), False
    for number, text in enumerate(raw[:-1]):
        line = _line(text, number, previous)
        previous = canonical.sha256_bytes(text)
        if (number == 0) != (line.event == "opened"):
            raise differs(f"ledger line {number + 1}", f"the event {line.event}", "one opening, in the first line")
        if number == 0:
            equal("ledger, run of the first line", line.details.get("run_id"), run.run_id)
            equal("ledger, plan of the first line", line.details.get("plan_sha256"), run.plan_sha256)
            equal("ledger, time of the first line", line.at, run.started_at)
        not_before(f"ledger line {number + 1}", line.at, "the begin of the run", run.started_at)
        not_before("end of the run", run.finished_at, f"ledger line {number + 1}", line.at)
        if line.stage is not None and line.stage not in known:
            raise differs(f"ledger line {number + 1}", f"the stage {line.stage[:40]}", "a stage of the format")
        if line.event == "finished" and line.stage and line.record:
            finished[line.stage] = line.record
        evaluated = evaluated or line.stage == "evaluate"
        if evaluated and "commit" not in finished:
            raise differs(f"ledger line {number + 1}", "an evaluation before the commitment", "it after")
    equal("ledger, digest of its end", previous, run.ledger_head)
    absent = {
        stage
        for stage in contents.LATER
        if isinstance(plan, Plan) and stage not in run.records and stage not in finished
    }
    equal("run record, stages", sorted(run.records), sorted(set(known) - {"close"} - absent))
    for stage, reference in run.records.items():
        equal(f"ledger, record of {stage}", finished.get(stage), reference)


def not_before(thing: str, found: str, other: str, earliest: str) -> None:
    """Compare two times of records.

    Raises:
        VerificationError: `found` lies before `earliest`.
    """
    if dt.datetime.fromisoformat(found) < dt.datetime.fromisoformat(earliest):
        raise differs(f"{thing}, time", found, f"one that is not before {other} ({earliest})")


def equal(thing: str, found: object, expected: object) -> None:
    """Compare what stands in two places.

    Raises:
        VerificationError: They differ.
    """
    if found != expected:
        raise differs(thing, _shown(found), _shown(expected))


def differs(thing: str, found: str, expected: str) -> errors.VerificationError:
    """The refusal for two places that disagree."""
    return errors.VerificationError(f"{thing}: expected {expected}, got {found}. Ask the supplier; do not rely on it.")


def _classes(plan: Plan) -> tuple[str, ...]:
    target = plan.data.target
    if target.task == "binary":
        return (target.negative_label, target.positive_label)
    labels = plan.data.target_column.labels
    return tuple(labels.get(value, value) for value in target.classes)


def _check_feature(feature: manifest.InputFeature, column: Column) -> None:
    where = f"bundle.json, feature {column.name}"
    equal(f"{where}, kind", feature.kind, "categorical" if column.kind == "categorical" else "numeric")
    equal(f"{where}, integer", feature.integer, column.kind == "integer")
    equal(f"{where}, minimum", feature.minimum, column.minimum)
    equal(f"{where}, maximum", feature.maximum, column.maximum)
    if feature.kind == "numeric":
        equal(f"{where}, unit", feature.unit, column.unit)
    if column.allowed:
        equal(f"{where}, categories", feature.categories, column.allowed)
    if feature.kind == "categorical":
        labels = {value: column.labels[value] for value in feature.categories if value in column.labels}
        equal(f"{where}, labels", feature.labels, labels)


def _same_lines(decision: records.GateDecision, expected: list[Key]) -> None:
    wanted, found = collections.Counter(expected), collections.Counter(map(_key, decision.reasons))
    for key in sorted(wanted | found):
        if wanted[key] != found[key]:
            raise differs(f"gate, lines of {key[0]}@{key[1]}", str(found[key]), str(wanted[key]))
    for check in CRITICAL:
        if not any(key[0] == check for key in found):
            raise differs(f"gate, lines of {check}", "0", "at least one: nothing can be relied on without it")


def _check_required(
    decision: records.GateDecision, plan: AnyPlan, own: Iterable[records.CheckResult]
) -> None:  # fmt: skip
    wanted = collections.Counter((g.check, g.slice) for g in plan.policy.gates if g.required)
    # What the plan says of an inconclusive answer excuses that answer alone.
    open_ = {_key(reason) for reason in decision.reasons if reason.status == "inconclusive"}
    wanted.subtract(
        (g.check, g.slice)
        for g in plan.policy.gates
        if g.required and g.inconclusive == "reports" and (g.check, g.slice) in open_
    )
    wanted.update(
        (result.check_id, _slice(result))
        for result in own
        if result.check_id in (*CRITICAL, PROPERTIES)
        or (result.severity != "info" and result.status in ("pass", "fail", "inconclusive"))
    )
    found = collections.Counter(_key(reason) for reason in decision.reasons if reason.required)
    for key in sorted(wanted):
        if found[key] < wanted[key]:
            raise differs(f"gate, required lines of {key[0]}@{key[1]}", str(found[key]), str(wanted[key]))


def _check_carried(
    gate: policy.Gate,
    asked: policy.Settings,
    decision: records.GateDecision,
    results: Sequence[records.CheckResult],
) -> None:
    """A line that passes needs a measure on the right side of the threshold."""
    lines = [reason for reason in decision.reasons if _key(reason) == (gate.check, gate.slice)]
    if any(line.status != "pass" for line in lines):
        return
    measures = [m for r in results if r.check_id == gate.check and (m := _measure(r, gate, asked)) is not None]
    if not measures or not all(_holds(measure, gate) for measure in measures):
        limit = f"at least {gate.at_least:g}" if gate.at_least is not None else f"at most {gate.at_most:g}"
        shown = ", ".join(str(measure.value) for measure in measures) or "no measure"
        raise differs(f"gate, {gate.check}@{gate.slice}", f"a pass on {shown}", f"a pass only on what is {limit}")


def _check_statuses(decision: records.GateDecision, results: Sequence[records.CheckResult]) -> None:
    """A measured result has the severest status of its lines."""
    count = collections.Counter(result.check_id for result in results)
    for result in results:
        lines = [r.status for r in decision.reasons if r.check_id == result.check_id]
        if result.check_id.startswith(OWN_SAY) or count[result.check_id] > 1 or not lines:
            continue
        equal(f"gate, {result.check_id}", min(lines, key=_SEVEREST.index), result.status)


def _measure(result: records.CheckResult, gate: policy.Gate, asked: policy.Settings) -> records.Measure | None:
    name = gate.check + asked.variant(gate)
    found = next((m for m in result.measures if m.name == name and m.slice == gate.slice), None)
    if found is None and gate.slice == "overall" and gate.check.startswith(OWN_SAY) and result.measures:
        return result.measures[0]
    return found


def _holds(measure: records.Measure, gate: policy.Gate) -> bool:
    if measure.value is None:
        return False
    low = high = measure.value
    if measure.interval is not None:
        low, high = measure.interval.low, measure.interval.high
        if gate.confidence is not None and measure.interval.level < gate.confidence:
            return False
    elif not gate.check.startswith(OWN_SAY):
        return False
    if gate.at_least is not None:
        return low >= gate.at_least
    return gate.at_most is not None and high <= gate.at_most


def _check_waiver(waiver: records.Waiver, approval: records.Approval) -> None:
    where = f"approval, waiver of {waiver.check_id}@{waiver.slice}"
    equal(f"{where}, person", waiver.person, approval.person)
    _words(f"{where}, reason", waiver.reason)
    decided = dt.datetime.fromisoformat(approval.at).date()
    try:
        expires = dt.date.fromisoformat(waiver.expires)
    except ValueError:
        raise differs(f"{where}, expiry", waiver.expires[:40], "a date") from None
    if expires.isoformat() != waiver.expires or not decided <= expires <= decided + LONGEST_WAIVER:
        raise differs(
            f"{where}, expiry", waiver.expires[:40], f"a date from {decided} on, within {LONGEST_WAIVER.days} days"
        )


def _words(thing: str, text: str) -> None:
    if not any(character.isalnum() for character in text):
        raise differs(thing, "none", "words")


def _line(text: bytes, number: int, previous: str) -> ledger.Line:
    where = f"{contents.LEDGER} line {number + 1}"
    strict_json.parse(text, where, LARGEST_LINE)
    line = manifest.record(text, ledger.Line, where)
    if line.previous != previous:
        refused = differs(
            f"ledger line {number + 1}", "another line before it", f"one with the digest {previous[:12]}…"
        )
        raise errors.VerificationError(str(refused), "tampering")  # a chain does not break by mistake
    equal(f"ledger line {number + 1}, number", line.n, number)
    return line


def _declared(result: records.CheckResult) -> bool:
    return result.check_id == PROPERTIES and result.status != "not_applicable"


def _key(reason: records.GateReason) -> Key:
    return reason.check_id, reason.slice


def _slice(result: records.CheckResult) -> str:
    return result.measures[0].slice if result.measures else "overall"


def _shown(value: Any) -> str:
    text = str(value)
    is_digest = len(text) == 64 and all(c in "0123456789abcdef" for c in text)
    return f"{text[:12]}…" if is_digest else text[:200]
