from __future__ import annotations

import re

import pytest

from model_cards import figures, svg


def test_points_land_where_the_axes_say() -> None:
    """The corners of the unit square are the corners of the plotting area, y upwards."""
    axes = svg.Axes.within((10, 20, 110, 220), (0, 1), (0, 1))
    assert axes.at([(0, 0), (1, 1), (0.5, 0.25)]) == [(10, 220), (110, 20), (60, 170)]


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [(0, 1, [0, 0.2, 0.4, 0.6, 0.8, 1]), (-1, 1, [-1, -0.5, 0, 0.5, 1]), (25, 346, [50, 100, 150, 200, 250, 300])],
)
def test_ticks_are_round_and_within(low: float, high: float, ticks: list[float]) -> None:
    """Ticks stand at round values inside the axis."""
    assert svg.Scale(low, high, 0, 320).ticks() == ticks


def test_a_logarithmic_axis_has_powers_of_ten() -> None:
    """Equal ratios are equal lengths; zero is held at the edge."""
    scale = svg.LogScale(0.001, 1, 0, 300)
    assert scale.ticks() == [0.001, 0.01, 0.1, 1]
    assert [round(scale(v), 9) for v in (0, 0.001, 0.01, 0.1, 1, 2)] == [0, 0, 100, 200, 300, 300]


def test_narrow_axes_have_fewer_ticks() -> None:
    """Labels of ticks do not run into each other."""
    wide, narrow = svg.Scale(0, 5756, 0, 320), svg.Scale(0, 5756, 0, 100)
    assert len(wide.ticks()) > len(narrow.ticks()) >= 2


def test_a_label_is_kept_whole_where_there_is_just_room() -> None:
    """Room for exactly that many characters is room enough."""
    for length in range(3, 60):
        assert svg.fit("x" * length, svg.CHARACTER * length) == "x" * length


def test_range_is_never_empty() -> None:
    """Equal values still give an axis."""
    for value in (0.0, 5.0, -2.0):
        low, high = svg.around([value, value])
        assert low < value < high


def test_thinning_keeps_both_ends() -> None:
    """A long curve is drawn with few points, the first and the last among them."""
    points = [(float(i), float(i)) for i in range(10_001)]
    kept = figures.thinned(points)
    assert len(kept) == figures.MOST_POINTS
    assert (kept[0], kept[-1]) == (points[0], points[-1])


def test_small_groups_are_hollow_and_intervals_have_ends() -> None:
    """A group that is too small differs by shape, not by colour."""
    large = figures.Interval("a", 0.5, 0.4, 0.6, "e#/1", 50)
    tiny = figures.Interval("b", 0.2, None, None, "e#/2", 3, small=True)
    drawn = figures.intervals([("sex", [large, tiny])], "Rate")
    assert drawn.count("hollow") == 1
    assert drawn.count('class="whisker s0"') == 3
    assert "b (n = 3): 0.200" in drawn


def test_matrix_shows_every_count_once() -> None:
    """Rows are true classes: the count of (true 0, predicted 1) refers to row 0, column 1."""
    drawn = figures.matrix(["no", "yes"], [[34, 10], [12, 1032]], "r#/m")
    assert re.findall(r'class="cellcount[^"]*"[^>]*>([\d,]+)<', drawn) == ["34", "10", "12", "1,032"]
    assert '<g data-evidence="r#/m/0/1"><title>true no, predicted yes: 10 rows</title>' in drawn


def test_long_names_are_shortened_with_the_whole_in_the_title() -> None:
    """A name that does not fit ends in an ellipsis, and pointing at it shows all of it."""
    name = "a very long name of a group that nobody can fit anywhere at all"
    drawn = figures.bars([figures.Bar(name, 3, "3", "e#/0")], "Rows")
    assert f"<title>{name}: 3</title>" in drawn
    assert re.search(r">a very long[^<]*</text><text[^>]*>[^<]*…<", drawn)


def test_names_of_parts_stand_within_the_drawing() -> None:
    """Where the names of the parts of bars do not fit on one line, they go on on the next, above the bars."""
    names = ["evidenced", "stated", "carried over", "outdated", "gap"]
    drawn = figures.stacks([figures.Stack("Art. 9", (1, 2, 3, 4, 5), "e#/0")], names, "Answers")
    at = {name: re.search(rf'<text x="([\d.]+)" y="([\d.]+)"[^>]*>{name}<', drawn) for name in [*names, "Art. 9"]}
    spots = {name: (float(found[1]), float(found[2])) for name, found in at.items() if found}
    assert spots.keys() == at.keys()
    assert all(spots[name][0] + svg.width(name) <= figures.WIDTH for name in names)
    assert spots["evidenced"][1] < spots["gap"][1] < spots["Art. 9"][1] - 10


def test_names_are_wrapped_between_words() -> None:
    """Two lines at most, the last one shortened."""
    assert svg.wrapped("no marked progression", 13 * svg.CHARACTER) == ["no marked", "progression"]
    assert svg.wrapped("one two three four five", 8 * svg.CHARACTER) == ["one two", "three fo…"]


def test_a_class_is_named_whole_where_its_row_is_high_enough() -> None:
    """The names of two classes that differ in their last words are not cut to the same beginning."""
    names = ["not readmitted within 30 days", "readmitted within 30 days"]
    assert "…" not in figures.matrix(names, [[34, 10], [12, 1032]], "r#/m")
