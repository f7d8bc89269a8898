"""Plain ECDSA on P-256 with SHA-256, and the DSSE envelope's byte form. Knows nothing about bundles.

Signatures are deterministic (RFC 6979) where the installed OpenSSL can make them so, which lets the same bundle be
written twice with the same bytes.
"""

from __future__ import annotations

import base64
import binascii
from typing import Any

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec


def sign(private: ec.EllipticCurvePrivateKey, data: bytes) -> bytes:
    """ECDSA signature over the SHA-256 of `data`, DER-encoded (SEQUENCE of r and s)."""
    try:
        return private.sign(data, ec.ECDSA(hashes.SHA256(), deterministic_signing=True))
    except UnsupportedAlgorithm:
        return private.sign(data, ec.ECDSA(hashes.SHA256()))


def holds(public: ec.EllipticCurvePublicKey, signature: bytes, data: bytes) -> bool:
    """Whether `signature` over `data` was made with the private half of `public`."""
    try:
        public.verify(signature, data, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return False
    return True


def pre_authentication(payload_type: str, payload: bytes) -> bytes:
    """The bytes that a DSSE signature covers: type and payload with their lengths (DSSE protocol 1.0, PAE)."""
    kind = payload_type.encode("utf-8")
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def from_base64(text: Any) -> bytes | None:
    """The bytes of base64 text; None for what is none, or not the one text that stands for these bytes."""
    if not isinstance(text, str):
        return None
    try:
        content = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    # The decoder lets padding through where none belongs; only one text stands for one content.
    return content if base64.b64encode(content).decode("ascii") == text else None
