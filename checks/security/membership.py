"""Confidentiality: can somebody who asks the graph tell which rows it was trained on?

Members are training rows, non-members test rows: neither the fit nor early stopping has seen those. As many of each.
Two attacks on what the graph says of a row whose true label is known:

- threshold: a row with a smaller loss is called a member (Yeom et al., CSF 2018).
- likelihood ratio: shadow models are trained anew on random halves of these rows and of further ones (the rest of the
  training and the validation part, as far as the plan allows), so that each attacked row is inside for half of them
  and outside for the others. The log odds of its true class (regression: its residual) are taken as
  normal with a mean for each row, inside and outside, and a variance common to all rows, as is advised for few
  shadows. A row is called a member where the graph's own value is likelier inside (LiRA, online; Carlini et al., IEEE
  S&P 2022).

Shadow models are thrown away; the graph that ships is only asked. Where they are trained on fewer rows than the graph,
an attacker with more data may do better: the result is a lower bound of the risk.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from checks import intervals, scoring
from checks._subject import Subject, measured, not_measured
from checks.security import _attack, _trainings
from checks.security import _pool as pools
from checks.security._trainings import StoppedError
from evidence import records

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


def measure(subject: Subject) -> tuple[records.CheckResult, ...]:
    """The threshold attack, the likelihood-ratio attack, and its rate of members found at few false positives."""
    try:
        pool = pools.of(subject)
    except StoppedError as stopped:
        return tuple(not_measured(check, str(stopped)) for check in (THRESHOLD, LIKELIHOOD, LOW))
    asked, y = _asked(subject, pool), pool.y[pool.attacked]
    simple = _result(subject, THRESHOLD, pool.scored(_confidence(subject.task, asked, y)), {})
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


def _asked(subject: Subject, pool: pools.Pool) -> Floats:
    """Probabilities (attacked, classes) or predictions (attacked, 1) of the graph."""
    return _outputs(subject.scorer(pool.x[pool.attacked]))


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


def _likelihood_ratios(subject: Subject, pool: pools.Pool, asked: Floats) -> tuple[Floats, dict[str, object]]:
    count = subject.plan.policy.security.membership.shadows
    if count < LEAST_SHADOWS:
        raise StoppedError(
            f"policy.security.membership.shadows is {count}, fewer than the {LEAST_SHADOWS} shadow models that the "
            "attack needs"
        )
    train = _trainings.Trainings(subject)
    x, y = pool.x[pool.attacked], pool.y[pool.attacked]
    member = np.arange(len(pool.y)) if pool.entities is None else intervals.clusters(pool.entities)
    inside = halves(int(member.max()) + 1, count, subject.sampling.rng(LIKELIHOOD))[:, member]
    shadows = np.empty((count, len(y)))
    for index, seed in enumerate(_trainings.seeds(subject, LIKELIHOOD + ".seeds", count)):
        predict = train(pool.x[inside[index]], pool.y[inside[index]], seed)
        shadows[index] = _statistic(subject.task, predict(x), y)
    ratios = likelihood_ratios(_statistic(subject.task, asked, y), shadows, inside[:, pool.attacked])
    return ratios, {"shadows": count, "shadow_rows": int(inside[0].sum()), "pool_rows": len(pool.y)}


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
    trained = f"{used['shadows']} shadow models trained on {used['shadow_rows']:,} of {used['pool_rows']:,} rows each"
    return f"{sizes}, {trained}"
