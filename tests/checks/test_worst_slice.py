import itertools
import time

import numpy as np
import pytest

from evidence import records
from tests.checks import model_builders, shift_builders

SEXES = ("female", "male")


def rows(rng, size, bad):
    """Two numbers, a category, a protected group; 60 % right where `bad` says so, 90 % elsewhere."""
    x = np.stack([rng.normal(size=size), rng.normal(size=size), rng.integers(0, 3, size)], axis=1)
    sex = rng.integers(0, 2, size)
    y = rng.integers(0, 2, size)
    return x, sex, y, rng.random(size) < np.where(bad(x, sex), 0.6, 0.9)


def subject(seed, bad=lambda x, sex: np.zeros(len(x), bool), size=4000, **other):
    rng, parts = np.random.default_rng(seed), {}
    for role in ("validation", "test"):
        x, sex, y, hit = rows(rng, size, bad)
        parts[role] = shift_builders.part(role, x, y, groups={"sex": (sex, SEXES)}), shift_builders.scores(y, hit), hit
    specs = model_builders.features(
        parts["test"][0].x,
        kind={2: "categorical"},
        categories={2: ("a", "b", "c")},
        name={0: "age", 1: "bmi", 2: "job"},
    )
    plan = shift_builders.plan(**other)
    return shift_builders.subject(
        plan, parts["test"][0], parts["test"][1], validation=parts["validation"][:2], specs=specs
    )


def planted(x, sex):
    return (x[:, 2] == 1) & (sex == 0)


def test_a_planted_slice_is_found_and_measured_on_the_test_part():
    """The conjunction on which the model was made worse is named; its value is that of the test rows in it."""
    from checks import worst_slice

    made = subject(0, planted)
    result, other = worst_slice.measure(made)
    inside = (made.part.x[:, 2] == 1) & (made.part.groups["sex"].codes == 0)
    hit = made.scores.labels == made.part.y
    assert result.details["worst_slice"]["overall"] == "job = b and sex = female"
    assert result.details["stands_out"] is True
    assert (result.measures[0].value, result.measures[0].n) == (hit[inside].mean(), inside.sum())
    difference = result.measures[1]
    assert difference.value == pytest.approx(hit.mean() - hit[inside].mean())
    assert difference.interval.low < 0.25 < difference.interval.high
    assert difference.interval.low > 0
    assert other.status == "not_applicable"


def test_the_search_sees_no_test_row():
    """Other test rows change the values, never which slices are measured."""
    import dataclasses

    from checks import worst_slice

    made = subject(0, planted)
    rng = np.random.default_rng(99)
    spoiled = dataclasses.replace(made, scores=shift_builders.scores(made.part.y, rng.random(4000) < 0.5))
    first, second = (worst_slice.measure(s)[0].details["slices"] for s in (made, spoiled))
    assert [s["slice"] for s in first] == [s["slice"] for s in second]
    assert first[0]["value"] != second[0]["value"]


def test_every_slice_is_counted_as_by_hand():
    """Rows and losses of all singles, pairs and triples equal those of masks made one by one."""
    from checks import _slice_search

    rng = np.random.default_rng(0)
    codes = [rng.integers(-1, k, 700).astype(np.int16) for k in (2, 3, 2, 2)]
    loss = rng.random(700)
    table = _slice_search._Table(codes, ["a", "b", "c", "a"], [2, 3, 2, 2], loss)
    found = {}
    for members, *counted in table.candidates(3, 5):
        found |= dict(zip(map(tuple, members.tolist()), zip(*counted, strict=True), strict=True))
    by_hand = {}
    for size in (1, 2, 3):
        for chosen in itertools.combinations(range(9), size):
            axes = [table.condition[c][0] for c in chosen]
            sources = ["abca"[axis] for axis in axes]
            mask = np.all([codes[a] == table.condition[c][1] for a, c in zip(axes, chosen, strict=True)], axis=0)
            if len(set(sources)) == size and 5 <= mask.sum() <= 695:
                by_hand[chosen] = [mask.sum(), loss[mask].sum(), (loss[mask] ** 2).sum()]
    assert set(found) == set(by_hand)
    for chosen, numbers in by_hand.items():
        assert found[chosen] == pytest.approx(numbers)


@pytest.mark.slow
@pytest.mark.parametrize("bad", [planted, lambda x, sex: np.zeros(len(x), bool)])
def test_intervals_of_the_found_slices_cover(bad):
    """Whatever was found, its true accuracy and deficit lie in the intervals of the test part in at least 93 %."""
    from checks import worst_slice

    held = differences = total = 0
    rng = np.random.default_rng(7)
    x, sex, *_ = rows(rng, 40_000, bad)
    truth = np.where(bad(x, sex), 0.6, 0.9)
    many = shift_builders.part("test", x, np.zeros(len(x), np.int64), groups={"sex": (sex, SEXES)})
    for seed in range(60):
        made = subject(seed, bad, size=800)
        (result, _), axes = worst_slice.measure(made), _axes(made)
        words = {word: axis.codes(many) == i for axis in axes for i, word in enumerate(axis.words)}
        line = result.details["slices"][0]
        inside = np.all([words[w] for w in line["slice"].split(" and ")], axis=0)
        held += line["low"] <= truth[inside].mean() <= line["high"]
        deficit = truth.mean() - truth[inside].mean()
        differences += line["difference_low"] - 0.01 <= deficit <= line["difference_high"] + 0.01
        total += 1
    assert held / total >= 0.93
    assert differences / total >= 0.93


def _axes(made):
    from checks import _slice_search

    searched = made.parts.part("validation")
    return _slice_search.axes(made.encoded.features, searched, {"sex": "sex"}, bins=4, categories=20, least=20)


