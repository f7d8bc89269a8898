"""Words are folded by their roots and the thesaurus."""

from __future__ import annotations

import pytest

from model_cards.lint import concepts, words


def fold(text: str, kind: str = "same") -> frozenset[str]:
    """The concepts of a text."""
    return concepts.fold(tuple(words.words(text)), kind)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("encrypted", "encryption"),
        ("approved", "approval"),
        ("monitoring", "monitored"),
        ("dropped", "excluded"),
        ("mean", "on average"),
        ("sensitivity", "recall"),
        ("women", "female"),
        ("the training part", "train"),
    ],
)
def test_forms_and_synonyms_are_one(one: str, other: str) -> None:
    """Forms of a word, synonyms, and the names of measures, groups and parts fold to one concept."""
    assert fold(one) & fold(other)


def test_wider_words_count_for_statements_only() -> None:
    """A nurse is one of the staff where something is said to be done, and no number of nurses is one of staff."""
    assert fold("nurses", "wider") == fold("staff", "wider")
    assert fold("nurses") != fold("staff")


def test_measures_under_one_name_keep_their_numbers() -> None:
    """`mAP50` is not `mAP50-95`, and `postcode4` is a postcode."""
    assert fold("mAP50") < fold("mAP50-95")
    assert "residence" in fold("postcode4", "wider")


def test_no_word_stands_in_two_lines() -> None:
    """The thesaurus gives each word and phrase one concept."""
    table, held = concepts.load(), {}
    for name, phrases in (table.same | table.wider).items():
        for phrase in phrases:
            row = tuple(concepts.root(word) for word in words.words(phrase))
            assert held.setdefault(row, name) == name or (name in table.wider and held[row] in table.same), phrase
