"""What a document says to be so, against what the evidence says of that very thing.

Statements have endless wordings, but what they are about keeps its name. Where the evidence says of something that it
is not so, was not done or failed, and a sentence that names it asserts it, the evidence contradicts; and the other way
round.
"""

from __future__ import annotations

import dataclasses
import functools
import itertools
import re
from collections.abc import Iterator

from model_cards.lint import concepts, facts, words
from model_cards.lint.evidence import Entry, Evidence
from model_cards.lint.facts import Fact
from model_cards.lint.model import Document, Finding, Sentence
from model_cards.lint.rules import praise, saying, tokens
from model_cards.lint.rules.catalogue import RULES

_ADMITS = re.compile(
    r"(?<!\w)(?:fail\w*|inconclusive|undecided|missed|violated|exceed\w*|allowed|tolerated|permitted|"
    r"lowest|worst|weakest|poorest|"
    r"(?:above|over|beyond|outside|higher than) (?:the|its|their) (?:\w+ )?(?:limits?|maximum|ceiling|tolerances?|"
    r"range)|"
    r"(?:below|under|short of|lower than) (?:the|its|their) (?:\w+ )?(?:minimum|targets?|floor|goals?))(?!\w)",
    re.IGNORECASE,
)
"""Words of sentences that say themselves that something was not reached."""
_ASKED = re.compile(r"(?<!\w)(?<! as )(?:required|demanded|asked for)(?!\w)", re.IGNORECASE)
_SHARE = re.compile(r"\d\s*%|per ?cent", re.IGNORECASE)
_IS_OPEN = re.compile(
    r"(?:[:–—]|(?<!\w)(?:is|are|was|were|still|remains?))\s+(?:still |yet )?(?:open|pending|outstanding|"
    r"in progress|under way|to do|to be done|to come|ahead|due|"
    r"planned|failed|not (?:reached|met|passed|done|tested|fulfilled|yet))(?!\w)",
    re.IGNORECASE,
)
"""Words by which a sentence says itself that something is not there yet."""
_SETTLED = re.compile(r"(?<!\w)(?:closed|resolved|settled|fixed|mitigated|cleared|eliminated)(?!\w)", re.IGNORECASE)
_NONE_LEFT = re.compile(
    r"(?<!\w)(?:no|none|not one|not a single|nothing|never|zero|without (?:any|a single))(?!\w)[^.;]{0,50}"
    r"(?<!\w)(?:open|left|outstanding|wrong\w*|errors?|mistakes?|fail\w*|missed|unresolved|remain\w*|violat\w*|"
    r"incorrect|"
    r"succe\w+|got through|pending|unsettled)(?!\w)",
    re.IGNORECASE,
)
"""`No risk is left open` says that all are closed."""
_ALL_SETTLED = re.compile(
    r"(?<!\w)(?:the|their|its|our|these|those|both)\s+(?:\w+\s+){0,3}?\w{3,}s\s+(?:\w+\s+){0,4}?(?:are|were|have "
    r"been|got)\s+"
    r"(?:\w+\s+)?(?:closed|resolved|settled|fixed|repaired|remedied|eliminated|cleared|corrected)(?!\w)",
    re.IGNORECASE,
)
_ALIKE = 0.3
"""Share of the concepts of a row and of a fact that both have, from which the row is about it."""
_SHORT_TEXT = 80
_SHORT = 4
_LONG = 6
"""Letters of a word that names a thing by itself."""
_ALL = re.compile(
    r"(?<!\w)(?:all|every|each|always|any|entire|entirely|whole|complete(?:ly)?|fully|throughout|without exception|"
    r"never|no one|nobody)(?!\w)",
    re.IGNORECASE,
)
_YES = re.compile(
    r"\W*(?:pass(?:ed)?|ok|yes|met|done|fulfilled|granted|given|available|completed?|successful|approved|"
    r"in place|active|"
    r"tested|✓|✔|positive|achieved|reached|performed|carried out|confirmed|issued|signed)\W*",
    re.IGNORECASE,
)
_NO_OUTCOME = re.compile(
    r"\W*(?:fail(?:ed)?|no|not .*|open|pending|missing|none|outstanding|planned|✗|✘|never|not yet)\W*", re.IGNORECASE
)


