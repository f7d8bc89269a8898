"""Citations of the AI Act: subjects, points of annexes, days of application, periods."""

from __future__ import annotations

import pytest

from configs.law import articles, register
from model_cards.lint import evidence, run
from model_cards.lint.readers import markdown


def _found(text: str) -> list[tuple[str, str]]:
    document = markdown.read(text.encode(), "doc.md")
    return [(f.rule.id, f.quoted) for f in run.lint([document], evidence.Evidence(())) if f.rule.group == "article"]


CREDIT = "# Model card\n\nThe system estimates the creditworthiness of persons who ask for a loan.\n\n"


@pytest.mark.parametrize(
    ("text", "rule", "quoted"),
    [
        # Days of application, also of what the sentence before named.
        ("The obligations for high-risk systems take effect on 2 August 2026.", "article-outdated", "2 August 2026"),
        ("It is high-risk. The duties for such systems apply from 2 August 2026.", "article-outdated", "2 August 2026"),
        ("Chapter III applies to it as from 2 August 2026.", "article-outdated", "2 August 2026"),
        ("The prohibitions have applied since 2 August 2025.", "article-outdated", "2 August 2025"),
        ("The rules on general-purpose models apply from 2 August 2024.", "article-outdated", "2 August 2024"),
        ("Users are told so (Article 50). This duty applies from 2 August 2027.", "article-outdated", "2 August 2027"),
        # Periods: shorter than the least, longer than the most, or given to an article that sets another.
        ("Logs are deleted after 30 days, in line with Article 19.", "article-subject", "30 days"),
        ("The documentation is kept for five years (Article 18).", "article-subject", "five years"),
        ("That is more than the three months that Article 19 prescribes.", "article-subject", "three months"),
        ("Article 26(6) requires one year at least.", "article-subject", "one year"),
        ("A serious incident is reported within 30 days (Article 73).", "article-subject", "30 days"),
        ("A death is reported within 15 days under Article 73.", "article-subject", "15 days"),
        # Annexes: beside the article of another, under another title, another section or point.
        ("It is made under Article 47, with the contents of Annex VI.", "article-subject", "Annex VI"),
        ("Internal control pursuant to Annex VII was chosen.", "article-subject", "Annex VII"),
        ("Lifts stand in Annex I, Section B.", "article-subject", "Annex I, Section B"),
        ("Section A of Annex I lists motor vehicles.", "article-subject", "Section A of Annex I"),
        (CREDIT + "It is high-risk under Annex III, point 4(a).", "article-subject", "Annex III, point 4(a)"),
        # A number of the proposal under the heading of what stood there.
        ("# Post-market monitoring plan\n\nIt is the system of Article 61.", "article-proposal", "Article 61"),
    ],
)
def test_what_the_act_has_otherwise_is_found(text: str, rule: str, quoted: str) -> None:
    """The wrong words are named, and nothing else of the sentence."""
    assert (rule, quoted) in _found(text)


@pytest.mark.parametrize(
    "text",
    [
        "The duties for high-risk systems under Annex III apply from 2 December 2027.",
        "They were to apply from 2 August 2026; the date was postponed.",
        "Our rules for high-risk orders apply from 3 August 2026.",
        "Chatbots must say so from 2 August 2026 (Article 50).",
        "The high-risk report is dated 2 August 2026.",
        "Logs are kept for 12 months (Article 19 asks for at least six months).",
        "Logs are kept for 24 months, as Article 19 allows.",
        "A serious incident is reported within 10 days (Article 73).",
        "A death is reported within 10 days, other serious incidents within 15 days (Article 73).",
        "The documentation is kept for ten years under Article 18; logs for one year.",
        "Contracts of three years are no matter of Article 12.",
        "The declaration follows Article 47 and Annex V.",
        "Technical documentation under Article 11 and Annex IV.",
        "Internal control pursuant to Annex VI was chosen.",
        "Lifts stand in Annex I, Section A; rail systems in Section B of Annex I.",
        CREDIT + "It is high-risk under Annex III, point 5(b).",
        CREDIT + "It is not listed in Annex III, point 4(a).",
        "# Post-market monitoring plan\n\nIt is the system of Article 72.",
        "# Consent\n\nInformed consent to tests follows Article 61.",
    ],
)
def test_what_the_act_says_passes(text: str) -> None:
    """True sentences of the same make."""
    assert _found(text) == []


def test_days_and_periods_are_those_of_the_register() -> None:
    """What the linter holds a text against is the dated register, not a second opinion."""
    known = {day.date for day in register.load().dates if day.date}
    for part in articles.load().applications:
        assert set(part.days) <= known
        assert part.former not in part.days
    for period in articles.load().periods:
        assert period.article in articles.load().articles
