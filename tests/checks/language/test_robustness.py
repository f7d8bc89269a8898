"""Changes of a text, and what they cost on a model whose probabilities are known."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checks import gate
from checks.language import alterations, robustness
from tests.checks.language import builders, runs

TEXT = "The quick brown fox jumps over the lazy dog, 1234 times. Übermäßig! Привет, как дела? Καλημέρα κόσμε."
PARAGRAPHS = runs.topics()
ROWS = [("en", "docs", t) for t in PARAGRAPHS[:12]]
TRAIN = [("en", "docs", t) for t in PARAGRAPHS[20:80]]


def rng():
    return np.random.default_rng(5)


@pytest.mark.parametrize("kind", list(alterations.CHANGES))
def test_stronger_changes_hold_the_weaker_ones(kind):
    """More strength changes more characters, deterministically; none at strength 0."""
    change = alterations.CHANGES[kind]
    counts = [change(TEXT * 5, s, rng())[1] for s in (0.0, 0.05, 0.2, 1.0)]
    assert counts[0] == 0
    assert change(TEXT, 0.0, rng())[0] == TEXT
    assert counts == sorted(counts)
    assert counts[1] > 0
    assert change(TEXT, 0.2, rng()) == change(TEXT, 0.2, rng())


@settings(max_examples=100, deadline=None)
@given(text=st.text(max_size=60), strength=st.floats(0, 1), kind=st.sampled_from(sorted(alterations.CHANGES)))
def test_every_text_can_be_changed(text, strength, kind):
    """Any string gives a string; typing errors keep or shorten it, the others keep its length and what is no letter."""
    changed, count = alterations.CHANGES[kind](text, strength, rng())
    assert 0 <= count <= len(text)
    assert len(changed) <= len(text) if kind == "typing" else len(changed) == len(text)
    assert [c for c in changed if c.isdigit()] == [c for c in text if c.isdigit()] or kind == "typing"


def test_each_change_does_what_it_says():
    """Neighbours lie on the keyboard, case is turned, look-alikes come from another script."""
    assert set(alterations.NEIGHBOURS["g"]) >= {"f", "h", "t"}
    assert "п" in alterations.NEIGHBOURS["а"]
    assert alterations.case("Straße 1", 1.0, rng())[0] == "sTRAßE 1"
    changed, count = alterations.confusables("capex", 1.0, rng())
    assert count == 5
    assert not changed.isascii()
    assert alterations.confusables(changed, 1.0, rng())[0] == "capex"


@pytest.fixture(scope="module")
def subject(tmp_path_factory):
    plan = builders.plan(robustness={"strengths": [0.05, 0.3]})
    return runs.subject(tmp_path_factory.mktemp("run"), ROWS, TRAIN, plan=plan)


@pytest.fixture(scope="module")
def results(subject):
    return {r.check_id.removeprefix("language.robustness_"): r for r in robustness.measure(subject)}


@pytest.mark.parametrize("kind", list(alterations.CHANGES))
def test_the_increase_is_that_of_the_table(subject, results, kind):
    """Bits of the changed excerpts less those of the unaltered, by the table, over the unaltered bytes."""
    shares = runs.counted(subject.training.streams(), subject.tokenizer.vocabulary)

    def bits(text):
        ids = np.concatenate([[0], subject.tokenizer.ids(text)])
        return -shares[ids[:-1], ids[1:]].sum() / np.log(2)

    texts = robustness.excerpts(subject)
    made = [alterations.CHANGES[kind](d.text, 0.3, alterations.stream(0, kind, d.id))[0] for d in texts]
    size = sum(len(d.text.encode()) for d in texts)
    expected = sum(bits(m) - bits(d.text) for m, d in zip(made, texts, strict=True)) / size
    headline, weaker = results[kind].measures
    assert headline.value == pytest.approx(expected, rel=1e-4)
    assert headline.value > weaker.value > 0
    assert headline.interval.low > 0
    assert weaker.name == f"language.robustness_{kind}.at_5_percent"
    assert [p["severity"] for p in results[kind].details["curve"]] == [0.05, 0.3]


def test_truncation_compares_the_same_tokens(subject, results):
    """With bigrams only the first token behind the cut loses its context: the increase is that of one token each."""
    shares = runs.counted(subject.training.streams(), subject.tokenizer.vocabulary)
    lost = size = 0.0
    for document in robustness.excerpts(subject):
        ids = subject.tokenizer.ids(document.text)
        seen = min(len(ids), runs.CONTEXT)
        cut = round(0.3 * seen)
        lost += (shares[ids[cut - 1], ids[cut]] - shares[0, ids[cut]]) / np.log(2)
        size += len(document.text.encode()) * (seen - cut) / len(ids)
    assert results["truncation"].measures[0].value == pytest.approx(lost / size, rel=1e-4)


def test_excerpts_come_from_every_language_and_are_bounded_together(tmp_path, monkeypatch):
    """At most the declared number of documents, in turn over the languages; together no more tokens than planned."""
    monkeypatch.setattr(robustness, "TOKENS", 900)
    many = [*[("en", "d", t) for t in PARAGRAPHS[:40]], *[("fi", "d", t[::-1]) for t in PARAGRAPHS[40:43]]]
    plan = builders.plan(robustness={"documents": 10})
    subject = runs.subject(tmp_path, many, TRAIN, plan=plan)
    chosen = robustness.excerpts(subject)
    assert len(chosen) == 10
    assert sum(d.language == "fi" for d in chosen) == 3
    lengths = [len(subject.tokenizer.ids(d.text)) for d in chosen]
    assert runs.CONTEXT < max(lengths) <= 91


def test_changes_that_the_plan_leaves_out_do_not_apply(tmp_path):
    """They say so."""
    plan = builders.plan(robustness={"changes": ["case"]})
    found = robustness.measure(runs.subject(tmp_path, ROWS, TRAIN, plan=plan))
    assert [r.status for r in found if "does not ask" in r.reason] == ["not_applicable"] * 3


@pytest.mark.slow
def test_the_worst_and_the_best_language_of_each_change_are_told(tmp_path):
    """Where a change costs most, with an interval, and least; a language with few excerpts is listed, not compared."""
    rows = [*ROWS, *[("fi", "tales", t.upper()) for t in PARAGRAPHS[:6]], ("sv", "tales", PARAGRAPHS[13])]
    train = [*TRAIN, *[("fi", "tales", t.upper()) for t in PARAGRAPHS[40:60]], ("sv", "tales", PARAGRAPHS[70])]
    plan = builders.plan(languages=("en", "fi", "sv", "mt"), robustness={"strengths": [0.1, 0.3]})
    subject = runs.subject(tmp_path, rows, [*train, ("mt", "tales", "Għandu")], plan=plan)
    change, size, _ = robustness._change(subject, "case", 0.3)
    of = np.array([d.language for d in robustness.excerpts(subject)])
    by_language = {name: change[of == name].sum() / size[of == name].sum() for name in ("en", "fi", "sv")}
    result = next(r for r in robustness.measure(subject) if r.check_id == "language.robustness_case")
    headline, weaker, worst, best, *domains = result.measures
    assert (headline.slice, weaker.slice, worst.slice, best.slice) == ("overall", "overall", "language", "language")
    assert worst.value == pytest.approx(max(by_language["en"], by_language["fi"]))
    assert best.value == pytest.approx(min(by_language["en"], by_language["fi"]))
    assert worst.interval.low < worst.value < worst.interval.high
    assert [m.slice for m in domains] == ["domain", "domain"]
    assert {g["name"]: g["value"] for g in result.details["groups"]["language"]} == pytest.approx(by_language)
    assert result.details["small_groups"] == ["language=sv"]
    assert result.details["empty_groups"] == ["language=mt"]
    worst_name = max(("en", "fi"), key=by_language.get)
    assert result.details["worst_slice"]["language"] == f"language = {worst_name}"


@pytest.mark.slow
def test_a_gate_on_the_worst_language_is_open_while_a_language_is_too_small(tmp_path):
    """As with bits per byte: what nobody could measure passes no gate; a limit that is missed without it fails."""
    rows = [*ROWS, *[("fi", "docs", t.upper()) for t in PARAGRAPHS[:6]], ("sv", "docs", PARAGRAPHS[13])]
    check = "language.robustness_case"
    for limit, wanted in ((100.0, "inconclusive"), (-100.0, "fail")):
        asked = {"check": check, "slice": "language", "at_most": limit}
        plan = builders.plan([asked], languages=("en", "fi", "sv"), robustness={"strengths": [0.3]})
        subject = runs.subject(tmp_path / str(limit), rows, TRAIN, plan=plan)
        (found,) = gate.apply(plan, [r for r in robustness.measure(subject) if r.check_id == check])
        assert found.status == wanted
        assert "“sv” has fewer than 5 excerpts" in found.reason
