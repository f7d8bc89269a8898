"""The whole circle of one use case: release, verify, measure again twice, answer, take the answer in.

A seventh of the real rows never reaches the provider: the facility measures on the provider's test rows and on these.
Each step is a command as the guides print it, in a process of its own (`tests.flows.forked`); every public validator is
asked about the bundle.

    PROOFLINE_DATA=../shared/data python -m tests.flows.circle german_credit --into circle
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import re
import time
import zipfile
from pathlib import Path
from typing import Any

import click
import pandas as pd
import yaml

from configs import load, strict_yaml
from evidence import dossier
from tests.flows import forked
from tests.tef_export import validators

ROOT = Path(__file__).resolve().parents[2]
KEPT_FROM_THE_PROVIDER = 7
"""One row, or entity, in so many is the facility's alone."""
PERSON = ("--person", "P. Tester", "--role", "tester", "--reason", "a test of the whole circle")
FACILITY = ("--facility", "TEF Test", "--person", "F. Tester", "--role", "engineer", "--environment", "lab")
VERDICTS = {"reproduced": "reproduced", "differs": "not_reproduced", "cannot_tell": "cannot_tell"}


@dataclasses.dataclass(frozen=True)
class Gone:
    """What came of it."""

    space: Path
    run: Path
    bundle: Path
    outcomes: dict[str, dict[str, Any]]
    """`same` and `other` to what `rerun` said about these rows."""
    seconds: dict[str, float]
    found: dict[str, str]
    """Public tool to what it said."""


class FailedError(RuntimeError):
    """A command did not answer as it must."""


def tables() -> list[str]:
    """The shipped use cases whose data are a table; those of language models have a circle of their own."""
    return sorted(p.stem for p in load.USE_CASES.glob("*.yaml") if "\ndata:\n" in p.read_text(encoding="utf-8"))


def go(name: str, space: Path, base: Path, *, replicates: int | None = None) -> Gone:
    """Go the whole circle in an empty folder.

    Args:
        name: Of a shipped use case.
        space: The provider's workspace; the facility's files go into `tef/` in it.
        base: Where the real data files lie.
        replicates: Of the intervals; by default as the plan says.
    """
    plan = prepare(name, space, base, replicates)
    seconds: dict[str, float] = {}

    def typed(*words: object, expect: tuple[int, ...] = (0,), called: str = "") -> None:
        begun = time.perf_counter()
        typed_in(space, *words, expect=expect)
        seconds[called or str(words[0])] = round(time.perf_counter() - begun, 1)

    typed("run", plan, "--engine", "plain", expect=forked.ANSWERS)
    run = next((space / "runs").iterdir())
    typed("keys", "new", "sender", "--no-password")
    typed("approve", "last", *PERSON, "--key", "keys/sender.key.pem", *_waivers(run))
    typed("release", "last", "--key", "keys/sender.key.pem", "--yes", "--engine", "plain")
    bundle = next((space / "bundles").glob("*.zip"))
    key = ("--key", space / "keys/sender.pub.pem")
    typed("verify", bundle, *key)
    found = validators.ask(bundle, space / "keys/sender.crt.pem", space / "unpacked")
    typed("import", bundle, *key, "--into", "tef/received")
    outcomes = {}
    same = () if _rows_travel(bundle) else ("--data", raw_test_rows(run, space))
    for which, data in (("same", same), ("other", ("--data", space / "tef/own.csv"))):
        into = ("--into", "tef/received", "--output", f"tef/{which}")
        typed("rerun", bundle, *key, *data, *into, expect=forked.ANSWERS, called=f"rerun {which}")
        outcomes[which] = json.loads((space / f"tef/{which}/rerun.json").read_text(encoding="utf-8"))
    typed("keys", "new", "facility", "--no-password", "--directory", "tef/keys")
    for which, outcome in outcomes.items():
        signed = (
            "--sign",
            "tef/keys/facility.key.pem",
            "--output",
            f"tef/{which}",
            "--rerun",
            f"tef/{which}/rerun.json",
        )
        verdict = ("--verdict", VERDICTS[outcome["status"]], "--finding", f"Measured on {which} rows.")
        typed("report", bundle, *key, *FACILITY, *signed, *verdict)
        answer = f"tef/{which}/{bundle.stem}.report.json"
        typed("receive", answer, "--key", "tef/keys/facility.pub.pem")
    typed("run", run, "--resume", "--engine", "plain", expect=forked.ANSWERS, called="resume")
    return Gone(space, run, bundle, outcomes, seconds, found)


