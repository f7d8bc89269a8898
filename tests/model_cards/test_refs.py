from __future__ import annotations

import pytest

from evidence import dossier
from model_cards import refs, tree


def test_pointer_escapes_as_rfc_6901_says() -> None:
    """A key with a slash or a tilde stays one step of the pointer."""
    node = refs.Node("a.json", "", {"x/y": {"~": [1.5]}})
    assert node.at("x/y", "~", 0).fact("number").evidence == "a.json#/x~1y/~0/0"


def test_absent_text_is_a_gap_with_its_place_in_the_plan() -> None:
    """What is not stated says what, who and where; no default text takes its place."""
    gap = refs.Node("plan.yaml", "/system/provider/address", None).fact_or_gap("postal address of the provider")
    assert isinstance(gap, refs.Gap)
    assert gap.text == (
        "Not stated: postal address of the provider. To be filled by: provider (plan: system.provider.address)."
    )


def test_a_fact_needs_a_value() -> None:
    """Null, lists and tables cannot be shown as a fact."""
    for value in (None, [1], {"a": 1}):
        with pytest.raises(ValueError, match="expected a value"):
            refs.Node("a.json", "/x", value).fact()


def test_zero_is_something() -> None:
    """A measured zero is shown, not taken for absent."""
    assert refs.Node("a.json", "/x", 0)
    assert refs.Node("a.json", "/x", 0.0).fact("number").shown == "0"
    assert not refs.Node("a.json", "/x", [])


def test_full_value_keeps_every_digit() -> None:
    """The value beside the shown number is the record's, unrounded."""
    fact = refs.Node("a.json", "/x", 0.8465909090909091).fact("number")
    assert (fact.shown, fact.full) == ("0.847", "0.8465909090909091")


def test_say_keeps_fixed_words_and_facts_apart() -> None:
    """A sentence becomes text and facts in reading order."""
    fact = refs.Node("a.json", "/n", 3).fact("count")
    assert tree.say("There are {n} rows.", n=fact) == ("There are ", fact, " rows.")


def test_a_record_that_no_run_has_is_refused(dossiers: dict[str, dossier.Dossier]) -> None:
    """A document that names a missing record ends in one sentence, never in an empty place."""
    with pytest.raises(KeyError, match="record evaluation: expected a stage of a run, got none of "):
        refs.book(dossiers["binary"])["evaluation"]


def test_a_gap_ends_with_one_sign() -> None:
    """A question, or a request that has its point, gets no second one."""
    for what in ("Who signs?", "Who signs? Name each act.", "the act"):
        said = refs.Gap(what, "provider", "proofline answer", "Not answered").text
        assert f": {what.rstrip('.')}{'' if what.endswith('?') else '.'} To be" in said
