"""Days from which the Act applies, and the periods that its articles set, where a text has them otherwise."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from configs.law import articles
from model_cards.lint import dates, mentions
from model_cards.lint.evidence import Evidence
from model_cards.lint.mentions import Mention
from model_cards.lint.model import Document, Finding, Sentence
from model_cards.lint.rules import citations, law, saying
from model_cards.lint.rules.catalogue import RULES
from model_cards.lint.rules.citations import Citation

NEAR = 90
"""Characters between a citation and the period that it is cited for."""
_APPLIES = re.compile(
    r"(?<!\w)(?:appl(?:y|ies|ied|icable)|obligations?|dut(?:y|ies)|compl(?:y|ies|iance)|rules|requirements|"
    r"bind(?:s|ing)?|effective|takes? effect|took effect|in force|enforceable|must|have to|has to|due|deadline|"
    r"gelten|gilt|pflichten|s'appliquent)(?!\w)",
    re.IGNORECASE,
)
_DAYS_OF_THE_ACT = {(2, 2), (1, 8), (2, 8), (2, 12)}
"""Day and month of most dates of Art. 113: a rule of one's own that applies from another day is no date of the Act."""
_LENGTH = {"days": 86_400.0, "months": 2_629_800.0, "years": 31_557_600.0}
_SET_BY_IT = re.compile(
    r"^\s*(?:at least |a minimum of |within |of )?(?:that|which|as|,|for which)?[\s,]*$", re.IGNORECASE
)
_DEMANDS = re.compile(
    r"^\s*[^.;]{0,25}?(?<!\w)(?:prescribes?|requires?|demands?|asks? for|lays? down|sets?|stipulates?|provides? for|"
    r"mandates?|names?|verlangt|schreibt|exige|impose)(?!\w)",
    re.IGNORECASE,
)


def check(document: Document, evidence: Evidence) -> Iterator[Finding]:
    """Every date of application and every period that is given to an article."""
    before: Sentence | None = None
    for sentence in document.sentences:
        if sentence.kind == "code":
            continue
        yield from _application(sentence, before)
        yield from _periods(sentence)
        if sentence.kind in {"prose", "heading"}:
            before = sentence


def _application(sentence: Sentence, before: Sentence | None) -> Iterator[Finding]:
    text = sentence.text
    if law.SPEAKS_OF_CHANGE.search(text) or not _APPLIES.search(text):
        return
    named = [d for d in dates.find(text) if d.year and d.day and (d.day, d.month) in _DAYS_OF_THE_ACT]
    if not named:
        return
    parts = _parts(text)
    if not parts and saying.GOES_ON.search(text) and before is not None:
        parts = _parts(" ".join((before.text, *before.place.heading[-1:])))
    for day in named:
        changed = next((p for p in parts if p.former == day.iso), None)
        if changed is not None:
            yield Finding(
                RULES["article-outdated"],
                sentence,
                "high",
                f"“{text[day.begin : day.end]}” is the law before July 2026.",
                f"Since Regulation (EU) 2026/1744: {changed.now}.",
                (day.begin, day.end),
            )
        elif parts and len(named) == 1 and all(day.iso not in p.days for p in parts):
            right = " or ".join(sorted({d for p in parts for d in p.days}))
            yield Finding(
                RULES["article-outdated"],
                sentence,
                "medium",
                f"“{text[day.begin : day.end]}” is no day from which this part of the Act applies.",
                f"By Art. 113 as amended: {right}.",
                (day.begin, day.end),
            )


def _parts(text: str) -> list[articles.Application]:
    """The parts of the Act that a text speaks of."""
    register = articles.load().applications
    return [part for part in register if any(re.search(p, text, re.IGNORECASE) for p in part.says)]


def _periods(sentence: Sentence) -> Iterator[Finding]:
    text = sentence.text
    cited = [c for c in citations.find(text) if any(p.article == c.name for p in articles.load().periods)]
    if not cited:
        return
    lengths = [m for m in (*mentions.find(sentence), *mentions.in_letters(text)) if _long(m)]
    for citation in cited:
        set_by_it = any(_attributed(m, citation, text) for m in lengths)
        known = _of(citation, text, set_by_it=set_by_it)
        if known is None or any(_equal(m, known) for m in lengths):
            continue
        for mention in lengths:
            if _nearest(mention, cited, text) == citation and _wrong(mention, citation, known, text):
                yield Finding(
                    RULES["article-subject"],
                    sentence,
                    "high",
                    f"Article {citation.name} sets at {known.at} {known.period}, not “"
                    f"{text[mention.begin : mention.end]}”.",
                    "Correct the period, or name the law that it is from.",
                    (mention.begin, mention.end),
                )
                break


def _long(mention: Mention) -> bool:
    return mention.unit == "time" and mention.value * mention.factor >= _LENGTH["days"]


def _of(citation: Citation, text: str, *, set_by_it: bool) -> articles.Period | None:
    """What the cited article says of the case that the sentence speaks of; where it is said to set a period, of any."""
    found = [
        p
        for p in articles.load().periods
        if p.article == citation.name
        and (p.paragraph is None or citation.paragraphs.split(".")[0] == p.paragraph)
        and (set_by_it or _has(text, p.about))
    ]
    special = [p for p in found if p.when and _has(text, p.when)]
    return special[0] if special else next((p for p in found if not p.when), None)


def _has(text: str, words: Sequence[str]) -> bool:
    return re.search(rf"(?<!\w)(?:{'|'.join(map(re.escape, words))})(?!\w)", text, re.IGNORECASE) is not None


def _seconds(period: articles.Period) -> float:
    number, unit = period.period.split()
    return float(number) * _LENGTH[unit]


def _equal(mention: Mention, known: articles.Period) -> bool:
    """Months are of 28 to 31 days, and a year is twelve of them."""
    return abs(mention.value * mention.factor / _seconds(known) - 1) < 0.04


def _nearest(mention: Mention, cited: Sequence[Citation], text: str) -> Citation | None:
    def away(citation: Citation) -> int:
        return max(citation.begin - mention.end, mention.begin - citation.end)

    best = min(cited, key=away)
    low, high = sorted((mention.end, best.begin)) if mention.end <= best.begin else (best.end, mention.begin)
    return best if away(best) <= NEAR and ";" not in text[low:high] else None


def _wrong(mention: Mention, citation: Citation, known: articles.Period, text: str) -> bool:
    """Is the period that the article sets another, or does what is done fall short of it?"""
    length = mention.value * mention.factor
    if length < _seconds(known) if known.at == "least" else length > _seconds(known):
        return True
    return _attributed(mention, citation, text)


def _attributed(mention: Mention, citation: Citation, text: str) -> bool:
    """`the three months that Article 19 prescribes`, `Article 19 prescribes at least three months`."""
    if mention.end <= citation.begin:
        return bool(_SET_BY_IT.match(text[mention.end : citation.begin]) and _DEMANDS.match(text[citation.end :]))
    return bool(_DEMANDS.match(text[citation.end : mention.begin]))
