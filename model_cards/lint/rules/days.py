"""Days, months and years that a document states, against those of the evidence."""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Iterator

from model_cards.lint import concepts, dates, linking, mentions, words
from model_cards.lint.evidence import Entry, Evidence
from model_cards.lint.model import Document, Finding, Sentence
from model_cards.lint.rules import saying
from model_cards.lint.rules.catalogue import RULES

_EVENTS: dict[str, re.Pattern[str]] = {
    "trained": re.compile(
        r"(?<!\w)(?:train(?:ed|ing)?|fit(?:ted|ting)?|fine[- ]?tun\w+|learn(?:ed|t)|trainiert|entraîné)(?!\w)",
        re.IGNORECASE,
    ),
    "evaluated": re.compile(
        (
            r"(?<!\w)(?:evaluat\w*|assess\w*|tested|test(?:s|ing)? (?:was|were)|measured|auswertung|ausgewertet|"
            r"evaluiert|bewertet|évalué\w*|examined)(?!\w)"
        ),
        re.IGNORECASE,
    ),
    "approved": re.compile(
        r"(?<!\w)(?:approv\w*|signed|authori[sz]ed|released?|freigegeben|genehmigt|approuvé)(?!\w)", re.IGNORECASE
    ),
    "collected": re.compile(
        r"(?<!\w)(?:collect\w*|recorded|filed|gathered|acquired|erhoben|gesammelt|recueilli\w*)(?!\w)", re.IGNORECASE
    ),
}
_ENDED = re.compile(r"(?<!\w)(?:completed|finished|concluded|abgeschlossen|terminée?)(?!\w)", re.IGNORECASE)
"""Of what is not said; the last step is meant."""
_EVENT_KEYS = {
    "trained": frozenset({"train", "trained", "training", "fit", "fitted"}),
    "evaluated": frozenset(
        {
            "evaluated",
            "evaluation",
            "assessed",
            "assessment",
            "tested",
            "test",
            "measured",
            "completed",
            "report",
            "results",
            "result",
            "external",
        }
    ),
    "approved": frozenset({"approval", "approved", "signed", "authorised", "authorized", "release", "released"}),
    "collected": frozenset(
        {"collected", "collection", "first", "last", "recorded", "period", "from", "until", "to", "acquired"}
    ),
}
_LAW = re.compile(
    r"(?<!\w)(?:art(?:icle)?s?\.?|annex|regulation|act|law|appl(?:y|ies)|guidance|commission|directive|"
    r"chapter|standards?|(?:pr)?en|iso|iec|cen|cenelec|enquiry)(?!\w)",
    re.IGNORECASE,
)


def check(document: Document, evidence: Evidence) -> Iterator[Finding]:
    """Every date that the evidence has otherwise, or does not have."""
    for sentence in document.sentences:
        if sentence.kind != "code":
            yield from date(sentence, evidence)


def stated_dates(sentence: Sentence) -> list[tuple[str, dates.Date]]:
    """Days that a sentence gives to an event: event, date."""
    if _LAW.search(f"{sentence.text} {sentence.row}") or sentence.text.rstrip().endswith("?"):
        return []
    found = dates.find(sentence.text)
    if not found:
        return []
    stated = []
    for date_ in found:
        if sentence.kind == "cell" or len(sentence.text) < 40:
            around = f"{sentence.row} {sentence.column} {sentence.text}"
        else:
            low = max((d.end for d in found if d.end <= date_.begin), default=0)
            around = sentence.text[low : date_.begin]
            around = around if any(p.search(around) for p in _EVENTS.values()) else sentence.text
        events = [name for name, pattern in _EVENTS.items() if pattern.search(around)]
        if not events and _ENDED.search(around):
            events = ["evaluated"]
        if len(events) == 1:
            stated.append((events[0], date_))
    return stated


_NO_EVENT = frozenset(
    words.words(
        "at on date day time of the by for last first next until from to in and system model data report is year"
    )
)


def _keyed(sentence: Sentence, evidence: Evidence) -> Iterator[Finding]:
    """Dates beside the very name of a dated event of the evidence: `the next review is due on`, `the trial lasted`."""
    if _LAW.search(f"{sentence.text} {sentence.row}") or sentence.text.rstrip().endswith("?"):
        return
    said = [*words.words(sentence.text), *words.words(sentence.row), *words.words(sentence.column)]
    known = [(d, e, _event_words(e)) for d, e in evidence.dates if d.day and not e.derived]
    for stated in dates.find(sentence.text):
        if stated.day is None or stated.year is None or any(stated.agrees(d) for d, _ in evidence.dates):
            continue
        entry = next((e for _, e, own in known if any(words.akin(w, other) for w in own for other in said)), None)
        entry = entry or next((e for _, e, _ in known if _told(e, said)), None)
        if entry is not None:
            yield Finding(
                RULES["date-differs"],
                sentence,
                "medium",
                f"{sentence.text[stated.begin : stated.end]} is given as a day of what the evidence dates otherwise.",
                "Take the date of the evidence, or add the evidence of this one.",
                (stated.begin, stated.end),
                entry.proof,
            )


