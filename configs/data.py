"""Where the data come from, what each column is, and what the data must satisfy."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from configs.base import Fraction, Section, Severity, Slug, Text

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class FileSource(Section):
    """One table in a file, or in several files of the same form that are read one after the other."""

    kind: Literal["file"]
    path: tuple[Text, ...] = Field(min_length=1)
    """Paths, relative to `PROOFLINE_DATA` where it is set, otherwise to the plan's folder."""
    sha256: tuple[Sha256, ...] = ()
    """Expected digest of each file, in the order of `path`. Checked when given."""
    member: Text | None = None
    """Name of the file inside a ZIP. Needed when the ZIP holds more than one table."""
    format: Literal["csv", "tsv", "parquet", "excel", "npz"] | None = None
    """Format; by default taken from the file's ending. In an NPZ each array of one dimension is a column, and column j
    of an array `a` of two dimensions is `a.j`; arrays of one column, and those of more dimensions, need no number."""
    separator: Text | None = None
    """Column separator of a text table; by default `,` for CSV and a tab for TSV. Write `tab` for a tab."""
    header: bool = True
    """Does the first row hold the names? If not, `columns` names them in order."""
    sheet: Text | None = None
    """Sheet of an Excel file; by default the first."""
    encoding: Text = "utf-8"
    decimal: Literal[".", ","] = Field(default=".", exclude_if=lambda said: said == ".")
    """What stands before the decimals of a number that is written as text. With `,` a point is no part of a number:
    separators of thousands are not read. A point is left out of the canonical form: plans of earlier versions keep
    their digests."""

    @property
    def may_lack_names(self) -> bool:
        """Is it a text table or a sheet, which `header` is about? Parquet and NPZ always hold names."""
        form = self.format or (self.member or self.path[0]).rpartition(".")[2].lower()
        return form not in ("parquet", "npz")


class SklearnSource(Section):
    """A real data set that ships inside scikit-learn: no download."""

    kind: Literal["sklearn"]
    name: Literal["diabetes", "breast_cancer", "wine", "iris"]


class OpenMLSource(Section):
    """A data set of openml.org, by name and version. Needs internet."""

    kind: Literal["openml"]
    name: Text
    dataset_version: int = Field(ge=1)


class SqlSource(Section):
    """The result of a query, through SQLAlchemy (DuckDB, SQLite, PostgreSQL and others)."""

    kind: Literal["sql"]
    url: Text | None = None
    """SQLAlchemy address without a password, for example `duckdb:///claims.duckdb`."""
    url_env: Text | None = None
    """Name of the environment variable that holds the address, where it contains a secret."""
    query: Text

    @model_validator(mode="after")
    def _one_address(self) -> Self:
        if (self.url is None) == (self.url_env is None):
            raise ValueError("expected exactly one of url and url_env")
        return self


Source = Annotated[FileSource | SklearnSource | OpenMLSource | SqlSource, Field(discriminator="kind")]


class Provenance(Section):
    """Origin of the data (AI Act Art. 10(2)(b), Annex IV(2)(d)). Unstated parts are gaps."""

    title: Text
    """Name of the data set."""
    origin: Text | None = None
    """Who collected it, where it was obtained."""
    licence: Text | None = None
    """Licence, as an SPDX identifier where there is one."""
    url: Text | None = None
    collected: Text | None = None
    """Period of collection."""
    original_purpose: Text | None = None
    """Purpose of the original collection, for personal data (Art. 10(2)(b))."""
    personal_data: Literal["yes", "no", "unknown"] = "unknown"
    special_categories: tuple[Text, ...] = ()
    """Special categories of personal data among the columns beside the protected attributes (GDPR Art. 9), in words:
    data concerning health, for example. Where there are some, test rows never leave with a bundle."""


RESERVED = ("_row", "_role")
"""How no declared column may begin: the run folder's own tables use these names for row digests and parts."""


