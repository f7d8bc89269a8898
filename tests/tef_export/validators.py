"""Every public tool that can say something about a bundle, asked without a network.

`ask` asks all of them about one bundle, each in a process of its own, as a facility would; `quick` asks those that need
no long start, for comparing many bundles. Nothing of proofline is used to judge.
"""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ROOT / ".venv-validators" / "bin"
ABSENT = "not installed here"
_PYTHON = {
    "bagit_profile": (
        "import bagit, bagit_profile, json, sys\n"
        "profile = bagit_profile.Profile(sys.argv[2], profile=json.load(open(sys.argv[1])))\n"
        "sys.exit(not profile.validate(bagit.Bag('.')))"
    ),
    "cyclonedx": (
        "import sys\n"
        "from cyclonedx.schema import SchemaVersion\n"
        "from cyclonedx.validation.json import JsonStrictValidator\n"
        "for path in sys.argv[1:]:\n"
        "    found = JsonStrictValidator(SchemaVersion.V1_6).validate_str(open(path, encoding='utf-8').read())\n"
        "    if found: sys.exit(str(found))"
    ),
    "onnx.checker": (
        "import onnx, sys\nonnx.checker.check_model(sys.argv[1], full_check=True, check_custom_domain=True)"
    ),
    "golden vectors": (
        "import glob, numpy, onnx, onnxruntime, sys\n"
        "from onnx import numpy_helper\n"
        "read = lambda path: numpy_helper.to_array(onnx.load_tensor(path))\n"
        "session = onnxruntime.InferenceSession(sys.argv[1] + '/model.onnx', providers=['CPUExecutionProvider'])\n"
        "data = sys.argv[1] + '/test_data_set_0/'\n"
        "given = {one.name: read(f'{data}input_{i}.pb') for i, one in enumerate(session.get_inputs())}\n"
        "for i, made in enumerate(session.run(None, given)):\n"
        "    numpy.testing.assert_allclose(made, read(f'{data}output_{i}.pb'), rtol=1e-4, atol=1e-6)"
    ),
    "securesystemslib": (
        "import json, sys\n"
        "from cryptography import x509\n"
        "from securesystemslib.dsse import Envelope\n"
        "from securesystemslib.signer import SSlibKey\n"
        "key = x509.load_pem_x509_certificate(open(sys.argv[1], 'rb').read()).public_key()\n"
        "for path in sys.argv[2:]:\n"
        "    held = json.load(open(path))\n"
        "    name = held['signatures'][0]['keyid']\n"
        "    Envelope.from_dict(held).verify([SSlibKey.from_crypto(key, keyid=name)], 1)"
    ),
    "mlcroissant": "from mlcroissant.scripts.cli import main; main()",
    "huggingface_hub": (
        "import sys; from huggingface_hub import ModelCard\n"
        "card = ModelCard.load(sys.argv[1]); assert card.data.to_dict(), 'no metadata'"
    ),
}


class Refused(Exception):  # noqa: N818 - an answer
    """A public tool does not accept the bundle."""


def ask(bundle: Path, certificate: Path, place: Path, at: int | None = None) -> dict[str, str]:
    """Unpack a bundle with a public tool, and ask every other one about it.

    Args:
        bundle: The ZIP file.
        certificate: The sender's, pinned.
        place: A new folder for the unpacked bundle and what the tools need.
        at: Seconds of the epoch at which the certificate must be valid; by default now.

    Returns:
        Tool to `accepted`, or why it was not asked.

    Raises:
        Refused: A tool does not accept it.
    """
    found = {}
    place.mkdir(parents=True)
    _run("unzip", place, "unzip", "-q", bundle, "-d", place)
    (folder,) = (one for one in place.iterdir() if one.is_dir())
    for name, command in _commands(bundle, folder, certificate, place, at):
        if command is None:
            found[name] = ABSENT
        else:
            _run(name, folder, *command)
            found[name] = "accepted"
    return found


QUICK = (
    "zipfile",
    "unzip",
    "7z",
    "sha256sum",
    "openssl cms",
    "bagit",
    "bagit_profile",
    "model_signing",
    "onnx.checker",
)


