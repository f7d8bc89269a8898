"""DSSE envelopes: payload, type, and one signature over both (https://github.com/secure-systems-lab/dsse, 1.0)."""

from __future__ import annotations

import base64
import json
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from configs import errors
from tef_export import keys, signing, strict_json

IN_TOTO = "application/vnd.in-toto+json"
LARGEST = 4 << 20
"""Bytes of an envelope."""


def seal(payload: bytes, kind: str, key: keys.PrivateKey) -> bytes:
    """The envelope of a payload, signed; one line of JSON."""
    value = key.sign(signing.pre_authentication(kind, payload))
    envelope = {
        "payload": base64.b64encode(payload).decode("ascii"),
        "payloadType": kind,
        "signatures": [{"keyid": key.fingerprint, "sig": base64.b64encode(value).decode("ascii")}],
    }
    return json.dumps(envelope, sort_keys=True).encode("ascii") + b"\n"


def opened(
    content: bytes,
    public: ec.EllipticCurvePublicKey,
    name: str,
    kind: str = IN_TOTO,
    foreign: errors.Looks = "tampering",
) -> Any:
    """The JSON document in an envelope that the pinned key signed.

    Args:
        content: The envelope.
        public: The pinned key.
        name: How to call it in an error.
        kind: The payload type that is expected.
        foreign: What the name of another key looks like: inside a bundle that the pinned key has signed, tampering.

    Raises:
        VerificationError: Another type, another key, more or less than one signature, or an altered payload.
    """
    envelope = strict_json.parse(content, name, LARGEST)
    require_keys(envelope, ("payload", "payloadType", "signatures"), name)
    signatures = envelope["signatures"]
    if envelope["payloadType"] != kind:
        raise _refusal(name, f"the payload type {kind}", str(envelope["payloadType"])[:80])
    if not isinstance(signatures, list) or len(signatures) != 1:
        raise _refusal(name, "exactly one signature", "none or several")
    require_keys(signatures[0], ("keyid", "sig"), f"{name}, signature")
    if signatures[0]["keyid"] != keys.fingerprint(public):
        raise _refusal(
            name, f"a signature of the pinned key {keys.fingerprint(public)[:12]}…", "one of another key", foreign
        )
    payload = decoded(envelope["payload"], name)
    if not signing.holds(public, decoded(signatures[0]["sig"], name), signing.pre_authentication(kind, payload)):
        raise _refusal(name, "the payload that the pinned key signed", "another: it was altered", "tampering")
    return strict_json.parse(payload, f"{name}, payload", LARGEST)


def decoded(text: Any, name: str) -> bytes:
    """Base64 text as bytes.

    Raises:
        VerificationError: It is none, or not the one text that stands for these bytes.
    """
    content = signing.from_base64(text)
    if content is None:
        raise _refusal(name, "base64 text", "something else")
    return content


def require_keys(value: Any, names: tuple[str, ...], name: str) -> None:
    """Check that a JSON object has these keys and no others.

    Raises:
        VerificationError: It has not.
    """
    if not isinstance(value, dict) or sorted(value) != sorted(names):
        got = ", ".join(sorted(str(k)[:40] for k in value)[:8]) if isinstance(value, dict) else type(value).__name__
        raise _refusal(name, f"{', '.join(names)} and nothing else", got or "nothing")


def _refusal(name: str, expected: str, got: str, looks: errors.Looks | None = None) -> errors.VerificationError:
    return errors.VerificationError(f"{name}: expected {expected}, got {got}. Do not use the bundle.", looks)
