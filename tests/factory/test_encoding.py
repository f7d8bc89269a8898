from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from configs import errors
from evidence import arrays
from evidence.folder import RunFolder
from tests.factory import tables

if TYPE_CHECKING:
    import pandas as pd

pytest.importorskip("pyarrow")

PROTECTED: list[dict[str, Any]] = [
    {"name": "age_group", "column": "age", "bins": [30, 50], "use_in_model": True},
    {"name": "ward", "column": "ward", "use_in_model": True},
]


def text(rows: int = 200, ward: str = "") -> str:
    lines = [
        f"{20 + i},{i * 0.5 if i % 9 else ''},{ward or 'ABC'[i % 3] if i % 11 else ''},{'yes' if i % 4 else 'no'}\n"
        for i in range(rows)
    ]
    return "age,dose,ward,outcome\n" + "".join(lines)


def encode(base: Path, content: str, **plan: Any):
    from factory import encoding, ingest, splitting

    whole = tables.plan(tables.csv(base, content), **plan)
    folder = RunFolder(base / "r")
    dataset = ingest.ingest(folder, whole, base)
    split = splitting.split(folder, whole, dataset)
    encoded = encoding.encode(folder, whole, dataset, split)
    table = tables.stored(folder, dataset).set_index("_row")
    return folder, encoded, split, table


def ward(**changes: Any) -> list[dict[str, Any]]:
    return [c | changes if c["name"] == "ward" else c for c in tables.COLUMNS]


def test_arrays_hold_the_table(tmp_path: Path):
    """Row by row: numbers as they are, categories as codes, missing as NaN, the positive class as 1."""
    folder, encoded, split, table = encode(tmp_path, text())
    categories = encoded.features[2].categories
    assert categories == ("A", "B", "C")
    for role in ("train", "validation", "test"):
        part = arrays.load(folder, encoded, role)
        assert part.x.dtype == np.float32
        assert part.y.dtype == np.int64
        assert part.digests_sha256 == split.parts[role].digests.sha256
        assert part.row_digests.tolist() == sorted(part.row_digests.tolist())
        rows = table.loc[[d.decode() for d in part.row_digests]]
        assert part.x[:, 0].tolist() == rows["age"].tolist()
        np.testing.assert_array_equal(part.x[:, 1], rows["dose"].to_numpy(dtype=np.float32))
        codes = [
            np.nan if v is None else categories.index(v)
            for v in rows["ward"].astype(object).where(rows["ward"].notna(), None)
        ]
        np.testing.assert_array_equal(part.x[:, 2], np.array(codes, dtype=np.float32))
        assert part.y.tolist() == (rows["outcome"] == "yes").astype(int).tolist()
    assert encoded.classes == ("negative", "positive")


def test_statistics_come_from_train_alone(tmp_path: Path):
    """Mean, deviation, median and range equal those of the training rows, and not those of all rows."""
    folder, encoded, _, table = encode(tmp_path, text())
    part = arrays.load(folder, encoded, "train")
    dose = table.loc[[d.decode() for d in part.row_digests], "dose"].dropna()
    spec = encoded.features[1]
    assert spec.mean == pytest.approx(dose.mean())
    assert spec.std == pytest.approx(dose.std(ddof=0))
    assert (spec.minimum, spec.maximum, spec.median) == (dose.min(), dose.max(), dose.median())
    assert spec.mean != pytest.approx(table["dose"].mean(), rel=1e-6)


def test_the_order_of_the_source_is_of_no_account(tmp_path: Path):
    """A shuffled source gives byte-identical arrays."""
    head, *rows = text().splitlines(keepends=True)
    for name, order in (("a", rows), ("b", rows[::-1])):
        (tmp_path / name).mkdir()
        _, encoded, _, _ = encode(tmp_path / name, head + "".join(order), protected=PROTECTED)
        if name == "a":
            expected = encoded
    assert encoded == expected


def test_groups_are_named_and_coded(tmp_path: Path):
    """Bins read `< 30`, `30 to < 50`, `>= 50`; intersections join the names; a missing value is in no group."""
    folder, encoded, _, table = encode(
        tmp_path,
        text(),
        protected=PROTECTED,
        intersections=[["age_group", "ward"]],
        columns=ward(labels={"A": "North"}),
    )
    part = arrays.load(folder, encoded, "train")
    assert part.groups["age_group"].names == ("< 30", "30 to < 50", ">= 50")
    assert part.groups["ward"].names == ("North", "B", "C")
    rows = table.loc[[d.decode() for d in part.row_digests]]
    joint = part.groups["age_group × ward"]
    for i, (age, place) in enumerate(
        zip(rows["age"], rows["ward"].astype(object).where(rows["ward"].notna(), None), strict=True)
    ):
        bin_name = "< 30" if age < 30 else "30 to < 50" if age < 50 else ">= 50"
        assert part.groups["age_group"].names[part.groups["age_group"].codes[i]] == bin_name
        if place is None:
            assert part.groups["ward"].codes[i] == -1
            assert joint.codes[i] == -1
        else:
            expected = f"{bin_name} × {'North' if place == 'A' else place}"
            assert joint.names[joint.codes[i]] == expected
    assert (part.groups["ward"].codes == -1).any()


