"""Does the interval of a poor trial's score count the seeds that trials share?"""

import numpy as np
import pytest
from scipy import stats

from seedwise.stats.intervals import quantile_interval
from seedwise.stats.seeds.crossed import crossed_share
from seedwise.stats.seeds.quantile import crossed_quantile

INIT, ORDER = (seeds.ravel() for seeds in np.indices((10, 10)))
SEEDS = {"init": INIT, "order": ORDER}


def draw(generator):
    effects = np.sqrt(0.3) * generator.normal(size=10)[INIT] + np.sqrt(0.1) * generator.normal(size=10)[ORDER]
    return effects + np.sqrt(0.6) * generator.normal(size=100)


def test_where_no_seed_repeats_it_is_the_interval_of_order_statistics():
    scores = np.random.default_rng(0).normal(size=60)
    assert crossed_quantile(scores, {"init": range(60)}, 0.1) == quantile_interval(scores, 0.1)


@pytest.mark.parametrize("q", [0.1, 0.5, 0.8])
def test_the_share_of_trials_at_the_ends_may_be_q_and_beyond_them_may_not(q):
    scores = draw(np.random.default_rng(1))
    found = crossed_quantile(scores, SEEDS, q)
    assert crossed_share(scores <= found.lower, SEEDS).upper >= q
    assert crossed_share(scores < found.lower, SEEDS).upper < q
    assert crossed_share(scores <= found.upper, SEEDS).lower > q
    assert crossed_share(scores < found.upper, SEEDS).lower <= q


def test_a_loss_has_the_ends_of_its_negative():
    scores = draw(np.random.default_rng(2))
    there, back = crossed_quantile(scores, SEEDS, 0.1), crossed_quantile(-scores, SEEDS, 0.1, greater_is_better=False)
    assert (back.estimate, back.lower, back.upper) == (-there.estimate, -there.upper, -there.lower)


def test_few_seeds_leave_open_how_poor_a_trial_can_be():
    init = np.repeat(np.arange(4), 5)
    assert crossed_quantile(np.arange(20.0), {"init": init}, 0.1).lower == -np.inf


@pytest.mark.slow
def test_the_interval_holds_the_truth_where_that_of_independent_trials_does_not():
    generator, repeats, truth = np.random.default_rng(3), 150, stats.norm.ppf(0.1)
    held = np.zeros(2)
    for _ in range(repeats):
        scores = draw(generator)
        for place, found in enumerate((crossed_quantile(scores, SEEDS, 0.1), quantile_interval(scores, 0.1))):
            held[place] += found.lower <= truth <= found.upper
    assert held[0] / repeats > 0.95 - 3 * np.sqrt(0.95 * 0.05 / repeats)
    assert held[1] / repeats < 0.9
