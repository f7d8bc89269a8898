"""How much worse the graph predicts text that is misspelt, in turned case, full of look-alikes, or cut off.

The same excerpts of held-out documents are scored as they are and changed, and the change is taken document by
document. Bits of the changed text are divided by the bytes of the unaltered one: what was said stays the same, and a
character that takes two bytes instead of one must not look cheaper. So the increase holds what the errors themselves
cost to predict; a model that knew of them would still pay that part. Of truncation the same tokens are compared, with
the beginning of the excerpt before them and without, as far as the model sees at once. At the largest strength the
languages and domains are compared, too.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from checks._subject import measured, not_applicable, not_measured
from checks.language import _ratios, alterations, likelihood, robustness_groups
from checks.language._subject import Subject
from checks.language.texts import Document
from evidence import records

Floats = npt.NDArray[np.float64]

TOKENS = 16_384
"""Tokens of all excerpts together, about."""
SHORTEST = 64
"""Tokens that an excerpt may have at least, however many documents there are."""
TRUNCATION = "truncation"
KINDS = ("typing", "case", "confusables", TRUNCATION)
AXES = {
    "typing": "share of the letters with a typing error",
    "case": "share of the letters in the other case",
    "confusables": "share of the letters that look like another exchanged for it",
    TRUNCATION: "share of the tokens cut off at the beginning",
}


def measure(subject: Subject) -> tuple[records.CheckResult, ...]:
    """A result for each kind of change, before the policy is laid on it."""
    asked = subject.plan.policy.robustness
    return tuple(_result(subject, kind) if kind in asked.changes else _not_asked(kind) for kind in KINDS)


def _check(kind: str) -> str:
    return f"language.robustness_{kind}"


def _not_asked(kind: str) -> records.CheckResult:
    return not_applicable(_check(kind), "the plan does not ask for this change (policy.robustness.changes)")


def _result(subject: Subject, kind: str) -> records.CheckResult:
    check = _check(kind)
    strengths = sorted(subject.plan.policy.robustness.strengths)
    texts = excerpts(subject)
    if not texts or not strengths:
        return not_measured(check, "there is no held-out text" if strengths else "the plan declares no strength")
    curve, measures, groups = [], [], robustness_groups.Groups()
    for done, strength in enumerate(strengths):
        subject.told(f"{kind} at {100 * strength:g} %", done, len(strengths))
        change, size, changed = _change(subject, kind, strength)
        value, interval = _ratios.paired(change, size, subject.sampling, f"{check}.{strength}")
        base = float(unaltered(subject)[0].sum() / unaltered(subject)[1].sum())
        note = f"at {100 * strength:g} %: {AXES[kind]}"
        name = check if strength == strengths[-1] else f"{check}.at_{f'{100 * strength:g}'.replace('.', '_')}_percent"
        measures.append(
            records.Measure(
                name=name, value=value, unit="bit", interval=interval, n=int((size > 0).sum()), split="test", note=note
            )
        )
        if strength == strengths[-1]:
            groups = robustness_groups.measure(subject, check, texts, change, size, note)
        curve.append(
            {
                "severity": strength,
                "value": value,
                "low": interval.low if interval else None,
                "high": interval.high if interval else None,
                "changed": changed,
            }
        )
    details = {"x": AXES[kind], "curve": curve, "unaltered_bits_per_byte": base, "excerpts": len(texts)}
    return measured(check, (*reversed(measures), *groups.measures), details | groups.details)


def _change(subject: Subject, kind: str, strength: float) -> tuple[Floats, Floats, int]:
    """Change in bits and unaltered bytes of each excerpt (documents,), and how many characters or tokens changed."""
    name = f"robustness.{kind}.{strength}"
    if kind == TRUNCATION:
        return subject.once(name, lambda: _truncated(subject, strength))
    return subject.once(name, lambda: _altered(subject, kind, strength))


def excerpts(subject: Subject) -> tuple[Document, ...]:
    """The beginnings of held-out documents, drawn evenly over the languages."""
    return subject.once("excerpts", lambda: _draw(subject))


def unaltered(subject: Subject) -> tuple[Floats, Floats]:
    """Bits and bytes (documents,) of the excerpts as they are."""
    bits = np.array([one.nats.sum(dtype=np.float64) for one in _scored(subject)]) / np.log(2)
    return bits, np.array([len(d.text.encode("utf-8")) for d in excerpts(subject)], np.float64)


def _draw(subject: Subject) -> tuple[Document, ...]:
    policy = subject.plan.policy
    rng = np.random.default_rng([policy.seed, 0xD0C5])
    keys: list[tuple[float, int, str]] = []
    for index, document in enumerate(subject.held_out()):
        keys.append((float(rng.random()), index, document.language))
    chosen = set(_evenly(keys, policy.robustness.documents))
    most = max(SHORTEST, TOKENS // max(len(chosen), 1))
    return tuple(
        Document(d.id, d.language, d.domain, subject.tokenizer.beginning(d.text, most))
        for index, d in enumerate(subject.held_out())
        if index in chosen
    )


def _evenly(keys: list[tuple[float, int, str]], most: int) -> Iterator[int]:
    """Places of at most so many documents, one language after the other in turn."""
    by_language: dict[str, list[tuple[float, int]]] = {}
    for key, index, language in sorted(keys):
        by_language.setdefault(language, []).append((key, index))
    turns = sorted((turn, key, index) for found in by_language.values() for turn, (key, index) in enumerate(found))
    return (index for _, _, index in turns[:most])


def _scored(subject: Subject) -> list[likelihood.Likelihood]:
    def make() -> list[likelihood.Likelihood]:
        ids = subject.tokenizer.many([d.text for d in excerpts(subject)])
        return list(likelihood.score(subject.graph, ((subject.prompt(i), 1) for i in ids), subject.context))

    return subject.once("excerpts.scored", make)


def _altered(subject: Subject, kind: str, strength: float) -> tuple[Floats, Floats, int]:
    change, seed = alterations.CHANGES[kind], subject.plan.policy.seed
    made = [change(d.text, strength, alterations.stream(seed, kind, d.id)) for d in excerpts(subject)]
    ids = subject.tokenizer.many([text for text, _ in made])
    found = likelihood.score(subject.graph, ((subject.prompt(i), 1) for i in ids), subject.context)
    bits = np.array([one.nats.sum(dtype=np.float64) for one in found]) / np.log(2)
    before, size = unaltered(subject)
    return bits - before, size, sum(count for _, count in made)


def _truncated(subject: Subject, strength: float) -> tuple[Floats, Floats, int]:
    # Behind the first window a beginning is out of sight anyway.
    whole = subject.tokenizer.many([d.text for d in excerpts(subject)])
    ids = [i[: subject.context] for i in whole]
    cuts = [min(len(i) - 1, max(1, round(strength * len(i)))) if len(i) > 1 else 0 for i in ids]
    rest = (subject.prompt(i[cut:]) for i, cut in zip(ids, cuts, strict=True))
    found = likelihood.score(subject.graph, ((r, 1) for r in rest), subject.context)
    change, size = [], []
    for d, before, one, cut, every in zip(excerpts(subject), _scored(subject), found, cuts, whole, strict=True):
        count = min(len(every), subject.context)
        # A cut may fall into a character, so bytes are shared out by tokens.
        share = (count - cut) / max(len(every), 1) if cut else 0.0
        size.append(share * len(d.text.encode("utf-8")))
        more = one.nats.sum(dtype=np.float64) - before.nats[cut:count].sum(dtype=np.float64)
        change.append(more / np.log(2) if cut else 0.0)
    return np.array(change), np.array(size), sum(cuts)
