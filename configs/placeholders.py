"""Words that hold a place for something to be said: no statement, whoever signs it.

The patterns are the linter's too (`model_cards.lint.rules.placeholders`), which looks for them in whole documents;
here a person's own words are held against them before they are taken.
"""

from __future__ import annotations

import re

TEMPLATE = (
    r"\{\{[^{}]{0,120}\}\}|\{%[^{}]{0,120}%\}|\$\{[^{}]{1,80}\}|<%[^<>]{0,80}%>|\{[a-z_][a-z0-9_.]*\}|"
    r"%\([a-z_]+\)[sdf]"
)
"""Syntax of templates."""
NOTE = (
    r"(?<!\w)(?:TBD|TBC|TBA|T\.B\.D\.?|TODO|FIXME|"
    r"(?:name|date|number|figure|value|details?|address|contact|text|table|picture|link|signature|reference) "
    r"(?:to follow|follows(?=[.)\]]*$))|"
    r"XXX+|xx[./-]xx(?:[./-](?:\d{2,4}|xx+))?|TKTK|to be "
    r"(?:added|completed|filled in|named|"
    r"inserted|supplied|(?:decided|agreed|announced|confirmed|specified)(?=[.\])]*$)|provided later|"
    r"defined later|determined|decided later)|(?:fill|add|put|"
    r"complete|insert) "
    r"(?:this |it |text |value |name |number |date )?(?:in )?(?:later|here|below)|text (?:goes "
    r")?here|your (?:text|name) here|(?:wird|werden) (?:noch )?(?:nachgereicht|nachgetragen|ergänzt)|folgt "
    r"noch|sera complétée?|noch (?:zu ergänzen|einzutragen|auszufüllen)|"
    r"à (?:compléter|renseigner)(?! par))(?!\w)"
)
"""A note to oneself, also within a sentence; case does not matter."""
BRACKET = (
    r"\[\s*(?:(?:full |first |last )?name|function|signature|place|date|title|address|"
    r"company|role|number|person)"
    r"(?:\s*(?:[,/]|and|or)\s*[\w ]{2,20}){0,4}\s*\](?!\()|"
    r"\[\s*(?:insert|add|enter|your|name of|fill|placeholder|to be|tbd|todo|please|describe|company|"
    r"date|link|phone|number|authors?|title|doi|e-?mail|address|contact|signature|role|department|company|"
    r"place|xx+|hier|bitte|einfügen|à)[^\[\]]{0,80}\]|\[\s*(?:\.{3}|…|_+|\?+|x{2,})\s*\]"
)
"""A bracket to be filled; case does not matter."""
FILLER = r"\blorem ipsum\b|\bdolor sit amet\b"
"""Filler text; case does not matter."""
WHOLE = (
    r"none|null|nan|unknown|n\.?\s?a\.?\?|tbd|tba|tbc|todo|xxx*|\?+|unbekannt|"
    r"inconnu|missing value|placeholder|sample text|dummy|foo|bar|test ?test|asdf|example\.com|"
    r"john doe|jane doe|max mustermann|erika mustermann|unspecified"
)
"""No value, where nothing else stands; case does not matter."""

