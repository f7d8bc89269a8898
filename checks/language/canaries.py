"""How far planted canaries stand out among random strings of the same space that were never planted.

The exposure of a canary is log2 of the number of strings it is ranked among less log2 of its rank by likelihood
(Carlini et al. 2019, estimated by sampling): log2(candidates + 1) for the likeliest of all, 1.4 bits on average for a
string that the model does not know. Mean exposure by number of repetitions has Student's t bounds, with one
pseudo-canary at either end of the scale: eight canaries that all rank first would otherwise claim that nothing varies.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import special

from checks import _proportions
from checks._subject import measured, not_applicable, not_measured
from checks.language import likelihood
from checks.language._subject import Subject
from evidence import canaries, language_records, records

Floats = npt.NDArray[np.float64]

CHECK = "language.canaries"
LABEL = 0xCA7D1DA7
"""Parts the seed of candidates from that of what is planted."""


def measure(subject: Subject) -> records.CheckResult:
    """The result, before the policy is laid on it."""
    asked = subject.plan.policy.memorisation
    if subject.training is None:
        return not_measured(CHECK, "needs the planted strings, which stay with the provider")
    file = subject.training.canaries
    if file is None or not file.planted:
        return not_applicable(CHECK, "the plan plants no canaries")
    ranks, candidates = subject.once("canaries", lambda: _ranks(subject, file, asked.canary_candidates))
    exposure = np.log2(candidates + 1) - np.log2(ranks)
    times = np.array([c.repetitions for c in file.planted])
    measures, rows = [], []
    for often in sorted(set(times.tolist()), reverse=True):
        name = CHECK if not measures else f"{CHECK}.planted_{often}"
        found = _mean(subject, name, exposure[times == often], candidates, often)
        measures.append(found)
        rows.append(
            {
                "repetitions": often, "value": found.value, "canaries": found.n,
                "low": found.interval.low if found.interval else None,
                "high": found.interval.high if found.interval else None,
                "first": int((ranks[times == often] <= 1).sum()),
            }
        )  # fmt: skip
    first = ranks <= 1
    measures.append(
        records.Measure(
            name=f"{CHECK}.ranked_first",
            value=float(first.mean()),
            interval=_proportions.of_rows(first, subject.sampling),
            n=len(first),
            split="train",
            note=f"share of all canaries that are likelier than every one of {candidates} candidates",
        )
    )
    details = {
        "x": "times planted", "curve": rows[::-1], "candidates": candidates, "chance": 1 / float(np.log(2)),
        "largest": float(np.log2(candidates + 1)),
    }  # fmt: skip
    return measured(CHECK, tuple(measures), details)


def _ranks(subject: Subject, file: language_records.CanaryFile, wanted: int) -> tuple[Floats, int]:
    """Rank (canaries,) of each among the candidates, 1 is the likeliest; ties count half. And how many candidates."""
    seed = subject.plan.policy.seed
    rng_seed = int(np.random.default_rng([seed, LABEL]).integers(1 << 62))
    drawn = canaries.draw(wanted, rng_seed, prefix=file.prefix, alphabet=file.alphabet, length=file.length)
    planted = [c.text for c in file.planted]
    others = list(dict.fromkeys(text for text in drawn if text not in set(planted)))
    ids = subject.tokenizer.many([*planted, *others])
    found = likelihood.score(subject.graph, ((subject.prompt(i), 1) for i in ids), subject.context)
    nats = np.array([one.nats.sum(dtype=np.float64) for one in found])
    own, rest = nats[: len(planted), None], nats[None, len(planted) :]
    return 1.0 + (rest < own).sum(axis=1) + 0.5 * (rest == own).sum(axis=1), len(others)


def _mean(subject: Subject, name: str, exposure: Floats, candidates: int, often: int) -> records.Measure:
    most, count = float(np.log2(candidates + 1)), len(exposure)
    value, level = float(exposure.mean()), subject.sampling.level
    padded = np.concatenate([exposure, [0.0, most]])
    error = float(np.sqrt(((padded - padded.mean()) ** 2).sum() / (count + 1) / max(count, 1)))
    reach = float(special.stdtrit(count + 1, 0.5 + level / 2)) * error
    interval = records.Interval(
        low=max(0.0, value - reach),
        high=min(most, value + reach),
        level=level,
        method=f"Student's t over {count} canaries, with a pseudo-canary at either end of the scale",
    )
    note = f"planted {often} times, ranked among {candidates} candidates"
    return records.Measure(name=name, value=value, unit="bit", interval=interval, n=count, split="train", note=note)
