"""Personal data by pattern: what is found, what is not, and what masking leaves."""

from __future__ import annotations

import hashlib
import string
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from configs.language.cleaning import PersonalKind
from factory.text import personal

KINDS: tuple[PersonalKind, ...] = ("email", "phone", "iban")


def _found(text: str, language: str = "en") -> list[tuple[str, str]]:
    return [(text[begin:end], kind) for begin, end, kind in personal.spans(text, KINDS, language)]


FOUND = [
    ("en", "Write to a.b+c@mail.example.co.uk.", "a.b+c@mail.example.co.uk", "email"),
    ("de", "an jürgen@müller.de schreiben", "jürgen@müller.de", "email"),
    ("zh", "联系foo@example.com谢谢", "foo@example.com", "email"),
    ("de", "Tel.: 0171/1234567", "0171/1234567", "phone"),
    ("de", "Tel. (089) 1234-5678", "(089) 1234-5678", "phone"),
    ("de", "01711234567 anrufen", "01711234567", "phone"),
    ("fr", "au 06.12.34.56.78 svp", "06.12.34.56.78", "phone"),
    ("en", "call 212-736-5000 now", "212-736-5000", "phone"),
    ("en", "on 020 7946 0018 only", "020 7946 0018", "phone"),
    ("sw", "piga +49 30 901820 leo", "+49 30 901820", "phone"),
    ("de", "Konto DE89 3704 0044 0532 0130 00 bei", "DE89 3704 0044 0532 0130 00", "iban"),
    ("en", "GB82 WEST 1234 5698 7654 32 IS THE ONE", "GB82 WEST 1234 5698 7654 32", "iban"),
    ("de", "CH93 0076 2011 6238 5295 7.", "CH93 0076 2011 6238 5295 7", "iban"),
    ("fr", "FR1420041010050500013M02606", "FR1420041010050500013M02606", "iban"),
]


@pytest.mark.parametrize(("language", "text", "span", "kind"), FOUND)
def test_it_finds(language: str, text: str, span: str, kind: str) -> None:
    """Addresses, numbers in national and international form, account numbers, and their whole extent."""
    assert _found(text, language) == [(span, kind)]


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "the @decorator of x@y, and a @ b.c"),
        ("en", "3232235521 and 2147483647"),
        ("en", "192.168.100.200, 2001:db8::1, 0x7fffffff"),
        ("en", "'01      012     0123    01234'"),
        ("de", "0.123456789 und 3,14159265358979"),
        ("en", "2026-11-29 12:30:45, pages 100-120, ISBN 978-3-16-148410-0"),
        ("en", "(0, 1, 2, 3, 4, 5, 6, 7, 8, 9)"),
        ("fr", "1 000 000 000 habitants"),
        ("de", "DE89 3704 0044 0532 0130 01"),
        ("de", "DE893704004405320130000"),
        ("sw", "030 901820 bila nchi"),
    ],
)
def test_it_does_not_find(language: str, text: str) -> None:
    """Figures of other kinds, wrong check digits, and national forms where the country is not known."""
    assert _found(text, language) == []


def test_of_ibans_with_a_wrong_digit_none_passes() -> None:
    """Modulo 97 finds every single wrong digit and every exchange of two neighbours."""
    right = "DE89370400440532013000"
    assert personal.valid_iban(right)
    for place in range(2, len(right)):
        for digit in set(string.digits) - {right[place]}:
            assert not personal.valid_iban(right[:place] + digit + right[place + 1 :])
        swapped = right[: place - 1] + right[place] + right[place - 1] + right[place + 1 :]
        assert swapped == right or not personal.valid_iban(swapped)


def test_masks_take_the_places_of_what_was_found() -> None:
    """Nothing else of the text changes, and nothing is found in the masked text."""
    text = "From jane@example.org (+49 30 901820) to DE89 3704 0044 0532 0130 00."
    masked = personal.mask(text, personal.spans(text, KINDS, "de"))
    assert masked == "From [email] ([phone]) to [iban]."
    assert personal.spans(masked, KINDS, "de") == []


@settings(deadline=None, max_examples=200)
@given(text=st.text(st.sampled_from("aZ09@.-+ /()\u00e9\n[]DE8"), max_size=80), language=st.sampled_from(["de", "xx"]))
def test_spans_are_ordered_and_inside(text: str, language: str) -> None:
    """Whatever the text: spans follow each other inside it, and masking leaves the rest."""
    found = personal.spans(text, KINDS, language)
    at = 0
    for begin, end, _ in found:
        assert at <= begin < end <= len(text)
        at = end
    masked = personal.mask(text, found)
    assert len(masked) == len(text) - sum(e - b for b, e, _ in found) + sum(len(k) + 2 for *_, k in found)


@pytest.mark.slow
@pytest.mark.parametrize("piece", ["a", "a.", "a@", "a@a.", "AA00", "AA00 0000 ", "0 ", "0-", "+1", "é.", "("])
def test_no_text_makes_it_slow(piece: str) -> None:
    """Time grows with the length of the text, whatever is repeated in it."""
    texts = [piece * (size // len(piece)) for size in (20_000, 40_000)]
    times = []
    for text in texts:
        begin = time.process_time()
        personal.spans(text, KINDS, "de")
        times.append(time.process_time() - begin)
    assert times[1] < 3 * times[0] + 0.5


def test_random_text_of_a_program_holds_few() -> None:
    """Random hexadecimal digests are no account numbers and no telephone numbers."""
    text = " ".join(hashlib.sha256(bytes([n % 256, n // 256])).hexdigest() for n in range(500))
    assert _found(text) == []
