"""Does the exported graph give what the source model gives? The exporter measured it; this puts it before the gate."""

from __future__ import annotations

from evidence import records


def result(model: records.ModelRef) -> records.CheckResult:
    """The exporter's parity measurement as a check: the largest absolute difference of outputs, 0 is equal."""
    parity = model.parity
    held = parity.max_abs_difference <= parity.tolerance
    return records.CheckResult(
        check_id="export.parity",
        title="Agreement of the ONNX graph with the source model",
        status="pass" if held else "fail",
        severity="critical",
        measures=(
            records.Measure(name="export.parity", value=parity.max_abs_difference, n=parity.rows, split=parity.split),
            records.Measure(
                name="export.parity.label_agreement", value=parity.label_agreement, n=parity.rows, split=parity.split
            ),
        ),
        threshold=records.Threshold(at_most=parity.tolerance),
        reason=(
            f"largest difference {parity.max_abs_difference:.2g}, at most {parity.tolerance:.2g}, n = {parity.rows:,}"
        ),
    )
