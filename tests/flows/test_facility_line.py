"""The commands of docs/guide/tef.md as a facility types them, on a bundle that was really measured."""

from __future__ import annotations

import datetime as dt
import json
import subprocess
import sys
from pathlib import Path

import pytest

from configs import errors
from flows import cli
from tests.tef_export import making, rerunnable

ROOT = Path(__file__).resolve().parents[2]
LONG_AGO = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)


def typed(*words: object) -> int:
    """Call the command line within this process; its exit code."""
    found = cli.proofline.main(args=[str(word) for word in words], prog_name="proofline", standalone_mode=False)
    return found if isinstance(found, int) else 0


@pytest.fixture(scope="module")
def sent(tmp_path_factory: pytest.TempPathFactory) -> making.Made:
    """A bundle whose key is valid whenever this test runs."""
    return rerunnable.bundle(tmp_path_factory.mktemp("sent"), making.real_key(begin=LONG_AGO, days=36_500))


@pytest.mark.slow
def test_from_receiving_to_answering(sent: making.Made, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Import, measure again, note it, look it up, answer: each command does what the guide says, with its exit code."""
    own = ("--key", sent.written.public_key)
    into, answer = tmp_path / "received", tmp_path / "answer"
    assert typed("import", sent.path, *own, "--into", into) == errors.EXIT_PASS
    capsys.readouterr()
    assert typed("rerun", sent.path, *own, "--json", "--output", answer, "--into", into) == errors.EXIT_PASS
    printed = capsys.readouterr().out
    assert json.loads(printed) == json.loads((answer / "rerun.json").read_text())
    assert typed("import", "--into", into, "--search", "reproduced") == errors.EXIT_PASS
    assert "1 received" in capsys.readouterr().out
    typed("keys", "new", "facility", "--no-password", "--directory", tmp_path / "keys")
    who = ("--facility", "TEF Nord", "--person", "Ada Test", "--role", "engineer", "--environment", "lab")
    typed(
        "report", sent.path, *own, *who, "--rerun", answer / "rerun.json", "--verdict", "reproduced",
        "--sign", tmp_path / "keys" / "facility.key.pem", "--output", answer,
    )  # fmt: skip
    signed = answer / f"{sent.path.stem}.report.json"
    for ending in ("json", "html", "pdf"):
        assert signed.with_name(f"{sent.path.stem}.report.{ending}").stat().st_size > 1000
    with pytest.raises(errors.VerificationError, match="expected one about a bundle that a run"):
        typed("-w", tmp_path, "receive", signed, "--key", tmp_path / "keys" / "facility.pub.pem")


@pytest.mark.slow
def test_a_table_of_the_facility_is_measured(
    sent: making.Made, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Rows of the real data set: exit code 0, 1 or 4 by the outcome, which names what was ignored and not repeated."""
    from sklearn import datasets

    table = datasets.load_diabetes(as_frame=True, scaled=False).frame
    columns = [column.name for column in sent.dossier.plan.data.columns]
    assert set(columns) <= set(table.columns)
    for column in sent.dossier.plan.data.columns:
        if column.kind in ("categorical", "integer"):
            table[column.name] = table[column.name].astype(int)
    own = tmp_path / "own.csv"
    table.assign(more=1).to_csv(own, index=False)
    code = typed("rerun", sent.path, "--key", sent.written.public_key, "--data", own)
    said = capsys.readouterr().out
    outcome = {0: "Reproduced:", 1: "Differs:", 4: "Cannot tell:"}[code]
    assert outcome in said
    assert "442 rows of own.csv" in said
    assert "ignored: more" in said


def test_a_tampered_bundle_is_not_measured(sent: making.Made, tmp_path: Path) -> None:
    """One byte, and every command of the facility refuses."""
    content = bytearray(sent.path.read_bytes())
    content[len(content) // 2] ^= 1
    damaged = tmp_path / "damaged.zip"
    damaged.write_bytes(content)
    own = ("--key", sent.written.public_key)
    for words in (("rerun", damaged, *own), ("import", damaged, *own, "--into", tmp_path / "c")):
        with pytest.raises(errors.VerificationError, match="is not accepted"):
            typed(*words)


@pytest.mark.parametrize(
    ("words", "match"),
    [
        (("rerun", "b.zip"), "--key FILE or --fingerprint"),
        (("import", "b.zip", "--into", "c"), "--key FILE or --fingerprint"),
        (("import", "--into", "c"), "exactly one of BUNDLE"),
        (("import", "--into", "c", "--list", "--show", "x"), "exactly one of BUNDLE"),
        (("approve", "--demonstration", "--refuse"), "--demonstration alone"),
        (("approve", "--demonstration", "--key", "k.pem"), "--demonstration alone"),
    ],
)
def test_wrong_usage_is_one_sentence(words: tuple[str, ...], match: str) -> None:
    """No key, nothing asked, two things asked, a person's decision that a demonstration would drop."""
    with pytest.raises(errors.PlanError, match=match):
        typed(*words)


@pytest.mark.slow
def test_measuring_again_needs_the_light_installation_only() -> None:
    """`[tef]`: what measures, keeps and answers uses none of the pipeline, and runs without `fcntl` (Windows)."""
    heavy = "'torch', 'pandas', 'sklearn', 'mlflow', 'prefect', 'great_expectations', 'fairlearn', 'pyarrow', 'babel'"
    code = (
        "import sys\n"
        "sys.modules['fcntl'] = None\n"
        "import tef_export.rerun.child, tef_export.rerun.run, tef_export.received, flows.facility_files\n"
        "from flows.commands import import_, report, rerun\n"
        "from model_cards import facility, render_html, render_pdf\n"
        f"print(sorted(set(sys.modules) & {{{heavy}}}))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
