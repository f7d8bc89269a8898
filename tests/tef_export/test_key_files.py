"""Keys where people keep them: PKCS#12 files, tokens behind PKCS#11 (SoftHSM here), certificates from an authority."""

from __future__ import annotations

import datetime as dt
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import NameOID

from configs import errors
from tef_export import bag, contents, key_files, keys, manifest, places, signing, verify, write
from tests.tef_export import making

PIN = "12345678"
SOFTHSM = next(
    (p for p in map(Path, ("/usr/lib/softhsm/libsofthsm2.so", "/usr/local/lib/softhsm/libsofthsm2.so")) if p.is_file()),
    None,
)
needs_softhsm = pytest.mark.skipif(
    (SOFTHSM is None or not shutil.which("softhsm2-util")) and not os.environ.get("CI"),
    reason="SoftHSM is not installed (apt install softhsm2)",
)
"""Under CI it must be there: nothing is skipped silently."""


def password() -> str:
    return PIN


def never() -> str:
    raise AssertionError("no password is needed here")


@pytest.fixture
def made_key(tmp_path: Path) -> keys.KeyFiles:
    return keys.new_key(tmp_path / "keys", "me", None, organization="Muster GmbH", valid_from=making.BEGIN)


@pytest.fixture
def archive_file(made_key: keys.KeyFiles, tmp_path: Path) -> Path:
    """A PKCS#12 file as openssl writes it."""
    place = tmp_path / "me.p12"
    subprocess.run(
        ["openssl", "pkcs12", "-export", "-inkey", made_key.private, "-in", made_key.certificate, "-out", place,
         "-passout", f"pass:{PIN}"],
        check=True, capture_output=True,
    )  # fmt: skip
    place.chmod(0o600)
    return place


def test_a_pkcs12_file_of_openssl_is_opened(archive_file: Path, made_key: keys.KeyFiles) -> None:
    """Key and certificate come out of one file; the password is asked for."""
    key = key_files.open_key(str(archive_file), password)
    assert key.fingerprint == made_key.fingerprint
    assert key.certificate.public_key() == key.public_key()
    assert not key.demonstration


def test_a_wrong_password_says_neither_password_nor_key(archive_file: Path) -> None:
    """The sentence names the file and what to do, and no secret."""
    with pytest.raises(errors.PlanError, match="another password or a damaged file") as caught:
        key_files.open_key(str(archive_file), lambda: "secret-guess")
    assert "secret-guess" not in str(caught.value)


def test_a_pkcs12_file_that_others_can_read_is_refused(archive_file: Path) -> None:
    """As for PEM files: a key that others can read is nobody's secret."""
    archive_file.chmod(0o644)
    with pytest.raises(errors.PlanError, match="only its owner can read"):
        key_files.open_key(str(archive_file), password)


def test_a_key_of_another_kind_is_refused(tmp_path: Path) -> None:
    """RSA keys cannot sign a bundle, whatever file they come in."""
    private = rsa.generate_private_key(65537, 2048)
    place = tmp_path / "rsa.pfx"
    place.write_bytes(
        pkcs12.serialize_key_and_certificates(
            b"x", private, None, None, serialization.BestAvailableEncryption(PIN.encode())
        )
    )
    place.chmod(0o600)
    with pytest.raises(errors.PlanError, match="P-256"):
        key_files.open_key(str(place), password)


def test_a_pem_file_is_opened_as_ever(made_key: keys.KeyFiles) -> None:
    """No password is asked for where there is none."""
    assert key_files.open_key(str(made_key.private), never).fingerprint == made_key.fingerprint


# --- certificates --------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_request_is_answered_by_an_authority_and_signs_a_bundle(made: making.Made, tmp_path: Path) -> None:
    """The request names key, purpose and organisation; with the authority's certificate the bundle holds."""
    files = keys.new_key(tmp_path, "me", None, organization="Muster GmbH", request=True)
    assert not (tmp_path / "me.crt.pem").exists()
    request = x509.load_pem_x509_csr(files.certificate.read_bytes())
    assert request.is_signature_valid
    said = subprocess.run(
        ["openssl", "req", "-in", files.certificate, "-noout", "-text", "-verify"], capture_output=True, text=True,
        check=True,
    ).stdout  # fmt: skip
    assert "O = Muster GmbH" in said or "O=Muster GmbH" in said
    assert "Code Signing" in said
    with pytest.raises(errors.MissingError, match="certificate"):
        key_files.open_key(str(files.private), never)
    (tmp_path / "me.crt.pem").write_bytes(_issued(request))
    key = key_files.open_key(str(files.private), never)
    written = write.write(made.folder, made.dossier, made.approval, key, tmp_path / "out", making.CREATED)
    assert verify.verify(written.path, public_key=key.public_key(), at=making.NOW).ok


