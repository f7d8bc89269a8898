"""A facility's answer: it says no more than was found, cannot be altered or exchanged, and the documents cite it."""

from __future__ import annotations

import base64
import dataclasses
import errno
import json
from pathlib import Path

import jsonschema
import pytest

from configs import errors
from evidence import canonical, clock, facility, ledger, rerun_records
from flows import facility_answer, facility_files, workspace
from tef_export import dsse, facility_report, golden_check, verify
from tests.tef_export import making

WHO = ("TEF Nord", "Ada Test", "test engineer")


@dataclasses.dataclass(frozen=True)
class Case:
    """A released bundle in a workspace, the reader's answer about it, and the facility's key."""

    space: workspace.Workspace
    path: Path
    answer: verify.Verification
    key: making.keys.PrivateKey

    def make(self, verdict: str = "reproduced", **more) -> facility.FacilityReport:
        """An answer about the bundle."""
        if verdict != "refused":
            more = {"rerun": rerun(self.answer), **more}
        return facility_report.make(self.answer, who=WHO, test_environment="lab", verdict=verdict, **more)

    def sent(self, place: Path, report: facility.FacilityReport) -> Path:
        """The signed file."""
        return facility_files.write(report, self.key, place, "answer")[0][0]

    def receive(self, file: Path):
        """Take it in."""
        return facility_answer.receive(self.space, file, self.key.public_key())


def rerun(answer: verify.Verification, status: rerun_records.Status = "reproduced") -> rerun_records.Rerun:
    """An outcome with one comparison."""
    assert answer.manifest is not None
    one = rerun_records.Comparison(
        check_id="performance.accuracy", name="performance.accuracy", slice="overall", unit="1", declared=0.8,
        declared_interval=None, declared_n=100, measured=0.8, measured_interval=None, measured_n=100, status=status,
        reason="0 apart", headline=True,
    )  # fmt: skip
    return rerun_records.Rerun(
        bundle_id=answer.manifest.bundle_id,
        bundle_sha256=answer.sha256,
        run_id=answer.manifest.run_id,
        key_fingerprint=answer.manifest.signer_fingerprint,
        demonstration=False,
        at="2026-11-22T10:00:00Z",
        runtime="onnxruntime",
        data=rerun_records.Rows(origin="bundle", name="data/test/rows.csv", sha256=making.ZERO, rows=100),
        status=status,
        comparisons=(one,),
        not_repeated=(rerun_records.NotRepeated(check_id="data.leakage", reason="stays with the provider"),),
        thresholds=(),
    )


@pytest.mark.one_fast
@pytest.mark.parametrize(
    ("who", "findings", "words"),
    [
        (("TEF Nord", "TBD", "test engineer"), (), "facility report, person: expected a name, got 'TBD'"),
        (("[insert name]", "Ada Test", "test engineer"), (), "facility report, facility: expected a name"),
        (("TEF Nord", "Ada Test", "to be named"), (), "facility report, role: expected a name"),
        (WHO, ("To be completed later.",), "facility report, finding: expected what you found"),
    ],
)
def test_a_facility_signs_no_placeholder(case: Case, who, findings, words: str) -> None:
    """Who answers, and what was found, is said as in an answer of the provider, or refused."""
    with pytest.raises(errors.PlanError) as refusal:
        facility_report.make(
            case.answer, who=who, test_environment="lab", verdict="cannot_tell", rerun=None, findings=findings
        )
    assert str(refusal.value).startswith(words)


