"""Bundles sealed by the key's holder over records that do not agree with each other or with the plan."""

from __future__ import annotations

import contextlib
import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from configs import errors
from evidence import records
from tef_export import archive, coherence, contents, cross_check, golden_check, manifest, verify
from tests.tef_export import making

ROC = ("performance.roc_auc", "overall")


@pytest.fixture(autouse=True)
def model_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """These cases are not about the model; its process takes most of a second."""
    monkeypatch.setattr(golden_check, "run", lambda *_: golden_check.Opened({}, {}, None))


@pytest.fixture(scope="module")
def key() -> Any:
    return making.real_key()


Attack = Callable[..., None]


def refused(path: Path, key: Any) -> verify.Check:
    """The first refusal; never a crash."""
    found = verify.verify(path, public_key=key.public_key(), at=making.NOW)
    return next(check for check in found.checks if check.status == "fail")


def copied(**changes: Any) -> Callable[[Any], Any]:
    return lambda record: record.model_copy(update=changes)


def reasons(change: Callable[[records.GateReason], records.GateReason | None]) -> Callable[[Any], Any]:
    """Every line of the gate changed; None removes it."""
    return lambda gate: gate.model_copy(update={"reasons": tuple(m for r in gate.reasons if (m := change(r)))})


def of(pair: tuple[str, str], **changes: Any) -> Callable[[records.GateReason], records.GateReason]:
    return lambda r: r.model_copy(update=changes) if (r.check_id, r.slice) == pair else r


def without(*checks: str) -> Callable[[records.GateReason], records.GateReason | None]:
    return lambda r: None if r.check_id in checks else r


def results(change: Callable[[records.CheckResult], records.CheckResult | None]) -> Callable[[Any], Any]:
    return lambda e: e.model_copy(update={"results": tuple(m for r in e.results if (m := change(r)))})


def low(result: records.CheckResult) -> records.CheckResult:
    """Every measure of the ROC area set far below the threshold, the status left at pass."""
    if result.check_id != ROC[0]:
        return result
    interval = records.Interval(low=0.1, high=0.9, level=0.95, method="exact")
    measures = tuple(m.model_copy(update={"value": 0.5, "interval": interval}) for m in result.measures)
    return result.model_copy(update={"measures": measures})


def parity(**changes: Any) -> Callable[[Any], Any]:
    return lambda m: m.model_copy(update={"parity": m.parity.model_copy(update=changes)})


def uses(**changes: Any) -> Callable[[Any], Any]:
    return lambda t: t.model_copy(update={"uses": tuple(u.model_copy(update=changes) for u in t.uses)})


