"""What of its training text the model gives back: verbatim passages, sequences that occur often, planted canaries.

A passage counts as extracted when the model, given the tokens before it, continues it token by token by greedy choice.
Whether it does follows from one pass over prefix and passage: greedy generation follows the text exactly as long as
each token of it is the likeliest one. For each declared prefix, passages are drawn from documents that are long enough;
the headline is that of the longest prefix for which fifty are. Passages of held-out text beside them show what is
merely predictable. Passages of one document count as one in intervals.

Refs: Carlini et al. 2023 (extraction by prefix, by number of occurrences); Carlini et al. 2019 (canaries).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from checks import _proportions
from checks._subject import measured, not_applicable, not_measured
from checks.language import canaries, likelihood, repeated
from checks.language._subject import NO_TRAINING_TEXT, Subject
from checks.language.texts import Texts
from evidence import records

Ids = npt.NDArray[np.int64]
Hits = npt.NDArray[np.bool_]

EXTRACTION, REPEATED = "language.extraction", "language.repeated_sequences"
ENOUGH = 50
"""Passages that the prefix of the headline shall have, where documents are long enough for it."""


@dataclasses.dataclass(frozen=True)
class Passages:
    """Places in documents where a longest prefix and a continuation fit."""

    tokens: tuple[Ids, ...]
    """Prefix and continuation of each."""
    owner: npt.NDArray[np.int64]
    """(passages,) document of each."""
    documents: int
    """That were looked at."""


@dataclasses.dataclass(frozen=True)
class Run:
    """How far the model follows passages."""

    followed: npt.NDArray[np.int64]
    """(passages,) tokens of the continuation that greedy generation gives before it departs."""
    owner: npt.NDArray[np.int64]
    """(passages,) document of each."""
    documents: int
    """That were looked at."""
    continuation: int
    """Tokens that make an extraction."""

    @property
    def hits(self) -> Hits:
        """(passages,) is it extracted?"""
        return self.followed == self.continuation

    @property
    def mean(self) -> float | None:
        """Tokens that are followed, on average; None without passages."""
        return float(self.followed.mean()) if len(self.followed) else None


def measure(subject: Subject) -> tuple[records.CheckResult, ...]:
    """The three results, before the policy is laid on them."""
    return (_extraction(subject), _repeated(subject), canaries.measure(subject))


def _extraction(subject: Subject) -> records.CheckResult:
    asked = subject.plan.policy.memorisation
    prefixes = _fitting(subject)
    if subject.training is None:
        return not_measured(EXTRACTION, NO_TRAINING_TEXT)
    if not prefixes:
        return not_measured(EXTRACTION, _too_long(subject))
    runs = {prefix: _tried(subject, subject.training.sample, prefix, "train") for prefix in prefixes}
    seen = {prefix: len(run.followed) for prefix, run in runs.items()}
    if not any(seen.values()):
        return not_measured(EXTRACTION, f"no training document at hand has {prefixes[0] + asked.continuation} tokens")
    enough = [prefix for prefix in prefixes if seen[prefix] >= ENOUGH]
    chosen = enough[-1] if enough else max(prefixes, key=lambda prefix: (seen[prefix], prefix))
    measures: list[records.Measure] = []
    curve = []
    for prefix in sorted(prefixes, key=lambda p: (p != chosen, -p)):
        own = _share(
            subject, EXTRACTION if prefix == chosen else f"{EXTRACTION}.prefix_{prefix}", runs[prefix], "train",
            f"prefix of {prefix} tokens",
        )  # fmt: skip
        held = _tried(subject, subject.held_out, prefix, "test")
        name = f"{EXTRACTION}.held_out_prefix_{prefix}"
        other = _share(subject, name, held, "test", f"held-out text, prefix of {prefix} tokens")
        measures += [own, other]
        curve.append(_point(prefix, own, other) | {"followed": runs[prefix].mean, "held_out_followed": held.mean})
    details = {
        "continuation": asked.continuation,
        "headline_prefix": chosen,
        "curve": sorted(curve, key=lambda point: point["prefix"]),
        "documents": runs[chosen].documents,
        "left_out_prefixes": sorted(set(asked.prefixes) - set(prefixes)),
    }
    return measured(EXTRACTION, tuple(measures), details)


def _tried(subject: Subject, documents: Texts, prefix: int, role: str) -> Run:
    """Passages of documents that are long enough for a prefix, and how far each is followed."""
    asked = subject.plan.policy.memorisation

    def make() -> Run:
        length = prefix + asked.continuation
        sizes = subject.once(f"sizes.{role}", lambda: [len(subject.tokenizer.ids(d.text)) for d in documents()])
        drawn = _draw(subject, documents, sizes, length, asked.samples, prefix * 2 + (role == "test"))
        return Run(_follow(subject, drawn.tokens, prefix), drawn.owner, drawn.documents, asked.continuation)

    return subject.once(f"extraction.{role}.{prefix}", make)


def _repeated(subject: Subject) -> records.CheckResult:
    asked = subject.plan.policy.memorisation
    prefixes = _fitting(subject)
    if subject.training is None:
        return not_measured(REPEATED, NO_TRAINING_TEXT)
    if not prefixes:
        return not_measured(REPEATED, _too_long(subject))
    training, prefix = subject.training, prefixes[0]
    length = prefix + asked.continuation
    found = subject.once(
        "repeated",
        lambda: repeated.find(training.streams(), length, subject.end_of_text, asked.samples, subject.plan.policy.seed),
    )
    details = {"length": length, "prefix": prefix, "looked_at_tokens": found.looked_at, "sequences": found.distinct}
    if not len(found.tokens):
        return not_applicable(REPEATED, f"no sequence of {length} tokens occurs twice in {found.looked_at:,} tokens")
    run = subject.once(
        "repeated.run",
        lambda: Run(_follow(subject, found.tokens, prefix), np.arange(len(found.tokens)), 0, asked.continuation),
    )
    what = f"sequences of {length} tokens that occur twice or more"
    measures = [_share(subject, REPEATED, run, "train", what)]
    bands = []
    for low, high in repeated.BANDS:
        inside = (found.counts >= low) & (found.counts <= high)
        if inside.any():
            label = f"{low}" if low == high else f"{low} or more" if high >= repeated.MANY else f"{low} to {high}"
            name = f"{REPEATED}.from_{low}"
            of_band = dataclasses.replace(run, followed=run.followed[inside], owner=run.owner[inside])
            measures.append(_share(subject, name, of_band, "train", f"{label} occurrences"))
            bands.append({"occurrences": label, "sequences": int(inside.sum()), "value": measures[-1].value})
    return measured(REPEATED, tuple(measures), {**details, "bands": bands})


def _fitting(subject: Subject) -> list[int]:
    """Declared prefixes that fit the context with their continuation, rising."""
    asked = subject.plan.policy.memorisation
    return sorted({p for p in asked.prefixes if p >= 1 and p + asked.continuation <= subject.context})


def _too_long(subject: Subject) -> str:
    asked = subject.plan.policy.memorisation
    return (
        f"no declared prefix fits the context of {subject.context} tokens together with a continuation of "
        f"{asked.continuation}"
    )


def _draw(subject: Subject, documents: Texts, sizes: Sequence[int], length: int, most: int, label: int) -> Passages:
    """Random passages, one of each document before a second one of any; `sizes` (documents,) in tokens."""
    rng = np.random.default_rng([subject.plan.policy.seed, 0x9A55, label])
    room = [(i, n - length + 1) for i, n in enumerate(sizes) if n >= length]
    order = [room[i] for i in rng.permutation(len(room))]
    wanted: dict[int, list[int]] = {}
    taken = 0
    for turn in range(most):
        # Passages of one document do not overlap, so a document offers only as many as fit.
        open_ones = [(i, n) for i, n in order if n > turn * length] if turn else order
        for index, places in open_ones[: most - taken]:
            step = places // (turn + 1)
            wanted.setdefault(index, []).append(int(turn * step + rng.integers(0, max(1, min(step, places)))))
        taken += len(open_ones[: most - taken])
        if taken >= most or not open_ones:
            break
    tokens, owner = [], []
    for index, document in enumerate(documents()):
        if index in wanted:
            ids = subject.tokenizer.ids(document.text)
            for place in sorted({min(p, len(ids) - length) for p in wanted[index]}):
                tokens.append(ids[place : place + length])
                owner.append(index)
    return Passages(tuple(tokens), np.array(owner, np.int64), len(sizes))


def _follow(subject: Subject, passages: Iterable[Ids], prefix: int) -> npt.NDArray[np.int64]:
    """(passages,) tokens of the continuation that greedy generation gives before it departs."""
    length = subject.plan.policy.memorisation.continuation
    found = likelihood.score(subject.graph, ((ids, prefix) for ids in passages), subject.context)
    return np.array([length if one.greedy.all() else int(one.greedy.argmin()) for one in found], np.int64)


def _share(subject: Subject, name: str, run: Run, role: records.Role, note: str) -> records.Measure:
    owner = run.owner if len(set(run.owner.tolist())) < len(run.owner) else None
    hits = run.hits
    return records.Measure(
        name=name,
        value=float(hits.mean()) if len(hits) else None,
        interval=_proportions.of_rows(hits, dataclasses.replace(subject.sampling, entities=owner)),
        n=len(hits),
        split=role,
        note=note if len(hits) else f"{note}: no document is long enough",
    )


def _point(prefix: int, own: records.Measure, other: records.Measure) -> dict[str, object]:
    def ends(measure: records.Measure) -> Sequence[float | None]:
        found = measure.interval
        return (measure.value, found.low, found.high) if found else (measure.value, None, None)

    names = ("value", "low", "high")
    held_out = zip((f"held_out_{n}" for n in names), ends(other), strict=True)
    return {"prefix": prefix, **dict(zip(names, ends(own), strict=True)), **dict(held_out)}