@pytest.fixture
def case(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Case:
    passed = golden_check.Opened({}, dict.fromkeys(golden_check.CHECKS, "passed"), None)
    monkeypatch.setattr(golden_check, "run", lambda *_: passed)
    made = making.bundle(tmp_path / "provider", making.real_key())
    answer = verify.verify(made.path, public_key=made.key.public_key(), at=making.NOW)
    record = verify.bundle_record(made.written.name, made.path.stat().st_size, answer, clock.now())
    reference = made.folder.write_record("bundle/record.json", record)
    details = {"bundle_id": record.bundle_id, "bundle_sha256": record.bundle.sha256}
    ledger.Ledger.open(made.folder.path).append("released", record=reference, details=details)
    return Case(workspace.Workspace(tmp_path / "provider"), made.folder.path, answer, making.real_key())


def test_an_answer_arrives(case: Case, tmp_path: Path) -> None:
    """Signed, sent, received: kept as it came, in the ledger, and in what the documents are made from."""
    file = case.sent(tmp_path / "out", case.make(findings=("Few rows of older persons.",)))
    path, entry = case.receive(file)
    assert path == case.path
    assert (path / "received/001.json").read_bytes() == file.read_bytes()
    assert (entry.facility, entry.verdict, entry.rows, entry.reproduced) == ("TEF Nord", "reproduced", 100, 1)
    last = ledger.Ledger.read(path).lines[-1]
    assert (last.event, last.details["verdict"]) == ("received", "reproduced")
    found = workspace.dossier(path).received
    assert found is not None
    assert found.reports == (entry,)
    second = case.sent(tmp_path / "out2", case.make("refused", findings=("On second thoughts.",)))
    assert case.receive(second)[1].report.path == "received/002.json"


def test_the_same_answer_is_taken_in_once(case: Case, tmp_path: Path) -> None:
    """Twice the same file is one piece of evidence."""
    file = case.sent(tmp_path / "out", case.make())
    case.receive(file)
    with pytest.raises(errors.PlanError, match="expected a new one"):
        case.receive(file)


def test_a_full_disk_leaves_no_half_answer(case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of it stands in the way of the next try; an answer that is there is not overwritten."""
    out = tmp_path / "out"

    def full(_: int) -> None:
        if len(list(out.iterdir())) > 1:
            raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(facility_files.os, "fsync", full)
        with pytest.raises(OSError, match="No space"):
            case.sent(out, case.make())
    assert list(out.iterdir()) == []
    sent = case.sent(out, case.make())
    assert {path.suffix for path in out.iterdir()} == {".json", ".html", ".pdf"}
    with pytest.raises(errors.PlanError, match="expected none yet"):
        case.sent(out, case.make())
    assert facility_report.opened(sent.read_bytes(), case.key.public_key()).facility == WHO[0]


def test_a_part_that_cannot_be_removed_hides_nothing(
    case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On Windows another program may hold it open: the first error is told, and the other parts are removed."""
    answer, real = case.make(), Path.unlink

    def unlink(path: Path, *, missing_ok: bool = False) -> None:
        if path.name.endswith(".html.part"):
            raise PermissionError(errno.EACCES, "in use", str(path))
        real(path, missing_ok=missing_ok)

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "unlink", unlink)
    monkeypatch.setattr(facility_files.os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        case.sent(tmp_path / "out", answer)
    assert {path.name for path in (tmp_path / "out").iterdir()} <= {"answer.report.html.part"}


def test_a_foreign_key_is_refused(case: Case, tmp_path: Path) -> None:
    """Only the key that the provider has pinned counts."""
    file = case.sent(tmp_path / "out", case.make())
    with pytest.raises(errors.VerificationError, match="one of another key") as caught:
        facility_answer.receive(case.space, file, making.real_key().public_key())
    assert caught.value.looks == "unclear"  # the wrong key may be the one that was pinned
    assert not (case.path / "received").exists()


@pytest.mark.one_fast
@pytest.mark.parametrize(
    ("name", "value"),
    [("verdict", "refused"), ("findings", []), ("facility", "Another"), ("bundle_sha256", "1" * 64)],
)
def test_an_altered_answer_is_refused(case: Case, tmp_path: Path, name: str, value: object) -> None:
    """Whatever is changed in the signed content, the signature no longer holds."""
    file = case.sent(tmp_path / "out", case.make(findings=("Something is wrong.",)))
    envelope = json.loads(file.read_bytes())
    content = json.loads(base64.b64decode(envelope["payload"]))
    envelope["payload"] = base64.b64encode(json.dumps({**content, name: value}).encode()).decode()
    file.write_text(json.dumps(envelope))
    with pytest.raises(errors.VerificationError, match="it was altered"):
        case.receive(file)


def test_an_answer_about_another_bundle_is_refused(case: Case, tmp_path: Path) -> None:
    """The facility signed it, but no run here has released such a bundle."""
    other = dataclasses.replace(case.answer, digest=lambda: "2" * 64)
    report = facility_report.make(other, who=WHO, test_environment="lab", verdict="refused")
    with pytest.raises(errors.VerificationError, match="expected one about a bundle that a run"):
        case.receive(case.sent(tmp_path / "out", report))


def test_an_answer_that_contradicts_itself_is_refused(case: Case, tmp_path: Path) -> None:
    """Signed with the right key, about the right bundle, under another name or with a verdict that nothing carries."""
    report = case.make()
    for change, match in (
        ({"bundle_id": "another-0.1.0-aaaaaaaa"}, "expected the bundle"),
        ({"verdict": "not_reproduced"}, "needs a re-run whose outcome is 'differs'"),
        ({"verdict": "compliant"}, "expected a coherent answer"),
        ({"rerun": report.rerun.model_copy(update={"bundle_sha256": "3" * 64})}, "the re-run is of another bundle"),
        ({"checks": ()}, "can only be refused"),
    ):
        content = canonical.to_bytes(report.model_copy(update=change))
        file = tmp_path / "forged.json"
        file.write_bytes(dsse.seal(content, facility_report.TYPE, case.key))
        with pytest.raises(errors.VerificationError, match=match):
            case.receive(file)
    assert ledger.Ledger.read(case.path).lines[-1].event == "released"


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"[" * 100_000, b'{"payload": 1, "payload": 2}', b"\xff", b"x" * (5 << 20)]
)
def test_what_is_no_answer_is_refused(case: Case, tmp_path: Path, content: bytes) -> None:
    """Empty, cut, nested without end, said twice, no text, too large."""
    file = tmp_path / "answer.json"
    file.write_bytes(content)
    with pytest.raises((errors.VerificationError, errors.DataError), match="expected"):
        case.receive(file)


