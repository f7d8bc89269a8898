"""With what was measured again: is it the code, and are they the packages, with which the provider measured?

A commitment binds them for the provider's run. A facility measures with what it has installed, so it is told what
differs: a value that is not reproduced may have its reason there.
"""

from __future__ import annotations

from evidence import records, software

NAMES = ("numpy", "onnxruntime", "scipy")
"""Distributions that compute a value in a re-run; of ONNX Runtime either variant."""


def compared(committed: records.Commitment, run: records.RunRecord, *, own_model: bool) -> str:
    """What of the provider's measuring is the same here, in a sentence.

    Args:
        committed: The provider's commitment.
        run: The provider's run, whose packages count where the commitment names none.
        own_model: Does the plan name a model of the provider's own? Its code is part of the committed digest.
    """
    there, here = committed.code_sha256, software.code_sha256()
    if there == here:
        code = "the committed code of proofline"
    elif own_model:
        code = "code of proofline that cannot be compared (the digest covers a model of the provider's own)"
    else:
        code = f"another code of proofline than committed ({there[:12]}…, here {here[:12]}…)"
    known, installed = committed.packages or run.software, software.packages()
    pairs = [(name, _version(known, name), _version(installed, name)) for name in NAMES]
    other = [f"{name} {now} (there {then or 'not named'})" for name, then, now in pairs if then != now]
    same = [f"{name} {now}" for name, then, now in pairs if then == now]
    packages = " and ".join(
        text
        for text in (f"the provider's {', '.join(same)}" if same else "", ", ".join(other) if other else "")
        if text
    )
    return f"measured by {code}, with {packages}"


def _version(packages: dict[str, str], name: str) -> str | None:
    """Of the distribution, or of its variant for graphics cards, which computes the same on a CPU."""
    return packages.get(name) or packages.get(f"{name}-gpu")
