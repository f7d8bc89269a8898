"""Bad input ends in one readable sentence with the design's exit code, no traceback, and nothing lost."""

from __future__ import annotations

import contextlib
import copy
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from configs import errors
from evidence import ledger
from tests.configs import language_plans
from tests.flows import plans

ROOT = Path(__file__).resolve().parents[2]

Say = Callable[..., tuple[int, str]]


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Say:
    """Call the command line in this process: exit code and what it said on standard error."""
    from flows import cli

    monkeypatch.delenv("PROOFLINE_DATA", raising=False)
    monkeypatch.chdir(tmp_path)

    def call(*arguments: object) -> tuple[int, str]:
        with pytest.raises(SystemExit) as leaving:
            cli.main([str(a) for a in arguments])
        said = capsys.readouterr().err
        assert "Traceback" not in said, said
        return int(leaving.value.code or 0), said

    return call


def run(say: Say, plan: Path) -> tuple[int, str]:
    """A whole run without Prefect."""
    return say("run", plan, "--engine", "plain")


def changed(path: str, value: Any) -> dict[str, Any]:
    """The quick plan with one value changed; `path` as `data.columns.2.kind`."""
    content = copy.deepcopy(plans.plan())
    *way, last = path.split(".")
    place: Any = content
    for part in way:
        place = place[int(part)] if part.isdigit() else place[part]
    place[last] = value
    return content


# The plan ------------------------------------------------------------------------------------------------------------


def test_an_unknown_key_is_named_with_the_one_that_was_meant(tmp_path: Path, say: Say) -> None:
    """Nothing in a plan is silently ignored."""
    code, said = say("check", plans.write(tmp_path, changed("training.epoch", 3)))
    assert code == errors.EXIT_USAGE
    assert "training.epoch: expected a known key, got 'epoch'. Did you mean 'epochs'?" in said


def test_a_wrong_type_is_named_with_its_place(tmp_path: Path, say: Say) -> None:
    """The sentence has place, expected and got."""
    code, said = say("check", plans.write(tmp_path, changed("training.epochs", "many")))
    assert code == errors.EXIT_USAGE
    assert "training.epochs: expected a valid integer" in said
    assert "got 'many'" in said


def test_a_missing_section_is_named(tmp_path: Path, say: Say) -> None:
    """A plan without a policy is no plan."""
    content = plans.plan()
    del content["policy"]
    code, said = say("check", plans.write(tmp_path, content))
    assert code == errors.EXIT_USAGE
    assert "policy: expected a value, got none" in said


def test_a_threshold_on_a_metric_that_does_not_exist_is_refused(tmp_path: Path, say: Say) -> None:
    """Before anything runs, with a close name."""
    code, said = say("check", plans.write(tmp_path, changed("policy.gates.0.check", "performance.roc_aux")))
    assert code == errors.EXIT_USAGE
    assert "performance.roc_auc" in said


def _checked(capsys: pytest.CaptureFixture[str], plan: Path) -> tuple[int, str, str]:
    """Exit code, standard output in one line, standard error of `check`."""
    from flows import cli

    with pytest.raises(SystemExit) as leaving:
        cli.main(["check", str(plan)])
    said = capsys.readouterr()
    return int(leaving.value.code or 0), " ".join(said.out.split()), said.err