def test_a_verdict_says_no_more_than_was_found(case: Case) -> None:
    """`reproduced` needs a re-run that reproduced; a bundle that does not hold is refused; nobody says `compliant`."""
    with pytest.raises(errors.PlanError, match="needs a re-run"):
        case.make("reproduced", rerun=None)
    with pytest.raises(errors.PlanError, match="needs a re-run whose outcome is 'reproduced', got differs"):
        case.make("reproduced", rerun=rerun(case.answer, "differs"))
    with pytest.raises(errors.PlanError, match="the re-run differs"):
        case.make("cannot_tell", rerun=rerun(case.answer, "differs"))
    with pytest.raises(errors.PlanError):
        case.make("compliant")
    failed = dataclasses.replace(case.answer.checks[0], status="fail")
    broken = dataclasses.replace(case.answer, checks=(failed, *case.answer.checks[1:]))
    with pytest.raises(errors.PlanError, match="can only be refused"):
        facility_report.make(broken, who=WHO, test_environment="lab", verdict="cannot_tell")
    assert facility_report.make(broken, who=WHO, test_environment="lab", verdict="refused").verdict == "refused"


def test_a_signed_answer_is_not_overwritten(case: Case, tmp_path: Path) -> None:
    """The first one may have been sent."""
    case.sent(tmp_path / "out", case.make())
    with pytest.raises(errors.PlanError, match="expected none yet"):
        case.sent(tmp_path / "out", case.make("refused"))


