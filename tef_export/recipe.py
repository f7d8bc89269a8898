"""`data/recipe.json`: what a facility needs to measure the model again, with numpy and ONNX Runtime alone.

What goes into the model and comes out stands in `bundle.json`, what was measured in `eval/results.json`. The recipe
holds the rest: how raw values become targets and groups, which checks can be measured again and what each needs, the
faults and their strength, how intervals are drawn, the thresholds, and how near is near enough. It is bound to the
model, the plan, the commitment and the results by digest; the reader compares every part that the plan fixes with the
plan (`recipe_check`).

Statistics of the training rows travel as sums over all of them (standard deviation, median). The smallest and largest
value of a feature are single persons' values: they travel only where the plan says that the data are about no persons.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pydantic

from evidence import record_base, records

PLACE = "data/recipe.json"
TEST_ROWS = "data/test/rows.csv"
SCHEMA = Path(__file__).with_name("recipe_schema.json")

Need = Literal["groups", "slices", "training_range"]
"""`groups`, `slices`: codes of each row. `training_range`: extremes of the training rows."""


class FeatureStatistics(records.Record):
    """A numeric feature over the training rows: in these units faults are dosed."""

    name: str
    std: float = pydantic.Field(gt=0)
    """Standard deviation, missing left out; 1 for a constant feature."""
    median: float | None
    minimum: float | None = None
    """Only where the data are about no persons."""
    maximum: float | None = None


class TargetCodes(records.Record):
    """How a value of the target's column becomes what the model predicts."""

    column: str
    codes: dict[str, int] = {}
    """Value, as text, to class 0…K−1; any other value is an error. Empty for a regression and where `above` is set."""
    above: float | None = None
    """Class 1 where the number is above this, else class 0."""
    unit: str | None = None
    """Of a regression's target."""


class Attribute(records.Record):
    """A protected attribute: how a value of its column becomes a group."""

    name: str
    column: str
    groups: tuple[str, ...]
    """In the order of their codes 0…G−1; −1 is no group."""
    edges: tuple[float, ...] = ()
    """Numeric column: group k holds the values from edge k − 1 to below edge k."""
    values: dict[str, str] = {}
    """Categorical column: value, as text, to group."""
    special_category: bool
    """A special category of personal data (GDPR Art. 9), or not said to be none. Such a column, and codes made of it,
    never travel. Recipes of earlier versions took what was not said for no."""


class Intersection(records.Record):
    """Attributes that are compared jointly."""

    name: str
    attributes: tuple[str, ...]
    groups: tuple[str, ...]
    """The joint groups that hold rows, `a × b`, in the order of their codes."""


class Slices(records.Record):
    """The slices of one column, under which performance is compared."""

    column: str
    slices: tuple[str, ...]
    """In the order of their codes 0…S−1; −1 is none."""
    edges: tuple[float, ...] = ()
    """Numeric column that the plan cuts at edges: slice k holds the values from edge k − 1 to below edge k."""
    values: dict[str, str] = {}
    """Categorical column: value, as text, to slice. Neither this nor edges: only the codes of test rows can tell."""


class Faults(records.Record):
    """Faults that are put into the inputs, with every strength at which the model was measured."""

    noise: tuple[float, ...]
    """Standard deviations of Gaussian noise on every numeric feature, in `std` of the feature."""
    missing: tuple[float, ...]
    """Shares of the cells made missing, each cell independently."""
    out_of_range: tuple[float, ...]
    """Distance beyond either end of the training range, in such ranges; one numeric feature at a time."""
    unit_shares: tuple[float, ...]
    """Shares of the rows in another unit, or with two columns exchanged."""
    unit_factors: dict[str, tuple[float, ...]]
    """Numeric feature to the factors of its other units."""
    exchanged: tuple[tuple[str, str], ...]
    """Pairs of features of one unit, in the order in which they are tried."""
    unseen_category: tuple[float, ...]
    """Shares of the rows in which one categorical feature has a code beyond its categories."""
    stuck: tuple[float, ...]
    """Shares of the rows in which one numeric feature is frozen: at its training median, minimum, maximum, a value."""
    rounding: tuple[float, ...]
    """Steps of the grid to which numeric features are rounded, in `std` of the feature."""
    significant_digits: tuple[int, ...]
    integers_rounded: Literal[True] = True
    """Whatever a fault makes of an integer feature is rounded to a whole number."""
    invalid_counts_as: Literal["wrong"] = "wrong"
    """A row for which a fault leaves the graph without a valid output counts as wrong."""