@functools.lru_cache(maxsize=4096)
def _event_words(entry: Entry) -> frozenset[str]:
    """Words that name the event which an entry dates."""
    row = words.words(entry.key)
    if not set(row) - _NO_EVENT and len(entry.steps) > 1:
        row = words.words(entry.steps[-2])
    return frozenset(w for w in row if w not in _NO_EVENT and len(w) > 3)


@functools.lru_cache(maxsize=4096)
def _told_words(entry: Entry) -> frozenset[str]:
    """Words by which a row or a text says what it dates: `works council consulted` beside `on`."""
    if not isinstance(entry.value, str):
        return frozenset()
    text = set(words.words(entry.value)) if len(entry.value) < 80 else set()
    row = text if len(text) > 4 else set(entry.words) - set(words.words(entry.key))
    return frozenset(w for w in row if w not in _NO_EVENT and len(w) > 3 and not w.isdigit())


def _told(entry: Entry, said: list[str]) -> bool:
    """Are two of the words said that tell what an entry dates, and most of them?"""
    own = _told_words(entry)
    hits = sum(any(words.akin(w, other) for other in said) for w in own)
    return hits > 1 and (entry.rows or 2 * hits >= len(own))


_ONE_END = re.compile(r"\s*(?:to|until|till|and|–|-|through|bis|und|à|au|et)\s*", re.IGNORECASE)


def _ends(sentence: Sentence, evidence: Evidence) -> Iterator[Finding]:
    """`from February 2021 to August 2025`: one end stands in the evidence, with another end beside it."""
    found = dates.find(sentence.text)
    for first, last in itertools.pairwise(found):
        if not _ONE_END.fullmatch(sentence.text[first.end : last.begin]):
            continue
        for right, wrong in ((first, last), (last, first)):
            if any(wrong.agrees(d) for d, _ in evidence.dates) or (wrong.year is None and right.year is None):
                continue
            beside = [
                e
                for d, e in evidence.dates
                if right.agrees(d)
                and sum(e.path[:-1] == o.path[:-1] and e.file == o.file for _, o in evidence.dates) > 1
            ]
            if beside:
                yield Finding(
                    RULES["date-differs"],
                    sentence,
                    "medium",
                    f"{sentence.text[wrong.begin : wrong.end]} ends a period here; the evidence has it otherwise.",
                    "Take the date of the evidence, or add the evidence of this one.",
                    (wrong.begin, wrong.end),
                    beside[0].proof,
                )
                break


def date(sentence: Sentence, evidence: Evidence) -> Iterator[Finding]:
    """A date of an event that is not the one of the evidence."""
    if not evidence.rich:
        yield from _ends(sentence, evidence)
        yield from _keyed(sentence, evidence)
        yield from _uncovered(sentence, evidence)
        yield from _of_another(sentence, evidence)
        yield from _years(sentence, evidence)
    for event, stated in stated_dates(sentence):
        if stated.day is None or not evidence.dates:
            continue
        known = [(d, e) for d, e in evidence.dates if _is_of(event, e)]
        if any(stated.agrees(d) for d, _ in known):
            continue
        anywhere = any(stated.agrees(d) for d, _ in evidence.dates)
        if anywhere or (not known and event == "collected"):
            continue
        entry = known[0][1] if known else None
        has = f"the evidence has {known[0][0].iso}" if known else "the evidence holds no such date"
        yield Finding(
            RULES["date-differs"],
            sentence,
            "high" if known else "medium",
            f"{sentence.text[stated.begin : stated.end]} is given as the day on which it was {event}; {has}.",
            "Take the date of the evidence, or add the evidence of this one.",
            (stated.begin, stated.end),
            entry.proof if entry else None,
        )


_TO_COME = re.compile(
    r"(?<!\w)(?:will|shall|plan\w*|due|next|until|deadline|schedul\w*|foreseen|intended|expect\w*|from "
    r"now|no later than|"
    r"valid|printed|expires?|expiry|apply|applies|born|published|copyright|est\.?|founded|since)(?!\w)",
    re.IGNORECASE,
)


