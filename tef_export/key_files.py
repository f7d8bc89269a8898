"""Opening a signing key where it is kept: a PEM file, a PKCS#12 file, or a token behind PKCS#11.

There is no default key. Neither a key nor a password ever stands in an error.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import pkcs12

from configs import errors
from tef_export import keys

PKCS12_SUFFIXES = (".p12", ".pfx")
SCHEME = "pkcs11:"
"""Beginning of a URI that names a key on a token (RFC 7512)."""


def open_key(where: str, ask_password: Callable[[], str], certificate: Path | None = None) -> keys.PrivateKey:
    """Open a signing key.

    Args:
        where: A PEM file (`release.key.pem`), a PKCS#12 file (`.p12`, `.pfx`), or a `pkcs11:` URI.
        ask_password: Asks for the password or the token's PIN; called only where one is needed.
        certificate: PEM certificate, where it does not lie beside the key or in the file.

    Raises:
        MissingError: A file, a module, a token or the extra for PKCS#11 is absent.
        PlanError: Wrong password, another kind of key, or a certificate of another key.
    """
    if where.startswith(SCHEME):
        try:
            from tef_export import token_key  # noqa: PLC0415 - needs an extra that only some have
        except ImportError:
            raise errors.MissingError(
                "key on a token: expected the extra for PKCS#11, got an installation without it. "
                'Run `pip install ".[pkcs11]"` in the clone of the repository.'
            ) from None
        return token_key.open_token(where, ask_password, certificate)
    path = Path(where)
    if path.suffix.lower() in PKCS12_SUFFIXES:
        return _load_pkcs12(path, ask_password, certificate)
    return keys.load_private(path, ask_password, certificate)


def _load_pkcs12(path: Path, ask_password: Callable[[], str], certificate: Path | None) -> keys.PrivateKey:
    content = keys.read_file(path, "private key")
    if os.name == "posix" and stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise errors.PlanError(
            f"private key {path}: expected a file that only its owner can read, got mode "
            f"{stat.S_IMODE(path.stat().st_mode):04o}. Run `chmod 600` on it, and think of who has read it."
        )
    try:
        private, own, _ = pkcs12.load_key_and_certificates(content, ask_password().encode("utf-8") or None)
    except ValueError:
        raise errors.PlanError(
            f"private key {path}: expected a PKCS#12 file and its password, got another password or a damaged file. "
            "Check both."
        ) from None
    if not isinstance(private, ec.EllipticCurvePrivateKey) or not isinstance(private.curve, ec.SECP256R1):
        raise errors.PlanError(
            f"private key {path}: expected an elliptic-curve key on P-256, got another kind. Make one that is."
        )
    if certificate is not None:
        own = keys.load_certificate(certificate, private.public_key())
    if own is None or own.public_key() != private.public_key():
        raise errors.PlanError(
            f"private key {path}: expected the key's certificate in the file, got none or that of another key. "
            "Give it with --certificate."
        )
    return keys.PrivateKey(private, own)
