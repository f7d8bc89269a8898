"""Measures that are told by a verb instead of their name: `86 % of the damage is found`."""

from __future__ import annotations

import re

from model_cards.lint.mentions import Mention

_VERBS = (
    r"(?P<verb>found|detected|recogni[sz]ed|recalled|flagged|identified|caught|picked up|spotted|discovered|announced|"
    r"predicted in time|foreseen|missed|overlooked|unnoticed)"
)
_OF_FOUND = re.compile(rf"\s+(?:of (?:the |all )?)?[\w' -]{{2,50}}? (?:is|are|was|were) {_VERBS}(?!\w)", re.IGNORECASE)
_WERE_FOUND = re.compile(rf"\s+(?:is|are|was|were) {_VERBS}(?!\w)", re.IGNORECASE)
_FOUND_IN = re.compile(rf"(?<!\w)(?:is|are|was|were) {_VERBS} in (?:about |only |some )?$", re.IGNORECASE)
_OF_FLAGGED = re.compile(
    r"(?<!\w)of (?:all |the |those |these )*(?:\w+ ){0,2}?(?:alarms?|alerts?|warnings?|flagged|flags|hits|"
    r"referrals|positives|predicted)[^.;,]{0,30}?,? ?"
    r"(?:only |about |just )?$",
    re.IGNORECASE,
)
_RIGHT = re.compile(
    r"\s+(?:of them )?(?:turn(?:ed)? out to be |prove[sd]? |are |were |is )?(?:really |indeed )?"
    r"(?:right|true|correct|justified|confirmed|real|belong)(?!\w)",
    re.IGNORECASE,
)


_MISSED = frozenset(["missed", "misses", "overlooked", "overlooks", "unnoticed"])
_FINDS = re.compile(
    r"(?<!\w)(?:it|we|system|model|program|software|detector|network|classifier|tool|algorithm|device|which|that)\s+"
    r"(?:(?:only|also|still|correctly|rightly)\s+)?(?P<verb>finds?|found|detect(?:s|ed)|recogni[sz](?:es|ed)|"
    r"catche?s?|caught|"
    r"identifie[sd]|spot(?:s|ted)|miss(?:es|ed)|overlook(?:s|ed))\s+(?:about |only |some |nearly |almost )?$",
    re.IGNORECASE,
)
_RIGHTLY = re.compile(
    r"(?!\s+of (?:those|these|them)(?!\w))\s+(?:of (?:the |all |its |our )*[\w' -]{2,40}?)?(?:are|were|is|"
    r"was)\s+(?:\w+\s+)?(?:correctly|"
    r"rightly|correct|right)"
    r"(?!\w)",
    re.IGNORECASE,
)


def measure(text: str, mention: Mention) -> str | None:
    """`86 % of the damage is found`, `cracks are missed in 9 % of the cases`: measures told by a verb."""
    if _RIGHT.match(text, mention.end) and _OF_FLAGGED.search(text[: mention.begin]):
        return "precision"
    if _RIGHTLY.match(text, mention.end):
        return "accuracy"
    verb = (
        _FINDS.search(text[: mention.begin])
        or _OF_FOUND.match(text, mention.end)
        or _WERE_FOUND.match(text, mention.end)
        or _FOUND_IN.search(text[: mention.begin])
    )
    if verb is None:
        return None
    return "false_negative_rate" if verb["verb"].lower() in _MISSED else "recall"
