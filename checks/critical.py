"""What stops a run before anything is trained. Light: it loads nothing that computes."""

from __future__ import annotations

from evidence import records


def critical_failures(record: records.QualityRecord) -> tuple[records.CheckResult, ...]:
    """The results that stop a run: critical, and anything but a pass. What could not be evaluated counts as failed."""
    return tuple(r for r in record.results if r.severity == "critical" and r.status not in ("pass", "not_applicable"))
