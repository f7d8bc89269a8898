from __future__ import annotations

import errno
import os
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from configs import errors
from tef_export import keys

PASSWORD = b"correct horse"


def test_a_new_key_is_read_back_with_its_password_and_only_its_owner_can_read_it(tmp_path: Path) -> None:
    """Round trip: what `new_key` writes, `load_private` reads, with mode 0600 and encrypted."""
    made = keys.new_key(tmp_path / "keys", "me", PASSWORD, organization="SME GmbH")
    assert os.name != "posix" or made.private.stat().st_mode & 0o777 == 0o600
    assert b"ENCRYPTED" in made.private.read_bytes()
    key = keys.load_private(made.private, PASSWORD)
    assert key.fingerprint == made.fingerprint == keys.fingerprint(keys.load_public(made.public))
    assert keys.fingerprint(keys.load_public(made.certificate)) == made.fingerprint
    assert not key.demonstration


def test_a_full_disk_leaves_no_half_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One sentence, no file: the next try under the same name makes a whole key."""
    real = keys._write_new

    def full(path: Path, content: bytes, mode: int) -> None:
        real(path, content[:5], mode)
        if path.name.endswith(".crt.pem"):
            raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(keys, "_write_new", full)
        with pytest.raises(errors.StorageError, match="full disk"):
            keys.new_key(tmp_path, "me", None)
    assert list(tmp_path.iterdir()) == []
    assert keys.load_private(keys.new_key(tmp_path, "me", None).private, None).fingerprint


def test_the_password_is_asked_for_only_where_it_is_needed(tmp_path: Path) -> None:
    """A function as password is not called for a key that is not encrypted."""
    plain = keys.new_key(tmp_path, "plain", None)
    locked = keys.new_key(tmp_path, "locked", PASSWORD)
    asked = []

    def ask() -> str:
        asked.append(1)
        return PASSWORD.decode()

    keys.load_private(plain.private, ask)
    assert asked == []
    assert keys.load_private(locked.private, ask).fingerprint == locked.fingerprint
    assert asked == [1]


@pytest.mark.skipif(os.name != "posix", reason="Windows has no openssl of its own")
def test_the_fingerprint_is_the_one_that_openssl_shows(tmp_path: Path) -> None:
    """Two parties with different tools compare the same number."""
    made = keys.new_key(tmp_path, "me", None)
    der = subprocess.run(
        ["openssl", "pkey", "-pubin", "-in", made.public, "-outform", "DER"], capture_output=True, check=True
    ).stdout
    shown = subprocess.run(["openssl", "dgst", "-sha256"], input=der, capture_output=True, check=True).stdout
    assert made.fingerprint in shown.decode()


def test_a_key_is_never_overwritten(tmp_path: Path) -> None:
    """A second key of the same name is refused and the first stays as it was."""
    made = keys.new_key(tmp_path, "me", None)
    before = made.private.read_bytes()
    with pytest.raises(errors.PlanError, match="never overwritten"):
        keys.new_key(tmp_path, "me", None)
    assert made.private.read_bytes() == before


@pytest.mark.parametrize("name", ["", "../me", "a/b", ".hidden", "a\\b", "c:me", "me?", "a\nb", "NUL", "com1.x"])
def test_a_key_name_is_a_file_name_everywhere(tmp_path: Path, name: str) -> None:
    """Key files stay in their folder, and a name that Windows cannot hold is refused on every system."""
    with pytest.raises(errors.PlanError, match="plain file name"):
        keys.new_key(tmp_path, name, None)


@pytest.mark.parametrize("password", [b"wrong secret", None])
def test_a_wrong_password_is_one_sentence_without_the_password(tmp_path: Path, password: bytes | None) -> None:
    """No secret reaches an error."""
    made = keys.new_key(tmp_path, "me", PASSWORD)
    with pytest.raises(errors.PlanError, match="password") as caught:
        keys.load_private(made.private, password)
    assert "secret" not in str(caught.value)
    assert "horse" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_other_keys_are_refused_with_their_kind(tmp_path: Path) -> None:
    """Only P-256 is read: RSA and other curves are named and refused."""
    for number, (private, expected) in enumerate(
        (
            (rsa.generate_private_key(65537, 2048), "RSA"),
            (ec.generate_private_key(ec.SECP384R1()), "secp384r1"),
        )
    ):
        file = tmp_path / f"k{number}.key.pem"
        file.write_bytes(
            private.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        file.chmod(0o600)
        with pytest.raises(errors.PlanError, match=expected):
            keys.load_private(file, None)
        public = tmp_path / f"k{number}.pub.pem"
        public.write_bytes(
            private.public_key().public_bytes(
                serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
            )
        )
        with pytest.raises(errors.PlanError, match=expected):
            keys.load_public(public)


def test_a_file_that_is_no_key_is_refused_without_its_content(tmp_path: Path) -> None:
    """The content of a mistaken file is not shown."""
    file = tmp_path / "x.pem"
    file.write_text("my diary")
    file.chmod(0o600)
    for load in (lambda: keys.load_private(file, None), lambda: keys.load_public(file)):
        with pytest.raises(errors.PlanError, match="something else") as caught:
            load()
        assert "diary" not in str(caught.value)


def test_a_private_key_in_place_of_a_public_one_is_refused(tmp_path: Path) -> None:
    """Nobody sends the private key to a facility by mistake."""
    made = keys.new_key(tmp_path, "me", None)
    with pytest.raises(errors.PlanError, match="got a private one"):
        keys.load_public(made.private)


@pytest.mark.skipif(os.name != "posix", reason="file modes are a matter of POSIX systems")
def test_a_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    """A key file with mode 0640 is not used."""
    made = keys.new_key(tmp_path, "me", None)
    made.private.chmod(0o640)
    with pytest.raises(errors.PlanError, match="0640"):
        keys.load_private(made.private, None)


def test_the_certificate_of_another_key_is_refused(tmp_path: Path) -> None:
    """A key is used with its own certificate only."""
    mine, other = keys.new_key(tmp_path, "me", None), keys.new_key(tmp_path, "other", None)
    with pytest.raises(errors.PlanError, match="another key"):
        keys.load_private(mine.private, None, other.certificate)


def test_a_missing_file_is_said_to_be_missing(tmp_path: Path) -> None:
    """Absent is another thing than wrong."""
    with pytest.raises(errors.MissingError):
        keys.load_private(tmp_path / "none.key.pem", None)


def test_the_text_form_of_a_key_shows_no_secret() -> None:
    """A key that is printed by accident shows its fingerprint only."""
    key = keys.demonstration_key()
    assert repr(key) == f"PrivateKey({key.fingerprint[:12]}…)"
    assert key.demonstration


@pytest.mark.parametrize("password", [b"", b"a", b"seven77"])
def test_a_short_password_is_refused_before_a_key_is_made(tmp_path: Path, password: bytes) -> None:
    """Whoever copies an encrypted key guesses without being counted: a password of less than eight is none."""
    with pytest.raises(errors.PlanError, match="at least 8 characters"):
        keys.new_key(tmp_path, "me", password)
    assert not list(tmp_path.iterdir())


def test_a_taken_name_is_told_before_a_password_is_asked(tmp_path: Path) -> None:
    """`keys new` asks for a password only where it can make the key, asks again for a short one, and says why."""
    from click.testing import CliRunner

    from flows.commands import keys as command

    typed = ["short", "long enough 1", "another one 2", "long enough 1", "long enough 1"]
    call = ["new", "me", "--directory", str(tmp_path)]
    made = CliRunner().invoke(command.command, call, input="\n".join(typed) + "\n")
    assert made.exit_code == 0, made.output
    assert "at least 8 characters, got 5" in made.output
    assert "not the same" in made.output
    assert keys.load_private(tmp_path / "me.key.pem", b"long enough 1").fingerprint
    again = CliRunner().invoke(command.command, call)
    assert "Password" not in again.output
    assert isinstance(again.exception, errors.PlanError)