@dataclasses.dataclass(frozen=True)
class _Said:
    """The concepts of a sentence, and where each stands."""

    at: tuple[tuple[str, int, int], ...]

    @property
    def names(self) -> frozenset[str]:
        return frozenset(name for name, _, _ in self.at)

    def span(self, names: frozenset[str]) -> tuple[int, int]:
        """From the first of some concepts to the last."""
        places = [(begin, end) for name, begin, end in self.at if name in names] or [
            (begin, end) for name, begin, end in self.at if any(_form(name, other) for other in names)
        ]
        return min(b for b, _ in places), max(e for _, e in places)


def check(document: Document, evidence: Evidence) -> Iterator[Finding]:
    """Every sentence and cell that says otherwise than the facts of the evidence."""
    if evidence.rich or not (known := facts.of(evidence)):
        return
    for sentence in document.sentences:
        if sentence.kind == "cell":
            yield from _cell(sentence, known)
        elif sentence.kind == "prose" and len(sentence.text) >= facts.SHORTEST:
            yield from said_otherwise(sentence, known, _groups(evidence), _things(evidence))
            yield from _without(sentence, evidence)


_WITHOUT = re.compile(r"(?<!\w)without (?:any |further |the |an? )?([a-z]{4,})(?!\w)", re.IGNORECASE)
_DOUBLY = re.compile(r"(?<!\w)(?:no|not|never|nothing|nobody|none)(?!\w)[^.;]*(?<!\w)without(?!\w)", re.IGNORECASE)
"""`Nothing goes out without the registrar`."""
_BY_KEYS = frozenset(words.words("by decides decided decider decision"))


def _is_role(entry: Entry, said: str) -> bool:
    """Is a word the role that an entry names: `registrar`?"""
    row = words.words(str(entry.value))
    return not entry.derived and len(row) < 4 and words.stem(words.plain(said)) in row


def _plainly(sentence: Sentence, match: re.Match[str], entry: Entry) -> Finding:
    return Finding(
        RULES["claim-contradicted"],
        sentence,
        "high",
        f"“{match[0]}” is said; the evidence has it done by “{entry.value}”.",
        "Say what the evidence says.",
        match.span(),
        entry.proof,
    )


_WITH = re.compile(r"(?<!\w)with ([a-z]{4,})(?!\w)", re.IGNORECASE)


def _without(sentence: Sentence, evidence: Evidence) -> Iterator[Finding]:
    """`Approved without conditions`, where a short text of the evidence says *approved with conditions*."""
    roles = [e for e in evidence.texts if _BY_KEYS & set(words.words(e.key))]
    for match in _WITHOUT.finditer(sentence.text):
        decider = next((e for e in roles if _is_role(e, match[1])), None)
        if decider is not None and saying.unconditional(sentence) and not _DOUBLY.search(sentence.text):
            yield _plainly(sentence, match, decider)
            return
        said = concepts.fold(tokens.of(sentence.text).row, "wider")
        for entry in evidence.texts:
            text = str(entry.value)
            held = _WITH.search(text) if len(text) < _SHORT_TEXT else None
            if held is None or concepts.root(held[1].lower()) != concepts.root(match[1].lower()):
                continue
            if (concepts.fold(tuple(words.words(text[: held.start()])), "wider") - {"with"}) & said:
                yield Finding(
                    RULES["claim-contradicted"],
                    sentence,
                    "high",
                    f"“{match[0]}” is said; the evidence has “{text}”.",
                    "Say what the evidence says.",
                    match.span(),
                    entry.proof,
                )
                return


