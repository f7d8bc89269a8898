"""Signing keys: one P-256 key, its public half, and a self-signed X.509 certificate.

The private key is a PKCS#8 PEM file, readable by its owner only, encrypted where a password is given. Windows knows no
file mode: there the file has the rights of its folder, and a folder that is made for it is its owner's alone (Python
3.11.10, 3.12.4 and later). The certificate carries the same public key for tools that want X.509; it lends no trust of
its own, because a receiver pins the key. Neither a key nor a password ever stands in an error.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import os
import re
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from configs import errors
from evidence import storage
from tef_export import signing

SHORTEST_PASSWORD = 8
"""Characters of a password: the least of NIST SP 800-63B for one that a person chooses."""
LARGEST_KEY_FILE = 64 * 1024
"""Bytes. A PEM key has about 300."""
_UNFIT = re.compile(r"[\x00-\x1f\x7f<>:\"/\\|?*]")
_DEVICE = re.compile(r"(?i)con|prn|aux|nul|(com|lpt)[0-9]")
"""What Windows takes in no name of a file; the same is refused everywhere."""
DEMONSTRATION_NAME = "proofline demonstration key, approves nothing"

Password = bytes | None | Callable[[], str]


class Token(Protocol):
    """A key that signs where it is kept and never comes out, for example on a smart card."""

    def public_key(self) -> ec.EllipticCurvePublicKey:
        """The public half."""

    def sign(self, data: bytes) -> bytes:
        """ECDSA signature over the SHA-256 of `data`, DER-encoded."""


@dataclasses.dataclass(frozen=True, repr=False)
class PrivateKey:
    """A private key with its certificate. Its text form shows the fingerprint and nothing secret."""

    private: ec.EllipticCurvePrivateKey | Token
    certificate: x509.Certificate
    demonstration: bool = False
    """A throw-away key: whatever it signs is marked as a demonstration."""

    def sign(self, data: bytes) -> bytes:
        """ECDSA signature over the SHA-256 of `data`, DER-encoded."""
        if isinstance(self.private, ec.EllipticCurvePrivateKey):
            return signing.sign(self.private, data)
        return self.private.sign(data)

    def public_key(self) -> ec.EllipticCurvePublicKey:
        """The public half."""
        return self.private.public_key()

    @property
    def fingerprint(self) -> str:
        """See `fingerprint`."""
        return fingerprint(self.public_key())

    def __repr__(self) -> str:
        return f"PrivateKey({self.fingerprint[:12]}…)"


@dataclasses.dataclass(frozen=True)
class KeyFiles:
    """What `new_key` has written."""

    private: Path
    public: Path
    certificate: Path
    """The certificate, or the request for one."""
    fingerprint: str


def new_key(
    directory: Path,
    name: str,
    password: bytes | None,
    *,
    organization: str | None = None,
    valid_from: dt.datetime | None = None,
    days: int = 1096,
    request: bool = False,
) -> KeyFiles:
    """Make a key: `<name>.key.pem` (mode 0600, see above), `<name>.pub.pem` and `<name>.crt.pem`.

    Args:
        directory: Where the files go; it is made when absent.
        name: File name, and common name of the certificate.
        password: Encrypts the private key; None leaves it plain, protected by the file mode only.
        organization: Organisation in the certificate.
        valid_from: Begin of the certificate's validity, UTC; by default now.
        days: Length of the validity.
        request: Write a request for a certificate (`<name>.csr.pem`, PKCS#10) instead of a self-signed one. The
            certificate that comes back belongs beside the key as `<name>.crt.pem`.

    Raises:
        PlanError: A file of that name exists, the name is unsafe, or the password is shorter than
            `SHORTEST_PASSWORD`.
        StorageError: The directory cannot be written.
    """
    places = require_free(directory, name, request=request)
    if password is not None:
        require_password(password.decode("utf-8", errors="replace"))
    private = ec.generate_private_key(ec.SECP256R1())
    if request:
        third = _request(private, name, organization).public_bytes(serialization.Encoding.PEM)
    else:
        made = _certificate(private, name, organization, valid_from or _now(), days)
        third = made.public_bytes(serialization.Encoding.PEM)
    contents = (_private_pem(private, password), public_pem(private.public_key()), third)
    with storage.explained(f"key files in {directory}"):
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        begun: list[Path] = []
        try:
            for place, content, mode in zip(places, contents, (0o600, 0o644, 0o644), strict=True):
                begun.append(place)
                _write_new(place, content, mode)
        except FileExistsError:  # somebody else's, made meanwhile
            _remove(begun[:-1])
            raise
        except BaseException:
            _remove(begun)
            raise
    return KeyFiles(places[0], places[1], places[2], fingerprint(private.public_key()))


def require_free(directory: Path, name: str, *, request: bool = False) -> tuple[Path, Path, Path]:
    """Where the files of a new key would go: the private key, the public key, the certificate or its request.

    Raises:
        PlanError: A file of that name exists, or the name is unsafe.
    """
    if not name or name.startswith(".") or _UNFIT.search(name) or _DEVICE.fullmatch(name.partition(".")[0].strip()):
        raise errors.PlanError(
            f"key name '{name}': expected a plain file name that every system takes, got another. Give a name such as "
            "`me`."
        )
    private, public, third = (directory / f"{name}.{kind}.pem" for kind in ("key", "pub", "csr" if request else "crt"))
    for place in (private, public, third):
        if place.exists() or place.is_symlink():
            raise errors.PlanError(
                f"key file {place}: expected no such file, got one; a key is never overwritten. Choose another name."
            )
    return private, public, third


def require_password(password: str) -> str:
    """The password, where it is long enough to be no comfort to whoever copies the file.

    Raises:
        PlanError: It has fewer than `SHORTEST_PASSWORD` characters.
    """
    if len(password) < SHORTEST_PASSWORD:
        raise errors.PlanError(
            f"password of the new key: expected at least {SHORTEST_PASSWORD} characters, got {len(password)}. Several "
            "words make a good one."
        )
    return password


def load_private(path: Path, password: Password, certificate: Path | None = None) -> PrivateKey:
    """Read a private key and the certificate beside it.

    Args:
        path: The PKCS#8 PEM file, for example `me.key.pem`.
        password: Its password, or None, or a function that asks for it; it is called only for an encrypted key.
        certificate: PEM certificate; by default `<name>.crt.pem` beside the key.

    Raises:
        MissingError: A file is absent.
        PlanError: Wrong password, another kind of key, a file that others can read, or a certificate of another key.
    """
    content = read_file(path, "private key")
    if b"PRIVATE KEY" not in content and any(word in content for word in (b"PUBLIC KEY", b"CERTIFICATE")):
        raise errors.PlanError(
            f"private key {path}: expected a private key, got a public one or a certificate. Give the .key.pem file."
        )
    if os.name == "posix" and stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise errors.PlanError(
            f"private key {path}: expected a file that only its owner can read, got mode "
            f"{stat.S_IMODE(path.stat().st_mode):04o}. Run `chmod 600` on it, and think of who has read it."
        )
    private = _parse_private(content, password, path)
    place = certificate or path.with_name(path.name.removesuffix(".key.pem").removesuffix(".pem") + ".crt.pem")
    return PrivateKey(private, load_certificate(place, private.public_key()))


def load_public(path: Path) -> ec.EllipticCurvePublicKey:
    """Read a public key from a PEM file, or the one in a PEM certificate.

    Raises:
        MissingError: The file is absent.
        PlanError: It holds no P-256 public key.
    """
    content = read_file(path, "public key")
    if b"PRIVATE KEY" in content:
        raise errors.PlanError(f"public key {path}: expected a public key, got a private one. Give the .pub.pem file.")
    return parse_public(content, f"public key {path}")


def parse_public(pem: bytes, thing: str) -> ec.EllipticCurvePublicKey:
    """A P-256 public key from PEM bytes (SubjectPublicKeyInfo or certificate). `thing` names it in an error.

    Raises:
        PlanError: It is none.
    """
    try:
        if b"BEGIN CERTIFICATE" in pem:
            key: object = x509.load_pem_x509_certificate(pem).public_key()
        else:
            key = serialization.load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm):
        raise errors.PlanError(f"{thing}: expected a PEM public key, got something else. Check the file.") from None
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise errors.PlanError(f"{thing}: expected an elliptic-curve key on P-256, got {_kind(key)}. Use another key.")
    return key


def public_pem(public: ec.EllipticCurvePublicKey) -> bytes:
    """PEM form, SubjectPublicKeyInfo."""
    return public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def fingerprint(public: ec.EllipticCurvePublicKey) -> str:
    """Hex SHA-256 of the DER SubjectPublicKeyInfo: what supplier and receiver compare by another channel."""
    der = public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(der).hexdigest()


def demonstration_key(valid_from: dt.datetime | None = None, days: int = 3660) -> PrivateKey:
    """A throw-away key in memory. Whatever it signs is marked as a demonstration.

    Args:
        valid_from: Begin of the certificate's validity, UTC; by default a day ago.
        days: Length of the validity.
    """
    private = ec.generate_private_key(ec.SECP256R1())
    begin = valid_from or _now() - dt.timedelta(days=1)
    certificate = _certificate(private, DEMONSTRATION_NAME, None, begin, days)
    return PrivateKey(private, certificate, demonstration=True)


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC).replace(microsecond=0)


def _subject(name: str, organization: str | None) -> x509.Name:
    attributes = [x509.NameAttribute(NameOID.COMMON_NAME, name[:64])]
    if organization:
        attributes.insert(0, x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization[:64]))
    return x509.Name(attributes)


def _extensions(public: ec.EllipticCurvePublicKey) -> tuple[tuple[x509.ExtensionType, bool], ...]:
    """For code signing, and no certification authority; each with whether it is critical."""
    usage = x509.KeyUsage(
        digital_signature=True,
        content_commitment=True,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
    return (
        (x509.BasicConstraints(ca=False, path_length=None), True),
        (usage, True),
        (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING]), False),
        (x509.SubjectKeyIdentifier.from_public_key(public), False),
    )


def _certificate(
    private: ec.EllipticCurvePrivateKey, name: str, organization: str | None, begin: dt.datetime, days: int
) -> x509.Certificate:
    """Self-signed."""
    subject = _subject(name, organization)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(begin + dt.timedelta(days=days))
    )
    for extension, critical in _extensions(private.public_key()):
        builder = builder.add_extension(extension, critical=critical)
    return builder.sign(private, hashes.SHA256())


def _request(
    private: ec.EllipticCurvePrivateKey, name: str, organization: str | None
) -> x509.CertificateSigningRequest:
    builder = x509.CertificateSigningRequestBuilder().subject_name(_subject(name, organization))
    for extension, critical in _extensions(private.public_key()):
        builder = builder.add_extension(extension, critical=critical)
    return builder.sign(private, hashes.SHA256())


def _private_pem(private: ec.EllipticCurvePrivateKey, password: bytes | None) -> bytes:
    encryption: serialization.KeySerializationEncryption = serialization.NoEncryption()
    if password is not None:
        encryption = serialization.BestAvailableEncryption(password)
    return private.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)


def _remove(paths: list[Path]) -> None:
    """A full disk leaves no half key that would stand in the way of the next."""
    for path in paths:
        path.unlink(missing_ok=True)


def _write_new(path: Path, content: bytes, mode: int) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), mode)
    with os.fdopen(handle, "wb") as stream:
        stream.write(content)


def read_file(path: Path, thing: str) -> bytes:
    """The beginning of a key file, as much as a key can have.

    Raises:
        MissingError: The file is absent.
    """
    if not path.is_file():
        make = ", or make a key" if thing == "private key" else ""
        raise errors.MissingError(f"{thing} {path}: expected a file, got none. Check the path{make}.")
    with storage.explained(f"{thing} {path}"), path.open("rb") as stream:
        return stream.read(LARGEST_KEY_FILE)


def _parse_private(content: bytes, password: Password, path: Path) -> ec.EllipticCurvePrivateKey:
    encrypted = b"ENCRYPTED" in content
    secret = None
    if encrypted:
        secret = password().encode("utf-8") if callable(password) else password
        if not secret:
            raise errors.PlanError(f"private key {path}: expected its password, got none. Give the password.")
    try:
        key = serialization.load_pem_private_key(content, secret)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        wanted = "its password" if encrypted else "a PEM private key"
        got = "another one, or a damaged file" if encrypted else "something else"
        raise errors.PlanError(f"private key {path}: expected {wanted}, got {got}. Check both.") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise errors.PlanError(
            f"private key {path}: expected an elliptic-curve key on P-256, got {_kind(key)}. Make one that is."
        )
    return key


def _kind(key: object) -> str:
    if isinstance(key, ec.EllipticCurvePublicKey | ec.EllipticCurvePrivateKey):
        return f"one on the curve {key.curve.name}"
    name = type(key).__name__.removesuffix("PublicKey").removesuffix("PrivateKey")
    return f"a key of the kind {name}"


def load_certificate(path: Path, public: ec.EllipticCurvePublicKey) -> x509.Certificate:
    """The PEM certificate of a key.

    Raises:
        MissingError: The file is absent.
        PlanError: It is no certificate, or that of another key.
    """
    content = read_file(path, "certificate")
    try:
        certificate = x509.load_pem_x509_certificate(content)
    except ValueError:
        raise errors.PlanError(
            f"certificate {path}: expected a PEM certificate, got something else. Check the file."
        ) from None
    if certificate.public_key() != public:
        raise errors.PlanError(
            f"certificate {path}: expected the certificate of the private key, got that of another key. "
            "Give the certificate that was made with the key."
        )
    return certificate
