"""What a receiver can check without proofline: public tools on the same bytes."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.tef_export import making


@pytest.fixture(scope="module")
def folder(made: making.Made, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundle as `unzip` unpacks it."""
    place = tmp_path_factory.mktemp("unzipped")
    subprocess.run(["unzip", "-q", made.path, "-d", place], check=True)
    return place / made.written.bundle_id


def tool(*command: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(part) for part in command], cwd=cwd, capture_output=True, text=True, check=False)


def test_sha256sum_accepts_both_manifests(folder: Path) -> None:
    """`sha256sum --strict -c` holds for the tag manifest and the manifest, and every payload file is listed."""
    for name in ("tagmanifest-sha256.txt", "manifest-sha256.txt"):
        done = tool("sha256sum", "--quiet", "--strict", "-c", name, cwd=folder)
        assert (done.returncode, done.stderr) == (0, "")
    listed = {line[66:] for line in (folder / "manifest-sha256.txt").read_text().splitlines()}
    assert listed == {p.relative_to(folder).as_posix() for p in (folder / "data").rglob("*") if p.is_file()}


def test_openssl_verifies_the_document_signature_with_the_pinned_certificate(made: making.Made, folder: Path) -> None:
    """The CAdES signature holds for openssl; for an altered manifest, or with another certificate, it does not."""
    other = making.real_key()
    pinned, foreign = made.written.certificate, folder.parent / "other.crt"
    foreign.write_bytes(_pem(other))
    altered = folder.parent / "altered.txt"
    altered.write_bytes((folder / "tagmanifest-sha256.txt").read_bytes() + b"\n")

    def verify(certificate: Path, content: Path) -> int:
        return tool(
            "openssl", "cms", "-verify", "-cades", "-binary", "-inform", "DER",
            "-in", folder / "signatures/tagmanifest-sha256.txt.p7s", "-content", content,
            "-CAfile", certificate, "-nointern", "-certfile", certificate,
            "-purpose", "any", "-attime", int(making.NOW.timestamp()), "-out", "/dev/null",
        ).returncode  # fmt: skip

    assert verify(pinned, folder / "tagmanifest-sha256.txt") == 0
    assert verify(pinned, altered) != 0
    assert verify(foreign, folder / "tagmanifest-sha256.txt") != 0


def test_openssl_verifies_the_model_signature_over_its_bytes(made: making.Made, folder: Path, tmp_path: Path) -> None:
    """The envelope's signature is plain ECDSA over the DSSE form, so `openssl dgst` can check it."""
    import base64

    envelope = json.loads((folder / "signatures/bundle.oms.sig").read_bytes())["dsseEnvelope"]
    payload, kind = base64.b64decode(envelope["payload"]), envelope["payloadType"]
    (tmp_path / "pae").write_bytes(f"DSSEv1 {len(kind)} {kind} {len(payload)} ".encode() + payload)
    (tmp_path / "sig").write_bytes(base64.b64decode(envelope["signatures"][0]["sig"]))
    done = tool(
        "openssl", "dgst", "-sha256", "-verify", made.written.public_key,
        "-signature", tmp_path / "sig", tmp_path / "pae",
    )  # fmt: skip
    assert "Verified OK" in done.stdout


def test_bagit_validates_the_bag(folder: Path) -> None:
    """The reference implementation of BagIt finds the bag valid, and an altered one not."""
    assert tool(sys.executable, "-m", "bagit", "--validate", folder).returncode == 0
    broken = folder.parent / "broken"
    shutil.copytree(folder, broken)
    (broken / "data/plan.yaml").write_text("version: 2\n")
    assert tool(sys.executable, "-m", "bagit", "--validate", broken).returncode != 0


@pytest.mark.slow
def test_the_reference_tool_verifies_the_model_signature(made: making.Made, folder: Path) -> None:
    """`model_signing verify key` accepts the bundle with the supplier's key, and refuses another key or file."""
    other = folder.parent / "other.pub"
    from tef_export import keys

    other.write_bytes(keys.public_pem(making.real_key().public_key()))

    def verify(public: Path, bundle: Path) -> subprocess.CompletedProcess[str]:
        return tool(
            sys.executable, "-W", "ignore", "-m", "model_signing", "verify", "key", bundle,
            "--signature", bundle / "signatures/bundle.oms.sig", "--public_key", public, "--no-ignore-git-paths",
        )  # fmt: skip

    done = verify(made.written.public_key, folder)
    assert done.returncode == 0, done.stderr
    assert "succeeded" in done.stdout
    assert verify(other, folder).returncode != 0
    grown = folder.parent / "grown"
    shutil.copytree(folder, grown)
    (grown / "data/documents/x.txt").write_text("x")
    assert verify(made.written.public_key, grown).returncode != 0


def test_the_schema_of_bundle_json_holds_for_public_validators(folder: Path) -> None:
    """`bundle.json` is valid under the committed JSON Schema, with the jsonschema package."""
    import jsonschema

    from tef_export import manifest

    schema = json.loads(manifest.SCHEMA.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    index = json.loads((folder / "data/bundle.json").read_bytes())
    jsonschema.validate(index, schema)
    index["extra"] = 1
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(index, schema)


def test_the_committed_schema_is_the_one_of_the_types() -> None:
    """Types and schema cannot drift apart; write it anew with `manifest.schema_text()`."""
    from tef_export import manifest

    assert manifest.SCHEMA.read_text(encoding="utf-8") == manifest.schema_text()


def _pem(key: object) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding

    return key.certificate.public_bytes(Encoding.PEM)  # type: ignore[attr-defined]
