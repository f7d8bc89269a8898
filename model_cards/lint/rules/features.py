"""Attributes that are said not to be used, although they are features."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator

from model_cards.lint import concepts, lexicon, words
from model_cards.lint.evidence import Entry, Evidence
from model_cards.lint.model import Document, Finding, Sentence
from model_cards.lint.rules import saying
from model_cards.lint.rules.catalogue import RULES

_UNUSED = re.compile(
    r"(?:(?:is|are|was|were|does|do|did|has been|have been)\s+(?:deliberately |explicitly |intentionally |"
    r"therefore |also )*(?:not|never)\s+(?:\w+\s+){0,3}?(?:used|included|considered|processed|"
    r"part of|among|an? (?:input|feature)s?|inputs?|features?|fed|taken into account|known|seen)"
    r"|(?:is|are|was|were|has been|have been)\s+(?:deliberately |explicitly |intentionally |therefore |"
    r"completely )*(?:excluded|removed|dropped|left out|omitted|ignored|withheld|stripped|eliminated)"
    r"|(?:does not|do not|never|doesn't)\s+(?:use|see|consider|take|receive|know|process|rely on)"
    r"|(?:plays?|played)\s+no\s+(?:role|part)|(?:has|have|had)\s+no\s+(?:influence|effect|bearing|impact|weight)"
    r"|(?:does|do|did)\s+not\s+(?:enter|influence|affect|matter|count|figure|flow|play)|(?:is|are)\s+(?:irrelevant|"
    r"immaterial|unknown|invisible)\s+(?:to|for)|(?:is|are)\s+not\s+(?:fed|given|passed|shown|available|"
    r"looked at|needed)|(?:does|do) not (?:look at|ask for|ask|know|learn|read|weigh|use|store)"
    r"|(?:without|no)\s+(?:any\s+)?(?:use of|access to|knowledge of)|(?:is|are)\s+blind to|excludes?|"
    r"not use|wird nicht verwendet|werden nicht verwendet|ist kein merkmal|n'est pas utilisée?)",
    re.IGNORECASE,
)
_LISTED = frozenset({"feature", "input", "predictor", "covariate", "column", "variable"})
_NOT_LISTED = frozenset(
    {"protected", "sensitive", "excluded", "dropped", "removed", "unused", "ignored", "not", "test"}
)
"""Words of the name of a list that holds other columns than what a model takes; columns of test rows are groups, target
and documents, too."""
_BESIDE = frozenset({"of", "as", "from", "than", "by", "beside"})
"""Before a name that is only compared with: `the opposite of A`, `the same as B`."""
_KINDS = frozenset(
    words.words(
        "type grade code level status id number of value count rate size date group total current month year score "
        "area band index flag kind name class category in per is has"
    )
)
"""Words of a name that say in which form an attribute is held, not which it is."""
SHORT = 8
"""Words of what is said not to be used, up to which the telling word of a name is enough: `the kind of school`."""
_LABEL = re.compile(r"(?:does not see|not used|unused|excluded)", re.IGNORECASE)


def check(document: Document, evidence: Evidence) -> Iterator[Finding]:
    """Every statement that an attribute is not used, where the evidence lists it among the features."""
    features = list(_listed(evidence))
    if not features:
        return
    for sentence in document.sentences:
        if sentence.text.rstrip().endswith("?"):
            continue
        said: list[re.Match[str] | None] = list(_UNUSED.finditer(sentence.text))
        label = re.match(r"^[^:]{0,40}:", sentence.text)
        if not said and label and _LABEL.search(label[0]):
            said = [None]
        hit = next(((found, match) for match in said if (found := _named(sentence, features, match))), None)
        if hit:
            (name, entry), match = hit
            yield Finding(
                RULES["claim-contradicted"],
                sentence,
                "high",
                f"“{name}” is said not to be used; the evidence lists it as a feature.",
                "Say that it is used and why, or train without it.",
                match.span() if match else (0, len(sentence.text)),
                entry.proof,
            )


_USED = re.compile(
    r"(?<!\w)(?:enters?|goes? into|feeds? into|flows? into|counts?(?= (?:for|towards|in|as))|influences?|affects?|"
    r"plays? a (?:role|part)|(?:is|are) taken into account|has (?:an )?(?:influence|effect|weight)|helps? to)(?!\w)|"
    r"(?<!\w)(?:is|are|was|were)\s+(?:also |indeed |therefore )?(?:used|included|considered|processed|one of the|"
    r"among the|part of the|an? )"
    r"\s*(?:\w+\s+){0,2}?(?:features?|inputs?|predictors?|variables?|model|score|training|as an? (?:feature|input|"
    r"predictor))(?!\w)",
    re.IGNORECASE,
)
_EXCLUDED = frozenset({"excluded", "dropped", "removed", "unused", "ignored"})


def used(document: Document, evidence: Evidence) -> Iterator[Finding]:
    """Every statement that an attribute is used, where the evidence lists it among what is left out."""
    names = [(tuple(words.words(str(e.value))), e) for e in evidence.texts if _is_left_out(e)]
    for sentence in document.sentences if names else ():
        match = _USED.search(sentence.text)
        if match is None or sentence.kind != "prose" or not saying.asserted(sentence, *match.span()):
            continue
        if hit := _named(sentence, names, match):
            yield Finding(
                RULES["claim-contradicted"],
                sentence,
                "high",
                f"“{hit[0]}” is said to be used; the evidence lists it among what is left out.",
                "Say that it is not used, or correct the evidence.",
                match.span(),
                hit[1].proof,
            )


def _is_left_out(entry: Entry) -> bool:
    if len(entry.path) < 2 or not isinstance(entry.path[-1], int) or not isinstance(entry.path[-2], str):
        return False
    row = words.words(entry.path[-2])
    return bool(_EXCLUDED & set(row)) or row[:2] == ["not", "used"] or row[:1] == ["unused"]


_TAKES = re.compile(
    r"(?<!\w)(?:takes?|took|taking)\s+(?P<what>[^.;]{3,60}?)\s+into (?:account|consideration)|"
    r"(?<!\w)(?:uses?|considers?|relies on|rely on|looks? at|reads?|weighs?|"
    r"evaluates?)\s+(?:also\s+)?(?P<object>[^.;,]{3,50})",
    re.IGNORECASE,
)


def taken(document: Document, evidence: Evidence) -> Iterator[Finding]:
    """`It takes the insurance status into account`, where the evidence lists that among what is left out."""
    names = [(tuple(words.words(str(e.value))), e) for e in evidence.texts if _is_left_out(e)]
    for sentence in document.sentences if names and not evidence.rich else ():
        match = _TAKES.search(sentence.text) if sentence.kind == "prose" else None
        if match is None or not saying.asserted(sentence, *match.span()):
            continue
        row = words.words(match["what"] or match["object"])
        hit = next(
            (e for name, e in names if any(tuple(row[i : i + len(name)]) == name for i in range(len(row)))), None
        )
        if hit is not None:
            yield Finding(
                RULES["claim-contradicted"],
                sentence,
                "high",
                f"“{hit.value}” is said to be used; the evidence lists it among what is left out.",
                "Say that it is not used, or correct the evidence.",
                match.span(),
                hit.proof,
            )


def _named(
    sentence: Sentence, features: list[tuple[tuple[str, ...], Entry]], match: re.Match[str] | None
) -> tuple[str, Entry] | None:
    text = sentence.text
    active = match is not None and re.match(
        r"(?:(?:does|do)\b(?! not (?:enter|influence|affect|matter|count|figure|flow|play))|"
        r"never|without|no|excl|not use|is blind|are blind)",
        match[0],
        re.IGNORECASE,
    )
    if match is None:
        part = text.partition(":")[2]
    elif active:
        part = re.split(r"[;.]|(?<!\w)(?:but|except|because|so)(?!\w)", text[match.end() :])[0]
    else:
        # The subject before the verb, from the last break on.
        part = re.split(r"[;:.(]|(?<!\w)(?:but|because|although|while|which)(?!\w)", text[: match.start()])[-1]
    row = words.words(part)
    names = lexicon.canonical()
    row = [names.get(word, word) for word in row]
    short = len(row) <= SHORT
    for feature, entry in features:
        attribute = concepts.fold(feature, "wider") & concepts.ATTRIBUTES
        if (
            short
            and attribute
            and attribute <= concepts.fold(tuple(row), "wider")
            and not set(row) & _BESIDE - {"of", "from"}
        ):
            return " ".join(feature), entry
        telling = {word for word in feature if word not in _KINDS and len(word) > 2}
        if short and len(feature) > 1 and telling and telling <= set(row) and not set(row) & _BESIDE - {"of"}:
            return " ".join(feature), entry
        for at in range(len(row) - len(feature) + 1):
            if (
                tuple(row[at : at + len(feature)]) == feature
                and not _of_something(row[at + len(feature) :])
                and not (row[:at] and row[at - 1] in _BESIDE)
            ):
                return " ".join(feature), entry
    return None


def _is_list(key: str) -> bool:
    row = set(words.words(key))
    return bool(row & _LISTED) and not row & _NOT_LISTED


def _of_something(rest: list[str]) -> bool:
    """`age of the account` is not `age`; `age of the patient` is."""
    if rest[:1] != ["of"]:
        return False
    return not lexicon.row_nouns() & set(rest[1:4])


@functools.lru_cache(maxsize=4)
def _listed(evidence: Evidence) -> tuple[tuple[tuple[str, ...], Entry], ...]:
    return tuple(_features(evidence))


def _features(evidence: Evidence) -> Iterator[tuple[tuple[str, ...], Entry]]:
    names = {(e.file, e.path[:-1]): e for e in reversed(evidence.texts) if e.key in {"name", "column", "id"}}
    for entry in evidence.texts:
        steps = [str(step).lower() for step in entry.path]
        in_list = len(steps) > 1 and _is_list(steps[-2]) and steps[-1].isdigit()
        is_role = str(entry.value).lower() == "feature" and steps and steps[-1] in {"role", "kind", "use"}
        if in_list:
            row = words.words(str(entry.value))
            # `patient_age` is called age in a text.
            yield tuple(row[1:] if len(row) == 2 and row[0] in lexicon.row_nouns() else row), entry
        elif is_role:
            sibling = names.get((entry.file, entry.path[:-1]))
            if sibling:
                yield tuple(words.words(str(sibling.value))), sibling
        elif entry.rows and entry.key.lower() in {"feature", "features", "input", "predictor", "covariate"}:
            yield tuple(words.words(str(entry.value))), entry
        elif str(entry.value).lower() == "feature" and steps:
            yield tuple(words.words(entry.key)), entry
    for entry in evidence.entries:
        if (
            entry.value is True
            and len(entry.steps) > 1
            and entry.steps[-2].lower() in {"uses", "used", "features", "inputs"}
        ):
            yield tuple(words.words(entry.key)), entry
