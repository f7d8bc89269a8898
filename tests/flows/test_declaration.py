"""The draft of the declaration stands beside the approval, bound by its signature, and travels with the bundle."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from configs import errors, load
from configs.answers import AnswersFile
from evidence import answers, records
from evidence.dossier import Dossier
from flows import approval, cli, workspace
from model_cards import declaring
from tef_export import keys, verify, write
from tests.model_cards.legal import stating
from tests.tef_export import making

REASON = "I have read the documents of this run."


def _plan() -> str:
    """The embedded use case, with a word on personal data, as Annex V asks, and on the duty of transparency."""
    text = load.plan_path("diabetes_progression").read_text(encoding="utf-8")
    text = text.replace('personal_data: "unknown"', 'personal_data: "yes"')
    return text.replace('transparency_duty: "unknown"', 'transparency_duty: "no"')


def _closed(place: Path, *, risks: bool, text: str | None = None) -> Path:
    """A closed run whose gate passed and whose questions are answered."""
    text = text or _plan()
    plan = load.parse(text)
    questions = [s.id for s in answers.settle("r", plan, AnswersFile(version=1, system=plan.system.id), {}).statements]
    said = AnswersFile.model_validate(
        {
            "version": 1,
            "system": plan.system.id,
            "by": stating.BY,
            "answers": [{"id": q, "text": f"What the company says on {q}."} for q in questions],
            "risks": [stating.RISK] if risks else [],
        }
    )
    change = {"answers": lambda record: answers.settle("diabetes-1", plan, said, {})}
    folder, _ = making.run(place / "runs" / "diabetes-1", text, change)
    return folder.path


def _approve(path: Path, key: Path) -> records.Approval:
    said = approval.Answers("Erika Muster", "compliance officer", REASON, "approved", {})
    return approval.decide(path, said, keys.load_private(key, None))


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key without a password."""
    place = tmp_path_factory.mktemp("keys")
    keys.new_key(place, "test", None)
    return place / "test.key.pem"


@pytest.fixture(scope="module")
def approved(tmp_path_factory: pytest.TempPathFactory, key: Path) -> tuple[Path, records.Approval]:
    """A run with nothing against it, approved."""
    path = _closed(tmp_path_factory.mktemp("ready"), risks=True)
    return path, _approve(path, key)


def test_the_draft_is_bound_by_the_signature(approved: tuple[Path, records.Approval]) -> None:
    """The approval names every file of the draft by digest, and is not authentic without them."""
    from evidence.folder import RunFolder
    from tef_export import approval as signing

    path, made = approved
    assert {Path(d.path).name for d in made.declaration} == {
        *(f"declaration.{end}" for end in ("md", "html", "json", "docx", "pdf")),
        "declaration_fields.json",
    }
    for reference in made.declaration:
        RunFolder(path).checked(reference)
    fields = json.loads((path / "approvals/001/declaration_fields.json").read_text(encoding="utf-8"))
    assert [f["id"] for f in fields["fields"]] == [f"AV-{i}" for i in range(1, 9)]
    assert fields["beside_approval"] == {n: getattr(made, n) for n in ("person", "role", "at", "reason")}
    assert REASON in (path / "approvals/001/declaration.md").read_text(encoding="utf-8")
    with pytest.raises(errors.VerificationError, match="altered"):
        signing.verify_approval(made.model_copy(update={"declaration": made.declaration[:-1]}))


@pytest.mark.slow
def test_the_bundle_carries_it_and_the_reader_holds_it_against_the_approval(
    approved: tuple[Path, records.Approval], key: Path, tmp_path: Path
) -> None:
    """A bundle with the draft is accepted; with the draft altered, left out or added it is refused."""
    path, made = approved
    signer = keys.load_private(key, lambda: "")
    found = workspace.dossier(path)
    from evidence.folder import RunFolder

    written = write.write(RunFolder(path), found, made, signer, tmp_path / "out", made.at)
    whole = verify.verify(written.path, public_key=signer.public_key())
    assert whole.ok, [check for check in whole.checks if check.status == "fail"]
    top, files = making.unpacked(written.path)
    place = "data/evidence/declaration/declaration.md"
    assert place in files
    for name, content in (("altered", files[place] + b"\nIt conforms.\n"), ("missing", None)):
        changed = {p: c for p, c in files.items() if p != place} | ({place: content} if content else {})
        changed = making.resigned(top, making.reindexed(changed), signer, made.at)
        bad = making.packed(tmp_path / f"{name}.zip", top, changed)
        result = verify.verify(bad, public_key=signer.public_key())
        assert not result.ok
        assert any(place in check.text for check in result.checks if check.status == "fail")


def test_show_says_where_the_draft_stands(
    approved: tuple[Path, records.Approval], capsys: pytest.CaptureFixture[str]
) -> None:
    """Two documents have one name: `show` gives the path of the draft, and says what the other one is."""
    path, _ = approved
    with pytest.raises(SystemExit):
        cli.main(["show", str(path)])
    said = capsys.readouterr().out
    assert f"to be signed by whom it names: {path / 'approvals/001/declaration.pdf'}" in said
    assert "documents/declaration.* is the status before any approval." in said


def test_no_draft_while_something_stands_against_it(tmp_path: Path, key: Path) -> None:
    """Without a register of risks the approval names no draft, and its bytes are those of an approval without one."""
    path = _closed(tmp_path, risks=False)
    made = _approve(path, key)
    assert made.declaration == ()
    assert not (path / "approvals/001").exists()
    assert "declaration" not in json.loads(made.model_dump_json())


def test_a_prohibited_practice_has_no_draft_and_whoever_approves_is_told(tmp_path: Path, key: Path) -> None:
    """All else being in order, an answer that points to Art. 5 stands against a declaration, and is said first."""
    text = _plan().replace('prohibited_practice: "no"', 'prohibited_practice: "yes"\n  prohibited_practices: [P5-c]')
    path = _closed(tmp_path, risks=True, text=text)
    found = workspace.dossier(path)
    first = approval.what_is_signed(found)[0]
    assert first.startswith("The answers in the plan point to a prohibited practice (Art. 5(1)(c), Social scoring")
    assert _approve(path, key).declaration == ()
    assert isinstance(found, Dossier)
    (only,) = declaring.against(found, ())
    assert only.startswith("a prohibited practice (Art. 5): the answers point to it: Art. 5(1)(c), Social scoring")
    assert only.endswith("(compliance officer: plan: classification)")


def test_a_demonstration_drafts_nothing(tmp_path: Path) -> None:
    """What approves nothing declares nothing, whatever else is in order."""
    path = _closed(tmp_path, risks=True)
    assert approval.demonstrate(path).declaration == ()