def test_luck_is_called_luck():
    """Where the model is equally good everywhere, what is found does not stand out, and is no worse on test."""
    from checks import worst_slice

    stands = [worst_slice.measure(subject(seed, size=1000))[0] for seed in range(20)]
    assert np.mean([r.details["stands_out"] for r in stands]) <= 0.1
    assert "where none stands out beyond luck" in stands[0].measures[0].note
    drop = [s["validation"] - s["value"] for r in stands for s in r.details["slices"][:1]]
    assert np.mean(drop) < 0  # the search's own accuracy is too low


def test_slices_are_apart_and_large_enough():
    """No two listed slices share most of their rows; all have the policy's minimum on the validation part."""
    from checks import worst_slice

    made = subject(3, planted, robustness={"slice_search": {"slices": 5, "conditions": 3}}, minimum_group_size=60)
    lines = worst_slice.measure(made)[0].details["slices"]
    assert len(lines) == 5
    assert min(line["validation_rows"] for line in lines) >= 60
    words = {word: axis.codes(made.part) == i for axis in _axes(made) for i, word in enumerate(axis.words)}
    masks = [np.all([words[w] for w in line["slice"].split(" and ")], axis=0) for line in lines]
    for a, b in itertools.combinations(masks, 2):
        assert (a & b).sum() / (a | b).sum() < 0.6


def test_conditions_on_one_column_are_not_combined():
    """A protected attribute cut from a feature never meets that feature in a slice."""
    from checks import _slice_search

    made = subject(0)
    searched = made.parts.part("validation")
    axes = _slice_search.axes(made.encoded.features, searched, {"sex": "age"}, bins=4, categories=20, least=20)
    codes = [a.codes(searched) for a in axes]
    table = _slice_search._Table(codes, [a.source for a in axes], [len(a.words) for a in axes], np.ones(4000))
    pairs = [{axes[table.condition[m][0]].name for m in row} for c, *_ in table.candidates(2, 1) for row in c.tolist()]
    assert {"age", "bmi"} in pairs
    assert {"age", "sex"} not in pairs


def test_missing_values_are_a_condition():
    """Rows without a value form a slice of their own."""
    from checks import _slice_search

    x = np.random.default_rng(0).normal(size=(300, 2))
    x[:60, 0] = np.nan
    part = shift_builders.part("test", x, np.zeros(300, np.int64))
    (first, _) = _slice_search.axes(model_builders.features(part.x), part, {}, bins=2, categories=5, least=20)
    assert first.words[-1] == "f0 missing"
    np.testing.assert_array_equal(first.codes(part) == 2, np.arange(300) < 60)


def test_without_validation_rows_nothing_is_measured():
    """No validation part, or none with enough rows: said, and nothing searched on the test part instead."""
    import dataclasses

    from checks import worst_slice

    made = subject(0, size=30)
    small = worst_slice.measure(made)[0]
    assert (small.status, small.measures) == ("not_applicable", ())
    assert "which has 30 rows" in small.reason
    bare = dataclasses.replace(made, parts=shift_builders.Parts({}))
    assert worst_slice.measure(bare)[0].status == "not_measured"


def test_a_graph_that_breaks_on_validation_rows_loses_nothing_else():
    """The check is not measured and says why; the evaluation goes on."""
    import dataclasses

    from checks import worst_slice
    from configs import errors

    class Broken(shift_builders.Parts):
        def scores(self, role):
            raise errors.VerificationError("model m.onnx: expected finite probabilities, got 3 of 9 rows that are not.")

    made = subject(0, size=100)
    (result, _) = worst_slice.measure(dataclasses.replace(made, parts=Broken(made.parts.given)))
    assert result.status == "not_measured"
    assert result.reason.startswith("on the validation part, model m.onnx: expected finite probabilities")


def test_regression_is_searched_by_its_error():
    """For regression the slice with the largest excess of the absolute error is found, value in the target's unit."""
    from checks import scoring, worst_slice

    rng, parts = np.random.default_rng(0), {}
    for role in ("validation", "test"):
        x = rng.normal(size=(1500, 2))
        y = rng.normal(size=1500)
        predictions = y + rng.normal(size=1500) * np.where(x[:, 0] > 0.7, 3.0, 1.0)
        parts[role] = shift_builders.part(role, x, y), scoring.Scores(predictions=predictions)
    made = shift_builders.subject(shift_builders.plan("regression"), *parts["test"], validation=parts["validation"])
    _, result = worst_slice.measure(made)
    assert result.details["worst_slice"]["overall"].startswith("f0 >= 0.")
    assert result.measures[0].unit == "mm"
    assert result.measures[0].interval.low > result.details["overall"]


@pytest.mark.slow
def test_memory_does_not_grow_with_the_rows():
    """100,000 rows and 300 conditions in pairs: under 300 MB beside the data, and a few seconds."""
    import tracemalloc

    from checks import _slice_search

    rng = np.random.default_rng(0)
    codes = [rng.integers(-1, 6, 100_000).astype(np.int16) for _ in range(50)]
    loss = (rng.random(100_000) < 0.1).astype(float)
    tracemalloc.start()
    begun = time.monotonic()
    found, looked_at = _slice_search.search(
        codes, [str(i) for i in range(50)], [6] * 50, loss, 0.95, conditions=2, least=50, wanted=3
    )
    assert time.monotonic() - begun < 60
    assert tracemalloc.get_traced_memory()[1] < 300e6
    tracemalloc.stop()
    assert (len(found), looked_at) == (3, 300 + 36 * 49 * 25)
    assert isinstance(found[0], _slice_search.Slice)
    assert records.Measure(name="x", value=found[0].loss)
