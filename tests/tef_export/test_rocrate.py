"""The RO-Crate and the Triton configuration for public tools that have an environment of their own."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.tef_export import making

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ROOT / ".venv-validators" / "bin"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not (TOOLS / "rocrate-validator").is_file() and not os.environ.get("CI"),
        reason="no validators: run `make validators`",
    ),
]


@pytest.fixture(scope="module")
def data(made: making.Made, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The root of the crate."""
    place = tmp_path_factory.mktemp("crate")
    for path, content in making.unpacked(made.path)[1].items():
        (place / path).parent.mkdir(parents=True, exist_ok=True)
        (place / path).write_bytes(content)
    return place / "data"


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The validator's cache."""
    place = tmp_path_factory.mktemp("cache") / "roc"
    tool(TOOLS / "python", Path(__file__).with_name("rocrate_tools.py"), "fill", place)
    return place


def tool(*command: object, accept: bool = True) -> str:
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)
    assert (done.returncode == 0) == accept, done.stdout + done.stderr
    return done.stdout


def validated(data: Path, cache: Path, *, accept: bool = True) -> str:
    return tool(
        TOOLS / "rocrate-validator", "-y", "validate", data, "--offline", "--cache-path", cache, "--no-paging",
        accept=accept,
    )  # fmt: skip


def test_the_validator_accepts_the_crate_under_its_profile(data: Path, cache: Path) -> None:
    """All required checks of RO-Crate 1.1 and of Process Run Crate 0.5 pass, offline."""
    assert "process-run-crate-0.5" in validated(data, cache)


def test_the_validator_refuses_a_crate_without_its_actions(data: Path, cache: Path, tmp_path: Path) -> None:
    """The test can fail: a crate that names no run is no Process Run Crate."""
    import shutil

    broken = tmp_path / "data"
    shutil.copytree(data, broken)
    place = broken / "ro-crate-metadata.json"
    content = json.loads(place.read_text())
    for entity in content["@graph"]:
        if entity["@type"] == "CreateAction":
            del entity["instrument"]
    place.write_text(json.dumps(content))
    validated(broken, cache, accept=False)


def test_the_library_reads_files_and_actions(data: Path) -> None:
    """`rocrate` finds every file of the payload and both actions."""
    found = json.loads(tool(TOOLS / "python", Path(__file__).with_name("rocrate_tools.py"), "read", data))
    files = sum(path.is_file() for path in data.rglob("*")) - 1
    assert found["files"] == files
    assert found["actions"] == ["#evaluation", "#training"]


def test_triton_reads_its_configuration(data: Path) -> None:
    """The configuration parses as the message of Triton's own client, with the shapes of the contract."""
    code = (
        "import sys; from google.protobuf import json_format, text_format\n"
        "from tritonclient.grpc import model_config_pb2\n"
        "found = text_format.Parse(open(sys.argv[1]).read(), model_config_pb2.ModelConfig())\n"
        "print(json_format.MessageToJson(found))"
    )
    found = json.loads(tool(TOOLS / "python", "-c", code, data / "receivers/triton/model/config.pbtxt"))
    assert (found["name"], found["platform"]) == ("model", "onnxruntime_onnx")
    assert [(one["name"], one["dims"]) for one in found["input"]] == [("features", ["10"])]
    assert [(one["name"], one["dims"]) for one in found["output"]] == [("label", ["1"]), ("probabilities", ["2"])]
