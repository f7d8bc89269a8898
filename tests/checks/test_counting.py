import numpy as np
import pytest


@pytest.fixture(scope="module")
def rows():
    """More rows than two blocks, some without a group."""
    rng = np.random.default_rng(0)
    number = 150_000
    return {
        "member": rng.integers(-1, 4, number).astype(np.int16),
        "cell": rng.integers(0, 6, number).astype(np.int8),
        "value": rng.normal(size=number),
        "units": rng.integers(0, 5000, number),
    }


def test_tables_count_each_row_of_a_group_once(rows):
    """The table is that of plain counting; rows without a group are in no cell."""
    from checks import _counting

    found = _counting.tables(rows["member"], 4, rows["cell"], 6)
    expected = [[np.sum((rows["member"] == g) & (rows["cell"] == c)) for c in range(6)] for g in range(4)]
    np.testing.assert_array_equal(found, expected)


def test_sums_add_up_by_group_and_cell(rows):
    """Values and squares of the first are summed in each cell."""
    from checks import _counting

    found = _counting.sums(rows["member"], 4, rows["cell"], 6, (rows["value"], np.ones(len(rows["value"]))))
    mine = (rows["member"] == 2) & (rows["cell"] == 5)
    expected = [rows["value"][mine].sum(), mine.sum(), np.square(rows["value"][mine]).sum()]
    np.testing.assert_allclose(found[:, 2, 5], expected)
    assert found.shape == (3, 4, 6)


@pytest.mark.parametrize("widest", [1 << 22, 0])
def test_columns_tell_pairs_of_group_and_entity_apart(rows, widest, monkeypatch):
    """Each pair that holds rows has one column with its group, whether pairs are counted or sorted."""
    from checks import _counting

    monkeypatch.setattr(_counting, "WIDEST", widest)
    units = rows["units"] * (1 if widest else 1000)
    found = _counting.columns(rows["member"], 4, units)
    known = rows["member"] >= 0
    assert (found.column[~known] == -1).all()
    assert len(found.owner) == len(set(zip(rows["member"][known].tolist(), units[known].tolist(), strict=True)))
    np.testing.assert_array_equal(found.owner[found.column[known]], rows["member"][known])


def test_the_rest_of_a_group_is_all_other_groups():
    """Moments of the rest equal those counted from the rows of all other groups, over entities too."""
    from checks import _moments

    rng = np.random.default_rng(1)
    owner, total, count = rng.integers(0, 3, 50), rng.integers(0, 5, (2, 50)) * 1.0, np.full((2, 50), 5.0)
    rest = _moments.of_entities(total, count, owner, 3).rest()
    for group in range(3):
        others = owner != group
        one = _moments.of_entities(total[:, others], count[:, others], np.zeros(others.sum(), int), 1)
        np.testing.assert_allclose(rest.effective_rows()[:, group], one.effective_rows()[:, 0])
        np.testing.assert_allclose(rest.mean[:, group], one.mean[:, 0])
        np.testing.assert_allclose(rest.standard_error()[:, group], one.standard_error()[:, 0])


def test_independent_rows_are_entities_of_one_row():
    """Effective rows and standard errors of rows equal those of entities with one row each, and the textbook's."""
    from checks import _moments

    values = np.random.default_rng(2).normal(size=40)
    rows = _moments.of_rows(*(np.array([[v]]) for v in (values.sum(), 40.0, np.square(values).sum())))
    entities = _moments.of_entities(values[None], np.ones((1, 40)), np.zeros(40, int), 1)
    assert rows.standard_error().item() == pytest.approx(values.std(ddof=1) / np.sqrt(40))
    assert entities.standard_error().item() == pytest.approx(rows.standard_error().item())
    share = _moments.of_rows(np.array([[7.0]]), np.array([[30.0]]))
    assert share.effective_rows().item() == pytest.approx(30)
