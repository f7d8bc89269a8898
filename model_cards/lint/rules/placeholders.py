"""Text that stands for something to be filled in."""

from __future__ import annotations

import re
from collections.abc import Iterator

from configs import placeholders
from model_cards.lint.evidence import Evidence
from model_cards.lint.model import Confidence, Document, Finding, Sentence
from model_cards.lint.rules.catalogue import RULES

_EVERYWHERE: tuple[tuple[str, Confidence, str], ...] = (
    (placeholders.TEMPLATE, "high", "template syntax"),
    (placeholders.NOTE, "high", "a note to oneself"),
    (placeholders.BRACKET, "high", "a bracket to be filled"),
    (
        (
            r"<\s*(?:insert|add|enter|your|fill|tbd|todo|name|place|date|company|version|value|number|"
            r"address|xx+|describe|author|title|[a-z]+(?:[ _-][a-z]+){1,5})[^<>]{0,60}>|<[A-Z][A-Z _-]{2,40}>"
        ),
        "high",
        "angle brackets to be filled",
    ),
    (
        r"[(\[](?:YEAR|DATE|NAME|VERSION|AUTHORS?|TITLE|NUMBER|URL|DOI)[)\]]|(?<!\w)Author et al\.",
        "high",
        "a blank to be filled",
    ),
    (placeholders.FILLER, "high", "filler text"),
    (r"(?<![\w#])#{3,}(?!\s)|\$[A-Z][A-Z_]{2,}(?!\w)|(?<=[-_])#{2,}", "high", "a blank to be filled"),
    (
        r"(?<![\w.-])(?:0{6,}|1234567890?|9{6,})(?![\w.-]*\w)|(?<![\w.])[xX]{3,}(?:[@./-][xX]{2,})+",
        "medium",
        "a dummy value",
    ),
    (r"_{2,}[./]\s?_{2,}|_{4,}|(?<=:)\s*(?:\.{4,}|…{2,}|-{4,}|—{2,})(?!\s*\d)", "medium", "a blank to be filled"),
    (
        r"(?<!\w)(?i:(?:dd|tt|jj|mm)[./ -](?:mm|dd|tt)[./ -](?:yy|jj|aa){1,2}|(?:yyyy|jjjj|aaaa)[./-]mm[./-](?:dd|"
        r"tt|jj))(?!\w)"
        r"|(?<=[Rr]evision )X{1,2}(?!\w)|(?<=[Vv]ersion )[Xx](?:\.[Xx])*(?!\w)|(?<=[Nn]o\. )X{2,}(?!\w)",
        "high",
        "a blank to be filled",
    ),
    (r"(?<![\w?])\?{2,}(?!\w)", "medium", "question marks for something missing"),
    (
        r"(?<![\w.-])(?:NaN|nan|NaT|#N/A|#REF!|#DIV/0!|#VALUE!|<NA>|\[object Object\])(?![\w-])",
        "high",
        "a value that a program could not compute",
    ),
    (r"(?<![\w.-])(?:N\.\s?N\.|n\.n\.)(?!\w)", "medium", "a person without a name"),
)
_PATTERNS = tuple(
    (re.compile(p, re.IGNORECASE if "lorem" in p or "TBD" in p or "insert" in p else 0), c, w)
    for p, c, w in _EVERYWHERE
)
_NOT_NUMBERS = frozenset({"NaN", "nan", "NaT"})
_DATE_FORMS = frozenset(
    {"dd/mm/yyyy", "dd.mm.yyyy", "mm/dd/yyyy", "yyyy-mm-dd", "tt.mm.jjjj", "jj/mm/aaaa", "dd-mm-yyyy"}
)
_EXPLAINS = re.compile(
    r"(?<!\w)(?:formats?|written as|in the form|schreibweise|missing|encoded|represented|not a number|quiet|"
    r"little-endian|fehlend\w*|manquant\w*|codes?)(?!\w)",
    re.IGNORECASE,
)
"""Words of a sentence that speaks about NaN instead of holding one."""
_WHOLE = re.compile(rf"(?:{placeholders.WHOLE})\.?", re.IGNORECASE)
_LABELLED = re.compile(
    (
        r"^[^.!?]{2,60}?(?::|=|\s-)\s*[\"'`(]?(?P<value>none|null|nan|unknown|undefined|tbd|tba|todo|"
        r"xx+|\?+|unbekannt|inconnu|unspecified|-{3,}|…|\.\.\.)[\"'`)]?\.?$"
    ),
    re.IGNORECASE,
)
_IS_NONE = re.compile(
    r"(?<!\w)(?:is|are|was|were|be|equals|ist|beträgt|of|=|by|at)\s+(?P<value>None|null|NaN|nan|"
    r"undefined)(?!\w)(?!\s+of)"
)
_HARMLESS_BRACKET = re.compile(r"^<(?:https?|mailto|www)|^<\s*\d|^\{\d")
_NONE_IS_ANSWER = re.compile(
    (
        r"(?:known|other|further|open|allerg|exception|deviation|waiver|restriction|incident|complaint|"
        r"change|änder|modif|bekannt|connu|weitere|autre|"
        r"side effect|mitigation|augmentation|missing|not |failed|conflict|contraindication|"
        r"recall|pre-?trained|transform|encod|drop ?out|default|special categor)"
    ),
    re.IGNORECASE,
)


def check(document: Document, evidence: Evidence) -> Iterator[Finding]:
    """Every placeholder of a document."""
    for sentence in document.sentences:
        if sentence.kind == "code":
            continue
        for begin, end, what, confidence in _find(sentence):
            yield Finding(
                RULES["placeholder"],
                sentence,
                confidence,
                f"“{sentence.text[begin:end]}” is {what}.",
                "Fill it in, or say openly that it is not known and who will supply it.",
                (begin, end),
            )


def _find(sentence: Sentence) -> list[tuple[int, int, str, Confidence]]:
    """All placeholders of a sentence, none within another; else the one that it is as a whole."""
    text = sentence.text
    found: list[tuple[int, int, str, Confidence]] = []
    for pattern, confidence, what in _PATTERNS:
        for match in pattern.finditer(text):
            if (match[0] in _NOT_NUMBERS or match[0].lower() in _DATE_FORMS) and _EXPLAINS.search(text):
                continue
            free = all(match.end() <= begin or end <= match.start() for begin, end, _, _ in found)
            if free and match[0] and not _HARMLESS_BRACKET.match(match[0]):
                found.append((*match.span(), what, confidence))
    whole = None if found else _whole(sentence)
    return [whole] if whole else found


def _whole(sentence: Sentence) -> tuple[int, int, str, Confidence] | None:
    text = sentence.text
    if (
        sentence.kind == "cell"
        and sentence.place.cell
        and sentence.place.cell[1] > 1
        and _WHOLE.fullmatch(text.strip("`*_ ()"))
    ):
        # `none` is a word and an answer; `None` is what Python prints.
        answer = text.strip() == "none" or (text.strip(" .") == "None" and _NONE_IS_ANSWER.search(sentence.context))
        return 0, len(text), "no value", "low" if answer else "high"
    if (match := _LABELLED.match(text)) and not (
        match["value"].lower() == "none" and _NONE_IS_ANSWER.search(text[: match.start("value")])
    ):
        return *match.span("value"), "no value", "low" if sentence.kind == "meta" else "high"
    if match := _IS_NONE.search(text):
        return *match.span("value"), "a value of a program, not of a document", "high"
    return None
