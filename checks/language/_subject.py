"""What every check of a language model is given: plan, graph, tokenizer, held-out text, what is left of training."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from checks import intervals
from checks.language import likelihood, texts
from checks.language.graph import Graph
from checks.language.weights import Weights
from configs.language.plan import LanguagePlan
from evidence import language_records, records

T = TypeVar("T")
Progress = Callable[[str, int, int], None]
Floats = npt.NDArray[np.float64]

NO_TRAINING_TEXT = "needs training text, which stays with the provider"


@dataclasses.dataclass(frozen=True)
class Training:
    """What of the training text is at hand, for checks of memorisation."""

    sample: texts.Texts
    """A seeded sample of its documents."""
    streams: Callable[[], Any]
    """Arrays of tokens (n,) as they were trained on, shard by shard."""
    canaries: language_records.CanaryFile | None


@dataclasses.dataclass(frozen=True)
class Subject:
    """The model under test on held-out text."""

    plan: LanguagePlan
    graph: Graph
    tokenizer: texts.Tokenizer
    context: int
    """Most tokens that the model sees at once."""
    end_of_text: int
    """Token that stands before every document."""
    held_out: texts.Texts
    documents: int
    """How many the held-out text has."""
    expected: Mapping[str, tuple[str, ...]]
    """`language` and `domain` to the names that the training text has, so that one without held-out text is named."""
    sampling: intervals.Sampling
    training: Training | None = None
    query_heads: int | None = None
    """Heads of queries, for counting operations; None where nobody says."""
    weights: Weights | None = None
    """Of the graph, for counting operations."""
    progress: Progress | None = None
    artifacts: tuple[records.ArtifactRef, ...] = ()
    kept: dict[str, Any] = dataclasses.field(default_factory=dict, repr=False, compare=False)
    """What several checks share, and what does not change with the level of intervals."""

    def once(self, name: str, make: Callable[[], T]) -> T:
        """What `make` gives, computed when it is first asked for."""
        if name not in self.kept:
            self.kept[name] = make()
        found: T = self.kept[name]
        return found

    def told(self, what: str, done: int, of: int) -> None:
        """Report how far a long piece of work is."""
        if self.progress is not None:
            self.progress(what, done, of)

    def prompt(self, ids: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """The tokens of a document as the model saw such in training: behind the end of another one."""
        return np.concatenate([[self.end_of_text], ids])


@dataclasses.dataclass(frozen=True)
class HeldOut:
    """The held-out documents as the graph scores them."""

    nats: Floats
    """(documents,) summed negative log-likelihood."""
    tokens: Floats
    """(documents,)."""
    bytes: Floats
    """(documents,) of the UTF-8 form."""
    characters: Floats
    """(documents,)."""
    names: Mapping[str, tuple[str, ...]]
    """`language` and `domain` to the names of the groups, sorted."""
    codes: Mapping[str, npt.NDArray[np.int64]]
    """`language` and `domain` to the group (documents,) of each document."""
    confidence: npt.NDArray[np.float32]
    """(tokens,) probability of the likeliest token."""
    greedy: npt.NDArray[np.bool_]
    """(tokens,) did it come?"""
    owner: npt.NDArray[np.int64]
    """(tokens,) document of each token."""
    digests: tuple[str, ...]
    """Identifiers of the documents, in order."""


MOST_TOKENS = 20_000_000
"""Tokens of which the probabilities are kept for the calibration: the first ones."""


def held_out(subject: Subject) -> HeldOut:
    """Score the held-out text, once."""
    return subject.once("held_out", lambda: _score(subject))


def _score(subject: Subject) -> HeldOut:
    documents: list[tuple[str, str, str, int, int]] = []

    def sequences() -> Any:
        for document in subject.held_out():
            size = len(document.text.encode("utf-8"))
            documents.append((document.id, document.language, document.domain, size, len(document.text)))
            yield subject.prompt(subject.tokenizer.ids(document.text)), 1

    nats, tokens, confidence, greedy, kept = [], [], [], [], 0
    for done, found in enumerate(likelihood.score(subject.graph, sequences(), subject.context)):
        nats.append(float(found.nats.sum(dtype=np.float64)))
        tokens.append(len(found.nats))
        room = max(0, MOST_TOKENS - kept)
        confidence.append(found.confidence[:room])
        greedy.append(found.greedy[:room])
        kept += len(confidence[-1])
        subject.told("held-out text", done, subject.documents)
    columns = list(zip(*documents, strict=True)) or [(), (), (), (), ()]
    names = {part: tuple(sorted(set(columns[i]))) for i, part in ((1, "language"), (2, "domain"))}
    places = {part: {name: code for code, name in enumerate(found)} for part, found in names.items()}
    codes = {
        part: np.array([places[part][name] for name in columns[i]], np.int64)
        for i, part in ((1, "language"), (2, "domain"))
    }
    lengths = [len(one) for one in confidence]
    return HeldOut(
        nats=np.array(nats, np.float64),
        tokens=np.array(tokens, np.float64),
        bytes=np.array(columns[3], np.float64),
        characters=np.array(columns[4], np.float64),
        names=names,
        codes=codes,
        confidence=np.concatenate([*confidence, np.zeros(0, np.float32)]),
        greedy=np.concatenate([*greedy, np.zeros(0, np.bool_)]),
        owner=np.repeat(np.arange(len(lengths)), lengths),
        digests=tuple(columns[0]),
    )