def test_declared_groups_gather_values(tmp_path: Path):
    """A mapping of values to groups is followed; a missing value belongs to none."""
    groups = {"left": ["A", "B"], "right": ["C"]}
    protected = [{"name": "side", "column": "ward", "groups": groups, "use_in_model": True}]
    folder, encoded, _, _ = encode(tmp_path, text(), protected=protected)
    part = arrays.load(folder, encoded, "train")
    assert part.groups["side"].names == ("left", "right")
    expected = np.where(np.isnan(part.x[:, 2]), -1, np.where(part.x[:, 2] <= 1, 0, 1))
    assert set(expected) == {-1, 0, 1}
    assert part.groups["side"].codes.tolist() == expected.tolist()


def test_a_value_that_no_group_lists_is_refused(tmp_path: Path):
    """Persons cannot fall out of a comparison unseen: the column and the number of rows are said, never the value."""
    protected = [{"name": "side", "column": "ward", "groups": {"left": ["A", "B"]}, "use_in_model": True}]
    with pytest.raises(
        errors.DataError, match=r"'side' column 'ward'.* got 1 other in 60 of 200 rows\. List"
    ) as caught:
        encode(tmp_path, text(), protected=protected)
    assert "C" not in str(caught.value)


def in_ward(table: pd.DataFrame, name: str) -> np.ndarray:
    return (table["ward"] == name).to_numpy(dtype=bool, na_value=False)


def rare(base: Path) -> str:
    """A table in which ward Z stands in a single row, of the validation part."""
    from factory import ingest, splitting

    folder, lines = RunFolder(base / "probe"), text().splitlines(keepends=True)
    for i in range(2, 60):
        content = "".join([*lines[:i], f"30,{i},Z,yes\n", *lines[i:]])
        plan = tables.plan(tables.csv(base, content))
        dataset = ingest.ingest(folder, plan, base)
        table = tables.stored(folder, dataset)
        validation = splitting.split(folder, plan, dataset).parts["validation"]
        if table.loc[in_ward(table, "Z"), "_row"].item() in folder.checked(validation.digests).read_text():
            return content
    raise AssertionError("no row fell into validation")


@pytest.mark.slow
def test_an_unseen_category_is_refused_or_counted(tmp_path: Path):
    """A category that train does not hold: named with its part and both remedies, or missing and counted."""
    content = rare(tmp_path)
    with pytest.raises(errors.DataError) as caught:
        encode(tmp_path, content)
    for said in ("'ward' in validation", "1 of", "`allowed`", "unseen: as_missing"):
        assert said in str(caught.value)
    assert "Z" not in str(caught.value)
    folder, encoded, _, table = encode(tmp_path, content, columns=ward(unseen="as_missing"))
    assert encoded.parts["validation"].unseen == {"ward": 1}
    part = arrays.load(folder, encoded, "validation")
    index = [d.decode() for d in part.row_digests].index(table.index[in_ward(table, "Z")].item())
    assert np.isnan(part.x[index, 2])


def test_allowed_values_fix_the_codes(tmp_path: Path):
    """Codes follow `allowed`, whatever train holds; a value outside is missing and counted, for the gate to weigh."""
    folder, encoded, _, table = encode(tmp_path, text(), columns=ward(allowed=["D", "C", "B"]))
    assert encoded.features[2].categories == ("D", "C", "B")
    part = arrays.load(folder, encoded, "train")
    rows = table.loc[[d.decode() for d in part.row_digests]]
    assert np.isnan(part.x[in_ward(rows, "A"), 2]).all()
    assert encoded.parts["train"].unseen["ward"] == int(in_ward(rows, "A").sum())


def test_a_constant_feature_has_deviation_one(tmp_path: Path):
    """A feature that never varies is not divided by zero."""
    _, encoded, _, _ = encode(
        tmp_path,
        text().replace(",0.5,", ",1,"),
        columns=[c | {"role": "ignored"} if c["name"] == "dose" else c for c in tables.COLUMNS],
    )
    assert [f.name for f in encoded.features] == ["age", "ward"]
    import pandas as pd

    from factory import _features

    spec = _features.fit(tables.plan(tables.csv(tmp_path)).data.columns[0], pd.Series([7, 7, 7], dtype="Int64"))
    assert (spec.std, spec.mean, spec.integer) == (1.0, 7.0, True)


def test_numbers_beyond_float32_are_refused(tmp_path: Path):
    """A number that the model's input cannot hold is an error, not infinity."""
    with pytest.raises(errors.DataError, match="float32"):
        encode(tmp_path, text().replace(",2.5,", ",1e39,"))


def test_multiclass_and_regression_targets(tmp_path: Path):
    """Class codes follow the plan's order; a regression target is float32 with its unit."""
    multi = {"task": "multiclass", "classes": ["C", "A", "B"]}
    columns = [*tables.COLUMNS[:2], {"name": "ward", "kind": "categorical", "role": "target"}]
    content = "\n".join(
        line.rsplit(",", 1)[0] for line in text(ward="").splitlines() if ",,yes" not in line and ",,no" not in line
    )
    folder, encoded, _, table = encode(tmp_path, content + "\n", columns=columns, target=multi)
    part = arrays.load(folder, encoded, "test")
    rows = table.loc[[d.decode() for d in part.row_digests]]
    assert [encoded.classes[c] for c in part.y] == rows["ward"].tolist()
    regression = {"task": "regression", "unit": "years"}
    columns = [tables.COLUMNS[0] | {"role": "target"}, *tables.COLUMNS[1:3]]
    folder, encoded, _, _ = encode(tmp_path, text(), columns=columns, target=regression)
    assert arrays.load(folder, encoded, "test").y.dtype == np.float32
    assert (encoded.classes, encoded.target_unit) == ((), "years")
