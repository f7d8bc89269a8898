"""What holds a place for words is no statement; what gives a reason, or names somebody, is one."""

from __future__ import annotations

import time

import pydantic
import pytest

from configs import answers, placeholders

NOTHING = (
    "To be determined later.",
    "TBD",
    "to be confirmed",
    "This is still to be defined by the compliance team.",
    "To do",
    "n/a",
    "N.A.",
    "Not applicable.",
    "Unknown at this point in time.",
    "xxx xxx xxx",
    "Lorem ipsum dolor sit amet.",
    "[insert the name of the person]",
    "{{ oversight_measure }}",
    "See later.",
    "We will add this later.",
    "We do not know yet.",
    "This has not been decided yet.",
    "Pending; to be completed before the next release.",
    "Wird noch nachgereicht.",
    "Ist noch zu klären.",
    "Steht noch nicht fest.",
    "Unbekannt.",
    "Keine Angabe",
    "À compléter ultérieurement.",
    "Sera précisé plus tard.",
    "Sans objet.",
    "Unknown, because to be determined later.",
)
SAID = (
    "Not applicable: the system has no user interface.",
    "Not applicable, because the system never meets a natural person.",
    "Unknown, because the supplier does not tell.",
    "Unknown, as it is not in our data.",
    "Unbekannt, weil der Lieferant es nicht sagt.",
    "Sans objet, car aucune personne n'est concernée.",
    "The threshold is to be determined by the deployer for each ward, as the manual says.",
    "Applications of unknown origin are put aside and read by two clerks.",
    "No further document is needed for this.",
    "Retraining takes place later than the first audit, in the second year.",
    "Patients with TBC are excluded from the study.",
    "The clerk decides. Orders to be confirmed are shown in red.",
    "The operators follow the manual [chapter 4].",
    "Es wird durch die Leitung der Station abgeschaltet.",
    "Le système est arrêté par le médecin en cours de garde.",
)


@pytest.mark.parametrize("text", NOTHING)
def test_a_placeholder_is_no_statement(text: str) -> None:
    """In English, German and French, short or long, with or without who shall say it later."""
    assert placeholders.in_sentence(text)
    assert placeholders.in_words(text)


@pytest.mark.parametrize("text", ["Not applicable to this system", "Not applicable to this system."])
def test_that_it_does_not_apply_needs_a_reason(text: str) -> None:
    """Bare it says nothing; the message of whoever refuses it names the form that is taken."""
    assert placeholders.in_sentence(text)
    with pytest.raises(pydantic.ValidationError, match="a reason stand beside it: “Not applicable: the system has no"):
        pydantic.TypeAdapter(answers.Sentence).validate_python(text)


@pytest.mark.parametrize("text", SAID)
def test_words_with_a_reason_or_a_fact_are_a_statement(text: str) -> None:
    """The words of a placeholder may stand in a sentence that says something."""
    assert placeholders.in_sentence(text) is None


@pytest.mark.parametrize(
    "text", ["The person in charge is TBD for now, says the board.", "[insert name] decides each case."]
)
def test_a_blank_within_a_sentence_is_one(text: str) -> None:
    """A sentence that still has a blank is not finished."""
    assert placeholders.in_sentence(text)


@pytest.mark.parametrize(
    "text", ["Unknown", "N.N.", "N/A", "your name", "tbd", "To be named", "xx", "Platzhalter", "?", "…"]
)
def test_nobody_is_called_so(text: str) -> None:
    """Neither a name nor a role is a word for one to come."""
    assert placeholders.in_words(text)


@pytest.mark.parametrize(
    "text",
    [
        "Anna Muster", "Na Li", "compliance officer", "Bar Cohen", "Unknown inputs", "Persons with unknown income",
        "none", "Orders to be confirmed are lost", "全員", "Unklare Eingaben", "In-patients", "all",
    ],
)  # fmt: skip
def test_few_words_that_name_something_are_taken(text: str) -> None:
    """A title, a name or a role need not be a sentence."""
    assert placeholders.in_words(text) is None


@pytest.mark.parametrize(
    "part", ["noch später ", "is are has ", "wird noch ", "[name, ", "to be ", "because a ", "n. "]
)
def test_a_long_text_is_read_in_time_that_grows_with_it(part: str) -> None:
    """An answers file may hold megabytes of one answer: no pattern is tried from each of its words to its end."""
    begun = time.process_time()
    placeholders.in_sentence(part * 20_000)
    assert time.process_time() - begun < 10