def test_a_broken_rule_fails_the_check_with_its_values(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 1; the most frequent offending values, three at most, and what to do. A steering one is printable."""
    content = changed("data.columns.5.allowed", ["north"])
    content["data"]["columns"][2]["maximum"] = 40.0
    path = plans.write(tmp_path, content)
    table = (tmp_path / "patients.csv").read_text(encoding="utf-8")
    (tmp_path / "patients.csv").write_text(table.replace("south", "\x1b[31msouth", 1), encoding="utf-8")
    code, shown, _ = _checked(capsys, path)
    assert code == errors.EXIT_FAIL
    assert "fail site: one of the 1 allowed values: 148 of 442 rows break this rule" in shown
    assert "'south' (147 rows), '\\x1b[31msouth' (1 row) Add it to `allowed` of the column where it is right" in shown
    assert "fail bmi: at most 40: " in shown
    values = shown.partition("fail bmi")[2].partition(" Correct the data, or `minimum`")[0]
    assert values.count(" (1 row)") + values.count(" rows)") <= 3
    assert "41.3 (1 row)" in values
    assert "2 rules of the data broken, which fails the gate of a run." in shown


def test_no_value_is_shown_that_tells_persons_apart(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Of an entity, or a column whose values all differ, only the number of rows is told."""
    content = changed("data.columns.2.role", "entity")
    content["data"]["columns"][2]["maximum"] = 40.0
    code, shown, _ = _checked(capsys, plans.write(tmp_path, content))
    assert code == errors.EXIT_FAIL
    assert "fail bmi: at most 40: " in shown
    assert "values not shown: the column tells persons or things apart" in shown
    assert "41.3" not in shown


def test_check_tells_everything_that_is_wrong_in_one_list(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A metric, an answer on the law and a column of the data: one does not hide the others."""
    content = changed("policy.gates.0.check", "performance.roc_aux")
    content["classification"] = {"annex_iii_use": "yes", "annex_iii_point": "99(z)"}
    content["data"]["columns"][2]["name"] = "body_mass"
    code, shown, said = _checked(capsys, plans.write(tmp_path, content))
    assert code == errors.EXIT_USAGE
    assert "performance.roc_aux" in said
    assert "99(z)" in said
    assert "body_mass" in said
    assert "Run it with" not in shown


def test_a_gate_without_its_reason_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The documents would print a gap: `check` says so, and leaves alone the gate that says why."""
    code, shown, _ = _checked(capsys, plans.write(tmp_path, changed("policy.gates.0.rationale", "Agreed with users.")))
    assert code == errors.EXIT_PASS
    assert "no rationale: fairness.demographic_parity_difference@sex. Say in `rationale`" in shown


# The data ------------------------------------------------------------------------------------------------------------


def test_a_missing_file_leaves_with_3(tmp_path: Path, say: Say) -> None:
    """The sentence names the file and where it was looked for."""
    path = plans.write(tmp_path)
    (tmp_path / "patients.csv").unlink()
    code, said = run(say, path)
    assert code == errors.EXIT_MISSING
    assert "patients.csv" in said
    assert "PROOFLINE_DATA" in said


def test_a_missing_file_is_looked_for_in_both_places(tmp_path: Path, say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sentence names `PROOFLINE_DATA` and the plan's folder, and a file of a similar name in either."""
    path = plans.write(tmp_path)
    (tmp_path / "patients.csv").rename(tmp_path / "patient.csv")
    code, said = say("check", path)
    assert code == errors.EXIT_MISSING
    assert f"expected it in {tmp_path} (beside the plan), got none; PROOFLINE_DATA is not set." in said
    assert "Did you mean patient.csv?" in said
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.setenv("PROOFLINE_DATA", str(tmp_path / "elsewhere"))
    code, said = say("check", path)
    assert code == errors.EXIT_MISSING
    assert f"{tmp_path / 'elsewhere'} (PROOFLINE_DATA) or {tmp_path} (beside the plan), got none. Did you mean" in said


def test_text_in_place_of_a_table_is_told_where_to_begin(tmp_path: Path, say: Say) -> None:
    """`init` drafts plans of tables; a folder, or text, is sent to the plan of a language model."""
    (tmp_path / "letters.jsonl").write_text("{}\n")
    for name, got in ((".", "got a folder"), ("letters.jsonl", "got '.jsonl'")):
        code, said = say("init", tmp_path / name, "--out", tmp_path / "new.yaml")
        assert code == errors.EXIT_USAGE
        assert got in said
        assert "docs/guide/text.md" in said


def test_a_folder_of_texts_is_no_file(tmp_path: Path, say: Say) -> None:
    """A folder that is there is not said to be missing."""
    (tmp_path / "letters.jsonl").mkdir()
    (tmp_path / "plan.yaml").write_text(language_plans.PLAN)
    code, said = say("check", tmp_path / "plan.yaml")
    assert code == errors.EXIT_MISSING
    assert "expected a file, got a folder" in said


def test_a_table_without_header_is_not_said_to_hold_the_declared_names(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its columns are named by the plan: a name that is misspelt there cannot be found, and `check` does not say so."""
    from flows import cli

    monkeypatch.delenv("PROOFLINE_DATA", raising=False)
    source = {"kind": "file", "path": ["patients.csv"], "header": False}
    path = plans.write(tmp_path, changed("data.source", source))
    plans.table().to_csv(tmp_path / "patients.csv", index=False, header=False)
    with pytest.raises(SystemExit):
        cli.main(["check", str(path)])
    said = capsys.readouterr().out
    assert "7 columns, named by the plan in their order: the file has no header" in " ".join(said.split())
    assert "declared columns found" not in said


def test_a_wrong_separator_is_recognised(tmp_path: Path, say: Say) -> None:
    """The separator that would work is named."""
    path = plans.write(tmp_path)
    plans.table().to_csv(tmp_path / "patients.csv", index=False, sep=";")
    code, said = run(say, path)
    assert code == errors.EXIT_USAGE
    assert "';'" in said


SPOILED: dict[str, tuple[Callable[[Any], Any], str]] = {
    "a column is missing": (lambda t: t.drop(columns="s5"), "s5"),
    "a column was renamed": (lambda t: t.rename(columns={"bmi": "BMI"}), "BMI"),
    "a column has another type": (lambda t: t.assign(bmi="heavy"), "bmi"),
    "the table is empty": (lambda t: t.iloc[:0], "row"),
    "there is one class only": (lambda t: t.assign(progressed="no"), "class"),
    "all values of a column are missing": (lambda t: t.assign(s5=None), "s5"),
    "the target has a missing value": (
        lambda t: t.assign(progressed=t.progressed.where(t.index != t.index[3])),
        "progressed",
    ),
    "the target has an unknown value": (
        lambda t: t.assign(progressed=t.progressed.where(t.index != t.index[3], "maybe")),
        "progressed",
    ),
}


@pytest.mark.parametrize("what", list(SPOILED))
def test_spoiled_tables_are_refused(tmp_path: Path, say: Say, what: str) -> None:
    """Each with 2, the column or the fact named, and no raw value in the sentence."""
    spoil, named = SPOILED[what]
    code, said = run(say, plans.write(tmp_path, frame=spoil(plans.table())))
    assert code == errors.EXIT_USAGE, said
    assert named in said
    assert "maybe" not in said
    assert "heavy" not in said


@pytest.mark.parametrize("value", ["inf", "nan"])
def test_a_target_that_is_no_finite_number_is_refused(tmp_path: Path, say: Say, value: str) -> None:
    """NaN and infinity are not something to learn from."""
    content = changed("data.target", {"task": "regression"})
    content["data"]["columns"][-1]["kind"] = "numeric"
    content["policy"]["gates"] = [{"check": "performance.r2", "at_least": 0.1}]
    frame = plans.table().assign(progressed=lambda t: t.bmi * 2.0)
    frame["progressed"] = frame.progressed.astype(object).where(frame.index != 3, value)
    code, said = run(say, plans.write(tmp_path, content, frame))
    assert code == errors.EXIT_USAGE
    assert "progressed" in said


@pytest.mark.slow
def test_an_unknown_category_outside_of_training_is_refused_with_both_remedies(tmp_path: Path, say: Say) -> None:
    """A category that training has never seen cannot be encoded silently."""
    frame = plans.table()
    code = 0
    for row in range(0, 40, 2):
        spoiled = frame.copy()
        spoiled.loc[spoiled.index[row], "site"] = "islands"
        code, said = run(say, plans.write(tmp_path, frame=spoiled))
        if code == errors.EXIT_USAGE:
            break
    assert code == errors.EXIT_USAGE, "none of twenty rows fell outside of the training split"
    assert "site" in said
    assert "allowed" in said
    assert "as_missing" in said


@pytest.mark.slow
def test_a_protected_group_of_one_person_is_listed_and_inconclusive(tmp_path: Path, say: Say) -> None:
    """Nobody is judged by one row, and nobody is dropped."""
    from flows import workspace

    frame = plans.table()
    frame["sex"] = frame["sex"].astype(int).astype(str)
    frame.loc[frame.index[17], "sex"] = "3"
    content = changed("policy.gates.1.at_most", 0.9)
    content["data"]["columns"][1]["allowed"] = ["1", "2", "3"]
    code, said = run(say, plans.write(tmp_path, content, frame))
    assert code in (errors.EXIT_INCONCLUSIVE, errors.EXIT_FAIL), said
    found = workspace.dossier(workspace.Workspace(tmp_path).find("last"))
    sizes = next(r for r in found.results() if r.check_id == "data.group_sizes")
    assert sizes.status == "inconclusive"
    assert "sex=3" in sizes.reason or "3" in str(sizes.details)


# The machine ---------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def small_disk(place: Path, options: str) -> Iterator[None]:
    """A real tmpfs of its own; needs permission to mount."""
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(place)], capture_output=True, check=False
    )
    if done.returncode:
        pytest.skip("a small disk: this user may not mount one")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_full_disk_is_one_sentence_and_the_ledger_holds(
    tmp_path: Path, say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was recorded before the disk was full is still there and still chained."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/elsewhere/mlflow.db")
    path = plans.write(tmp_path)
    space = tmp_path / "small"
    space.mkdir()
    with small_disk(space, "size=64k"):
        code, said = say("-w", space, "run", path, "--engine", "plain")
        assert code == errors.EXIT_MISSING, said
        assert "full disk" in said
        assert "--resume" in said
        assert len(ledger.Ledger.read(next((space / "runs").iterdir())).lines) >= 1


def test_a_disk_that_is_nearly_full_is_told_before_anything_runs(tmp_path: Path, say: Say) -> None:
    """No room for the lineage is known at the start."""
    path = plans.write(tmp_path)
    space = tmp_path / "small"
    space.mkdir()
    with small_disk(space, "size=64k"):
        code, said = say("-w", space, "run", path, "--engine", "plain")
        assert not (space / "runs").exists()
    assert code == errors.EXIT_MISSING
    assert "free disk space" in said


def test_a_read_only_place_is_one_sentence(tmp_path: Path, say: Say) -> None:
    """Nothing is begun where nothing can be written."""
    path = plans.write(tmp_path)
    space = tmp_path / "fixed"
    space.mkdir()
    with small_disk(space, "size=64k,ro"):
        code, said = say("-w", space, "run", path, "--engine", "plain")
    assert code == errors.EXIT_MISSING
    assert "read-only" in said


@pytest.mark.slow
def test_two_runs_in_one_folder_at_once_are_refused(tmp_path: Path, say: Say) -> None:
    """The second is told which process holds the folder."""
    path = plans.write(tmp_path)
    (tmp_path / "patients.csv").write_text("age;sex\n1;2\n")  # begins, and stops while reading
    run(say, path)
    folder = next((tmp_path / "runs").iterdir())
    program = (
        "import sys; from pathlib import Path; from flows import workspace\n"
        "with workspace.reopened(Path(sys.argv[1])): print('held', flush=True); sys.stdin.read()"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", program, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    assert holder.stdout is not None
    holder.stdout.readline()
    code, said = say("run", folder, "--resume", "--engine", "plain")
    holder.communicate("")
    assert code == errors.EXIT_MISSING
    assert f"in use by process {holder.pid}" in said


def test_an_unreachable_mlflow_server_is_told_before_anything_runs(
    tmp_path: Path, say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The address is checked first: nobody trains an hour to hear it."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{_free_port()}")
    code, said = run(say, plans.write(tmp_path))
    assert code == errors.EXIT_MISSING
    assert "MLFLOW_TRACKING_URI" in said
    assert not (tmp_path / "runs").exists() or not list((tmp_path / "runs").iterdir())


def test_an_unreachable_prefect_server_is_told_before_anything_runs(
    tmp_path: Path, say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same for the user's own Prefect server."""
    monkeypatch.setenv("PREFECT_API_URL", f"http://127.0.0.1:{_free_port()}/api")
    code, said = say("run", plans.write(tmp_path))
    assert code == errors.EXIT_MISSING
    assert "PREFECT_API_URL" in said


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


# A run that was altered ----------------------------------------------------------------------------------------------


def test_an_altered_plan_in_a_run_folder_is_not_resumed(tmp_path: Path, say: Say) -> None:
    """The plan of a run is fixed when it begins."""
    path = plans.write(tmp_path)
    (tmp_path / "patients.csv").write_text("age;sex\n1;2\n")  # begins, and stops while reading
    run(say, path)
    folder = next((tmp_path / "runs").iterdir())
    with (folder / "plan.yaml").open("a") as stream:
        stream.write("\n# later\n")
    code, said = say("run", folder, "--resume", "--engine", "plain")
    assert code == errors.EXIT_FAIL
    assert "altered after the run began" in said


def test_a_run_folder_needs_the_word_resume(tmp_path: Path, say: Say) -> None:
    """A folder in place of a plan is answered with what was probably meant."""
    path = plans.write(tmp_path)
    (tmp_path / "patients.csv").write_text("age;sex\n1;2\n")  # begins, and stops while reading
    run(say, path)
    folder = next((tmp_path / "runs").iterdir())
    code, said = say("run", folder)
    assert code == errors.EXIT_USAGE
    assert "--resume" in said


# A first plan --------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_plan_drafted_by_init_is_read_and_names_no_place(
    tmp_path: Path, say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A European table (semicolons) and plain answers, one of them wrong at first, give a plan that passes `check`."""
    from click.testing import CliRunner

    from configs import load
    from flows import cli

    plans.table().to_csv(tmp_path / "patients.csv", index=False, sep=";")
    answers = [
        *("My System", "my-system", "My system", "", "Example Ltd", "To try this out."),
        *("yes", "no", "no", "unknown", "unknown", "no", "no", ""),
        *("progressed", "", "yes", "sex", "n", "no", "", ""),
        *("60", "0.6", "Better than chance.", "0.2", "One in five would be felt."),
    ]
    done = CliRunner().invoke(cli.proofline, ["init", "patients.csv"], input="\n".join(answers) + "\n")
    assert done.exit_code == 0, done.output
    plan = load.load(tmp_path / "patients.yaml")
    assert plan.data.source.separator == ";"  # type: ignore[union-attr]
    assert [p.special_category for p in plan.data.protected] == [False]
    assert {gate.slice for gate in plan.policy.gates} == {"overall", "sex"}
    assert str(tmp_path) not in (tmp_path / "patients.yaml").read_text()
    assert say("check", "patients.yaml") == (0, "")


def test_a_plan_that_names_this_machine_is_refused_before_it_runs(tmp_path: Path, say: Say) -> None:
    """The plan goes into the bundle as it is; better now than after a person has signed."""
    path = plans.write(tmp_path)
    path.write_text(path.read_text() + "# see /home/somebody/notes.txt\n")
    code, said = run(say, path)
    assert code == errors.EXIT_USAGE
    assert "absolute path" in said
    assert not (tmp_path / "runs").exists()


SHAKY = """
import torch
from torch import nn


class Shaky(nn.Module):
    \"\"\"Takes the logarithm of a measurement that is positive: far below 0 it gives NaN.\"\"\"

    def __init__(self, outputs):
        super().__init__()
        self.last = nn.Linear(1, outputs)

    def forward(self, x):
        return self.last(torch.log(torch.nan_to_num(x[:, :1], nan=25.0) + 1.0) - 3.3)


def build(n_features, n_outputs, features):
    return Shaky(n_outputs)
"""


@pytest.mark.slow
def test_an_output_that_is_not_finite_loses_nothing(tmp_path: Path, say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    """A network that gives NaN out of range: those rows count as wrong and are told, the run ends with its answer."""
    from flows import workspace

    (tmp_path / "shaky_network.py").write_text(SHAKY)
    monkeypatch.syspath_prepend(tmp_path)
    content = changed("model", {"factory": "shaky_network:build"})
    content["policy"]["gates"].append({"check": "robustness.out_of_range", "at_least": 0.1})
    code, said = run(say, plans.write(tmp_path, content))
    assert code in (errors.EXIT_INCONCLUSIVE, errors.EXIT_FAIL), said
    found = {r.check_id: r for r in workspace.dossier(workspace.Workspace(tmp_path).find("last")).results()}
    assert found["performance.roc_auc"].status in ("pass", "inconclusive", "fail")
    assert found["robustness.noise"].measures
    assert found["robustness.out_of_range"].status == "fail"
    assert "no valid output" in found["robustness.out_of_range"].measures[0].note