def _said(text: str) -> _Said:
    row = tokens.of(text)
    found = [(name, row.at[b][0], row.at[e - 1][1]) for name, b, e in concepts.spans(row.row, "wider")]
    joined = zip(itertools.pairwise(row.row), itertools.pairwise(row.at), strict=True)
    # `drop out` is `dropout`, too.
    found += [(concepts.root(one + other), begin, end) for (one, other), ((begin, _), (_, end)) in joined]
    return _Said(tuple(found))


@functools.lru_cache(maxsize=4)
def _groups(evidence: Evidence) -> frozenset[frozenset[str]]:
    """Names of groups of which the evidence has values: what is said of one of them is not said of all."""
    rows = {(e.file, e.path[:-1]) for e in evidence.numbers if not e.derived}
    names = (
        concepts.fold(tuple(words.words(str(e.value))), "wider")
        for e in evidence.texts
        if not e.derived and len(e.path) > 1 and isinstance(e.path[-2], int) and (e.file, e.path[:-1]) in rows
    )
    return frozenset(name for name in names if name)


@functools.lru_cache(maxsize=4)
def _things(evidence: Evidence) -> frozenset[str]:
    """Single words of lists of the evidence: there `certificates` is a field, and says nothing of *certified*."""
    held = (words.words(str(e.value)) for e in evidence.texts if e.path and isinstance(e.path[-1], int))
    return frozenset(row[0] for row in held if len(row) == 1)


def said_otherwise(
    sentence: Sentence,
    known: tuple[Fact, ...],
    groups: frozenset[frozenset[str]] = frozenset(),
    things: frozenset[str] = frozenset(),
) -> Iterator[Finding]:
    """The first fact that a sentence contradicts.

    Args:
        sentence: A sentence.
        known: The facts of the evidence.
        groups: Concepts of each group that the evidence tells apart.
        things: Words that the evidence has as names of things.
    """
    said = _said(sentence.text)
    named = [(hits, fact) for fact in known if (hits := _hits(fact, said.names) or _by_code(fact, sentence.text))]
    named.sort(key=lambda pair: -len(pair[0]))
    for hits, fact in named:
        if _settled_otherwise(fact, hits, named):
            continue
        if fact.entry.rows and fact.entry.value == 0 and fact.rows and not fact.rows[0] <= said.names:
            continue  # of a row that is not named itself, but a group that it belongs to
        counted = fact.kind == "partly" and isinstance(fact.entry.value, int)
        if counted and any(g <= said.names and not g <= fact.whole | fact.above for g in groups):
            continue  # `in the north nothing was missed` is of a part alone
        span = said.span(fact.names & hits or hits) if fact.code not in hits else _code_span(fact, sentence.text)
        if len(hits) == 1 and things.intersection(words.words(sentence.text[span[0] : span[1]])):
            continue
        if _contradicts(sentence, fact, hits, said.names, span):
            yield _finding(sentence, fact, sure=len(hits) > 1)
            return
    for fact in known:
        if fact.kind == "holds" and _opposed(sentence, fact, said.names):
            yield _finding(sentence, fact, sure=False)
            return


def _finding(sentence: Sentence, fact: Fact, *, sure: bool) -> Finding:
    told = "denies" if fact.kind == "holds" else "says so"
    return Finding(
        RULES["claim-contradicted"],
        sentence,
        "high" if sure else "medium",
        f"This {told} of “{fact.title}”; the evidence has {fact.entry.value!s:.60}.",
        "Say what the evidence says, or add the evidence of it.",
        (0, len(sentence.text)),
        fact.entry.proof,
    )


def _by_code(fact: Fact, text: str) -> frozenset[str]:
    """`REQ-01 is fulfilled` names a fact by its number."""
    return frozenset({fact.code}) if fact.code and _code_span(fact, text) != (0, 0) else frozenset()


def _code_span(fact: Fact, text: str) -> tuple[int, int]:
    loose = r"[-_ .]?".join(re.escape(part) for part in re.split(r"[-_ .]", fact.code))
    match = re.search(rf"(?<![\w-]){loose}(?![\w-]|\.\d)", text)
    return match.span() if match else (0, 0)