class Column(Section):
    """One column: what it is, and what its values must satisfy."""

    name: Text
    """Name in the source. Names that begin with `_row` or `_role` are reserved."""
    role: Literal["feature", "target", "protected", "entity", "prediction", "ignored"] = "feature"
    """`protected`: used to compare groups, never given to the model. `entity`: names the person or thing
    a row belongs to. `prediction`: what a model said of the row (see `predictions`). `ignored`: read and checked, not
    used."""
    kind: Literal["numeric", "integer", "categorical"]
    unit: Text | None = None
    """Unit of measure, for example `mg/dL` or `years`."""
    description: Text | None = None
    minimum: float | None = None
    """Smallest allowed value."""
    maximum: float | None = None
    """Largest allowed value."""
    allowed: tuple[Text, ...] = ()
    """Allowed values of a categorical column, as text. They also fix its integer codes, in this order."""
    labels: dict[str, Text] = {}
    """What the values mean, value to text, for documents."""
    max_missing: Fraction = 0.0
    """Largest allowed share of missing values."""
    unique: bool = False
    """Must all values differ?"""
    missing_values: tuple[str, ...] = ()
    """Texts that mean missing in this column, beyond those of `data.missing_values`."""
    severity: Severity = "gate"
    """Weight of a violation of this column's rules."""
    unseen: Literal["refuse", "as_missing"] = "refuse"
    """What to do with a category that the training split does not hold (where `allowed` is empty)."""
    immutable: bool = False
    """Is it impossible for an adversary to change this feature? (Kept fixed under attack.)"""

    @model_validator(mode="after")
    def _coherent(self) -> Self:
        if self.name.startswith(RESERVED):
            raise ValueError(
                f"name '{self.name}': names beginning with {' or '.join(RESERVED)} are reserved; rename it"
            )
        if self.minimum is not None and self.maximum is not None and self.minimum > self.maximum:
            raise ValueError(f"minimum {self.minimum:g} is above maximum {self.maximum:g}")
        if self.kind == "categorical" and (self.minimum is not None or self.maximum is not None):
            raise ValueError("a categorical column takes `allowed`, not minimum or maximum")
        if self.kind != "categorical" and self.allowed:
            raise ValueError("`allowed` belongs to categorical columns; use minimum and maximum")
        if len(set(self.allowed)) != len(self.allowed):
            raise ValueError("`allowed` names a value twice")
        return self


class ColumnPairRule(Section):
    """In every row, `larger` is above `smaller` (rows with a missing value are left out)."""

    kind: Literal["pair_ordered"]
    larger: Text
    smaller: Text
    or_equal: bool = True
    severity: Severity = "gate"


class CompoundUniqueRule(Section):
    """No two rows share the same values in these columns."""

    kind: Literal["compound_unique"]
    columns: tuple[Text, ...] = Field(min_length=2)
    severity: Severity = "gate"


class RowCountRule(Section):
    """The table has between `minimum` and `maximum` rows."""

    kind: Literal["row_count"]
    minimum: int = Field(ge=0)
    maximum: int | None = None
    severity: Severity = "critical"


Rule = Annotated[ColumnPairRule | CompoundUniqueRule | RowCountRule, Field(discriminator="kind")]


class ReferencePopulation(Section):
    """Shares of the groups among the persons on whom the system is to be used (AI Act Art. 10(3), (4))."""

    shares: dict[str, Fraction] = Field(min_length=1)
    """Group name to share; the shares add up to 1."""
    source: Text
    """Where the shares come from: a statistic, a registry, a survey, with its date."""

    @model_validator(mode="after")
    def _sums_to_one(self) -> Self:
        total = sum(self.shares.values())
        if abs(total - 1.0) > 0.005:
            raise ValueError(f"expected shares that add up to 1, got {total:.3f}")
        return self


