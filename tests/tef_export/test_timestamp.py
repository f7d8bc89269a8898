"""The optional timestamp: asked of an authority on this machine, made by openssl, checked by openssl."""

from __future__ import annotations

import contextlib
import datetime as dt
import http.server
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from configs import errors
from tef_export import bag, oms, timestamp, verify, write
from tests.tef_export import making

CONFIGURATION = """
[tsa]
default_tsa = one
[one]
serial = {place}/serial
signer_cert = {place}/tsa.crt
signer_key = {place}/tsa.key
certs = {place}/tsa.crt
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
ess_cert_id_alg = sha256
"""


class Authority:
    """A timestamp authority made of openssl, behind a small web server on the loopback."""

    def __init__(self, place: Path) -> None:
        self.place, self.requests, self.spoil = place, 0, lambda answer: answer
        (place / "serial").write_text("01\n")
        (place / "tsa.cnf").write_text(CONFIGURATION.format(place=place))
        self.openssl(
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "tsa.key",
            "-out", "tsa.crt", "-subj", "/CN=Test TSA", "-days", "3650",
            "-addext", "extendedKeyUsage=critical,timeStamping", "-addext", "keyUsage=critical,digitalSignature",
        )  # fmt: skip
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                assert self.headers["Content-Type"] == "application/timestamp-query"
                answer = outer.answer(self.rfile.read(int(self.headers["Content-Length"])))
                self.send_response(200)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: object) -> None:
                """Nothing on the terminal."""

        self.server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server.server_port}/"

    def openssl(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Call openssl in its folder."""
        return subprocess.run(["openssl", *arguments], cwd=self.place, capture_output=True, text=True, check=True)

    def answer(self, asked: bytes) -> bytes:
        """What `openssl ts -reply` makes of a request."""
        self.requests += 1
        (self.place / "q.tsq").write_bytes(asked)
        self.openssl("ts", "-reply", "-config", "tsa.cnf", "-queryfile", "q.tsq", "-out", "r.tsr")
        return self.spoil((self.place / "r.tsr").read_bytes())


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Authority]:
    found = Authority(tmp_path_factory.mktemp("tsa"))
    yield found
    found.server.shutdown()
    found.server.server_close()


@pytest.fixture(scope="module")
def stamped(made: making.Made, authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> write.Written:
    prepared = write.prepare(made.folder, made.dossier, made.approval, making.CREATED)
    stamp = timestamp.from_authority(authority.url)
    return write.seal(prepared, made.key, tmp_path_factory.mktemp("stamped"), stamp=stamp)


def test_openssl_verifies_the_timestamp(stamped: write.Written, authority: Authority, tmp_path: Path) -> None:
    """`openssl ts -verify` accepts it over the tag manifest with the authority's certificate."""
    _, files = making.unpacked(stamped.path)
    (tmp_path / "answer.tsr").write_bytes(files[timestamp.PLACE])
    (tmp_path / "listed").write_bytes(files[bag.TAG_MANIFEST])
    done = authority.openssl(
        "ts", "-verify", "-data", str(tmp_path / "listed"), "-in", str(tmp_path / "answer.tsr"), "-CAfile", "tsa.crt"
    )
    assert "Verification: OK" in done.stdout + done.stderr


@pytest.mark.slow
def test_the_reader_says_the_time_and_whose_word_it_is_not(stamped: write.Written, made: making.Made) -> None:
    """The bundle holds; the time is stated as the authority's word, to be checked."""
    found = verify.verify(stamped.path, public_key=made.key.public_key(), at=making.NOW)
    assert found.ok, found.refusal
    text = next(c.text for c in found.checks if c.name == "document signature")
    assert f"an authority states {dt.datetime.now(dt.UTC):%Y-%m-}" in text


def test_the_timestamp_is_signed_with_everything_else(
    stamped: write.Written, made: making.Made, tmp_path: Path
) -> None:
    """Taken away or put from another bundle, it is noticed."""
    top, files = making.unpacked(stamped.path)
    without = {path: content for path, content in files.items() if path != timestamp.PLACE}
    path = making.packed(tmp_path / "x.zip", top, without)
    found = verify.verify(path, public_key=made.key.public_key(), at=making.NOW)
    assert "removed after signing" in str(found.refusal)


SHA_512 = bytes.fromhex("0609608648016503040203")
SHA_256 = bytes.fromhex("0609608648016503040201")
FORGED: list[tuple[str, Callable[[bytes, bytes], bytes], str]] = [
    ("timestamp over another manifest", lambda _, other: other, "one over something else"),
    ("timestamp that was cut off", lambda own, _: own[:-1], "RFC 3161"),
    ("timestamp that names another digest algorithm", lambda own, _: own.replace(SHA_256, SHA_512), "another digest"),
    ("timestamp that was refused", lambda *_: bytes.fromhex("30053003020102"), "status 2"),
    ("timestamp that is empty", lambda *_: b"", "RFC 3161"),
    ("timestamp with a time that no clock shows", lambda own, _: _other_time(own), "RFC 3161"),
]


def _other_time(token: bytes) -> bytes:
    """The answer with a 13th month."""
    at = token.index(b"\x18\x0f20") + 2
    return token[: at + 4] + b"13" + token[at + 6 :]


@pytest.mark.attack("signatures")
@pytest.mark.parametrize(("forge", "reason"), [one[1:] for one in FORGED], ids=[one[0] for one in FORGED])
def test_a_forged_timestamp_is_refused(
    stamped: write.Written, made: making.Made, authority: Authority, tmp_path: Path, attack: Callable[..., None],
    forge: Callable[[bytes, bytes], bytes], reason: str,
) -> None:  # fmt: skip
    """Signed by the supplier, but about another manifest, or no timestamp at all: refused with its reason."""
    top, files = making.unpacked(stamped.path)
    other = timestamp.from_authority(authority.url)(b"something else")
    files[timestamp.PLACE] = forge(files[timestamp.PLACE], other)
    digests = {path: making.sha(content) for path, content in files.items() if path != oms.PLACE}
    files[oms.PLACE] = oms.sign(digests, top, made.key)
    path = making.packed(tmp_path / "x.zip", top, files)
    found = verify.verify(path, public_key=made.key.public_key(), at=making.NOW)
    assert reason in str(found.refusal)
    attack(next(check for check in found.checks if check.status == "fail"))


def test_whose_word_a_timestamp_is_says_openssl(stamped: write.Written, authority: Authority, tmp_path: Path) -> None:
    """A stranger, and an expired certificate, are refused by `openssl ts`; the reader says that it did not look."""
    (tmp_path / "strange").mkdir()
    stranger = Authority(tmp_path / "strange")
    _, files = making.unpacked(stamped.path)
    (tmp_path / "answer.tsr").write_bytes(files[timestamp.PLACE])
    (tmp_path / "listed").write_bytes(files[bag.TAG_MANIFEST])

    def asked(certificate: Path, *more: str) -> int:
        words = ("ts", "-verify", "-data", str(tmp_path / "listed"), "-in", str(tmp_path / "answer.tsr"))
        return subprocess.run(
            ["openssl", *words, "-CAfile", str(certificate), *more], capture_output=True, check=False
        ).returncode

    assert asked(authority.place / "tsa.crt") == 0
    assert asked(stranger.place / "tsa.crt") != 0
    assert (
        asked(authority.place / "tsa.crt", "-attime", str(int(dt.datetime(2100, 1, 1, tzinfo=dt.UTC).timestamp()))) != 0
    )
    stranger.server.shutdown()
    stranger.server.server_close()


def test_nothing_is_asked_unless_it_is_wanted(made: making.Made, authority: Authority, tmp_path: Path) -> None:
    """Without an address no authority hears of the release, and the bundle has no timestamp."""
    before = authority.requests
    prepared = write.prepare(made.folder, made.dossier, made.approval, making.CREATED)
    written = write.seal(prepared, made.key, tmp_path)
    assert authority.requests == before
    assert timestamp.PLACE not in making.unpacked(written.path)[1]


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda answer: b"", "an answer under RFC 3161"),
        (lambda answer: answer[:-1], "an answer under RFC 3161"),
        (lambda answer: b"x" * 70_000, "at most"),
        (lambda answer: bytes.fromhex("30053003020102"), "a refusal with the status 2"),
    ],
)
def test_an_answer_that_is_none_writes_nothing(
    made: making.Made, authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spoil, reason: str
) -> None:
    """A broken answer or a refusal ends the release before anything is on the disk."""
    monkeypatch.setattr(authority, "spoil", spoil)
    prepared = write.prepare(made.folder, made.dossier, made.approval, making.CREATED)
    with pytest.raises(errors.VerificationError, match=reason):
        write.seal(prepared, made.key, tmp_path / "out", stamp=timestamp.from_authority(authority.url))
    assert not (tmp_path / "out").exists()