def _issued(request: x509.CertificateSigningRequest) -> bytes:
    """A certificate of a throw-away authority for a request."""
    authority = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Test authority")])
    builder = x509.CertificateBuilder(
        issuer_name=name, subject_name=request.subject, public_key=request.public_key(), serial_number=77,
        not_valid_before=making.BEGIN, not_valid_after=making.BEGIN + dt.timedelta(days=365),
    )  # fmt: skip
    for extension in request.extensions:
        builder = builder.add_extension(extension.value, critical=extension.critical)
    return builder.sign(authority, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def test_no_two_files_are_mixed_up(made_key: keys.KeyFiles, tmp_path: Path) -> None:
    """The certificate of another key is refused, wherever it is given."""
    other = keys.new_key(tmp_path / "other", "other", None)
    with pytest.raises(errors.PlanError, match="that of another key"):
        key_files.open_key(str(made_key.private), never, other.certificate)


# --- tokens --------------------------------------------------------------------------------------------------------


@pytest.fixture
def token(made_key: keys.KeyFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A SoftHSM token with the key `release`; its URI."""
    (tmp_path / "tokens").mkdir()
    configuration = tmp_path / "softhsm2.conf"
    configuration.write_text(f"directories.tokendir = {tmp_path / 'tokens'}\nlog.level = ERROR\n")
    monkeypatch.setenv("SOFTHSM2_CONF", str(configuration))
    assert SOFTHSM is not None

    def util(*arguments: str) -> None:
        subprocess.run(["softhsm2-util", *arguments], check=True, capture_output=True, env=dict(os.environ))

    util("--init-token", "--free", "--label", "company", "--pin", PIN, "--so-pin", PIN)
    util("--import", str(made_key.private), "--token", "company", "--label", "release", "--id", "01", "--pin", PIN)
    return f"pkcs11:token=company;object=release?module-path={SOFTHSM}"


@pytest.mark.slow
@needs_softhsm
def test_a_key_on_a_token_signs_a_bundle(
    made: making.Made, made_key: keys.KeyFiles, token: str, tmp_path: Path
) -> None:
    """The private key stays on the token; the bundle holds like any other. Only signatures and their digests differ."""
    key = key_files.open_key(token, password, made_key.certificate)
    assert key.fingerprint == made_key.fingerprint
    assert signing.holds(key.public_key(), key.sign(b"x"), b"x")
    assert PIN not in repr(key)
    assert PIN not in repr(key.private)
    several = [
        write.write(made.folder, made.dossier, made.approval, key, tmp_path / place, making.CREATED) for place in "ab"
    ]
    assert verify.verify(several[0].path, public_key=key.public_key(), at=making.NOW).ok
    one, other = (making.unpacked(written.path)[1] for written in several)
    differing = {path for path in one if one[path] != other[path]}
    assert differing == {
        *places.ATTESTATIONS, manifest.PLACE, places.CRATE, bag.MANIFEST, bag.TAG_MANIFEST, *contents.SIGNATURES,
    }  # fmt: skip


@needs_softhsm
@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (("object=release", "object=other"), "one private key with the label 'other'"),
        (("token=company", "token=nobody"), "no such token or key"),
        (("object=release", ""), "got no object"),
        (("libsofthsm2", "libnothing"), "expected a library, got none"),
    ],
)
def test_what_is_wrong_with_a_token_is_said(
    token: str, made_key: keys.KeyFiles, change: tuple[str, str], reason: str
) -> None:
    """One readable sentence for each mistake, and no PIN in it."""
    with pytest.raises((errors.MissingError, errors.PlanError), match=reason) as caught:
        key_files.open_key(token.replace(*change), password, made_key.certificate)
    assert PIN not in str(caught.value)


@needs_softhsm
def test_a_wrong_pin_is_said_without_the_pin(token: str, made_key: keys.KeyFiles) -> None:
    """Tokens lock after some attempts: the sentence says so."""
    with pytest.raises(errors.PlanError, match="tokens lock") as caught:
        key_files.open_key(token, lambda: "99999999", made_key.certificate)
    assert "99999999" not in str(caught.value)


@needs_softhsm
def test_a_token_key_needs_its_certificate(token: str) -> None:
    """Nothing is taken from a default place."""
    with pytest.raises(errors.PlanError, match="--certificate"):
        key_files.open_key(token, password)
