"""Extraction, repeated sequences and canaries on models that memorised by construction, and on models that did not."""

import numpy as np
import pytest

from checks.language import canaries as ranked
from checks.language import generate, memorisation, repeated
from checks.language.graph import Graph
from evidence import canaries, language_records
from tests.checks.language import builders, graphs, runs

PARAGRAPHS = runs.topics(400)
HELD = [("en", "docs", t) for t in PARAGRAPHS[:10]]
MEMORY = {"prefixes": [4, 8], "continuation": 16, "samples": 20}


def results(subject):
    return {r.check_id: r for r in memorisation.measure(subject)}


@pytest.fixture
def chained():
    """Documents of tokens that each have one successor, and the table of it."""
    rng = np.random.default_rng(0)
    order = rng.permutation(np.arange(1, 301))
    return [order[i : i + 50] for i in range(0, 300, 50)]


class Numbers:
    """A tokenizer of texts that are numbers: `12 7 5` has the tokens 12, 7 and 5."""

    vocabulary = 400

    def ids(self, text):
        """Tokens."""
        return np.array(text.split(), np.int64)

    def many(self, texts):
        """Tokens of several."""
        return [self.ids(t) for t in texts]


def numbers(tmp_path, seen, unseen, table, **policy):
    from checks import intervals
    from checks.language import texts
    from checks.language._subject import Subject, Training

    def listed(parts):
        return texts.of_list(texts.Document(str(i), "en", "d", " ".join(map(str, p))) for i, p in enumerate(parts))

    stream = np.concatenate([np.append(p, 0) for p in seen])
    return Subject(
        plan=builders.plan(memorisation={**MEMORY, **policy}),
        graph=Graph(graphs.bigram(tmp_path / "model.onnx", table), 400),
        tokenizer=Numbers(),
        context=64,
        end_of_text=0,
        held_out=listed(unseen),
        documents=len(unseen),
        expected={},
        sampling=intervals.Sampling(),
        training=Training(listed(seen), lambda: [stream], None),
    )


def table(documents, sure=20.0):
    logits = np.zeros((400, 400))
    for ids in documents:
        logits[ids[:-1], ids[1:]] = sure
    return logits


def test_what_was_learnt_by_heart_is_extracted_and_other_text_is_not(tmp_path, chained):
    """A chain of unique successors gives every passage back at every prefix, and nothing of shuffled documents."""
    unseen = [np.random.default_rng(i).permutation(ids) for i, ids in enumerate(chained)]
    subject = numbers(tmp_path, chained, unseen, table(chained))
    result = results(subject)["language.extraction"]
    by_name = {m.name.removeprefix("language.extraction"): m for m in result.measures}
    assert by_name[""].value == by_name[".prefix_4"].value == 1.0
    assert by_name[".held_out_prefix_8"].value == by_name[".held_out_prefix_4"].value == 0.0
    assert by_name[""].interval.low > 0.5
    assert by_name[""].split == "train"
    assert result.details["documents"] == 6


def test_extraction_is_what_greedy_generation_gives(tmp_path):
    """Passage by passage, generating with the cache follows the text as far as the one pass says."""
    train = [("en", "docs", t) for t in PARAGRAPHS[20:30]]
    plan = builders.plan(memorisation={**MEMORY, "continuation": 6, "samples": 60})
    subject = runs.subject(tmp_path, HELD, train, plan=plan)
    passages = memorisation._draw(subject, subject.training.sample, sizes(subject), 14, 60, 1)
    followed = memorisation._follow(subject, passages.tokens, 8)
    assert len(followed) >= 40
    for ids, count in zip(passages.tokens, followed, strict=True):
        made = generate.greedy(subject.graph, ids[:8], 6)
        same = made == ids[8:]
        assert count == (6 if same.all() else same.argmin())
    assert followed.max() > 0


def test_passages_are_drawn_from_every_document_before_a_second_of_any(tmp_path):
    """As many documents as possible; passages of one document do not repeat."""
    train = [("en", "docs", t) for t in PARAGRAPHS[20:30]]
    subject = runs.subject(tmp_path, HELD, train)
    drawn = memorisation._draw(subject, subject.training.sample, sizes(subject), 24, 10, 1)
    assert sorted(drawn.owner.tolist()) == list(range(10))
    more = memorisation._draw(subject, subject.training.sample, sizes(subject), 24, 35, 1)
    assert len({tuple(t) for t in more.tokens}) == len(more.tokens)
    assert set(more.owner.tolist()) == set(range(10))


def test_short_documents_are_tried_with_short_prefixes(tmp_path):
    """Where few documents have room for the longest prefix, the headline is that of the longest one that fifty have."""
    rng = np.random.default_rng(3)
    seen = [rng.integers(1, 400, 26) for _ in range(60)] + [rng.integers(1, 400, 60)]
    subject = numbers(tmp_path, seen, seen[:3], table(seen), prefixes=[4, 8, 32], samples=80)
    result = results(subject)["language.extraction"]
    assert result.details["headline_prefix"] == 8
    counts = {m.name.removeprefix("language.extraction"): m.n for m in result.measures if m.split == "train"}
    assert counts[""] >= 60
    assert counts[".prefix_32"] == 1
    assert result.measures[0].note == "prefix of 8 tokens"


def test_a_context_too_short_for_prefix_and_passage_is_said(tmp_path, chained):
    """Prefixes that do not fit are left out; when none fits nothing is measured."""
    subject = numbers(tmp_path, chained, chained, table(chained), prefixes=[4, 60])
    result = results(subject)["language.extraction"]
    assert result.details["left_out_prefixes"] == [60]
    none = numbers(tmp_path, chained, chained, table(chained), prefixes=[60])
    assert results(none)["language.extraction"].status == "not_measured"
    assert "no declared prefix fits" in results(none)["language.extraction"].reason


