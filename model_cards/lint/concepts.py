"""Words as concepts: their roots, and one name for what documents and evidence call differently."""

from __future__ import annotations

import functools
import re
from pathlib import Path

from configs import strict_yaml
from configs.base import Section
from model_cards.lint import lexicon, words

PLACE = Path(__file__).with_name("thesaurus.yaml")
ATTRIBUTES = frozenset({"residence", "nationality", "gender", "disability", "child", "language", "elderly"})
"""Concepts of the thesaurus for what persons have."""
LEAST_ROOT = 4
_ENDINGS = (
    *("isation", "ization", "ification", "ation", "ition", "ement", "ment", "ness", "ance", "ence", "ated", "ating"),
    *("ative", "ings", "ing", "ion", "ive", "ity", "ied", "ies", "ed", "ly", "ate", "ise", "ize", "e", "y"),
)
_SPELLINGS = tuple(
    (re.compile(pattern), other)
    for pattern, other in (
        (r"ific(?:ations?|ate[sd]?)$|ifi(?:ed|es|er)$|ifying$", "ify"),  # `verified`, `verification`
        (r"i[sz](?:ed|es|ing)$", "ise"),  # `anonymized`, `anonymise`
        (r"(?<=[bvlnmp])our(?=$|s|ed|ing|able|al|hood|ite)", "or"),  # `behaviour`, `neighboring`
        (r"(?<=[bt])re$", "er"),  # `centre`, `fibre`
        (r"yz(?=e|ing)", "ys"),  # `analyze`
        (r"ll(?=ed$|ing$)", "l"),  # `modelled`, `labeling`
        (r"(?<=^p|^h|^n)ae(?=d|m)|(?<=^an|^th|op|rt)ae(?=m|s|d)", "e"),  # `paediatric`, `anaemia`
        (r"(?<=licen|defen|offen)ce(?=d?$)", "se"),
        (r"ramme$", "ram"),  # `programme`
        (r"ogue$", "og"),  # `catalogue`
    )
)
"""British and American spellings of one word, and forms that the endings do not fold."""
_FAMILIES = {
    "decis": "decid",
    "inclus": "includ",
    "exclus": "exclud",
    "descript": "describ",
    "transmiss": "transmit",
    "permiss": "permit",
    "submiss": "submit",
    "omiss": "omit",
    "resolut": "resolv",
    "divis": "divid",
    "provis": "provid",
    "erasur": "eras",
    "extens": "extend",
    "respons": "respond",
    "suspens": "suspend",
    "intervent": "interven",
    "retent": "retain",
    "maintenanc": "maintain",
    "recept": "receiv",
    "receipt": "receiv",
    "reduct": "reduc",
    "destruct": "destroy",
    "consumpt": "consum",
    "loss": "lose",
    "analysi": "analys",
    "analysis": "analys",
    "signatur": "sign",
    "failur": "fail",
    "storag": "store",
    "stor": "store",
    "stored": "store",
    "registr": "regist",
    "register": "regist",
    "prescript": "prescrib",
    "agreem": "agree",
    "agreed": "agree",
    "sale": "sell",
    "sold": "sell",
    "kept": "keep",
    "held": "hold",
    "sent": "send",
    "built": "build",
    "chosen": "choos",
    "chose": "choos",
    "written": "writ",
    "wrote": "writ",
    "taken": "take",
    "took": "take",
    "given": "give",
    "gave": "give",
    "shown": "show",
    "seen": "see",
    "known": "know",
    "broken": "break",
    "broke": "break",
    "stolen": "steal",
    "women": "woman",
    "withdrawal": "withdraw",
    "withdrew": "withdraw",
    "withdrawn": "withdraw",
}
"""Roots of words of one family that endings alone do not bring together."""
_TAIL = re.compile(r"([a-z]{3,})(\d+)")
_MOST_WORDS = 5
"""Words of a phrase."""


class Thesaurus(Section):
    """The file as it stands."""

    version: int
    same: dict[str, tuple[str, ...]]
    wider: dict[str, tuple[str, ...]]
    opposites: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]


