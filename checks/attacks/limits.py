"""What the budget means for each feature, and where it is not what one would think."""

from __future__ import annotations

from checks.attacks import budget
from configs.robustness import Attack
from evidence import records


def table(features: budget.Features, settings: Attack) -> list[dict[str, object]]:
    """One entry for each feature that can be attacked: `feature`, `change`, `unit`, `note` (None where it is plain)."""
    reach = budget.reaches(features, settings.epsilon, settings.budget)
    attackable = budget.attackable(features)
    return [
        {"feature": f.name, "change": float(reach[j]), "unit": f.unit, "note": _note(f, float(reach[j]))}
        for j, f in enumerate(features)
        if attackable[j]
    ]


def sentences(features: budget.Features, settings: Attack) -> list[str]:
    """A sentence for each feature whose budget does nothing, or less than it says."""
    return [f"{row['feature']}: {row['note']}" for row in table(features, settings) if row["note"]]


def _note(feature: records.FeatureSpec, reach: float) -> str | None:
    known = feature.minimum is not None and feature.maximum is not None
    width = (feature.maximum or 0.0) - (feature.minimum or 0.0) if known else float("inf")
    if reach == 0:
        return "the budget is zero, so it stays as it is"
    if width == 0:
        return "it does not vary in training, so it stays as it is"
    if feature.integer and reach < 1:
        return "the budget is less than one whole unit, so it stays as it is"
    if reach > width:
        return "the budget is wider than the training range, so that range is the limit"
    return None
