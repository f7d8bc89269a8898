"""One content has one signature file: any other way of writing it is refused."""

from __future__ import annotations

import base64
import itertools
import json

import pytest

from configs import errors
from tef_export import bag, cades, oms
from tests.tef_export import making


def test_an_altered_certificate_in_the_document_signature_is_refused(made: making.Made) -> None:
    """Any changed byte of the CAdES file is noticed: it is read by writing it again."""
    _, files = making.unpacked(made.path)
    encoded, content = files[cades.PLACE], files[bag.TAG_MANIFEST]
    public = made.key.public_key()
    assert cades.verify(encoded, content, public, making.NOW).signed_at.isoformat() == "2026-11-20T10:00:00+00:00"
    for position, flip in itertools.product(range(len(encoded)), (0x01, 0x80)):
        broken = encoded[:position] + bytes([encoded[position] ^ flip]) + encoded[position + 1 :]
        with pytest.raises(errors.VerificationError):
            cades.verify(broken, content, public, making.NOW)
    for other in (b"", encoded + b"\0", encoded[:-1], b"\x30\x84\xff\xff\xff\xff"):
        with pytest.raises(errors.VerificationError):
            cades.verify(other, content, public, making.NOW)


def test_base64_of_a_signature_is_read_strictly(made: making.Made) -> None:
    """A signature value with white space or other letters in it is another file and refused."""
    top, files = making.unpacked(made.path)
    document = json.loads(files[oms.PLACE])
    value = document["dsseEnvelope"]["signatures"][0]["sig"]
    assert base64.b64decode(value)
    for bad in (value[:10] + "\n" + value[10:], value + "=", "*" + value, 5, None):
        document["dsseEnvelope"]["signatures"][0]["sig"] = bad
        with pytest.raises(errors.VerificationError):
            oms.signed_files(json.dumps(document).encode(), made.key.public_key(), top)