def _hits(fact: Fact, said: frozenset[str]) -> frozenset[str]:
    """The concepts of a fact that a sentence names, if they are enough to tell that it speaks of it."""
    own = frozenset(name for name in fact.names if name in said or any(_form(name, other) for other in said))
    if said & facts.EXAMINED and fact.kind != "holds" and not (fact.made or fact.kind == "partly"):
        said |= facts.EXAMINED  # `checked` is told of what the evidence calls reviewed
    if not fact.names:
        whole = fact.loose | fact.above
        needed = whole - facts.GENERIC
        return whole & said if len(needed) > 1 and needed <= said else frozenset()
    enough = len(own) == len(fact.names) if len(fact.names) < 3 else 3 * len(own) >= 2 * len(fact.names)
    if not enough:
        return frozenset()
    more = (fact.loose | fact.above) & said
    telling = own & (facts.ASSURING | concepts.known())
    if len(own) == 1 and not more and not telling and len(next(iter(own))) < _SHORT:
        return frozenset()
    return own | more


def _form(one: str, other: str) -> bool:
    """`season` and `seasonal`, `calibrate` and `recalibrate`."""
    one, other = one.removeprefix("re"), other.removeprefix("re")
    short, long = sorted((one, other), key=len)
    return len(short) > _SHORT and long.startswith(short) and len(long) - len(short) < _SHORT


def _settled_otherwise(fact: Fact, hits: frozenset[str], named: list[tuple[frozenset[str], Fact]]) -> bool:
    """Does another fact of the other kind speak of the same, by more words?"""
    if fact.made and fact.kind == "partly":
        return False  # of all rows, which no single one settles
    opposite = {"holds"} if fact.kind != "holds" else {"undone", "failed"}
    return any(
        other.kind in opposite
        and (fact.kind == "holds" or facts.affirmed(other.entry) or theirs > hits)
        and (theirs > hits or (theirs == hits and len(other.names) >= len(fact.names)))
        for theirs, other in named
    )


_LEFT_OPEN = frozenset({"open", "offen", "ouvert"})
_HARMS = re.compile(
    r"(?<!\w)(?:(?<!no )(?<!not )harm(?:s|ful)?|lowers|hurts|worst|weakest|worsens|degrades)(?!\w)", re.IGNORECASE
)
"""Words that say something bad, which is no claim that a thing is settled."""