CASES: list[tuple[str, making.Change, str]] = [
    ("outcome better than its lines", {"gate": reasons(of(ROC, status="inconclusive"))}, "gate, outcome"),
    ("outcome worse than its lines", {"gate": copied(outcome="fail"), "close": copied(outcome="fail")}, "outcome"),
    ("lines emptied", {"gate": copied(reasons=())}, "gate, lines of"),
    ("a line removed", {"gate": reasons(without(ROC[0]))}, "gate, lines of performance.roc_auc@overall: expected 1"),
    ("a line added", {"gate": reasons(of(ROC, slice="sex"))}, "gate, lines of performance.roc_auc@"),
    ("nothing required", {"gate": reasons(lambda r: r.model_copy(update={"required": False}))}, "gate, required lines"),
    ("audit not required", {"gate": reasons(of(("data.leakage", "overall"), required=False))}, "gate, required lines"),
    (
        "no leakage audit at all",
        {
            "gate": reasons(without("data.leakage")),
            "evaluate": results(lambda r: None if r.check_id == "data.leakage" else r),
        },
        "gate, lines of data.leakage: expected at least one",
    ),
    ("all results failed", {"evaluate": results(lambda r: r.model_copy(update={"status": "fail"}))}, "gate, "),
    (
        "one result failed",
        {"evaluate": results(lambda r: r.model_copy(update={"status": "fail"}) if r.check_id == ROC[0] else r)},
        "gate, performance.roc_auc: expected fail, got pass",
    ),
    ("results emptied", {"evaluate": copied(results=())}, "gate, lines of data.leakage@overall: expected 0, got 1"),
    (
        "results of a gate removed",
        {"evaluate": results(lambda r: None if r.check_id == ROC[0] else r)},
        "got a pass on no measure",
    ),
    ("a pass below the threshold", {"evaluate": results(low)}, "only on what is at least 0.7, got a pass on 0.5"),
    (
        "a data check that failed",
        {
            "validate": lambda q: q.model_copy(
                update={"results": (q.results[0].model_copy(update={"check_id": "data.types", "status": "fail"}),)}
            )
        },
        "gate, lines of data.types@overall: expected 1, got 0",
    ),
    ("training has read test", {"train": uses(role="test")}, "only the evaluation reads it"),
    ("training calls it evaluation", {"train": uses(role="test", step="evaluation")}, "only the evaluation reads it"),
    ("training read other rows", {"train": uses(rows=99)}, "step fit, rows of train"),
    ("training read other digests", {"train": uses(digests_sha256="0" * 64)}, "step fit, digest of train"),
    ("another step read test", {"evaluate": uses(step="calibration")}, "step calibration"),
    (
        "threshold chosen on test",
        {
            "train": copied(threshold=records.DecisionThreshold(value=0.5, criterion="f1", chosen_on="test"))
        },
        "chosen on test",
    ),
    ("parity beyond tolerance", {"export": parity(max_abs_difference=0.9)}, "model record, parity"),
    ("labels differ", {"export": parity(label_agreement=0.1)}, "10.00% equal labels"),
    ("tolerance widened", {"export": parity(max_abs_difference=0.5, tolerance=1.0)}, "tolerance of the parity"),
    ("batches differ", {"export": parity(max_batch_difference=0.5)}, "model record, parity"),
    ("parity on fewer rows", {"export": parity(rows=1)}, "rows of the parity"),
    ("parity not the one measured", {"export": parity(max_abs_difference=1e-5)}, "result export.parity"),
    (
        "commitment: parts of another split",
        {"commit": copied(split_parts=dict.fromkeys(("train", "validation", "test"), "1" * 64))},
        "commitment, digests of the parts",
    ),
    ("commitment: another split", {"commit": copied(split_sha256="1" * 64)}, "commitment, digest of the split"),
    ("commitment: another code", {"commit": copied(code_sha256="1" * 64)}, "commitment, digest of the code"),
    ("commitment: another plan", {"commit": copied(plan_sha256="1" * 64)}, "commitment, digest of the plan"),
    ("results under another commitment", {"evaluate": copied(commitment_sha256="1" * 64)}, "digest of the commitment"),
    ("results that date the commitment back", {"evaluate": copied(committed_at="2026-11-20T08:00:01Z")},
     "results.json, time of the commitment"),
    ("run ends before it begins", {"close": copied(started_at="2026-11-20T08:59:00Z")}, "time"),
    ("gate before the evaluation", {"gate": copied(at="2026-11-20T08:01:00Z")}, "gate, time"),
    ("stage without record", {"close": lambda r: r.model_copy(
        update={"records": {k: v for k, v in r.records.items() if k != "encode"}})}, "run record, stages"),
]  # fmt: skip


