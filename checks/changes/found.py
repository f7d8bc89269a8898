"""What differs between two versions apart from measures: plan, rows, features, weights, gates, software, documents."""

from __future__ import annotations

import dataclasses
import difflib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

from checks.changes.side import Side
from configs import changes
from configs.law import classify
from evidence import differences, records
from evidence.answers import RiskEntry
from evidence.diff_records import RowsCompared, Subject

Cause = Literal["plan", "rows", "weights", "chosen", "software", "never", "gate", "follows"]
"""What a declaration must cover: fields of the plan, other rows, other weights, what training chooses, software.
`never`: no declaration can cover it. `gate`: an outcome. `follows`: judged where it comes from."""

NEVER = "another purpose, class or set of declarations cannot be declared beforehand"
FOLLOWS_VERSION = "it names the version; what changed with it is listed by itself"
FOLLOWS_PLAN = "it follows from the fields of the plan and the rows, which are judged by themselves"
FOLLOWS_ROWS = "it follows from the rows, which are judged by themselves"
FOLLOWS_RUN = "it tells of the documents and decisions of each version, not of the system"
_DIGEST = re.compile(r"\b[0-9a-f]{64}\b")
LONG_TEXT = 40
"""Characters from which the words that differ are told."""

_SUBJECTS: tuple[tuple[str, Subject], ...] = (
    *((place, "purpose") for place in changes.PURPOSE),
    ("system.foreseeable_misuse", "purpose"),
    ("classification", "classification"),
    ("predetermined_changes", "declarations"),
    ("system", "identity"),
    ("data.source", "data"),
    ("data.provenance", "data"),
    ("data.undeclared", "data"),
    ("data", "features"),
    ("split", "split"),
    ("model", "model"),
    ("predictions", "model"),
    ("training", "model"),
    ("factory", "model"),
    ("mitigation", "mitigation"),
    ("policy", "policy"),
    ("documents", "documents"),
    ("bundle", "documents"),
)