def typed_in(space: Path, *words: object, expect: tuple[int, ...] = (0,)) -> None:
    """Type one command in a workspace.

    Raises:
        FailedError: Another exit code than those expected.
    """
    done = forked.Run(*words, place=space / "tef", folder=space, PROOFLINE_DATA=str(space), COLUMNS="200")
    code = done.answer(1500)
    # 1 is the answer of a gate and of a refusal: a refusal says so, a gate does not.
    if code not in expect or (code and re.search("^proofline: ", done.said, re.MULTILINE)):
        raise FailedError(f"proofline {' '.join(map(str, words))}: exit {code}\n{done.said}")


def prepare(name: str, space: Path, base: Path, replicates: int | None = None) -> Path:
    """Divide the real rows between provider and facility, and write the provider's plan."""
    from factory import sources

    text = load.plan_path(name).read_text(encoding="utf-8")
    declared = load.parse(text).data
    frame = pd.concat(sources.read(declared.source, declared, base).frames(), ignore_index=True)
    unit = frame[declared.entity].astype(str) if declared.entity else frame.map(str).agg("|".join, axis=1)
    theirs = unit.map(lambda one: hashlib.sha256(one.encode()).digest()[0] % KEPT_FROM_THE_PROVIDER == 0)
    (space / "tef").mkdir(parents=True)
    frame[theirs].to_csv(space / "tef/own.csv", index=False)
    frame[~theirs].to_csv(space / "provider.csv", index=False)
    digest = hashlib.sha256((space / "provider.csv").read_bytes()).hexdigest()
    plan = strict_yaml.parse(text, name)
    plan["data"]["source"] = {"kind": "file", "path": ["provider.csv"], "sha256": [digest]}
    if not declared.provenance.special_categories:
        plan["bundle"] |= {"include_test_data": True, "include_groups": True}
    if replicates is not None:
        plan["policy"]["replicates"] = replicates
    (space / "plan.yaml").write_text(yaml.safe_dump(plan, allow_unicode=True, sort_keys=False), encoding="utf-8")
    return space / "plan.yaml"


def raw_test_rows(run: Path, space: Path) -> Path:
    """The test rows as a table of raw columns: what the provider gives where a bundle may not carry them."""
    from factory import ingest, splitting

    place, _ = dossier.STAGES["ingest"]
    reference = json.loads((run / place).read_text(encoding="utf-8"))["table"]
    table = pd.read_parquet(run / reference["path"])
    roles = pd.read_parquet(run / splitting.ASSIGNMENT)[splitting.ROLE].to_numpy()
    table = table[roles == "test"]
    table.drop(columns=[c for c in table.columns if c == ingest.ROW]).to_csv(space / "tef/test.csv", index=False)
    return space / "tef/test.csv"


def _rows_travel(bundle: Path) -> bool:
    with zipfile.ZipFile(bundle) as opened:
        return any(name.endswith("/data/test/rows.csv") for name in opened.namelist())


def _waivers(run: Path) -> list[str]:
    gate = json.loads((run / dossier.STAGES["gate"][0]).read_text(encoding="utf-8"))
    unmet = {
        (one["check_id"], one["slice"])
        for one in gate["reasons"]
        if one["required"] and one["status"] in ("fail", "inconclusive", "not_measured")
    }
    return [word for check, part in sorted(unmet) for word in ("--waive", f"{check}@{part}=accepted in a test")]


@click.command()
@click.argument("names", nargs=-1)
@click.option("--into", type=click.Path(path_type=Path), required=True, help="A new folder.")
@click.option("--replicates", type=int)
def main(names: tuple[str, ...], into: Path, replicates: int | None) -> None:
    """Go the circle of these use cases (default: all)."""
    base = Path(os.environ.get("PROOFLINE_DATA", ROOT.parent / "shared/data"))
    for name in names or tables():
        gone = go(name, (into / name).resolve(), base, replicates=replicates)
        print(name, {which: one["status"] for which, one in gone.outcomes.items()}, gone.seconds, flush=True)
        for tool, said in gone.found.items():
            print(f"   {tool}: {said}", flush=True)


if __name__ == "__main__":
    main()