def _uncovered(sentence: Sentence, evidence: Evidence) -> Iterator[Finding]:
    """A day that stands nowhere in evidence that holds days."""
    text = f"{sentence.text} {sentence.row} {sentence.column}"
    if sentence.kind not in {"prose", "cell"} or _LAW.search(text) or _TO_COME.search(text) or not _days(evidence):
        return
    for stated in dates.find(sentence.text):
        if stated.day is None or any(stated.agrees(d) for d, _ in evidence.dates):
            continue
        yield Finding(
            RULES["date-differs"],
            sentence,
            "medium",
            f"{sentence.text[stated.begin : stated.end]} stands nowhere in the evidence, which holds other days.",
            "Take the date of the evidence, or add the evidence of this one.",
            (stated.begin, stated.end),
        )


def _days(evidence: Evidence) -> bool:
    return any(d.day for d, _ in evidence.dates)


def _of_another(sentence: Sentence, evidence: Evidence) -> Iterator[Finding]:
    """A day of the evidence, but of another event than the sentence names."""
    if sentence.kind != "prose" or _LAW.search(sentence.text):
        return
    found = dates.find(sentence.text)
    for stated in found:
        if stated.day is None or stated.year is None:
            continue
        low, high = saying.clause(sentence.text, stated.begin, stated.end)
        said = concepts.fold(tuple(words.words(sentence.text[low:high])))
        said |= concepts.fold(tuple(a + b for a, b in itertools.pairwise(words.words(sentence.text[low:high]))))
        said = frozenset(word for word in said if not word.isdigit()) - _MONTHS
        held = [(linking.source_of(e), d) for d, e in evidence.dates if d.day and not e.derived]
        equal = [s for s, d in held if stated.agrees(d)]
        others = [s for s, d in held if not any(f.agrees(d) for f in found)]
        if not equal or any(s.names & said for s in equal):
            continue
        meant = next((s for s in others if len(s.names & said) > 1 or (s.own and s.own <= said)), None)
        if meant:
            yield Finding(
                RULES["date-differs"],
                sentence,
                "medium",
                f"{sentence.text[stated.begin : stated.end]} is the day of something else; the evidence has "
                f"{meant.entry.value!s:.40} for what is named here.",
                "Take the date of the evidence, or name what this one is of.",
                (stated.begin, stated.end),
                meant.entry.proof,
            )


_MONTHS = concepts.fold(tuple(dates.month_name(month) for month in range(1, 13)))
_YEAR = re.compile(r"(?<![\w.,:/$€£-])(?:19|20)\d\d(?![\w/:-]|[.,]\d|\s?%)")


def _years(sentence: Sentence, evidence: Evidence) -> Iterator[Finding]:
    """A year that stands nowhere in evidence that holds years, outside of dates, titles and law."""
    text = sentence.text
    if sentence.kind != "prose" or not _days(evidence) or _LAW.search(text) or _TO_COME.search(text):
        return
    inside = dates.find(text)
    masked = mentions.mask_names(text)
    for match in _YEAR.finditer(masked):
        if any(d.begin <= match.start() < d.end for d in inside) or int(match[0]) in _held_years(evidence):
            continue
        if not saying.asserted(sentence, *match.span()):
            continue
        yield Finding(
            RULES["date-differs"],
            sentence,
            "medium",
            f"The year {match[0]} stands nowhere in the evidence, which holds other years.",
            "Take the year of the evidence, or add the evidence of this one.",
            match.span(),
        )


@functools.lru_cache(maxsize=4)
def _held_years(evidence: Evidence) -> frozenset[int]:
    """All years between those that stand beside each other, too."""
    dated = {d.year for d, _ in evidence.dates if d.year}
    texts = {str(e.value) for e in evidence.texts} | {str(s) for e in evidence.entries for s in e.path}
    told = {int(y) for text in texts for y in re.findall(r"(?<!\d)(?:19|20)\d\d(?!\d)", text[:500])}
    numbers = {int(e.value) for e in evidence.numbers if isinstance(e.value, int) and 1900 <= e.value < 2100}
    between = range(min(dated), max(dated) + 1) if dated else ()
    return frozenset((*between, *told, *numbers))


def _is_of(event: str, entry: Entry) -> bool:
    file = entry.file.replace("\\", "/").rsplit("/", 1)[-1].rsplit(".", 1)[0]
    around = {word for step in (*entry.path, *entry.steps) for word in words.words(str(step))} | set(words.words(file))
    return bool(_EVENT_KEYS[event] & {*around, *(w + "s" for w in around)})