def quick(bundle: Path, certificate: Path, place: Path, at: int) -> list[str]:
    """Ask the tools that judge whether a bundle is whole and signed, and its graph valid; what was refused."""
    refused = []
    try:
        _run("unzip", place, "unzip", "-q", bundle, "-d", place)
        (folder,) = (one for one in place.iterdir() if one.is_dir())
        for name, command in _commands(bundle, folder, certificate, place, at, rocrate=False):
            if command is not None and name.startswith(QUICK):
                try:
                    _run(name, folder, *command)
                except Refused as error:
                    refused.append(str(error))
    except Refused as error:
        refused.append(str(error))
    return refused


def _commands(
    bundle: Path, folder: Path, certificate: Path, place: Path, at: int | None, *, rocrate: bool = True
) -> Iterator[tuple[str, tuple[object, ...] | None]]:
    yield "zipfile", (sys.executable, "-m", "zipfile", "-t", bundle)
    yield "unzip", ("unzip", "-tqq", bundle)
    yield "7z", ("7z", "t", bundle) if shutil.which("7z") else None
    for name in ("tagmanifest-sha256.txt", "manifest-sha256.txt"):
        yield f"sha256sum {name}", ("sha256sum", "--quiet", "--strict", "-c", name)
    public = place / "sender.pub.pem"
    public.write_bytes(public_key(certificate))
    signature, listed = "signatures/tagmanifest-sha256.txt.p7s", "tagmanifest-sha256.txt"
    yield "openssl cms", (
        "openssl", "cms", "-verify", "-cades", "-binary", "-inform", "DER", "-in", signature, "-content", listed,
        "-CAfile", certificate, "-purpose", "any", "-nointern", "-certfile", certificate, "-out", os.devnull,
        *(() if at is None else ("-attime", at)),
    )  # fmt: skip
    yield "model_signing", (
        sys.executable, "-W", "ignore", "-m", "model_signing", "verify", "key", ".",
        "--signature", "signatures/bundle.oms.sig", "--public_key", public, "--no-ignore-git-paths",
    )  # fmt: skip
    yield "bagit", (sys.executable, "-m", "bagit", "--validate", ".")
    profile = ROOT / "tef_export" / "bagit_profile.json"
    yield "bagit_profile", (*_python("bagit_profile"), profile, "urn:proofline:bagit-profile:1")
    # With the check of addresses where the whole validator is installed.
    by = TOOLS / "python" if (TOOLS / "rocrate-validator").is_file() else sys.executable
    yield "cyclonedx", (by, *_python("cyclonedx")[1:], "data/sbom/model.cdx.json", "data/sbom/environment.cdx.json")
    attestations = ("data/provenance/build.intoto.json", "data/provenance/evaluation.intoto.json")
    yield "securesystemslib", (*_python("securesystemslib"), certificate, *attestations)
    croissant = "data/documents/croissant.json"
    yield "mlcroissant", (*_python("mlcroissant"), "validate", "--jsonld", croissant)
    yield "huggingface_hub", (*_python("huggingface_hub"), "data/README.md")
    yield "onnx.checker", (*_python("onnx.checker"), "data/model/model.onnx")
    yield "golden vectors", (*_python("golden vectors"), "data/model")
    if not rocrate or not (TOOLS / "rocrate-validator").is_file():
        yield "rocrate-validator", None
        return
    tools = Path(__file__).with_name("rocrate_tools.py")
    _run("rocrate cache", folder, TOOLS / "python", tools, "fill", place / "roc")
    yield "rocrate-validator", (
        TOOLS / "rocrate-validator", "-y", "validate", "data", "--offline", "--cache-path", place / "roc",
        "--no-paging",
    )  # fmt: skip


def public_key(certificate: Path) -> bytes:
    """The key of a certificate, PEM."""
    return _output("openssl", "x509", "-in", certificate, "-noout", "-pubkey")


def _python(name: str) -> tuple[object, ...]:
    return sys.executable, "-W", "ignore", "-c", _PYTHON[name]


@functools.cache
def _offline() -> tuple[str, ...]:
    """What runs a command in a network of its own that reaches nothing; nothing where the system does not allow it."""
    if (
        shutil.which("unshare")
        and subprocess.run(["unshare", "-rn", "true"], capture_output=True, check=False).returncode == 0
    ):
        return ("unshare", "-rn")
    return ()


def _output(*command: object) -> bytes:
    return subprocess.run([str(part) for part in command], capture_output=True, check=True).stdout


def _run(name: str, folder: Path, *command: object) -> None:
    done = subprocess.run([*_offline(), *map(str, command)], cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Refused(f"{name}: {(done.stdout + done.stderr).strip()[-600:]}")
