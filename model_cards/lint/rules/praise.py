"""Does a sentence say something good of a thing, or that it was done? What such sentences deny may be praise, too."""

from __future__ import annotations

import dataclasses
import re

from model_cards.lint.model import Sentence
from model_cards.lint.rules import saying

_DONE = re.compile(
    r"(?<!\w)(?:tested|checked|included|part of|given|provided|runs?|works?|examined|measured|obtained|received|issued|"
    r"exists?|used|feeds? into|goes into|enters|kept|computed|reported|stated|carried out|performed|done|"
    r"released|approved|cleared|agreed|accepted|endorsed|signed|implemented|applied|available|"
    r"active|enabled)(?!\w)",
    re.IGNORECASE,
)
"""Something took place, which says nothing of how it ended."""
_DEED = re.compile(
    r"(?<!\w)(?:processed|stored|hosted|sent|transferred|shared|collected|recorded|logged|trained|informed|told|"
    r"consulted|"
    r"asked|heard|rehearsed|exercised|practi[sc]ed|tried|simulated|analysed|analyzed|studied|investigated|assessed|"
    r"evaluated|"
    r"reviewed|inspected|audited|documented|described|published|disclosed|deleted|erased|removed|masked|repaired|fixed|"
    r"closed|resolved|settled|updated|monitored|watched|tracked|supervised|shown|explained|marked|labelled|registered|"
    r"notified|insured|covered|licensed|concluded|finished|consented|restored|in force|in use|among the)(?!\w)",
    re.IGNORECASE,
)
"""More of such words, that assure nothing where the evidence speaks of nothing."""
_GOOD = re.compile(
    r"(?<!\w)(?:verified|validated|shown|showed|shows|demonstrated|proven|proved|confirmed|confirms|ensured|"
    r"found in order|in order|guaranteed|guarantees|passed|passes|met|meets|fulfilled|fulfils|satisfied|"
    r"satisfies|sufficient\w*|"
    r"adequate\w*|good|"
    r"satisfactory|high enough|low enough|reache[sd] (?:what|the)|reliabl[ey]|"
    r"as (?:\w+ )?(?:as )?(?:required|demanded|requested)|"
    r"(?:within|above|over|below|under|better than) (?:the|its|their) (?:\w+ )?(?:limits?|minimum|maximum|target|"
    r"threshold|goal|tolerances?|bounds?|range|requirements?|criterion|specification|floor|ceiling)|"
    r"acceptable|excellent|completed?|in "
    r"place|prevents?|"
    r"protects?|established|successful\w*|on a par|equally|alike|no effect|withstood|withstands|secured?|"
    r"granted|(?:does|do|did|has|had) no (?:harm|effect|influence|impact)|(?:does|do|did) not (?:\w+ )?(?:impair|"
    r"affect|harm|hurt|disturb|hinder|degrade|reduce|weaken|matter)|"
    r"well)(?!\w)",
    re.IGNORECASE,
)
_NO_LONGER = re.compile(r"(?<=\w )(?:when|once|as soon as|after) [^,;.]{0,60}(?<!\w)no longer(?!\w)", re.IGNORECASE)
"""`Training stopped when the loss no longer fell`: what is denied there is the occasion."""
_OWN_NO = re.compile(
    r"(?<!\w)no (?=(?:\w+ ){0,3}?(?:effect|influence|discriminat|bias(?! mitigation)|difference|problem|weakness|"
    r"issues?\b|harm|foreign|drift|"
    r"disadvantage|disparit|failure|concern|objection|anomal|doubt|complaint|reservation))",
    re.IGNORECASE,
)


_UNHARMED = re.compile(
    r"(?<!\w)(?:does|do|did) not(?= (?:\w+ )?(?:impair|affect|harm|hurt|disturb|hinder|degrade|reduce|"
    r"weaken|matter|change|"
    r"alter|influence|depend|need|require|fool|mislead))|"
    r"(?<!\w)(?:does|do|did|has|had) no(?= (?:harm|effect|influence|impact|bearing))|"
    r"(?<!\w)(?:did|could|do|does) not(?= (?:\w+ )?(?:succeed|get in|break|manage|find))|"
    r"(?<!\w)without(?= (?:\w+ )?(?:effect|influence|harm|loss|problem|incident|objection|reservation|"
    r"complaint|finding|issue|"
    r"fault|error|difficult|restriction)s?)",
    re.IGNORECASE,
)
_HAS = re.compile(
    r"(?<!\w)(?:carr(?:y|ies)|h(?:as|ave|ad) (?:an?|no|given|the|its|our|their|\w+ly|taken out)|holds?|"
    r"provides?|offers?|includes?|"
    r"comes with|there (?:is|are)|protects?|keeps?|helps?|supports?|works?|uses?)(?!\w)",
    re.IGNORECASE,
)
_VERB = re.compile(
    r"(?<!\w)(?:is|are|was|were|be|been|has|have|had|does|do|did|can|may|will|\w{2,}ed|ran|run|kept|held|shown|"
    r"proven|found|"
    r"gave|given|took|taken|made|met|built|done|wrote|written|read|saw|seen|sent|told|known|withstood|went|came|"
    r"carr(?:y|ies)|"
    r"get|gets|we \w+|they \w+|you \w+|"
    r"\w{3,}s(?= (?:the|an?|its|our|all|every|each|no|in|on|with|well|just|to|by|for|as|when|from|at|"
    r"their|each)(?!\w)))(?!\w)",
    re.IGNORECASE,
)


