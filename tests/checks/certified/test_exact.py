from __future__ import annotations

import itertools

import numpy as np
import pytest

from tests.checks.certified import networks


def lowered(content, x, low, high):
    from checks.certified import graph, lowering

    made = lowering.Lowering(graph.parse(content), x, low, high)
    return made.program(made.moving("y"))


def brute_force(constants, low, high, objective):
    """The minimum of a network with one hidden layer: a linear programme in each pattern of active units."""
    from scipy import optimize

    w, b, v, c = (np.float32(constants[k]).astype(np.float64) for k in ("w0", "b0", "w1", "b1"))
    best = np.inf
    for pattern in itertools.product((0, 1), repeat=len(b)):
        on = np.array(pattern)
        slope = (w * on) @ v @ objective
        sign = np.where(on == 1, -1.0, 1.0)
        found = optimize.linprog(
            slope, A_ub=(w * sign).T, b_ub=-b * sign, bounds=list(zip(low, high, strict=True)), method="highs"
        )
        if found.status == 0:
            best = min(best, found.fun + (b * on) @ v @ objective + c @ objective)
    return best


@pytest.mark.parametrize("seed", range(4))
def test_the_exact_minimum_is_that_of_every_pattern_of_active_units(seed):
    """Mixed-integer programming finds what a linear programme in each of the patterns finds."""
    from checks.certified import exact

    rng = np.random.default_rng(seed)
    nodes, constants = networks.dense(rng, [3, 6, 2])
    x = rng.normal(size=(1, 3))
    program = lowered(networks.model(nodes, constants, ("batch", 3)), x, x - 1, x + 1)
    objective = rng.normal(size=2)
    found = exact.minimum(program, objective, 20)
    assert found.value == pytest.approx(brute_force(constants, x[0] - 1, x[0] + 1, objective), abs=1e-4)
    assert found.bound <= found.value
    assert program.values(found.inputs[None])[0] @ objective == pytest.approx(found.value, abs=1e-3)


def test_the_exact_minimum_lies_above_the_relaxed_one():
    """CROWN never says more than the exact minimum."""
    from checks.certified import crown, exact

    rng = np.random.default_rng(1)
    for _ in range(5):
        x = rng.normal(size=(1, 4))
        program = lowered(networks.model(*networks.dense(rng, [4, 8, 8, 2]), ("batch", 4)), x, x - 0.4, x + 0.4)
        bounds, lines = crown.bound(program)
        relaxed = crown.lower(program, bounds, lines, program.last, np.array([[1.0, -1.0]]), np.zeros(1, int)).value
        assert relaxed[0] <= exact.minimum(program, np.array([1.0, -1.0]), 20).value + 1e-6


def test_splitting_ends_where_the_exact_minimum_lies():
    """Branch and bound proves a margin just below the minimum, and refutes one just above, by inputs and by ReLUs."""
    import time

    from checks.certified import branch, exact

    rng = np.random.default_rng(5)
    for inputs in (3, 10):
        x = rng.normal(size=(1, inputs))
        program = lowered(
            networks.model(*networks.dense(rng, [inputs, 8, 8, 1]), ("batch", inputs)), x, x - 0.3, x + 0.3
        )
        least = exact.minimum(program, np.ones(1), 20).value
        for shift, proven in ((0.02, True), (-0.02, False)):
            goal = branch.Goal(np.ones((1, 1, 1)), np.array([[shift - least]]), np.zeros(1, int))
            found = branch.search(
                program, goal, boxes=20_000, deadline=time.monotonic() + 20, confirm=lambda x, row: True
            )
            assert found.proven[0] == proven
            assert (0 in found.found) != proven