@dataclasses.dataclass(frozen=True)
class Found:
    """A difference before it is judged."""

    cause: Cause
    subject: Subject
    place: str
    title: str
    before: Any
    after: Any
    path: tuple[str, ...] = ()
    """Of the plan."""
    why: str = ""
    """For `follows`, `never` and `gate`: the reason of the verdict."""

    @property
    def texts(self) -> tuple[str | None, str | None]:
        """Both values as text."""
        return told(self.before), told(self.after)

    @property
    def words(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """What is gone and what is new, of lists and of longer texts."""
        texts = self.texts
        short = max(len(text or "") for text in texts) <= LONG_TEXT
        if isinstance(self.before, list) and isinstance(self.after, list) and not short:
            first, second = ([told(item) or "" for item in side] for side in (self.before, self.after))
            return tuple(t for t in first if t not in second), tuple(t for t in second if t not in first)
        if texts[0] is None or texts[1] is None or short or not isinstance(self.before, str):
            return (), ()
        old, new = texts[0].split(), texts[1].split()
        blocks = difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
        gone = tuple(" ".join(old[i:j]) for tag, i, j, _, _ in blocks if tag in ("replace", "delete"))
        return gone, tuple(" ".join(new[k:m]) for tag, _, _, k, m in blocks if tag in ("replace", "insert"))


def told(value: Any) -> str | None:
    """A value of a plan or record as text; None where there is none."""
    if value is differences.ABSENT or value is None:
        return None
    if isinstance(value, str):
        return _DIGEST.sub(lambda found: f"{found[0][:12]}…", value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping) and value.get("id") and value.get("title"):
        return f"{value['title']} ({value['id']})"
    if isinstance(value, Mapping):
        stated = {key: inner for key, inner in value.items() if inner not in (None, [], {}, "")}
        return json.dumps(stated, ensure_ascii=False, sort_keys=False)
    if isinstance(value, Sequence):
        return ", ".join(told(item) or "none" for item in value) or None
    return f"{value:.12g}" if isinstance(value, float) else str(value)


def everything(before: Side, after: Side, rows: RowsCompared) -> Iterator[Found]:
    """Every difference, in no particular order."""
    yield from _plan(before, after)
    yield from _class(before, after)
    yield from _rows(before, after, rows)
    yield from _features(before, after)
    yield from _model(before, after)
    yield from _gates(before, after)
    yield from _software(before, after)
    yield from _documents(before, after)


def _plan(before: Side, after: Side) -> Iterator[Found]:
    plans = [side.plan.model_dump(mode="json") for side in (before, after)]
    for path, old, new in differences.walk(*plans):
        cause: Cause = "plan" if changes.declarable(path) else "never"
        why = NEVER
        if path == ("system", "version"):
            cause, why = "follows", FOLLOWS_VERSION
        if path[:2] == ("documents", "languages"):
            cause, why = "follows", FOLLOWS_RUN
        place = differences.joined(path)
        yield Found(cause, subject_of(path), f"plan: {place}", place, old, new, path, why)


def subject_of(path: Sequence[str]) -> Subject:
    """What a field of the plan is about."""
    return next(
        (subject for place, subject in _SUBJECTS if tuple(path[: len(steps := changes.steps(place))]) == steps), "other"
    )


def _class(before: Side, after: Side) -> Iterator[Found]:
    first, second = (
        {f.id: f for f in classify.classify(side.plan.classification).findings} for side in (before, after)
    )
    for name, finding in first.items():
        if name in second and finding.state != second[name].state:
            yield Found(
                "never", "classification", f"class: {name}", f"What the answers point to: {finding.title}",
                finding.state, second[name].state, why=NEVER,
            )  # fmt: skip


def _rows(before: Side, after: Side, rows: RowsCompared) -> Iterator[Found]:
    if rows.content_equal:
        return
    title = "Content of the data" + (", the given predictions included" if rows.matched_by else "")
    yield Found(
        "rows", "data", "data/dataset.json: content", title,
        f"{rows.before:,} rows", f"{rows.after:,} rows",
    )  # fmt: skip
    if before.plan.data.source == after.plan.data.source and _sources(before) != _sources(after):
        files = _sources(before), _sources(after)
        yield Found("rows", "data", "data/dataset.json: files", "Files that were read", *files)
    if before.dataset.schema_sha256 != after.dataset.schema_sha256:
        names = [[f"{c.name} ({c.kind})" for c in side.dataset.columns] for side in (before, after)]
        yield Found(
            "follows", "data", "data/dataset.json: columns", "Columns of the data", *names, why=FOLLOWS_PLAN
        )  # fmt: skip
    if not rows.same_test_rows:
        counts = [f"{side.split.parts['test'].rows:,} rows" for side in (before, after)]
        shared = "" if rows.shared_test is None else f", {rows.shared_test:,} of them the same"
        yield Found(
            "follows", "split", "data/split.json: test part", "Test rows", counts[0], counts[1] + shared,
            why=FOLLOWS_ROWS,
        )  # fmt: skip


def _sources(side: Side) -> list[str]:
    return [f"{source.name} (sha256 {source.sha256[:12]}…)" for source in side.dataset.sources]


def features_of(side: Side) -> list[str]:
    """The features in their order, with kind and unit."""
    return [f"{c.name} ({c.kind}{f', {c.unit}' if c.unit else ''})" for c in side.plan.data.features]


def _features(before: Side, after: Side) -> Iterator[Found]:
    lists = [features_of(side) for side in (before, after)]
    if lists[0] != lists[1]:
        yield Found("follows", "features", "contract: features", "Features of the model", *lists, why=FOLLOWS_PLAN)


def _model(before: Side, after: Side) -> Iterator[Found]:
    if before.evaluate.onnx_sha256 != after.evaluate.onnx_sha256:
        digests = [_digest(side.evaluate.onnx_sha256) for side in (before, after)]
        yield Found("weights", "model", "model/record.json: graph", "The model itself", *digests)
    if before.evaluate.predictions_sha256 != after.evaluate.predictions_sha256:
        digests = [_digest(side.evaluate.predictions_sha256) for side in (before, after)]
        yield Found("weights", "model", "predictions/record.json: predictions", "The given predictions", *digests)
    if before.train is None or after.train is None:
        return
    counts = before.train.parameters, after.train.parameters
    if counts[0] != counts[1]:
        yield Found(
            "follows",
            "model",
            "training/record.json: parameters",
            "Parameters of the model",
            *(f"{count:,}" for count in counts),
            why=FOLLOWS_PLAN,
        )
    for name, title in (("threshold", "Decision threshold"), ("calibration", "Calibration")):
        yield from _chosen(before, after, name, "model", title)
    yield from _chosen(before, after, "mitigation", "mitigation", "Mitigation as it was fitted")


def _digest(sha256: str | None) -> str | None:
    return None if sha256 is None else f"sha256 {sha256[:12]}…"


def _chosen(before: Side, after: Side, name: str, subject: Subject, title: str) -> Iterator[Found]:
    """What training has chosen or fitted: numbers and names of one part of its record."""
    sides = [getattr(side.train, name) for side in (before, after)]
    if name == "threshold" and not any(side is not None and (side.chosen_on or side.groups) for side in sides):
        return  # stated by the plan, whose field is listed
    plain = [None if side is None else side.model_dump(mode="json") for side in sides]
    for path, old, new in differences.walk(*plain):
        if not any("sha256" in step or step == "path" for step in path):
            where = differences.joined(path) or name
            yield Found(
                "chosen",
                subject,
                f"training/record.json: {name}.{where}",
                f"{title}: {where.replace('_', ' ')}",
                old,
                new,
            )


def _gates(before: Side, after: Side) -> Iterator[Found]:
    first, second = ({(r.check_id, r.slice): r for r in side.gate.reasons} for side in (before, after))
    for key, reason in first.items():
        now = second.get(key)
        if now is None or now.status == reason.status:
            continue
        place = f"evaluation/gate.json: {key[0]}@{key[1]}"
        title = f"Gate {key[0]}" + ("" if key[1] == "overall" else f" ({key[1]})")
        words = [_status(one) for one in (reason, now)]
        if now.status == "fail":
            yield Found("gate", "gate", place, title, *words, why="a gate fails that did not fail before")
        elif reason.status == "pass":
            yield Found("gate", "gate", place, title, *words, why="a gate that passed has no such answer now")
        else:
            why = "the gate is no worse than before; it follows from the measure"
            yield Found("follows", "gate", place, title, *words, why=why)


def _status(reason: records.GateReason) -> str:
    return reason.status.replace("_", " ") + ("" if reason.required else ", reported only")


def _software(before: Side, after: Side) -> Iterator[Found]:
    if before.close.code_sha256 != after.close.code_sha256:
        digests = [_digest(side.close.code_sha256) for side in (before, after)]
        yield Found("software", "software", "run.json: code", "Code of proofline and of the user's model", *digests)
    for path, old, new in differences.walk(before.close.software, after.close.software):
        yield Found("software", "software", f"run.json: {path[-1]}", f"Package {path[-1]}", old, new)
    values = {
        "platform": [side.close.platform for side in (before, after)],
        "runtime": [side.evaluate.runtime for side in (before, after)],
        "opset": [side.model and side.model.opset for side in (before, after)],
        "exporter": [side.model and side.model.exporter for side in (before, after)],
        "device": [side.train and f"{side.train.device}, {side.train.precision}" for side in (before, after)],
    }
    for name, (old, new) in values.items():
        if old != new:
            yield Found("software", "software", f"run: {name}", name.capitalize(), old, new)


def _documents(before: Side, after: Side) -> Iterator[Found]:
    for name, title in (("documents", "Documents"), ("gaps", "Gaps that the documents print")):
        lists = [_listed(side, name) for side in (before, after)]
        if sorted(lists[0]) != sorted(lists[1]):
            yield Found("follows", "documents", f"documents/record.json: {name}", title, *lists, why=FOLLOWS_RUN)
    yield from _answers(before, after)
    decisions = [_decision(side.approval) for side in (before, after)]
    if decisions[0] != decisions[1]:
        yield Found("follows", "documents", "approval", "Decision of a person", *decisions, why=FOLLOWS_RUN)


def _answers(before: Side, after: Side) -> Iterator[Found]:
    """What persons have stated, question by question and risk by risk."""
    said = [_stated(side) for side in (before, after)]
    for name in dict.fromkeys([*said[0], *said[1]]):
        old, new = said[0].get(name), said[1].get(name)
        if old != new:
            place = f"documents/answers.json: {name}"
            yield Found("follows", "documents", place, f"Statement of a person: {name}", old, new, why=FOLLOWS_RUN)


def _stated(side: Side) -> dict[str, str]:
    if side.answers is None:
        return {}
    found = {s.id: f"{s.text} ({s.person}, {s.role})" for s in side.answers.statements if s.text is not None}
    return found | {f"risk {risk.id}": _risk(risk) for risk in side.answers.risks}


def _risk(risk: RiskEntry) -> str:
    accepted = "nobody has accepted what remains"
    if risk.acceptance is not None:
        accepted = f"accepted by {risk.acceptance.person}, {risk.acceptance.role}"
    return f"{risk.title}; likelihood {risk.likelihood}, severity {risk.severity}; {accepted}"


def _listed(side: Side, name: str) -> list[str]:
    if side.documents is None:
        return []
    return [d.path for d in side.documents.documents] if name == "documents" else list(side.documents.gaps)


def _decision(approval: records.Approval | None) -> str | None:
    if approval is None:
        return None
    kind = "demonstration, which approves nothing" if approval.demonstration else approval.decision
    return f"{kind}: {approval.person}, {approval.role}, {approval.at[:10]}; {approval.reason}"
