"""Citations of articles and annexes of the AI Act in a text; those of other laws are left out."""

from __future__ import annotations

import dataclasses
import re

_ROMAN = "XIV|XIII|XII|XI|X|IX|VIII|VII|VI|V|IV|III|II|I"
_PARAGRAPH = r"(?:\s*\(\s*[0-9a-zA-Z]{1,4}\s*\))*"
_ONE = rf"\d{{1,3}}(?:[a-d]\b)?{_PARAGRAPH}"
_ARTICLE = re.compile(
    (
        rf"(?<!\w)(?:art(?:icle|ikel|icles|ikeln)?s?\.?|§)\s*(?P<list>{_ONE}(?:\s*(?:,|and|or|to|bis|"
        rf"und|oder|et|à|-|/|&)\s*(?:art(?:icle)?s?\.?\s*)?{_ONE}(?!\s*(?:%|years|months)))*)"
    ),
    re.IGNORECASE,
)
_ANNEX = re.compile(
    rf"(?<!\w)(?:point\s+(?P<before>\d{{1,2}}{_PARAGRAPH})\s+of\s+)?(?:annex(?:es)?|anhang|"
    rf"annexe)\s+(?P<number>{_ROMAN})"
    rf"(?!\w)(?P<paragraph>(?:,?\s*(?:point|no\.?|nr\.?|punkt|nummer)\s*\d{{1,2}})?{_PARAGRAPH})",
    re.IGNORECASE,
)
_PIECE = re.compile(rf"(\d{{1,3}}[a-d]?)({_PARAGRAPH})")
_OTHERS = (
    r"GDPR|DSGVO|DS-GVO|RGPD|EUDPR|MDR|IVDR|TFEU|AEUV|EUV|Charter|Charta|BDSG|BGB|AktG|HGB|KWG|"
    r"GG|CRD|CRR|PSD2?|MiFID|Solvency|CRA|NIS\s?2|DORA|DSA|DMA|Data\s+Act|Data\s+Governance\s+Act|"
    r"Machinery\s+Regulation|Cyber\s+Resilience\s+Act|Product\s+Liability|ECHR|EMRK|CFR|Omnibus|"
    r"Consumer\s+Credit|Police|Law\s+Enforcement\s+Directive|"
    r"(?:Regulation|Directive|Verordnung|Richtlinie|Règlement)\s+(?:\((?:EU|EC|EG|UE)\)\s*)?(?:No\.?\s*)?(?!2024/1689|"
    r"2026/1744)\d{2,4}/\d+"
)
_AFTER = re.compile(
    rf"^[\s,]*(?:of|in|from|der|des|du|de\s+la|under)?\s*(?:the|den|das)?\s*(?:EU\s+|German\s+)?(?:{_OTHERS})(?!\w)",
    re.IGNORECASE,
)
_BEFORE = re.compile(rf"(?:{_OTHERS})[\s,:(]*$", re.IGNORECASE)
_NAMED_LAW = re.compile(
    r"^[\s,]*of\s+(?:the|that)\s+(?!AI\s+Act|Artificial\s+Intelligence\s+Act|EU\s+AI)"
    r"(?:[A-Z][\w-]+\s+(?:and\s+)?){1,5}(?:Act|Code|Law|Ordinance|Treaty|Convention)\b"
)
_TITLE = re.compile(r"(?<!\w)Title\s+(?:XII|XI|X|IX|VIII|VII|VI|V|IV|III|II|I)(?!\w)(?:,?\s*Chapter\s+\d)?")


@dataclasses.dataclass(frozen=True)
class Citation:
    """A citation of one article or annex."""

    name: str
    """`15`, `4a`, `Annex IV`."""
    paragraphs: str
    """`5`, `3.b`; empty for the whole article."""
    begin: int
    end: int


def find(text: str) -> list[Citation]:
    """Citations of the AI Act, in reading order. `9 to 15` gives its ends, and says so by nothing else."""
    found = []
    for match in _ARTICLE.finditer(text):
        if _of_another(text, *match.span()):
            continue
        base = match.start("list")
        ranged = re.search(r"(?<!\w)(?:to|bis|-|à)(?!\w)", match["list"]) is not None
        if ranged:
            continue
        for piece in _PIECE.finditer(match["list"]):
            at = match.start() if piece.start() == 0 else base + piece.start()
            found.append(Citation(piece[1].lower(), _steps(piece[2]), at, base + piece.end()))
    found += [
        Citation(
            f"Annex {match['number'].upper()}", _steps(match["before"] or _digits(match["paragraph"])), *match.span()
        )
        for match in _ANNEX.finditer(text)
        if not _of_another(text, *match.span())
    ]
    return sorted(found, key=lambda c: c.begin)


def titles(text: str) -> list[tuple[int, int]]:
    """Where a text cites titles, into which the proposal of 2021 was divided."""
    return [m.span() for m in _TITLE.finditer(text) if not _of_another(text, *m.span())]


def _digits(text: str) -> str:
    """What follows an annex, without the word `point`."""
    return re.sub(r"(?<!\w)(?:point|no|nr|punkt|nummer)(?!\w)", "", text, flags=re.IGNORECASE)


def _steps(text: str) -> str:
    return ".".join(re.findall(r"[0-9a-zA-Z]+", text))


def _of_another(text: str, begin: int, end: int) -> bool:
    if _NAMED_LAW.match(text[end : end + 80]):
        return True
    return bool(_AFTER.match(text[end : end + 80]) or _BEFORE.search(text[max(0, begin - 60) : begin]))
