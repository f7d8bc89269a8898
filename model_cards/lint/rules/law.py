"""Articles that do not say what the text says, numbers of the 2021 proposal, law as it was before July 2026."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Sequence

from configs.law import articles
from model_cards.lint import lexicon
from model_cards.lint.evidence import Evidence
from model_cards.lint.model import Confidence, Document, Finding, Sentence
from model_cards.lint.rules import annexed, citations, points, saying, tokens
from model_cards.lint.rules.catalogue import RULES
from model_cards.lint.rules.citations import Citation
from model_cards.lint.rules.tokens import Span

NEAR = 90
"""Characters between a citation and the subject that it is cited for."""
APART = 60
"""Characters that a comma between them counts for."""
SPEAKS_OF_CHANGE = re.compile(
    r"(?<!\w)(?:deleted|repealed|no longer|replaced|instead|former(?:ly)?|previously|originally|"
    r"until|before (?:july|the amendment)|postponed|deferred|"
    r"moved|old|earlier|was to|were to|amended|superseded|formal date|gestrichen|aufgehoben|ehemals|"
    r"proposal|proposed|draft|not (?:from )?|entfallen|supprimé)(?!\w)",
    re.IGNORECASE,
)
_OF_THE_PROPOSAL = re.compile(
    r"(?<!\w)(?:proposal|proposed|draft of 2021|2021 draft|COM\(2021\)|entwurf)(?!\w)", re.IGNORECASE
)
_NAMES_SUBJECT = re.compile(
    r"^\s*(?:\(|on|about|concerning|regarding|[:–—-]|über|zu|relatif)\s*(?:the\s+)?$", re.IGNORECASE
)
_OPENS = re.compile(r"\s*[(\[]\s*(?:see |cf\.? |according to )?")
_LIGHT = re.compile(
    r"^[\s,(:]*(?:\w+\s+){0,5}(?:of|under|in|with|by|to|see|cf\.?|per|from|nach|gemäß|laut|selon)?[\s(]*(?:the\s+)?$",
    re.IGNORECASE,
)
_CLOSE = 40
"""Characters between a citation and a subject, below which they surely belong together."""
_FEW = 2
"""Citations, and `_SHORT` characters, up to which a sentence without a subject may lean on its heading."""
_SHORT = 60
_HEADINGS = 2
_LEANS = re.compile(r"(?:draft|according|under)(?!\w)", re.IGNORECASE)
"""First words of what leans on its heading: `According to Article 12`."""


def check(document: Document, evidence: Evidence) -> Iterator[Finding]:
    """Every citation of a document."""
    # A run has tens of thousands of texts, and most documents cite no point of Annex III.
    before, uses = "", functools.cache(lambda: points.uses_of(document, evidence))
    for sentence in document.sentences:
        if sentence.kind == "code":
            continue
        headings = " ".join(sentence.place.heading[-_HEADINGS:])
        yield from _sentence(sentence, f"{headings} {before}", uses, evidence)
        yield from annexed.check(sentence)
        before = sentence.text if sentence.kind == "prose" else before


def _sentence(sentence: Sentence, before: str, uses: points.Uses, evidence: Evidence) -> Iterator[Finding]:
    text = sentence.text
    cited = citations.find(text)
    if not _OF_THE_PROPOSAL.search(text):
        for begin, end in citations.titles(text):
            yield Finding(
                RULES["article-proposal"],
                sentence,
                "high",
                f"{text[begin:end]} is a division of the proposal of 2021.",
                ("The Act as adopted is divided into chapters: Title III of the proposal is Chapter III today."),
                (begin, end),
            )
    outdated = list(_outdated(sentence, cited))
    yield from outdated
    if outdated or not cited or _OF_THE_PROPOSAL.search(text):
        return
    subjects = tokens.of(text).spans(_phrases())
    owners = [_nearest(span, cited, text) for span in subjects]
    yield from points.check(sentence, cited, evidence, uses)
    if not subjects and len(cited) <= _FEW and _leans(text):
        for citation in cited:
            yield from _of_heading(sentence, citation, before)
    for number, citation in enumerate(cited):
        own = [span for span, owner in zip(subjects, owners, strict=True) if owner == number]
        if finding := _citation(sentence, citation, own):
            yield finding


def _leans(text: str) -> bool:
    """Does a sentence take its subject from what stands before it?"""
    return len(text) < _SHORT or bool(_LEANS.match(text) or saying.GOES_ON.search(text))


@functools.cache
def _phrases() -> lexicon.Phrases:
    register = articles.load()
    names: dict[str, tuple[str, ...]] = {words: (words,) for words in register.subjects}
    for former in register.proposal:
        names |= {words: (words,) for words in former.about}
    return lexicon.Phrases(names)


def _nearest(span: Span, cited: Sequence[Citation], text: str) -> int | None:
    """The citation that a subject belongs to: the nearest, and rather one in the same part between commas."""
    best, least = None, float("inf")
    for number, citation in enumerate(cited):
        low, high = (span.end, citation.begin) if span.end <= citation.begin else (citation.end, span.begin)
        distance = max(0, high - low)
        weighed = distance + APART * len(re.findall(r"[,;]|\.\s", text[low:high]))
        if distance <= NEAR and weighed < least:
            best, least = number, weighed
    return best


def _of_heading(sentence: Sentence, citation: Citation, before: str) -> Iterator[Finding]:
    """A number of the proposal in a sentence whose subject stands before it: in its heading or the last sentence."""
    told = {span.concept for span in tokens.of(before).spans(_phrases())}
    register = articles.load()
    for former in register.proposal:
        hit = next((name for name in former.about if name in told), None)
        if former.article != citation.name or hit is None:
            continue
        if any(_fits(citation, register.subjects.get(name, frozenset())) for name in told):
            continue
        yield Finding(
            RULES["article-proposal"],
            sentence,
            "medium",
            f"{_name(citation)} was about “{hit}” in the proposal of 2021; today it is {former.now}.",
            f"Cite {former.now}.",
            (citation.begin, citation.end),
        )


def _citation(sentence: Sentence, citation: Citation, subjects: Sequence[Span]) -> Finding | None:
    """What is wrong with a citation, by the subjects that belong to it: none such, of 2021, of something else."""
    text = sentence.text
    if _is_none(citation, text):
        message = f"The AI Act has no Article {citation.name}."
        advice = "Correct the number, or name the law that it belongs to."
        return _finding("article-subject", sentence, citation, "medium", message, advice)
    # `Article 19 on risk management`, `human oversight (Art. 13)`: this is what it is cited for; then only that counts.
    after = [s for s in subjects if s.begin >= citation.end and _NAMES_SUBJECT.match(text[citation.end : s.begin])]
    before = [s for s in subjects if s.end <= citation.begin and _OPENS.fullmatch(text[s.end : citation.begin])]
    named = after or before
    own = named or list(subjects)
    of_2021 = _of_2021(sentence, citation, own, subjects) if own else None
    return of_2021 or _of_another_subject(sentence, citation, own, named, whole_annex=bool(after))


def _is_none(citation: Citation, text: str) -> bool:
    """Has the Act no article of this number?"""
    register = articles.load()
    lettered = citation.name[0].isdigit() and not citation.name.isdigit() and text[citation.begin] in "Aa"
    beyond = citation.name.isdigit() and int(citation.name) > register.last_article
    return beyond or (lettered and citation.name not in register.lettered)


def _of_2021(sentence: Sentence, citation: Citation, own: Sequence[Span], subjects: Sequence[Span]) -> Finding | None:
    """The article was about one of the subjects in the proposal, and about none of the sentence's today."""
    register, text = articles.load(), sentence.text
    if any(_fits(citation, register.subjects.get(s.concept, frozenset())) for s in subjects):
        return None  # the sentence speaks of what the article says today, too
    for former in register.proposal if not _OF_THE_PROPOSAL.search(text) else ():
        hit = next((s for s in own if s.concept in former.about), None)
        if former.article == citation.name and hit is not None:
            about = text[hit.begin : hit.end]
            message = f"{_name(citation)} was about “{about}” in the proposal of 2021; today it is {former.now}."
            return _finding("article-proposal", sentence, citation, "high", message, f"Cite {former.now}.")
    return None


