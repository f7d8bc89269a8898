"""Public tools asked in this process, so that thousands of bent bundles can be shown to them.

The same judgements as in `validators`, which asks each tool in a process of its own as a facility would: `sha256sum`,
`openssl` and `unzip` stay programs, since they start quickly.
"""

from __future__ import annotations

import contextlib
import functools
import io
import json
import logging
import subprocess
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tests.tef_export import validators

Asked = Callable[[Path, Path], object]
"""Asks about an unpacked bundle with the sender's certificate; raises, or gives something true, where it refuses."""


def refused(bundle: Path, certificate: Path, place: Path, at: int) -> list[str]:
    """What the public tools refuse of a bundle.

    Args:
        bundle: The ZIP file.
        certificate: The sender's, pinned.
        place: An empty folder.
        at: Seconds of the epoch at which the certificate must be valid.
    """
    try:
        _run("unzip", "-tqq", str(bundle))
        _run("unzip", "-q", str(bundle), "-d", str(place))
        (folder,) = (one for one in place.iterdir() if one.is_dir())
        for name in ("tagmanifest-sha256.txt", "manifest-sha256.txt"):
            _run("sha256sum", "--quiet", "--strict", "-c", name, cwd=folder)
        signature, listed = "signatures/tagmanifest-sha256.txt.p7s", "tagmanifest-sha256.txt"
        _run(
            "openssl", "cms", "-verify", "-cades", "-binary", "-inform", "DER", "-in", signature, "-content", listed,
            "-CAfile", str(certificate), "-purpose", "any", "-nointern", "-certfile", str(certificate),
            "-out", "/dev/null", "-attime", str(at), cwd=folder,
        )  # fmt: skip
    except validators.Refused as error:
        return [str(error)]
    return [f"{name}: {said}" for name, ask in _TOOLS.items() if (said := _said(ask, folder, certificate))]


def _said(ask: Asked, folder: Path, certificate: Path) -> str:
    noise = io.StringIO()
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(noise), contextlib.redirect_stderr(noise):
            warnings.simplefilter("ignore")
            found = ask(folder, certificate)
    except (Exception, SystemExit) as error:  # whatever a tool raises is its refusal
        return f"{type(error).__name__}: {error}"[:300]
    return str(found)[:300] if found else ""


def _zipfile(folder: Path, _: Path) -> object:
    import zipfile

    (bundle,) = folder.parent.parent.glob("*.zip")
    with zipfile.ZipFile(bundle) as opened:
        return opened.testzip()


def _bagit(folder: Path, _: Path) -> object:
    import bagit

    return not bagit.Bag(str(folder)).validate()


def _bagit_profile(folder: Path, _: Path) -> object:
    import bagit
    import bagit_profile

    profile = json.loads((validators.ROOT / "tef_export" / "bagit_profile.json").read_bytes())
    asked = bagit_profile.Profile("urn:proofline:bagit-profile:1", profile=profile)
    return not asked.validate(bagit.Bag(str(folder)))


def _model_signing(folder: Path, certificate: Path) -> None:
    from model_signing import hashing, verifying

    public = folder.parent / "sender.pub.pem"
    if not public.exists():
        public.write_bytes(validators.public_key(certificate))
    signature = folder / "signatures/bundle.oms.sig"
    hashed = hashing.Config().set_ignored_paths(paths=[signature], ignore_git_paths=False)
    asked = verifying.Config().use_elliptic_key_verifier(public_key=str(public)).set_hashing_config(hashed)
    asked.verify(folder, signature)


@functools.cache
def _cyclonedx_validator() -> Any:
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    return JsonStrictValidator(SchemaVersion.V1_6)


def _cyclonedx(folder: Path, _: Path) -> object:
    texts = (path.read_text(encoding="utf-8") for path in sorted((folder / "data/sbom").glob("*.json")))
    return next((found for text in texts if (found := _cyclonedx_validator().validate_str(text))), None)


def _securesystemslib(folder: Path, certificate: Path) -> None:
    from cryptography import x509
    from securesystemslib.dsse import Envelope
    from securesystemslib.signer import SSlibKey

    key = x509.load_pem_x509_certificate(certificate.read_bytes()).public_key()
    for path in sorted((folder / "data/provenance").glob("*.json")):
        held = json.loads(path.read_bytes())
        name = held["signatures"][0]["keyid"]
        Envelope.from_dict(held).verify([SSlibKey.from_crypto(key, keyid=name)], 1)


def _mlcroissant(folder: Path, _: Path) -> object:
    import mlcroissant

    issues = mlcroissant.Dataset(jsonld=str(folder / "data/documents/croissant.json")).metadata.ctx.issues
    return issues.errors


def _card(folder: Path, _: Path) -> object:
    from huggingface_hub import ModelCard

    return not ModelCard.load(str(folder / "data/README.md")).data.to_dict()


def _schema(folder: Path, _: Path) -> None:
    import jsonschema

    from tef_export import manifest, recipe

    for kind in (manifest, recipe):
        document = json.loads((folder / kind.PLACE).read_bytes())
        jsonschema.validate(document, json.loads(kind.SCHEMA.read_text(encoding="utf-8")))


def _onnx(folder: Path, _: Path) -> None:
    import onnx

    onnx.checker.check_model(str(folder / "data/model/model.onnx"), full_check=True, check_custom_domain=True)


_TOOLS: dict[str, Asked] = {
    "zipfile": _zipfile,
    "bagit": _bagit,
    "bagit_profile": _bagit_profile,
    "model_signing": _model_signing,
    "cyclonedx": _cyclonedx,
    "securesystemslib": _securesystemslib,
    "mlcroissant": _mlcroissant,
    "huggingface_hub": _card,
    "jsonschema": _schema,
    "onnx.checker": _onnx,
}


@contextlib.contextmanager
def silent() -> Iterator[None]:
    """The tools' loggers say nothing of refusals within the block."""
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)


def _run(*command: str, cwd: Path | None = None) -> None:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    if done.returncode:
        raise validators.Refused(f"{command[0]}: {(done.stdout + done.stderr).strip()[-300:]}")
