"""Confidentiality: can somebody who asks the graph tell which rows it was trained on?

Members are training rows, non-members test rows: neither the fit nor early stopping has seen those. As many of each.
Two attacks on what the graph says of a row whose true label is known:

- threshold: a row with a smaller loss is called a member (Yeom et al., CSF 2018).
- likelihood ratio: shadow models are trained anew on random halves of the same rows, so that each row is inside for
  half of them and outside for the others. The log odds of its true class (regression: its residual) are taken as
  normal with a mean for each row, inside and outside, and a variance common to all rows, as is advised for few
  shadows. A row is called a member where the graph's own value is likelier inside (LiRA, online; Carlini et al., IEEE
  S&P 2022).

Shadow models are thrown away; the graph that ships is only asked. They are trained on no more rows than the attack
uses, the graph on all training rows: an attacker with more data may do better, so the result is a lower bound of the
risk.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import numpy.typing as npt

from checks import intervals, scoring
from checks._subject import Subject, measured, not_measured
from checks.security import _attack, _trainings
from checks.security._trainings import StoppedError
from evidence import arrays, records

Floats = npt.NDArray[np.float64]

THRESHOLD, LIKELIHOOD, LOW = (
    "security.membership_threshold",
    "security.membership_likelihood",
    "security.membership_low_fpr",
)
LEAST_SHADOWS = 4
"""With fewer shadow models a row would have one inside and one outside, and no spread could be told."""
_TINY = 1e-12
"""Smallest probability whose logarithm is taken."""


@dataclasses.dataclass(frozen=True)
class Pool:
    """The attacked rows: members first, then as many non-members."""

    x: npt.NDArray[np.float32]
    y: npt.NDArray[np.generic]
    entities: npt.NDArray[np.int64] | None
    """Codes in which no entity of a member is one of a non-member."""
    members: int

    @property
    def rows(self) -> int:
        """Members and non-members."""
        return len(self.y)

    def scored(self, scores: Floats) -> _attack.Scored:
        """Scores (rows,) of an attack, higher meaning more likely a member."""
        cut, codes = self.members, self.entities
        if codes is None:
            return _attack.Scored(scores[:cut], scores[cut:])
        return _attack.Scored(scores[:cut], scores[cut:], codes[:cut], codes[cut:])


def measure(subject: Subject) -> tuple[records.CheckResult, ...]:
    """The threshold attack, the likelihood-ratio attack, and its rate of members found at few false positives."""
    try:
        pool = _pool(subject)
    except StoppedError as stopped:
        return tuple(not_measured(check, str(stopped)) for check in (THRESHOLD, LIKELIHOOD, LOW))
    asked = _asked(subject, pool)
    simple = _result(subject, THRESHOLD, pool.scored(_confidence(subject.task, asked, pool.y)), {})
    try:
        ratios, used = _likelihood_ratios(subject, pool, asked)
    except StoppedError as stopped:
        return (simple, not_measured(LIKELIHOOD, str(stopped)), not_measured(LOW, str(stopped)))
    scored = pool.scored(ratios)
    return (simple, _result(subject, LIKELIHOOD, scored, used), _low(subject, scored, used))


def log_odds(probabilities: Floats, y: npt.NDArray[np.integer]) -> Floats:
    """Log odds (rows,) of each row's true class against all others, from probabilities (rows, classes)."""
    rows = np.arange(len(y))
    own = probabilities[rows, y]
    others = probabilities.copy()
    others[rows, y] = 0.0
    return np.log(np.maximum(own, _TINY)) - np.log(np.maximum(others.sum(axis=1), _TINY))


def likelihood_ratios(asked: Floats, shadows: Floats, inside: npt.NDArray[np.bool_]) -> Floats:
    """Log of the likelihood of each row's value when it was trained on, over that when it was not.

    Args:
        asked: (rows,) the statistic of the attacked model.
        shadows: (models, rows) that of the shadow models.
        inside: (models, rows) was the row trained on?

    Returns:
        (rows,) higher means more likely a member.
    """
    found = []
    for chosen in (inside, ~inside):
        count = chosen.sum(axis=0)
        mean = np.where(chosen, shadows, 0.0).sum(axis=0) / np.maximum(count, 1)
        squares = np.where(chosen, (shadows - mean) ** 2, 0.0).sum()
        # One more for the mean of few models, which is itself uncertain.
        variance = max(squares / max(float((count - 1).sum()), 1.0), 1e-12) * (1.0 + 1.0 / np.maximum(count, 1))
        found.append(-0.5 * ((asked - mean) ** 2 / variance + np.log(variance)))
    return np.asarray(found[0] - found[1])