class ProtectedAttribute(Section):
    """An attribute whose groups are compared."""

    name: Slug
    """Name in the reports, for example `sex` or `age_group`."""
    column: Text
    """Column it is taken from."""
    bins: tuple[float, ...] = Field(default=(), max_length=100)
    """Edges for a numeric column, ascending: `[30, 50]` gives three groups, below 30, 30 to below 50, 50 and above."""
    groups: dict[str, tuple[Text, ...]] = {}
    """Group name to the column's values, for a categorical column. Without it each value is a group."""
    use_in_model: bool
    """May the model see the column? Only then can the column's role be `feature`."""
    special_category: bool | None = None
    """Is it a special category of personal data (GDPR Art. 9; AI Act Art. 4a)? Absent: not stated, which is no no."""
    reference: ReferencePopulation | None = None

    @property
    def may_be_special(self) -> bool:
        """Must it be treated as a special category, because it is one or nobody said that it is none?"""
        return self.special_category is not False

    @model_validator(mode="after")
    def _one_way_to_group(self) -> Self:
        if self.bins and self.groups:
            raise ValueError("expected bins (numeric column) or groups (categorical column), got both")
        if list(self.bins) != sorted(set(self.bins)):
            raise ValueError("expected ascending, different edges in bins")
        values = [value for members in self.groups.values() for value in members]
        if len(set(values)) != len(values):
            raise ValueError("expected every value in one group, got one listed twice")
        return self


class Target(Section):
    """What is predicted, read from the column with the role `target`."""

    task: Literal["binary", "multiclass", "regression"]
    positive: tuple[Text, ...] = ()
    """Binary, categorical column: the values that mean the positive class."""
    negative: tuple[Text, ...] = ()
    """Binary, categorical column: the values that mean the negative class. Every other value is an error."""
    above: float | None = None
    """Binary, numeric column: positive where the value is above this."""
    classes: tuple[Text, ...] = ()
    """Multi-class: the values in the order of their codes 0…K−1."""
    positive_label: Text = "positive"
    """What the positive class means, for documents."""
    negative_label: Text = "negative"
    unit: Text | None = None
    """Unit of a regression target."""

    @model_validator(mode="after")
    def _coherent(self) -> Self:
        if self.task == "binary":
            if bool(self.positive) == (self.above is not None):
                raise ValueError("a binary target takes either positive and negative, or above")
            if self.positive and not self.negative:
                raise ValueError("a binary target with positive needs negative as well")
            if set(self.positive) & set(self.negative):
                raise ValueError("positive and negative share a value")
        elif self.positive or self.negative or self.above is not None:
            raise ValueError(f"positive, negative and above belong to binary targets, not {self.task}")
        if self.task == "multiclass" and len(self.classes) < 3:
            raise ValueError("a multi-class target names at least three classes in order")
        if self.task != "multiclass" and self.classes:
            raise ValueError("classes belong to multi-class targets")
        return self


