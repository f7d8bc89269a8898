"""OpenSSF Model Signing v1.0, method `key`: one signature over every file of a bundle.

The signature file is a Sigstore bundle v0.3 holding a DSSE envelope holding an in-toto statement that lists each file
with its SHA-256. The public reference tool verifies what `sign` writes (`model_signing verify key`). Our own reader
asks for more than that tool does: exactly one signature, the file list equal to the disk, and an ignore list that
names the signature file and nothing else, because an ignored file is an unsigned one.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from pathlib import PurePosixPath
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from configs import errors
from tef_export import keys, signing, strict_json

PLACE = "signatures/bundle.oms.sig"
MEDIA_TYPE = "application/vnd.dev.sigstore.bundle.v0.3+json"
PAYLOAD_TYPE = "application/vnd.in-toto+json"
STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "https://model_signing/signature/v1.0"
LARGEST = 4 << 20
"""Bytes of a signature file; one file of the bundle takes about 250."""
_SHA256 = re.compile(r"[0-9a-f]{64}")


def sign(files: dict[str, str], name: str, key: keys.PrivateKey) -> bytes:
    """The signature file.

    Args:
        files: POSIX path inside the bundle to hex SHA-256; every file except the signature file.
        name: Name of the bundle's top directory.
        key: The key to sign with.
    """
    ordered = sorted(files.items(), key=lambda item: PurePosixPath(item[0]))
    statement = {
        "_type": STATEMENT_TYPE,
        "subject": [{"name": name, "digest": {"sha256": _root([digest for _, digest in ordered])}}],
        "predicateType": PREDICATE_TYPE,
        "predicate": {
            "resources": [{"name": n, "algorithm": "sha256", "digest": digest} for n, digest in ordered],
            "serialization": {
                "method": "files",
                "hash_type": "sha256",
                "allow_symlinks": False,
                "ignore_paths": [PLACE],
            },
        },
    }
    payload = json.dumps(statement, sort_keys=True).encode("ascii")
    value = key.sign(signing.pre_authentication(PAYLOAD_TYPE, payload))
    envelope = {
        "payload": base64.b64encode(payload).decode("ascii"),
        "payloadType": PAYLOAD_TYPE,
        "signatures": [{"sig": base64.b64encode(value).decode("ascii"), "keyid": ""}],
    }
    content = {
        "mediaType": MEDIA_TYPE,
        "verificationMaterial": {"publicKey": {"hint": _hint(key.public_key())}, "tlogEntries": []},
        "dsseEnvelope": envelope,
    }
    return json.dumps(content, sort_keys=True).encode("ascii") + b"\n"


def signed_files(content: bytes, public: ec.EllipticCurvePublicKey, name: str) -> dict[str, str]:
    """What the pinned key has signed: path to SHA-256.

    Args:
        content: The signature file.
        public: The pinned key.
        name: Name of the bundle's top directory.

    Raises:
        VerificationError: Another key, an altered signature file, or one that signs less than the whole bundle.
    """
    payload = _authentic_payload(content, public)
    try:
        files, said = _stated(payload)
    except errors.VerificationError as error:
        # The pinned key has signed this, so nobody else has made it.
        raise errors.VerificationError(str(error), "mistake") from None
    _same(said, name, "subject of the statement, name of the bundle")
    return files


def _stated(payload: bytes) -> tuple[dict[str, str], str]:
    """Files and name that an authentic statement of the whole bundle is about."""
    statement = strict_json.parse(payload, f"{PLACE}, signed statement", LARGEST)
    _require(statement, ("_type", "predicate", "predicateType", "subject"), "signed statement")
    _same(statement["_type"], STATEMENT_TYPE, "type of the statement")
    _same(statement["predicateType"], PREDICATE_TYPE, "predicate of the statement")
    predicate = statement["predicate"]
    _require(predicate, ("resources", "serialization"), "predicate")
    _require_policy(predicate["serialization"])
    files = _resources(predicate["resources"])
    subject = statement["subject"]
    if not isinstance(subject, list) or len(subject) != 1:
        raise _refusal("one subject of the statement", "none or several")
    _require(subject[0], ("digest", "name"), "subject of the statement")
    _same(subject[0]["digest"], {"sha256": _root(list(files.values()))}, "subject of the statement, digest")
    return files, subject[0]["name"]


def require_same(signed: dict[str, str], found: dict[str, str]) -> None:
    """Compare what was signed with what is there; both map path to SHA-256, without the signature file.

    Raises:
        VerificationError: Naming the first file that was added, removed or altered.
    """
    for path in sorted(signed.keys() - found.keys()):
        raise errors.VerificationError(
            f"file {path}: expected it in the bundle, because it was signed, got none: it was removed after signing."
        )
    for path in sorted(found.keys() - signed.keys()):
        raise errors.VerificationError(
            f"file {path}: expected only signed files, got one that was not signed: it was added after signing."
        )
    for path in sorted(signed):
        if signed[path] != found[path]:
            raise errors.VerificationError(
                f"file {path}: expected sha256 {signed[path][:12]}…, got {found[path][:12]}…: it was altered after "
                "signing."
            )


def _authentic_payload(content: bytes, public: ec.EllipticCurvePublicKey) -> bytes:
    document = strict_json.parse(content, PLACE, LARGEST)
    _require(document, ("dsseEnvelope", "mediaType", "verificationMaterial"), "signature file")
    _same(document["mediaType"], MEDIA_TYPE, "media type")
    material, envelope = document["verificationMaterial"], document["dsseEnvelope"]
    _require(material, ("publicKey", "tlogEntries"), "verification material")
    _require(material["publicKey"], ("hint",), "public key")
    _same(material["tlogEntries"], [], "log entries")
    _require(envelope, ("payload", "payloadType", "signatures"), "envelope")
    _same(envelope["payloadType"], PAYLOAD_TYPE, "payload type")
    signatures = envelope["signatures"]
    if not isinstance(signatures, list) or len(signatures) != 1:
        raise _refusal("exactly one signature", "none or several")
    _require(signatures[0], ("keyid", "sig"), "signature")
    payload, value = _decoded(envelope["payload"]), _decoded(signatures[0]["sig"])
    if material["publicKey"]["hint"] != _hint(public):
        raise _refusal(
            f"a signature of the pinned key {keys.fingerprint(public)[:12]}…", "one of another key",
            "Compare the fingerprint with the supplier by another channel", "unclear",
        )  # fmt: skip
    if not signing.holds(public, value, signing.pre_authentication(PAYLOAD_TYPE, payload)):
        raise _refusal("the statement that the pinned key signed", "another: the signature file was altered")
    return payload


def _require_policy(serialization: Any) -> None:
    _require(serialization, ("allow_symlinks", "hash_type", "ignore_paths", "method"), "serialization")
    _same(serialization["method"], "files", "method")
    _same(serialization["hash_type"], "sha256", "hash")
    if serialization["allow_symlinks"] is not False:
        raise _refusal("allow_symlinks false", "another value")
    _same(serialization["ignore_paths"], [PLACE], "ignored paths (an ignored file is not signed)")


def _resources(resources: Any) -> dict[str, str]:
    if not isinstance(resources, list) or not resources:
        raise _refusal("a list of signed files", "none")
    files: dict[str, str] = {}
    for entry in resources:
        _require(entry, ("algorithm", "digest", "name"), "signed file")
        path, digest = entry["name"], entry["digest"]
        _same(entry["algorithm"], "sha256", "hash of a signed file")
        if not isinstance(path, str) or not isinstance(digest, str) or not _SHA256.fullmatch(digest):
            raise _refusal("a path and a SHA-256 for each signed file", "something else")
        if path in files:
            raise _refusal("each signed file once", f"{path[:80]} twice")
        files[path] = digest
    return files


def _hint(public: ec.EllipticCurvePublicKey) -> str:
    """How the format names a key: SHA-256 of its PEM form."""
    return hashlib.sha256(keys.public_pem(public)).hexdigest()


def _root(digests: list[str]) -> str:
    return hashlib.sha256(b"".join(bytes.fromhex(d) for d in digests)).hexdigest()


def _decoded(text: Any) -> bytes:
    content = signing.from_base64(text)
    if content is None:
        raise _refusal("base64 text", "something else")
    return content


def _require(value: Any, names: tuple[str, ...], thing: str) -> None:
    if not isinstance(value, dict) or sorted(value) != sorted(names):
        got = ", ".join(sorted(str(k)[:40] for k in value)[:8]) if isinstance(value, dict) else type(value).__name__
        raise _refusal(f"a {thing} with {', '.join(names)} and nothing else", got or "nothing")


def _same(found: Any, expected: Any, thing: str) -> None:
    if found != expected or type(found) is not type(expected):
        raise _refusal(f"the {thing} {json.dumps(expected)[:160]}", json.dumps(found)[:160])


def _refusal(
    expected: str, got: str, remedy: str = "Do not use the bundle", looks: errors.Looks = "tampering"
) -> errors.VerificationError:
    return errors.VerificationError(f"signature {PLACE}: expected {expected}, got {got}. {remedy}.", looks)
