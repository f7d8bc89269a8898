import dataclasses

import numpy as np
import pytest

from checks.attacks import gradient, losses, search
from tests.checks.attacks import networks

ROWS = 300


def made(tmp_path, outputs=3, epsilon=0.3, seed=0, hidden=16):
    """A network, and rows that it labels rightly for the most part."""
    network = networks.Network.random(6, hidden, outputs, seed)
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(ROWS, 6)).astype(np.float32)
    if outputs == 1:
        y = network.logits(x)[:, 0] + 0.1 * rng.normal(size=ROWS)
    else:
        y = (network.logits(x) + 0.3 * rng.normal(size=(ROWS, outputs))).argmax(axis=1)
    return network, networks.problem(network, tmp_path, x, y, epsilon)


def auto(network, problem, loss, steps=40, target=None, seed=0):
    """What AutoPGD finds."""
    found = search.Found(problem)
    aim = np.zeros(len(problem.y), np.int64) if target is None else target
    gradient.automatic(found, network.vjp, loss, aim, steps, 1, np.random.default_rng(seed))
    return found


def descended(network, problem, steps=40, restarts=1):
    """What the projected gradient finds."""
    found = search.Found(problem)
    gradient.projected(found, network.gradient, steps, restarts, np.random.default_rng(0))
    return found


def linear(tmp_path, outputs):
    """A linear model: both layers pass what comes in, so that the closed form is known."""
    network = networks.Network.random(6, 16, outputs, 1)
    flat = dataclasses.replace(network, bias=np.full(16, 1e3), offset=-1e3 * network.second.sum(axis=0))
    x = np.random.default_rng(1).normal(size=(ROWS, 6)).astype(np.float32)
    y = flat.logits(x).argmax(axis=1) if outputs > 1 else flat.logits(x)[:, 0]
    return flat, networks.problem(flat, tmp_path, x, y, 0.25), network.first @ network.second


@pytest.mark.parametrize("loss", [losses.cross_entropy, losses.logit_ratio])
def test_a_linear_classifier_falls_where_the_closed_form_says(tmp_path, loss):
    """Two classes: a row can be fooled exactly where its margin is below epsilon times the weights' absolute sum."""
    network, problem, weights = linear(tmp_path, 2)
    slope = weights[:, 1] - weights[:, 0]
    margin = np.abs(problem.x @ slope)
    sure = np.abs(margin - 0.25 * np.abs(slope).sum()) > 1e-2
    falls = margin < 0.25 * np.abs(slope).sum()
    for found in (auto(network, problem, loss), descended(network, problem)):
        np.testing.assert_array_equal((found.damage >= 2)[sure], falls[sure])


def test_a_linear_regressor_errs_as_far_as_the_closed_form_says(tmp_path):
    """The largest error is epsilon times the weights' absolute sum, up and down alike."""
    network, problem, weights = linear(tmp_path, 1)
    most = 0.25 * np.abs(weights[:, 0]).sum()
    np.testing.assert_allclose(auto(network, problem, losses.squared_error).damage, most, rtol=2e-2)
    up = auto(network, problem, losses.directed, target=np.ones(ROWS, np.int64))
    np.testing.assert_allclose(up.damage, most, rtol=2e-2)


@pytest.mark.parametrize("seed", range(3))
def test_auto_pgd_comes_as_far_as_the_projected_gradient(tmp_path, seed):
    """On networks AutoPGD with both losses fools at least as many rows with as many steps, to within one in 100."""
    network, problem = made(tmp_path, seed=seed)
    plain = np.mean(descended(network, problem).damage >= 2)
    best = np.maximum(*(auto(network, problem, loss).damage for loss in (losses.cross_entropy, losses.logit_ratio)))
    assert np.mean(best >= 2) >= plain - 0.01
    assert plain > np.mean(search.Found(problem).damage >= 2) + 0.1


def test_targets_find_what_the_nearest_class_hides(tmp_path):
    """Aiming at each other class in turn never does worse than the untargeted ratio alone."""
    network, problem = made(tmp_path, outputs=5)
    worst = auto(network, problem, losses.logit_ratio)
    alone = np.mean(worst.damage >= 2)
    for step in range(1, 5):
        aim = (problem.y + step) % 5
        gradient.automatic(worst, network.vjp, losses.targeted_logit_ratio, aim, 40, 1, np.random.default_rng(0))
    assert np.mean(worst.damage >= 2) >= alone


def test_the_step_is_halved_until_the_best_point_is_reached(tmp_path):
    """A prediction with its largest value inside the box is found, though the first step is twice the budget."""
    peak = np.array([0.13, -0.2])
    _, problem = made(tmp_path, outputs=1)
    seen = []

    def vjp(x):
        seen.append(x.copy())
        return -((x[:, :2] - peak) ** 2).sum(axis=1, keepdims=True), lambda c: np.pad(
            -2 * c * (x[:, :2] - peak), ((0, 0), (0, 4))
        )

    calm = dataclasses.replace(problem, x=np.zeros_like(problem.x))
    from checks.attacks import budget

    calm = dataclasses.replace(calm, limits=budget.budget(networks.features(6), calm.x, 0.3))
    found = search.Found(calm)
    up = np.ones(ROWS, np.int64)
    gradient.automatic(found, vjp, losses.directed, up, 100, 1, np.random.default_rng(0))
    assert np.abs(seen[-1][:, :2] - peak).max() < 0.02
    assert np.abs(seen[5][:, :2] - peak).max() > 0.1


@dataclasses.dataclass
class Watched:
    """A network that notes of how many rows it was asked."""

    network: networks.Network
    seen: list = dataclasses.field(default_factory=list)

    def gradient(self, x, y):
        """As the network's."""
        self.seen.append(len(x))
        return self.network.gradient(x, y)

    def vjp(self, x):
        """As the network's."""
        self.seen.append(len(x))
        return self.network.vjp(x)


@pytest.mark.parametrize("run", [descended, lambda n, p: auto(n, p, losses.cross_entropy)])
def test_a_row_is_left_alone_once_its_label_is_wrong(tmp_path, run):
    """Each step differentiates only rows that are still labelled rightly, ever fewer."""
    network, problem = made(tmp_path, epsilon=0.5)
    watched = Watched(network)
    run(watched, problem)
    assert watched.seen == sorted(watched.seen, reverse=True)
    assert watched.seen[-1] < watched.seen[0] < ROWS


def test_a_row_that_rests_takes_no_further_step(tmp_path):
    """A linear model drives every row into a corner within three steps: the next finds it there, and all is said."""
    network, problem, _ = linear(tmp_path, 2)
    watched = Watched(network)
    assert len(descended(watched, problem).left()) > 0
    assert len(watched.seen) <= 4


def test_further_starts_only_help(tmp_path):
    """A second, random start never loses what the first one found."""
    network, problem = made(tmp_path)
    once, twice = descended(network, problem), descended(network, problem, restarts=2)
    assert (twice.damage >= once.damage).all()


def test_every_candidate_is_admissible(tmp_path):
    """What either attack keeps lies in the box."""
    network, problem = made(tmp_path)
    for found in (descended(network, problem, restarts=2), auto(network, problem, losses.logit_ratio)):
        inside = (found.x >= problem.limits.low) & (found.x <= problem.limits.high)
        assert inside.all()
        assert (found.x != problem.x).any()
