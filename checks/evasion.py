"""Evasion: the model under attack on its inputs, every adversarial example confirmed on the graph that ships.

`robustness.evasion` is the worst case over all attacks, row by row, and needs the source model's gradient;
`robustness.query_attack` is what an attacker reaches who has only the graph. What the attacks may change is in
`checks.attacks.budget`, how they search in `checks.attacks`.
"""

from __future__ import annotations

import numpy as np

from checks import _degradation, scoring
from checks._subject import Subject, measured, not_applicable, not_measured
from checks.attacks import limits, sparse, suite, validity
from checks.attacks.budget import Budget, attackable, budget
from checks.attacks.search import UNSOUND, Found, confirm
from checks.attacks.suite import SHARES, Attacked
from evidence import arrays, records

__all__ = [
    "SHARES", "Attacked", "Budget", "attackable", "axis", "budget", "measure", "scale", "within",
    "worst_rows",
]  # fmt: skip

CHECK = "robustness.evasion"
QUERY_CHECK = "robustness.query_attack"
FILE = "evaluation/attacked.npy"
"""The attacked rows as the worst attack left them: float32 (n, features), in the order of the test part.

They are test rows, nearly, and stay in the run folder: no list of what may leave names this file."""


def measure(subject: Subject) -> tuple[records.CheckResult, ...]:
    """Performance under attack on at most `attack.rows` test rows: the worst case, and the query-only attack."""
    features, settings = subject.encoded.features, subject.plan.policy.robustness.attack
    reason = "every feature is categorical or immutable: there is nothing to attack"
    if attackable(features).any():
        if worst_rows(subject).worst[-1].problem.limits.free.any():
            return _worst_case(subject), _query_only(subject)
        reason = "; ".join(["no feature can change within its budget", *limits.sentences(features, settings)])
    return not_applicable(CHECK, reason), not_applicable(QUERY_CHECK, reason)


def worst_rows(subject: Subject) -> Attacked:
    """What the attacks found, made when it is first asked for: which rows, and what is left right at each budget.

    Without a gradient it is what the query-only attack found.
    """
    settings, sampling = subject.plan.policy.robustness.attack, subject.sampling
    streams = lambda label: sampling.rng(f"{CHECK}.{label}")  # noqa: E731 - the name says what it is
    model = suite.Model(subject.scorer, subject.source, subject.encoded.features, subject.classes)
    return subject.once(CHECK, lambda: suite.attack(model, subject.part, settings, streams, sampling.seed))


def _worst_case(subject: Subject) -> records.CheckResult:
    attacked, settings = worst_rows(subject), subject.plan.policy.robustness.attack
    if len(attacked.strikes) < 2:
        return not_measured(CHECK, f"the source model gives no gradient; {QUERY_CHECK} asks the graph alone")
    features = subject.encoded.features
    note = f"worst case over {len(attacked.strikes)} attacks, {within(subject)}, confirmed on the ONNX graph"
    details, measures = _found(subject, CHECK, attacked, attacked.worst, note)
    entries = []
    for strike in attacked.strikes:
        each = [_level(subject, attacked, found) for found in attacked.found[strike.name]]
        name, own = f"{CHECK}.{strike.name}", attacked.found[strike.name][-1]
        measures += _measures(subject, name, each[-1], own, f"{strike.title}, {strike.how}")[:1]
        entries.append(
            {"attack": strike.name, "title": strike.title, "how": strike.how, "curve": _curve(each, scale(subject))}
        )
    everything = validity.unbounded(attacked, features, lambda label: subject.sampling.rng(f"{CHECK}.{label}"))
    details |= {
        "attacks": entries,
        "validity": validity.findings(attacked, everything),
        "budget": limits.table(features, settings),
        "warnings": limits.sentences(features, settings),
    }
    if subject.classes:
        last = attacked.worst[-1]
        details["features_needed"] = sparse.counts(Found(last.problem), last, tuple(f.name for f in features))
    return measured(CHECK, tuple(measures), details, (*subject.artifacts, *_written(subject, attacked)))