def _of_another_subject(
    sentence: Sentence, citation: Citation, own: Sequence[Span], named: Sequence[Span], *, whole_annex: bool
) -> Finding | None:
    """None of the subjects that it is cited for is the article's.

    Args:
        sentence: The sentence.
        citation: The citation.
        own: The subjects that it is cited for.
        named: Those of them that are told right beside it.
        whole_annex: Does a subject right behind it say what the annex is about?
    """
    register, text = articles.load(), sentence.text
    told = [s for s in own if s.concept in register.subjects]
    title = register.title(citation.name)
    if not told or not title or any(_fits(citation, register.subjects[s.concept]) for s in told):
        return None
    near = min(told, key=lambda s: max(citation.begin - s.end, s.begin - citation.end))
    by_title = whole_annex and not citation.paragraphs
    if citation.name.startswith("Annex") and not by_title and not _annexed(near, citation, text):
        return None
    between = text[near.end : citation.begin] if near.end <= citation.begin else text[citation.end : near.begin]
    right = sorted(register.subjects[near.concept], key=lambda n: (n.startswith("Annex"), len(n), n))
    first = next((n for n, s in register.articles.items() if near.concept in s.about), right[0])
    return _finding(
        "article-subject",
        sentence,
        citation,
        "high" if named or _LIGHT.match(between) or len(between) < _CLOSE else "medium",
        f"{_name(citation)} is about “{title}”, not about “{text[near.begin : near.end]}”.",
        f"Cite {'' if first.startswith('Annex') else 'Article '}{first}, or say what {_name(citation)} is cited for.",
    )