def halves(units: int, models: int, rng: np.random.Generator) -> npt.NDArray[np.bool_]:
    """Which units each model is trained on (models, units): random halves and their complements in turn."""
    chosen = np.zeros((models, units), dtype=bool)
    for model in range(models):
        if model % 2:
            chosen[model] = ~chosen[model - 1]
        else:
            chosen[model, rng.permutation(units)[: units // 2]] = True
    return chosen


def _pool(subject: Subject) -> Pool:
    train = subject.parts.part("train")
    if train is None:
        raise StoppedError("the training part is not here")
    most = min(subject.plan.policy.security.membership.rows, train.rows, subject.part.rows)
    _trainings.require_rows(most, "training and as many test rows can be compared")
    chosen = [
        _trainings.drawn(part, most, subject.plan.policy.seed, f"membership {part.role}")
        for part in (train, subject.part)
    ]
    return Pool(
        x=np.concatenate([train.x[chosen[0]], subject.part.x[chosen[1]]]),
        y=np.concatenate([train.y[chosen[0]], subject.part.y[chosen[1]]]),
        entities=_entities(train, subject.part, chosen),
        members=most,
    )


def _entities(
    train: arrays.Part, test: arrays.Part, chosen: list[npt.NDArray[np.intp]]
) -> npt.NDArray[np.int64] | None:
    if train.entities is None or test.entities is None:
        return None
    members = intervals.clusters(train.entities[chosen[0]])
    others = intervals.clusters(test.entities[chosen[1]])
    return np.concatenate([members, others + members.max() + 1]).astype(np.int64)


def _asked(subject: Subject, pool: Pool) -> Floats:
    """Probabilities (rows, classes) or predictions (rows, 1) of the graph."""
    return _outputs(subject.scorer(pool.x))


def _outputs(scores: scoring.Scores) -> Floats:
    if scores.probabilities is not None:
        return scores.probabilities
    if scores.predictions is None:
        raise TypeError("scores hold probabilities or predictions")
    return scores.predictions[:, None]


def _confidence(task: str, outputs: Floats, y: npt.NDArray[np.generic]) -> Floats:
    """Minus the loss, up to a monotone map."""
    if task == "regression":
        return -np.abs(outputs[:, 0] - y.astype(np.float64))
    return log_odds(outputs, y.astype(np.int64))


def _statistic(task: str, outputs: Floats, y: npt.NDArray[np.generic]) -> Floats:
    """What is taken as normal over the shadow models."""
    if task == "regression":
        return outputs[:, 0] - y.astype(np.float64)
    return log_odds(outputs, y.astype(np.int64))


def _likelihood_ratios(subject: Subject, pool: Pool, asked: Floats) -> tuple[Floats, dict[str, object]]:
    count = subject.plan.policy.security.membership.shadows
    if count < LEAST_SHADOWS:
        raise StoppedError(
            f"policy.security.membership.shadows is {count}, fewer than the {LEAST_SHADOWS} shadow models that the "
            "attack needs"
        )
    train = _trainings.Trainings(subject)
    member = np.arange(pool.rows) if pool.entities is None else intervals.clusters(pool.entities)
    inside = halves(int(member.max()) + 1, count, subject.sampling.rng(LIKELIHOOD))[:, member]
    shadows = np.empty((count, pool.rows))
    for index, seed in enumerate(_trainings.seeds(subject, LIKELIHOOD + ".seeds", count)):
        predict = train(pool.x[inside[index]], pool.y[inside[index]], seed)
        shadows[index] = _statistic(subject.task, predict(pool.x), pool.y)
    ratios = likelihood_ratios(_statistic(subject.task, asked, pool.y), shadows, inside)
    return ratios, {"shadows": count, "shadow_rows": int(inside[0].sum())}


def _result(subject: Subject, check_id: str, scored: _attack.Scored, used: dict[str, object]) -> records.CheckResult:
    level = subject.plan.policy.confidence
    value, interval = _attack.area(scored, level)
    rows = len(scored.members) + len(scored.others)
    details = {"curve": _attack.curve(scored), "members": len(scored.members), "others": len(scored.others), **used}
    area = records.Measure(
        name=check_id, value=value, interval=interval, n=rows, split="test", note=_note(scored, used)
    )
    return measured(check_id, (area, *_at(scored, check_id, _rate(subject, scored), level)), details)


def _low(subject: Subject, scored: _attack.Scored, used: dict[str, object]) -> records.CheckResult:
    asked, level = subject.plan.policy.security.membership.false_positives, subject.plan.policy.confidence
    smallest = _attack.smallest_rate(scored)
    rate = max(asked, smallest)
    found = _attack.found_at(scored, rate, level)
    note = _note(scored, used)
    few = asked < smallest
    if few:
        note = (
            f"{len(scored.others):,} non-members are too few for a false-positive rate of {asked:g}: the value is at "
            f"{smallest:.3g}, the smallest that they can show; {note}"
        )
    headline = records.Measure(
        name=LOW,
        value=found.value,
        interval=None if few else found.interval,
        n=len(scored.members) + len(scored.others),
        split="test",
        note=note,
    )
    measures = (headline, *(_at(scored, LOW, smallest, level) if few else ()))
    details = {"false_positives": rate, "asked": asked, **used}
    result = measured(LOW, measures, details)
    return result.model_copy(update={"status": "inconclusive", "reason": note}) if few else result


def _rate(subject: Subject, scored: _attack.Scored) -> float:
    return max(subject.plan.policy.security.membership.false_positives, _attack.smallest_rate(scored))


def _at(scored: _attack.Scored, check_id: str, rate: float, level: float) -> tuple[records.Measure, ...]:
    found = _attack.found_at(scored, rate, level)
    return (
        records.Measure(
            name=f"{check_id}.members_found",
            value=found.value,
            interval=found.interval,
            n=len(scored.members),
            split="train",
            note=f"share of members found at a false-positive rate of {rate:.3g}",
        ),
    )


def _note(scored: _attack.Scored, used: dict[str, object]) -> str:
    sizes = f"{len(scored.members):,} training rows against {len(scored.others):,} test rows"
    if not used:
        return sizes
    return f"{sizes}, {used['shadows']} shadow models trained on {used['shadow_rows']:,} of these rows each"
