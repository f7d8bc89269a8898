"""A signing key on a token, through PKCS#11: it signs there and never comes out. Needs the extra `[pkcs11]`.

The key is named by a URI (RFC 7512): `pkcs11:token=company;object=release?module-path=/usr/lib/softhsm/libsofthsm2.so`.
Names of keys are in `object`, the module in `module-path` or in the variable PKCS11_MODULE.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import urllib.parse
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pkcs11
import pkcs11.exceptions
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils
from pkcs11.util.ec import encode_ec_public_key

from configs import errors
from tef_export import keys


class TokenKey:
    """A private key on a token. Each signature opens a session of its own."""

    def __init__(self, module: Path, token: str, label: str, pin: str) -> None:
        self._module, self._token, self._label, self._pin = module, token, label, pin
        with self._session() as session:
            self._public = self._read_public(session)

    def __repr__(self) -> str:
        return f"TokenKey({self._token}, {self._label})"

    def public_key(self) -> ec.EllipticCurvePublicKey:
        """The public half."""
        return self._public

    def sign(self, data: bytes) -> bytes:
        """ECDSA signature over the SHA-256 of `data`, DER-encoded. The token draws a number for each signature."""
        with self._session() as session:
            private = session.get_key(object_class=pkcs11.ObjectClass.PRIVATE_KEY, label=self._label)
            raw = private.sign(hashlib.sha256(data).digest(), mechanism=pkcs11.Mechanism.ECDSA)
        half = len(raw) // 2
        return utils.encode_dss_signature(int.from_bytes(raw[:half], "big"), int.from_bytes(raw[half:], "big"))

    @contextlib.contextmanager
    def _session(self) -> Iterator[Any]:
        thing = f"token '{self._token}'"
        try:
            with pkcs11.lib(str(self._module)).get_token(token_label=self._token).open(user_pin=self._pin) as session:
                yield session
        except pkcs11.exceptions.PinIncorrect:
            raise errors.PlanError(f"{thing}: expected its PIN, got another one. Check it; tokens lock.") from None
        except (pkcs11.exceptions.NoSuchToken, pkcs11.exceptions.NoSuchKey, pkcs11.exceptions.MultipleObjectsReturned):
            raise errors.MissingError(
                f"{thing}: expected one private key with the label '{self._label}' on it, got no such token or key. "
                "Look with `pkcs11-tool --list-objects`."
            ) from None
        except (pkcs11.exceptions.PKCS11Error, RuntimeError) as error:
            raise errors.MissingError(
                f"{thing}: expected a session, got {type(error).__name__}. Check the token and the module."
            ) from None

    def _read_public(self, session: Any) -> ec.EllipticCurvePublicKey:
        session.get_key(object_class=pkcs11.ObjectClass.PRIVATE_KEY, label=self._label)
        found = session.get_key(object_class=pkcs11.ObjectClass.PUBLIC_KEY, label=self._label)
        public = serialization.load_der_public_key(encode_ec_public_key(found))
        if not isinstance(public, ec.EllipticCurvePublicKey) or not isinstance(public.curve, ec.SECP256R1):
            raise errors.PlanError(
                f"key '{self._label}' on the token '{self._token}': expected an elliptic-curve key on P-256, got "
                "another kind. Make one that is."
            )
        return public


def open_token(uri: str, ask_pin: Callable[[], str], certificate: Path | None) -> keys.PrivateKey:
    """The key that a URI names.

    Raises:
        MissingError: No module, no such token, or no such key.
        PlanError: The URI names no token and object, the PIN is another, or the certificate is absent or of another
            key.
    """
    named, asked = _parts(uri)
    missing = [name for name in ("token", "object") if name not in named]
    if missing:
        raise errors.PlanError(
            f"key URI: expected token= and object=, got no {missing[0]}. "
            "Write pkcs11:token=NAME;object=LABEL?module-path=FILE."
        )
    module = Path(asked.get("module-path") or os.environ.get("PKCS11_MODULE", ""))
    if not module.is_file():
        raise errors.MissingError(
            f"PKCS#11 module {module}: expected a library, got none. Name it with ?module-path=FILE or PKCS11_MODULE."
        )
    if certificate is None:
        raise errors.PlanError(
            "key on a token: expected its certificate as a PEM file, got none. Give it with --certificate."
        )
    private = TokenKey(module, named["token"], named["object"], ask_pin())
    return keys.PrivateKey(private, keys.load_certificate(certificate, private.public_key()))


def _parts(uri: str) -> tuple[dict[str, str], dict[str, str]]:
    """Path and query attributes of a `pkcs11:` URI."""
    path, _, query = uri.removeprefix("pkcs11:").partition("?")

    def pairs(text: str, separator: str) -> dict[str, str]:
        split = (part.partition("=") for part in text.split(separator) if part)
        return {name: urllib.parse.unquote(value) for name, _, value in split}

    return pairs(path, ";"), pairs(query, "&")
