"""A detached CAdES-B-B signature over the bag's tag manifest, for tools that know X.509 but no model signing.

`openssl cms -verify` checks it. ETSI EN 319 122-1 baseline level B-B: CMS SignedData (RFC 5652) with the signed
attributes content type, message digest, signing time and signing certificate (RFC 5035, version 2).

Reading is strict by construction: certificate, time and signature value are taken out, the whole file is built again
from them, and it must be the same bytes. So no odd encoding needs to be understood.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import warnings

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.utils import CryptographyDeprecationWarning
from cryptography.x509.oid import ExtendedKeyUsageOID

from configs import errors
from tef_export import der, keys, signing

PLACE = "signatures/tagmanifest-sha256.txt.p7s"
LARGEST = 64 * 1024
"""Bytes. A file with one certificate has about 1200."""
_DATA = der.oid("1.2.840.113549.1.7.1")
_SIGNED_DATA = der.oid("1.2.840.113549.1.7.2")
_CONTENT_TYPE = der.oid("1.2.840.113549.1.9.3")
_MESSAGE_DIGEST = der.oid("1.2.840.113549.1.9.4")
_SIGNING_TIME = der.oid("1.2.840.113549.1.9.5")
_SIGNING_CERTIFICATE = der.oid("1.2.840.113549.1.9.16.2.47")
_SHA256 = der.sequence(der.oid("2.16.840.1.101.3.4.2.1"))
_BROKEN = (
    ValueError,
    TypeError,
    IndexError,
    OverflowError,
    CryptographyDeprecationWarning,
    UnsupportedAlgorithm,
    x509.InvalidVersion,
    x509.DuplicateExtension,
    x509.ExtensionNotFound,
    x509.UnsupportedGeneralNameType,
)
"""What the X.509 reader raises on rubbish; most of it is no ValueError."""
_ECDSA_SHA256 = der.sequence(der.oid("1.2.840.10045.4.3.2"))


@dataclasses.dataclass(frozen=True)
class Parts:
    """What varies between two such signatures over the same content."""

    certificate: x509.Certificate
    signed_at: dt.datetime
    """UTC, whole seconds; the signer's own statement."""
    value: bytes


def sign(content: bytes, key: keys.PrivateKey, at: dt.datetime) -> bytes:
    """The signature file (DER) over `content`.

    Raises:
        GateError: The certificate is not valid at the time of signing.
    """
    begin, end = key.certificate.not_valid_before_utc, key.certificate.not_valid_after_utc
    if not begin <= at <= end:
        raise errors.GateError(
            f"certificate of key {key.fingerprint[:12]}…: expected one that is valid on {at:%Y-%m-%d %H:%M:%S}Z, got "
            f"{begin:%Y-%m-%d} to {end:%Y-%m-%d}. Use a key with a valid certificate."
        )
    moment = at.astimezone(dt.UTC).replace(microsecond=0)
    attributes = _signed_attributes(hashlib.sha256(content).digest(), key.certificate, moment)
    value = key.sign(der.set_of(*attributes))
    return _encode(attributes, Parts(key.certificate, moment, value))


def read(encoded: bytes, content: bytes) -> Parts:
    """The parts of a signature file over `content`. Nothing is verified yet.

    Raises:
        VerificationError: It is no file that `sign` could have written for this content.
    """
    try:
        parts = _take_out(encoded)
        attributes = _signed_attributes(hashlib.sha256(content).digest(), parts.certificate, parts.signed_at)
        same = _encode(attributes, parts) == encoded
    except _BROKEN as error:
        raise _refusal("a CAdES-B-B signature of this format", f"something else ({_first(error)})") from None
    if not same:
        raise _refusal("a signature over this tag manifest", "one over another, or in another form")
    return parts


def verify(encoded: bytes, content: bytes, public: ec.EllipticCurvePublicKey, now: dt.datetime) -> Parts:
    """Check a signature file against the pinned key.

    Args:
        encoded: The signature file.
        content: The tag manifest.
        public: The pinned key.
        now: Time at which the certificate has to be valid, besides the time of signing.

    Raises:
        VerificationError: Another key, altered content, or a certificate that is not valid or not for signing.
    """
    parts = read(encoded, content)
    try:
        _require_valid(parts, content, public, now)
    except _BROKEN as error:
        raise _refusal("a readable certificate", f"something else ({_first(error)})") from None
    return parts