class Data(Section):
    """The data of the system."""

    source: Source
    provenance: Provenance
    target: Target
    columns: tuple[Column, ...] = Field(min_length=2)
    missing_values: tuple[str, ...] = ("", "NA", "NaN", "nan", "NULL", "null")
    """Texts that mean missing, in every column of a text table."""
    rules: tuple[Rule, ...] = ()
    """Rules across columns or over the whole table."""
    engine: Literal["pandas", "duckdb", "spark"] = "pandas"
    """What evaluates the expectations: pandas holds the table in memory, DuckDB and Spark (`pip install
    '.[spark]'`, and a Java) do not. The results are the same."""
    undeclared: Literal["ignore", "refuse"] = "ignore"
    """What to do with columns that the plan does not declare. They are listed, never stored."""
    protected: tuple[ProtectedAttribute, ...] = ()
    intersections: tuple[tuple[Slug, ...], ...] = ()
    """Protected attributes to be compared jointly, for example `[[sex, age_group]]`."""

    def column(self, name: str) -> Column | None:
        """The declared column of that name, or None."""
        return next((c for c in self.columns if c.name == name), None)

    @property
    def target_column(self) -> Column:
        """The one column with the role `target`."""
        return next(c for c in self.columns if c.role == "target")

    @property
    def features(self) -> tuple[Column, ...]:
        """The columns that the model sees, in the order of the model's input."""
        return tuple(c for c in self.columns if c.role == "feature")

    @property
    def entity(self) -> str | None:
        """The column that names the person or thing a row belongs to."""
        return next((c.name for c in self.columns if c.role == "entity"), None)

    @model_validator(mode="after")
    def _coherent(self) -> Self:
        names = [c.name for c in self.columns]
        twice = sorted({n for n in names if names.count(n) > 1})
        if twice:
            raise ValueError(f"columns declared twice: {', '.join(twice)}")
        for role, most in (("target", 1), ("entity", 1)):
            count = sum(c.role == role for c in self.columns)
            if count > most or (role == "target" and count == 0):
                raise ValueError(f"expected exactly one column with the role {role}, got {count}")
        if not self.features and not any(c.role == "prediction" for c in self.columns):
            raise ValueError("expected at least one column with the role feature, got none")
        self._check_target()
        self._check_protected()
        for rule in self.rules:
            self._check_rule(rule)
        return self

    def _check_rule(self, rule: Rule) -> None:
        names = _columns_of(rule)
        for name in names:
            if self.column(name) is None:
                raise ValueError(f"rule {rule.kind}: column '{name}' is not declared")
        if len(set(names)) != len(names):
            raise ValueError(f"rule {rule.kind}: expected different columns, got one twice")
        if isinstance(rule, ColumnPairRule):
            # Texts have no order that a plan could mean, and a text is neither above nor below a number.
            texts = [c.name for c in self.columns if c.name in names and c.kind == "categorical"]
            if texts:
                raise ValueError(f"rule {rule.kind}: expected numeric columns, got categorical '{texts[0]}'")
        if isinstance(rule, RowCountRule) and rule.maximum is not None and rule.maximum < rule.minimum:
            raise ValueError(f"rule {rule.kind}: minimum {rule.minimum} is above maximum {rule.maximum}")

    def _check_target(self) -> None:
        column = self.target_column
        numeric_needed = self.target.above is not None or self.target.task == "regression"
        if numeric_needed and column.kind == "categorical":
            raise ValueError(f"target '{column.name}': expected a numeric column, got categorical")
        if not numeric_needed and column.kind != "categorical":
            raise ValueError(f"target '{column.name}': expected kind categorical for named classes, got {column.kind}")

    def _check_protected(self) -> None:
        names = [p.name for p in self.protected]
        if len(set(names)) != len(names):
            raise ValueError("a protected attribute is declared twice")
        for attribute in self.protected:
            column = self.column(attribute.column)
            where = f"protected attribute '{attribute.name}'"
            if column is None:
                raise ValueError(f"{where}: column '{attribute.column}' is not declared")
            if column.role == "target":
                raise ValueError(f"{where}: the target cannot be a protected attribute")
            if column.role == "feature" and not attribute.use_in_model:
                raise ValueError(
                    f"{where}: use_in_model is false, but column '{column.name}' has the role feature. "
                    "Give the column the role protected, or set use_in_model: true"
                )
            if attribute.bins and column.kind == "categorical":
                raise ValueError(f"{where}: bins need a numeric column")
            if not attribute.bins and column.kind != "categorical":
                raise ValueError(f"{where}: numeric column '{column.name}' needs bins")
        self._check_intersections(names)

    def _check_intersections(self, names: list[str]) -> None:
        for combination in self.intersections:
            for name in combination:
                if name not in names:
                    raise ValueError(f"intersection: '{name}' is no protected attribute")
            if len(combination) < 2 or len(set(combination)) != len(combination):
                raise ValueError("intersection: expected at least two different protected attributes")
        if len({frozenset(c) for c in self.intersections}) != len(self.intersections):
            raise ValueError("an intersection is declared twice")


def _columns_of(rule: ColumnPairRule | CompoundUniqueRule | RowCountRule) -> tuple[str, ...]:
    if isinstance(rule, ColumnPairRule):
        return (rule.larger, rule.smaller)
    return rule.columns if isinstance(rule, CompoundUniqueRule) else ()
