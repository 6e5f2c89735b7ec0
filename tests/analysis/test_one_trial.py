"""How bad can one run be, and what do runs score that do not fail?"""

import numpy as np
import pytest

from seedwise.analysis.analysis import Analysis
from seedwise.errors import UnknownError
from seedwise.stats.intervals import mean_interval
from seedwise.stats.seeds.crossed import crossed_mean
from table_studies import grid_seeds, table_study

SCORES = np.where(np.arange(40) < 10, 0.51, np.random.default_rng(0).normal(0.7, 0.02, 40))


def test_a_tenth_of_the_trials_score_the_low_quantile_or_less():
    assert Analysis(table_study(SCORES[:, None])).low_quantile().score == 0.51
    even = np.linspace(0.5, 0.9, 40)
    assert Analysis(table_study(even[:, None])).low_quantile().score == pytest.approx(even[3])


def test_of_a_loss_the_low_quantile_is_a_high_one():
    even = np.linspace(0.5, 0.9, 60)
    found = Analysis(table_study(even[:, None], metric="loss", baseline=1.0)).low_quantile()
    assert found.score == pytest.approx(even[-6])
    assert found.lower < found.score < found.upper


def test_interval_of_the_low_quantile_holds_it():
    generator, held = np.random.default_rng(0), []
    for _ in range(100):
        found = Analysis(table_study(generator.uniform(0.5, 0.9, (60, 1)))).low_quantile()
        held.append(found.lower <= 0.54 <= found.upper)
    assert np.mean(held) >= 0.95


def test_the_hurdle_is_the_share_of_failed_trials_and_the_mean_of_the_others():
    found = Analysis(table_study(SCORES[:, None])).hurdle()
    assert (found.failed.failed, found.n) == (10, 30)
    assert found.mean == pytest.approx(mean_interval(SCORES[10:]))


def test_the_hurdle_counts_that_trials_share_seeds():
    seeds = grid_seeds(5, 8)
    found = Analysis(table_study(SCORES[:, None], **seeds)).hurdle()
    rest = crossed_mean(SCORES[10:], {name: labels[10:] for name, labels in seeds.items()})
    assert found.mean[:3] == pytest.approx((rest.mean, rest.lower, rest.upper))


def test_a_mean_of_one_trial_has_no_interval():
    with pytest.raises(UnknownError, match="at least 2 of them, not 1"):
        Analysis(table_study([[0.5], [0.5], [0.7]])).hurdle()
