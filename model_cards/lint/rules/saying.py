"""Does a sentence claim something, or deny it, plan it, ask for it, ask whether it is so?"""

from __future__ import annotations

import re

from model_cards.lint.model import Sentence

_BREAK = re.compile(
    r"[;:](?=\s)|(?<!\w)(?:but|because|since|while|whereas|although|though|so that|aber|weil|"
    r"da|mais|car)(?!\w)|,\s+(?:which|who|and (?:we|they|it)|so)\s|"
    r"\s(?=and (?:\w+ ){1,4}(?:was|were|is|are|has been|have been)\s)|"
    r"\s(?=and (?:needs?|requires?|has|have|had|takes?|does|do|did|is|are|was|were|gets?|costs?|makes?)\s(?!not\b))"
)
_DENIES = re.compile(
    r"(?<!\w)(?:not|no(?!\. ?[A-Z0-9])|never|none|nobody|nothing|(?<!than )without|neither|nor|cannot|can't|"
    r"isn't|aren't|"
    r"wasn't|weren't|don't|doesn't|didn't|hasn't|haven't|"
    r"won't|lacks?|lacking|missing|absent|refused|rejected|failed|un(?:tested|validated|approved|"
    r"encrypted|mitigated|certified|monitored|available|known)|"
    r"nicht|kein\w*|nie|ohne|fehlt|fehlen|ne|pas|aucune?|sans|jamais)(?!\w)",
    re.IGNORECASE,
)
_HEDGES = re.compile(
    r"(?<!\w)(?:will|shall|should|would|could|may|might|must|can|plan(?:s|ned)?|intend(?:s|ed)?|"
    r"wants?|wish(?:es)?|hopes?|foreseen|scheduled|ordered|commissioned|requested|announced|underway|in preparation|"
    r"pending|open|outstanding|"
    r"needs? to|has to|have to|had to|ought to|(?<!shown )(?<!proven )(?<!proved )(?<!found )to be|is "
    r"being|are being|not yet|yet to|still to|remains?|"
    r"require[sd]?|"
    r"whether|in order to|so as to|aims?|goal|recommend(?:s|ed)?|expected to|ask(?:s|ed)? (?:for|to)|suppose[ds]?|"
    r"possible|possibly|"
    r"soll\w*|muss|müssen|kann|können|wird|werden soll|geplant|ob|devra|doit|doivent|peut|prévue?|"
    r"prévus?|draft|claim(?:s|ed)? to|we do not|hypothetical\w*|for example|in future|next step)(?!\w)",
    re.IGNORECASE,
)
_CONDITIONS = re.compile(
    r"(?<!\w)(?:if|unless|until|once|before|when|whenever|after which|falls|sofern|sobald|bevor|si|avant)(?!\w)",
    re.IGNORECASE,
)
"""They make a condition only of what follows them."""
_OPEN_HEADING = re.compile(
    (
        r"(?:missing|open (?:points|issues|questions)|next steps|planned|roadmap|to[- ]?do|future work|"
        r"outlook|not covered|gaps?\b|limitations|out of scope|offene punkte|ausblick|recommendations?|"
        r"checklist|glossary|how to read|definitions?)"
    ),
    re.IGNORECASE,
)
_QUOTED_TITLE = re.compile(r"^\s*(?:gap\.|not (?:stated|measured|covered):)", re.IGNORECASE)


_PURPOSE = re.compile(r"^(?:in order to|to|since|as|because|um|afin de|pour)\s[^,]{3,120},\s", re.IGNORECASE)
"""What a sentence gives as purpose or reason before it says something."""


GOES_ON = re.compile(
    r"(?<!\w)(?:such|this|these|those|it|they|them|its|here|there|diese[rs]?|celles?-ci|ces)(?!\w)", re.IGNORECASE
)
"""Words by which a sentence goes on about what the one before it named."""


def clause(text: str, begin: int, end: int) -> tuple[int, int]:
    """The bounds of the clause around some characters."""
    purpose = _PURPOSE.match(text)
    cuts = [0, *(m.start() for m in _BREAK.finditer(text)), len(text)]
    cuts += [purpose.end()] if purpose else []
    return max(c for c in cuts if c <= begin), min(c for c in cuts if c >= end)


_PART = re.compile(
    r"(?<!in )(?<!at )(?<!from )(?<!by )(?<!with )(?<!as )(?<!\w)"
    r"(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|\d+) (?:of|out of) "
    r"(?:the |its |all )?(?:\w+|\d+)(?!\w)|"
    r"(?<!\w)only (?:one|two|\d+)",
    re.IGNORECASE,
)


def speaks_of_part(text: str) -> bool:
    """`Two of three criteria are met`: does it say itself that the rest is not?"""
    return bool(_PART.search(text))


def denied(text: str, begin: int, end: int) -> bool:
    """Is what stands there denied in its clause?"""
    low, high = clause(text, begin, end)
    return bool(_DENIES.search(text[low:high]))


_UNREAL = re.compile(
    r"(?<!\w)(?:if|should|had|were|suppos\w+|unless)(?!\w)(?:[^.;]|\.(?=\d))*(?<!\w)(?:would|could|might)(?!\w)|"
    r"(?<!\w)(?:would|could|might)(?!\w)(?:[^.;]|\.(?=\d))*(?<!\w)(?:if|unless)(?!\w)",
    re.IGNORECASE,
)
"""`If 107 had been trained, it would have been met`: what is not so."""


def unreal(text: str) -> bool:
    """Does a sentence say what would be so if something else were?"""
    return bool(_UNREAL.search(text))


def unconditional(sentence: Sentence) -> bool:
    """Is it no question, and neither planned nor conditional?"""
    text = sentence.text
    return not (text.rstrip().endswith("?") or _HEDGES.search(text) or _CONDITIONS.search(text))


def asserted(sentence: Sentence, begin: int, end: int) -> bool:
    """Is what stands there claimed to be so: not denied, not planned, not asked for, no question, no example?"""
    text = sentence.text
    if text.rstrip("\"'”»)").endswith("?") or _QUOTED_TITLE.match(text):
        return False
    if any(_OPEN_HEADING.search(title) for title in sentence.place.heading[-1:]):
        return False
    low, high = clause(text, begin, end)
    part = text[low:high]
    return not (_DENIES.search(part) or _HEDGES.search(part) or _CONDITIONS.search(text[low:begin]))