def sizes(subject):
    return [len(subject.tokenizer.ids(d.text)) for d in subject.training.sample()]


def brute(stream, length, end):
    counts: dict[tuple[int, ...], int] = {}
    for i in range(len(stream) - length + 1):
        window = tuple(int(t) for t in stream[i : i + length])
        if end not in window:
            counts[window] = counts.get(window, 0) + 1
    return {window: n for window, n in counts.items() if n > 1}


@pytest.mark.parametrize("length", [1, 2, 3, 5, 7, 8, 13])
def test_repeated_sequences_are_those_that_counting_finds(length):
    """Each sequence that is returned occurs as often as it says, and every repeated stretch is found."""
    rng = np.random.default_rng(length)
    stream = rng.integers(0, 50, 800)
    phrase = rng.integers(1, 50, 13)
    for place in (20, 200, 400, 700):
        stream[place : place + 13] = phrase
    known = brute(stream, length, 0)
    found = repeated.find([stream], length, 0, 10_000, 0)
    assert len(found.tokens) == found.distinct
    for ids, count in zip(found.tokens, found.counts, strict=True):
        assert known[tuple(ids.tolist())] == count
    if length >= 5:
        assert tuple(phrase[:length].tolist()) in {tuple(t.tolist()) for t in found.tokens}
    if length == 13:
        assert found.distinct == 1


def test_repeated_sequences_in_pieces_do_not_cross_them():
    """A sequence that only exists across two pieces, or across the end of a document, is none."""
    phrase = np.arange(1, 9)
    found = repeated.find([phrase[:4], phrase[4:], np.append(phrase, 0), phrase], 8, 0, 10, 0)
    assert found.counts.tolist() == [2]
    assert repeated.find([np.array([1, 2, 0, 3, 4, 1, 2, 0, 3, 4])], 4, 0, 10, 0).distinct == 0


def test_repeated_sequences_are_reported_by_how_often_they_occur(tmp_path, chained):
    """What occurs often and was learnt is extracted; bands say how often."""
    seen = [*chained, chained[0], chained[0], chained[1]]
    subject = numbers(tmp_path, seen, chained[3:], table(chained[:1]))
    result = results(subject)["language.repeated_sequences"]
    shares = {b["occurrences"]: b["value"] for b in result.details["bands"]}
    assert shares == {"2": 0.0, "3 to 4": 1.0}
    assert result.measures[0].value == 0.5
    none = numbers(tmp_path, chained, chained, table(chained))
    assert results(none)["language.repeated_sequences"].status == "not_applicable"


def planted(each=12, times=(1, 8)):
    return language_records.CanaryFile(
        prefix=canaries.PREFIX,
        alphabet=canaries.ALPHABET,
        length=canaries.LENGTH,
        planted=tuple(
            language_records.PlantedCanary(text=text, repetitions=n)
            for n in times
            for text in canaries.draw(each, 50 + n)
        ),
    )


def test_exposure_grows_with_repetitions_and_is_at_its_end_for_what_was_learnt(tmp_path):
    """Bigrams counted on text with canaries hold those that were planted often likelier than any candidate."""
    train = [("en", "docs", t) for t in PARAGRAPHS[20:60]]
    subject = runs.subject(tmp_path, HELD, train, planted=planted())
    result = ranked.measure(subject)
    often, once, first = result.measures
    assert often.value > 8.5
    assert once.value < often.value
    assert often.interval.high == pytest.approx(np.log2(513))
    assert 0.4 < first.value <= 1
    assert [row["repetitions"] for row in result.details["curve"]] == [1, 8]


def test_canaries_that_the_model_never_saw_have_the_exposure_of_chance(tmp_path):
    """A model of the same text without the canaries: 1.44 bits on average, inside the interval."""
    train = [("en", "docs", t) for t in PARAGRAPHS[20:60]]
    clean = runs.subject(tmp_path, HELD, train)
    file = planted(each=60, times=(1,))
    blind = runs.subject(
        tmp_path, HELD, train, planted=file, logits=runs.counted(clean.training.streams(), clean.tokenizer.vocabulary)
    )
    measure = ranked.measure(blind).measures[0]
    assert measure.value == pytest.approx(1 / np.log(2), abs=0.5)
    assert measure.interval.low < 1 / np.log(2) < measure.interval.high


def test_a_plan_without_canaries_or_a_facility_without_training_text_is_told(tmp_path):
    """Nothing is invented: not applicable, or not measured, with the reason."""
    import dataclasses

    subject = runs.subject(tmp_path, HELD, HELD)
    assert ranked.measure(subject).status == "not_applicable"
    bare = dataclasses.replace(subject, training=None)
    assert {r.status for r in memorisation.measure(bare)} == {"not_measured"}
    assert all("stay" in r.reason for r in memorisation.measure(bare))


@pytest.mark.slow
def test_intervals_of_exposure_hold_near_their_level():
    """Chance exposure of eight canaries: the interval holds the mean in 93 % of trials or more."""
    from types import SimpleNamespace

    from checks import intervals

    rng, hits = np.random.default_rng(0), 0
    wanted = np.log2(513) - np.log2(np.arange(1, 514)).mean()
    for _ in range(1000):
        exposure = np.log2(513) - np.log2(rng.integers(1, 514, 8))
        found = ranked._mean(SimpleNamespace(sampling=intervals.Sampling()), "x", exposure, 512, 1)
        hits += found.interval.low <= wanted <= found.interval.high
    assert hits >= 930