class Sampling(records.Record):
    """How intervals and random faults are drawn."""

    level: float
    replicates: int
    seed: int
    stream: Literal["numpy default_rng([seed, crc32(label)])"] = "numpy default_rng([seed, crc32(label)])"
    """The label is the check's id, for a part of it `<id>.<part>`: the same whatever the order of the checks."""
    entity: str | None
    """Column that names the person or thing a row belongs to; whole entities are drawn."""


class Check(records.Record):
    """A check that can be measured again."""

    id: str
    title: str
    definition: str
    unit: str
    better: Literal["higher", "lower", "none"]
    reference: str
    needs: tuple[Need, ...] = ()


class LeftOut(records.Record):
    """A check that the bundle does not let anybody repeat."""

    id: str
    reason: str


class Threshold(records.Record):
    """A gate of the plan."""

    check: str
    slice: str
    at_least: float | None
    at_most: float | None
    confidence: float
    """Level of the interval on which it is judged."""
    minimum_group_size: int
    required: bool


class Tolerance(records.Record):
    """When a value that was measured again on the same rows is the same value.

    It is, where the distance is at most `absolute` plus `relative` times the declared value. On other rows values
    differ by chance: there the intervals speak.
    """

    absolute: float
    relative: float


class TestRows(records.Record):
    """The test rows, where the plan lets them leave: `data/test/rows.csv`, in the order in which they were measured.

    A header, then one line for each row: the features in the order of the model's input (categories as codes, missing
    as an empty cell), the target (class code, or number), and what the row belongs to, as codes.
    """

    __test__ = False
    path: Literal["data/test/rows.csv"] = "data/test/rows.csv"
    sha256: records.Sha256
    rows: int
    split_sha256: records.Sha256
    """Digest of the test part as the commitment fixed it (`data/evidence/split.json`)."""
    groups: dict[str, str]
    """Attribute to its column of codes."""
    slices: dict[str, str]
    entity: str | None
    """Column with the rank of each row's entity: a number that stands for no identifier."""


class Recipe(records.Record):
    """What a facility needs to measure the model again."""

    version: Literal[1] = 1
    format: Literal["proofline-recipe"] = "proofline-recipe"
    run_id: str
    model_sha256: records.Sha256
    plan_sha256: records.Sha256
    commitment_sha256: records.Sha256
    """Digest of `data/evidence/commitment.json`: what was fixed before anything was measured."""
    results_sha256: records.Sha256
    """Digest of `data/eval/results.json`: the declared values, with intervals, rows and slices."""
    target: TargetCodes
    missing_values: tuple[str, ...]
    """Texts that mean missing in every column of a table."""
    missing_in: dict[str, tuple[str, ...]]
    """Column to further such texts."""
    statistics: tuple[FeatureStatistics, ...]
    """Of every numeric feature, in the order of the model's input."""
    attributes: tuple[Attribute, ...]
    intersections: tuple[Intersection, ...]
    slices: tuple[Slices, ...]
    deployment: dict[str, dict[str, float]]
    """Expected shares where the system will be used: attribute or column to slice to share."""
    minimum_group_size: int
    """A group with fewer rows is listed, and what depends on it is inconclusive."""
    missing_group: float
    """Largest share of rows without a group; above it comparisons are inconclusive."""
    sampling: Sampling
    faults: Faults
    checks: tuple[Check, ...]
    left_out: tuple[LeftOut, ...]
    thresholds: tuple[Threshold, ...]
    tolerance: Tolerance
    test_rows: TestRows | None
    """None: the facility uses rows of its own."""


def schema_text() -> str:
    """The JSON Schema of the recipe, as it is committed."""
    return record_base.schema_text(Recipe)


if __name__ == "__main__":
    SCHEMA.write_text(schema_text(), encoding="utf-8")