def _finding(
    rule: str, sentence: Sentence, citation: Citation, confidence: Confidence, message: str, advice: str
) -> Finding:
    return Finding(RULES[rule], sentence, confidence, message, advice, (citation.begin, citation.end))


def _annexed(near: Span, citation: Citation, text: str) -> bool:
    """`Internal control pursuant to Annex VII`: does another annex belong to the subject right before it?"""
    right = {name for name in articles.load().subjects[near.concept] if name.startswith("Annex")}
    return bool(right) and near.end <= citation.begin and bool(_PURSUANT.fullmatch(text[near.end : citation.begin]))


_PURSUANT = re.compile(
    r"\s*(?:(?:pursuant to|under|according to|along|following|as in|as set out in|of|in|with|by)\s+(?:the )?)",
    re.IGNORECASE,
)


def _fits(citation: Citation, right: frozenset[str]) -> bool:
    """Articles such as 16 list many duties; for one of them only its letter is cited: `16.c`."""
    cited = f"{citation.name}.{citation.paragraphs}."
    return citation.name in right or any("." in name and cited.startswith(f"{name}.") for name in right)


def _name(citation: Citation) -> str:
    return citation.name if citation.name.startswith("Annex") else f"Article {citation.name}"


def _outdated(sentence: Sentence, cited: Sequence[Citation]) -> Iterator[Finding]:
    text = sentence.text
    if SPEAKS_OF_CHANGE.search(text):
        return
    for change in articles.load().outdated:
        span: tuple[int, int] | None = None
        if change.cited:
            hit = next(
                (c for c in cited if c.name == change.cited and c.paragraphs.split(".")[0] == change.paragraph), None
            )
            span = (hit.begin, hit.end) if hit else None
        elif any(re.search(pattern, text, re.IGNORECASE) for pattern in change.says):
            span = (0, len(text))
        if span:
            yield Finding(
                RULES["article-outdated"],
                sentence,
                "high",
                f"“{text[span[0] : span[1]]}” is not the law since July 2026.",
                f"With Regulation (EU) 2026/1744: {change.now}.",
                span,
            )
            return