@functools.lru_cache(maxsize=65536)
def root(word: str) -> str:
    """A word without the endings of its forms: `encrypted`, `encryption` and `encrypt` are one. Crude, and stable."""
    word = words.stem(word)
    for pattern, other in _SPELLINGS:
        word = pattern.sub(other, word)
    if len(word) > LEAST_ROOT + 2 and word.endswith(("sal", "val")):
        word = word[:-2]  # `refusal`, `approval`
    for _ in range(2):
        for ending in _ENDINGS:
            if word.endswith(ending) and len(word) - len(ending) >= LEAST_ROOT:
                word = word[: -len(ending)]
                break
        else:
            break
    if len(word) > LEAST_ROOT and word[-1] == word[-2] and word[-1] not in "sl":
        word = word[:-1]  # `dropped`
    return _FAMILIES.get(word, word)


@functools.cache
def load() -> Thesaurus:
    """Read the thesaurus that ships with proofline."""
    return Thesaurus.model_validate(strict_yaml.parse(PLACE.read_text(encoding="utf-8"), "thesaurus of the linter"))


@functools.cache
def known() -> frozenset[str]:
    """Concepts of the thesaurus that are topics: of what is said to be done, or to be so."""
    return frozenset(load().wider) - {"staff", "public"}


@functools.cache
def _phrases(kind: str) -> dict[tuple[str, ...], str]:
    """Roots of a phrase to its concept."""
    table = load()
    found: dict[tuple[str, ...], str] = {}
    for name, phrases in (*table.same.items(), *(table.wider.items() if kind == "wider" else ())):
        for phrase in phrases:
            found[tuple(root(word) for word in words.words(phrase))] = name
    return found


@functools.cache
def opposites() -> tuple[tuple[frozenset[str], frozenset[str]], ...]:
    """Concepts of which one side denies the other, both ways round."""
    sides = [(fold(one, "wider"), fold(other, "wider")) for one, other in load().opposites]
    return tuple(pair for one, other in sides for pair in ((one, other), (other, one)))


def fold(row: tuple[str, ...], kind: str = "same") -> frozenset[str]:
    """The concepts of a row of words in normal form."""
    return frozenset(concept for concept, _, _ in spans(row, kind))


@functools.lru_cache(maxsize=1 << 16)
def spans(row: tuple[str, ...], kind: str = "same") -> tuple[tuple[str, int, int], ...]:
    """The concepts of a row of words, each with its words (from, to).

    `same` folds the names of measures, of groups and of the parts of the data, too; `wider` leaves them as they are.
    """
    phrases = _phrases(kind)
    row = tuple(row)
    found: list[tuple[str, int, int]] = []
    named = {}
    if kind == "same":
        named = {span.begin: span for span in lexicon.measures().find([_bare(word) for word in row])}
    roots = [root(word) for word in row]
    position = 0
    while position < len(row):
        if span := named.get(position):
            found.append((span.concept, span.begin, span.end))
            # `mAP50` and `mAP50-95` are two measures under one name.
            found += [(d, span.begin, span.end) for w in row[span.begin : span.end] for d in re.findall(r"\d\d+", w)]
            position = span.end
            continue
        for length in range(min(_MOST_WORDS, len(row) - position), 0, -1):
            if concept := phrases.get(tuple(roots[position : position + length])):
                found.append((concept, position, position + length))
                position += length
                break
        else:
            found += [(concept, position, position + 1) for concept in _single(row[position], roots[position], kind)]
            position += 1
    return tuple(found)


@functools.cache
def _parts() -> dict[str, str]:
    """A single word for a part of the data to the part."""
    names = ((part, words.words(name)) for part, names in lexicon.load().parts.items() for name in names)
    return {row[0]: part for part, row in names if len(row) == 1}


@functools.lru_cache(maxsize=4096)
def _bare(word: str) -> str:
    """The name of a measure without its number: `lr0`; any other word as it is."""
    match = re.fullmatch(r"([a-z]{2,})\d+", word)
    return match[1] if match and not lexicon.measures().find([word]) and lexicon.measures().find([match[1]]) else word


def _single(word: str, own: str, kind: str) -> list[str]:
    if kind == "same":
        if part := _parts().get(word):
            return [part]
        if group := lexicon.canonical().get(word):
            return [group]
    if (match := _TAIL.fullmatch(word)) and own == word:
        return [_phrases(kind).get((root(match[1]),), root(match[1])), match[2]]
    return [root(word)]
