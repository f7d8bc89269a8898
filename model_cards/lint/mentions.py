"""Numbers in text: which are measured values or counts, and which only name something (sections, articles, dates)."""

from __future__ import annotations

import dataclasses
import functools
import math
import re
from typing import Literal

from model_cards.lint import dates, lexicon
from model_cards.lint.model import Sentence

Hedge = Literal["exact", "about", "less", "more"]

_ROMAN = r"[IVXLC]+"
_PARTS = r"\s*\d+[a-z]{0,2}(?:\s*\([0-9a-z]{1,4}\))*"
_LIST = rf"{_PARTS}(?:\s*(?:,|-|to|and|or|bis|und|oder|à|et|/){_PARTS})*"
_NAMED = (
    "section sections sect sec chapter chapters table tables tab figure figures fig figs page "
    "pages pp p step steps line lines "
    "extension ext telephone tel phone fax pin zip box postfach durchwahl "
    "appendix equation eq version versions release revision rev room no nos nr issue "
    "ticket ref document part point points item "
    "items question sheet volume vol footnote note clause paragraph para paras subparagraph "
    "recital recitals rule phase tier "
    "class category grade grades folder shelf drawer lesson type annexes annex attachment row column "
    "code kapitel abschnitt tabelle abbildung seite "
    "anhang absatz abs ziffer nummer artikel article articles art arts point § §§ erwägungsgrund "
    "tableau chapitre annexe"
)
_MASKS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"\b\d+\s+CFR\s+\d[\d.]*(?:\([A-Za-z0-9]+\))*",
        r"(?:https?://|www\.)\S+|\b[\w.+-]+@[\w-]+\.[\w.]+",
        r"\b[\w/\\-]+\.(?:csv|json|jsonl|ya?ml|md|html?|pdf|docx?|onnx|py|txt|png|svg|zip|gz|parquet|npy)\b(?:#\S*)?",
        r"\b(?=[0-9a-f]*[a-f])(?=[0-9a-f]*\d)[0-9a-f]{7,}…?|\b[0-9a-f]{7,}…",
        (
            r"\b(?:regulation|directive|decision|verordnung|richtlinie|règlement|celex|implementing\s+reg\.?|"
            r"c|com)\s*\(?(?:eu|ec|eg|ue)?\)?\s*(?:no\.?\s*)?\(?\d{2,4}\)?\s*[/ ]\s*\d+(?:/[a-z]+)?"
        ),
        r"\b\d{5}[A-Z]\d{4}(?:-\d+)?\b",
        (
            r"\b(?:prEN|EN|ISO(?:/IEC)?|IEC|IEEE|DIN|NIST|RFC|CFR|VDE|ETSI|FIPS|ITU)(?:[ /-]+(?:EN|"
            r"ISO|IEC|TR|TS|SP|AI|CFR|ETSI))*[ -]*[A-Z]?\d[\d .()-]*\d(?::\d{4})?(?:\s+V\d[\d.]*)?"
        ),
        r"\b\d{4,5}(?:-\d+)?:(?:19|20)\d\d\b",
        (
            rf"\bannex(?:es)?\s+{_ROMAN}\b(?:[,;]?\s*(?:section|point|abschnitt)?\s*(?:\([0-9a-z]{{1,4}}\)|"
            rf"\b[A-C]\b|\d{{1,2}}\b))*"
        ),
        (
            rf"(?<![\w-])(?:{'|'.join(_NAMED.split())})\.?(?:\s*(?:number|no\.?|nr\.?|"
            rf"point))?{_LIST}(?:\.\d+)*(?:\s*(?:of|"
            rf"von|/)\s*\d+)?(?![\d]*\s?%)"
        ),
        r"(?<![\w-])(?:level|stage|layer|stufe)\s+\d{1,2}(?![\d.,]*\d|\s?%)",
        r"(?<![\w.,])v?\d+\.\d+\.\d+(?:\.\d+)*(?:[-+]\w+)*",
        r"(?:\+|\b00)\d[\d\s()/-]{6,}\d",
        r"\bISBN[\s:]*[\d-]+|\bdoi:?\s*\S+|\barXiv:?\s*\S+",
        r"\b(?-i:[A-Z]{2,6}) \d{2,5}-\d{1,4}\b",
        r"(?<![\d:])\d{1,2}:\d{2}(?::\d{2})?(?![\d:])",
        r"(?:\b\d{1,2}\s*(?:to|-|and|until)\s*)?\b\d{1,2}\s*(?:o'clock|o’clock|uhr\b|a\.m\.|p\.m\.|[ap]m\b)",
        r"(?<!\w)(?:[A-ZÄÖÜ][\w-]*(?:straße|strasse|str\.|allee|platz|weg)|street|avenue|road|rue)\s*\d+\s*[a-z]?\b",
        r"\bp\s*-?(?:value)?s?\s*(?:[<≤]|&lt;)\s*0?[.,]\d+",
        r"\b\d+(?:st|nd|rd|th|er|ère|ème)\b",
        r"(?<=\()\d{1,2}(?=\)\s)",
        r"(?<!\w)(?:report|contract|file|serial|registration|reference|case|order|certificate|vote|phone|account|"
        r"policy|invoice|"
        r"patent|model|part|identification) numbers?:?\s+\d[\w/.-]*",
        r"\b(?:op|lts|python|java|opset|ir|cuda)\s*\d+(?:\.\d+)*",
        r"\b(?:[a-zäöü]+[-_])*[a-zäöü]+[-_]?\d[\w.-]*",
        r"\b\d+(?:d|nd)\b",
        r"(?<![\d.,])\d+-bit\b|(?<![\d.,])\b\d+\s?bit\b",
    )
)
_FIRST_DAY = re.compile(
    rf"\b\d{{1,2}}\.?(?=\s*(?:to|-|–|and|bis|until)\s*\d{{1,2}}\.?\s+(?:{dates.MONTHS})\b)", re.IGNORECASE
)
"""`2 to 5 August`."""
_POSTAL = re.compile(r"(?<![\w.,])\d{4,5}(?=\s+[A-ZÄÖÜ][a-zäöüß]+)")
_YEAR = re.compile(r"(?<![\w.,$€£])(?:19|20)\d\d(?:\s*[-/]\s*(?:(?:19|20)?\d\d))?(?![\w.,]*\d|\s?%)")
_WORK = re.compile(
    r"(?:et al\.?,?|[A-Z][\w'-]+ (?:and|&) [A-Z][\w'-]+,?|[A-Z][\w'-]+,?)\s+\(?1[89]\d\d|(?<=et al\. )\(?(?:18|"
    r"19|20)\d\d"
)
_START = re.compile(r"^\s*(?:\(?\d{1,2}[.)]|[1-9]\d*(?:\.\d+)+\.?(?=\s+[A-ZÄÖÜ])|\d{1,2}(?=\s+[A-ZÄÖÜ]))\s")
_LEVEL = re.compile(
    r"(?:intervals?\s+(?:of|at)|nominal(?:\s+level\s+of)?|level\s+of|konfidenzniveau(?:\s+von)?|meant\s+to\s+cover|"
    r"niveau\s+de)\s*(\d+(?:[.,]\d+)?\s?%?)"
    r"|(\d+(?:[.,]\d+)?\s?(?:%|percent|per\s+cent|prozent))\s*-?\s*(?:level\s+)?(?:confidence|"
    r"ci\b|cis\b|credible|prediction\s+interval|interval|konfidenz|ki\b|vertrauens|bootstrap|"
    r"intervalle)",
    re.IGNORECASE,
)
_NUMBER = re.compile(
    r"(?<![\w.,])(?<!\d[-/])(?P<sign>[-+](?=\d|\.\d))?"
    r"(?P<body>\d{1,3}(?:[ '’]\d{3})+(?:[.,]\d+)?(?!\d)|\d+(?:[.,]\d{3})+(?:[.,]\d+)?(?!\d)|\d+(?:[.,]\d+)?|"
    r"(?:(?<=\s)|(?<=^)|(?<=[(\[]))\.\d+)"
    r"(?P<exp>e[-+]?\d+|\s?[×x·*]\s?10(?:\^\{?[-+]?\d+\}?|[⁺⁻]?[⁰¹²³⁴⁵⁶⁷⁸⁹]+))?"
    r"(?:\s?(?P<unit>%|‰|percentage\s+points?|percent(?!age)|per\s+cent|prozent(?:punkte?n?)?|"
    r"pour\s+cent|pp\b|points?\b))?"
    r"(?:\s?(?P<times>million|millions|mio\.?|thousand|tausend|billion|k(?=\s|$)|M(?=\s|$)))?",
    re.IGNORECASE,
)
_DIGIT = re.compile(r"\d")
_RANGE_DASH = re.compile(r"(?<=\d)\s?-\s?(?=\.?\d)|(?<=%)\s?-\s?(?=\d)")
_RAISED = str.maketrans("⁺⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "+-0123456789")
MOST_POWER = 300
_SIZES = {"kb": 1e3, "mb": 1e6, "gb": 1e9, "tb": 1e12, "kib": 2**10, "mib": 2**20, "gib": 2**30, "byte": 1, "bytes": 1}
_TIMES = {
    "ms": 1e-3,
    "millisecond": 1e-3,
    "milliseconds": 1e-3,
    "µs": 1e-6,
    "us": 1e-6,
    "s": 1,
    "sec": 1,
    "second": 1,
    "seconds": 1,
    "min": 60,
    "minute": 60,
    "minutes": 60,
    "h": 3600,
    "hour": 3600,
    "hours": 3600,
    "day": 86400,
    "days": 86400,
    "sekunden": 1,
    "minuten": 60,
    "stunden": 3600,
    "months": 2629800,
    "month": 2629800,
    "years": 31557600,
    "year": 31557600,
    "weeks": 604800,
    "week": 604800,
}
_PREFIXES = {"k": 1e3, "M": 1e6, "G": 1e9}
_PREFIXED = re.compile(r"[kMG](?=(?:Hz|V|Pa|N)\b)")
_UNIT = re.compile(r"\s?(?P<unit>[A-Za-zµ°]+)(?![\w-])")
_ABOUT = re.compile(
    (
        r"(?<!\w)(?:about|around|approximately|approx\.?|roughly|nearly|almost|some|circa|ca\.?|etwa|"
        r"rund|environ|≈|~|close to|slightly|just|little)\s*(?:an?\s+)?(?:under |over |below |above )?$"
    ),
    re.IGNORECASE,
)
_LESS = re.compile(
    (
        r"(?<!\w)(?:less than|fewer than|under|below|at most|up to|no more than|not more than|within|"
        r"<|≤|<=|weniger als|höchstens|unter|bis zu|moins de|maximum of|max\.?)\s*$"
    ),
    re.IGNORECASE,
)
_MORE = re.compile(
    (
        r"(?<!\w)(?:more than|over|above|at least|exceeds?|exceeding|exceeded|not less than|minimum of|"
        r">|≥|>=|mehr als|mindestens|über|plus de|older than)\s*$"
    ),
    re.IGNORECASE,
)


@dataclasses.dataclass(frozen=True)
class Mention:
    """A number that a sentence states."""

    begin: int
    end: int
    readings: tuple[tuple[float, int], ...]
    """Ways to read its digits: value and decimals shown. `1.941` is 1.941 in English and 1941 in German."""
    unit: Literal["", "%", "points", "time", "size"] = ""
    factor: float = 1.0
    """Of the unit: seconds, or bytes."""
    hedge: Hedge = "exact"
    ratio_of: float | None = None
    """The whole in `84 of 100`."""
    rough: bool = False
    """Is it a share in letters, such as `one in four`?"""

    @property
    def value(self) -> float:
        """The first reading."""
        return self.readings[0][0]

    @property
    def whole(self) -> bool:
        """Is it a whole number without a unit of measurement?"""
        return any(decimals == 0 and value.is_integer() for value, decimals in self.readings) and not self.unit


def mask(text: str, kind: str = "prose") -> str:
    """The text with blanks where digits name something; every character keeps its place."""
    masked = _FIRST_DAY.sub(lambda found: " " * len(found[0]), text)
    for date in dates.find(text):
        masked = _blank(masked, date.begin, date.end)
    for match in lexicon.software().finditer(masked):
        masked = _blank(masked, *match.span(2))
    for pattern in (*_MASKS, _POSTAL):
        masked = pattern.sub(lambda found: " " * len(found[0]), masked)
    for match in _LEVEL.finditer(masked):
        group = 1 if match[1] else 2
        masked = _blank(masked, *match.span(group))
    if kind in {"heading", "prose"}:
        masked = _START.sub(lambda found: " " * len(found[0]), masked)
    masked = _WORK.sub(lambda found: " " * len(found[0]), masked)
    if kind != "cell" or re.search(r"[^\W\d_]{3}", masked):
        masked = _YEAR.sub(lambda found: " " * len(found[0]), masked)
    return masked


def mask_names(text: str) -> str:
    """The text with blanks where digits are of a standard, a law, a file, a citation; years by themselves stay."""
    masked = text
    for pattern in (*_MASKS, _WORK):
        masked = pattern.sub(lambda found: " " * len(found[0]), masked)
    return masked


def _blank(text: str, begin: int, end: int) -> str:
    return text[:begin] + " " * (end - begin) + text[end:]


def find(sentence: Sentence) -> list[Mention]:
    """The numbers of a sentence that state a value or a count, in reading order."""
    return list(_found(sentence.text, sentence.kind)) if _DIGIT.search(sentence.text) else []


# Several rules ask, and the same sentence stands in a document as Markdown and as HTML.
@functools.lru_cache(maxsize=1 << 16)
def _found(text: str, kind: str) -> tuple[Mention, ...]:
    masked = _RANGE_DASH.sub(lambda found: "\u2192".center(len(found[0])), mask(text, kind))
    found: list[Mention] = []
    for match in _NUMBER.finditer(masked):
        mention = _mention(match, masked)
        if mention is None:
            continue
        if found and (whole := _whole_of(found[-1], mention, masked)):
            found[-1] = dataclasses.replace(found[-1], ratio_of=whole)
        found.append(mention)
    return tuple(found)


_ONES = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
SPELLED = {word: number for number, word in enumerate(_ONES) if number} | {"dozen": 12}
"""Numbers in letters, below the tens."""


def counting(text: str) -> int | None:
    """The whole number that a word says, in digits or in letters below the tens; None where it says none."""
    return int(text) if text.isdecimal() else SPELLED.get(text.lower())


_FOREIGN = (
    "zwei drei vier fünf sechs sieben acht neun zehn elf zwölf",
    "deux trois quatre cinq six sept huit neuf dix onze douze",
)
_SPELLED = {
    **{word: number for row in _FOREIGN for number, word in enumerate(row.split(), start=2)},
    **SPELLED,
    **{ten: 10 * at for at, ten in enumerate(_TENS, start=2)},
    **{f"{ten}-{_ONES[one]}": 10 * at + one for at, ten in enumerate(_TENS, start=2) for one in range(1, 10)},
}
_LONGEST_FIRST = "|".join(sorted(_SPELLED, key=len, reverse=True))
_LETTERS = re.compile(
    rf"(?<![\w-])(?P<number>{_LONGEST_FIRST})(?P<hundred>\s+(?:hundred|thousand|million))?(?![\w]|-(?!fold))"
    r"(?!\s+(?:thirds?|quarters?|fifths?|sixths?|tenths?|halves)(?!\w))"
    r"(?P<half>\s+and\s+a\s+half)?(?P<rest>\s+(?P<unit>percent(?!age)|per cent|percentage points|[a-zµ]+))?",
    re.IGNORECASE,
)
_ANY = "|".join(word for word, number in SPELLED.items() if number <= 10)
_SHARE = re.compile(
    rf"(?<![\w-])(?P<part>{_ANY})\s+(?:[a-z]+\s+){{0,3}}?(?:in|out of)\s+(?:every\s+|each\s+)?"
    rf"(?P<whole>(?:a|one) (?:hundred|thousand)|{_ANY}|twenty|fifty)(?:\s+or\s+(?:{_ANY}))?(?![\w-])",
    re.IGNORECASE,
)


_WHOLES = {**SPELLED, "twenty": 20, "fifty": 50, "hundred": 100, "thousand": 1000}


_APART = re.compile(
    r"\s+(?:below|above|lower|higher|more|less|fewer|better|worse|under|over|behind|ahead|short)(?!\w)", re.IGNORECASE
)
"""Behind `eight points`, which may be remarks as well, it tells that a difference is meant."""


def in_letters(text: str) -> list[Mention]:
    """`Twenty-two operators`, `eighteen months`, `five percent`; `one` may be an article and is none."""
    found = []
    for match in _LETTERS.finditer(text):
        times = {"hundred": 100, "thousand": 1_000, "million": 1_000_000}.get(
            (match["hundred"] or "").strip().lower(), 1
        )
        value = _SPELLED[match["number"].lower()] * times
        if value == 1 and not re.fullmatch(r"year|month|week", match["unit"] or "", re.IGNORECASE):
            continue
        end, unit_word = match.end("hundred" if match["hundred"] else "number"), (match["unit"] or "").lower()
        reading = (float(value), 0)
        if match["half"]:
            reading, end = (value + 0.5 * times, 1), match.end("half")
        unit: Literal["", "%", "points", "time", "size"] = ""
        factor = 1.0
        if unit_word in {"percent", "per cent"}:
            unit, end = "%", match.end()
        elif ("point" in unit_word and "percent" in unit_word) or (
            unit_word == "points" and _APART.match(text, match.end())
        ):
            unit, end = "points", match.end()
        elif unit_word in _TIMES and len(unit_word) > 2:
            unit, factor, end = "time", float(_TIMES[unit_word]), match.end()
        found.append(Mention(match.start(), end, (reading,), unit, factor, _hedge(text[: match.start()])))
    return found


def shares_in_letters(text: str) -> list[Mention]:
    """`eight in ten`, `nearly four out of five`: shares, as exact as their whole."""
    found = []
    for match in _SHARE.finditer(text):
        part, whole = SPELLED[match["part"].lower()], _WHOLES.get(match["whole"].lower().split()[-1], 0)
        if part < whole and whole > 3:
            found.append(Mention(match.start(), match.end(), ((100 * part / whole, 0),), "%", 1.0, "about", rough=True))
    return found


def _whole_of(part: Mention, whole: Mention, text: str) -> float | None:
    between = text[part.end : whole.begin].strip().lower()
    if (
        between in {"of", "of the", "out of", "out of the", "von", "sur", "/", "in"}
        and part.whole
        and whole.whole
        and whole.value >= part.value > 0
    ):
        return whole.value
    return None


def _mention(match: re.Match[str], text: str) -> Mention | None:
    readings = _readings(match["body"])
    if match["exp"]:
        power = _power(match["exp"])
        if abs(power) > MOST_POWER:
            return None
        readings = [(value * 10.0**power, decimals - power) for value, decimals in readings]
    unit_word = (match["unit"] or "").lower()
    unit: Literal["", "%", "points", "time", "size"] = ""
    factor = 1.0
    end = match.end()
    if unit_word in {"%", "percent", "prozent"} or unit_word.startswith(("per ", "pour ")):
        unit = "%"
    elif unit_word == "‰":
        unit, factor = "%", 0.1
    elif unit_word.startswith(("percentage", "pp", "prozentpunkt", "point")):
        unit = "points"
    times = {"m": 1e6, "t": 1e3, "k": 1e3, "b": 1e9}.get((match["times"] or " ")[0].lower(), 1.0)
    if times > 1:
        exponent = {1e3: 3, 1e6: 6, 1e9: 9}[times]
        # The key may hold the millions itself: `weights_million: 11.2`.
        readings = [*((value * times, decimals - exponent) for value, decimals in readings), *readings]
    elif not unit and (following := _UNIT.match(text, end)):
        name = following["unit"].lower()
        if prefix := _PREFIXED.match(following["unit"]):
            # `6.4 kHz` where the evidence holds 6400 Hz.
            power = round(math.log10(_PREFIXES[prefix[0]]))
            readings = [*readings, *((value * 10**power, decimals - power) for value, decimals in readings)]
        elif following["unit"] in {"MB", "GB", "kB", "KB", "TB"} or name in _SIZES:
            unit, factor, end = "size", float(_SIZES[name]), following.end()
        elif name in _TIMES:
            unit, factor, end = "time", float(_TIMES[name]), following.end()
    sign = -1.0 if match["sign"] == "-" else 1.0
    hedge = _hedge(text[: match.start()])
    if hedge == "more" and not unit and readings[0][0] >= _MANY and len(re.sub(r"\D|0+$", "", match["body"])) > 2:
        hedge = "exact"  # `measured over 9,240 clips`: nobody exceeds so exact a number
    return Mention(
        match.start(), end, tuple((sign * value, decimals) for value, decimals in readings), unit, factor, hedge
    )


_MANY = 1_000


def _hedge(before: str) -> Hedge:
    """How exactly a number is meant, by the words before it."""
    if _ABOUT.search(before):
        return "about"
    if _LESS.search(before):
        return "less"
    return "more" if _MORE.search(before) else "exact"


def _power(text: str) -> int:
    """The power of ten in `e-3`, `× 10⁹`, `x 10^{-3}`."""
    raised = text[1:] if text[0] in "eE" else text.partition("10")[2]
    return int(raised.translate(_RAISED).strip("^{}"))


def _readings(body: str) -> list[tuple[float, int]]:
    """Ways to read digits with separators, the likelier one first; value and number of decimals."""
    body = body.replace("’", "'")
    blanks = re.sub(r"[ ']", "", body)
    marks = re.findall(r"[.,]", blanks)
    if not marks:
        # `below 25 150`: two numbers that stand side by side may look like one.
        return [(float(blanks), 0), *([(float(body.rpartition(" ")[2]), 0)] if " " in body else [])]
    if len(set(marks)) == 2:
        decimal = marks[-1]
        head, _, tail = blanks.rpartition(decimal)
        return [(float(head.replace(",", "").replace(".", "") + "." + tail), len(tail))]
    if len(marks) > 1:
        return [(float(blanks.replace(marks[0], "")), 0)]
    head, tail = re.split(r"[.,]", blanks)
    as_decimal = (float(f"{head or 0}.{tail}"), len(tail))
    if len(tail) == 3 and head and head != "0" and len(head) <= 3:
        as_thousands = (float(head + tail), 0)
        return [as_thousands, as_decimal] if marks[0] == "," else [as_decimal, as_thousands]
    return [as_decimal]
