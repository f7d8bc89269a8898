"""An RFC 3161 timestamp over the bag's tag manifest: an authority's word on when the bundle was sealed. Optional.

Off unless an address is given, because it is the one thing about a release that needs a network. Sent is a SHA-256 and
a random number, and nothing of the bundle. That the answer is about this manifest is checked here and by the reader;
whom to believe about the time is the receiver's choice: `openssl ts -verify` with the authority's certificate.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import secrets
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable

from configs import errors
from tef_export import der

PLACE = "signatures/tagmanifest-sha256.txt.tsr"
LARGEST = 64 * 1024
"""Bytes of an answer; one with its certificates has about 5000."""
SECONDS = 30.0
_SHA256 = der.sequence(der.oid("2.16.840.1.101.3.4.2.1"), der.element(0x05))
_SIGNED_DATA, _TST_INFO = der.oid("1.2.840.113549.1.7.2"), der.oid("1.2.840.113549.1.9.16.1.4")
_TRUE = der.element(0x01, b"\xff")
_EXPLICIT = 0xA0
GRANTED = (0, 1)
"""PKIStatus: granted, and granted with changes."""

Stamp = Callable[[bytes], bytes]
"""Content to the authority's answer on it."""


@dataclasses.dataclass(frozen=True)
class Stated:
    """What an answer states. Nothing about its signature is known."""

    sha256: bytes
    at: dt.datetime
    nonce: int | None


def from_authority(url: str) -> Stamp:
    """Ask an authority at an address.

    Args:
        url: Its `http` or `https` address.

    Raises:
        PlanError: The address is none.
    """
    parts = urllib.parse.urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise errors.PlanError(f"timestamp address {url[:200]}: expected one that begins with http:// or https://.")
    return lambda content: _ask(url, content)


def request(content: bytes, nonce: int) -> bytes:
    """The request (DER): SHA-256 of the content, a random number, and the wish for the authority's certificate."""
    imprint = der.sequence(_SHA256, der.octets(hashlib.sha256(content).digest()))
    return der.sequence(der.integer(1), imprint, der.integer(nonce), _TRUE)


def read(answer: bytes) -> Stated:
    """What an authority's answer states.

    Raises:
        VerificationError: It is no answer, or a refusal.
    """
    if len(answer) > LARGEST:
        raise _refusal(f"at most {LARGEST} bytes", str(len(answer)))
    try:
        status, *token = der.children(answer)
        code = int.from_bytes(der.value(der.children(status)[0]), "big")
        if code not in GRANTED or not token:
            raise _refusal("a timestamp", f"a refusal with the status {code}")
        info = der.children(_info(token[0]))
        algorithm, digest = der.children(info[2])
        if algorithm not in (_SHA256, der.sequence(der.oid("2.16.840.1.101.3.4.2.1"))):
            raise _refusal("a timestamp over a SHA-256", "one over another digest")
        at = _time(der.value(info[4]).decode("ascii"))
        numbers = [int.from_bytes(der.value(one), "big") for one in info[5:] if one[0] == der.INTEGER]
        return Stated(der.value(digest), at, numbers[0] if numbers else None)
    except (ValueError, IndexError, UnicodeDecodeError) as error:
        raise _refusal("an answer under RFC 3161", f"something else ({str(error)[:80]})") from None


def _time(text: str) -> dt.datetime:
    try:
        return dt.datetime.strptime(text[:14], "%Y%m%d%H%M%S").replace(tzinfo=dt.UTC)
    except ValueError:
        raise _refusal("an answer under RFC 3161", "a time that no clock shows") from None


def check(answer: bytes, content: bytes, nonce: int | None = None) -> dt.datetime:
    """The time that an answer states about this content, UTC.

    Raises:
        VerificationError: It is about other content, or answers another question.
    """
    stated = read(answer)
    if stated.sha256 != hashlib.sha256(content).digest():
        raise _refusal("a timestamp over this tag manifest", "one over something else")
    if nonce is not None and stated.nonce != nonce:
        raise _refusal("the answer to this question", "the answer to another one")
    return stated.at


def _ask(url: str, content: bytes) -> bytes:
    nonce = secrets.randbits(63)
    asked = urllib.request.Request(  # noqa: S310 - the scheme was checked
        url, request(content, nonce), {"Content-Type": "application/timestamp-query"}
    )
    try:
        with urllib.request.urlopen(asked, timeout=SECONDS) as found:  # noqa: S310 - the scheme was checked
            answer: bytes = found.read(LARGEST + 1)
    except (urllib.error.URLError, OSError, ValueError) as error:
        reason = getattr(error, "reason", error)
        raise errors.MissingError(
            f"timestamp from {url}: expected an answer, got: {str(reason)[:120]}. Nothing was written; try again, "
            "or release without --timestamp-url."
        ) from None
    check(answer, content, nonce)
    return answer


def _info(token: bytes) -> bytes:
    """The TSTInfo inside a signed token."""
    kind, content = der.children(token)
    if kind != _SIGNED_DATA:
        raise ValueError("no signed data")
    signed = der.children(der.children(content)[0]) if content[0] == _EXPLICIT else []
    inner = der.children(signed[2])
    if inner[0] != _TST_INFO or inner[1][0] != _EXPLICIT:
        raise ValueError("no timestamp inside")
    return der.value(der.children(inner[1])[0])


def _refusal(expected: str, got: str) -> errors.VerificationError:
    return errors.VerificationError(f"timestamp {PLACE}: expected {expected}, got {got}. Do not rely on it.")
