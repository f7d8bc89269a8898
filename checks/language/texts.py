"""Documents and their tokens: held-out text of a run, text that somebody else has, the sample of the training text."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import tokenizers

from configs import errors

Ids = npt.NDArray[np.int64]
COLUMNS = ("document", "language", "domain", "text")
ROWS = 256
"""Documents that are read at once."""


@dataclasses.dataclass(frozen=True)
class Document:
    """A text with what is known of it."""

    id: str
    """SHA-256 of the text's UTF-8 form."""
    language: str
    domain: str
    text: str


Texts = Callable[[], Iterable[Document]]
"""Documents that can be gone through more than once, in the same order."""


class Tokenizer:
    """`tokenizer.json` of Hugging Face tokenizers; special tokens in a text are text."""

    def __init__(self, path: Path) -> None:
        """Read it.

        Raises:
            VerificationError: The file is no tokenizer.
        """
        try:
            self._own = tokenizers.Tokenizer.from_file(str(path))
        except Exception as error:  # the library raises bare exceptions
            raise errors.VerificationError(
                f"tokenizer {path.name}: expected a tokenizer.json, got: {str(error)[:120]}. Export the model again."
            ) from None
        self._own.no_padding()
        self._own.no_truncation()
        self._own.encode_special_tokens = True

    @property
    def vocabulary(self) -> int:
        """Number of tokens that the graph must know: one more than the largest, added ones included."""
        return 1 + max(self._own.get_vocab(with_added_tokens=True).values(), default=-1)

    def ids(self, text: str) -> Ids:
        """Tokens of a text, without special ones."""
        return np.array(self._own.encode(text, add_special_tokens=False).ids, np.int64)

    def many(self, texts: list[str]) -> list[Ids]:
        """Tokens of several texts."""
        found = self._own.encode_batch(texts, add_special_tokens=False)
        return [np.array(one.ids, np.int64) for one in found]

    def beginning(self, text: str, most: int) -> str:
        """The characters that the first `most` tokens of a text cover."""
        found = self._own.encode(text, add_special_tokens=False)
        return text if len(found.ids) <= most else text[: found.offsets[most - 1][1]]

    def text(self, ids: Iterable[int]) -> str:
        """The text of tokens."""
        return str(self._own.decode([int(i) for i in ids], skip_special_tokens=False))


def of_file(path: Path) -> Texts:
    """The documents of a Parquet file with the columns `document`, `language`, `domain` and `text`."""
    from pyarrow import parquet  # noqa: PLC0415 - whoever has text in memory needs none

    def read() -> Iterator[Document]:

        with parquet.ParquetFile(path) as file:
            for batch in file.iter_batches(ROWS, columns=list(COLUMNS)):
                for row in batch.to_pylist():
                    yield Document(row["document"], row["language"], row["domain"], row["text"])

    return read


def of_list(documents: Iterable[Document]) -> Texts:
    """Documents that are in memory."""
    held = tuple(documents)
    return lambda: held
