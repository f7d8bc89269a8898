"""The properties that a plan declares, answered on the graph that ships."""

from __future__ import annotations

from pathlib import Path

from checks._subject import Subject, not_applicable, not_measured
from checks.certified import verify, vnnlib
from configs import errors
from configs.certification import DeclaredProperty
from evidence import canonical, records

CHECK = "robustness.properties"
KEPT = "properties"
"""Folder of the run folder: each file that was read, under its digest. They leave with the bundle."""
MOST_NAMED = 5


def measure(subject: Subject) -> records.CheckResult:
    """Holds, violated or unknown for each declared property; the worst of them is the check's answer."""
    wanted = subject.plan.policy.robustness.properties
    if not wanted:
        return not_applicable(CHECK, "the plan declares no property")
    if subject.graph is None or subject.source.base is None:
        return not_measured(CHECK, "the files of the graph and of the properties are not at hand")
    kept: dict[str, records.ArtifactRef] = {}
    answers = [_answer(subject, subject.graph, subject.source.base, one, kept) for one in wanted]
    found = [str(answer["answer"]) for answer in answers]
    holds, violated = found.count("holds"), found.count("violated")
    unknown = len(found) - holds - violated
    status: records.Status = "fail" if violated else "inconclusive" if unknown else "pass"
    return records.CheckResult(
        check_id=CHECK,
        title="Declared properties",
        status=status,
        measures=(records.Measure(name=CHECK, value=holds / len(found), n=len(found)),),
        threshold=records.Threshold(at_least=1.0),
        reason=f"of {len(found)} declared properties {holds} hold, {violated} violated, {unknown} unknown"
        + _named(answers),
        artifacts=tuple(kept.values()),
        details={"properties": answers},
    )


def _named(answers: list[dict[str, object]]) -> str:
    """The first few that do not hold."""
    open_ = [f"{a['name']} is {a['answer']}" for a in answers if a["answer"] != "holds"]
    return "".join(f"; {words}" for words in open_[:MOST_NAMED])


def _answer(
    subject: Subject, graph: Path, base: Path, one: DeclaredProperty, kept: dict[str, records.ArtifactRef]
) -> dict[str, object]:
    """The answer as a row of the details; a file that could be read is kept in the run folder."""
    row: dict[str, object] = {"name": Path(one.file).name, "sha256": one.sha256, "seconds_allowed": one.seconds}
    try:
        content = _content(base, one)
        if subject.folder is not None:
            kept[one.sha256] = subject.folder.write_bytes(f"{KEPT}/{one.sha256}.vnnlib", content)
        found = verify.verify(graph, vnnlib.parse(_text(content, one), Path(one.file).name), one.seconds)
    except errors.ProoflineError as error:
        # What is wrong with one property leaves the others, and everything else measured, as they are.
        return row | {"answer": "unknown", "reason": str(error)}
    row |= {"answer": found.status, "reason": found.reason, "boxes": found.boxes}
    if found.inputs:
        names = [feature.name for feature in subject.encoded.features]
        row["inputs"] = dict(zip(names, found.inputs, strict=True))
        row["outputs"] = list(found.outputs)
    return row


def _content(base: Path, one: DeclaredProperty) -> bytes:
    path = base / one.file
    try:
        size = path.stat().st_size
        content = path.read_bytes() if size <= vnnlib.LARGEST else b""
    except OSError:
        raise errors.MissingError(f"property {one.file}: expected it in {base}, got none. Check the path.") from None
    digest = canonical.sha256_bytes(content)
    if digest != one.sha256:
        raise errors.DataError(
            f"property {one.file}: expected the file of the plan ({one.sha256[:12]}…), got {digest[:12]}…. "
            "State the digest of the file that you mean in a new plan."
        )
    return content


def _text(content: bytes, one: DeclaredProperty) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        raise errors.DataError(f"property {one.file}: expected UTF-8 text, got other bytes. Save it again.") from None
