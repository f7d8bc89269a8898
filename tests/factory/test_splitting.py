from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from configs import errors, modelling
from evidence.folder import RunFolder
from tests.factory import tables

hypothesis = pytest.importorskip("hypothesis")
pytest.importorskip("pyarrow")
from hypothesis import given, settings  # noqa: E402 - after the check that it is there
from hypothesis import strategies as st  # noqa: E402

SHARES = st.sampled_from([(0.6, 0.2, 0.2), (0.5, 0.25, 0.25), (0.8, 0.1, 0.1)])
QUICK = settings(max_examples=40, deadline=None)


def assign(units: list[str], strata: list[int], *, seed: int = 0, stratify: bool = True, shares=(0.6, 0.2, 0.2)):
    from factory import splitting

    names = ("train", "validation", "test")
    split = modelling.Split(**dict(zip(names, shares, strict=True)), seed=seed, stratify=stratify)
    return splitting.assign(splitting.keys(seed, units), np.array(strata, dtype=np.int64), split)


@st.composite
def rows(draw: st.DrawFn) -> tuple[list[str], list[int]]:
    """Units with one to six rows each, in up to four classes."""
    sizes = draw(st.lists(st.integers(1, 6), min_size=1, max_size=60))
    units = [f"person {i}" for i, size in enumerate(sizes) for _ in range(size)]
    return units, draw(st.lists(st.integers(0, 3), min_size=len(units), max_size=len(units)))


@QUICK
@given(rows(), st.integers(0, 5), st.booleans())
def test_a_unit_is_in_one_part(table: tuple[list[str], list[int]], seed: int, stratify: bool):  # noqa: FBT001
    """Every row has a part, and the rows of one person, or equal rows, share it."""
    parts = assign(*table, seed=seed, stratify=stratify)
    assert len(parts) == len(table[0])
    assert set(parts.tolist()) <= {0, 1, 2}
    of_unit: dict[str, set[int]] = {}
    for unit, part in zip(table[0], parts.tolist(), strict=True):
        of_unit.setdefault(unit, set()).add(part)
    assert all(len(found) == 1 for found in of_unit.values())


@QUICK
@given(rows(), st.randoms(use_true_random=False), st.integers(0, 5))
def test_the_order_of_rows_is_of_no_account(table: tuple[list[str], list[int]], random, seed: int):
    """A shuffled table puts every row where it was."""
    units, strata = table
    order = list(range(len(units)))
    random.shuffle(order)
    expected = assign(units, strata, seed=seed)
    shuffled = assign([units[i] for i in order], [strata[i] for i in order], seed=seed)
    assert shuffled.tolist() == [expected[i] for i in order]


@QUICK
@given(st.lists(st.integers(0, 3), min_size=1, max_size=400), SHARES, st.integers(0, 5))
def test_each_class_keeps_its_shares(strata: list[int], shares: tuple[float, float, float], seed: int):
    """With different rows, each part holds its share of every class to within one row."""
    parts = assign([str(i) for i in range(len(strata))], strata, seed=seed, shares=shares)
    for s in set(strata):
        members = parts[np.array(strata) == s]
        for part, share in enumerate(shares):
            assert abs(np.sum(members == part) - share * len(members)) <= 1.0


@QUICK
@given(rows(), SHARES)
def test_shares_hold_to_within_the_largest_unit(table: tuple[list[str], list[int]], shares: tuple[float, float, float]):
    """With units of several rows and no strata, a part misses its share by at most one unit at each of its cuts."""
    units, strata = table
    largest = max(units.count(u) for u in units)
    parts = assign(units, strata, stratify=False, shares=shares)
    for part, share in enumerate(shares):
        assert abs(np.sum(parts == part) - share * len(units)) <= largest


def test_seeds_give_different_splits():
    """Two seeds agree on about as many rows as chance would have it."""
    units = [str(i) for i in range(3000)]
    first, second = (assign(units, [0] * 3000, seed=s) for s in (0, 1))
    expected = 0.6**2 + 2 * 0.2**2
    assert abs(np.mean(first == second) - expected) < 0.05


def test_the_assignment_is_pinned():
    """The split of a given table and seed never changes: runs of different versions stay comparable."""
    parts = assign([f"u{i}" for i in range(12)], [i % 2 for i in range(12)], seed=3)
    assert "".join(map(str, parts)) == "220000110000"


def person_plan(base: Path, text: str, **plan):
    columns = [{"name": "person", "kind": "integer", "role": "entity"}, *tables.COLUMNS]
    return tables.plan(tables.csv(base, text), columns=columns, **plan)


