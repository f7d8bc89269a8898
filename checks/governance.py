"""Data governance: is the data fit for the persons it is about (AI Act Art. 10(2)(f) to (h), 10(3))?

Looks at the split and encoded data, before anything is trained. Every result is three-valued, carries its interval and
says the limit it was held against; what cannot be measured is there with its reason. Where the plan names an entity,
intervals count entities, not rows.
"""

from __future__ import annotations

from checks import _governance_groups, _governance_proxies, _governance_rows, _governance_splits, catalogue
from configs import errors
from configs.plan import Plan
from evidence import records
from evidence.folder import RunFolder

PER_ATTRIBUTE = {
    "data.representativeness": "Representativeness",
    "data.group_sizes": "Group sizes",
    "data.proxies": "Proxies of protected attributes",
    "data.label_balance": "Label balance per group",
}
NEED_TRAINING_DATA = ("data.duplicates_across_splits", "data.proxies", "data.drift", "data.unseen_categories")


def govern(
    folder: RunFolder,
    plan: Plan,
    dataset: records.DatasetRef,
    split: records.SplitManifest,
    encoded: records.EncodedData,
) -> records.QualityRecord:
    """Run the data-governance checks.

    Args:
        folder: The run folder.
        plan: Protected attributes, reference populations, and the limits in `policy.governance`.
        dataset: The ingested table.
        split: The split that the arrays must belong to.
        encoded: The arrays.

    Returns:
        One result for each check, and for each protected attribute or intersection where groups are compared; its
        `threshold.slice` names the attribute. `details["rows"]` is a table to be shown or plotted.

    Raises:
        IntegrityError: When an array was altered, or the arrays are not those of the split.
    """
    rows = _governance_rows.load(folder, encoded)
    _check_rows(rows, split)
    attributes = plan.data.protected
    if plan.predictions is not None:
        return records.QualityRecord(results=tuple(_of_given(plan, rows, encoded)))
    results = [
        *_without_groups(plan),
        *(_governance_groups.representativeness(plan, rows, a) for a in attributes),
        *(_governance_groups.group_sizes(plan, rows, name) for name in plan.slices),
        _governance_splits.class_balance(plan, rows, encoded),
        _governance_splits.duplicates(rows, dataset),
        *(_governance_proxies.proxies(plan, rows, encoded, a) for a in attributes),
        *(_governance_groups.label_balance(plan, rows, encoded, name) for name in plan.slices),
        _governance_splits.drift(plan, rows, encoded),
        _governance_splits.unseen_categories(plan, encoded),
    ]
    return records.QualityRecord(results=tuple(results))


def _of_given(plan: Plan, rows: _governance_rows.Rows, encoded: records.EncodedData) -> list[records.CheckResult]:
    """What the test rows alone can tell; what needs the model's inputs or its training data does not apply."""
    reason = "the plan gives predictions, not a model: there are no training data and no features"
    return [
        *_without_groups(plan),
        *(_governance_groups.representativeness(plan, rows, a) for a in plan.data.protected),
        *(_governance_groups.group_sizes(plan, rows, name) for name in plan.slices),
        _governance_splits.class_balance(plan, rows, encoded),
        *(_governance_groups.label_balance(plan, rows, encoded, name) for name in plan.slices),
        *(
            _governance_rows.unmeasured(check, catalogue.METRICS[check].title, "not_applicable", reason)
            for check in NEED_TRAINING_DATA
            if plan.data.protected or check not in PER_ATTRIBUTE
        ),
    ]


def _without_groups(plan: Plan) -> list[records.CheckResult]:
    if plan.data.protected:
        return []
    reason = "the plan declares no protected attribute"
    return [
        _governance_rows.unmeasured(check, title, "not_applicable", reason) for check, title in PER_ATTRIBUTE.items()
    ]


def _check_rows(rows: _governance_rows.Rows, split: records.SplitManifest) -> None:
    for role in rows.roles:
        found, expected = int(rows.part(role).sum()), split.parts[role].rows
        if found != expected:
            raise errors.IntegrityError(
                f"arrays of {role}: expected the {expected} rows of the split, got {found}. "
                "They belong to another split; run again into a new folder."
            )
