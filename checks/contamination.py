"""Held-out text in the training part, against the policy, before and after the step that drops it."""

from __future__ import annotations

from checks import catalogue
from checks._percent import percent
from configs.language.plan import LanguagePlan
from evidence import language_records, records

CHECK = "data.contamination"


def measure(plan: LanguagePlan, tokenised: language_records.TokenisedData) -> records.CheckResult:
    """Share of the held-out documents that are contaminated in the text that is trained on.

    Held-out documents that are too short to be judged are left out and counted.
    """
    step, limit = tokenised.contamination, plan.policy.contamination
    dropped = plan.cleaning.contamination.action == "drop_training"
    short = step.found.get("held_out_without_ngrams", 0)
    judged = tokenised.held_out - short
    before = tokenised.contaminated / judged if judged else None
    after = 0.0 if dropped and judged else before
    status: records.Status = "inconclusive" if after is None else "pass" if after <= limit else "fail"
    removed = step.before.documents - step.after.documents
    return records.CheckResult(
        check_id=CHECK,
        title=catalogue.METRICS[CHECK].title,
        status=status,
        measures=(
            _measure(CHECK, after, judged),
            _measure(f"{CHECK}.before", before, judged),
            _measure(f"{CHECK}.not_judged", float(short), tokenised.held_out, "documents"),
            _measure(f"{CHECK}.training_documents_dropped", float(removed), step.before.documents, "documents"),
        ),
        threshold=records.Threshold(at_most=limit),
        reason=_reason(tokenised, judged, removed, limit, dropped=dropped),
        details={"step": step.model_dump(mode="json")},
    )


def _reason(
    tokenised: language_records.TokenisedData, judged: int, removed: int, limit: float, *, dropped: bool
) -> str:
    if not judged:
        return f"none of the {tokenised.held_out} held-out documents is long enough to be judged"
    found = f"{tokenised.contaminated} of {judged} held-out documents were contaminated"
    then = f"; after {removed} training documents were dropped none is" if dropped else ""
    return f"{found}{then}, limit {percent(limit)}"


def _measure(name: str, value: float | None, n: int, unit: str = "1") -> records.Measure:
    note = None if value is not None else "no held-out document is long enough"
    return records.Measure(name=name, value=value, unit=unit, n=n, note=note)
