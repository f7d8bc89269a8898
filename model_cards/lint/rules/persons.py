"""Who is said to have done something: persons, places and outside bodies that the evidence does not have."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator

from model_cards.lint import concepts, words
from model_cards.lint.evidence import Evidence
from model_cards.lint.model import Document, Finding, Sentence
from model_cards.lint.rules import praise, tokens
from model_cards.lint.rules.catalogue import RULES

_TITLE = r"(?:(?:Dr|Prof|Mr|Ms|Mrs|Ing|Dipl)\.?(?:-Ing\.)? )"
_SURNAME = r"(?:(?:van|von|de|der|den|di|da|del) )*[A-ZÄÖÜ][\w'’-]+"
_PERSON = re.compile(rf"(?<![\w.])(?:{_TITLE}+(?:[A-ZÄÖÜ]\. ?|[A-ZÄÖÜ][\w-]+ )?|(?:[A-ZÄÖÜ]\. ?)+){_SURNAME}")
_DID = re.compile(
    r"(?<!\w)(?:sign\w*|approv\w*|releas\w*|review\w*|responsible|validat\w*|lead|owner|owns|accept\w*|audit\w*|"
    r"check\w*|"
    r"clear\w*|author\w*|assess\w*|inspect\w*)(?!\w)",
    re.IGNORECASE,
)
"""Words of what persons answer for."""
_BY = re.compile(
    r"(?:by|responsible:?|owner:?|lead:?|signed:?)\s+(?P<name>[A-ZÄÖÜ][\w-]+ (?:[A-Z]\. )?[A-ZÄÖÜ][\w-]+)(?!\w)"
)
_PLACE_KEYS = frozenset({"city", "town", "place", "seat", "country", "location", "street", "address"})
_BESIDE = re.compile(r",\s+(?P<name>[A-ZÄÖÜ][\w-]{2,}(?: [A-ZÄÖÜ][\w-]+)?)(?=[,.;]|$)")
_BODIES: dict[str, tuple[str, ...]] = {
    "university": ("university", "universities", "college", "academy", "universität", "institute", "institutes"),
    "authority": ("authority", "authorities", "regulator", "regulators", "inspectorate", "ministry", "ombudsman"),
    "notified body": ("notified body", "notified bodies", "tüv", "dekra", "certification body"),
    "auditor": ("auditor", "auditors", "consultancy", "consultants", "law firm"),
    "laboratory": ("laboratory", "laboratories", "test house"),
    "works council": ("works council", "staff council", "trade union", "employee representatives"),
    "ethics committee": ("ethics committee", "ethics board", "review board", "ethics"),
}
"""Outside bodies, each by the words that name it."""
_EXAMINED = (
    r"(?:approved|examined|reviewed|audited|tested|validated|confirmed|checked|inspected|assessed|certified|"
    r"accepted|endorsed|"
    r"cleared|attacked|measured|repeated|replicated|reproduced|verified|evaluated|authori[sz]ed|agreed|consented)"
)
_FULL_NAME = re.compile(rf"{_TITLE}*[A-ZÄÖÜ][\w-]+ (?:[A-Z]\. )?{_SURNAME}")
"""`Ada Example`, with or without a title."""
_PERSON_KEYS = frozenset(words.words("name by signed owner lead reviewer assessor author responsible"))
"""Words of keys under which persons stand."""
_NAMED_KEYS = frozenset(
    words.words(
        "provider host hosting hosted vendor supplier stored storage seat location place city country firm company "
        "publisher database tool platform cloud device camera sensor scanner lab body institute bank center centre"
    )
)
"""Words of keys under which places, firms and products stand."""
_AFTER = re.compile(
    r"(?<!\w)(?:in|at|by|with|from|on) (?:the )?(?P<name>[A-ZÄÖÜ][a-zäöüß]{3,}(?: [A-ZÄÖÜ][\w-]+)?)(?![\w-])"
    r"(?! (?:Act|Regulation|Directive))"
)
"""`In Frankfurt`, `by Infomaniak`: a capital word where something is, or by whom it is done."""
_NO_NAME = frozenset(
    words.words(
        "january february march april june july august september october november december monday tuesday wednesday "
        "thursday friday saturday sunday article annex chapter section europe regulation table figure appendix version "
        "release python english german french"
    )
)
"""Capital words in such places that name neither."""
_GENERAL = concepts.fold(
    tuple(words.words("name id by in data model system type city country company provider tool body the")), "wider"
)
"""Concepts of keys of names that say nothing of what is named."""
LONGEST = 80
"""Characters of a text that names something."""
_LONG_NAME = 6
"""Letters from which on two may differ between a name and a slip of it; below, one."""


def check(document: Document, evidence: Evidence) -> Iterator[Finding]:
    """Every person, place or outside body that is named for what the evidence has otherwise, or has nothing of."""
    if evidence.rich:
        return
    lower = frozenset(re.findall(r"(?<!\w)[a-zäöü][\w-]+", " ".join(s.text for s in document.sentences)))
    for sentence in document.sentences:
        if sentence.kind not in {"prose", "cell"}:
            continue
        yield from _persons(sentence, evidence)
        yield from _places(sentence, evidence)
        yield from _nearly(sentence, evidence, lower)
        yield from _named(sentence, evidence)
        if sentence.kind == "prose":
            yield from _bodies(sentence, evidence)


@functools.lru_cache(maxsize=4)
def _all_text(evidence: Evidence) -> str:
    """All keys and texts of the evidence in one, in lower case without accents."""
    keys = {str(step) for e in evidence.entries for step in e.path if isinstance(step, str)}
    return words.plain(" ".join([*keys, *(str(e.value) for e in evidence.texts)])).replace("_", " ")


@functools.lru_cache(maxsize=4)
def _has_persons(evidence: Evidence) -> bool:
    """Does the evidence name persons at all?"""
    held = (str(e.value) for e in evidence.texts if _of_person(e.key))
    return any(_PERSON.fullmatch(text) or _FULL_NAME.fullmatch(text) for text in held)


def _of_person(key: str) -> bool:
    """Does a person stand under a key of this name?"""
    return bool(_PERSON_KEYS & set(words.words(key)))


def _persons(sentence: Sentence, evidence: Evidence) -> Iterator[Finding]:
    """`Signed by M. Novotny`, where the evidence has other persons and not this one."""
    if not _has_persons(evidence) or not _DID.search(f"{sentence.row} {sentence.column} {sentence.text}"):
        return
    spans = [m.span() for m in _PERSON.finditer(sentence.text)] + [m.span("name") for m in _BY.finditer(sentence.text)]
    for begin, end in spans:
        surname = words.plain(sentence.text[begin:end].split()[-1].strip("."))
        if len(surname) > 2 and surname not in _all_text(evidence) and praise.asserted(sentence, (begin, end)):
            yield _finding(sentence, (begin, end), "model-differs", "The evidence has other persons, and not this one.")
            return


def _places(sentence: Sentence, evidence: Evidence) -> Iterator[Finding]:
    """`Hissi Oy, Turku`, where the evidence has that name beside another city."""
    for e in evidence.texts:
        name = str(e.value)
        if e.derived or not 4 < len(name) <= LONGEST or name not in sentence.text or not re.match(r"[A-ZÄÖÜ]", name):
            continue
        places = (o for o in evidence.texts if o.key.lower() in _PLACE_KEYS)
        beside = [o for o in places if (o.file, o.path[:-1]) == (e.file, e.path[:-1])]
        match = _BESIDE.match(sentence.text, sentence.text.index(name) + len(name))
        if match is None or not beside or words.plain(match["name"]) in _all_text(evidence):
            continue
        yield _finding(sentence, match.span("name"), "model-differs", f"The evidence has {beside[0].value} beside it.")
        return


def _named(sentence: Sentence, evidence: Evidence) -> Iterator[Finding]:
    """`Hosting is done by Infomaniak`, where the evidence has another provider of the hosting."""
    matches = [m for m in _AFTER.finditer(sentence.text) if words.stem(m["name"].split()[0].lower()) not in _NO_NAME]
    if len(matches) != 1 or words.plain(matches[0]["name"]) in _all_text(evidence):
        return
    said = concepts.fold(tokens.of(sentence.text).row, "wider")
    for e in evidence.texts:
        value = str(e.value)
        row = {w for step in e.steps[-2:] for w in words.words(step)}
        if e.derived or e.rows or not row & _NAMED_KEYS or not re.match(r"[A-ZÄÖÜ][\w-]+(?: [\w-]+){0,2}$", value):
            continue
        names = concepts.fold(tuple(row), "wider") - _GENERAL
        if names & said and value.lower() not in sentence.text.lower() and praise.asserted(sentence, matches[0].span()):
            yield _finding(sentence, matches[0].span("name"), "model-differs", f"The evidence has {value} there.")
            return


def _nearly(sentence: Sentence, evidence: Evidence, lower: frozenset[str]) -> Iterator[Finding]:
    """`Dr. Hohn`, where the evidence has `Dr. Mohn`: a name with a letter or two otherwise."""
    for match in re.finditer(r"(?<=[\w,:] )[A-ZÄÖÜ][a-zäöüß]{3,}(?![\w-])", sentence.text):
        word = match[0]
        if word.lower() in lower or words.plain(word) in _all_text(evidence):
            continue
        allowed = 1 if len(word) < _LONG_NAME else 2
        for name in _name_words(evidence):
            if len(name) == len(word) and 0 < sum(a != b for a, b in zip(word, name, strict=True)) <= allowed:
                yield _finding(
                    sentence, match.span(), "version-differs", f"The evidence has {name}, which is nearly it."
                )
                return


@functools.lru_cache(maxsize=4)
def _name_words(evidence: Evidence) -> frozenset[str]:
    """Capital words of names of persons, firms and places."""
    return frozenset(
        word
        for e in evidence.texts
        if not e.derived and len(str(e.value)) <= LONGEST and len(str(e.value).split()) < 5
        for word in re.findall(r"(?<!\w)[A-ZÄÖÜ][a-zäöüß]{3,}(?!\w)", str(e.value))
    )


def _bodies(sentence: Sentence, evidence: Evidence) -> Iterator[Finding]:
    """`A university has validated the model`, where the evidence speaks of none."""
    low = sentence.text.lower()
    for title, names in _BODIES.items():
        row = "|".join(re.escape(name) for name in names)
        match = re.search(
            rf"(?<!\w)(?:{row})(?: (?!not|never)[\w-]+){{0,4}}? (?:has |have |had )?(?:also )?{_EXAMINED}(?!\w)|"
            rf"(?<!\w){_EXAMINED} (?:\w+ )?by (?:[\w-]+ ){{0,4}}?(?:{row})(?!\w)",
            low,
        )
        held = any(words.plain(name) in _all_text(evidence) for name in names)
        if match and not held and praise.asserted(sentence, match.span()):
            yield Finding(
                RULES["claim-unsupported"],
                sentence,
                "medium",
                f"No evidence speaks of such a body at all: {title}.",
                "Add the record of it, or take it out.",
                match.span(),
            )
            return


def _finding(sentence: Sentence, span: tuple[int, int], rule: str, message: str) -> Finding:
    shown = sentence.text[span[0] : span[1]]
    advice = "Take the name of the evidence, or add its evidence."
    return Finding(RULES[rule], sentence, "medium", f"“{shown}”: {message}", advice, span)