_ORDER = re.compile(
    r"\W*(?:test|check|review|perform|add|run|repeat|do|carry out|make sure|ensure|verify|"
    r"keep)\s+(?!\w+ed\s)(?:in|the|for|with|an?|on|all|every|not|that|it)(?!\w)",
    re.I,
)


def states(text: str) -> bool:
    """Is something said, and not only named or ordered? A sentence has a verb, or at least an end and no order."""
    if text[:1].islower() and text.rstrip()[-1:] not in ".!;":
        return False
    if _VERB.search(text):
        return not _ORDER.match(text)
    lower = [word for word in re.findall(r"[^\W\d_]{3,}", text) if word.islower()]
    return text.rstrip()[-1:] in ".!" and len(lower) > 0 and not _ORDER.match(text)


def unharmed(text: str) -> str:
    """The text without denials of what would be harm or need: `does not change`, `without effect`."""
    return _masked(text, _UNHARMED)


_FOUND_NOTHING = re.compile(
    r"(?<!\w)(?:found|finds?|revealed|showed|shows|turned up|brought up) (?:nothing|no)(?!\w)", re.IGNORECASE
)
_AS_ASKED = re.compile(r"(?<=as )(?:required|demanded|requested)")
"""`As required` asks for nothing."""
_PLAN = re.compile(
    r"(?<!\w)(?<!planned )plans?(?= (?:for|of|is|was|has|on|in|exists|covers|describes)(?! to)(?!\w))|"
    r"(?<!\w)intended(?= (?:users?|use|purpose|population|patients|readers)(?!\w))",
    re.IGNORECASE,
)
"""`The plan for surveillance is in force`: a plan that is there."""
_IF = re.compile(r"^(?:if|once|should|in case)(?= [^,]+, )", re.IGNORECASE)
"""`If the network fails, another takes over`: what is said to come then is said."""
_OCCASION = re.compile(r"(?<=\w )when(?!\w)", re.IGNORECASE)
_ABILITY = re.compile(r"(?<!\w)(?:can|may)(?= (?:\w+ )?[a-z]+(?<!be)(?!\w))", re.IGNORECASE)


def good(sentence: Sentence) -> bool:
    """Is something good asserted in it?"""
    return _first(sentence, _GOOD)


def done(sentence: Sentence) -> bool:
    """Is it asserted that something took place?"""
    return _first(sentence, _DONE)


def deed(sentence: Sentence) -> bool:
    """The same by more words: something was informed, repaired, deleted."""
    return done(sentence) or _first(sentence, _DEED)


def has(sentence: Sentence) -> bool:
    """Is it asserted that something is there?"""
    return _first(sentence, _HAS)


def asserted(sentence: Sentence, span: tuple[int, int]) -> bool:
    """Is what stands there said to be so? `Can send feedback` is no wish, `no effect` no denial."""
    text = _masked(without_praise(sentence.text), _AS_ASKED, _NO_LONGER, _ABILITY, _OCCASION, _IF, _PLAN)
    return saying.asserted(dataclasses.replace(sentence, text=text), *span) and not saying.speaks_of_part(text)


def _first(sentence: Sentence, pattern: re.Pattern[str]) -> bool:
    text = _masked(without_praise(sentence.text), _AS_ASKED, _NO_LONGER, _ABILITY)
    cleared = dataclasses.replace(sentence, text=text)
    return any(saying.asserted(cleared, *m.span()) for m in pattern.finditer(sentence.text))


def _masked(text: str, *patterns: re.Pattern[str]) -> str:
    """The text with what the patterns find made a word that says nothing; every other character keeps its place."""
    for pattern in patterns:
        text = pattern.sub(lambda m: "x" * len(m[0]), text)
    return text


def found_nothing(text: str) -> str:
    """The text without the denials of what was looked for or would be harm."""
    return _masked(text, _UNHARMED, _FOUND_NOTHING)


def without_praise(text: str) -> str:
    """The text without the denials that say something good: `no effect`, `does not impair`."""
    return _masked(_OWN_NO.sub(lambda m: " " * len(m[0]), text), _UNHARMED, _FOUND_NOTHING)
