"""What a facility does, on Windows: `python -m tests.tef_export.windows --into FOLDER` types its commands under Wine.

A Windows Python as python.org builds it and the Windows wheels of `[tef]` at the locked versions are put into FOLDER. A
bundle is made here; there it is verified, damaged, imported, measured again and answered, in a folder with a space and
an umlaut, and what is measured and signed there is compared here. Wine 10 or later (Debian 13) is needed: earlier ones
lack calls that Python 3.13 makes. Wine is not Windows: it holds no limits of a process and knows no code page but one.

It takes some five minutes; with `--tests` the reader's own tests run there too, for another quarter of an hour.
"""

from __future__ import annotations

import csv
import dataclasses
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import click

from configs import errors
from evidence import software
from evidence.rerun_records import Rerun
from tef_export import facility_report, keys
from tef_export.rerun import run as here
from tests.tef_export import making, rerunnable, windows_python

ROOT = Path(__file__).resolve().parents[2]
DESK = "Prüfstelle Nord"
LIMIT = 600
"""Seconds for one command."""
TESTS = tuple(
    f"tests/{name}.py"
    for name in (
        "evidence/test_storage", "evidence/test_process_limits", "evidence/test_software",
        "tef_export/test_archive",
        "tef_export/test_cms_rules", "tef_export/test_coherence", "tef_export/test_confine",
        "tef_export/test_golden_rules", "tef_export/test_hashing", "tef_export/test_keys", "tef_export/test_large",
        "tef_export/test_model_rules", "tef_export/test_reader_alone", "tef_export/test_received",
        "tef_export/test_recipe", "tef_export/test_released", "tef_export/test_rerun", "tef_export/test_rerun_table",
        "tef_export/test_still", "tef_export/test_tamper", "tef_export/test_write",
    )
)  # fmt: skip
"""Files of tests that need none of the public tools."""


@dataclasses.dataclass(frozen=True)
class Said:
    """How a command ended there."""

    code: int
    out: str
    err: str


@dataclasses.dataclass(frozen=True)
class Desk:
    """The facility's folder, and what runs in it."""

    place: Path
    python: windows_python.Python
    sent: making.Made

    def types(self, *words: str) -> Said:
        """A command of proofline; what it prints into a pipe is UTF-8, whatever the code page."""
        done = self.python.runs("-m", "flows.cli", *words, cwd=self.place, seconds=LIMIT)
        return Said(done.returncode, done.stdout.decode("utf-8"), done.stderr.decode("utf-8", "replace"))


Try = Callable[[Desk], None]


def same_code(desk: Desk) -> None:
    """The digest of the code that is installed there is that of this checkout."""
    asked = "from evidence import software; print(software.code_sha256())"
    said = desk.python.runs("-c", asked, cwd=desk.place, seconds=LIMIT)
    assert said.stdout.decode().strip() == software.code_sha256(), said


def whole(desk: Desk) -> None:
    """verify: a good bundle, by the key and by the fingerprint, as a table and as JSON."""
    _ends(desk.types("verify", "bundle.zip", "--key", "sender.pub.pem"), 0, "The bundle holds.")
    path = windows_python.windows(desk.place / "bundle.zip")
    said = desk.types("verify", path, "--fingerprint", desk.sent.key.fingerprint, "--json")
    _ends(said, 0, "win32 has no means for that")
    assert json.loads(said.out)["ok"] is True