def test_the_schema_is_the_one_of_the_types(case: Case) -> None:
    """`python -m tef_export.facility_report` writes it anew; a public validator accepts an answer under it."""
    assert facility_report.SCHEMA.read_text(encoding="utf-8") == facility_report.schema_text()
    schema = json.loads(facility_report.SCHEMA.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(case.make().model_dump(mode="json"), schema)


def test_the_answer_can_be_read(case: Case) -> None:
    """The page names the verdict in words, the checks, the measures and the findings, and escapes what people write."""
    from model_cards import facility as documents
    from model_cards import render_html

    page = render_html.render(documents.tree_of(case.make(findings=("<script>alert(1)</script>",))))
    for words in (facility.WORDS["reproduced"], "model signature", "performance.accuracy", "data.leakage"):
        assert words in page
    assert "<script>alert" not in page


def test_a_threshold_that_fails_on_these_rows_stands_in_the_summary(case: Case) -> None:
    """Values within chance of the declared ones may still miss a threshold: the reader learns it on the first page."""
    from model_cards import facility as documents
    from model_cards import tree

    failed = rerun_records.Judged(
        check_id="performance.accuracy", slice="overall", required=True, declared="inconclusive", measured="fail",
        text="measured 0.4 [0.3, 0.5], at least 0.7, n = 100",
    )  # fmt: skip
    passed = failed.model_copy(update={"check_id": "performance.roc_auc", "measured": "pass"})
    outcome = rerun(case.answer).model_copy(update={"thresholds": (passed, failed)})
    summary = documents.tree_of(case.make(rerun=outcome)).sections[0]
    (listed,) = (block for block in summary.blocks if isinstance(block, tree.Bullets))
    (line,) = (tree.plain(item) for item in listed.items)
    for words in ("performance.accuracy", "required", "inconclusive", "at least 0.7"):
        assert words in line


def test_documents_cite_what_was_received(case: Case, tmp_path: Path) -> None:
    """Annex IV(2)(g) and the card name facility, verdict and digest of the signed file; before, they say nothing."""
    from model_cards import received, refs, tree

    before = refs.book(workspace.dossier(case.path))
    assert received.listing(before) == []
    _, entry = case.receive(case.sent(tmp_path / "out", case.make(findings=("Few rows.",))))
    book = refs.book(workspace.dossier(case.path))
    assert book.evidence_sha256 != before.evidence_sha256
    said = tree.plain(received.listing(book)[1].items[0])
    for words in ("TEF Nord", entry.report.sha256, "1 measures reproduced", "Finding: Few rows."):
        assert words in said


@pytest.mark.parametrize("other", ["de", "fr"])
def test_the_citation_has_its_words_in_every_language(case: Case, tmp_path: Path, other: str) -> None:
    """No fixed word of it is left in English where the technical documentation is German or French."""
    from model_cards import localise, received, refs, tree

    case.receive(case.sent(tmp_path / "out", case.make(findings=("Few rows.",))))
    record = case.path / "received/record.json"
    marked = facility.ReceivedRecord.model_validate_json(record.read_bytes()).reports[0]
    marked = marked.model_copy(update={"bundle_is_demonstration": True, "missed": ("performance.accuracy@overall",)})
    dossier = dataclasses.replace(workspace.dossier(case.path), received=facility.ReceivedRecord(reports=(marked,)))

    def build(book: refs.Book) -> tree.Document:
        section = tree.Section("received", "", tuple(received.listing(book)))
        return tree.Document(title=(), draft=(), sections=(section,))

    assert localise.missing(localise.build(build, refs.book(dossier), other)) == ()


def test_the_citation_names_thresholds_that_fail(case: Case, tmp_path: Path) -> None:
    """Reproduced measures may still miss a threshold on other rows: the provider's documents say so as well."""
    from model_cards import received, refs, tree

    failed = rerun_records.Judged(
        check_id="performance.accuracy", slice="overall", required=True, declared="inconclusive", measured="fail",
        text="measured 0.4 [0.3, 0.5], at least 0.7, n = 100",
    )  # fmt: skip
    outcome = rerun(case.answer).model_copy(update={"thresholds": (failed,)})
    case.receive(case.sent(tmp_path, case.make(rerun=outcome)))
    said = tree.plain(received.listing(refs.book(workspace.dossier(case.path)))[1].items[0])
    assert "Thresholds that fail on these rows: performance.accuracy@overall." in said


def test_an_altered_record_of_what_was_received_is_found(case: Case, tmp_path: Path) -> None:
    """The ledger holds its digest."""
    case.receive(case.sent(tmp_path / "out", case.make()))
    place = case.path / "received/record.json"
    place.write_text(place.read_text().replace("TEF Nord", "TEF Best"))
    with pytest.raises(errors.IntegrityError):
        workspace.dossier(case.path)