def test_an_old_answer_is_not_taken_for_a_new_one(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    """The random number of the question stands in the answer."""
    kept: list[bytes] = []
    monkeypatch.setattr(authority, "spoil", lambda answer: kept.append(answer) or kept[0])
    stamp = timestamp.from_authority(authority.url)
    stamp(b"a")
    with pytest.raises(errors.VerificationError, match="the answer to another one"):
        stamp(b"a")


@pytest.mark.parametrize("url", ["ftp://x", "file:///etc/passwd", "x", "http://"])
def test_only_web_addresses_are_asked(url: str) -> None:
    """No other scheme is opened."""
    with pytest.raises(errors.PlanError, match="begins with http"):
        timestamp.from_authority(url)


def test_an_authority_that_does_not_answer_is_said(tmp_path: Path) -> None:
    """Nobody listens there: one sentence, and what to do."""
    with pytest.raises(errors.MissingError, match="Nothing was written"):
        timestamp.from_authority("http://127.0.0.1:9/")(b"x")


@given(content=st.binary(max_size=80))
@settings(max_examples=100, deadline=None)
def test_any_bytes_are_an_answer_or_refused(content: bytes) -> None:
    """The small reader of answers stands any bytes."""
    with contextlib.suppress(errors.VerificationError):
        timestamp.read(content)


def test_a_public_client_reads_the_same_time(stamped: write.Written) -> None:
    """rfc3161-client finds the time and digest that the small reader finds."""
    import rfc3161_client

    _, files = making.unpacked(stamped.path)
    found = rfc3161_client.decode_timestamp_response(files[timestamp.PLACE])
    stated = timestamp.read(files[timestamp.PLACE])
    assert found.tst_info.gen_time.replace(microsecond=0) == stated.at
    assert found.tst_info.message_imprint.message == stated.sha256
