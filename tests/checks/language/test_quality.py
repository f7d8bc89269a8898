"""Bits per byte, perplexity and gaps against models whose probabilities are known."""

import numpy as np
import pytest

from checks import gate
from checks.language import quality
from tests.checks.language import builders, runs

PARAGRAPHS = runs.topics()


def rows(*languages, each=8, start=0, domain="docs"):
    return [
        (language, domain, PARAGRAPHS[start + each * i + k])
        for i, language in enumerate(languages)
        for k in range(each)
    ]


def found(subject, check="language.bits_per_byte"):
    (result,) = [r for r in quality.measure(subject) if r.check_id == check]
    return result, {(m.name.removeprefix(check), m.slice): m for m in result.measures}


def test_a_uniform_model_has_the_perplexity_of_its_vocabulary(tmp_path):
    """Every token costs log2(V) bits, so bits per byte are tokens per byte times that, and perplexity is V."""
    subject = runs.subject(tmp_path, rows("en"), logits=np.zeros((384, 384)))
    tokens = sum(len(subject.tokenizer.ids(t)) for _, _, t in rows("en"))
    size = sum(len(t.encode()) for _, _, t in rows("en"))
    _, bits = found(subject)
    assert bits["", "overall"].value == pytest.approx(np.log2(384) * tokens / size, rel=1e-6)
    _, perplexity = found(subject, "language.perplexity")
    assert perplexity["", "overall"].value == pytest.approx(384, rel=1e-5)
    assert perplexity["", "overall"].interval is None
    assert perplexity["", "overall"].note == "nothing varies"


def test_values_are_those_of_the_table(tmp_path):
    """Overall, by language and per character, likelihoods are what the bigrams of the text cost by the table."""
    test = rows("en", "de", each=6)
    subject = runs.subject(tmp_path, test, rows("en", each=20, start=40))
    stream = subject.training.streams()[0]
    shares = runs.counted([stream], subject.tokenizer.vocabulary)

    def nats(text):
        ids = np.concatenate([[0], subject.tokenizer.ids(text)])
        return -shares[ids[:-1], ids[1:]].sum()

    result, bits = found(subject)
    for part in ("overall", "language=en", "language=de"):
        chosen = [t for language, _, t in test if part in ("overall", f"language={language}")]
        size = sum(len(t.encode()) for t in chosen)
        measure = bits["", part]
        assert measure.value == pytest.approx(sum(map(nats, chosen)) / np.log(2) / size, rel=1e-5)
        assert measure.interval.low < measure.value < measure.interval.high
    characters = sum(len(t) for _, _, t in test)
    assert bits[".per_character", "overall"].value == pytest.approx(
        sum(nats(t) for *_, t in test) / np.log(2) / characters, rel=1e-5
    )
    worst = max("en", "de", key=lambda name: bits["", f"language={name}"].value)
    assert bits["", "language"].value == bits["", f"language={worst}"].value
    assert result.details["worst_slice"]["language"] == f"language = {worst}"
    assert bits["", "language"].n == 12


def test_the_gap_is_worst_less_best_and_its_interval_reaches_zero_where_noise_explains_it(tmp_path):
    """Two halves of one text have a gap whose interval begins at 0; a language in another script stands apart."""
    test = rows("en", "fr", each=10)
    turned = [("el", "docs", t[::-1].swapcase()) for _, _, t in rows("en", each=10, start=60)]
    train = rows("en", each=60, start=100)
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    same, measures = found(runs.subject(tmp_path / "a", test, train), quality.GAP)
    assert measures["", "language"].interval.low == 0
    other, apart = found(runs.subject(tmp_path / "b", [*test, *turned], train), quality.GAP)
    gap = apart["", "language"]
    assert gap.interval.low > 0
    assert other.details["pairs"]["language"]["worst"] == "el"
    assert gap.value > measures["", "language"].value
    assert ("", "domain") not in apart
    assert same.details["pairs"]["language"]["best"] in ("en", "fr")


def test_small_and_missing_languages_are_listed_and_leave_the_comparison_open(tmp_path):
    """Two documents of French are too few, Finnish has none; the comparison stays open."""
    test = [*rows("en", each=8), *rows("fr", each=2, start=30)]
    train = [*rows("en", each=20, start=40), ("fi", "docs", PARAGRAPHS[70])]
    gates = [
        {**builders.GATE, "slice": "language", "at_most": 9.0},
        {"check": quality.GAP, "slice": "language", "at_most": 9.0},
    ]
    subject = runs.subject(tmp_path, test, train, plan=builders.plan(gates, ("en", "fi", "fr")))
    result, bits = found(subject)
    assert bits["", "language=fr"].note == "fewer documents than the policy asks for"
    assert (bits["", "language=fi"].value, bits["", "language=fi"].note) == (None, "no held-out text of this language")
    assert result.details["small_groups"] == ["language=fr"]
    assert result.details["empty_groups"] == ["language=fi"]
    assert result.details["worst_slice"]["language"] == "language = en"
    gap, _ = found(subject, quality.GAP)
    reasons = gate.decide(subject.plan, gate.apply(subject.plan, [result, gap])).reasons
    assert [r.status for r in reasons] == ["inconclusive", "inconclusive"]
    assert "“fr” and “fi” have fewer than 5 documents" in reasons[0].text


def test_text_whose_language_nobody_could_tell_is_not_compared(tmp_path):
    """`und` counts in the whole and is listed, but is no language that is worst or best."""
    test = [*rows("en", "fr", each=6), *[("und", "docs", t[::-1]) for t in PARAGRAPHS[50:58]]]
    result, bits = found(runs.subject(tmp_path, test, rows("en", each=30, start=100)))
    assert bits["", "language=und"].value > bits["", "language"].value
    assert bits["", "overall"].n == 20
    assert "und" not in result.details["worst_slice"]["language"]


def test_a_handful_of_documents_of_an_undeclared_language_leaves_nothing_open(tmp_path):
    """The plan declares English: two documents identified as Breton are listed and not compared; eight of them are."""
    train = rows("en", each=30, start=100)
    for count in (2, 8):
        (tmp_path / str(count)).mkdir()
        test = [*rows("en", each=8), *[("br", "docs", t) for t in PARAGRAPHS[50 : 50 + count]]]
        result, bits = found(runs.subject(tmp_path / str(count), test, train))
        assert result.details["small_groups"] == []
        assert (bits["", "language"].n, bits["", "language=br"].n) == (8 if count == 2 else 16, count)
    assert bits["", "language=br"].note is None


def test_without_held_out_text_nothing_is_measured(tmp_path):
    """No document, no number."""
    subject = runs.subject(tmp_path, [], rows("en", each=20))
    assert {r.status for r in quality.measure(subject)} == {"not_measured"}


def test_a_single_document_has_a_value_without_an_interval(tmp_path):
    """How much documents differ is not to be told from one; the gate stays open."""
    subject = runs.subject(tmp_path, rows("en", each=1), rows("en", each=20, start=10))
    result, bits = found(subject)
    assert bits["", "overall"].interval is None
    assert gate.apply(subject.plan, [result])[0].status == "inconclusive"
