"""All attacks on one model, at growing budgets: each on its own, and the worst of them row by row.

In the manner of AutoAttack: no parameter is tuned to the model, a row counts as right only if no attack fools the
graph. Each attack attacks every row itself, so that attacks can be compared with each other. What an attack found
within a smaller budget is admissible within a larger one, and is kept. Refs: Croce and Hein, ICML 2020.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from checks._chosen import chosen
from checks.attacks import budget, gradient, losses, square
from checks.attacks.search import MISLABELLED, Found, Problem, Rows, Score
from checks.source import Source
from configs.robustness import Attack
from evidence import arrays

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Run = Callable[[Found, np.random.Generator], None]

SHARES = (0.25, 0.5, 1.0)
"""Parts of the budget at which the curve is measured; the headline is the last."""
MOST_TARGETS = 9
"""Classes that a targeted attack aims at, the likeliest ones, as in AutoAttack."""
QUERY = "square"


@dataclasses.dataclass(frozen=True)
class Strike:
    """One attack."""

    name: str
    """Part of the measure's name."""
    title: str
    how: str
    """Its settings in words."""
    run: Run


@dataclasses.dataclass(frozen=True)
class Attacked:
    """What the attacks found. All arrays are in the order of `rows`; the first axis goes over `SHARES`."""

    rows: Rows
    """(n,) attacked test rows, ascending."""
    strikes: tuple[Strike, ...]
    found: dict[str, tuple[Found, ...]]
    """Attack to what it found at each share."""
    alone: dict[str, tuple[float, ...]]
    """Attack to its success at each share without what it found within smaller ones; see `success`."""
    worst: tuple[Found, ...]
    """The most damaging of all attacks for each row, at each share."""

    @property
    def right(self) -> Bools:
        """(shares, n) rows of a classifier that no attack could fool; of a regressor those with a finite error."""
        return np.stack([w.damage < w.problem.enough for w in self.worst])

    @property
    def damage(self) -> Floats:
        """(shares, n) see `search.damage`."""
        return np.stack([w.damage for w in self.worst])


@dataclasses.dataclass(frozen=True)
class Model:
    """What is attacked."""

    score: Score
    """The graph."""
    source: Source
    """The source model; without its derivatives only the query-only attack can be made."""
    features: budget.Features
    classes: int
    """Number of classes; 0 for regression."""


def attack(
    model: Model,
    part: arrays.Part,
    settings: Attack,
    streams: Callable[[str], np.random.Generator],
    seed: int,
) -> Attacked:
    """Every attack that the source model allows, at every share of the budget.

    Args:
        model: What is attacked.
        part: The rows to draw from.
        settings: Budgets, steps, rows.
        streams: A random generator for each label.
        seed: For the choice of the rows.
    """
    rows = chosen(part, settings.rows, seed)
    strikes = strikes_of(model.source, model.classes, settings)
    found: dict[str, list[Found]] = {s.name: [] for s in strikes}
    alone: dict[str, list[float]] = {s.name: [] for s in strikes}
    for share in SHARES:
        scaled = settings.scaled(share)
        limits = budget.budget(model.features, part.x[rows], scaled.epsilon, scaled.budget)
        clean = Found(Problem(model.score, part.x[rows], part.y[rows], limits, model.classes))
        for strike in strikes:
            now = clean.copy()
            strike.run(now, streams(f"{strike.name}.{share}"))
            alone[strike.name].append(success(now))
            for before in found[strike.name][-1:]:
                now.keep(np.arange(len(rows)), before.x, before.damage)
            found[strike.name].append(now)
    worst = tuple(worst_of([found[s.name][i] for s in strikes]) for i in range(len(SHARES)))
    return Attacked(
        rows, strikes, {n: tuple(f) for n, f in found.items()}, {n: tuple(a) for n, a in alone.items()}, worst
    )


def strikes_of(source: Source, classes: int, settings: Attack) -> tuple[Strike, ...]:
    """The attacks that can be made, gradient attacks first."""
    found = []
    starts = f"{settings.restarts} start{'s' if settings.restarts > 1 else ''}"
    if (slope := source.gradient) is not None:
        found.append(
            Strike(
                "pgd",
                "Projected gradient",
                f"{settings.steps} steps, {starts}",
                lambda f, rng: gradient.projected(f, slope, settings.steps, settings.restarts, rng),
            )
        )
    if source.logits_vjp is not None:
        how = f"{settings.auto_steps} steps, {starts}"
        found += [Strike(f"apgd_{n}", f"AutoPGD, {t}", how, run) for n, t, run in _automatic(source, classes, settings)]
    queries = Strike(
        QUERY,
        "Square (query only)",
        f"{settings.queries} questions per row",
        lambda f, rng: square.search(f, settings.queries, rng),
    )
    return (*found, queries)


def _automatic(source: Source, classes: int, settings: Attack) -> list[tuple[str, str, Run]]:
    """The losses of AutoPGD for a task: name, title, how it is run."""
    vjp = source.logits_vjp
    if vjp is None:
        return []

    def plain(loss: losses.Loss) -> Run:
        def run(found: Found, rng: np.random.Generator) -> None:
            aim = np.zeros(len(found.damage), np.int64)
            gradient.automatic(found, vjp, loss, aim, settings.auto_steps, settings.restarts, rng)

        return run

    def targeted(found: Found, rng: np.random.Generator) -> None:
        loss = losses.targeted_logit_ratio if classes else losses.directed
        for aim in _targets(vjp(found.problem.x)[0], found.problem.y, classes):
            gradient.automatic(found, vjp, loss, aim, settings.auto_steps, settings.restarts, rng)

    if classes == 0:
        return [("se", "squared error", plain(losses.squared_error)), ("t", "up and down", targeted)]
    ways = [
        ("ce", "cross entropy", plain(losses.cross_entropy)),
        ("dlr", "logit ratio", plain(losses.logit_ratio)),
    ]
    return [*ways, ("t", "targeted logit ratio", targeted)] if classes > 2 else ways


def _targets(
    outputs: npt.NDArray[np.floating], y: npt.NDArray[np.generic], classes: int
) -> list[npt.NDArray[np.int64]]:
    """What to aim at, one (n,) after the other: the other classes by falling logit, or up and down."""
    if classes == 0:
        return [np.full(len(y), way, np.int64) for way in (1, -1)]
    others = outputs.astype(np.float64).copy()
    others[np.arange(len(y)), y.astype(np.int64)] = -np.inf
    order = np.argsort(-others, axis=1, kind="stable")
    return [order[:, i] for i in range(min(classes - 1, MOST_TARGETS))]


def worst_of(found: list[Found]) -> Found:
    """The most damaging inputs of several searches, row by row."""
    worst = found[0].copy()
    for other in found[1:]:
        worst.keep(np.arange(len(worst.damage)), other.x, other.damage)
    return worst


def success(found: Found) -> float:
    """How far an attack came: the share of wrong labels, or the mean absolute error."""
    if len(found.damage) == 0:
        return 0.0
    return float(np.mean(found.damage >= MISLABELLED if found.problem.classes else found.damage))