@pytest.mark.attack
@pytest.mark.one_fast
@pytest.mark.parametrize(("change", "said"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_records_that_disagree_are_refused(
    tmp_path: Path, key: Any, attack: Attack, change: making.Change, said: str
) -> None:
    """Every digest and signature holds, and still the bundle does not: what disagrees is named."""
    found = refused(making.bundle(tmp_path, key, change).path, key)
    assert said in found.text
    attack(found)


def test_what_was_not_changed_holds(tmp_path: Path, key: Any) -> None:
    """The same way of making a bundle, with nothing changed, gives one that is accepted."""
    made = making.bundle(tmp_path, key, {"gate": copied(), "ledger": lambda lines: lines})
    found = verify.verify(made.path, public_key=key.public_key(), at=making.NOW)
    assert [c for c in found.checks if c.status == "fail"] == []


def edited(number: int, **changes: Any) -> Callable[[list[dict[str, Any]]], None]:
    return lambda lines: lines[number].update(changes)


LEDGERS: list[tuple[str, Callable[[list[dict[str, Any]]], Any], str]] = [
    ("opened for another run", lambda x: x[0]["details"].update(run_id="other"), "ledger, run of the first line"),
    ("opened for another plan", lambda x: x[0]["details"].update(plan_sha256="0" * 64), "ledger, plan of the first"),
    ("opened without names", edited(0, details={}), "ledger, run of the first line"),
    ("dated 1999", lambda x: [line.update(at="1999-01-01T00:00:00Z") for line in x] and None, "time of the first line"),
    ("a line dated 1999", edited(3, at="1999-01-01T00:00:00Z"), "ledger line 4, time"),
    ("a line dated later", edited(3, at="2027-01-01T00:00:00Z"), "end of the run, time"),
    ("a time that does not exist", edited(3, at="2026-99-99T99:99:99Z"), "ledger.jsonl line 4, at"),
    ("wrong number", edited(3, n=999), "ledger line 4, number: expected 3"),
    ("unknown event", edited(3, event="party"), "ledger.jsonl line 4, event"),
    ("opened twice", edited(3, event="opened"), "one opening"),
    ("stage as a list", edited(2, stage=["x"]), "ledger.jsonl line 3, stage"),
    ("unknown stage", edited(2, stage="party"), "a stage of the format"),
    ("record without size", edited(2, record={"sha256": "0" * 64}), "ledger.jsonl line 3, record"),
    ("another record", lambda x: x[2]["record"].update(sha256="0" * 64), "ledger, record of ingest"),
    ("evaluated first", lambda x: [x[0], {**x[17], "n": 1}, *[{**line, "n": line["n"] + 1} for line in x[1:]]],
     "an evaluation before the commitment"),
]  # fmt: skip


@pytest.mark.attack
@pytest.mark.one_fast
@pytest.mark.parametrize(("change", "said"), [c[1:] for c in LEDGERS], ids=[c[0] for c in LEDGERS])
def test_a_ledger_that_does_not_tell_this_run_is_refused(
    tmp_path: Path, key: Any, attack: Attack, change: Callable[[Any], Any], said: str
) -> None:
    """Each line is an event of this run, in order and numbered, also when the chain was made anew."""
    found = refused(making.bundle(tmp_path, key, {"ledger": change}).path, key)
    assert said in found.text
    attack(found)


APPROVALS: list[tuple[str, dict[str, Any], str]] = [
    ("before the run", {"at": "1999-01-01T00:00:00Z"}, "approval, time"),
    ("nobody", {"person": " "}, "approval, person"),
    ("no role", {"role": ""}, "approval, role"),
    ("no reason", {"reason": "\u200b"}, "approval, reason"),
    ("after the sealing", {"at": "2026-11-20T11:00:00Z"}, "bundle.json, created, time"),
    ("waiver of nothing open", {"waivers": (records.Waiver(
        check_id="a.b", slice="overall", person="Erika Muster", reason="x", expires="2026-12-01"),)},
     "a gate that is not open"),
]  # fmt: skip


@pytest.mark.attack
@pytest.mark.one_fast
@pytest.mark.parametrize(("change", "said"), [a[1:] for a in APPROVALS], ids=[a[0] for a in APPROVALS])
def test_a_decision_needs_a_person_who_saw_the_run(
    tmp_path: Path, key: Any, attack: Attack, change: dict[str, Any], said: str
) -> None:
    """Person, role and reason are there, and the decision lies between the run and the sealing."""
    found = refused(making.bundle(tmp_path, key, **change).path, key)
    assert said in found.text
    attack(found)


WAIVER = records.Waiver(
    check_id=ROC[0], slice=ROC[1], person="Erika Muster", reason="Accepted for the trial.", expires="2027-02-01"
)
OPEN = {
    status: {
        "evaluate": results(
            lambda r, status=status: r.model_copy(update={"status": status}) if r.check_id == ROC[0] else r  # type: ignore[misc]
        ),
        "gate": lambda g, status=status: reasons(of(ROC, status=status))(
            g.model_copy(update={"outcome": "fail" if status == "fail" else "inconclusive"})
        ),
        "close": copied(outcome="fail" if status == "fail" else "inconclusive"),
    }
    for status in ("fail", "inconclusive", "not_measured", "not_applicable")
}


@pytest.mark.slow
@pytest.mark.attack("approval")
@pytest.mark.parametrize("status", OPEN)
def test_every_required_line_that_is_not_a_pass_needs_a_waiver(
    tmp_path: Path, key: Any, attack: Attack, status: str
) -> None:
    """Also one that does not apply or was not measured; with a waiver in force the bundle holds and shows it."""
    without_one = making.bundle(tmp_path / "without", key, OPEN[status])
    said = refused(without_one.path, key)
    assert f"one for performance.roc_auc@overall ({status})" in said.text
    attack(said, what=f"no waiver for a gate whose answer is {status.replace('_', ' ')}")
    made = making.bundle(tmp_path / "with", key, OPEN[status], waivers=(WAIVER,))
    found = verify.verify(made.path, public_key=key.public_key(), at=making.NOW)
    assert found.refusal is None
    assert any("accepted until 2027-02-01" in check.text for check in found.checks)


WAIVERS: list[tuple[str, dict[str, str], str]] = [
    ("waiver that had ended long before", {"expires": "2001-01-01"}, "expiry: expected a date from 2026-11-20 on"),
    ("waiver that ended the day before", {"expires": "2026-11-19"}, "expiry"),
    ("waiver for more than a year", {"expires": "2027-11-22"}, "expiry"),
    ("waiver without an end", {"expires": "never"}, "expiry: expected a date, got never"),
    ("waiver with an end that can be misread", {"expires": "20270101"}, "expiry"),
    ("waiver with an empty end", {"expires": ""}, "expiry"),
    ("waiver without a reason", {"reason": ""}, "reason: expected words"),
    ("waiver of somebody else", {"person": "Somebody Else"}, "person: expected Erika Muster, got Somebody Else"),
    ("waiver of nobody", {"person": ""}, "person"),
]


@pytest.mark.attack("approval")
@pytest.mark.one_fast
@pytest.mark.parametrize(("changes", "said"), [one[1:] for one in WAIVERS], ids=[one[0] for one in WAIVERS])
def test_a_waiver_is_the_approvers_own_with_a_reason_and_an_end(
    tmp_path: Path, key: Any, attack: Attack, changes: dict[str, str], said: str
) -> None:
    """A waiver by somebody else, without a reason, expired before the decision or without an end is none."""
    waiver = WAIVER.model_copy(update=changes)
    made = making.bundle(tmp_path, key, OPEN["inconclusive"], waivers=(waiver,))
    found = refused(made.path, key)
    assert f"approval, waiver of performance.roc_auc@overall, {said}" in found.text
    attack(found)


INDEX: list[tuple[str, Callable[[dict[str, Any]], Any], str]] = [
    ("system name", lambda i: i["system"].update(name="Certified device"), "system name"),
    ("provider", lambda i: i["system"].update(provider="Another"), "provider"),
    ("purpose", lambda i: i["system"].update(intended_purpose="Everything"), "intended purpose"),
    ("environment", lambda i: i.update(test_environment="real_world"), "test environment"),
    ("feature renamed", lambda i: i["model"]["features"][2].update(name="bmI"), "bundle.json, features"),
    ("features swapped", lambda i: i["model"]["features"].reverse(), "bundle.json, features"),
    ("unit", lambda i: i["model"]["features"][0].update(unit="months"), "feature age, unit"),
    ("range", lambda i: i["model"]["features"][0].update(maximum=20), "feature age, maximum"),
    ("kind", lambda i: i["model"]["features"][1].update(kind="numeric"), "feature sex, kind"),
    ("codes swapped", lambda i: i["model"]["features"][1]["categories"].reverse(), "feature sex, categories"),
    ("meaning", lambda i: i["model"]["features"][1]["labels"].update({"1": "x"}), "feature sex, labels"),
    ("classes swapped", lambda i: i["model"]["classes"].reverse(), "bundle.json, classes"),
    ("target", lambda i: i["model"].update(target="other"), "bundle.json, target"),
    ("unit of the target", lambda i: i["model"].update(target_unit="kg"), "unit of the target"),
    ("sealed before the approval", lambda i: i.update(created="2026-11-20T09:00:00Z"), "bundle.json, created, time"),
    ("a date that does not exist", lambda i: i.update(created="9999-99-99T99:99:99Z"), "bundle.json, created"),
    ("another signer", lambda i: i.update(signer_fingerprint="0" * 64), "bundle.json, signer_fingerprint"),
]  # fmt: skip


@pytest.mark.attack
@pytest.mark.one_fast
@pytest.mark.parametrize(("change", "said"), [i[1:] for i in INDEX], ids=[i[0] for i in INDEX])
def test_the_index_says_what_the_plan_says(
    made: making.Made, tmp_path: Path, attack: Attack, change: Callable[[dict[str, Any]], Any], said: str
) -> None:
    """What a facility reads first is what was declared, signed by the key it names."""
    top, files = making.unpacked(made.path)
    index = json.loads(files[manifest.PLACE])
    change(index)
    files[manifest.PLACE] = json.dumps(index).encode()
    path = making.packed(tmp_path / "x.zip", top, making.resigned(top, files, made.key))
    found = refused(path, made.key)
    assert said in found.text
    attack(found)


@pytest.mark.parametrize("text", ["", " ", "x", "0" * 63, "0" * 65, "g" * 64, "0" * 64 + "\n0", "０" * 64])
def test_a_fingerprint_that_is_none_is_refused_before_the_archive_is_opened(tmp_path: Path, text: str) -> None:
    """An empty or cut fingerprint is a mistake of the command, not the wish to trust any key."""
    with pytest.raises(errors.PlanError, match="expected 64 hexadecimal digits"):
        verify.verify(tmp_path / "absent.zip", fingerprint=text)


def test_key_and_fingerprint_must_both_match(made: making.Made) -> None:
    """Where both are pinned, one that is of another key refuses the bundle."""
    other = making.real_key()
    mine = {"public_key": made.key.public_key(), "fingerprint": made.key.fingerprint}
    for wrong in ({"fingerprint": other.fingerprint}, {"public_key": other.public_key()}):
        found = verify.verify(made.path, at=making.NOW, **{**mine, **wrong})  # type: ignore[arg-type]
        assert not found.ok
    pairs = ":".join(made.key.fingerprint[i : i + 2] for i in range(0, 64, 2)).upper()
    both = verify.verify(made.path, at=making.NOW, **{**mine, "fingerprint": pairs})  # type: ignore[arg-type]
    assert both.refusal is None


@pytest.mark.slow
def test_a_plan_that_is_none_is_refused(made: making.Made) -> None:
    """A plan that is too large, no text or no plan is refused in one sentence."""
    text = making.unpacked(made.path)[1][contents.PLAN]
    assert coherence.read_plan(text).system.id == "diabetes-progression"
    for bad in (b"", b"\xff", b"- 1", b"version: 1", text + b"x: 1\n", text + b"#" * (1 << 20), b"[" * 100_000):
        with pytest.raises(errors.VerificationError):
            coherence.read_plan(bad)


def scalars(node: Any, place: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The place of everything in a JSON document, itself left out."""
    inner = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    return [found for k, v in inner for found in ((*place, k), *scalars(v, (*place, k)))]


JSON = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from([2**63, -1, 10**400, 1e308, 0.5]),
    st.text(max_size=6),
    st.sampled_from(
        ["2026-99-99T99:99:99Z", "9999-12-31T24:00:00Z", "0000-01-01T00:00:00Z", "0" * 64, "../x", "overall"]
    ),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
)


@pytest.mark.slow
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_malformed_evidence_is_refused_and_never_a_crash(
    made: making.Made, tmp_path: Path, data: st.DataObject
) -> None:
    """Any value of any record replaced by any other, or removed, and every digest made to fit: an answer, no crash.

    The rules are called one by one, so that a digest that differs elsewhere hides none of them.
    """
    files = made_files(made)
    path = data.draw(st.sampled_from([*contents.EVIDENCE.values(), contents.APPROVAL, manifest.PLACE, contents.LEDGER]))
    lines = files[path].splitlines() if path == contents.LEDGER else [files[path]]
    number = data.draw(st.integers(0, len(lines) - 1))
    document = json.loads(lines[number])
    place = data.draw(st.sampled_from(scalars(document)))
    node = document
    for step in place[:-1]:
        node = node[step]
    if data.draw(st.booleans()):
        node[place[-1]] = data.draw(JSON)
    else:
        del node[place[-1]]
    lines[number] = json.dumps(document).encode()
    root = Path(tempfile.mkdtemp(dir=tmp_path))
    for name, content in {**files, path: b"\n".join(lines) + b"\n"}.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    sizes = {name: archive.Unpacked(making.sha((root / name).read_bytes()), 1) for name in files}
    every_rule(cross_check.Bundle(made.written.bundle_id, root, sizes), made)


def made_files(made: making.Made) -> dict[str, bytes]:
    return making.unpacked(made.path)[1]


def every_rule(bundle: cross_check.Bundle, made: making.Made) -> None:
    """Each rule by itself: it holds or refuses."""
    with contextlib.suppress(errors.VerificationError):
        index = cross_check.check_index(bundle, made.key.fingerprint)
    with contextlib.suppress(errors.VerificationError):
        index = manifest.parse(bundle.read(manifest.PLACE))
        found = cross_check.read_evidence(bundle)
        rules: list[Callable[[], object]] = [
            lambda: cross_check.check_evidence(bundle, index, found),
            lambda: cross_check.check_approval(bundle, index, found),
            *(
                lambda rule=rule: rule(bundle, index, found)  # type: ignore[misc]
                for rule in (
                    cross_check._check_run,
                    cross_check._check_model,
                    cross_check._check_commitment,
                    cross_check._check_documents,
                    cross_check._check_graph,
                )
            ),
            lambda: cross_check._check_contract(index, found),
            lambda: coherence.check_ledger(bundle.read(contents.LEDGER), found.run, found.plan),
            lambda: coherence.check_times(found.run, found.commit, found.results, found.gate),
            lambda: coherence.check_identity(index, found.plan),
            lambda: coherence.check_table(index, found.plan),
            lambda: coherence.check_uses(found.train, found.results, found.split),
            lambda: coherence.check_parity(found.model, found.train, found.split, found.checks),
            lambda: coherence.check_gate(found.plan, found.gate, found.checks),
            lambda: coherence.check_decision(found.approval, found.run, found.gate),
        ]
        for rule in rules:
            with contextlib.suppress(errors.VerificationError):
                rule()


def test_waivers_of_one_day_are_told_under_it() -> None:
    """The day until which they hold is said once, and no sentence ends twice."""
    other = WAIVER.model_copy(update={"slice": "sex", "reason": "Looked at by a person."})
    said = cross_check._accepted((WAIVER, other))
    assert said.count("accepted until") == 1
    assert said.endswith("@sex (Looked at by a person)")
    later = cross_check._accepted((WAIVER, other.model_copy(update={"expires": "2027-03-01"})))
    assert later.count("accepted until") == 2
