"""Just enough DER (ITU-T X.690) to write a CMS signature and to find three values in one."""

from __future__ import annotations

import datetime as dt

SEQUENCE, SET, OCTETS, OBJECT, INTEGER, TIME, ANY_TIME = 0x30, 0x31, 0x04, 0x06, 0x02, 0x17, 0x18


def element(tag: int, *parts: bytes) -> bytes:
    """Tag, length and content."""
    content = b"".join(parts)
    if len(content) < 0x80:
        return bytes((tag, len(content))) + content
    length = len(content).to_bytes((len(content).bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + content


def sequence(*parts: bytes) -> bytes:
    """SEQUENCE of encoded parts."""
    return element(SEQUENCE, *parts)


def set_of(*parts: bytes) -> bytes:
    """SET OF encoded parts, in the order that DER asks for."""
    return element(SET, *sorted(parts))


def octets(content: bytes) -> bytes:
    """OCTET STRING."""
    return element(OCTETS, content)


def integer(value: int) -> bytes:
    """INTEGER; not negative."""
    return element(INTEGER, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def oid(dotted: str) -> bytes:
    """OBJECT IDENTIFIER."""
    first, second, *rest = (int(part) for part in dotted.split("."))
    content = bytearray()
    for arc in (first * 40 + second, *rest):
        groups = [arc & 0x7F]
        while arc := arc >> 7:
            groups.append(0x80 | (arc & 0x7F))
        content += bytes(reversed(groups))
    return element(OBJECT, bytes(content))


def time(moment: dt.datetime) -> bytes:
    """UTCTime up to 2049, GeneralizedTime from 2050 on, as RFC 5652 section 11.3 asks."""
    if moment.year < 2050:
        return element(TIME, moment.strftime("%y%m%d%H%M%SZ").encode("ascii"))
    return element(ANY_TIME, moment.strftime("%Y%m%d%H%M%SZ").encode("ascii"))


def children(encoded: bytes) -> list[bytes]:
    """The encoded elements inside one constructed element.

    Raises:
        ValueError: The lengths do not add up.
    """
    position, end = _content(encoded, 0)
    if end != len(encoded):
        raise ValueError("bytes after the end")
    parts = []
    while position < end:
        _, stop = _content(encoded[:end], position)
        parts.append(encoded[position:stop])
        position = stop
    return parts


def value(encoded: bytes) -> bytes:
    """The content of one element.

    Raises:
        ValueError: The lengths do not add up.
    """
    start, end = _content(encoded, 0)
    return encoded[start:end]


def _content(encoded: bytes, position: int) -> tuple[int, int]:
    """Where the content of the element at `position` begins and ends."""
    if position + 2 > len(encoded):
        raise ValueError("cut off")
    length, start = encoded[position + 1], position + 2
    if length & 0x80:
        count = length & 0x7F
        if not 1 <= count <= 4 or start + count > len(encoded):
            raise ValueError("bad length")
        length = int.from_bytes(encoded[start : start + count], "big")
        start += count
    if start + length > len(encoded):
        raise ValueError("cut off")
    return start, start + length