def _query_only(subject: Subject) -> records.CheckResult:
    attacked = worst_rows(subject)
    strike = attacked.strikes[-1]
    note = f"{strike.title}, {strike.how}, {within(subject)}, confirmed on the ONNX graph"
    details, measures = _found(subject, QUERY_CHECK, attacked, attacked.found[strike.name], note)
    return measured(QUERY_CHECK, tuple(measures), details, subject.artifacts)


def _found(
    subject: Subject, check_id: str, attacked: Attacked, found: tuple[Found, ...], note: str
) -> tuple[dict[str, object], list[records.Measure]]:
    """Details and measures that both checks have: the curve over the budget from the clean value on."""
    clean = _degradation.level(subject, _clean(subject, attacked), CHECK, attacked.rows)
    levels, last = [_level(subject, attacked, f) for f in found], found[-1]
    details: dict[str, object] = {
        "x": axis(subject),
        "metric": _degradation.names(subject.task)[0],
        "curve": [clean.point(0.0), *_curve(levels, scale(subject))],
        "clean": clean.value if np.isfinite(clean.value) else None,
        "attacked_rows": len(attacked.rows),
        "changed_rows": int(((last.x != last.problem.x) & np.isfinite(last.problem.x)).any(axis=1).sum()),
        "attacked_features": [
            f.name
            for f, free in zip(subject.encoded.features, last.problem.limits.free.any(axis=0), strict=True)
            if free
        ],
    }
    measures = [
        *_measures(subject, check_id, levels[-1], last, note),
        _degradation.clean(subject, check_id, clean, len(attacked.rows)),
    ]
    return details, measures


def _clean(subject: Subject, attacked: Attacked) -> scoring.Scores:
    problem = attacked.worst[0].problem
    return confirm(problem.score, problem.x, problem.classes)


def _level(subject: Subject, attacked: Attacked, found: Found) -> _degradation.Level:
    """Performance on what an attack found. A row without a sound output counts as wrong."""
    scores = confirm(found.problem.score, found.x, found.problem.classes)
    if scores.labels is not None:
        truth = found.problem.y.astype(np.int64)
        labels = np.where(scores.labels == UNSOUND, (truth + 1) % found.problem.classes, scores.labels)
        return _degradation.level(subject, scoring.Scores(labels=labels), CHECK, attacked.rows)
    if not np.isfinite(found.damage).all():
        return _degradation.Level(np.nan, None, np.nan, None)
    return _degradation.level(subject, scores, CHECK, attacked.rows)


def _measures(
    subject: Subject, name: str, level: _degradation.Level, found: Found, note: str
) -> tuple[records.Measure, ...]:
    unsound = int(np.sum(~np.isfinite(found.damage))) if not subject.classes else _unsound_labels(found)
    if unsound:
        note = f"{note}; no sound output for {unsound:,} rows, which count as wrong"
    undefined = f"{unsound:,} rows have no finite prediction" if unsound else _degradation.CONSTANT
    return _degradation.measures(subject, name, level, len(found.damage), note, undefined=undefined)


def _unsound_labels(found: Found) -> int:
    scores = confirm(found.problem.score, found.x, found.problem.classes)
    return 0 if scores.labels is None else int(np.sum(scores.labels == UNSOUND))


def _curve(levels: list[_degradation.Level], scale: float = 1.0) -> list[dict[str, float | None]]:
    return [level.point(scale * share) for level, share in zip(levels, SHARES, strict=True)]


def scale(subject: Subject) -> float:
    """What the whole budget is on the axis: epsilon, or one where features have budgets of their own."""
    settings = subject.plan.policy.robustness.attack
    return 1.0 if settings.budget else settings.epsilon


def axis(subject: Subject) -> str:
    """What the budget is measured in, in words."""
    if subject.plan.policy.robustness.attack.budget:
        return "share of the budget of each feature"
    return "largest change of a feature (training standard deviations)"


def within(subject: Subject) -> str:
    """What an attacker may change, in words."""
    settings = subject.plan.policy.robustness.attack
    own = f" ({len(settings.budget)} features with a budget of their own)" if settings.budget else ""
    return f"each feature within {settings.epsilon:g} training standard deviations{own}"


def _written(subject: Subject, attacked: Attacked) -> tuple[records.ArtifactRef, ...]:
    if subject.folder is None:
        return ()
    return (arrays.save(subject.folder, FILE, attacked.worst[-1].x),)