def _require_valid(parts: Parts, content: bytes, public: ec.EllipticCurvePublicKey, now: dt.datetime) -> None:
    certificate = parts.certificate
    if certificate.public_key() != public:
        raise _refusal(f"the certificate of the pinned key {keys.fingerprint(public)[:12]}…", "that of another key")
    attributes = _signed_attributes(hashlib.sha256(content).digest(), certificate, parts.signed_at)
    if not signing.holds(public, parts.value, der.set_of(*attributes)):
        raise _refusal("a signature value of the pinned key", "another: it was altered")
    begin, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    for moment, thing in ((parts.signed_at, "when it signed"), (now, "at the time of this check")):
        if not begin <= moment <= end:
            raise _refusal(
                f"a certificate that is valid {thing} ({moment:%Y-%m-%d %H:%M:%S}Z)",
                f"one for {begin:%Y-%m-%d %H:%M:%S}Z to {end:%Y-%m-%d %H:%M:%S}Z",
                "mistake",
            )
    if parts.signed_at > now + dt.timedelta(minutes=10):
        raise _refusal(
            "a time of signing that has passed", f"{parts.signed_at:%Y-%m-%d %H:%M:%S}Z, in the future", "mistake"
        )
    _require_purpose(certificate)


def embedded_key(encoded: bytes) -> ec.EllipticCurvePublicKey:
    """The key of the certificate inside, for comparison with a pinned fingerprint; by itself it proves nothing.

    Raises:
        VerificationError: There is none on P-256.
    """
    try:
        pem = _take_out(encoded).certificate.public_bytes(serialization.Encoding.PEM)
        return keys.parse_public(pem, "certificate")
    except (*_BROKEN, errors.PlanError) as error:
        raise _refusal("a certificate with a P-256 key", f"something else ({_first(error)})") from None


def _require_purpose(certificate: x509.Certificate) -> None:
    try:
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
        purposes = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except _BROKEN:
        raise _refusal("a certificate that states its purpose", "one that does not", "mistake") from None
    if not usage.digital_signature or ExtendedKeyUsageOID.CODE_SIGNING not in purposes:
        raise _refusal("a certificate for code signing", "one for another purpose", "mistake")


def _signed_attributes(digest: bytes, certificate: x509.Certificate, at: dt.datetime) -> list[bytes]:
    encoded = certificate.public_bytes(serialization.Encoding.DER)
    issuer = certificate.issuer.public_bytes()
    names = der.sequence(der.element(0xA4, issuer))
    identifier = der.sequence(
        der.octets(hashlib.sha256(encoded).digest()), der.sequence(names, der.integer(certificate.serial_number))
    )
    return [
        _attribute(_CONTENT_TYPE, _DATA),
        _attribute(_SIGNING_TIME, der.time(at)),
        _attribute(_MESSAGE_DIGEST, der.octets(digest)),
        _attribute(_SIGNING_CERTIFICATE, der.sequence(der.sequence(identifier))),
    ]


def _attribute(kind: bytes, content: bytes) -> bytes:
    return der.sequence(kind, der.set_of(content))


def _encode(attributes: list[bytes], parts: Parts) -> bytes:
    certificate = parts.certificate
    signer = der.sequence(
        der.integer(1),
        der.sequence(certificate.issuer.public_bytes(), der.integer(certificate.serial_number)),
        _SHA256,
        der.element(0xA0, *sorted(attributes)),
        _ECDSA_SHA256,
        der.octets(parts.value),
    )
    signed_data = der.sequence(
        der.integer(1),
        der.set_of(_SHA256),
        der.sequence(_DATA),
        der.element(0xA0, certificate.public_bytes(serialization.Encoding.DER)),
        der.set_of(signer),
    )
    return der.sequence(_SIGNED_DATA, der.element(0xA0, signed_data))


def _take_out(encoded: bytes) -> Parts:
    if len(encoded) > LARGEST:
        raise ValueError("too large")
    signed_data = der.children(der.children(der.children(encoded)[1])[0])
    with warnings.catch_warnings():
        warnings.simplefilter("error", CryptographyDeprecationWarning)  # what it will refuse, we refuse today
        certificate = x509.load_der_x509_certificate(der.children(signed_data[3])[0])
    signer = der.children(der.children(signed_data[4])[0])
    times = [a for a in map(der.children, der.children(signer[3])) if a[0] == _SIGNING_TIME]
    text = der.value(der.children(times[0][1])[0]).decode("ascii")
    form = "%y%m%d%H%M%SZ" if len(text) == 13 else "%Y%m%d%H%M%SZ"
    signed_at = dt.datetime.strptime(text, form).replace(tzinfo=dt.UTC)
    return Parts(certificate, signed_at, der.value(signer[5]))


def _first(error: BaseException) -> str:
    return str(error).split("\n", 1)[0][:120]


def _refusal(expected: str, got: str, looks: errors.Looks = "tampering") -> errors.VerificationError:
    return errors.VerificationError(f"signature {PLACE}: expected {expected}, got {got}. Do not use the bundle.", looks)
