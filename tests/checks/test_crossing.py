import numpy as np
import pytest


def curve(*points):
    return [dict(zip(("severity", "value", "low", "high"), p, strict=True)) for p in points]


FALLING = curve((0, 0.9, 0.88, 0.92), (0.2, 0.84, 0.8, 0.88), (0.4, 0.74, 0.7, 0.78))


def test_the_crossing_is_interpolated_on_the_curve_and_on_its_band():
    """Between two points the curve and both edges of its band are straight lines."""
    from checks import _crossing

    found = _crossing.of(FALLING, 0.8)
    assert found.at == pytest.approx(0.2 + 0.2 * 0.04 / 0.1)
    assert found.low == pytest.approx(0.2)
    assert found.high == pytest.approx(0.2 + 0.2 * 0.08 / 0.1)
    assert found.words == "falls below 0.8 at severity 0.28, by its interval between severity 0.2 and 0.36"


@pytest.mark.parametrize(
    ("threshold", "words"),
    [
        (0.5, "stays above 0.5 up to severity 0.4, the largest measured"),
        (
            0.72,
            "stays above 0.72 up to severity 0.4, the largest measured, though its interval reaches below from 0.36 on",
        ),
        (
            0.76,
            "falls below 0.76 at severity 0.36, by its interval at 0.28 or later, perhaps beyond 0.4, the largest "
            "measured",
        ),
        (0.95, "below 0.95 already on unchanged inputs"),
        (0.91, "below 0.91 already on unchanged inputs, though its interval reaches 0.91 up to severity 0.05 only"),
    ],
)
def test_every_way_to_meet_a_threshold_has_its_words(threshold, words):
    """Never, perhaps, beyond what was measured, from the start: each is said as it is."""
    from checks import _crossing

    points = curve((0, 0.9, 0.88, 0.92), (0.2, 0.84, 0.8, 0.88), (0.4, 0.74, 0.7, 0.78 if threshold != 0.76 else 0.77))
    assert _crossing.of(points, threshold).words == words


def test_an_interval_that_reaches_the_threshold_to_the_end_says_so():
    """Below from the start, and not told from the threshold by any measured severity: no end, no `between 0 and`."""
    from checks import _crossing

    points = curve((0, 0.54, 0.47, 0.61), (0.5, 0.53, 0.46, 0.6))
    words = (
        "below 0.55 already on unchanged inputs, though its interval reaches 0.55 up to severity 0.5, the "
        "largest measured"
    )
    assert _crossing.of(points, 0.55).words == words
    bare = curve((0, 0.54, None, None), (0.5, 0.53, None, None))
    assert _crossing.of(bare, 0.55).words == "below 0.55 already on unchanged inputs"


def test_without_intervals_the_point_stands_alone():
    """A curve without a band has a crossing and no interval; an undefined value has none."""
    from checks import _crossing

    bare = curve((0, 0.9, None, None), (1, 0.7, None, None))
    assert _crossing.of(bare, 0.8).words == "falls below 0.8 at severity 0.5"
    assert _crossing.of(curve((0, 0.9, None, None), (1, None, None, None)), 0.8) is None


def test_the_interval_of_the_crossing_covers():
    """Where accuracy truly falls from 0.9 by 0.5 a severity, the interval holds the true crossing at 95 %."""
    from checks import _crossing, _proportions

    rng, rows, severities = np.random.default_rng(0), 400, np.array([0.0, 0.1, 0.2, 0.3, 0.5])
    truth, covered = 0.9 - 0.5 * severities, 0
    for _ in range(600):
        shares = rng.binomial(rows, truth) / rows
        low, high = _proportions.bounds(shares, np.full(len(shares), float(rows)), 0.95)
        found = _crossing.of(curve(*zip(severities, shares, low, high, strict=True)), 0.82)
        ends = (found.low if found.low is not None else 0.5, found.high if found.high is not None else np.inf)
        covered += ends[0] <= 0.16 <= ends[1]
    assert 0.93 <= covered / 600 <= 1
