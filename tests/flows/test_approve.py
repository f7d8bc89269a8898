"""`proofline approve`: what a person is told before they sign, and what is no name, role or reason."""

from __future__ import annotations

import json
from pathlib import Path

import click
import pydantic
import pytest
from click.testing import CliRunner

from configs import errors
from configs.law import register as law
from evidence import dossier, ledger, records
from evidence.folder import RunFolder
from flows import altered, approval, cli, gap_counts, workspace
from flows.commands import approve, show
from model_cards import refs
from tef_export import keys
from tests.tef_export import making

CHECK = "performance.rmse"
GATES = (CHECK, "robustness.noise", "fairness.group_error")
WHO = {"person": "Anna Muster", "role": "compliance officer", "reason": "I have read the documents of this run."}


def _open(decision: records.GateDecision) -> records.GateDecision:
    """The decision with three required gates that did not pass."""
    first = decision.reasons[0]
    failed = [
        first.model_copy(update={"check_id": check, "slice": "overall", "required": True, "status": "fail"})
        for check in GATES
    ]
    return decision.model_copy(update={"outcome": "fail", "reasons": tuple(failed)})


@pytest.fixture
def space(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace with a closed run whose gate failed, and a key."""
    making.run(tmp_path / "runs" / "diabetes-1", change={"gate": _open})
    keys.new_key(tmp_path / "keys", "test", None)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _call(capsys: pytest.CaptureFixture[str], *waivers: str) -> tuple[int, str, str]:
    words = [word for name, said in WHO.items() for word in (f"--{name}", said)]
    with pytest.raises(SystemExit) as leaving:
        cli.main(["approve", "diabetes-1", *words, "--key", "keys/test.key.pem", *waivers])
    said = capsys.readouterr()
    return int(leaving.value.code or 0), said.out, said.err


def _write_anew(path: Path) -> None:
    """Another card in the place of the first, as after an answer: documents and end of the run are recorded again."""
    folder, chain, found = RunFolder(path), ledger.Ledger.open(path), workspace.dossier(path)
    assert found.document is not None
    assert found.close is not None
    card = folder.write_bytes("documents/README.md", making.CARD + b"\nStated since.\n")
    made = found.document.model_copy(update={"documents": (card, *found.document.documents[1:])})
    _record(folder, chain, "document", made)
    kept = {**found.close.records, "document": chain.finished("document")}
    end = {"records": kept, "ledger_lines": len(chain.lines), "ledger_head": chain.head}
    _record(folder, chain, "close", found.close.model_copy(update=end))


def _record(folder: RunFolder, chain: ledger.Ledger, stage: str, record: pydantic.BaseModel) -> None:
    chain.append("started", stage=stage)
    chain.append("finished", stage=stage, record=folder.write_record(dossier.STAGES[stage][0], record))


def test_a_misspelt_check_is_named_before_anything_else(space: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Not the waivers that are missing are told, but the one that has no check, with the one that was meant."""
    code, shown, said = _call(capsys, "--waive", "performance.rsme=Pilot under daily review")
    assert code == errors.EXIT_USAGE
    assert "--waive performance.rsme@overall: expected a check of this run, got no such check" in said
    assert f"Did you mean '{CHECK}'?" in said
    assert "your reason" not in said
    assert shown == ""


@pytest.mark.parametrize("command", [("approve", "last"), ("release", "last"), ("answer", "last", "--list")])
def test_last_is_the_newest_run_or_none(space: Path, capsys: pytest.CaptureFixture[str], command: tuple[str]) -> None:
    """Where the newest run is unfinished nothing is done to an older one in its place; both are named."""
    making.run(space / "runs" / "diabetes-2")
    (space / "runs" / "diabetes-2" / "run.json").unlink()
    with pytest.raises(SystemExit) as leaving:
        cli.main([*command])
    said = capsys.readouterr()
    assert leaving.value.code == errors.EXIT_MISSING
    assert "got the newest one, diabetes-2, which is not finished. Complete it with" in said.err
    assert "`proofline run diabetes-2 --resume`; or name the newest finished run: diabetes-1." in said.err
    assert said.out == ""
    assert workspace.Workspace(space).find("last").name == "diabetes-2"


def test_the_first_line_says_on_which_run_a_person_decides(space: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Before anything else: system, version and run."""
    waivers = [word for check in GATES for word in ("--waive", f"{check}=Pilot under daily review")]
    code, shown, _ = _call(capsys, *waivers)
    assert code == errors.EXIT_PASS
    assert shown.startswith("Diabetes Progression Indicator 0.1.0   run diabetes-1\n")


def test_gates_stand_last_and_gaps_as_counts(space: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What a person decides on is in sight where the questions begin; gaps are counted, and listed elsewhere."""
    waivers = [word for check in GATES for word in ("--waive", f"{check}=Pilot under daily review")]
    code, shown, _ = _call(capsys, *waivers)
    assert code == errors.EXIT_PASS
    before, _, after = shown.partition("Gate: fail\n")
    assert before.count("\n") <= 3
    assert "Gaps in the documents: " in before
    assert [line.split("@")[0].split()[-1] for line in after.splitlines()[:3]] == list(GATES)
    assert after.splitlines()[3].startswith("approved by Anna Muster")


def test_gaps_are_counted_by_who_can_fill_them(space: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In the words of the gaps themselves; `show --gaps` lists each under its person."""
    made = [refs.Gap(f"thing {i}", "engineer", "plan: data.x") for i in range(2)]
    made.append(refs.Gap("Who signs?", "management", "proofline answer --only declaration", "Not answered"))
    gaps = [gap.text for gap in made]
    assert gap_counts.lines(gaps, "r-1") == [
        "Gaps in the documents: 3, to be filled by: 2 engineer, 1 management",
        "  Each of them: proofline show r-1 --gaps",
    ]
    path = space / "runs" / "diabetes-1"
    folder, chain, found = RunFolder(path), ledger.Ledger.open(path), workspace.dossier(path)
    assert found.document is not None
    _record(folder, chain, "document", found.document.model_copy(update={"gaps": tuple(gaps)}))
    with pytest.raises(SystemExit):
        cli.main(["show", "diabetes-1", "--gaps"])
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "engineer: 2"
    assert said[1] == "  Not stated: thing 0. (plan: data.x)."
    assert said[3] == "management: 1"


@pytest.mark.parametrize(
    ("option", "value", "told"),
    [
        ("--reason", "approved", "Say why in 3 words or more"),
        ("--person", "TBD", "a placeholder"),
        ("--expires", "yesterday", "expected a date as 2027-01-31"),
        ("--key", "keys/test.pub.pem", "expected a private key, got a public one or a certificate"),
        ("--key", "keys/other.pem", "expected a file, got none"),
    ],
)
def test_a_mistaken_option_is_told_before_anything_is_shown(
    space: Path, capsys: pytest.CaptureFixture[str], option: str, value: str, told: str
) -> None:
    """Nothing scrolls away above the one sentence that says what is wrong."""
    waivers = [word for check in GATES for word in ("--waive", f"{check}=Pilot under daily review")]
    _, shown, said = _call(capsys, *waivers, option, value)
    assert told in said
    assert shown == ""
    assert approval.standing(space / "runs" / "diabetes-1") is None


def test_gates_without_a_waiver_are_told_alone_where_nobody_can_be_asked(
    space: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without a terminal the list of options that are missing is all there is."""
    code, shown, said = _call(capsys, "--waive", f"{CHECK}=Pilot under daily review")
    assert code == errors.EXIT_FAIL
    assert said.count("--waive '") == len(GATES) - 1
    assert shown == ""


def test_a_wrong_password_is_told_below_the_name_of_the_run(
    space: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The password is asked for first of all, so that a wrong one costs nothing."""
    keys.new_key(space / "keys", "locked", b"the right one")
    monkeypatch.setattr(click, "prompt", lambda *_, **__: "the wrong one")
    waivers = [word for check in GATES for word in ("--waive", f"{check}=Pilot under daily review")]
    _, shown, said = _call(capsys, *waivers, "--key", "keys/locked.key.pem")
    assert "expected its password, got another one" in said
    assert shown == "Diabetes Progression Indicator 0.1.0   run diabetes-1\n"


def test_whoever_signs_is_told_of_an_old_register(
    space: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The documents follow a text of the law that nobody has looked at for too long: said before the signature."""
    waivers = [word for check in GATES for word in ("--waive", f"{check}=Pilot under daily review")]
    monkeypatch.setattr(law, "STALE_AFTER_DAYS", -1)
    code, shown, said = _call(capsys, *waivers)
    assert code == errors.EXIT_PASS
    assert "Gate: fail" in shown
    assert said.startswith("Warning: law register: expected one checked within")


def test_a_slice_that_is_not_open_is_named(space: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The check is there: the slices on which it is open are told."""
    code, _, said = _call(capsys, "--waive", f"{CHECK}@sex=Pilot under daily review")
    assert code == errors.EXIT_USAGE
    assert f"expected a slice on which {CHECK} is open (overall), got 'sex'" in said


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("person", "TBD"), ("role", "to be named"), ("reason", "To be determined later."), ("reason", "approved"),
        ("waiver", "Wird noch nachgereicht."),
    ],
)  # fmt: skip
def test_a_placeholder_decides_nothing(space: Path, field: str, text: str) -> None:
    """A name, a role, a reason or a waiver that only holds a place is refused, and nothing is signed."""
    path = space / "runs" / "diabetes-1"
    waivers = dict.fromkeys(((c, "overall") for c in GATES), text if field == "waiver" else "Pilot under daily review.")
    said = approval.Answers(**{**WHO, field: text} if field != "waiver" else WHO, decision="approved", waivers=waivers)
    with pytest.raises(errors.PlanError, match=r"a placeholder|3 words or more"):
        approval.decide(path, said, keys.load_private(space / "keys/test.key.pem", None))
    assert approval.standing(path) is None


def test_a_prompt_asks_again_until_it_is_answered() -> None:
    """What holds a place is told where it is typed, and asked again."""

    @click.command()
    def ask() -> None:
        click.echo(f"taken: {approve._asked('Why do you decide so', approval.require_reason)}")

    told = CliRunner().invoke(ask, input="tbd\nyes\nI have read the report.\n").output
    assert "got 'tbd', a placeholder. Read the report and say why, or decide later." in told
    assert "Say why in 3 words or more" in told
    assert "taken: I have read the report." in told


@pytest.mark.parametrize("how", ["altered", "removed"])
def test_show_tells_a_document_that_is_not_as_it_was_written(
    space: Path, capsys: pytest.CaptureFixture[str], how: str
) -> None:
    """One byte in a document, or a document less: `show` names it, and the approval no longer counts."""
    waivers = [word for c in GATES for word in ("--waive", f"{c}=Pilot under daily review.")]
    assert _call(capsys, *waivers)[0] == errors.EXIT_PASS
    path = space / "runs" / "diabetes-1"
    decision = workspace.standing_approval(path)
    assert decision is not None
    assert approval.changed_since(decision, path, workspace.dossier(path)) is None
    card = path / "documents" / "README.md"
    content = card.read_bytes()
    card.unlink() if how == "removed" else card.write_bytes(content + b" ")
    with pytest.raises(SystemExit):
        cli.main(["show", "diabetes-1"])
    said = capsys.readouterr().out
    assert f"Not as the run wrote them: documents/README.md {how} since. No approval covers that." in said
    assert "no longer counts: the documents have changed since" in said
    with pytest.raises(SystemExit):
        cli.main(["show", "diabetes-1", "--json"])
    assert json.loads(capsys.readouterr().out)["documents"][how] == ["documents/README.md"]


def test_a_draft_of_the_declaration_counts_among_the_documents(space: Path) -> None:
    """What stands beside an approval is held to its record as well."""
    path = space / "runs" / "diabetes-1"
    draft = RunFolder(path).write_bytes("approvals/001/declaration.md", b"Draft.\n")
    found = workspace.dossier(path)
    decision = records.Approval.model_construct(declaration=(draft,))
    assert not altered.documents(path, found, decision)
    (path / draft.path).write_bytes(b"Declaration.\n")
    assert altered.documents(path, found, decision).words() == "approvals/001/declaration.md altered"


def test_show_tells_a_decision_on_other_documents(space: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An approval counts for the documents that were read; after others were written it is marked."""
    waivers = [word for c in GATES for word in ("--waive", f"{c}=Pilot under daily review.")]
    assert _call(capsys, *waivers)[0] == errors.EXIT_PASS

    def shown() -> str:
        with pytest.raises(SystemExit):
            cli.main(["show", "diabetes-1"])
        return capsys.readouterr().out

    assert "approved by Anna Muster" in shown()
    assert "no longer counts" not in shown()
    _write_anew(space / "runs" / "diabetes-1")
    assert "no longer counts: the documents have changed since; approve again" in shown()
    path = space / "runs" / "diabetes-1"
    found = workspace.dossier(path)
    with pytest.raises(errors.GateError, match="approve again"):
        approval.require(path, found)


def test_a_run_is_evidence_by_its_name(space: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`lint` takes `last` and a run's name as other commands do; a file of that name comes first."""
    said = {}
    for given in ("last", "diabetes-1", "runs/diabetes-1"):
        with pytest.raises(SystemExit) as leaving:
            cli.main(["lint", "runs/diabetes-1/documents/README.md", "--evidence", given])
        assert leaving.value.code in (errors.EXIT_PASS, errors.EXIT_FAIL)
        said[given] = capsys.readouterr().out
        assert "evidence files" in said[given]
    assert len(set(said.values())) == 1
    with pytest.raises(SystemExit) as leaving:
        cli.main(["lint", "runs/diabetes-1/documents/README.md", "--evidence", "nothing"])
    assert leaving.value.code == errors.EXIT_MISSING


def test_the_value_of_a_group_is_shown_with_the_group() -> None:
    """A number of one group reads as that of all, unless the group stands with it."""
    measures = tuple(
        records.Measure(name="fairness.selection_rate", value=v, slice=f"sex={n}") for n, v in (("a", 0.7), ("b", 0.5))
    )
    common = {"check_id": "fairness.selection_rate", "title": "t", "severity": "info", "reason": "r"}
    result = records.CheckResult(**common, status="not_applicable", measures=measures)
    assert show._told(result) == "measured 0.7 for sex=a, and 1 more (--json); no threshold is set"
    whole = result.model_copy(update={"measures": (measures[0].model_copy(update={"slice": "overall"}),)})
    assert show._told(whole) == "measured 0.7; no threshold is set"
