"""Findings as text, JSON and SARIF, and the command's exit codes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
from click.testing import CliRunner

from flows.commands import lint as command
from model_cards.lint import report_json, report_text, run, sarif
from tests.model_cards.lint import corpus_files

HERE = Path(__file__).parent
LOANS = corpus_files.PLACE / "evidence" / "loans"


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> run.Outcome:
    """The planted defects of the loans, in Markdown and HTML, with one document that is none."""
    place = tmp_path_factory.mktemp("outputs")
    documents = [corpus_files.render(path, "md", place) for path in corpus_files.sources("planted", "dev")["loans"]]
    page = place / "page.html"
    page.write_text("<h1>A</h1><p>The accuracy is 0.99.</p>", encoding="utf-8")
    broken = place / "broken.pdf"
    broken.write_bytes(b"%PDF-1.7\nnothing")
    return run.files([*documents, page, broken], [LOANS], "medium")


def test_sarif_fits_the_public_schema(outcome: run.Outcome) -> None:
    """Every log fits the schema of SARIF 2.1.0, and every result names a rule that the log describes."""
    schema = json.loads((HERE / "schemas" / "sarif-2.1.0.json").read_text(encoding="utf-8"))
    log = sarif.to_sarif(outcome)
    jsonschema.Draft7Validator(schema).validate(log)
    result = log["runs"][0]
    rules = [rule["id"] for rule in result["tool"]["driver"]["rules"]]
    assert len(result["results"]) == len(outcome.findings) > 40
    assert all(rules[found["ruleIndex"]] == found["ruleId"] for found in result["results"])
    assert not result["invocations"][0]["executionSuccessful"]


def test_json_holds_place_evidence_and_advice(outcome: run.Outcome) -> None:
    """A program learns of each finding where it is, what the evidence says, and what to do."""
    content = json.loads(json.dumps(report_json.to_json(outcome)))
    wrong = next(f for f in content["findings"] if "91.2 %" in f["words"])
    assert wrong["rule"] == "number-differs"
    assert wrong["place"]["line"] > 1
    assert wrong["place"]["heading"][-1] == "4 Performance"
    assert wrong["evidence"]["pointer"] == "/test/accuracy"
    assert wrong["evidence"]["value"] == "0.8437"
    assert wrong["sentence"][wrong["span"][0] : wrong["span"][1]] == "91.2 %"
    assert wrong["advice"]
    assert content["unreadable"]


def test_the_same_files_give_the_same_bytes(outcome: run.Outcome) -> None:
    """Nothing in the answer depends on time or order of memory."""
    again = run.files([Path(d.file) for d in outcome.documents], [LOANS], "medium")
    assert [f.message for f in again.findings] == [f.message for f in outcome.findings]
    assert json.dumps(sarif.to_sarif(again)["runs"][0]["results"]) == json.dumps(
        sarif.to_sarif(outcome)["runs"][0]["results"]
    )


@pytest.mark.parametrize(("begin", "width"), [(0, 60), (150, 60), (290, 60), (10, 400)])
def test_a_mark_stands_under_its_words(begin: int, width: int) -> None:
    """However a long sentence is cut to the width of the terminal, the marked characters are the ones meant."""
    text = "".join(chr(ord("a") + number % 26) for number in range(300))
    shown, low, high = report_text.window(text, begin, begin + 8, width)
    assert len(shown) <= max(width, 300 if width > 300 else width)
    assert shown[low:high] == text[begin : begin + 8]


def call(*arguments: str) -> tuple[int, str]:
    """Exit code and output of the command."""
    done = CliRunner().invoke(command.command, arguments, standalone_mode=False)
    assert done.exception is None, done.exception
    return done.return_value, done.output


def test_exit_codes(tmp_path: Path) -> None:
    """0 nothing found, 1 findings, 3 a document cannot be read; the others are still reported."""
    good, bad, absent = tmp_path / "good.md", tmp_path / "bad.md", tmp_path / "absent.md"
    good.write_text("The accuracy is 84.4 %.", encoding="utf-8")
    bad.write_text("The accuracy is 94.4 %.", encoding="utf-8")
    assert call(str(good), "--evidence", str(LOANS))[0] == 0
    code, text = call(str(bad), "--evidence", str(LOANS / "metrics.json"), str(LOANS / "groups.csv"))
    assert code == 1
    assert "0.8437" in text
    code, text = call(str(absent), str(bad), "-e", str(LOANS))
    assert code == 3
    assert "expected a file, got no file" in text
    assert "94.4 %" in text


def test_output_goes_into_a_file(tmp_path: Path) -> None:
    """`--output` writes what would have been printed, in the format asked for."""
    bad, log = tmp_path / "bad.md", tmp_path / "lint.sarif"
    bad.write_text("Contact: TBD", encoding="utf-8")
    assert call(str(bad), "--format", "sarif", "--output", str(log))[0] == 1
    assert json.loads(log.read_text(encoding="utf-8"))["version"] == "2.1.0"


@pytest.mark.slow
def test_unreadable_evidence_ends_the_command(tmp_path: Path) -> None:
    """Without its evidence nothing can be concluded: one sentence, exit code 3."""
    document, evidence = tmp_path / "a.md", tmp_path / "a.json"
    document.write_text("The accuracy is 84.4 %.", encoding="utf-8")
    evidence.write_text('{"a": ', encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "flows.cli", "lint", str(document), "--evidence", str(evidence)],
        capture_output=True, text=True, check=False, cwd=HERE.parents[2],
    )  # fmt: skip
    assert done.returncode == 3
    assert "expected JSON" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_example_of_the_guide_is_real() -> None:
    """The guide's transcript is what the command says of the files beside it."""
    place = HERE.parents[2] / "docs" / "guide"
    example = place / "examples" / "lint"
    found = run.files([example / "technical_file.md"], [example / "evidence.json"], "medium").findings
    guide = (place / "lint.md").read_text(encoding="utf-8")
    assert f"{len(found)} findings ({sum(f.confidence == 'high' for f in found)} high" in guide
    for line in (
        "3,612 is given as test, the evidence has 3162.",
        "87.3 is given as recall, the evidence has 0.8532 (85.32 %).",
    ):
        assert line in guide
        assert any(f.message == line for f in found)
