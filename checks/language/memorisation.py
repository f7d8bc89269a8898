"""What of its training text the model gives back: verbatim passages, sequences that occur often, planted canaries.

A passage counts as extracted when the model, given the tokens before it, continues it token by token by greedy choice.
Whether it does follows from one pass over prefix and passage: greedy generation follows the text exactly as long as
each token of it is the likeliest one. The same passages are tried with prefixes of each declared length, and passages
of held-out text beside them show what is merely predictable. Passages of one document count as one in intervals.

Refs: Carlini et al. 2023 (extraction by prefix, by number of occurrences); Carlini et al. 2019 (canaries).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from checks import _proportions, intervals
from checks._subject import measured, not_applicable, not_measured
from checks.language import canaries, likelihood, repeated
from checks.language._subject import NO_TRAINING_TEXT, Subject
from checks.language.texts import Texts
from evidence import records

Ids = npt.NDArray[np.int64]
Hits = npt.NDArray[np.bool_]

EXTRACTION, REPEATED = "language.extraction", "language.repeated_sequences"


@dataclasses.dataclass(frozen=True)
class Passages:
    """Places in documents where a longest prefix and a continuation fit."""

    tokens: tuple[Ids, ...]
    """Prefix and continuation of each."""
    owner: npt.NDArray[np.int64]
    """(passages,) document of each."""
    documents: int
    """That were looked at."""


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
    sample, held = subject.training.sample, subject.held_out
    longest = prefixes[-1] + asked.continuation
    seen = subject.once("passages.train", lambda: _draw(subject, sample, longest, asked.samples, 1))
    unseen = subject.once("passages.test", lambda: _draw(subject, held, longest, asked.samples, 2))
    if not len(seen.tokens):
        return not_measured(EXTRACTION, f"no training document at hand has {longest} tokens")
    measures: list[records.Measure] = []
    curve, followed = [], {}
    for prefix in reversed(prefixes):
        runs = {
            role: subject.once(f"extraction.{role}.{prefix}", lambda p=prefix, f=found: _follow(subject, f, p))
            for role, found in (("train", seen), ("test", unseen))
        }
        name = EXTRACTION if prefix == prefixes[-1] else f"{EXTRACTION}.prefix_{prefix}"
        hits = {role: run == asked.continuation for role, run in runs.items()}
        own = _share(subject, name, hits["train"], seen.owner, "train", f"prefix of {prefix} tokens")
        other = _share(
            subject, f"{EXTRACTION}.held_out_prefix_{prefix}", hits["test"], unseen.owner, "test",
            f"held-out text, prefix of {prefix} tokens",
        )  # fmt: skip
        measures += [own, other]
        followed[str(prefix)] = {r: float(run.mean()) for r, run in runs.items() if len(run)}
        curve.append(_point(prefix, own, other))
    details = {
        "continuation": asked.continuation,
        "curve": curve,
        "tokens_followed": followed,
        "passages": len(seen.tokens),
        "documents": seen.documents,
        "held_out_passages": len(unseen.tokens),
        "left_out_prefixes": sorted(set(asked.prefixes) - set(prefixes)),
    }
    return measured(EXTRACTION, tuple(measures), details)


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
    passages = Passages(found.tokens, np.arange(len(found.tokens)), len(found.tokens))
    runs = subject.once("repeated.run", lambda: _follow(subject, passages, prefix))
    hits = runs == asked.continuation
    what = f"sequences of {length} tokens that occur twice or more"
    measures = [_share(subject, REPEATED, hits, None, "train", what)]
    bands = []
    for low, high in repeated.BANDS:
        inside = (found.counts >= low) & (found.counts <= high)
        if inside.any():
            label = f"{low}" if low == high else f"{low} or more" if high >= repeated.MANY else f"{low} to {high}"
            name = f"{REPEATED}.from_{low}"
            measures.append(_share(subject, name, hits[inside], None, "train", f"{label} occurrences"))
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


def _draw(subject: Subject, documents: Texts, length: int, most: int, label: int) -> Passages:
    """Random passages, one of each document before a second one of any."""
    rng = np.random.default_rng([subject.plan.policy.seed, 0x9A55, label])
    room = [(i, n - length + 1) for i, n in enumerate(_sizes(subject, documents)) if n >= length]
    total = sum(1 for _ in documents())
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
    return Passages(tuple(tokens), np.array(owner, np.int64), total)


def _sizes(subject: Subject, documents: Texts) -> Iterable[int]:
    return (len(subject.tokenizer.ids(d.text)) for d in documents())


def _follow(subject: Subject, passages: Passages, prefix: int) -> npt.NDArray[np.int64]:
    """(passages,) tokens of the continuation that greedy generation gives before it departs."""
    length = subject.plan.policy.memorisation.continuation
    sequences = ((ids[len(ids) - length - prefix :], prefix) for ids in passages.tokens)
    found = likelihood.score(subject.graph, sequences, subject.context)
    return np.array([length if one.greedy.all() else int(one.greedy.argmin()) for one in found], np.int64)


def _share(
    subject: Subject, name: str, hits: Hits, owner: npt.NDArray[np.int64] | None, role: records.Role, note: str
) -> records.Measure:
    entities = owner if owner is not None and len(set(owner.tolist())) < len(owner) else None
    sampling = intervals.Sampling(subject.sampling.level, subject.sampling.replicates, subject.sampling.seed, entities)
    return records.Measure(
        name=name,
        value=float(hits.mean()) if len(hits) else None,
        interval=_proportions.of_rows(hits, sampling),
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
