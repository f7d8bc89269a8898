"""The property files of a plan travel with the bundle, and the answers on them are the plan's, one by one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from checks import gate
from checks.certified import __main__ as certified
from configs import errors, load
from evidence import records
from tef_export import coherence, contents, golden_check, verify
from tests.tef_export import making

Attack = Callable[..., None]
Files = dict[str, bytes]
INPUTS = "".join(f"(declare-const X_{i} Real)(assert (<= X_{i} 1))(assert (>= X_{i} 0))" for i in range(10))
HOLDS = f"{INPUTS}(declare-const Y_0 Real)(declare-const Y_1 Real)(assert (>= Y_1 1.001))\n".encode()
WEAKER = HOLDS.replace(b"1.001", b"1.5")
DIGEST = making.sha(HOLDS)
PLACE = f"{contents.PROPERTIES}{DIGEST}.vnnlib"
PLAN = (
    load.plan_path("diabetes_progression")
    .read_text(encoding="utf-8")
    .replace("  robustness:\n", f"  robustness:\n    properties: [{{file: dose.vnnlib, sha256: {DIGEST}}}]\n", 1)
)
Change = Callable[[records.CheckResult], records.CheckResult | None]


@pytest.fixture(scope="module")
def key() -> Any:
    return making.real_key()


def result(folder: Path) -> records.CheckResult:
    """What the check says where the one declared property holds, its file kept."""
    kept = making.RunFolder(folder).write_bytes(f"properties/{DIGEST}.vnnlib", HOLDS)
    return records.CheckResult(
        check_id=coherence.PROPERTIES,
        title="Declared properties",
        status="pass",
        measures=(records.Measure(name=coherence.PROPERTIES, value=1.0, n=1),),
        reason="of 1 declared properties 1 hold, 0 violated, 0 unknown",
        artifacts=(kept,),
        details={"properties": [{"name": "dose.vnnlib", "sha256": DIGEST, "answer": "holds"}]},
    )


def bundle(place: Path, key: Any, change: Change = lambda made: made) -> making.Made:
    """A bundle whose plan declares a property, decided by the gate itself."""
    plan, decided = load.parse(PLAN), {}

    def evaluate(record: records.EvaluationRecord) -> records.EvaluationRecord:
        told = change(result(place / "runs" / "diabetes-progression-1"))
        found = record.model_copy(update={"results": (*record.results, *([told] if told else []))})
        decided["gate"] = gate.decide(plan, found.results)
        return found

    def decide(record: records.GateDecision) -> records.GateDecision:
        return decided["gate"].model_copy(update={"at": record.at})

    def close(record: records.RunRecord) -> records.RunRecord:
        return record.model_copy(update={"outcome": decided["gate"].outcome})

    return making.bundle(place, key, {"evaluate": evaluate, "gate": decide, "close": close}, PLAN)


@pytest.fixture(scope="module")
def good(key: Any, tmp_path_factory: pytest.TempPathFactory) -> making.Made:
    return bundle(tmp_path_factory.mktemp("property"), key)


@pytest.mark.slow
def test_a_property_file_travels_under_its_digest_and_can_be_proven_again(good: making.Made, tmp_path: Path) -> None:
    """The reader accepts the bundle, and whoever has it asks the certifier again with what lies in it."""
    found = verify.verify(good.path, public_key=good.key.public_key(), at=making.NOW)
    assert found.refusal is None
    _, files = making.unpacked(good.path)
    assert files[PLACE] == HOLDS
    for path in (PLACE, contents.MODEL):
        (tmp_path / Path(path).name).write_bytes(files[path])
    said = CliRunner().invoke(certified.main, [str(tmp_path / "model.onnx"), str(tmp_path / Path(PLACE).name)])
    assert (said.exit_code, said.output.partition(":")[0]) == (0, "holds")


def answer(**changes: Any) -> Change:
    def change(made: records.CheckResult) -> records.CheckResult:
        row = {**made.details["properties"][0], **changes}
        return made.model_copy(update={"details": {"properties": [row]}})

    return change


def copied(**changes: Any) -> Change:
    return lambda made: made.model_copy(update=changes)


RECORDS: list[tuple[str, Change, str]] = [
    ("a declared property left out", lambda _: None, "results of robustness.properties: expected 1, got 0"),
    ("declared properties said not to apply", copied(status="not_applicable"), "expected 1, got 0"),
    ("a violated property counted as holding", answer(answer="violated"), "status: expected fail, got pass"),
    ("a declared property exchanged", answer(sha256=making.sha(WEAKER)), "result robustness.properties, properties"),
    ("a share of properties that is none", copied(measures=()), "value: expected 1.0, got None"),
    ("a property proven on a file that was not kept", copied(artifacts=()), "each file that was answered"),
]


@pytest.mark.attack("records")
@pytest.mark.parametrize(("change", "said"), [c[1:] for c in RECORDS], ids=[c[0] for c in RECORDS])
def test_answers_that_are_not_those_on_the_plans_properties_are_refused(
    tmp_path: Path, key: Any, attack: Attack, monkeypatch: pytest.MonkeyPatch, change: Change, said: str
) -> None:
    """A supplier cannot leave a property out, take another one, or call it proven without its file."""
    monkeypatch.setattr(golden_check, "run", lambda *_: golden_check.Opened({}, {}, None))
    found = refused(bundle(tmp_path, key, change), {})
    assert said in found.text
    attack(found)


def named(content: bytes) -> Files:
    return {f"{contents.PROPERTIES}{making.sha(content)}.vnnlib": content}


FILES: list[tuple[str, str, Files, str]] = [
    ("records", "a property file exchanged", {PLACE: WEAKER}, f"{PLACE}, sha256: expected"),
    ("records", "a property that the plan does not declare", named(WEAKER), "property files: expected"),
    ("contents", "a property file of another name", {f"{contents.PROPERTIES}x.vnnlib": HOLDS}, "kinds of file"),
    ("contents", "a property file that is no text", named(b"\xff\xfe("), "expected UTF-8 text"),
]


@pytest.mark.attack
@pytest.mark.parametrize(("family", "change", "said"), [(f[0], *f[2:]) for f in FILES], ids=[f[1] for f in FILES])
def test_property_files_are_those_of_the_plan(
    good: making.Made, attack: Attack, monkeypatch: pytest.MonkeyPatch, family: str, change: Files, said: str
) -> None:
    """No other file, no other content under its name, and only text."""
    monkeypatch.setattr(golden_check, "run", lambda *_: golden_check.Opened({}, {}, None))
    found = refused(good, change)
    assert (said in found.text, found.name) == (True, {"records": "evidence"}.get(family, family))
    attack(found)


def refused(made: making.Made, change: Files) -> verify.Check:
    top, files = making.unpacked(made.path)
    files = making.resigned(top, making.reindexed({**files, **change}), made.key) if change else files
    path = making.packed(made.path.with_name("x.zip"), top, files)
    found = verify.verify(path, public_key=made.key.public_key(), at=making.NOW)
    return next(check for check in found.checks if check.status == "fail")


def test_a_language_model_has_no_property_files() -> None:
    """What belongs to a model on tables is refused beside a tokenizer."""
    with pytest.raises(errors.VerificationError, match="expected the files of a language model"):
        contents.check_names({contents.TOKENIZER, PLACE})
