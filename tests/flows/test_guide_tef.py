"""Every command of docs/guide/tef.md, typed into a shell as it stands there, on a fresh bundle.

Only what a person fills in is filled in: the fingerprint, the folder's name, a password. The commands that need the
provider's workspace are typed by the circle (`tests/flows/circle.py`).
"""

from __future__ import annotations

import datetime as dt
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from sklearn import datasets

from tef_export import keys, timestamp, write
from tests.tef_export import making, rerunnable, rocrate_tools, test_properties, validators
from tests.tef_export.test_timestamp import Authority

ROOT = Path(__file__).resolve().parents[2]
GUIDE = ROOT / "docs" / "guide" / "tef.md"
LONG_AGO = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
INSTALLS = "pip install"
PROVIDERS = ("proofline receive ", "proofline run ")
EXPECTED = {"--data own.csv": (0, 1, 4)}
"""Part of a command to the exit codes that are an answer; 0 elsewhere."""
pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


def commands() -> list[str]:
    """The commands in order; continued lines joined, comments kept, since a shell reads them too."""
    blocks = re.findall(r"```sh\n(.*?)```", GUIDE.read_text(encoding="utf-8"), flags=re.DOTALL)
    return [line for block in blocks for line in block.replace("\\\n", " ").splitlines() if line.strip()]


class Desk:
    """A facility's folder with what it was sent, and what it must have got by another way."""

    def __init__(self, place: Path) -> None:
        key = making.real_key(begin=LONG_AGO, days=36_500)
        made = rerunnable.bundle(place / "provider", key)
        self.place = place / "desk"
        self.place.mkdir()
        (place / "tsa").mkdir()
        authority = Authority(place / "tsa")
        prepared = write.prepare(made.folder, made.dossier, made.approval, making.CREATED)
        stamp = timestamp.from_authority(authority.url)
        written = write.seal(prepared, key, place / "sent", stamp=stamp)
        authority.server.shutdown()
        authority.server.server_close()
        self.fingerprint, self.top = keys.fingerprint(key.public_key()), written.bundle_id
        for source, name in (
            (written.path, "bundle.zip"), (written.public_key, "sender.pub.pem"),
            (written.certificate, "sender.crt.pem"), (place / "tsa" / "tsa.crt", "authority.crt.pem"),
            (ROOT / "tef_export" / "bagit_profile.json", "bagit_profile.json"),
        ):  # fmt: skip
            shutil.copy(source, self.place / name)
        table = datasets.load_diabetes(as_frame=True, scaled=False).frame
        table.astype({"sex": int}).to_csv(self.place / "own.csv", index=False)
        (self.place / "dose.vnnlib").write_bytes(test_properties.HOLDS)
        self.folder = self.place

    def type(self, line: str) -> subprocess.CompletedProcess[str]:
        """Type one line; a `cd` lasts."""
        line = line.replace("3f8b90…", self.fingerprint).replace("<the one folder in it>", self.top)
        line = line.replace("german-credit", self.top[:8]).replace("data/properties/PROPERTY", "../dose")
        if line.startswith("proofline keys new"):
            line = line.replace("keys new facility", "keys new facility --no-password")
        bin_folders = [str(Path(sys.executable).parent), str(validators.TOOLS), os.environ["PATH"]]
        environment = {**os.environ, "PATH": os.pathsep.join(bin_folders), "PYTHONPATH": str(ROOT)}
        done = subprocess.run(
            ["bash", "-c", f"set -o pipefail\n{line}\ncode=$?\npwd > {self.place}/.cwd\nexit $code"],
            cwd=self.folder, env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        self.folder = Path((self.place / ".cwd").read_text(encoding="utf-8").strip())
        return done


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    return Desk(tmp_path_factory.mktemp("guide"))


def test_every_command_of_the_guide_answers_as_it_says(desk: Desk) -> None:
    """In the guide's order, in one folder; what is typed, and what is left to other tests, is every line of it."""
    typed, left = [], []
    for line in commands():
        if INSTALLS in line or line.startswith(PROVIDERS):
            left.append(line)
            continue
        if "rocrate-validator" in line:
            if not (validators.TOOLS / "rocrate-validator").is_file():
                assert not os.environ.get("CI"), "no validators: run `make validators`"
                left.append(line)
                continue
            tools = [str(validators.TOOLS / "python"), rocrate_tools.__file__, "fill", str(desk.place / "roc")]
            subprocess.run(tools, check=True, capture_output=True)
        done = desk.type(line)
        expected = next((codes for part, codes in EXPECTED.items() if part in line), (0,))
        assert done.returncode in expected, f"{line}\n{done.stdout}\n{done.stderr}"
        if line.startswith("diff "):
            assert done.stdout == ""
        if "bagit_profile" in line:
            assert done.stdout.splitlines()[-1] == "True"
        if "JsonStrictValidator" in line:
            assert done.stdout.strip() == "None"
        if "['serialization']" in line:
            assert "'ignore_paths': ['signatures/bundle.oms.sig']" in done.stdout
        typed.append(line)
    assert len(typed) >= 24
    assert len(left) <= 4, left
    assert all(any(tool in line for line in typed) for tool in ("openssl cms", "openssl ts", "model_signing", "onnx"))
    answer = desk.place / "answer"
    assert {path.suffix for path in answer.iterdir()} == {".json", ".html", ".pdf"}
