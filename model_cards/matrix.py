"""The confusion matrix read as counts: how many rows of which class get which label."""

from __future__ import annotations

import dataclasses

from model_cards.refs import Book, Fact, Node


@dataclasses.dataclass(frozen=True)
class Matrix:
    """Rows by true class (first index) and label (second index)."""

    node: Node
    """The matrix in its record."""
    labels: Node
    """Names of the classes, in the order of the matrix."""

    @property
    def counts(self) -> list[list[int]]:
        """The matrix as numbers."""
        return [[int(cell) for cell in row] for row in self.node.value]

    @property
    def total(self) -> int:
        """All rows."""
        return sum(map(sum, self.counts))

    @property
    def right(self) -> int:
        """Rows whose label is their true class."""
        return sum(row[i] for i, row in enumerate(self.counts))

    @property
    def largest(self) -> int:
        """Index of the class with the most rows."""
        sizes = [sum(row) for row in self.counts]
        return sizes.index(max(sizes))

    def name(self, index: int) -> Fact:
        """Name of a class."""
        return self.labels[index].fact()

    def rows(self, index: int) -> Fact:
        """Rows of a true class."""
        return self.node[index].derived(sum(self.counts[index]), "sum of the row", "count")

    def wrong(self, index: int) -> Fact:
        """Rows of a true class that got another label."""
        row = self.counts[index]
        return self.node[index].derived(sum(row) - row[index], "sum of the row less the diagonal", "count")

    def all_rows(self) -> Fact:
        """All rows."""
        return self.node.derived(self.total, "sum of the matrix", "count")

    def right_rows(self) -> Fact:
        """Rows labelled rightly."""
        return self.node.derived(self.right, "sum of the diagonal", "count")

    def share(self, index: int) -> Fact:
        """Share of a class among the rows."""
        value = sum(self.counts[index]) / self.total
        return self.node.derived(value, "sum of the row over the sum of the matrix", "number")

    def worst_label(self, index: int) -> int | None:
        """The wrong label that a class gets most often; None where none is wrong."""
        row = [(-1 if i == index else cell) for i, cell in enumerate(self.counts[index])]
        return row.index(max(row)) if max(row) > 0 else None


def of(book: Book) -> Matrix | None:
    """The confusion matrix of the run, where it holds one with rows."""
    result = book.result("performance.confusion_matrix")
    if result is None or not result["details"] or not result["details"]["matrix"] or not result["details"]["labels"]:
        return None
    found = Matrix(result["details"]["matrix"], result["details"]["labels"])
    return found if len(found.labels.value) == len(found.node.value) and found.total else None