def _contradicts(
    sentence: Sentence, fact: Fact, hits: frozenset[str], said: frozenset[str], span: tuple[int, int]
) -> bool:
    if fact.kind == "holds":
        off = bool(_OFF.match(sentence.text, span[1]))
        told = len(hits) > 1 or (hits == fact.names and hits <= concepts.known())
        return facts.affirmed(fact.entry) and (off or (told and _denied(sentence, span)))
    if not praise.states(sentence.text):
        return False
    if fact.kind == "partly":
        bad = not fact.made and isinstance(fact.entry.value, int)
        enough = len(hits) > 1 or fact.names <= concepts.known() or bad or bool(_SETTLED.search(sentence.text))
        if not enough or _SHARE.search(sentence.text) or saying.speaks_of_part(sentence.text):
            return False
        if (match := _NONE_LEFT.search(sentence.text)) or _ALL_SETTLED.search(sentence.text):
            span = match.span() if match else (0, 0)
            text = sentence.text[: span[0]] + "x" * (span[1] - span[0]) + sentence.text[span[1] :]
            return saying.unconditional(dataclasses.replace(sentence, text=text))
        return bool(_ALL.search(sentence.text)) and praise.asserted(sentence, span)
    for own in fact.whole & {"without", "no", "never"}:
        text = re.sub(rf"(?<!\w){own}(?!\w)", "x" * len(own), sentence.text, flags=re.IGNORECASE)
        sentence = dataclasses.replace(sentence, text=text)  # `works without a GPU` denies nothing
    sentence = _without_own(sentence, hits & _HEDGING)
    value = fact.entry.value
    if isinstance(value, str) and facts.is_status(value) and _FORM.search(value) and _told_so(value, sentence.text):
        return False  # `the plan has been drafted`, where the evidence has `drafted`
    if not praise.asserted(sentence, span) or _IS_OPEN.search(sentence.text):
        return False
    if (fact.kind == "failed" or str(value).lower() in _LEFT_OPEN) and _HARMS.search(sentence.text):
        return False  # `keyword stuffing does most harm`
    if fact.kind == "failed":
        restated = len(hits) > 1 and 4 * len(fact.whole & said) >= 3 * len(fact.whole)
        restated = restated and not _ASKED.search(sentence.text)
        if _ADMITS.search(sentence.text):
            return False
        return (
            praise.good(sentence)
            or reached(sentence)
            or bool(hits & _PRAISING)
            or (restated and not fact.made and not fact.by_row)
        )
    if fact.by_row and len(hits) > 1 and not fact.names & hits <= concepts.known():
        return praise.good(sentence) or praise.deed(sentence) or praise.has(sentence)
    if fact.code in hits:
        return saying.unconditional(sentence) and (praise.good(sentence) or praise.deed(sentence) or reached(sentence))
    if len(hits) > 1:
        return True
    (only,) = hits
    long = any(len(word) >= _LONG for word in words.words(fact.entry.key))
    if hits == fact.names | fact.loose and only not in concepts.ATTRIBUTES and (only in concepts.known() or long):
        low, high = saying.clause(sentence.text, *span)
        text = praise.without_praise(sentence.text)
        return not _NO.search(text[low:high]) and not _BUT_NOT.search(text)  # it is named in full
    if fact.whole == hits and len(words.words(fact.entry.key)) > 1:
        return True  # `confidence_intervals` is one concept of two words
    if only in facts.ASSURING or only in concepts.known() or (not fact.above and not fact.loose and len(only) >= _LONG):
        return praise.deed(sentence) or praise.good(sentence) or praise.has(sentence)
    return praise.good(sentence)


_PRAISING = frozenset({"robust", "stable", "security"})
"""Concepts that praise by themselves."""
_REACHED = re.compile(
    r"(?<!\w)(?:reache[sd]|reach|achieve[sd]?|attain(?:s|ed)?|kept|keeps|clear(?:s|ed)|holds?|held|observed|"
    r"compl(?:y|ies|ied)|"
    r"as (?:planned|required|intended)|on target|in spec|erreicht|eingehalten|erfüllt|bestanden|atteinte?s?|"
    r"respectée?s?)(?!\w)",
    re.IGNORECASE,
)


def reached(sentence: Sentence) -> bool:
    """Does it say that something was reached?"""
    return any(praise.asserted(sentence, m.span()) for m in _REACHED.finditer(sentence.text))


_NAMELESS = frozenset({"pseudonymise", "anonymise"})


def _opposed(sentence: Sentence, fact: Fact, said: frozenset[str]) -> bool:
    """`The texts contain names`, where names are removed: is the opposite asserted of all else that the fact names?"""
    whole = fact.names | fact.loose
    for one, others in concepts.opposites():
        rest = whole - one - facts.GENERIC | (frozenset({"name"}) if whole & _NAMELESS else frozenset())
        if not whole & one or not rest or said & one or not facts.affirmed(fact.entry):
            continue
        if rest & said and 2 * len(rest & said) >= len(rest) and (against := said & others):
            row = tokens.of(sentence.text)
            spans = [
                (row.at[b][0], row.at[e - 1][1]) for name, b, e in concepts.spans(row.row, "wider") if name in against
            ]
            return any(praise.asserted(sentence, span) for span in spans)
    return False


_BUT_NOT = re.compile(r"(?<!\w)but (?:was |were |is |has |have |had )?(?:not|never|no)(?!\w)", re.IGNORECASE)
_HEDGING = frozenset({"need", "advice", "ood", "refuse", "oversight"})
"""Concepts whose words hedge or deny by themselves, and do not where they name the fact."""


