"""Are the spreads under fixed seeds those of the definition, in the order of the labels?"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from seedwise.stats.seeds.spread import level_summary, seed_spread

GRID = np.random.default_rng(0).normal(0.7, 0.05, (4, 6))
INIT, ORDER = (index.ravel() for index in np.indices(GRID.shape))


@given(
    arrays(float, 20, elements=st.floats(-1, 1, allow_subnormal=False)),
    st.lists(st.integers(-3, 3), min_size=20, max_size=20),
)
def test_a_level_is_summed_up_by_its_own_trials(scores, levels):
    summary = level_summary(scores, levels)
    assert summary.levels.tolist() == sorted(set(levels))
    for i, level in enumerate(summary.levels):
        own = scores[np.array(levels) == level]
        assert summary.n[i] == len(own)
        assert (summary.min[i], summary.max[i]) == (own.min(), own.max())
        assert summary.mean[i] == pytest.approx(own.mean(), abs=1e-12)
        if len(own) > 1:
            assert summary.sd[i] == pytest.approx(own.std(ddof=1), abs=1e-12)


def test_the_spread_of_one_trial_is_unknown():
    assert np.isnan(level_summary([0.5, 0.6, 0.7], ["a", "b", "b"]).sd).tolist() == [True, False]


def test_levels_may_be_words():
    assert level_summary([1, 2, 3], ["low", "high", "low"]).levels.tolist() == ["high", "low"]


def test_a_missing_score_is_refused():
    with pytest.raises(ValueError, match="scores must be finite"):
        level_summary([0.5, float("nan")], [1, 2])


def test_a_missing_label_is_refused():
    with pytest.raises(ValueError, match="levels must hold one label for each of the 3 trials"):
        level_summary([0.5, 0.6, 0.7], [1, 2])


def test_the_spread_under_a_seed_is_that_of_its_row_or_column():
    spread = seed_spread(GRID.ravel(), INIT, ORDER)
    np.testing.assert_allclose(spread.by_init, GRID.std(axis=1, ddof=1))
    np.testing.assert_allclose(spread.by_order, GRID.std(axis=0, ddof=1))


def test_the_table_averages_standard_deviations_not_variances():
    spread = seed_spread(GRID.ravel(), INIT, ORDER)
    assert spread.mean_by_init == pytest.approx(GRID.std(axis=1, ddof=1).mean())
    assert spread.mean_by_order == pytest.approx(GRID.std(axis=0, ddof=1).mean())
    assert spread.total == pytest.approx(GRID.std(ddof=1))


def test_spreads_do_not_depend_on_the_order_of_the_trials():
    shuffled = np.random.default_rng(1).permutation(GRID.size)
    for one, other in zip(
        seed_spread(GRID.ravel(), INIT, ORDER),
        seed_spread(GRID.ravel()[shuffled], INIT[shuffled], ORDER[shuffled]),
        strict=True,
    ):
        np.testing.assert_allclose(one, other)


def test_spreads_scale_with_the_scores():
    once, hundredfold = (seed_spread(GRID.ravel() * k, INIT, ORDER) for k in (1, 100))
    assert hundredfold.mean_by_init == pytest.approx(100 * once.mean_by_init)


def test_scores_that_depend_on_the_init_seed_alone_do_not_spread_under_it():
    spread = seed_spread(INIT / 10, INIT, ORDER)
    assert spread.mean_by_init == pytest.approx(0, abs=1e-12)
    assert spread.mean_by_order == pytest.approx(np.std([0, 0.1, 0.2, 0.3], ddof=1))


def test_a_grid_with_a_missing_cell_has_spreads_too():
    spread = seed_spread(GRID.ravel()[1:], INIT[1:], ORDER[1:])
    assert spread.by_init[0] == pytest.approx(GRID[0, 1:].std(ddof=1))


def test_paired_seeds_are_refused():
    with pytest.raises(ValueError, match=r"init must hold every seed at least twice, but 3 of 3 .*instead of pairing"):
        seed_spread([0.5, 0.6, 0.7], init=[1, 2, 3], order=[1, 2, 3])


def test_a_single_init_with_many_orders_has_no_spread_by_order():
    with pytest.raises(ValueError, match="order must hold every seed at least twice"):
        seed_spread([0.5, 0.6, 0.7], init=[1, 1, 1], order=[1, 2, 3])