def test_the_manifest_agrees_with_the_table(tmp_path: Path):
    """Parts, counts of classes and persons, digest files and the stored assignment tell the same story."""
    import pandas as pd

    from evidence import arrays
    from factory import ingest, splitting

    lines = [f"{i // 3},{20 + i},{i % 7},w{i % 4},{'yes' if i // 3 % 4 == 0 else 'no'}" for i in range(300)]
    plan = person_plan(tmp_path, "person,age,dose,ward,outcome\n" + "\n".join(lines) + "\n")
    folder = RunFolder(tmp_path / "r")
    dataset = ingest.ingest(folder, plan, tmp_path)
    manifest = splitting.split(folder, plan, dataset)
    table = tables.stored(folder, dataset)
    roles = pd.read_parquet(folder.checked(manifest.assignment))
    assert roles["_row"].tolist() == table["_row"].tolist()
    assert sum(p.rows for p in manifest.parts.values()) == 300
    seen: list[set[int]] = []
    for role, part in manifest.parts.items():
        mine = table[(roles["_role"] == role).to_numpy()]
        assert part.class_counts == {
            "negative": int((mine.outcome == "no").sum()),
            "positive": int((mine.outcome == "yes").sum()),
        }
        assert part.entities == mine.person.nunique()
        assert part.digests.sha256 == arrays.digest_of_rows(mine["_row"].to_numpy(dtype="S64"))
        seen.append(set(mine.person))
    assert sum(len(s) for s in seen) == len(set().union(*seen))
    assert "person" in manifest.method
    again = splitting.split(RunFolder(tmp_path / "r"), plan, dataset)
    assert again == manifest


def test_equal_rows_stay_together(tmp_path: Path):
    """A row that stands in the table forty times is in one part."""
    from factory import ingest, splitting

    text = tables.ROWS * 1 + "34,1.5,A,yes\n" * 40 + "".join(f"{i},1,B,no\n" for i in range(60))
    folder = RunFolder(tmp_path / "r")
    plan = tables.plan(tables.csv(tmp_path, text))
    dataset = ingest.ingest(folder, plan, tmp_path)
    manifest = splitting.split(folder, plan, dataset)
    files = [set(folder.checked(p.digests).read_text().split()) for p in manifest.parts.values()]
    assert sum(len(s) for s in files) == len(set().union(*files))
    assert dataset.duplicate_rows == 40


def test_regression_is_stratified_by_quantiles(tmp_path: Path):
    """The parts of a regression table have nearly the same mean target."""
    from factory import ingest, splitting

    columns = [*tables.COLUMNS[:3], {"name": "outcome", "kind": "numeric", "role": "target"}]
    text = "age,dose,ward,outcome\n" + "".join(f"{i},1,A,{i * i}\n" for i in range(500))
    plan = tables.plan(tables.csv(tmp_path, text), columns=columns, target={"task": "regression"})
    folder = RunFolder(tmp_path / "r")
    dataset = ingest.ingest(folder, plan, tmp_path)
    manifest = splitting.split(folder, plan, dataset)
    table = tables.stored(folder, dataset).set_index("_row")
    means = [
        table.loc[folder.checked(p.digests).read_text().split(), "outcome"].mean() for p in manifest.parts.values()
    ]
    assert max(means) / min(means) < 1.05
    assert all(p.class_counts == {} for p in manifest.parts.values())


@pytest.mark.parametrize(
    ("rows", "split", "said"),
    [
        (3, {}, "split"),
        (40, {"train": 0.02, "validation": 0.49, "test": 0.49}, "split train"),
    ],
)
def test_too_small_tables_are_refused(tmp_path: Path, rows: int, split: dict, said: str):
    """An empty part, or a class that training would never see, ends in a sentence."""
    from factory import ingest, splitting

    text = "age,dose,ward,outcome\n" + "".join(f"{i},1,A,{'yes' if i == 0 else 'no'}\n" for i in range(rows))
    plan = tables.plan(tables.csv(tmp_path, text), split=split)
    folder = RunFolder(tmp_path / "r")
    dataset = ingest.ingest(folder, plan, tmp_path)
    with pytest.raises(errors.DataError, match=said):
        splitting.split(folder, plan, dataset)


def test_a_class_missing_from_train_is_named(tmp_path: Path):
    """The message names the class that training would not see."""
    from factory import ingest, splitting

    text = "age,dose,ward,outcome\n" + "".join(f"{i},1,A,{'yes' if i == 0 else 'no'}\n" for i in range(60))
    plan = tables.plan(tables.csv(tmp_path, text), split={"train": 0.3, "validation": 0.4, "test": 0.3})
    folder = RunFolder(tmp_path / "r")
    with pytest.raises(errors.DataError, match="none of 'positive'"):
        splitting.split(folder, plan, ingest.ingest(folder, plan, tmp_path))


def test_a_row_without_its_person_is_refused(tmp_path: Path):
    """A missing entity could be anybody, so that the split would prove nothing."""
    from factory import ingest

    plan = person_plan(tmp_path, "person,age,dose,ward,outcome\n1,3,1,A,yes\n,4,1,A,no\n")
    with pytest.raises(errors.DataError, match=r"'person' \(entity\): expected a value in every row"):
        ingest.ingest(RunFolder(tmp_path / "r"), plan, tmp_path)