def _without_own(sentence: Sentence, names: frozenset[str]) -> Sentence:
    """`A GPU is required` asks for nothing where the evidence has `gpu_needed`."""
    text = sentence.text
    for name, begin, end in _said(text).at if names else ():
        if name in names:
            text = text[:begin] + "x" * (end - begin) + text[end:]
    return dataclasses.replace(sentence, text=text) if names else sentence


_FORM = re.compile(r"^(?!done|not |no |never |none)[a-z]{4,}", re.IGNORECASE)


def _told_so(value: str, text: str) -> bool:
    """Does a text say the very outcome of the evidence?"""
    return bool(re.search(rf"(?<!\w){re.escape(value.strip())}(?!\w)", text, re.IGNORECASE))


def _denied(sentence: Sentence, span: tuple[int, int]) -> bool:
    """Is what stands there plainly denied, and nothing else in its clause?"""
    if not saying.unconditional(sentence):
        return False
    low, high = saying.clause(sentence.text, *span)
    return len(_DENIALS.findall(praise.found_nothing(sentence.text)[low:high])) == 1


_NO = re.compile(r"(?<!\w)(?:not|no|never|nobody|none|without|neither|nor|cannot)(?!\w)", re.IGNORECASE)
_DENIALS = re.compile(
    r"(?<!\w)(?:(?:is|are|was|were|does|do|did|has|have) (?:not|no)|cannot|can not|no|nobody|never|"
    r"(?<!than )without|switched off|"
    r"impossible|disabled|deactivated)(?!\w)(?! (?:more|less|fewer|longer|later|earlier)(?!\w))",
    re.IGNORECASE,
)
_OFF = re.compile(
    r"\s+(?:is|are|was|were|has been|have been) (?:\w+ )?(?:switched off|off|disabled|deactivated|absent|missing|"
    r"removed)(?!\w)",
    re.IGNORECASE,
)


_OUTCOME = concepts.fold(tuple(facts.OUTCOMES), "wider")


_NO_VALUE = re.compile(
    r"\W*(?:not (?:yet )?(?:available|measured|known|determined|applicable|computed)|none|missing)\W*", re.I
)


def _alike(fact: Fact, row: frozenset[str], sentence: Sentence) -> float:
    """How much of the row of a table a fact is about; where its row has several outcomes, the column says of which."""
    share = max((len(own & row) / len(own | row) for own in (fact.whole, *fact.rows) if own & row), default=0.0)
    column = concepts.fold(tokens.of(sentence.column).row, "wider")
    other = (
        bool(fact.rows)
        and bool(column - _OUTCOME)
        and fact.entry.key.lower() not in facts.OUTCOMES
        and not column & concepts.fold(tuple(words.words(fact.entry.key)), "wider")
    )
    return share / 2 if other else share


def _cell(sentence: Sentence, known: tuple[Fact, ...]) -> Iterator[Finding]:
    """An outcome in the row of what it is the outcome of."""
    yes, no = _YES.fullmatch(sentence.text), _NO_OUTCOME.fullmatch(sentence.text)
    if no and _NO_VALUE.fullmatch(sentence.text):
        return  # of a value, not of an outcome
    if not (yes or no) or not sentence.row or sentence.text == sentence.row:
        return
    row = _said(sentence.row).names
    named = [(share, f) for f in known if f.kind != "partly" and (share := _alike(f, row, sentence))]
    most = max((share for share, _ in named), default=0.0)
    best = [fact for share, fact in named if share == most and most >= _ALIKE]
    wrong = [f for f in best if (f.kind in {"undone", "failed"}) == bool(yes)]
    if best and len(wrong) == len(best) and (yes or facts.affirmed(best[0].entry)):
        fact = wrong[0]
        yield Finding(
            RULES["claim-contradicted"],
            sentence,
            "high",
            f"“{sentence.row}” has another outcome in the evidence: {fact.entry.value!s:.60}.",
            "Take the outcome of the evidence.",
            (0, len(sentence.text)),
            fact.entry.proof,
        )