_DONE = (
    r"(?:determined|defined|confirmed|decided|agreed|announced|specified|clarified|completed|added|filled in|filled|"
    r"provided|supplied|named|done|discussed|written|established|drafted|advised|answered|described|stated|checked)"
)
_OWED = re.compile(
    r"(?<!\w)(?:"
    # English
    r"tbd|tbc|tba|t\.\s?b\.\s?[dca]\.?|to[- ]?do|fixme|to follow|"
    rf"(?:(?:is|are|has|have|still|yet) ){{0,3}}(?:to be|will be|shall be|must be) (?:(?:yet|still|later) )?{_DONE}|"
    rf"not (?:yet )?(?:been )?{_DONE}(?: yet)?|"
    r"(?:we|i|they)(?: will|'ll|’ll| shall) (?:\w+ )?(?:determine|decide|define|confirm|clarify|complete|add|provide|"
    r"fill|write|answer|state|see)(?: (?:this|it|that))?(?: in)?|(?:coming|follows|more) (?:soon|later)|"
    r"(?:see|ask|come back) later|in progress|work in progress|wip|pending|"
    # German
    r"(?:wird|werden|muss|müssen|soll) (?:(?:noch|später|nachträglich|erst) ){0,3}(?:nachgereicht|nachgetragen|ergänzt|"
    r"bestimmt|festgelegt|definiert|geklärt|bestätigt|entschieden|ausgefüllt|angegeben)(?: werden)?|"
    r"(?:noch |später ){0,3}(?:zu (?:ergänzen|bestimmen|klären|definieren|bestätigen|entscheiden|erledigen)|"
    r"festzulegen|nachzutragen|nachzureichen|einzutragen|auszufüllen|anzugeben)|folgt(?: noch| später| in kürze)?|"
    r"(?:siehe|s\.) später|noch offen|in (?:arbeit|klärung)|(?:steht|stehen) (?:noch )?nicht fest|"
    # French
    r"à (?:compléter|renseigner|définir|déterminer|confirmer|préciser|venir|faire|décider|remplir|fixer|valider)|"
    r"(?:reste|restent) à \w+|(?:sera|seront) (?:\w+ )?(?:complét|précis|défini|détermin|confirm|fourni|renseign|"
    r"ajout|fix|décid)\w*|voir plus (?:tard|loin)|en (?:attente|cours)"
    r")(?!\w)",
    re.IGNORECASE,
)
"""What is promised for later."""
_EMPTY = re.compile(
    rf"(?<!\w)(?:(?:{WHOLE.replace('none|', '')})|"
    r"n\s?/\s?a|n\.\s?a\.?|na|n\.\s?n\.?|nn|s\.\s?o\.|k\.\s?a\.?|not applicable|not available|not known|"
    r"undetermined|undefined|not stated|no (?:answer|information|idea|comment)|(?:we|i) (?:do not|don't|don’t) know|"
    r"see (?:below|above)|later|asdf\w*|qwertz?y?\w*|bla|blah|foobar|your (?:name|role|text|answer)|dummy text|"
    r"(?:fill|insert|add|put)(?: (?:this|it|me|text|name|role))?(?: in)? (?:here|below)|(?:text|name|role) here|"
    r"nicht bekannt|keine angaben?|nicht zutreffend|nicht anwendbar|entfällt|platzhalter|später|unklar|siehe unten|"
    r"inconnue?s?|non connue?s?|non applicable|sans objet|non disponible|non (?:précis|détermin|renseign)ée?s?|"
    r"plus tard|ultérieurement|voir plus bas)(?!\w)",
    re.IGNORECASE,
)
"""What says nothing where no reason follows. `none` can be an answer: it says that there is none."""
_UNMISTAKABLE = re.compile(
    rf"(?:{TEMPLATE})|(?i:(?:{BRACKET})(?!\()|{FILLER})|(?<!\w)(?:TBD|T\.B\.D\.?|TODO|FIXME|TKTK|XXX+)(?!\w)"
)
"""What no sentence holds that is finished."""
_LITTLE_TEXT = (
    "a an and are as at be because been being by course currently date day details due for from further has "
    "have here i in information is it later moment more next now of on once or our please point possible "
    "release soon still stage that the their then they this time to until us we when which will with yet team "
    "version question answer before after auch am bei bis da das dem den denn der des die durch ein eine "
    "einem einer es für hier im ist mit nach noch sind später und von vom vor weil werden wird wir zu zum zur "
    "zurzeit derzeit bitte angabe angaben zeitpunkt au aux avec car ce cette ces d dans de du elle en est et "
    "il l la le les ou par pour sera seront sur un une plus tard"
)
_LITTLE = frozenset(_LITTLE_TEXT.split())
"""Words beside a placeholder that do not make it a statement."""
_REASON = re.compile(
    r"(?<!\w)(?:because|since|as(?! soon)|due to|weil|da|denn|parce qu['’e]|car|puisqu['’e])\W*(?:\w+\W+){2}\w",
    re.IGNORECASE,
)
_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
_FEWEST_BESIDE = 3
"""Words that say something beside a placeholder: with fewer it is one, however long it is."""


def in_sentence(text: str) -> str | None:
    """The placeholder in place of which a statement should stand; None where the text says something.

    `Not applicable, because …` and `Unknown, because …` say something: they give a reason.
    """
    return _found(text, _FEWEST_BESIDE)


def in_words(text: str) -> str | None:
    """The placeholder that stands in place of a name, a role or a few words; None where they say something."""
    return _found(text, 1)


def _found(text: str, fewest: int) -> str | None:
    if not any(character.isalnum() for character in text):
        return text.strip()
    if blank := _UNMISTAKABLE.search(text):
        return blank[0]
    plain = " ".join(text.split())
    rest, owed = _OWED.subn(" ", plain)
    rest, empty = _EMPTY.subn(" ", rest)
    first = _OWED.search(plain) or _EMPTY.search(plain)
    if first is None or not (owed or empty) or _REASON.search(rest):
        return None
    left = sum(word.casefold() not in _LITTLE for word in _WORD.findall(rest))
    # A promise that begins a text is no statement because it says who shall keep it.
    begins = owed and not any(w.casefold() not in _LITTLE for w in _WORD.findall(plain[: first.start()]))
    return first[0] if left < (_FEWEST_BESIDE if begins else fewest) else None
