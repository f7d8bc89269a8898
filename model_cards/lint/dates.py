"""Dates in text: ISO, English, German, French; a day, or a month of a year."""

from __future__ import annotations

import dataclasses
import datetime as dt
import re

from model_cards.lint import words

_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "january jan janvier janv januar janner",
            "february feb fevrier fevr februar",
            "march mar mars marz maerz",
            "april apr avril avr",
            "may mai",
            "june jun juin juni",
            "july jul juillet juil juli",
            "august aug aout",
            "september sep sept septembre",
            "october oct octobre oktober okt",
            "november nov novembre",
            "december dec decembre dezember dez",
        ),
        start=1,
    )
    for name in names.split()
}
_NAME = "|".join(
    sorted(
        {*_MONTHS, "jänner", "märz", "février", "févr", "août", "décembre", "déc"},
        key=len,
        reverse=True,
    )
)
MONTHS = _NAME
"""Names of months, as alternatives of a pattern."""
_FORMS = (
    re.compile(
        r"(?<![\w.-])(?P<y>(?:19|20)\d\d)-(?P<m>\d\d)-(?P<d>\d\d)(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?)?(?:Z|"
        r"[+-]\d\d:?\d\d)?(?![\w-])"
    ),
    re.compile(r"(?<![\w.-])(?P<y>(?:19|20)\d\d)-(?P<m>0[1-9]|1[0-2])(?![\w.-])"),
    re.compile(r"(?<![\w.])(?P<d>\d{1,2})[./](?P<m>\d{1,2})[./](?P<y>(?:19|20)\d\d)(?![\w])"),
    re.compile(
        (
            rf"(?<![\w.])(?P<d>\d{{1,2}})(?:st|nd|rd|th|er|\.)?\s*(?:of\s+)?(?P<n>{_NAME})\.?,?\s+(?P<y>(?:19|"
            rf"20)\d\d)(?!\w)"
        ),
        re.IGNORECASE,
    ),
    re.compile(
        rf"(?<!\w)(?P<n>{_NAME})\.?\s+(?P<d>\d{{1,2}})(?:st|nd|rd|th)?,?\s+(?P<y>(?:19|20)\d\d)(?!\w)", re.IGNORECASE
    ),
    re.compile(rf"(?<!\w)(?P<n>{_NAME})\.?,?\s+(?P<y>(?:19|20)\d\d)(?!\w)", re.IGNORECASE),
    re.compile(rf"(?<![\w.])(?P<d>\d{{1,2}})(?:st|nd|rd|th|\.)?\s+(?P<n>{_NAME})(?!\w)", re.IGNORECASE),
)


@dataclasses.dataclass(frozen=True)
class Date:
    """A date in a text."""

    begin: int
    end: int
    year: int | None
    month: int
    day: int | None

    @property
    def iso(self) -> str:
        """`2026-05-04`, `2026-05`, `--05-04`."""
        year = f"{self.year:04d}" if self.year else "-"
        return f"{year}-{self.month:02d}" + (f"-{self.day:02d}" if self.day else "")

    def agrees(self, other: Date) -> bool:
        """Do both say the same, as far as both say it?"""
        return all(
            a is None or b is None or a == b
            for a, b in ((self.year, other.year), (self.month, other.month), (self.day, other.day))
        )


def month_name(month: int) -> str:
    """`september` for 9."""
    return next(name for name, number in _MONTHS.items() if number == month)


def find(text: str) -> list[Date]:
    """The dates of a text, in reading order, none within another."""
    found: list[Date] = []
    taken: list[tuple[int, int]] = []
    for form in _FORMS:
        for match in form.finditer(text):
            if any(match.start() < end and begin < match.end() for begin, end in taken):
                continue
            date = _date(match)
            if date:
                found.append(date)
                taken.append(match.span())
    return sorted(found, key=lambda date: date.begin)


def _date(match: re.Match[str]) -> Date | None:
    got = match.groupdict()
    month = _MONTHS[words.plain(got["n"]).strip(".")] if got.get("n") else int(got["m"])
    year = int(got["y"]) if got.get("y") else None
    day = int(got["d"]) if got.get("d") else None
    if year is None and words.plain(got["n"]).strip(".") in {"mar", "may", "mars", "mai"} and not got["n"][0].isupper():
        return None
    try:
        dt.date(year or 2024, month, day or 1)
    except ValueError:
        return None
    return Date(match.start(), match.end(), year, month, day)