def damaged(desk: Desk) -> None:
    """verify: a changed byte, a file that was cut off, another key, no file."""
    content = (desk.place / "bundle.zip").read_bytes()
    bent = bytearray(content)
    bent[len(bent) // 2] ^= 1
    (desk.place / "bent.zip").write_bytes(bent)
    (desk.place / "cut.zip").write_bytes(content[: len(content) // 3])
    for words in (("bent.zip", "sender.pub.pem"), ("cut.zip", "sender.pub.pem"), ("bundle.zip", "other.pub.pem")):
        _ends(desk.types("verify", words[0], "--key", words[1]), 1, "The bundle does not hold.")
    _ends(desk.types("verify", "none.zip", "--key", "sender.pub.pem"), 3, "expected a ZIP file, got none")


def keys_made(desk: Desk) -> None:
    """keys: made, never overwritten, and no name that Windows cannot hold."""
    _ends(desk.types("keys", "new", "facility", "--no-password", "--organization", "Prüfstelle"), 0, "fingerprint")
    _ends(desk.types("keys", "new", "facility", "--no-password"), 2, "never overwritten")
    _ends(desk.types("keys", "new", "NUL", "--no-password"), 2, "plain file name")
    said = desk.types("keys", "show", "keys\\facility.pub.pem")
    _ends(said, 0, keys.fingerprint(keys.load_public(desk.place / "keys" / "facility.pub.pem")))


def imported(desk: Desk) -> None:
    """import: taken in, once; listed, shown, found; a damaged one is not."""
    own = ("--key", "sender.pub.pem", "--into", "eingänge\\2026")
    _ends(desk.types("import", "bundle.zip", *own), 0, "Taken in")
    _ends(desk.types("import", "bundle.zip", *own), 0, "Already there")
    _ends(desk.types("import", "bent.zip", *own), 1, "is not accepted")
    for asked in (("--list",), ("--show", desk.sent.written.bundle_id), ("--search", "diabetes")):
        _ends(desk.types("import", "--into", "eingänge/2026", *asked), 0, desk.sent.written.bundle_id)


def measured(desk: Desk) -> None:
    """rerun: on the bundle's rows and on a table as Excel saves it; the values are those of this machine."""
    said = desk.types(
        "rerun", "bundle.zip", "--key", "sender.pub.pem", "--output", "antwort", "--into", "eingänge\\2026"
    )
    _ends(said, 0, "Reproduced:")
    _same(_outcome(desk, "antwort"), here.rerun(desk.place / "bundle.zip", public_key=desk.sent.key.public_key()))
    own = _own_table(desk)
    local = here.rerun(desk.place / "bundle.zip", public_key=desk.sent.key.public_key(), data=own)
    said = desk.types(
        "rerun", "bundle.zip", "--key", "sender.pub.pem", "--data", own.name, "--json", "--output", "eigene"
    )
    assert said.code in (0, 1, 4), said
    _same(_outcome(desk, "eigene"), local)
    assert Rerun.model_validate_json(said.out) == _outcome(desk, "eigene")
    _ends(desk.types("import", "--into", "eingänge\\2026", "--search", "reproduced"), 0, "1 received")


def answered(desk: Desk) -> None:
    """report: signed there and read here; never overwritten."""
    words = (
        "report", "bundle.zip", "--key", "sender.pub.pem", "--rerun", "antwort\\rerun.json", "--verdict", "reproduced",
        "--facility", "Prüfstelle Łódź ↔ Nord", "--person", "Ada Test", "--role", "engineer", "--environment", "lab",
        "--finding", "Größe: ✓", "--sign", "keys\\facility.key.pem", "--output", "antwort",
    )  # fmt: skip
    _ends(desk.types(*words), 0, "wrote antwort\\bundle.report.json")
    content = (desk.place / "antwort" / "bundle.report.json").read_bytes()
    answer = facility_report.opened(content, keys.load_public(desk.place / "keys" / "facility.pub.pem"))
    assert (answer.facility, answer.findings) == ("Prüfstelle Łódź ↔ Nord", ("Größe: ✓",))
    assert (desk.place / "antwort" / "bundle.report.pdf").read_bytes().startswith(b"%PDF")
    assert "Größe: ✓" in (desk.place / "antwort" / "bundle.report.html").read_text(encoding="utf-8")
    _ends(desk.types(*words), 2, "expected none yet")


def in_use(desk: Desk) -> None:
    """report, import: a place that another program holds open, and names that no file may have, are one sentence."""
    report = ("report", "bundle.zip", "--key", "other.pub.pem", "--verdict", "refused", "--facility", "Nord")
    who = ("--person", "Ada Test", "--role", "engineer", "--environment", "lab", "--sign", "keys\\facility.key.pem")
    _ends(desk.types(*report, *who, "--output", "wo?"), 3, "expected a name that the system takes")
    _ends(desk.types("import", "bundle.zip", "--key", "sender.pub.pem", "--into", "w|o"), 3, "expected a name")
    with desk.python.holding(desk.place / "zu" / "bundle.report.pdf.part"):
        _ends(desk.types(*report, *who, "--output", "zu"), 3, "expected a file that no other program holds open")
        assert [path.name for path in (desk.place / "zu").iterdir()] == ["bundle.report.pdf.part"]


def cleared(desk: Desk) -> None:
    """All of them: nothing of a bundle is left among the temporary files."""
    left = [place.name for place in desk.python.temporary() if place.name.startswith("proofline-")]
    assert left == [], left


TRIES: tuple[Try, ...] = (same_code, whole, damaged, keys_made, imported, measured, answered, in_use, cleared)


def _ends(said: Said, code: int, words: str) -> None:
    found = re.sub(r"\s+", " ", f"{said.out} {said.err}")
    assert said.code == code, f"exit code {said.code} instead of {code}: {found[-800:]}"
    assert words in found, f"expected '{words}' in: {found[-800:]}"


def _outcome(desk: Desk, folder: str) -> Rerun:
    return facility_report.read_rerun(desk.place / folder / "rerun.json")


def _same(there: Rerun, local: Rerun) -> None:
    """The same checks with the same results; values apart by what another build of a library rounds differently."""
    pairs = list(zip(there.comparisons, local.comparisons, strict=True))
    for one, other in pairs:
        assert (one.check_id, one.name, one.slice, one.status) == (
            other.check_id,
            other.name,
            other.slice,
            other.status,
        )
        if one.check_id.startswith("deployment"):  # times of a machine
            continue
        near = one.measured == other.measured or abs(one.measured - other.measured) < 1e-6
        assert near, f"{one.check_id} {one.name}: {one.measured} there, {other.measured} here"
    assert pairs
    assert there.data == local.data


def _own_table(desk: Desk) -> Path:
    """Rows of the public data set, with the mark and the line ends that Excel writes."""
    from sklearn import datasets

    table = datasets.load_diabetes(as_frame=True, scaled=False).frame
    whole = [c.name for c in desk.sent.dossier.plan.data.columns if c.kind in ("categorical", "integer")]
    rows = [[int(v) if n in whole else v for n, v in zip(table.columns, row, strict=True)] for row in table.to_numpy()]
    with (desk.place / "Zeilen für Prüfung.csv").open("w", encoding="utf-8-sig", newline="") as stream:
        csv.writer(stream, dialect="excel").writerows([list(table.columns), *rows])
    return Path(stream.name)


def _desk(into: Path, python: windows_python.Python) -> Desk:
    place = into / DESK
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    shutil.rmtree(into / "sent", ignore_errors=True)
    begin = making.NOW.replace(year=2020)
    sent = rerunnable.bundle(into / "sent", making.real_key(begin=begin, days=36_500))
    shutil.copyfile(sent.path, place / "bundle.zip")
    shutil.copyfile(sent.written.public_key, place / "sender.pub.pem")
    (place / "other.pub.pem").write_bytes(keys.public_pem(making.real_key().public_key()))
    with zipfile.ZipFile(place / "bundle.zip") as opened:
        assert opened.testzip() is None
    return Desk(place, python, sent)


def tried(desk: Desk) -> Iterator[tuple[str, str]]:
    """Each try in a sentence, and how it failed."""
    for one in TRIES:
        try:
            one(desk)
        except AssertionError as error:
            yield str(one.__doc__), str(error) or "it does not hold"
        else:
            yield str(one.__doc__), ""


@click.command()
@click.option("--into", type=click.Path(path_type=Path), required=True, help="Folder for all of it; 0.7 GB.")
@click.option("--wine", default="wine", show_default=True, help="What starts a Windows program.")
@click.option("--tests", is_flag=True, help="Run the reader's own tests there too.")
def main(into: Path, wine: str, *, tests: bool) -> None:
    """Try it all; exit code 0: it works there, 1: something does not, 3: something is missing here."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    into = into.resolve()
    try:
        python = windows_python.made(into, wine, tests=tests)
    except errors.MissingError as error:
        click.echo(str(error), err=True)
        sys.exit(error.exit_code)
    click.echo(python.version())
    bad = 0
    for what, failed in tried(_desk(into, python)):
        click.echo(f"{'FAILS' if failed else 'works'}  {what}")
        bad += bool(failed)
        if failed:
            click.echo(f"       {failed}")
    if tests:
        command = [*python.command("-m", "pytest", "-q", "-n", "0", "-p", "no:cacheprovider", *TESTS)]
        bad += subprocess.run(
            command, cwd=ROOT, env=python.environment(), stdin=subprocess.DEVNULL, check=False
        ).returncode
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
