"""Document signatures that the pinned key made, and that are not the one kind a bundle has."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7

from configs import errors
from tef_export import bag, cades
from tests.tef_export import making

Attack = Callable[..., None]
DETACHED = [pkcs7.PKCS7Options.DetachedSignature, pkcs7.PKCS7Options.Binary]
BARE, UNNAMED = pkcs7.PKCS7Options.NoAttributes, pkcs7.PKCS7Options.NoCerts


def signed(content: bytes, key: making.keys.PrivateKey, options: list[pkcs7.PKCS7Options], times: int = 1) -> bytes:
    """By another maker of CMS: as many signers as asked, all of one key."""
    builder = pkcs7.PKCS7SignatureBuilder().set_data(content)
    for _ in range(times):
        builder = builder.add_signer(key.certificate, key.private, hashes.SHA256())  # type: ignore[arg-type]
    return builder.sign(Encoding.DER, options)


CASES: list[tuple[str, Callable[[bytes, making.keys.PrivateKey], bytes]]] = [
    ("document signature that is no CAdES", lambda c, k: signed(c, k, DETACHED)),
    ("document signature with two signers", lambda c, k: signed(c, k, DETACHED, 2)),
    ("document signature with the document inside", lambda c, k: signed(c, k, [pkcs7.PKCS7Options.Binary])),
    ("document signature over nothing but the digest", lambda c, k: signed(c, k, [*DETACHED, BARE])),
    ("document signature without its certificate", lambda c, k: signed(c, k, [*DETACHED, UNNAMED])),
    ("document signature and more", lambda c, k: cades.sign(c, k, making.NOW) + b"\0"),
]  # fmt: skip


@pytest.mark.attack("signatures")
@pytest.mark.parametrize("sign", [c[1] for c in CASES], ids=[c[0] for c in CASES])
def test_another_kind_of_document_signature_is_refused(
    made: making.Made, attack: Attack, sign: Callable[[bytes, making.keys.PrivateKey], bytes]
) -> None:
    """The certificate is bound by the signature, one signer signs, and nothing else stands in the file."""
    _, files = making.unpacked(made.path)
    content = files[bag.TAG_MANIFEST]
    with pytest.raises(errors.VerificationError, match=r"tagmanifest-sha256\.txt\.p7s") as caught:
        cades.verify(sign(content, made.key), content, made.key.public_key(), making.NOW)
    attack(caught.value, "document signature")
