"""Numbers that stand behind the very name of a key of the evidence: `dropout of 0.2`, `C was 0.5`, `max depth: 6`."""

from __future__ import annotations

import functools
import re

from model_cards.lint import lexicon, words
from model_cards.lint.evidence import Entry, Evidence
from model_cards.lint.mentions import Mention
from model_cards.lint.model import Sentence
from model_cards.lint.rules import counts, tokens
from model_cards.lint.rules.tokens import Tokens

MOST_VALUES = 4
"""Different values of a key, beyond which its name says too little."""
MOST_NUMBERS = 2_000
"""Numbers of the evidence, beyond which many things have the name of some key."""
LONGEST = 5
"""Words of a key."""
_LINK = re.compile(
    r"\s*(?:of|is|was|=|:|equals|set to|was set to|is set to|at|von|beträgt|ist|de|est)?\s*$", re.IGNORECASE
)
_UNITS = frozenset(
    words.words("second seconds ms minutes hours days hz khz kwh wh watt mm cm kg gb mb pixels percent pct eur")
)
"""Last words of keys that say in what it is measured: `window_seconds`."""
_LIGHT = frozenset(words.words("the a of in for and median mean average typical used per"))
_VAGUE = frozenset(
    words.words(
        "value score result n count size total number low high lower upper level threshold mean std median share rate "
        "row version year month day seed index id part point line page test train from to until year years p k at"
    )
)


def named(sentence: Sentence, text: Tokens, mention: Mention, evidence: Evidence) -> list[Entry]:
    """The values of the key that is named right before a number, or by the row of its cell."""
    if len(evidence.numbers) > MOST_NUMBERS:
        return []
    if mention.unit == "time" and set(text.before(mention.begin, 2)) & (lexicon.row_nouns() | {"of"}):
        return []  # `patients of 80 years`
    table = _keys(evidence)
    if sentence.kind == "cell" and sentence.row and len(text.row) <= 3:
        if sentence.place.cell and sentence.place.cell[1] != 2:
            return []
        return _of_row(sentence, mention, table)
    for length in range(LONGEST, 0, -1):
        before = [i for i, (_, end) in enumerate(text.at) if end <= mention.begin]
        for last in (before[-1:], before[-2:-1], before[-3:-2]):
            if not last or last[0] + 1 < length:
                continue
            begin, end = last[0] + 1 - length, last[0] + 1
            row = text.row[begin:end]
            if row not in table or not _LINK.fullmatch(text.text[text.at[end - 1][1] : mention.begin]):
                continue
            shown = text.text[text.at[begin][0] : text.at[end - 1][1]]
            if len(shown) == 1 and not any(entry.key == shown for entry in table[row]):
                continue
            if begin and (text.row[begin - 1].isdigit() or text.row[begin - 1] in counts.SPELLED):
                return []  # `in five plants: 142 pumps`: it has its own number before it
            return [entry for other, held in table.items() if other[-length:] == row for entry in held]
    return _apart(text, mention, table)


_SUFFIXES = {
    "ms": ("ms", "milliseconds", "millisecond"),
    "h": ("h", "hours", "hour"),
    "hour": ("h", "hours", "hour"),
    "day": ("d", "days", "day"),
    "minute": ("min", "minutes", "minute"),
    "second": ("s", "seconds", "second"),
    "week": ("weeks", "week"),
    "month": ("months", "month"),
    "euro": ("euros", "euro", "eur"),
}
WINDOW = 8
"""Words on each side of a number among which the words of a key are looked for."""


def around(text: Tokens, mention: Mention, evidence: Evidence) -> list[Entry]:
    """`the reaction takes 168 ms` for `reaction_ms`, `0.9 false stops per shift` for `false_stops_per_shift`."""
    if len(evidence.numbers) > MOST_NUMBERS:
        return []
    low, high = text.clause(mention.begin, mention.end)
    row = [(word, begin) for word, (begin, end) in zip(text.row, text.at, strict=True) if low <= begin and end <= high]
    before = [word for word, begin in row if begin < mention.begin][-WINDOW:]
    after = [word for word, begin in row if begin >= mention.begin]
    unit = next((word for word in after[: 2 if mention.unit else 3] if not word.isdigit()), "")
    near = {*before, *after[:WINDOW]}
    for key, entries in _keys(evidence).items():
        if len(key) < 2:
            continue
        forms = _SUFFIXES.get(key[-1])
        if forms and mention.unit == "time" and unit in {words.stem(f) for f in forms}:
            telling = [word for word in key[:-1] if word not in _VAGUE and word not in _LIGHT and len(word) > 3]
            if telling and any(words.akin(word, other) for word in telling[:1] for other in near):
                return list(entries)
        elif "per" in key[1:-1] and set(key) <= near and set(key[: key.index("per")]) <= set(after[:WINDOW]):
            return list(entries)
    return []


def _of_row(sentence: Sentence, mention: Mention, table: dict[tuple[str, ...], tuple[Entry, ...]]) -> list[Entry]:
    """The values of the key that a row of a table is named by, whole, or in other order with words left out."""
    row = tokens.of(sentence.row).row
    found = list(table.get(row, ()))
    if not found and len(telling := set(row) - _VAGUE - _LIGHT) > 1 and not lexicon.measures().find(row):
        found = [entry for other, held in table.items() if telling <= set(other) for entry in held]
    if mention.whole and mention.value > 1 and all(0 <= abs(float(e.value or 0)) < 1 for e in found):
        return []  # a count beside the name of a share
    return found if len({entry.value for entry in found}) <= MOST_VALUES else []


def _apart(text: Tokens, mention: Mention, table: dict[tuple[str, ...], tuple[Entry, ...]]) -> list[Entry]:
    """`the regularisation constant C is 0.05` for `regularisation_c`: all words of a key shortly before, in order."""
    shortly = [word for word, (_, end) in zip(text.row, text.at, strict=True) if end <= mention.begin][-6:]
    for row, entries in table.items():
        if len(row) < 2 or row[-1] not in shortly[-3:] or mention.whole:
            continue
        left = iter(shortly)
        if all(word in left for word in row):
            last = max(i for i, (_, end) in enumerate(text.at) if end <= mention.begin and text.row[i] == row[-1])
            if _LINK.fullmatch(text.text[text.at[last][1] : mention.begin]):
                return list(entries)
    return []


@functools.lru_cache(maxsize=4)
def _keys(evidence: Evidence) -> dict[tuple[str, ...], tuple[Entry, ...]]:
    """Words of a key to the numbers there, where they are few."""
    found: dict[tuple[str, ...], list[Entry]] = {}
    for entry in evidence.numbers:
        if entry.derived or not entry.path or not isinstance(entry.path[-1], str):
            continue
        row = tuple(words.words(entry.key))
        if 0 < len(row) <= LONGEST and not set(row) <= _VAGUE and not row[0].isdigit():
            found.setdefault(row, []).append(entry)
            if len(row) > 1 and row[-1] in _UNITS:
                found.setdefault(row[:-1], []).append(entry)
    return {row: tuple(e) for row, e in found.items() if len({entry.value for entry in e}) <= MOST_VALUES}
